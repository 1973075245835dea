package fault

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "write docs/faults.md")

func TestTheCatalogueIsCompleteInBothLanguages(t *testing.T) {
	ids, names := map[string]bool{}, map[string]bool{}
	id, name := regexp.MustCompile(`^[A-K][0-9]{2}$`), regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, f := range Catalogue() {
		if !id.MatchString(f.ID) || ids[f.ID] || !name.MatchString(f.Name) || names[f.Name] {
			t.Errorf("%s %s: not an id and a name of their own", f.ID, f.Name)
		}
		ids[f.ID], names[f.Name] = true, true
		texts := []Text{f.Title, f.What, f.Right}
		if f.Skippable != nil {
			texts = append(texts, *f.Skippable)
		}
		variants := map[string]bool{}
		for _, v := range f.Variants {
			texts = append(texts, v.About)
			if !name.MatchString(v.Name) || variants[v.Name] {
				t.Errorf("%s: variant %q", f.ID, v.Name)
			}
			variants[v.Name] = true
		}
		for _, text := range texts {
			if text.Vi == "" || text.En == "" || text.Vi == text.En {
				t.Errorf("%s: a text is missing in a language: %+v", f.ID, text)
			}
			if strings.Contains(text.En, "  ") || strings.IndexFunc(text.En, func(r rune) bool { return unicode.Is(unicode.Mn, r) }) >= 0 {
				t.Errorf("%s: %q", f.ID, text.En)
			}
		}
		if !slices.Contains([]Grade{Must, Should, Either, Accept}, f.Grade) || len(f.Spec) == 0 || f.Seam == "" || len(f.Signals) == 0 {
			t.Errorf("%s: no grade, specification, seam or signal: %q %v %q %v", f.ID, f.Grade, f.Spec, f.Seam, f.Signals)
		}
		if (f.Grade == Accept) != slices.Contains(f.Signals, Session) {
			t.Errorf("%s: what must be accepted is seen by a session, and nothing else is", f.ID)
		}
		h := &f.hooks
		acts := h.request != nil || h.response != nil || h.authorization != nil || h.token != nil || h.idToken != nil || h.userinfo != nil || h.jwks != nil || h.discovery != nil || h.logout != nil || h.message != nil || h.certificate
		if acts == (f.Seam == SeamChoreography) {
			t.Errorf("%s: a fault does something, a choreography nothing", f.ID)
		}
		if (h.request != nil || h.response != nil) != (len(h.on) > 0) {
			t.Errorf("%s: on goes with request and response", f.ID)
		}
	}
}

func TestTheDocumentIsTheCatalogue(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "faults.md")
	if *update {
		if err := os.WriteFile(path, []byte(Document()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(was) != Document() {
		t.Error("docs/faults.md is not what the catalogue says: go test ./sandbox/fault -run TheDocument -update")
	}
}

func TestAnObjectKeepsWhatNobodyTouches(t *testing.T) {
	const text = `{"b":1.50,"a":"ệ\u0026","b":[ 1 ],"c":{"z":1,"y":2}}`
	o, err := ParseObject([]byte(text))
	if err != nil || string(o.Bytes()) != text || o.changed {
		t.Fatalf("%s, %v", o.Bytes(), err)
	}
	o.Set("a", "<x>")
	o.Add("a", 2)
	o.Delete("c")
	if got := string(o.Bytes()); got != `{"b":1.50,"a":"<x>","b":[ 1 ],"a":2}` {
		t.Error(got)
	}
	for _, bad := range []string{"", "[]", "null", `{"a":`, `{"a"}`, `{"a":1`, "x"} {
		if _, err := ParseObject([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
