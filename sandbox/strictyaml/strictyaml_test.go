package strictyaml_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
)

type inner struct {
	Number string   `yaml:"number"`
	On     bool     `yaml:"on_air"`
	Maybe  *bool    `yaml:"maybe"`
	Tags   []string `yaml:"tags"`
}

func (i *inner) Defaults() { i.On = true }

type embedded struct {
	Wait time.Duration `yaml:"wait"`
}

type outer struct {
	embedded
	Name  string  `yaml:"name"`
	Count int     `yaml:"count"`
	Items []inner `yaml:"items"`
	Where *inner  `yaml:"where"`
	Other string  // no tag: not a key

	Open map[string]any `yaml:"open"`
}

func TestAnOpenMappingIsReadAsTextsAndLists(t *testing.T) {
	var o outer
	f := strictyaml.Read("x.yaml", []byte("open: {kid: 007, x5c: [a, b]}\n"), &o)
	if err := f.Mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	if o.Open["kid"] != "007" || !slices.Equal(o.Open["x5c"].([]string), []string{"a", "b"}) {
		t.Errorf("got %v", o.Open)
	}
	f = strictyaml.Read("x.yaml", []byte("open: {kid: {a: b}, kty: 2, kty: 3}\n"), &o)
	if len(f.Mistakes) != 2 || f.Mistakes[0].Key != "open.kid" {
		t.Errorf("got %v", f.Mistakes)
	}
}

func TestWhatIsRightIsReadWithTheTypesOfTheStruct(t *testing.T) {
	var o outer
	f := strictyaml.Read("x.yaml", []byte(`
name: Nguyễn
count: 3
wait: 90s
items:
  - number: 038090000001   # not an octal number
    maybe: false
    tags: [a, 1990-03-15]
  - {number: "1", on_air: false}
where: {number: 007}
`), &o)
	if err := f.Mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	if o.Name != "Nguyễn" || o.Count != 3 || o.Wait != 90*time.Second || len(o.Items) != 2 {
		t.Fatalf("got %+v", o)
	}
	if i := o.Items[0]; i.Number != "038090000001" || !i.On || i.Maybe == nil || *i.Maybe || i.Tags[1] != "1990-03-15" {
		t.Errorf("first item %+v", i)
	}
	if o.Items[1].On || o.Items[1].Maybe != nil || o.Where.Number != "007" {
		t.Errorf("second item %+v, where %+v", o.Items[1], o.Where)
	}
	if got := f.Line("items[0].tags[1]"); got != 8 {
		t.Errorf("line of the tag %d, want 8", got)
	}
}

func TestEveryMistakeIsReportedWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		want []string // one per mistake
	}{
		"an unknown key":       {"name: a\nnmae: b", []string{`x.yaml:2: nmae: unknown; did you mean "name"?`}},
		"nothing near":         {"zzzzzz: 1", []string{`x.yaml:1: zzzzzz: unknown; known are count, items, name, open, wait, where`}},
		"an untagged field":    {"Other: 1", []string{"x.yaml:1: Other: unknown"}},
		"deep inside":          {"items:\n- number: 1\n- nubmer: 2", []string{`x.yaml:3: items[1].nubmer: unknown; did you mean "number"?`}},
		"three at once":        {"count: many\nwait: 120\nitems: 5", []string{`x.yaml:1: count: "many" is no whole number`, `x.yaml:2: wait: "120" is no duration; write a number with its unit`, `x.yaml:3: items: must be a list, here is "5"`}},
		"a list for a mapping": {"where: [1]", []string{"x.yaml:1: where: must be a mapping, here is a list"}},
		"a mapping for a word": {"name: {a: b}", []string{"x.yaml:1: name: must be a single value, here is a mapping"}},
		"not a truth value":    {"where:\n  on_air: yes", []string{`x.yaml:2: where.on_air: "yes" is neither true nor false`}},
		"set twice":            {"name: a\nname: b", []string{"x.yaml:2: name: set before, in line 1; keep one of the two"}},
		"an alias":             {"name: &n a\nwhere: {number: *n}", []string{"x.yaml:2: where.number: an alias (*n); write the value out"}},
		"a second document":    {"name: a\n---\nname: b", []string{"a second document"}},
		"no mapping at all":    {"- a\n- b", []string{"x.yaml:1: must be a mapping, here is a list"}},
		"no YAML":              {"name: a\n\tcount: [", []string{"x.yaml:2: not YAML: "}},
		"a tab and a letter":   {"name: \"a\n", []string{"not YAML: "}},
	} {
		t.Run(name, func(t *testing.T) {
			var o outer
			got := strictyaml.Read("x.yaml", []byte(c.yaml), &o).Mistakes
			if len(got) != len(c.want) {
				t.Fatalf("%d mistakes, want %d:\n%v", len(got), len(c.want), got)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i].String(), want) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}

func TestAMistakeOfAMissingKeyShowsTheLineOfItsOwner(t *testing.T) {
	var o outer
	f := strictyaml.Read("x.yaml", []byte("name: a\nitems:\n- on_air: true\n"), &o)
	f.Add("items[0].number", "is missing", "")
	if got := f.Mistakes.Error(); got != "x.yaml:3: items[0].number: is missing" {
		t.Errorf("got %q", got)
	}
}

func TestEmptyFilesSetNothing(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "name:\n", "{}"} {
		o := outer{Name: "kept"}
		if err := strictyaml.Read("x.yaml", []byte(text), &o).Mistakes.Err(); err != nil || o.Name != "kept" {
			t.Errorf("%q: %v, name %q", text, err, o.Name)
		}
	}
}

func TestNearestFindsTyposAndNothingElse(t *testing.T) {
	known := []string{"listen", "issuer", "sandbox_listen", "log_format"}
	for word, want := range map[string]string{
		"lisen": "listen", "Issuer": "issuer", "sandbox-listen": "sandbox_listen", "logformat": "log_format",
		"port": "", "": "", strings.Repeat("x", 1000): "",
	} {
		if got := strictyaml.Nearest(word, known); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"name: a", "items:\n- number: 038\n", "a: &a [*a]", "? {x: y}\n: z", "!!binary x", "--- \n---\n", "\xff\xfe"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var o outer
		file := strictyaml.Read("x.yaml", data, &o)
		for _, m := range file.Mistakes {
			if m.What == "" || strings.ContainsAny(m.String(), "\n\r") {
				t.Fatalf("a mistake that is no line: %q", m)
			}
		}
	})
}
