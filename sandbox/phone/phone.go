// Package phone is the citizen's phone of the sandbox: the app at /phone, and
// the same app moved by the automation API.
//
// To the provider it is a phone like any other: a key that signs calls over
// HTTP ([provider.go], docs/phoneapi.md). Keys and sessions live in handset
// rows of the store and never reach a browser; the page is only a screen. Where
// an app stands is in its row, and one dispatcher (screens.go) shows it: what a
// form does never decides which screen comes next.
//
// It decides nothing about a person or a login: the provider does. Only what a
// tester may do to the pretend world goes straight to the store: a ready phone
// for somebody (ready.go), a permission (api.go).
package phone

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Prefix of every page of the app.
const Prefix = "/phone"

// CodePath is where a camera that reads a QR code comes to: the code follows. It
// is short, and a capital, so that the picture is small.
const CodePath = "/Q"

// ReadyPasscode unlocks every ready phone. No secret: it stands on the page.
const ReadyPasscode = "123456"

// Config is what the phones work with. The world, and with it the issuer,
// comes from the context of each request.
type Config struct {
	Store  vneid.Store
	Hasher vneid.Hasher
	Rand   vneid.Rand
	Logger *slog.Logger
	Client *http.Client // reaches the provider
	Secure bool         // browsers come by https
}

// Phones are all pretend phones.
type Phones struct {
	Config
	pictures *reader
	uploads  chan struct{} // pictures that are being received

	ready     sync.Mutex
	readyHash string // of ReadyPasscode; a hash takes 20 ms, so there is one
}

// mostUploads bounds the memory that pictures on their way take: 60 MB.
const mostUploads = 12

// New makes the phones.
func New(c Config) *Phones {
	return &Phones{Config: c, pictures: newReader(), uploads: make(chan struct{}, mostUploads)}
}

// Routes adds every page of the app to the mux.
func (p *Phones) Routes(mux *http.ServeMux) {
	get := func(path string, h handler) { mux.HandleFunc("GET "+Prefix+path, p.page(h)) }
	post := func(path string, h handler) { mux.HandleFunc("POST "+Prefix+path, p.page(h)) }

	get("", p.show)
	get("/people", p.people)
	get("/scan", p.scanner)
	get("/sign-ins/{login}", p.signIn)

	post("/activate", p.activate)
	post("/otp", p.otp)
	post("/resend", p.resend)
	post("/passcode", p.choosePasscode)
	post("/take", p.take)
	post("/unlock", p.unlock)
	post("/scan", p.scan)
	post("/picture", p.picture) // script: a frame of the camera
	post("/update", p.update)
	post("/web-login", p.wantWebLogin)
	post("/web-login/passcode", p.setWebLogin)
	post("/confirm", p.confirm)
	post("/refuse", p.refuse)
	post("/disown", p.disown)
	post("/back", p.back)
	post("/close", p.close)
	post("/sign-out", p.signOut)
	post("/leave", p.leave)

	mux.HandleFunc("GET "+CodePath+"/{code}", p.page(p.scanner))

	// A reload of a page that answered a form asks for the form's address.
	get("/{rest...}", p.elsewhere)
}

// ForTesters reports whether a path takes a phone without number and password,
// which whoever guards the doors may want to know.
func ForTesters(path string) bool {
	return path == Prefix+"/people" || path == Prefix+"/take"
}

// IsPage reports whether a path is one of the app.
func IsPage(path string) bool {
	return path == Prefix || strings.HasPrefix(path, CodePath+"/") || strings.HasPrefix(path, Prefix+"/")
}
