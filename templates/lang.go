package templates

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"strings"
)

// Lang is the language of a page.
type Lang string

// The languages there are; Vietnamese is the default.
const (
	Vi Lang = "vi"
	En Lang = "en"
)

// ParseLang reads a language from a query, a cookie or the first tag of
// ui_locales ("en", "en-US", "VI"). Unknown languages give Vi and false.
func ParseLang(s string) (Lang, bool) {
	tag, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "-")
	switch Lang(tag) {
	case Vi:
		return Vi, true
	case En:
		return En, true
	}
	return Vi, false
}

//go:embed messages/*.json
var messageFiles embed.FS

var messages = map[Lang]map[string]string{Vi: readMessages(Vi), En: readMessages(En)}

// readMessages reads the catalogue of a language: vi.json, and the files of
// single parties, such as console.vi.json.
func readMessages(l Lang) map[string]string {
	texts := map[string]string{}
	for _, pattern := range []string{"messages/%s.json", "messages/*.%s.json"} {
		files, err := fs.Glob(messageFiles, fmt.Sprintf(pattern, l))
		if err != nil {
			panic(err)
		}
		for _, file := range files {
			raw, err := messageFiles.ReadFile(file)
			if err != nil {
				panic(err) // embedded at build time
			}
			var more map[string]string
			if err := json.Unmarshal(raw, &more); err != nil {
				panic(fmt.Errorf("%s: %w", file, err))
			}
			maps.Copy(texts, more)
		}
	}
	return texts
}

// Text is the message of key in language l (any language but En is Vi), with
// args put into its placeholders. Args are ignored where the text has no
// placeholder. An unknown key comes back as itself.
func Text(l Lang, key string, args ...any) string {
	if l != En {
		l = Vi
	}
	text, ok := messages[l][key]
	if !ok {
		return key
	}
	if len(args) == 0 || !strings.Contains(text, "%") {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// HasText reports whether there is a message of this key.
func HasText(key string) bool {
	_, ok := messages[Vi][key]
	return ok
}
