package exam

import (
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed report.html
var reportHTML string

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"seconds": func(ms int64) float64 { return float64(ms) / 1000 },
	"join":    func(list []string) string { return strings.Join(list, "; ") },
	"label":   func(f Finding) string { return f.label() },
	"sentence": func(s string) string {
		first, size := utf8.DecodeRuneInString(s)
		if s = string(unicode.ToUpper(first)) + s[size:]; strings.HasSuffix(s, ".") {
			return s
		}
		return s + "."
	},
	"lower": func(v Verdict) string { return strings.ToLower(string(v)) },
}).Parse(reportHTML))

// html is the report for people: first what failed, then what is to be thought
// about, then the rest.
func (r *Report) html(w io.Writer) error {
	order := []Verdict{Fail, Warn, Inconclusive, Pass}
	type group struct {
		Verdict  Verdict
		Title    Text
		Findings []Finding
	}
	titles := map[Verdict]Text{Fail: {"Không đạt", "Failed"}, Warn: {"Cần xem lại", "To be thought about"}, Inconclusive: {"Không kết luận được", "Inconclusive"}, Pass: {"Đạt", "Passed"}}
	var groups []group
	for _, v := range order {
		g := group{Verdict: v, Title: titles[v]}
		for _, f := range r.Findings {
			if f.Verdict == v {
				g.Findings = append(g.Findings, f)
			}
		}
		slices.SortStableFunc(g.Findings, func(a, b Finding) int { return strings.Compare(a.ID, b.ID) })
		if len(g.Findings) > 0 {
			groups = append(groups, g)
		}
	}
	return reportPage.Execute(w, struct {
		*Report
		Groups []group
	}{r, groups})
}
