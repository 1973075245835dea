// Package strictyaml reads YAML that people write, and reports everything that
// is wrong with it at once: each mistake with its line, its key and a hint.
//
// The configuration and the seed files go through it. It knows nothing of what
// the values mean; whoever asks checks that and adds mistakes at [File.Add].
package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong, and what to do about it.
type Mistake struct {
	Source string // "sandbox.yaml:12", "--listen", "VNEID_SANDBOX_LISTEN"
	Key    string // what it is about, "" = the whole source
	What   string
	Hint   string // "" = What says it all
}

func (m Mistake) String() string {
	s := m.Source + ": "
	if m.Key != "" {
		s += m.Key + ": "
	}
	s += m.What
	if m.Hint != "" {
		s += "; " + m.Hint
	}
	return s
}

// Mistakes is an error with a line for each of them.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil when there are none.
func (m Mistakes) Err() error {
	if len(m) == 0 {
		return nil
	}
	return m
}

// Unknown is the mistake of a word that nobody knows, with the nearest known
// one as a hint.
func Unknown(source, word string, known []string) Mistake {
	m := Mistake{Source: source, Key: clip(word), What: "unknown"}
	if near := Nearest(word, known); near != "" {
		m.Hint = fmt.Sprintf("did you mean %q?", near)
	} else {
		known = slices.Sorted(slices.Values(known))
		m.Hint = "known are " + strings.Join(known, ", ")
	}
	return m
}

// Nearest is the known word that somebody who typed word probably meant, ""
// when none is near.
func Nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	best, bestDistance := "", 1+(len(word)+2)/3
	for _, k := range known {
		if d := distance(fold(word), fold(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance counts the letters to insert, drop or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// clip keeps strange input from flooding the terminal.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
