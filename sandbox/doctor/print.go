package doctor

import (
	"encoding/json"
	"fmt"
	"io"
)

var marks = map[Level]string{OK: "✓", Note: "i", Doubt: "!", Wrong: "✗"}

// Print writes a finding for people, in both languages.
func Print(w io.Writer, f Finding) {
	fmt.Fprintf(w, "%s %-10s %s\n", marks[f.Level], f.Check, f.About)
	both(w, "    ", f.What)
	if f.Fix != nil {
		both(w, "    → ", *f.Fix)
	}
}

// both writes a text twice unless it is the same in both languages.
func both(w io.Writer, before string, t Text) {
	fmt.Fprintf(w, "%s%s\n", before, t.Vi)
	if t.En != t.Vi {
		fmt.Fprintf(w, "%s%s\n", before, t.En)
	}
}

// PrintJSON writes a finding as one line for machines.
func PrintJSON(w io.Writer, f Finding) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(f) // a reader that left needs no more
}

// PrintSummary ends a report for people.
func PrintSummary(w io.Writer, list []Finding) {
	n := map[Level]int{}
	for _, f := range list {
		n[f.Level]++
	}
	fmt.Fprintf(w, "\n%d ổn, %d lưu ý, %d ngờ, %d sai / %[1]d fine, %[2]d notes, %[3]d doubts, %[4]d wrong\n", n[OK], n[Note], n[Doubt], n[Wrong])
}
