package fault

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Param is a parameter of an authorization response.
type Param struct{ Name, Value string }

// Authorization is an authorization response taken apart: where the browser is
// sent, and with what. The response modes look the same here.
type Authorization struct {
	Mode        string // query, fragment, form_post
	RedirectURI string // without the parameters of the answer
	Params      []Param

	// RawQuery, when it is set, stands instead of the encoded parameters.
	RawQuery string
	// Status of the redirect; 0 = as the provider sent it.
	Status int
}

// Get is the first value of a parameter, "" when it is absent.
func (a *Authorization) Get(name string) string {
	for _, p := range a.Params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// Set gives a parameter a value, where it stands or at the end.
func (a *Authorization) Set(name, value string) {
	for i := range a.Params {
		if a.Params[i].Name == name {
			a.Params[i].Value = value
			return
		}
	}
	a.Add(name, value)
}

// Add appends a parameter though there may be one of that name.
func (a *Authorization) Add(name, value string) { a.Params = append(a.Params, Param{name, value}) }

// Delete removes a parameter.
func (a *Authorization) Delete(name string) {
	for i := range a.Params {
		if a.Params[i].Name == name {
			a.Params = append(a.Params[:i:i], a.Params[i+1:]...)
			return
		}
	}
}

func (a *Authorization) encoded() string {
	if a.RawQuery != "" {
		return a.RawQuery
	}
	var b strings.Builder
	for i, p := range a.Params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value))
	}
	return b.String()
}

// of the form that op/login answers with in form_post.
var (
	formAction = regexp.MustCompile(`<form [^>]*action="([^"]*)"`)
	formField  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">\n?`)
)

// authorizationIn finds the authorization response in an answer to a browser,
// nil when it is none. redirectURI is the one of the request.
func authorizationIn(x *Exchange) *Authorization {
	r, redirectURI := x.Answer, x.RedirectURI
	if redirectURI == "" {
		return nil
	}
	if to := r.Header.Get("Location"); to != "" {
		rest, ok := strings.CutPrefix(to, redirectURI)
		if !ok || rest == "" {
			return nil
		}
		a := &Authorization{Mode: "query", RedirectURI: redirectURI}
		if rest[0] == '#' {
			a.Mode = "fragment"
		}
		return a.read(rest[1:])
	}
	if r.Status != http.StatusOK {
		return nil
	}
	action := formAction.FindSubmatch(r.Body)
	if action == nil || html.UnescapeString(string(action[1])) != redirectURI {
		return nil
	}
	a := &Authorization{Mode: "form_post", RedirectURI: redirectURI}
	for _, f := range formField.FindAllSubmatch(r.Body, -1) {
		a.Add(html.UnescapeString(string(f[1])), html.UnescapeString(string(f[2])))
	}
	return a
}

func (a *Authorization) read(query string) *Authorization {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil // ours are encoded
		}
		a.Add(name, value)
	}
	return a
}

// write puts it into the answer again.
func (a *Authorization) write(r *Answer) {
	if a.Status != 0 {
		r.Status = a.Status
	}
	if a.Mode != "form_post" {
		separator := "?"
		if a.Mode == "fragment" {
			separator = "#"
		} else if strings.Contains(a.RedirectURI, "?") {
			separator = "&"
		}
		if len(r.Header["Location"]) == 0 { // it was form_post
			r.Status, r.Body = http.StatusSeeOther, nil
		}
		r.Header.Set("Location", a.RedirectURI+separator+a.encoded())
		return
	}
	var fields strings.Builder
	for _, p := range a.Params {
		fields.WriteString(`<input type="hidden" name="` + html.EscapeString(p.Name) + `" value="` + html.EscapeString(p.Value) + "\">\n")
	}
	at := formField.FindAllIndex(r.Body, -1)
	if len(at) == 0 { // it was a redirect: a page that does without script and style
		r.Status = http.StatusOK
		r.Header.Del("Location")
		r.Header.Set("Content-Type", "text/html; charset=utf-8")
		r.Body = []byte(`<!doctype html><title>form_post</title><p lang="vi">MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT</p><form method="post" action="` +
			html.EscapeString(a.RedirectURI) + "\">\n" + fields.String() + `<button>Tiếp tục / Continue</button></form>`)
		return
	}
	body := append([]byte{}, r.Body[:at[0][0]]...)
	body = append(body, fields.String()...)
	r.Body = append(body, r.Body[at[len(at)-1][1]:]...)
}
