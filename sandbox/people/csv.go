package people

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// CSV, RFC 4180, as spreadsheets write and read it: one persona a row, columns
// named like the fields of a persona in JSON, those of an address
// address.street and so on.

// column is a field of a persona as text.
type column struct {
	name string
	need bool
	get  func(*vneid.Persona) string
	set  func(*vneid.Persona, string) (wrong, hint string)
}

// text is a column whose value is any text; Validate says what is wrong.
func text[T ~string](name string, need bool, field func(*vneid.Persona) *T) column {
	return column{name, need,
		func(p *vneid.Persona) string { return string(*field(p)) },
		func(p *vneid.Persona, s string) (string, string) { *field(p) = T(s); return "", "" }}
}

func addressColumn(name string, part func(*vneid.Address) *string) column {
	return column{name: "address." + name,
		get: func(p *vneid.Persona) string {
			if p.Address == nil {
				return ""
			}
			return *part(p.Address)
		},
		set: func(p *vneid.Persona, s string) (string, string) {
			if p.Address == nil {
				p.Address = &vneid.Address{}
			}
			*part(p.Address) = s
			return "", ""
		}}
}

// columns are all columns, in the order of the export.
var columns = []column{
	text("cccd", true, func(p *vneid.Persona) *vneid.CCCD { return &p.CCCD }),
	text("cmnd", false, func(p *vneid.Persona) *string { return &p.CMND }),
	text("name", true, func(p *vneid.Persona) *string { return &p.Name }),
	text("birthdate", true, func(p *vneid.Persona) *string { return &p.Birthdate }),
	text("gender", true, func(p *vneid.Persona) *string { return &p.Gender }),
	text("phone", false, func(p *vneid.Persona) *vneid.PhoneNumber { return &p.Phone }),
	text("email", false, func(p *vneid.Persona) *string { return &p.Email }),
	addressColumn("street", func(a *vneid.Address) *string { return &a.Street }),
	addressColumn("commune", func(a *vneid.Address) *string { return &a.Commune }),
	addressColumn("province", func(a *vneid.Address) *string { return &a.Province }),
	{"account_level", false,
		func(p *vneid.Persona) string { return strconv.Itoa(p.AccountLevel) },
		func(p *vneid.Persona, s string) (wrong, hint string) {
			n, err := strconv.Atoi(s)
			if err != nil {
				return fmt.Sprintf("%.40q is no whole number", s), "write 1 or 2"
			}
			p.AccountLevel = n
			return "", ""
		}},
	text("account_type", false, func(p *vneid.Persona) *string { return &p.AccountType }),
	text("status", false, func(p *vneid.Persona) *vneid.AccountStatus { return &p.Status }),
	{"web_login", false,
		func(p *vneid.Persona) string { return strconv.FormatBool(p.WebLogin) },
		func(p *vneid.Persona, s string) (wrong, hint string) {
			switch strings.ToLower(s) { // a spreadsheet writes TRUE
			case "true":
				p.WebLogin = true
			case "false":
				p.WebLogin = false
			default:
				return fmt.Sprintf("%.40q is neither true nor false", s), "write true or false"
			}
			return "", ""
		}},
	text("sms", false, func(p *vneid.Persona) *vneid.SMSDelivery { return &p.SMS }),
	text("note", false, func(p *vneid.Persona) *string { return &p.Note }),
}

const byteOrderMark = "\ufeff"

// formulaStarts begin a formula in a spreadsheet, the full-width ones in some.
// A cell that begins so, or with the apostrophe itself, is written with an
// apostrophe before it, and read without: a spreadsheet takes it for text.
const formulaStarts = "=+-@\t\r\n＝＋－＠'"

func cell(s string) string {
	if r, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune(formulaStarts, r) {
		return "'" + s
	}
	return s
}

// writeCSV writes personas with every column, and with the mark by which
// spreadsheets know UTF-8.
func writeCSV(w io.Writer, personas []vneid.Persona) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range personas {
		for j, c := range columns {
			row[j] = cell(c.get(&personas[i]))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvFile is a CSV file that is being read.
type csvFile struct {
	name     string
	nowYear  int
	mistakes mistakes
	columns  []*column // of the header's cells; nil = unknown
	personas []vneid.Persona
	lines    map[vneid.CCCD]int
}

// readCSV reads personas. An empty cell leaves the default.
func readCSV(name string, content []byte, nowYear int) ([]vneid.Persona, error) {
	f := &csvFile{name: name, nowYear: nowYear, lines: map[vneid.CCCD]int{}}
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	switch {
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}), bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		f.wrong(1, "", "UTF-16", "save the file as CSV UTF-8")
		return nil, f.mistakes.err()
	case !utf8.Valid(content):
		f.wrong(lineOfBadByte(content), "", "not UTF-8", "save the file as CSV UTF-8")
		return nil, f.mistakes.err()
	}
	in := csv.NewReader(bytes.NewReader(content))
	in.Comma, in.FieldsPerRecord, in.ReuseRecord, in.TrimLeadingSpace = separatorOf(content), -1, true, true
	for first := true; ; first = false {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			if first {
				f.wrong(1, "", "empty", "the first line names the columns: cccd,name,birthdate,gender,…")
			}
			break
		}
		if syntax := new(csv.ParseError); errors.As(err, &syntax) {
			f.wrong(syntax.Line, "", "not CSV: "+syntax.Err.Error(), `put a value with quotes into quotes and double them: "a ""b"""`)
			if first {
				break
			}
			continue
		}
		line, _ := in.FieldPos(0)
		if first {
			if !f.header(line, row) {
				break
			}
			continue
		}
		if len(f.personas) == MaxPersonas {
			f.wrong(line, "", fmt.Sprintf("more than %d personas", MaxPersonas), "cut the file in pieces")
			break
		}
		f.row(line, row)
	}
	return f.personas, f.mistakes.err()
}

// separatorOf is what stands between the cells of the first line: a semicolon
// where the comma is for decimals, as in Vietnam.
func separatorOf(content []byte) rune {
	first, _, _ := bytes.Cut(content, []byte("\n"))
	best, most := ',', bytes.Count(first, []byte(","))
	for _, r := range ";\t" {
		if n := bytes.Count(first, []byte(string(r))); n > most {
			best, most = r, n
		}
	}
	return best
}

func lineOfBadByte(content []byte) int {
	line := 1
	for len(content) > 0 {
		r, size := utf8.DecodeRune(content)
		if r == utf8.RuneError && size <= 1 {
			break
		}
		if r == '\n' {
			line++
		}
		content = content[size:]
	}
	return line
}

func (f *csvFile) wrong(line int, column, what, hint string) {
	f.mistakes.add(strictyaml.Mistake{Source: fmt.Sprintf("%s:%d", f.name, line), Key: column, What: what, Hint: hint})
}

// header reports false when no row can be read by it.
func (f *csvFile) header(line int, row []string) bool {
	var known []string
	for _, c := range columns {
		known = append(known, c.name)
	}
	seen := map[string]bool{}
	for _, name := range row {
		name = strings.ToLower(strings.TrimSpace(name))
		var found *column
		for i := range columns {
			if columns[i].name == name {
				found = &columns[i]
			}
		}
		switch {
		case name == "": // a spreadsheet's empty column
		case found == nil:
			f.mistakes.add(strictyaml.Unknown(fmt.Sprintf("%s:%d", f.name, line), name, known))
		case seen[name]:
			f.wrong(line, name, "a column twice", "keep one of the two")
			found = nil
		}
		seen[name] = true
		f.columns = append(f.columns, found)
	}
	good := true
	for _, c := range columns {
		if c.need && !seen[c.name] {
			f.wrong(line, c.name, "the column is missing", "the first line names the columns: cccd,name,birthdate,gender,…")
			good = false
		}
	}
	return good
}

func (f *csvFile) row(line int, row []string) {
	if strings.TrimSpace(strings.Join(row, "")) == "" {
		return // a spreadsheet's empty row
	}
	if len(row) > len(f.columns) {
		f.wrong(line, "", fmt.Sprintf("%d cells in a row of %d columns", len(row), len(f.columns)), "put a value with the separator in it into quotes")
		return
	}
	p := citizen("", "", "", "", "", "")
	unread := map[string]bool{}
	for i, value := range row {
		value = strings.TrimPrefix(strings.TrimSpace(value), "'")
		c := f.columns[i]
		if c == nil || value == "" {
			continue
		}
		if wrong, hint := c.set(&p, value); wrong != "" {
			f.wrong(line, c.name, wrong, hint)
			unread[c.name] = true
		}
	}
	bad := p.Validate(f.nowYear)
	for _, c := range columns {
		if what := bad[c.name]; what != "" && !unread[c.name] {
			f.wrong(line, c.name, what, asText(c.name, what))
		}
	}
	if before := f.lines[p.CCCD]; before != 0 {
		f.wrong(line, "cccd", fmt.Sprintf("the number of line %d", before), "a number belongs to one person")
	} else if bad["cccd"] == "" {
		f.lines[p.CCCD] = line
	}
	f.personas = append(f.personas, p)
}

// asText is what to do about a value that a spreadsheet took for a number or a
// date.
func asText(column, what string) string {
	if column == "birthdate" || (column == "cccd" || column == "cmnd" || column == "phone") && strings.Contains(what, "digits") {
		return "format the column as text, so that the spreadsheet leaves it as it is"
	}
	return ""
}
