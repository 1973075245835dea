package people

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Personas as code: files of people that go into a world and come out of it.
// YAML files are seed files, with what the population database says
// differently; CSV is for spreadsheets and for many, and has personas only.

// Format of a file of people.
type Format string

const (
	YAML Format = "yaml"
	CSV  Format = "csv"
)

// FormatOf goes by the ending of a file's name; YAML unless it is .csv.
func FormatOf(name string) Format {
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		return CSV
	}
	return YAML
}

// Bounds of a file of people.
const (
	MaxPersonas = 100_000
	MaxFile     = 16 << 20 // bytes of CSV; YAML takes more memory and is bounded by strictyaml.MaxSize
)

// mostMistakes bounds a report: whoever has that many repairs a column, not
// cells.
const mostMistakes = 1000

type mistakes struct {
	list strictyaml.Mistakes
	more int
}

func (m *mistakes) add(one strictyaml.Mistake) {
	if len(m.list) < mostMistakes {
		m.list = append(m.list, one)
	} else {
		m.more++
	}
}

func (m *mistakes) err() error {
	if m.more > 0 {
		m.list = append(m.list, strictyaml.Mistake{Source: "and", What: fmt.Sprintf("%d more", m.more)})
	}
	return m.list.Err()
}

// ReadPeople reads a file of people for a world that exists: personas, and in
// YAML the entries of the population database. The error is a
// strictyaml.Mistakes with all there are; then nothing of the file is to be
// used.
func ReadPeople(name string, format Format, content []byte, nowYear int) (Data, error) {
	if format == CSV {
		return readCSVSeed(name, content, nowYear)
	}
	d, err := readYAML(name, content, nowYear, nil)
	var all mistakes
	if list := (strictyaml.Mistakes)(nil); errors.As(err, &list) {
		for _, one := range list {
			all.add(one)
		}
	}
	if len(d.Clients)+len(d.Askers) > 0 {
		all.add(strictyaml.Mistake{Source: name, What: "has clients or register_consumers", Hint: "keep personas and register; the rest is for --seed"})
	}
	return d, all.err()
}

func readCSVSeed(name string, content []byte, nowYear int) (d Data, err error) {
	if len(content) > MaxFile {
		return d, strictyaml.Mistakes{{Source: name, What: fmt.Sprintf("longer than %d MiB", MaxFile>>20), Hint: "cut the file in pieces"}}
	}
	sum := sha256.Sum256(content)
	d.Version = "file:" + hex.EncodeToString(sum[:8])
	d.Personas, err = readCSV(name, content, nowYear)
	return d, err
}

// batch is how many people one transaction takes: others get their turn in
// between.
const batch = 500

// Put writes the people of d into a world; who has the same number is replaced. Should
// the database fail in the middle, some are there: the same file may be put
// again. passwordHash is that of [Password]. progress, when not nil, is told
// how many are in.
func Put(ctx context.Context, store vneid.Store, w *vneid.World, passwordHash string, d Data, progress func(done int)) error {
	for from := 0; from < len(d.Personas); from += batch {
		to := min(from+batch, len(d.Personas))
		err := store.Update(ctx, w.ID, func(tx vneid.Tx) error {
			for _, p := range d.Personas[from:to] {
				account := vneid.Account{Persona: p, ID: vneid.AccountID(w.Salt, p.CCCD), PasswordHash: passwordHash, UpdatedAt: w.Clock.Now()}
				if err := tx.PutAccount(&account); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("put the people from the %d. on: %w", from+1, err)
		}
		if progress != nil {
			progress(to)
		}
	}
	return store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		for i := range d.Register {
			if err := tx.PutRegisterEntry(&d.Register[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Import is [Put] into the world of the context.
func (e *Editor) Import(ctx context.Context, d Data, progress func(done int)) error {
	return Put(ctx, e.Store, vneid.WorldFrom(ctx), e.PasswordHash, d, progress)
}

// ErrTooMany means that a world has more people than a file of the format may.
var ErrTooMany = errors.New("more people than a file may have")

// Take reads the people of a world who have a row, with what the population
// database says differently of them.
func Take(ctx context.Context, store vneid.Store, world string) (d Data, err error) {
	err = store.View(ctx, world, func(tx vneid.Tx) error {
		d = Data{}
		accounts, err := tx.Accounts("", MaxPersonas+1)
		if err != nil {
			return err
		}
		if len(accounts) > MaxPersonas {
			return ErrTooMany
		}
		for i := range accounts {
			d.Personas = append(d.Personas, accounts[i].Persona)
			entry, err := tx.RegisterEntry(accounts[i].CCCD)
			if err == nil {
				d.Register = append(d.Register, *entry)
			} else if !errors.Is(err, vneid.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	return d, err
}

// Write writes people as a file that [ReadPeople] and --seed read again, to
// the last letter. CSV leaves the population database out.
func Write(w io.Writer, format Format, d Data) error {
	if format == CSV {
		return writeCSV(w, d.Personas)
	}
	return writeYAML(w, d)
}

// writeYAML says of each persona what a seed file has to: what is not the
// default. Numbers are quoted: to other readers of YAML 038… is no text.
func writeYAML(w io.Writer, d Data) error {
	people := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range d.Personas {
		people.Content = append(people.Content, personaNode(&d.Personas[i]))
	}
	doc := &yaml.Node{Kind: yaml.MappingNode}
	add(doc, "personas", people)
	if len(d.Register) > 0 {
		register := &yaml.Node{Kind: yaml.SequenceNode}
		for _, e := range d.Register {
			n := &yaml.Node{Kind: yaml.MappingNode}
			addText(n, "cccd", string(e.CCCD))
			addText(n, "name", e.Name)
			addText(n, "birthdate", e.Birthdate)
			addFlag(n, "absent", e.Absent, false)
			addFlag(n, "deceased", e.Deceased, false)
			register.Content = append(register.Content, n)
		}
		add(doc, "register", register)
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return err
	}
	if out.Len() > strictyaml.MaxSize {
		return ErrTooMany
	}
	_, err := w.Write(out.Bytes())
	return err
}

func personaNode(p *vneid.Persona) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	usual := citizen("", "", "", "", "", "")
	for _, c := range columns {
		switch part, inAddress := strings.CutPrefix(c.name, "address."); {
		case inAddress:
			if part == "street" && p.Address != nil {
				address := &yaml.Node{Kind: yaml.MappingNode}
				addText(address, "street", p.Address.Street)
				addText(address, "commune", p.Address.Commune)
				addText(address, "province", p.Address.Province)
				add(n, "address", address)
			}
		case c.name == "web_login":
			addFlag(n, c.name, p.WebLogin, usual.WebLogin)
		case c.name == "account_level":
			if p.AccountLevel != usual.AccountLevel {
				add(n, c.name, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: c.get(p)})
			}
		case c.get(p) != c.get(&usual):
			addText(n, c.name, c.get(p))
		}
	}
	return n
}

func add(to *yaml.Node, key string, value *yaml.Node) {
	to.Content = append(to.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

func addText(to *yaml.Node, key, value string) {
	if value == "" {
		return
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	if strings.Trim(value, "0123456789-") == "" || strings.ContainsAny(value, "\n\r\t") {
		n.Style = yaml.DoubleQuotedStyle
	}
	add(to, key, n)
}

func addFlag(to *yaml.Node, key string, value, usual bool) {
	if value != usual {
		add(to, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(value)})
	}
}
