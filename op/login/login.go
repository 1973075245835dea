// Package login is the citizen's side of the provider: the pages from the
// first form to the answer that takes the browser back to the portal. It calls
// the use cases of vneid and renders templates; where a login stands is decided
// by its stored state, and steps never route to one another (dispatch.go).
//
// It parses no OAuth parameters and mints no tokens: package op does, and
// hands over validated requests.
package login

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Pages serves the citizen's pages below the issuer.
type Pages struct {
	Service *vneid.Service
	Logger  *slog.Logger
	Help    Help
	Hub     *Hub
	Metrics *metrics.Set
}

// Routes adds every page to the mux.
func (p *Pages) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /login/{id}", p.page(p.show))
	mux.HandleFunc("POST /login/{id}/account", p.page(p.keepAccount))
	mux.HandleFunc("POST /login/{id}/password", p.page(p.password))
	mux.HandleFunc("POST /login/{id}/otp", p.page(p.otp))
	mux.HandleFunc("POST /login/{id}/resend", p.page(p.resend))
	mux.HandleFunc("POST /login/{id}/sharing", p.page(p.sharing))
	mux.HandleFunc("POST /login/{id}/cancel", p.page(p.cancel))
	mux.HandleFunc("POST /login/{id}/qr", p.page(p.newCode))
	mux.HandleFunc("GET /login/{id}/qr.svg", p.page(p.picture))
	mux.HandleFunc("GET /login/{id}/waiting", p.page(p.waitPage))
	mux.HandleFunc("GET /login/{id}/events", p.page(p.events))
	mux.HandleFunc("GET /login/{id}/return", p.page(p.giveBack))
	// A reload of a page that answered a form asks for the form's address.
	mux.HandleFunc("GET /login/{id}/{step}", p.page(func(w http.ResponseWriter, r *http.Request) error {
		// Escaped: the id can be anything here, and http.Redirect would make an
		// address of another host out of "../\\evil.test".
		http.Redirect(w, r, p.url(r, "/login/"+url.PathEscape(r.PathValue("id"))), http.StatusSeeOther)
		return nil
	}))
	mux.Handle("GET /assets/", templates.Assets())
}

// MaxForm bounds the body of every form: none of ours comes near it.
const MaxForm = 16 << 10

// page adapts a handler that may fail: errors become pages here and nowhere
// else. Forms are read, and forms of other sites refused, before it runs.
func (p *Pages) page(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := p.prepare(w, r); err != nil {
			p.Fail(w, r, err)
			return
		}
		if err := h(w, r); err != nil {
			p.Fail(w, r, err)
		}
	}
}

var sameOrigin = http.NewCrossOriginProtection()

func (p *Pages) prepare(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodPost {
		return CheckForm(w, r)
	}
	return ReadForm(w, r, MaxForm)
}

// CheckForm reads a form of one of our pages and refuses one that another
// site made the browser send.
func CheckForm(w http.ResponseWriter, r *http.Request) error {
	if err := sameOrigin.Check(r); err != nil {
		return vneid.Errorf(vneid.CodeForbidden, "form_stale", "form of another site: %v", err)
	}
	return ReadForm(w, r, MaxForm)
}

// ReadForm reads query and body, bounded, and refuses text that no form of a
// browser could hold.
func ReadForm(w http.ResponseWriter, r *http.Request, limit int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return vneid.Errorf(vneid.CodeInvalid, "too_large", "body over %d bytes", limit)
		}
		return vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "unreadable form: %v", err).Explained("request.unreadable_form")
	}
	if t := vneid.TrailFrom(r.Context()); t != nil {
		t.Params(vneid.InQuery, r.URL.Query())
		t.Params(vneid.InBody, r.PostForm)
	}
	for name, values := range r.Form {
		for _, v := range values {
			if !utf8.ValidString(v) || !utf8.ValidString(name) || strings.ContainsRune(v, 0) {
				return vneid.Errorf(vneid.CodeInvalid, "invalid_utf8", "parameter with NUL or bytes that are no UTF-8").Explained("invalid_utf8", name)
			}
		}
	}
	return nil
}

// url is a path below the issuer of the request's world.
func (p *Pages) url(r *http.Request, path string) string { return BasePath(r) + path }

// BasePath is the path of the issuer: "", or "/w/abc".
func BasePath(r *http.Request) string { return pathOf(vneid.WorldFrom(r.Context()).Issuer) }

// FrontPath is the path below which browsers are sent to /authorize and
// /end_session.
func FrontPath(r *http.Request) string { return pathOf(vneid.WorldFrom(r.Context()).Front()) }

func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Path
}

// Frame is what every page of the provider shares.
func (p *Pages) Frame(w http.ResponseWriter, r *http.Request) templates.Frame {
	lang := p.lang(w, r)
	other := templates.En
	if lang == templates.En {
		other = templates.Vi
	}
	f := templates.Frame{Lang: lang, AssetBase: BasePath(r)}
	// Parameters stay: an error page of /authorize shows the same request.
	query := r.URL.Query()
	query.Set("lang", string(other))
	switch {
	case r.Method == http.MethodGet:
		// Without a path: that of //evil.test/ would name another host.
		f.SwitchURL = "?" + query.Encode()
	case r.PathValue("id") != "":
		f.SwitchURL = p.url(r, "/login/"+url.PathEscape(r.PathValue("id"))) + "?lang=" + string(other)
	}
	return f
}

// lang is the language of the page: what the person just chose, chose before,
// what the client asked for, Vietnamese. Accept-Language is not asked: the
// citizens are Vietnamese, whatever their browser came with.
func (p *Pages) lang(w http.ResponseWriter, r *http.Request) templates.Lang {
	if l, ok := templates.ParseLang(r.URL.Query().Get("lang")); ok {
		setCookie(w, r, langCookie, string(l), 365*24*3600)
		return l
	}
	if l, ok := templates.ParseLang(readCookie(r, langCookie)); ok {
		return l
	}
	// Of the login, or of the request that is answered by this very page.
	locales := strings.Fields(r.Form.Get("ui_locales"))
	if step, ok := r.Context().Value(stepKey{}).(*vneid.Step); ok {
		locales = step.Login.Request.UILocales
	}
	for _, locale := range locales {
		if l, ok := templates.ParseLang(locale); ok {
			return l
		}
	}
	return templates.Vi
}

// Render writes a page. formActions are origins that a form of the page, or a
// redirect that answers it, may lead to.
func (p *Pages) Render(w http.ResponseWriter, r *http.Request, status int, v templates.View, formActions ...string) error {
	body, err := templates.Render(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", templates.CSPOf(v, formActions...))
	h.Set("Cache-Control", "no-store")
	// The address of a login page names a login; no other site shall learn it.
	// (no-referrer would also make browsers send Origin: null with our own
	// forms, which is the header that tells them from foreign ones.)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return ignoreGone(err)
}

// ignoreGone drops the error of a browser that left: nobody is there to tell.
func ignoreGone(error) error { return nil }

// Help is where people find what is not the provider: the sandbox with its
// people and SMS inbox, and in it the phone app.
type Help struct {
	URL  string // of the default world's; "" = none
	Scan string // path of the phone app for codes; "" = no QR codes are shown
	Code string // path that the codes themselves say
	// Record is the path of records, followed by an id; "" = there are none.
	Record string
}

// In is the sandbox of a world, "" = none.
func (h Help) In(w *vneid.World) string {
	if h.URL == "" {
		return ""
	}
	return h.URL + w.Path
}

// ScanURL is where the phone app of a world takes codes.
func (h Help) ScanURL(w *vneid.World) string {
	if h.Scan == "" {
		return ""
	}
	return h.URL + w.Path + h.Scan
}

// CodeURL is what the QR codes of a world begin with: scheme and host in
// capitals, which are the same to a browser (RFC 3986 §3.1, §3.2.2) and shorter
// in a code.
func (h Help) CodeURL(w *vneid.World) string {
	if h.Scan == "" {
		return ""
	}
	host := len(h.URL)
	if _, rest, found := strings.Cut(h.URL, "://"); found {
		if path := strings.IndexByte(rest, '/'); path >= 0 {
			host -= len(rest) - path
		}
	}
	return strings.ToUpper(h.URL[:host]) + h.URL[host:] + w.Path + h.Code
}
