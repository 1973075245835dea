package people_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func read(t *testing.T, format people.Format, content string) []vneid.Persona {
	t.Helper()
	d, err := people.ReadPeople("line", format, []byte(content), 2026)
	if err != nil {
		t.Fatal(err)
	}
	return d.Personas
}

func write(t testing.TB, format people.Format, d people.Data) string {
	t.Helper()
	var out bytes.Buffer
	if err := people.Write(&out, format, d); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPeopleComeBackFromAFileAsTheyWere(t *testing.T) {
	d := people.Default("http")
	strange, _ := people.Somebody("038890124901")
	p := strange.Persona
	p.Name, p.Note = "'=HYPERLINK(\"x\")", "-1+1; a \"quoted\" word,\nand a second line: # no comment"
	p.Address = &vneid.Address{Street: "@ 12", Commune: "'+1", Province: "＝1"}
	for i, name := range []string{"true", "null", "~", "<<", "1990", "0x1F", "- a", "a: b", "'", "''", "O'Brien", "# x", "=1+1", "{}", "Trần\u2028Văn", "*a", "!x", "%x", "\\n", "한"} {
		one := p
		one.CCCD = vneid.CCCD(fmt.Sprintf("03889000%04d", i))
		one.Name, one.Note = name, name
		d.Personas = append(d.Personas, one)
	}
	d.Personas = append(d.Personas, p)
	for i := range d.Personas { // in the one form that everything is kept in
		if bad := d.Personas[i].Validate(2026); len(bad) > 0 {
			t.Fatal(bad)
		}
	}
	for _, format := range []people.Format{people.YAML, people.CSV} {
		content := write(t, format, d)
		again, err := people.ReadPeople("line", format, []byte(content), 2026)
		if err != nil {
			t.Fatalf("%s: %v\n%s", format, err, content)
		}
		for i := range d.Personas {
			if !reflect.DeepEqual(again.Personas[i], d.Personas[i]) {
				t.Errorf("%s: %+v came back as %+v", format, d.Personas[i], again.Personas[i])
			}
		}
		if format == people.YAML && !reflect.DeepEqual(again.Register, d.Register) {
			t.Errorf("the population database came back as %+v", again.Register)
		}
		if write(t, format, again) != content && format == people.CSV {
			t.Errorf("%s: written again, the file differs", format)
		}
	}
}

func TestNoCellOfAnExportIsAFormula(t *testing.T) {
	p := people.Default("http").Personas[0]
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(1)", "＝1", "\"=1"} {
		p.Name, p.Note = s, s
		rows, err := csv.NewReader(strings.NewReader(write(t, people.CSV, people.Data{Personas: []vneid.Persona{p}}))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range rows[1] {
			if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") || strings.HasPrefix(cell, "＝") {
				t.Errorf("the cell %q", cell)
			}
		}
	}
}

func TestCSVIsReadAsSpreadsheetsWriteIt(t *testing.T) {
	want := read(t, people.CSV, "cccd,name,birthdate,gender,phone,address.province,web_login,account_level\n"+
		"038190000099,Lê Thị Thử,1990-01-02,female,0950000099,Tỉnh Thanh Hóa,false,1\n")
	if p := want[0]; len(want) != 1 || p.AccountLevel != 1 || p.WebLogin || p.SMS != vneid.SMSInstant || p.Status != vneid.AccountActive || p.Address.Province != "Tỉnh Thanh Hóa" {
		t.Fatalf("%+v", want)
	}
	for name, content := range map[string]string{
		"mark, semicolons, CRLF, capitals": "\ufeffCCCD;Name;Birthdate;Gender;Phone;Address.Province;Web_Login;Account_Level\r\n" +
			"038190000099;Lê Thị Thử;1990-01-02;female;0950000099;Tỉnh Thanh Hóa;FALSE;1\r\n",
		"tabs": "cccd\tname\tbirthdate\tgender\tphone\taddress.province\tweb_login\taccount_level\n" +
			"038190000099\tLê Thị Thử\t1990-01-02\tfemale\t0950000099\tTỉnh Thanh Hóa\tfalse\t1",
		"apostrophes, gaps and empty rows": "cccd,name,birthdate,gender,phone,address.province,web_login,account_level,,\n,,,,,,,\n\n" +
			"'038190000099, Lê   Thị Thử ,1990-01-02,female,'+84 950 000 099,Tỉnh  Thanh Hóa,false,1,,\n,,,,,,,,,\n",
		"quotes and another order": "name,cccd,gender,birthdate,web_login,account_level,phone,address.street,address.province\n" +
			"\"Lê Thị Thử\",\"038190000099\",female,1990-01-02,false,1,0950000099,,\"Tỉnh Thanh Hóa\"\n",
		"letters in two parts (NFD)": norm.NFD.String("cccd,name,birthdate,gender,phone,address.province,web_login,account_level\n" +
			"038190000099,Lê Thị Thử,1990-01-02,female,0950000099,Tỉnh Thanh Hóa,false,1\n"),
	} {
		if got := read(t, people.CSV, content); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func mistakesOf(t *testing.T, format people.Format, content string) strictyaml.Mistakes {
	t.Helper()
	_, err := people.ReadPeople("line", format, []byte(content), 2026)
	var list strictyaml.Mistakes
	if !errors.As(err, &list) {
		t.Fatalf("no mistakes: %v", err)
	}
	return list
}

func TestEveryMistakeOfAFileIsReportedAtOnce(t *testing.T) {
	got := mistakesOf(t, people.CSV, `cccd,name,birthdate,gender,phone,account_level,web_login,sms,note
38390000099,A,1990-01-01,female,,,,,
038090000098,,15/03/1990,nam,950000001,hai,có,sometimes,x

038090000097,"B
C",1990,male,,,,,
038090000096,D,1990,male,,,,,,,extra
038090000096,E "F",1990,male,,,,,
038090000096,G,1990,male,,,,,
038090000096,H,1990,male,,,,,
`).Error()
	for _, want := range []string{
		"line:2: cccd: 11 digits: the leading 0 was lost (spreadsheets do that); format the column as text",
		"line:3: name: 1 to 200 characters",
		"line:3: birthdate: YYYY-MM-DD",
		`line:3: gender: "male" or "female"`,
		"line:3: phone: 9 digits",
		`line:3: account_level: "hai" is no whole number; write 1 or 2`,
		`line:3: web_login: "có" is neither true nor false`,
		`line:3: sms: "instant"`,
		"line:7: 11 cells in a row of 9 columns",
		"line:8: not CSV: bare",
		"line:10: cccd: the number of line 9; a number belongs to one person",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n") + 1; n != 11 {
		t.Errorf("%d mistakes:\n%s", n, got)
	}
	for content, want := range map[string]string{
		"":                                     "line:1: empty",
		"\xff\xfec\x00":                        "line:1: UTF-16; save the file as CSV UTF-8",
		"cccd,name\n038090000099,Nguy\xeen\n":  "line:2: not UTF-8",
		"cccd,nme,birthdate,birthdate,gender":  `line:1: nme: unknown; did you mean "name"?`,
		"cccd,name,birthdate,birthdate,gender": "line:1: birthdate: a column twice",
		"cccd;name;gender\n":                   "line:1: birthdate: the column is missing",
		"\"cccd\nname":                         "line:2: not CSV",
		"a,b\n":                                "line:1: cccd: the column is missing",
	} {
		if got := mistakesOf(t, people.CSV, content).Error(); !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
	if got := mistakesOf(t, people.YAML, "personas:\n- {cccd: \"1\", name: A}\nclients:\n- client_id: a\n").Error(); !strings.Contains(got, "line:2: personas[0].cccd") || !strings.Contains(got, "has clients") {
		t.Error(got)
	}
}

func TestTheBoundsOfAFileHold(t *testing.T) {
	const header = "cccd,name,birthdate,gender\n"
	var rows strings.Builder
	rows.WriteString(header)
	for i := range people.MaxPersonas + 1 {
		fmt.Fprintf(&rows, "038090%06d,A B,1990,male\n", i)
	}
	if got := mistakesOf(t, people.CSV, rows.String()).Error(); !strings.Contains(got, "line:100002: more than 100000 personas") {
		t.Error(got)
	}
	if got := mistakesOf(t, people.CSV, strings.Repeat(" ", people.MaxFile+1)).Error(); !strings.Contains(got, "longer than 16 MiB") {
		t.Error(got)
	}
	if got := mistakesOf(t, people.YAML, strings.Repeat(" ", strictyaml.MaxSize+1)).Error(); !strings.Contains(got, "longer than 1 MiB") {
		t.Error(got)
	}
	for _, format := range []people.Format{people.CSV, people.YAML} {
		content := header + strings.Repeat("1,A,1990,male\n", 2000)
		if format == people.YAML {
			content = "personas:\n" + strings.Repeat("- {cccd: \"1\", name: A, birthdate: \"1990\", gender: male}\n", 2000)
		}
		list := mistakesOf(t, format, content)
		if len(list) != 1001 || list[1000].String() != "and: 1000 more" && list[1000].String() != "and: 2999 more" {
			t.Errorf("%s: %d mistakes, the last %q", format, len(list), list[len(list)-1])
		}
	}
	d := people.Data{}
	for i := range 10_000 {
		p, _ := people.Somebody(vneid.CCCD(fmt.Sprintf("038890%06d", i)))
		d.Personas = append(d.Personas, p.Persona)
	}
	if err := people.Write(&bytes.Buffer{}, people.YAML, d); !errors.Is(err, people.ErrTooMany) {
		t.Errorf("more YAML than one may read again: %v", err)
	}
}

func TestACSVFileIsASeed(t *testing.T) {
	d, err := people.Read("people.CSV", []byte("cccd,name,birthdate,gender\n038190000099,Lê Thị Thử,1990,female\n"), 2026, nil)
	if err != nil || len(d.Personas) != 1 || !strings.HasPrefix(d.Version, "file:") {
		t.Errorf("%+v, %v", d, err)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("cccd,name,birthdate,gender\n038190000099,A,1990,male\n"))
	f.Add([]byte("\ufeffcccd;name;birthdate;gender;note;address.street\r\n038190000099;\"A\r\nB\";1990-01-02;female;'=1;'\r\n"))
	f.Add([]byte(write(f, people.CSV, people.Default("http"))))
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := people.ReadPeople("line", people.CSV, content, 2026)
		if err != nil {
			return
		}
		for _, p := range d.Personas { // what is accepted is valid, and stays itself in both formats
			before := p
			if bad := p.Validate(2026); len(bad) > 0 || !reflect.DeepEqual(before, p) {
				t.Fatalf("%+v: %v", p, bad)
			}
		}
		if len(d.Personas) > 100 {
			return
		}
		for _, format := range []people.Format{people.CSV, people.YAML} {
			file := write(t, format, d)
			again, err := people.ReadPeople("line", format, []byte(file), 2026)
			if err != nil || len(again.Personas)+len(d.Personas) > 0 && !reflect.DeepEqual(again.Personas, d.Personas) {
				t.Fatalf("%s: %v\n%+v\n%+v\n%q", format, err, d.Personas, again.Personas, file)
			}
		}
	})
}
