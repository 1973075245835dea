//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const truthFile = "../docs/truth-table.md"

// cell is a verdict as the table shows it.
var cell = map[string]string{"PASS": "pass", "FAIL": "**FAIL**", "WARN": "warn", "INCONCLUSIVE": "–"}

// checkTruth compares docs/truth-table.md with what the exams found, or writes it.
func checkTruth(t *testing.T, list []examinee, seen [][]finding) {
	t.Helper()
	old, err := os.ReadFile(truthFile)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(old), truthBegins)
	if !found {
		t.Fatal("docs/truth-table.md has no place for the table")
	}
	text := before + truthBegins + truthRows(t, list, seen)
	switch {
	case text == string(old):
	case *updateDocs:
		if err := os.WriteFile(truthFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/truth-table.md is no longer what the exams find; look at the difference, then write it by: make truth-table\n%s", differing(string(old), text))
	}
}

const truthBegins = "<!-- from here on written by make truth-table -->\n"

func truthRows(t *testing.T, list []examinee, seen [][]finding) string {
	t.Helper()
	var b, rows strings.Builder
	found := make([]map[string]finding, len(list)) // by fault and variant
	counts := make([]map[string]int, len(list))
	for i := range list {
		found[i], counts[i] = map[string]finding{}, map[string]int{}
		for _, f := range seen[i] {
			found[i][f.ID+" "+f.Variant] = f
			counts[i][f.Verdict]++
		}
	}
	head := "| fault | variant | grade |"
	line := "| --- | --- | --- |"
	for _, e := range list {
		head, line = head+" "+e.name+" |", line+" --- |"
	}
	var silent []string
	for _, f := range seen[0] {
		cells, spoke := "", false
		for i := range list {
			of := found[i][f.ID+" "+f.Variant]
			if cell[of.Verdict] == "" {
				t.Errorf("%s %s: no verdict about %s: %q", f.ID, f.Variant, list[i].name, of.Verdict)
			}
			cells += " " + cell[of.Verdict]
			if of.died {
				cells += " †"
			}
			cells += " |"
			spoke = spoke || of.died || of.Verdict != "INCONCLUSIVE"
		}
		name := strings.TrimSpace(f.ID + " " + f.Variant)
		if !spoke {
			silent = append(silent, name)
			continue
		}
		fmt.Fprintf(&rows, "| %s %s | %s | %s |%s\n", f.ID, f.Title.En, f.Variant, f.Grade, cells)
	}
	fmt.Fprintf(&b, "\n## In numbers\n\n| | pass | FAIL | warn | – |\n| --- | ---: | ---: | ---: | ---: |\n")
	for i, e := range list {
		c := counts[i]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", strings.TrimSpace(e.name+" "+e.version), c["PASS"], c["FAIL"], c["WARN"], c["INCONCLUSIVE"])
	}
	fmt.Fprintf(&b, "\n## Fault by fault\n\n%s\n%s\n%s", head, line, rows.String())
	if len(silent) > 0 {
		fmt.Fprintf(&b, "\nAbout none of them a verdict: %s.\n", strings.Join(silent, ", "))
	}
	return b.String()
}

// differing are the lines that only one of two texts has.
func differing(old, now string) string {
	var b strings.Builder
	for _, side := range []struct{ mark, text, other string }{{"-", old, now}, {"+", now, old}} {
		for _, line := range strings.SplitAfter(side.text, "\n") {
			if !strings.Contains(side.other, line) {
				b.WriteString(side.mark + line)
			}
		}
	}
	return b.String()
}

// pinned is the version of a library in the file that pins it.
func pinned(t *testing.T, file, pattern string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(pattern).FindSubmatch(raw)
	if m == nil {
		t.Fatalf("%s does not pin %s", file, pattern)
	}
	return string(m[1])
}
