package linking

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

// form is one as it stands on a page: where it goes, what it sends untouched,
// and the names of everything that may be filled in.
type form struct {
	action, method string
	values         url.Values
	names          map[string]bool
}

var (
	controls   = regexp.MustCompile(`(?is)<(/?)(form|input|button|select|option|textarea)\b((?:"[^"]*"|'[^']*'|[^'">])*)>`)
	attributes = regexp.MustCompile(`(?s)([a-zA-Z_-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?`)
	// unshown is what a person does not read.
	unshown = regexp.MustCompile(`(?is)<!--.*?-->|<(script|style|template)\b.*?</(script|style|template)>`)
	tags    = regexp.MustCompile(`(?s)<[^>]*>`)
	blanks  = regexp.MustCompile(`\s+`)
)

// forms reads what a browser without script would send.
func forms(page string) (list []*form) {
	page = unshown.ReplaceAllString(page, "")
	var f *form
	choice := ""
	for _, at := range controls.FindAllStringSubmatchIndex(page, -1) {
		closing, name := page[at[2]:at[3]] == "/", strings.ToLower(page[at[4]:at[5]])
		attr := attributesOf(page[at[6]:at[7]])
		if name == "form" {
			f = nil
			if !closing {
				f = &form{action: attr["action"], method: strings.ToUpper(attr["method"]), values: url.Values{}, names: map[string]bool{}}
				list = append(list, f)
			}
			continue
		}
		if f == nil || closing {
			continue
		}
		if name == "option" {
			_, chosen := attr["selected"]
			if _, set := f.values[choice]; choice != "" && (chosen || !set) {
				f.values.Set(choice, attr["value"])
			}
			continue
		}
		key := attr["name"]
		choice = ""
		if _, off := attr["disabled"]; off || key == "" {
			continue
		}
		f.names[key] = true
		_, checked := attr["checked"]
		switch kind := strings.ToLower(attr["type"]); {
		case name == "select":
			choice = key
		case name == "textarea":
			text, _, _ := strings.Cut(page[at[1]:], "</textarea")
			f.values.Set(key, html.UnescapeString(text))
		case name == "button", kind == "submit", kind == "button", kind == "image", kind == "reset", kind == "file":
		case kind == "radio" || kind == "checkbox":
			if checked {
				value, given := attr["value"]
				if !given {
					value = "on"
				}
				f.values.Add(key, value)
			}
		default:
			f.values.Add(key, attr["value"])
		}
	}
	return list
}

func attributesOf(s string) map[string]string {
	m := map[string]string{}
	for _, a := range attributes.FindAllStringSubmatch(s, -1) {
		if _, twice := m[strings.ToLower(a[1])]; !twice {
			m[strings.ToLower(a[1])] = html.UnescapeString(strings.Trim(a[2], `"'`))
		}
	}
	return m
}

// shown is the text that a person reads.
func shown(page string) string {
	text := html.UnescapeString(tags.ReplaceAllString(unshown.ReplaceAllString(page, " "), " "))
	return strings.TrimSpace(blanks.ReplaceAllString(text, " "))
}
