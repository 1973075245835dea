package main

import (
	"fmt"
	"math"
	"strings"
)

// target is what a figure has to be at most, and what we would like it to be.
type target struct {
	required, goal float64
	unit           string // "× floor": of the floor's figure in the same row
}

var (
	none    = target{}
	targets = map[string]target{
		lightLogin:    {2.4, 1.8, "× floor"},
		qrLogin:       {2.6, 2.0, "× floor"}, // the floor's ordinary login
		"refresh":     {1.3, 1.15, "× floor"},
		"userinfo":    {0.08, 0.06, "ms"},
		"introspect":  {0.08, 0.06, "ms"},
		"discovery":   {0.025, 0.018, "ms"},
		"jwks":        {0.025, 0.018, "ms"},
		"end_session": {0.3, 0.15, "ms"},
	}
)

// row is one line of the report; values are those of the columns, NaN where
// there is none, and texts what is printed for them.
type row struct {
	name   string
	target target
	values []float64
	texts  []string
}

// report prints the table. Whether a figure is met is said of the first
// database, and of any other where a row is about it.
func report(columns []*column, binaryMiB float64) {
	fmt.Print("CPU of the server process in ms per operation (× floor; p99 of the answer); + CPU of the database server\n\n")
	var rows []row
	add := func(name string, t target, value func(c *column) (float64, string)) {
		r := row{name: name, target: t}
		for _, c := range columns {
			v, text := value(c)
			r.values, r.texts = append(r.values, v), append(r.texts, text)
		}
		rows = append(rows, r)
	}
	floor := columns[0]
	for _, name := range []string{lightLogin, qrLogin, inboxLook, wholeLogin, oneHash, "first page", "refresh", "userinfo", "introspect", "discovery", "jwks", "end_session"} {
		add(name, targets[name], func(c *column) (float64, string) {
			v := c.cost[name]
			if v == nil {
				return math.NaN(), "–"
			}
			times := 0.0
			text := fmt.Sprintf("%.3f", v.each())
			f := floor.cost[name]
			if name == qrLogin {
				f = floor.cost[lightLogin]
			}
			if c != floor && f != nil {
				times = v.each() / f.each()
				text += fmt.Sprintf(" (%.2f×; %.1f ms)", times, float64(v.p99().Microseconds())/1000)
			}
			if v.database > 0 {
				text += fmt.Sprintf(" + %.3f", v.eachDB())
			}
			if targets[name].unit == "× floor" {
				return times, text
			}
			return v.each(), text
		})
	}
	sandbox := func(value func(c *column) float64, format string) func(c *column) (float64, string) {
		return func(c *column) (float64, string) {
			if c == floor {
				return math.NaN(), "–"
			}
			v := value(c)
			return v, fmt.Sprintf(format, v)
		}
	}
	add("whole login over hash + floor", target{1.15, 1.1, "×"}, sandbox(func(c *column) float64 {
		return c.cost[wholeLogin].each() / (floor.cost[oneHash].each() + floor.cost[lightLogin].each())
	}, "%.2f×"))
	add("ready on an existing database", target{100, 100, "ms"}, sandbox(func(c *column) float64 { return float64(c.server.ready.Milliseconds()) }, "%.0f ms"))
	add("RSS idle", target{35, 30, "MiB"}, sandbox(func(c *column) float64 { return c.server.idleRSS }, "%.1f MiB"))
	add("RSS peak of a burst of logins", target{160, 128, "MiB"}, sandbox(func(c *column) float64 { return c.server.peakRSS }, "%.1f MiB"))
	add("binary", target{30, 30, "MiB"}, sandbox(func(*column) float64 { return binaryMiB }, "%.1f MiB"))
	base := columns[min(1, len(columns)-1)]
	beside := func(name, operation string, t target, which func(c *column) bool) {
		for _, c := range columns[1:] {
			if c == base || !which(c) {
				continue
			}
			times := c.cost[operation].each() / base.cost[operation].each()
			rows = append(rows, single(columns, c, name+" over that of "+base.name, t, times, fmt.Sprintf("%.2f×", times)))
		}
	}
	beside(lightLogin, lightLogin, target{1.1, 1.1, "×"}, func(c *column) bool { return c.variant.accounts > 0 })
	beside("end_session", "end_session", target{1.1, 1.1, "×"}, func(c *column) bool { return c.variant.tokens > 0 })
	beside("our own CPU of "+lightLogin, lightLogin, target{1.2, 1.2, "×"}, func(c *column) bool { return c.variant.kind == "postgres" })
	for _, c := range columns[1:] {
		if c.variant.silent {
			for _, name := range []string{lightLogin, qrLogin} {
				if base.cost[name] == nil || c.cost[name] == nil {
					continue
				}
				v := base.cost[name].each() - c.cost[name].each()
				rows = append(rows, single(columns, base, "of it recording: "+name, target{0.3, 0.2, "ms"}, v, fmt.Sprintf("%.3f ms", v)))
			}
		}
		if c.variant.kind == "postgres" {
			v := c.cost[lightLogin].eachDB()
			rows = append(rows, single(columns, c, "the database's CPU of "+lightLogin, target{1, 0.6, "ms"}, v, fmt.Sprintf("%.3f ms", v)))
		}
	}
	print(columns, rows)
}

// single is a row that is about one column only.
func single(columns []*column, about *column, name string, t target, v float64, text string) row {
	r := row{name: name, target: t}
	for _, c := range columns {
		if c == about {
			r.values, r.texts = append(r.values, v), append(r.texts, text)
		} else {
			r.values, r.texts = append(r.values, math.NaN()), append(r.texts, "")
		}
	}
	return r
}

func print(columns []*column, rows []row) {
	const nameWidth, width = 48, 34
	line := func(name string, texts []string, rest string) {
		fmt.Print(pad(name, nameWidth))
		for i, text := range texts {
			if i == 0 {
				fmt.Print(pad(text, 10))
				continue
			}
			fmt.Print(pad(text, width))
		}
		fmt.Println(strings.TrimRight(rest, " "))
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	line("", names, "required / goal")
	for _, r := range rows {
		rest := ""
		if r.target != none {
			rest = fmt.Sprintf("≤ %g / %g %s: %s", r.target.required, r.target.goal, r.target.unit, r.verdict())
		}
		line(r.name, r.texts, rest)
	}
}

// verdict is about the first figure beside the floor's.
func (r row) verdict() string {
	for _, v := range r.values[1:] {
		switch {
		case math.IsNaN(v):
			continue
		case v <= r.target.goal:
			return "goal met"
		case v <= r.target.required:
			return "met"
		}
		return "NOT MET"
	}
	return ""
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(1, width-len([]rune(text))))
}
