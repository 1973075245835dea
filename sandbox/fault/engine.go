package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Config is what the engine works with.
type Config struct {
	Store  vneid.Store
	Logger *slog.Logger
	// Attacker is where the attacker is in a world; nil = it does not listen.
	Attacker func(*vneid.World) string
}

// Engine is the man in the middle of all worlds.
type Engine struct {
	store vneid.Store
	log   *slog.Logger

	attacker func(*vneid.World) string

	// Of the provider, which is made later; see [Engine.Join].
	signer func(ctx context.Context, kid string, input []byte) ([]byte, error)
	keys   func(ctx context.Context) ([]byte, error)
	// rotator takes the rotation of an algorithm's key a stage on.
	rotator func(ctx context.Context, alg, stage string) error

	following sync.Mutex
	boards    sync.Map // world → *board
	count     atomic.Int64
	disguised disguises
}

// New makes an engine with nothing armed.
func New(c Config) *Engine {
	return &Engine{store: c.Store, log: c.Logger, attacker: c.Attacker}
}

// Provider is what only the provider can do, in the world of a request.
type Provider interface {
	SignAs(ctx context.Context, kid string, input []byte) ([]byte, error)
	KeySet(ctx context.Context) ([]byte, error)
	RotateKey(ctx context.Context, alg, stage string) error
}

// Join gives the engine its provider.
func (e *Engine) Join(p Provider) { e.signer, e.keys, e.rotator = p.SignAs, p.KeySet, p.RotateKey }

// algOf is what a client's ID tokens are signed by.
func (e *Engine) algOf(x *Exchange) (alg string) {
	alg = "RS256"
	err := e.store.View(x.Ctx(), x.World().ID, func(tx vneid.Tx) error {
		c, err := tx.Client(x.ClientID)
		if errors.Is(err, vneid.ErrNotFound) {
			return nil
		}
		if err == nil {
			alg = c.IDTokenSignedAlg
		}
		return err
	})
	e.must(x, err)
	return alg
}

// Follow arms in a world what was kept for it (JSON as of [Keep]); "" disarms
// everything. What is armed already goes on counting.
func (e *Engine) Follow(world, kept string) error {
	e.following.Lock() // or a world that is counted late would count for nothing
	defer e.following.Unlock()
	old := e.board(world)
	if old == nil && kept == "" || old != nil && old.kept == kept {
		return nil
	}
	if kept == "" {
		e.boards.Delete(world)
	} else {
		b, err := newBoard(kept)
		if err != nil {
			return err
		}
		e.boards.Store(world, b)
	}
	n := int64(0)
	e.boards.Range(func(any, any) bool { n++; return true })
	e.count.Store(n)
	return nil
}

// Forget drops what is armed in a world that is gone or unused.
func (e *Engine) Forget(world string) { _ = e.Follow(world, "") } // "" is always readable

// Keep encodes what is to be armed in a world, for its record.
func Keep(list []Armed) string {
	if len(list) == 0 {
		return ""
	}
	raw, err := json.Marshal(list)
	if err != nil {
		panic("fault: " + err.Error()) // strings and numbers
	}
	return string(raw)
}

// Armed lists what is armed in a world, without what has struck often enough.
func (e *Engine) Armed(world string) []Armed { return e.board(world).armed() }

func (e *Engine) board(world string) *board {
	if e.count.Load() == 0 {
		return nil
	}
	if b, ok := e.boards.Load(world); ok {
		return b.(*board)
	}
	return nil
}

// Around stands before the provider. The world is in the context of each
// request. In a world with nothing armed it costs a look at a number.
func (e *Engine) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := e.board(vneid.WorldFrom(r.Context()).ID)
		if b == nil || strings.HasSuffix(r.URL.Path, "/events") && strings.HasPrefix(r.URL.Path, "/login/") {
			next.ServeHTTP(w, r) // what streams cannot be held back
			return
		}
		x, err := e.read(r)
		if err != nil {
			e.log.WarnContext(r.Context(), "no fault strikes: the request cannot be read", "error", err)
			next.ServeHTTP(w, r)
			return
		}
		candidates, announced := b.candidates(x), b.announced(x)
		if len(candidates) == 0 && len(announced) == 0 {
			next.ServeHTTP(w, x.Request)
			return
		}
		e.exchange(x, b, candidates, next)
		badge(x, announced)
		x.Answer.send(w, x.Ctx().Done())
	})
}

// exchange lets the faults at the request, then the provider, then the faults
// at its answer.
func (e *Engine) exchange(x *Exchange, b *board, candidates []*striker, next http.Handler) {
	drawn := map[*striker]bool{}
	strike := func(s *striker, hook func()) {
		strikes, known := drawn[s]
		if !known {
			strikes = b.draw(s, x)
			drawn[s] = strikes
		}
		if !strikes {
			return
		}
		x.at, x.Variant, x.Armed, x.silent = s, s.variant(), s.Armed, false
		hook()
		if !x.silent && !slices.Contains(x.struck, s.title()) {
			x.struck = append(x.struck, s.title())
		}
	}
	for _, s := range candidates {
		if h := s.fault.hooks.request; h != nil && slices.Contains(s.fault.hooks.on, x.Kind) && x.Answer == nil {
			strike(s, func() { h(x) })
		}
	}
	if x.Answer == nil {
		held := &holder{header: http.Header{}}
		next.ServeHTTP(held, x.Request)
		x.Answer = held.answer()
	} else {
		e.tellTrail(x)
	}
	for _, s := range candidates {
		e.respond(x, s, strike)
	}
	for s, struck := range drawn {
		if struck && !slices.Contains(x.struck, s.title()) {
			b.giveBack(s)
		}
	}
	trail := vneid.TrailFrom(x.Ctx())
	for _, title := range x.struck {
		trail.Check("fault", false, title)
	}
	if len(x.struck) > 0 {
		e.log.InfoContext(x.Ctx(), "fault served", "world", x.World().ID, "path", x.Request.URL.Path, "faults", x.struck, "client_id", x.ClientID)
	}
}

// tellTrail says to the record what the provider never heard.
func (e *Engine) tellTrail(x *Exchange) {
	from := vneid.PartyRP
	if x.Kind == Authorize || x.Kind == Page || x.Kind == EndSession {
		from = vneid.PartyBrowser
	}
	t := vneid.TrailFrom(x.Ctx())
	t.Message(from, vneid.PartyProvider, vneid.StepKind(x.Kind), x.Request.Method, x.Request.URL.Path)
	t.Client(x.ClientID)
	if x.GrantToken != nil {
		t.Token(x.GrantToken)
	} else if x.Login != nil {
		t.Login(x.Login)
	}
}

// respond applies what a fault does to answers.
func (e *Engine) respond(x *Exchange, s *striker, strike func(*striker, func())) {
	h := &s.fault.hooks
	if h.response != nil && slices.Contains(h.on, x.Kind) {
		strike(s, func() { h.response(x) })
	}
	if h.authorization != nil && (x.Kind == Authorize || x.Kind == Page) {
		if a := authorizationIn(x); a != nil {
			strike(s, func() {
				if h.authorization(x, a); !x.silent {
					a.write(x.Answer)
				}
			})
		}
	}
	ok := x.Answer.Status == http.StatusOK
	switch {
	case !ok:
	case x.Kind == Token && (h.token != nil || h.idToken != nil):
		e.atObject(x, s, strike, func(o *Object) error {
			if h.idToken != nil {
				if o.String("id_token") == "" {
					x.Untouched()
					return nil
				}
				t, err := e.parseJWT(o.String("id_token"))
				if err != nil {
					return err
				}
				if h.idToken(x, t); t.touched() {
					text, err := t.compact(x.Ctx())
					if err != nil {
						return err
					}
					o.Set("id_token", text)
				}
			}
			if h.token != nil {
				h.token(x, o)
			}
			return nil
		})
	case x.Kind == Userinfo && h.userinfo != nil:
		if strings.HasPrefix(x.Answer.Header.Get("Content-Type"), "application/jwt") {
			strike(s, func() { e.must(x, e.atSignedUserinfo(x, h.userinfo)) })
			return
		}
		e.atObject(x, s, strike, func(o *Object) error { h.userinfo(x, o); return nil })
	case x.Kind == JWKS && h.jwks != nil:
		e.atObject(x, s, strike, func(o *Object) error { h.jwks(x, o); return nil })
	case x.Kind == Discovery && h.discovery != nil:
		e.atObject(x, s, strike, func(o *Object) error { h.discovery(x, o); return nil })
	}
}

func (e *Engine) atSignedUserinfo(x *Exchange, hook func(*Exchange, *Object)) error {
	t, err := e.parseJWT(string(x.Answer.Body))
	if err != nil {
		return err
	}
	if hook(x, t.Claims); !t.touched() {
		return nil
	}
	text, err := t.compact(x.Ctx())
	x.Answer.Body = []byte(text)
	return err
}

// atObject lets a fault at the body of an answer, which is a JSON object.
func (e *Engine) atObject(x *Exchange, s *striker, strike func(*striker, func()), hook func(*Object) error) {
	o, err := ParseObject(x.Answer.Body)
	if err != nil {
		return // another fault was here
	}
	strike(s, func() {
		if e.must(x, hook(o)); o.changed {
			x.Answer.Body = o.Bytes()
		}
	})
}

func (e *Engine) chance(x *Exchange, part float64) bool {
	b := e.board(x.World().ID)
	if b == nil {
		return false // disarmed meanwhile
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return x.at.next() < part
}

// must tells of a failure of ours: the message then passes as it was.
func (e *Engine) must(x *Exchange, err error) {
	if err != nil {
		x.Untouched()
		e.log.ErrorContext(x.Ctx(), "a fault could not be served", "path", x.Request.URL.Path, "error", err)
	}
}

// holder holds an answer back.
type holder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *holder) Header() http.Header { return h.header }
func (h *holder) WriteHeader(status int) {
	if h.status == 0 && status >= 200 {
		h.status = status
	}
}

func (h *holder) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}

func (h *holder) answer() *Answer {
	h.WriteHeader(http.StatusOK)
	return &Answer{Status: h.status, Header: h.header, Body: h.body.Bytes()}
}

// send writes the answer as the faults left it.
func (a *Answer) send(w http.ResponseWriter, gone <-chan struct{}) {
	if a.Delay > 0 || a.Drip > 0 || a.Cut != 0 {
		a.sendBadly(w, gone)
		return
	}
	a.head(w)
	a.pad(w)
	_, _ = w.Write(a.Body) // whoever asked may be gone
}

func (a *Answer) head(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(a.Padding+len(a.Body)))
	}
	w.WriteHeader(a.Status)
}

func (a *Answer) pad(w io.Writer) {
	if a.Padding > 0 {
		_, _ = io.CopyN(w, spaces{}, int64(a.Padding)) // whoever asked may be gone
	}
}

// spaces is as many of them as anybody wants.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// sendBadly is send with the misbehaviour of the transport, until whoever asked
// is gone.
func (a *Answer) sendBadly(w http.ResponseWriter, gone <-chan struct{}) {
	pause := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-gone:
			panic(http.ErrAbortHandler)
		}
	}
	pause(a.Delay)
	if a.Cut < 0 {
		panic(http.ErrAbortHandler)
	}
	a.head(w)
	a.pad(w)
	body, flush := a.Body, http.NewResponseController(w).Flush
	if a.Cut > 0 {
		body = body[:min(a.Cut, len(body))]
	}
	for a.Drip > 0 && len(body) > 0 {
		if _, err := w.Write(body[:1]); err != nil || flush() != nil {
			return
		}
		body = body[1:]
		pause(a.Drip)
	}
	_, _ = w.Write(body) // whoever asked may be gone
	if a.Cut > 0 && flush() == nil {
		panic(http.ErrAbortHandler)
	}
}
