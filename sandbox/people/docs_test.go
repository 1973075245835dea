package people

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

var update = flag.Bool("update", false, "write the table of docs/personas.md anew")

func TestTheDocumentListsEverySpecialSituation(t *testing.T) {
	const name = "../../docs/personas.md"
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), "<!-- special: ")
	first, rest, found2 := strings.Cut(rest, "\n")
	_, after, found3 := strings.Cut(rest, "<!-- end -->")
	if !found || !found2 || !found3 {
		t.Fatal("the document has no place for the table")
	}
	table := &strings.Builder{}
	table.WriteString("\n| bốn số cuối<br>last four | ví dụ · example | Điều đặc biệt | What is special |\n| --- | --- | --- | --- |\n")
	for i, s := range Specials {
		c := vneid.CCCD(fmt.Sprintf("038%d9000%s", 8+i%2, s.Digits))
		a, _ := Somebody(c)
		fmt.Fprintf(table, "| …%s | %s %s | %s | %s |\n", s.Digits, c, a.Name, s.Vi, s.En)
	}
	want := before + "<!-- special: " + first + "\n" + table.String() + "\n<!-- end -->" + after
	if want == string(raw) {
		return
	}
	if !*update {
		t.Fatal("docs/personas.md does not list what Specials says: go test ./sandbox/people -run TestTheDocument -update")
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
