//go:build e2e || browser

package e2e_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// page is an answer as a browser without script sees it. Landed means that it is the callback of a relying party that
// does not exist: only its address counts.
type page struct {
	Status   int
	Header   http.Header
	URL      *url.URL
	Body     string
	Landed   bool
	elements []*element
}

// element is a tag that a person can use or that tells a browser what to do.
type element struct {
	tag   string
	attrs map[string]string
	text  string // what stands inside it, without markup
	label string // the text of the label around it
	form  *element
}

func (e *element) has(attr string) bool { _, ok := e.attrs[attr]; return ok }

var (
	invisible = regexp.MustCompile(`(?is)<!--.*?-->|<(script|style|template)\b[^>]*>.*?</(script|style|template)>`)
	anyTag    = regexp.MustCompile(`(?s)<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	anyAttr   = regexp.MustCompile(`(?s)([^\s"'>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?`)
	spaces    = regexp.MustCompile(`\s+`)
)

// plain is the text of a piece of HTML, entities resolved, spaces folded.
func plain(markup string) string {
	text := anyTag.ReplaceAllString(invisible.ReplaceAllString(markup, " "), " ")
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(text), " "))
}

// Text is everything a person can read on the page.
func (p *page) Text() string { return plain(p.Body) }

// readElements is a small reader for the well-formed HTML that templates produce; it is no HTML parser.
func readElements(body string) []*element {
	body = invisible.ReplaceAllStringFunc(body, func(s string) string { return strings.Repeat(" ", len(s)) })
	var all []*element
	var open *element // the form we are in
	labelFor := map[string]string{}
	labelEnd, labelText := -1, ""
	for _, m := range anyTag.FindAllStringSubmatchIndex(body, -1) {
		closing, tag := m[2] != m[3], strings.ToLower(body[m[4]:m[5]])
		if closing {
			if tag == "form" {
				open = nil
			}
			continue
		}
		e := &element{tag: tag, attrs: map[string]string{}}
		for _, a := range anyAttr.FindAllStringSubmatch(body[m[6]:m[7]], -1) {
			value := a[2]
			if len(value) > 1 && (value[0] == '"' || value[0] == '\'') {
				value = value[1 : len(value)-1]
			}
			e.attrs[strings.ToLower(a[1])] = html.UnescapeString(value)
		}
		rest := body[m[1]:]
		end := len(rest)
		if i := strings.Index(strings.ToLower(rest), "</"+tag); i >= 0 {
			end = i
		}
		switch tag {
		case "form":
			open = e
		case "label":
			labelEnd, labelText = m[1]+end, plain(rest[:end])
			labelFor[e.attrs["for"]] = labelText
			continue
		case "input":
			e.text = e.attrs["value"]
		case "textarea", "button", "a", "option", "h1", "h2", "title":
			e.text = plain(rest[:end])
		case "html", "meta", "select", "img", "iframe", "code", "link":
		default:
			if e.attrs["id"] == "" {
				continue
			}
		}
		e.form = open
		if m[0] < labelEnd {
			e.label = labelText
		}
		all = append(all, e)
	}
	for _, e := range all {
		if e.label == "" && e.attrs["id"] != "" {
			e.label = labelFor[e.attrs["id"]]
		}
		for _, f := range all {
			if f.tag == "form" && f.has("id") && e.attrs["form"] == f.attrs["id"] {
				e.form = f
			}
		}
	}
	return all
}

// ByID finds the element with an id, or nil.
func (p *page) ByID(id string) *element {
	for _, e := range p.elements {
		if e.attrs["id"] == id {
			return e
		}
	}
	return nil
}

// First finds the first element of a kind, or nil.
func (p *page) First(tag string) *element {
	for _, e := range p.elements {
		if e.tag == tag {
			return e
		}
	}
	return nil
}

func (e *element) pressable() bool {
	switch e.tag {
	case "a":
		return e.attrs["href"] != ""
	case "button":
		return e.form != nil && !e.has("disabled") && e.attrs["type"] != "button" && e.attrs["type"] != "reset"
	case "input":
		return e.form != nil && !e.has("disabled") && e.attrs["type"] == "submit"
	}
	return false
}

// Control finds the link or button with a text: exactly that text if there is one, else one that contains it.
func (p *page) Control(text string) *element {
	var near *element
	for _, e := range p.elements {
		if !e.pressable() {
			continue
		}
		if e.text == text || e.attrs["aria-label"] == text {
			return e
		}
		if near == nil && strings.Contains(e.text, text) {
			near = e
		}
	}
	return near
}

// Pressables are all links and buttons.
func (p *page) Pressables() []*element {
	var list []*element
	for _, e := range p.elements {
		if e.pressable() {
			list = append(list, e)
		}
	}
	return list
}

// Lang is the language that the page says it is in.
func (p *page) Lang() string {
	if e := p.First("html"); e != nil {
		return e.attrs["lang"]
	}
	return ""
}

// Asks* tell the pages apart by the contract's ids and texts.
func (p *page) AsksPassword() bool { return p.ByID("username") != nil && p.ByID("password") != nil }
func (p *page) AsksOTP() bool      { return p.ByID("otp") != nil }
func (p *page) AsksToShare() bool  { return p.Control("Xác nhận chia sẻ") != nil }

// Query is the query of the address, where an authorization response comes.
func (p *page) Query(name string) string { return p.URL.Query().Get(name) }

// fields are the name=value pairs that the form of a control sends, with what the visitor filled in.
func (p *page) fields(form *element, filled map[*element]string, pressed *element) url.Values {
	values := url.Values{}
	for _, e := range p.elements {
		name := e.attrs["name"]
		if e.form != form || name == "" || e.has("disabled") {
			continue
		}
		value, touched := filled[e]
		switch e.tag {
		case "input":
			switch e.attrs["type"] {
			case "submit", "image", "button", "reset", "file":
				continue
			case "checkbox", "radio":
				if !touched && !e.has("checked") {
					continue
				}
				if !e.has("value") {
					values.Add(name, "on")
					continue
				}
			}
			if !touched || e.attrs["type"] == "checkbox" {
				value = e.attrs["value"]
			}
		case "textarea":
			if !touched {
				value = e.text
			}
		default:
			continue
		}
		values.Add(name, value)
	}
	if pressed != nil && pressed.attrs["name"] != "" {
		values.Add(pressed.attrs["name"], pressed.attrs["value"])
	}
	return values
}
