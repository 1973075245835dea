// Package api is the automation API of the sandbox, /api/v1: people, messages,
// phones, clients, the clock, the signing keys and the reset, in JSON.
//
// It takes the world from the request's context and works on the same store as
// the provider. Who may call is not decided here but by the guard in front of
// it. It never shows a secret but once, and it serves no page.
package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/attacker"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/headless"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Prefix of every route.
const Prefix = "/api/v1"

// MaxBody is the longest request body, in bytes.
const MaxBody = 64 << 10

// Config is what the API works with.
type Config struct {
	Store      vneid.Store
	Inbox      *sms.Network
	Phones     *phone.Phones
	People     *people.Editor
	Records    *record.Book
	Logins     *headless.Driver
	Rand       vneid.Rand
	Worlds     Worlds
	AllowHosts []string // hosts that clients may name besides the local ones
	Logger     *slog.Logger

	// MoveClock gives change the distance of the world's clock from real time
	// and the real time, and moves the clock to the distance it returns, for
	// good: it survives a restart.
	MoveClock func(context.Context, vneid.ClockMove) error
	// Reset takes the world back to its seed.
	Reset func(ctx context.Context) error
	// RotateKey takes the rotation of a signing key one stage on. What is not
	// possible now is a vneid.Error of CodeConflict that says what is.
	RotateKey func(ctx context.Context, alg, stage string) error

	Canaries *attacker.Book
	Faults   *fault.Engine
	// ChangeFaults replaces what is armed in the world by what change makes of it,
	// for good.
	ChangeFaults func(ctx context.Context, change func([]fault.Armed) []fault.Armed) error
}

type api struct {
	Config
	mux       *http.ServeMux
	importing sync.Mutex // held by the one import that may run
}

// handler answers with a body for JSON, or an error; a *Problem goes out as it
// is, anything else is our fault and logged.
type handler func(w http.ResponseWriter, r *http.Request) (status int, body any, err error)

// document is a body that is no JSON.
type document interface {
	write(w http.ResponseWriter, status int)
}

type route struct {
	method, path, query string
	handler             handler
}

func (a *api) routes() []route {
	return []route{
		{"GET", "/personas", "?q=", a.listPersonas},
		{"POST", "/personas", "", a.createPersona},
		{"GET", "/personas/export", "?format=", a.exportPersonas},
		{"POST", "/personas/import", "", a.importPersonas},
		{"GET", "/personas/{cccd}", "", a.getPersona},
		{"PATCH", "/personas/{cccd}", "", a.patchPersona},
		{"DELETE", "/personas/{cccd}", "", a.deletePersona},
		{"GET", "/sessions", "?cccd=", a.listSessions},
		{"DELETE", "/sessions/{sid}", "", a.deleteSession},
		{"GET", "/sms", "?to=&login=&after=&wait=", a.listSMS},
		{"GET", "/phones/{cccd}", "", a.getPhone},
		{"PATCH", "/phones/{cccd}", "", a.patchPhone},
		{"POST", "/phones/{cccd}/scan", "", a.scan},
		{"POST", "/phones/{cccd}/confirm", "", a.confirm},
		{"POST", "/phones/{cccd}/refuse", "", a.refuse},
		{"GET", "/logins", "?client_id=&cccd=&result=&after=&limit=&wait=", a.listLogins},
		{"GET", "/logins/{id}", "?steps=&wait=", a.getLogin},
		{"GET", "/clients", "", a.listClients},
		{"POST", "/clients", "", a.createClient},
		{"GET", "/clients/{client_id}", "", a.getClient},
		{"PATCH", "/clients/{client_id}", "", a.patchClient},
		{"DELETE", "/clients/{client_id}", "", a.deleteClient},
		{"GET", "/clients/{client_id}/lint", "?after=", a.getLint},
		{"GET", "/clients/{client_id}/faults", "", a.listClientFaults},
		{"PUT", "/clients/{client_id}/faults", "", a.armClient},
		{"DELETE", "/clients/{client_id}/faults", "", a.disarmClient},
		{"GET", "/faults", "", a.listFaults},
		{"GET", "/faults/armed", "", a.listArmed},
		{"PUT", "/faults/armed", "", a.armWorld},
		{"DELETE", "/faults/armed", "", a.disarmWorld},
		{"GET", "/canaries", "?client_id=&after=", a.listCanaries},
		{"DELETE", "/canaries", "", a.forgetCanaries},
		{"GET", "/lint", "?after=&limit=", a.listLint},
		{"POST", "/logins", "", a.signIn},
		{"GET", "/clock", "", a.getClock},
		{"POST", "/clock", "", a.setClock},
		{"GET", "/keys", "", a.listKeys},
		{"POST", "/keys/rotate", "", a.rotateKey},
		{"POST", "/reset", "", a.reset},
		{"GET", "/openapi.json", "", a.openAPI},
		{"GET", "/worlds", "", a.listWorlds},
		{"POST", "/worlds", "", a.createWorld},
		{"DELETE", "/worlds/{id}", "", a.deleteWorld},
	}
}

// New makes the API's handler. It serves whatever lies below [Prefix].
func New(c Config) http.Handler {
	a := &api{Config: c, mux: http.NewServeMux()}
	for _, r := range a.routes() {
		a.mux.HandleFunc(r.method+" "+Prefix+r.path, a.serve(r.handler))
	}
	a.mux.HandleFunc("/", a.serve(a.nothingHere))
	return a.mux
}

// serve is the one place where an outcome becomes an HTTP answer.
func (a *api) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions {
			// A browser sends application/json across origins only after a
			// preflight, which nobody here answers.
			if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
				Refuse(http.StatusUnsupportedMediaType, "writes need the header Content-Type: application/json").Write(w)
				return
			}
			most := int64(MaxBody)
			if strings.HasSuffix(r.Pattern, "/personas/import") {
				most = maxImport
			}
			r.Body = http.MaxBytesReader(w, r.Body, most)
		}
		status, body, err := h(w, r)
		if d, ok := body.(document); ok && err == nil {
			d.write(w, status)
			return
		}
		if err == nil {
			err = writeJSON(w, status, "application/json", body)
		}
		if err == nil || r.Context().Err() != nil { // nobody is there to read an answer
			return
		}
		a.problemOf(w, r, err).Write(w)
	}
}

func (a *api) problemOf(w http.ResponseWriter, r *http.Request, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	a.Logger.ErrorContext(r.Context(), "api request failed", "request_id", r.Header.Get("X-Request-Id"), "error", err)
	if errors.Is(err, vneid.ErrUnavailable) {
		w.Header().Set("Retry-After", "1")
		return Refuse(http.StatusServiceUnavailable, "the database cannot be reached or is full; nothing was changed, try again")
	}
	p = Refuse(http.StatusInternalServerError, "a mistake of the sandbox, not of the request; its log says more under this request_id")
	p.RequestID = r.Header.Get("X-Request-Id")
	return p
}

// nothingHere says what there is instead. OPTIONS asks for nothing else.
func (a *api) nothingHere(w http.ResponseWriter, r *http.Request) (int, any, error) {
	allowed := a.methods(r)
	if len(allowed) == 0 {
		var known []string
		for _, route := range a.routes() {
			known = append(known, route.method+" "+Prefix+route.path+route.query)
		}
		return 0, nil, Refuse(http.StatusNotFound, "no such route; there is "+strings.Join(known, ", "))
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	if r.Method == http.MethodOptions {
		return http.StatusNoContent, nil, nil
	}
	return 0, nil, Refuse(http.StatusMethodNotAllowed, "this path takes "+strings.Join(allowed, ", "))
}

// methods are those that a path takes.
func (a *api) methods(r *http.Request) (allowed []string) {
	for _, route := range a.routes() {
		probe := r.Clone(r.Context())
		probe.Method = route.method
		if _, pattern := a.mux.Handler(probe); pattern != "/" && !slices.Contains(allowed, route.method) {
			allowed = append(allowed, route.method)
		}
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	if len(allowed) > 0 {
		allowed = append(allowed, http.MethodOptions)
	}
	return allowed
}

func (a *api) view(r *http.Request, fn func(vneid.Tx) error) error {
	return a.Store.View(r.Context(), vneid.WorldFrom(r.Context()).ID, fn)
}

// message is an SMS as the API shows it.
type message struct {
	ID     string            `json:"id"`
	To     vneid.PhoneNumber `json:"to"`
	Text   string            `json:"text"`
	OTP    string            `json:"otp"`
	Login  string            `json:"login"`
	SentAt string            `json:"sent_at"`
}

func (a *api) listSMS(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	query := r.URL.Query()
	q := sms.Query{Login: query.Get("login"), After: query.Get("after")}
	var bad []FieldError
	if s := query.Get("to"); s != "" {
		var err error
		if q.To, err = vneid.ParsePhone(s); err != nil {
			bad = append(bad, FieldError{"to", "no mobile number: ten digits, or +84 and nine"})
		}
	}
	wait, bad := readWait(query.Get("wait"), bad)
	if len(bad) > 0 {
		return 0, nil, InvalidFields("", bad)
	}
	rows, err := a.Inbox.Wait(r.Context(), q, wait)
	if errors.Is(err, sms.ErrUnknown) {
		return 0, nil, Invalid("after", "no message of this list has the id; a reset removes them all")
	}
	list := []message{}
	for _, m := range rows {
		list = append(list, message{m.ID, m.To, m.Text, m.OTP, m.Login, rfc3339(m.SentAt)})
	}
	return http.StatusOK, list, err
}

// readWait is how long a request is willing to wait for something to list: its
// parameter "wait".
func readWait(s string, bad []FieldError) (time.Duration, []FieldError) {
	if s == "" {
		return 0, bad
	}
	wait, err := parseWait(s)
	if err != nil {
		bad = append(bad, FieldError{"wait", err.Error()})
	}
	return wait, bad
}

// parseWait reads "10s" or a number of seconds.
func parseWait(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		d, err = time.ParseDuration(s + "s")
	}
	if err != nil || d < 0 || d > sms.MaxWait {
		return 0, fmt.Errorf(`a duration such as "10s", or seconds, up to %s`, sms.MaxWait)
	}
	return d, nil
}

func (a *api) reset(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, nil, bodyError(err)
	}
	if trimmed := strings.TrimSpace(string(body)); trimmed != "" && trimmed != "{}" {
		return 0, nil, Refuse(http.StatusBadRequest, "a reset takes no fields: send {} or nothing")
	}
	a.Records.Flush(r.Context())
	if err := a.Reset(r.Context()); err != nil {
		return 0, nil, err
	}
	a.Canaries.Forget(vneid.WorldFrom(r.Context()).ID)
	return a.getClock(nil, r)
}

// rfc3339 shows a time in UTC with milliseconds, as precise as it is stored.
func rfc3339(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
