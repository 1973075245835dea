package record

import (
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Text is something in both languages.
type Text struct{ Vi, En string }

// In is the text in a language, "vi" or "en".
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.En
	}
	return t.Vi
}

// Hint is what is wrong, what to change, and where that is written.
type Hint struct {
	ID           string
	What, Change Text
	Reference    string
}

var hintsByID = func() map[string]*Hint {
	byID := make(map[string]*Hint, len(hints))
	for i := range hints {
		byID[hints[i].ID] = &hints[i]
	}
	return byID
}()

// Hints lists the whole table.
func Hints() []Hint { return hints }

// Advice reports whether a hint is about a request that was valid all the same.
func (h *Hint) Advice() bool { return strings.HasPrefix(h.ID, "advice.") }

// Explain is a hint of a step with its arguments filled in. r is the record of
// the step: some hints say what happened before.
func Explain(r *vneid.Record, h vneid.StepHint) Hint {
	known := hintsByID[h.ID]
	if known == nil { // of a newer or older program on the same database
		return Hint{ID: h.ID, What: Text{h.ID, h.ID}}
	}
	args := h.Args
	if h.ID == "code.redeemed_twice" {
		args = []string{firstRedemption(r)}
	}
	out := *known
	out.What = Text{fill(known.What.Vi, args, "vi"), fill(known.What.En, args, "en")}
	out.Change = Text{fill(known.Change.Vi, args, "vi"), fill(known.Change.En, args, "en")}
	return out
}

// firstRedemption is when the client got its tokens, "" when that is not known.
func firstRedemption(r *vneid.Record) string {
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Kind == vneid.StepToken && s.Status == 200 {
			return s.At.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// words are what arguments that begin with "~" stand for (vneid/explain.go).
var words = map[string]Text{
	"~same":     {"giống hệt", "the same"},
	"~no_uri":   {"không phải là một địa chỉ đầy đủ", "it is no complete address"},
	"~space":    {"dấu cách ở đầu hoặc cuối", "a space around it"},
	"~slash":    {"dấu / ở cuối", "trailing slash"},
	"~case":     {"chữ hoa, chữ thường", "upper and lower case"},
	"~scheme":   {"http hay https", "http or https"},
	"~host":     {"tên máy (localhost và 127.0.0.1 là hai tên khác nhau)", "the host (localhost and 127.0.0.1 are two)"},
	"~port":     {"cổng (port)", "the port"},
	"~path":     {"đường dẫn", "the path"},
	"~query":    {"phần sau dấu ?", "what stands behind the ?"},
	"~fragment": {"phần sau dấu #", "what stands behind the #"},
}

// fill puts arguments into a text. [A part in brackets] stays only when all
// arguments it names are there.
func fill(text string, args []string, lang string) string {
	var out strings.Builder
	for text != "" {
		i := strings.IndexAny(text, "[{")
		if i < 0 {
			out.WriteString(text)
			break
		}
		out.WriteString(text[:i])
		if text[i] == '[' {
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				out.WriteString(text[i:])
				break
			}
			if part := text[i+1 : i+end]; complete(part, args) {
				out.WriteString(fill(part, args, lang))
			}
			text = text[i+end+1:]
			continue
		}
		if value, rest, ok := argument(text[i:], args); ok {
			if word, known := words[value]; known {
				value = word.In(lang)
			}
			if value == "" {
				value = "…"
			}
			out.WriteString(value)
			text = rest
			continue
		}
		out.WriteByte('{') // as in {cccd}
		text = text[i+1:]
	}
	return out.String()
}

// argument reads a placeholder at the beginning of text.
func argument(text string, args []string) (value, rest string, ok bool) {
	if len(text) < 3 || text[2] != '}' || text[1] < '1' || text[1] > '9' {
		return "", "", false
	}
	if n := int(text[1] - '1'); n < len(args) {
		value = args[n]
	}
	return value, text[3:], true
}

func complete(part string, args []string) bool {
	for n := range 9 {
		if strings.Contains(part, "{"+strconv.Itoa(n+1)+"}") && (n >= len(args) || args[n] == "") {
			return false
		}
	}
	return true
}
