package sandbox

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/dancu"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/form"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/localca"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// pages serves what people see of the sandbox.
type pages struct {
	log                         *slog.Logger
	store                       vneid.Store
	inbox                       *sms.Network
	issuer, sandboxURL, version string
	portal                      string             // where the sample portal is, "" = unknown
	ca                          *localca.Authority // of --tls auto, nil = none
}

// routes of the sandbox listener that are pages.
func (p *pages) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /sms", p.smsInbox)
	if p.ca != nil {
		mux.HandleFunc("GET "+caPath, p.caCertificate)
	}
	mux.Handle("/assets/", templates.Assets())
	for _, tree := range []string{"/assets", strings.TrimSuffix(dancu.Prefix, "/")} {
		mux.HandleFunc(tree, p.nothingHere) // else ServeMux redirects to tree/, out of the world
	}
	mux.HandleFunc("/", p.nothingHere)
}

// mostListed bounds the table of people on the landing page.
const mostListed = 100

func (p *pages) home(w http.ResponseWriter, r *http.Request) {
	world := vneid.WorldFrom(r.Context())
	v := templates.HomeView{Frame: p.frame(w, r), Issuer: world.Issuer, SandboxURL: p.sandboxURL + world.Path,
		PortalHint: p.portal, Password: people.Password, Version: p.version}
	v.HomeURL = "" // this is it
	if world.ID != vneid.DefaultWorld {
		v.PortalHint = "" // the sample portal asks the default world
	}
	if p.ca != nil {
		v.CAURL = p.sandboxURL + caPath
	}
	err := p.store.View(r.Context(), world.ID, func(tx vneid.Tx) error {
		accounts, err := tx.Accounts("", mostListed)
		v.Personas = nil
		for _, a := range accounts {
			v.Personas = append(v.Personas, templates.PersonaRow{CCCD: string(a.CCCD), Name: a.Name, Phone: string(a.Phone), Note: a.Note})
		}
		return err
	})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, v)
}

func (p *pages) smsInbox(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	v, err := p.inbox.View(r.Context(), p.frame(w, r), to[:min(len(to), 40)])
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, v)
}

func (p *pages) nothingHere(w http.ResponseWriter, r *http.Request) {
	status, code := http.StatusNotFound, "not_found"
	if r.URL.Path == "/" || r.URL.Path == "/sms" {
		status, code = http.StatusMethodNotAllowed, "method_not_allowed"
		w.Header().Set("Allow", "GET, HEAD")
	}
	v := templates.Problem(p.frame(w, r), code)
	v.Status = status
	p.show(w, r, status, v)
}

// noWorld answers a request in a world that is not there.
func (p *pages) noWorld(w http.ResponseWriter, r *http.Request, id string, err error) {
	switch {
	case !errors.Is(err, vneid.ErrNotFound) && wantsPage(r):
		p.fail(w, r, err)
	case !errors.Is(err, vneid.ErrNotFound):
		p.log.ErrorContext(r.Context(), "find the world of a request", "request_id", r.Header.Get(requestID), "error", err)
		w.Header().Set("Retry-After", "1")
		api.Refuse(http.StatusServiceUnavailable, "the database cannot be reached; try again").Write(w)
	case wantsPage(r):
		v := templates.Problem(p.frame(w, r), "no_world", clipASCII(id))
		v.Status = http.StatusNotFound
		p.show(w, r, v.Status, v)
	default:
		noWorld(id).Write(w)
	}
}

// fail shows that something was refused, or that we failed; the log says why.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *vneid.Error
	code, status := "internal", http.StatusInternalServerError
	switch {
	case errors.Is(err, vneid.ErrUnavailable):
		code, status = "unavailable", http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	case errors.As(err, &e) && templates.HasText("error."+e.MsgKey+".title"):
		code, status = e.MsgKey, form.Status(e.Code)
	}
	v := templates.Problem(p.frame(w, r), code)
	v.Status = status
	if status >= 500 {
		v.RequestID = r.Header.Get(requestID)
		p.log.ErrorContext(r.Context(), "page failed", "request_id", r.Header.Get(requestID), "error", err)
	} else {
		p.log.InfoContext(r.Context(), "page refused", "request_id", r.Header.Get(requestID), "code", e.MsgKey, "hint", e.Hint)
	}
	p.show(w, r, status, v)
}

const langCookie = "lang"

// cookieName carries party and world, since ports of one host share cookies;
// by https also the prefix that keeps other hosts from planting the cookie
// (RFC 6265bis §4.1.3.2).
func (p *pages) cookieName(r *http.Request, kind string) string {
	name := "console_" + vneid.WorldFrom(r.Context()).ID + "_" + kind
	if p.secure() {
		return "__Host-" + name
	}
	return name
}

// secure reports whether browsers reach the sandbox by https, ours or that of
// a proxy in front.
func (p *pages) secure() bool { return strings.HasPrefix(p.sandboxURL, "https://") }

func (p *pages) setCookie(w http.ResponseWriter, r *http.Request, kind, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(r, kind), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure()})
}

// frame is the frame of a page in the language that was chosen: by ?lang=,
// which is remembered, or before.
func (p *pages) frame(w http.ResponseWriter, r *http.Request) templates.Frame {
	path := vneid.WorldFrom(r.Context()).Path
	f := templates.Frame{Lang: templates.Vi, HomeURL: path + "/", AssetBase: path}
	if c, err := r.Cookie(p.cookieName(r, langCookie)); err == nil {
		f.Lang, _ = templates.ParseLang(c.Value)
	}
	query := r.URL.Query()
	if lang, ok := templates.ParseLang(query.Get("lang")); ok {
		f.Lang = lang
		p.setCookie(w, r, langCookie, string(lang), 365*24*3600)
	}
	if isRead(r) {
		// The same page, whatever it was asked for.
		query.Set("lang", string(templates.En))
		if f.Lang == templates.En {
			query.Set("lang", string(templates.Vi))
		}
		query.Del("said") // once is enough
		f.SwitchURL = "?" + query.Encode()
	}
	return f
}

// show renders before it sends.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, v templates.View) {
	html, err := templates.Render(v)
	if err != nil {
		p.log.ErrorContext(r.Context(), "render a page", "request_id", r.Header.Get(requestID), "error", err)
		http.Error(w, "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT\n\nLỗi nội bộ. / Internal error.", http.StatusInternalServerError)
		return
	}
	sendPage(w, status, html)
}

func sendPage(w http.ResponseWriter, status int, html []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(html)))
	h.Set("Content-Security-Policy", templates.CSP())
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Cache-Control", "no-store")
	// (no-referrer would make browsers send Origin: null with our own forms, by
	// which foreign ones are told.)
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(html)
}
