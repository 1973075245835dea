// Package phoneapi is what the phone app calls over HTTP: activating, unlocking,
// scanning, confirming, refusing, the permission, and "không phải tôi". Each
// call is one JWS, signed with the key of the device (docs/phoneapi.md).
//
// It checks who calls and that the call was meant for this address and this
// minute; what the call may do is decided in vneid. It looks at no cookie, and
// it does not know whether the phone is real.
package phoneapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Prefix of every call, below the issuer.
const Prefix = "/phoneapi/v1/"

// maxBody bounds a call, in bytes: the longest carries the text of a QR code.
const maxBody = 16 << 10

// API serves the calls.
type API struct {
	Service *vneid.Service
	Logger  *slog.Logger
	CodeURL func(*vneid.World) string // what QR codes of a world begin with
}

// answer is the body of a call that succeeded, nil for {}.
type answer any

// Routes adds every call to the mux.
func (a *API) Routes(mux *http.ServeMux) {
	handle := func(name string, h func(context.Context, *call) (answer, error)) {
		mux.HandleFunc("POST "+Prefix+name, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, name, h) })
	}
	handle("activate", a.activate)
	handle("activate_otp", a.activateOTP)
	handle("activate_resend", a.activateResend)
	handle("activate_finish", a.activateFinish)
	handle("unlock", a.unlock)
	handle("sign_out", a.signOut)
	handle("home", a.home)
	handle("scan", a.scan)
	handle("confirm", a.confirm)
	handle("refuse", a.refuse)
	handle("web_login", a.webLogin)
	handle("disown", a.disown)
}

// serve is the one place where the outcome of a call becomes an HTTP answer.
func (a *API) serve(w http.ResponseWriter, r *http.Request, name string, h func(context.Context, *call) (answer, error)) {
	ctx := r.Context()
	c, err := a.read(w, r, name)
	var body answer
	if err == nil {
		body, err = h(ctx, c)
	}
	if err != nil {
		a.refuseCall(w, r, name, err)
		return
	}
	if body == nil {
		body = struct{}{}
	}
	write(w, http.StatusOK, "application/json", body)
}

func (a *API) read(w http.ResponseWriter, r *http.Request, name string) (*call, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/jose" {
		return nil, vneid.Errorf(vneid.CodeInvalid, "call_malformed", "the body must be application/jose")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, vneid.Errorf(vneid.CodeInvalid, "call_malformed", "the body is longer than %d bytes, or ended too early", maxBody)
	}
	return a.verify(r.Context(), string(raw), name)
}

// problem is an error answer, RFC 9457. code and args choose the text that the
// phone shows, detail is for its developer.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
	Args   []any  `json:"args,omitempty"`
}

func (a *API) refuseCall(w http.ResponseWriter, r *http.Request, name string, err error) {
	p := problem{Type: "about:blank", Status: login.StatusOf(err), Code: vneid.MsgKey(err)}
	var e *vneid.Error
	switch {
	case errors.Is(err, vneid.ErrUnavailable):
		p.Status, p.Code = http.StatusServiceUnavailable, "unavailable"
	case errors.As(err, &e):
		p.Detail, p.Args = e.Hint, e.Args
	}
	p.Title = http.StatusText(p.Status)
	level := slog.LevelInfo
	cause := p.Detail
	if p.Status >= 500 {
		level, cause = slog.LevelError, err.Error()
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	vneid.TrailFrom(r.Context()).Refuse(err)
	a.Logger.Log(r.Context(), level, "phone call refused", "call", name, "error", p.Code, "hint", cause, "world", vneid.WorldFrom(r.Context()).ID)
	write(w, p.Status, "application/problem+json", p)
}

func write(w http.ResponseWriter, status int, contentType string, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic("phoneapi: " + err.Error()) // only types of ours get here
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(b) // a phone that left needs no answer
}
