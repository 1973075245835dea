package lint

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/lint.md anew")

func TestTheDocumentListsEveryRule(t *testing.T) {
	const name = "../../docs/lint.md"
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), "<!-- rules: ")
	first, rest, found2 := strings.Cut(rest, "\n")
	_, after, found3 := strings.Cut(rest, "<!-- end -->")
	if !found || !found2 || !found3 {
		t.Fatal("the document has no place for the table")
	}
	table := &strings.Builder{}
	table.WriteString("\n| id | | Điều thấy được, cách sửa | What is seen, how to mend it | |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range Rules() {
		fmt.Fprintf(table, "| `%s` | %s | %s %s | %s %s | %s |\n", r.ID, r.Severity, r.Title.Vi, r.Fix.Vi, r.Title.En, r.Fix.En, r.Reference)
	}
	want := before + "<!-- rules: " + first + "\n" + table.String() + "\n<!-- end -->" + after
	if want == string(raw) {
		return
	}
	if !*update {
		t.Fatal("docs/lint.md does not list what Rules says: go test ./sandbox/lint -run TestTheDocument -update")
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEachRuleIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || r.find == nil || r.Reference == "" || r.Severity.Weight() == 0 {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
		for _, text := range []string{r.Title.Vi, r.Title.En, r.Fix.Vi, r.Fix.En} {
			if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") && !strings.HasSuffix(text, ").") {
				t.Errorf("%s: %q is no sentence", r.ID, text)
			}
		}
	}
}
