// Package stories tells the use cases of vneid against the real store in
// memory, on a clock that stands still until a test moves it.
package stories

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The people of these tests, after the default seed.
const (
	an      = vneid.CCCD("038090000001") // everything works
	binh    = vneid.CCCD("038190000002") // another one
	cuong   = vneid.CCCD("038095000003") // level 1
	dung    = vneid.CCCD("038188000004") // locked
	nguyet  = vneid.CCCD("001302000010") // no phone
	quang   = vneid.CCCD("038070000012") // not activated
	nobody  = vneid.CCCD("038090000099") // no account
	theirPW = "Sandbox@2024"
	redir   = "http://127.0.0.1:9999/callback"
)

// noon never moves by itself: tests move the clock of their world.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type frozen time.Time

func (f frozen) Now() time.Time { return time.Time(f) }

// town is a world with people, clients, a moved clock and a phone network that
// remembers every message.
type town struct {
	*vneid.Service
	t      testing.TB
	ctx    context.Context
	clock  *vneid.OffsetClock
	world  *vneid.World
	hasher *cheapHasher
	inbox  *inbox
}

func newTown(t testing.TB) *town {
	t.Helper()
	ctx := context.Background()
	store, err := storage.Open(ctx, "sqlite::memory:", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	c := &town{t: t, clock: &vneid.OffsetClock{Base: frozen(noon)}, hasher: &cheapHasher{}, inbox: &inbox{}}
	c.world = &vneid.World{ID: vneid.DefaultWorld, Issuer: "http://localhost:9998", Clock: c.clock, Policy: vneid.DefaultPolicy(), Salt: []byte("salt of the tests")}
	c.ctx = vneid.WithWorld(ctx, c.world)
	if err := store.PutWorld(ctx, vneid.WorldRecord{ID: c.world.ID, Salt: c.world.Salt}); err != nil {
		t.Fatal(err)
	}
	c.Service = vneid.NewService(store, c.hasher, c.inbox, &lockedRand{r: rand.NewChaCha8([32]byte{1})})
	person := func(n vneid.CCCD, name string, phone vneid.PhoneNumber, level int, status vneid.AccountStatus) {
		c.put(func(tx vneid.Tx) error {
			hash, _ := c.hasher.Hash(ctx, theirPW)
			return tx.PutAccount(&vneid.Account{ID: vneid.AccountID(c.world.Salt, n), PasswordHash: hash, UpdatedAt: noon,
				Persona: vneid.Persona{CCCD: n, Name: name, Phone: phone, Birthdate: "1990", Gender: "male", AccountLevel: level,
					AccountType: "citizen", Status: status, SMS: vneid.SMSInstant}})
		})
	}
	person(an, "Nguyễn Văn An", "0950000001", 2, vneid.AccountActive)
	person(binh, "Lê Thị Bình", "0950000002", 2, vneid.AccountActive)
	person(cuong, "Trần Văn Cường", "0950000003", 1, vneid.AccountActive)
	person(dung, "Phạm Thị Dung", "0950000004", 2, vneid.AccountLocked)
	person(nguyet, "Mai Anh Nguyệt", "", 2, vneid.AccountActive)
	person(quang, "Tạ Văn Quang", "0950000012", 2, vneid.AccountNotActivated)

	client := func(id string, change func(*vneid.Client)) {
		cl := &vneid.Client{SecretHash: vneid.SecretHash(id + "-secret"), CreatedAt: noon, UpdatedAt: noon}
		cl.ClientID, cl.RedirectURIs = id, []string{redir}
		change(cl)
		if bad := cl.Normalize(nil); len(bad) > 0 {
			t.Fatal(bad)
		}
		c.put(func(tx vneid.Tx) error { return tx.PutClient(cl) })
	}
	client("portal", func(cl *vneid.Client) { cl.Consent = vneid.ConsentNever })
	client("once", func(cl *vneid.Client) {})
	client("always", func(cl *vneid.Client) { cl.Consent = vneid.ConsentAlways })
	client("strict", func(cl *vneid.Client) { cl.Consent, cl.MinAccountLevel = vneid.ConsentNever, 2 })
	return c
}

func (c *town) put(fn func(vneid.Tx) error) {
	c.t.Helper()
	if err := c.Store.Update(c.ctx, c.world.ID, fn); err != nil {
		c.t.Fatal(err)
	}
}

func (c *town) now() time.Time          { return c.clock.Now() }
func (c *town) advance(d time.Duration) { c.clock.SetOffset(c.clock.Offset() + d) }

func (c *town) client(id string) (cl *vneid.Client) {
	c.t.Helper()
	c.put(func(tx vneid.Tx) (err error) { cl, err = tx.Client(id); return err })
	return cl
}

func (c *town) login(id string) (l *vneid.Login) {
	c.t.Helper()
	c.put(func(tx vneid.Tx) (err error) { l, err = tx.Login(id); return err })
	return l
}

func (c *town) setStatus(n vneid.CCCD, s vneid.AccountStatus) {
	c.t.Helper()
	c.put(func(tx vneid.Tx) error {
		a, err := tx.Account(n)
		if err != nil {
			return err
		}
		a.Status = s
		return tx.PutAccount(a)
	})
}

// ask is an authorization request of a client.
func ask(client string, change ...func(*vneid.AuthRequest)) vneid.AuthRequest {
	r := vneid.AuthRequest{ClientID: client, RedirectURI: redir, ResponseMode: "query", State: "s", Nonce: "n",
		Scopes: []string{"openid", "profile", "offline_access"}}
	for _, f := range change {
		f(&r)
	}
	return r
}

func prompt(p ...string) func(*vneid.AuthRequest) { return func(r *vneid.AuthRequest) { r.Prompt = p } }
func scopes(s ...string) func(*vneid.AuthRequest) { return func(r *vneid.AuthRequest) { r.Scopes = s } }
func maxAge(n int) func(*vneid.AuthRequest)       { return func(r *vneid.AuthRequest) { r.MaxAge = &n } }
func acr(v ...string) func(*vneid.AuthRequest)    { return func(r *vneid.AuthRequest) { r.ACRValues = v } }
func loginHint(h string) func(*vneid.AuthRequest) {
	return func(r *vneid.AuthRequest) { r.LoginHint = h }
}
func subjects(subs ...string) func(*vneid.AuthRequest) {
	return func(r *vneid.AuthRequest) { r.Subjects = [][]string{subs} }
}

func idTokenHint(sub string) func(*vneid.AuthRequest) {
	return func(r *vneid.AuthRequest) { r.HintSubject = sub }
}
func challenge(c string) func(*vneid.AuthRequest) {
	return func(r *vneid.AuthRequest) { r.CodeChallenge = c }
}

// start begins a login in a browser of its own, or in b.
func (c *town) start(req vneid.AuthRequest, b ...vneid.Browser) (id string, _ vneid.Browser) {
	c.t.Helper()
	in := vneid.Browser{Secret: vneid.NewSecret(c.Rand)}
	if len(b) > 0 {
		in = b[0]
	}
	l, _, err := c.Begin(c.ctx, req, in.Secret, vneid.Origin{})
	if err != nil {
		c.t.Fatal(err)
	}
	return l.ID, in
}

// toOTP is a login whose password was right; it returns the one-time password.
func (c *town) toOTP(req vneid.AuthRequest, who vneid.CCCD, b ...vneid.Browser) (id string, _ vneid.Browser, otp string) {
	c.t.Helper()
	id, in := c.start(req, b...)
	if _, err := c.SubmitPassword(c.ctx, id, in, string(who), theirPW); err != nil {
		c.t.Fatalf("password of %s: %v", who, err)
	}
	return id, in, c.inbox.last().OTP
}

// signIn goes through password and one-time password; the browser it returns
// holds the session.
func (c *town) signIn(req vneid.AuthRequest, who vneid.CCCD, b ...vneid.Browser) (vneid.Step, vneid.Browser) {
	c.t.Helper()
	id, in, otp := c.toOTP(req, who, b...)
	step, err := c.SubmitOTP(c.ctx, id, in, otp)
	if err != nil {
		c.t.Fatalf("one-time password of %s: %v", who, err)
	}
	if step.NewSession == "" {
		c.t.Fatal("no session began")
	}
	in.Session = step.NewSession
	return step, in
}

// again resumes a new request in a browser: what single sign-on makes of it.
func (c *town) again(req vneid.AuthRequest, b vneid.Browser) vneid.Step {
	c.t.Helper()
	id, b := c.start(req, b)
	step, err := c.Resume(c.ctx, id, b)
	if err != nil {
		c.t.Fatal(err)
	}
	return step
}

func (c *town) redeem(step vneid.Step) *vneid.Grant {
	c.t.Helper()
	g, err := c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	if err != nil {
		c.t.Fatal(err)
	}
	return g
}

func (c *town) alive(token string) bool {
	c.t.Helper()
	_, _, err := c.Inspect(c.ctx, token)
	if err != nil && !errors.Is(err, vneid.ErrNotFound) {
		c.t.Fatal(err)
	}
	return err == nil
}

// wantKey fails unless err is an Error with that text key.
func wantKey(t testing.TB, err error, key string) {
	t.Helper()
	if vneid.MsgKey(err) != key || err == nil {
		t.Fatalf("got %v, want %s", err, key)
	}
}

func wantState(t testing.TB, l *vneid.Login, s vneid.LoginState) {
	t.Helper()
	if l.State != s {
		t.Fatalf("the login is %s, want %s", l.State, s)
	}
}

// parallel runs fn n times at once and returns the errors.
func parallel(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func keysOf(errs []error) map[string]int {
	n := map[string]int{}
	for _, err := range errs {
		if err == nil {
			n["fine"]++
		} else {
			n[vneid.MsgKey(err)]++
		}
	}
	return n
}

// cheapHasher is a Hasher for tests that count, and may be held up.
type cheapHasher struct {
	calls atomic.Int64
	pause func(password string) // called before Verify answers; nil = don't
}

func (h *cheapHasher) Hash(_ context.Context, password string) (string, error) {
	sum := sha256.Sum256([]byte(password))
	return "cheap:" + hex.EncodeToString(sum[:]), nil
}

func (h *cheapHasher) Decoy() string { return "cheap:nobody" }

func (h *cheapHasher) Verify(ctx context.Context, password, hash string) (bool, error) {
	h.calls.Add(1)
	if h.pause != nil {
		h.pause(password)
	}
	want, err := h.Hash(ctx, password)
	return want == hash, err
}

// inbox is the phone network.
type inbox struct {
	mu   sync.Mutex
	sent []vneid.SMS
	down error
}

func (i *inbox) Take(context.Context, vneid.Tx, vneid.CCCD, vneid.SMS) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.down
}

func (i *inbox) Taken(_ context.Context, sms vneid.SMS) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sent = append(i.sent, sms)
}

func (i *inbox) all() []vneid.SMS {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.sent)
}

func (i *inbox) last() vneid.SMS { all := i.all(); return all[len(all)-1] }

// lockedRand gives the same secrets in every run of a sequential test.
type lockedRand struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (l *lockedRand) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// wrongOTP is six digits that are not otp.
func wrongOTP(otp string) string {
	if otp[5] == '9' {
		return otp[:5] + "0"
	}
	return otp[:5] + string(otp[5]+1)
}
