package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Markdown is a record for a bug report: steps, hints in both languages, and
// each request as curl. What strangers sent stands in code, where it is text.
func Markdown(r *vneid.Record, w *vneid.World) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# VNeID sandbox: login %s", code(r.ID))
	line("")
	line("| | |\n| --- | --- |")
	line("| issuer | %s |", code(w.Issuer))
	line("| client_id | %s |", code(r.ClientID))
	line("| CCCD | %s |", code(r.CCCD))
	line("| result | %s |", code(strings.TrimSpace(string(r.At(w.Clock.Now()))+" "+r.Error)))
	line("| began | %s |", r.StartedAt.UTC().Format(time.RFC3339))
	for i := range r.Steps {
		s := &r.Steps[i]
		line("\n## %d. %s → %s: %s", i+1, s.From, s.To, s.Kind)
		line("")
		about := s.At.UTC().Format("15:04:05.000")
		if s.Method != "" {
			about += " · " + code(s.Method+" "+s.Path)
		} else if s.Path != "" {
			about += " · " + code(s.Path)
		}
		if s.Status != 0 {
			about += fmt.Sprintf(" · %d", s.Status)
		}
		if s.Millis > 0 {
			about += fmt.Sprintf(" · %.1f ms", s.Millis)
		}
		line("%s", about)
		if s.Error != "" {
			line("\n**%s** %s", s.Error, code(s.Detail))
		}
		for _, h := range s.Hints {
			e := Explain(r, h)
			line("\n> **%s** (%s)\n> %s %s\n> %s %s", h.ID, e.Reference, plain(e.What.Vi), plain(e.Change.Vi), plain(e.What.En), plain(e.Change.En))
		}
		fields(line, "Request", s.Request)
		fields(line, "Response", s.Response)
		for _, t := range s.Tokens {
			line("\n%s\n\n```json\n%s\n%s\n```", t.Use, indent(t.Header), indent(t.Claims))
		}
		for n, c := range s.Checks {
			if n == 0 {
				line("")
			}
			mark := "✓"
			if !c.OK {
				mark = "✗"
			}
			line("- %s %s %s", mark, c.Name, code(c.Detail))
		}
		if curl := Curl(w.Issuer, s); curl != "" {
			line("\n```sh\n%s\n```", strings.ReplaceAll(curl, "```", "'''"))
		}
	}
	return b.String()
}

func fields(line func(string, ...any), title string, list []vneid.StepField) {
	if len(list) == 0 {
		return
	}
	line("\n| %s | | |\n| --- | --- | --- |", title)
	for _, f := range list {
		line("| %s | %s | %s |", code(f.Name), code(f.Value), f.In)
	}
}

// code is text that Markdown leaves alone, in a cell of a table too.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.NewReplacer("`", "'", "|", "¦", "\n", " ").Replace(s) + "`"
}

// plain is a sentence of ours in which somebody's value may stand.
func plain(s string) string {
	return strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "<", "&lt;", "[", "\\[", "]", "\\]", "|", "\\|", "\n", " ").Replace(s)
}

func indent(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return strings.ReplaceAll(b.String(), "```", "'''")
}
