package op_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op"
	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const (
	an       = "038090000001"
	binh     = "038190000002"
	secret   = "Sandbox@2024"
	verifier = "a-verifier-of-at-least-forty-three-characters-0"
	callback = "http://127.0.0.1:7777/callback"

	sandboxURL = "http://localhost:9997"
	scanPath   = "/phone/scan"
	scanURL    = sandboxURL + scanPath
	codePath   = "/Q"
	codeURL    = "HTTP://LOCALHOST:9997" + codePath
)

// fakePhones keeps the last message of each number.
type fakePhones struct {
	mu   sync.Mutex
	last map[vneid.PhoneNumber]vneid.SMS
}

func (f *fakePhones) Take(context.Context, vneid.Tx, vneid.CCCD, vneid.SMS) error { return nil }

func (f *fakePhones) Taken(_ context.Context, m vneid.SMS) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last[m.To] = m
}

func (f *fakePhones) otp(to vneid.PhoneNumber) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last[to].OTP
}

// testWorld is a provider on a real listener over a real database in memory.
type testWorld struct {
	t      testing.TB
	url    string
	world  *vneid.World
	clock  *vneid.OffsetClock
	store  vneid.Store
	phones *fakePhones
	log    *lockedBuffer

	provider *op.Provider
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t testing.TB) *testWorld {
	t.Helper()
	return newWorldOn(t, "sqlite::memory:")
}

func newWorldOn(t testing.TB, database string) *testWorld {
	t.Helper()
	ctx := context.Background()
	store, err := storage.Open(ctx, database, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &testWorld{t: t, store: store, clock: &vneid.OffsetClock{Base: vneid.SystemClock{}},
		phones: &fakePhones{last: map[vneid.PhoneNumber]vneid.SMS{}}, log: &lockedBuffer{}}
	w.world = &vneid.World{ID: vneid.DefaultWorld, Clock: w.clock, Policy: vneid.DefaultPolicy(), Salt: []byte("salt of a test world, 32 bytes..")}
	hasher := password.New(password.Cheap(), 2)
	provider, err := op.New(ctx, op.Config{Store: store, Hasher: hasher, SMS: w.phones, Rand: rand.Reader,
		HelpURL: sandboxURL, ScanPath: scanPath, CodePath: codePath, Logger: slog.New(slog.NewJSONHandler(w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	w.provider = provider
	t.Cleanup(provider.Close)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		provider.ServeHTTP(rw, r.WithContext(vneid.WithWorld(r.Context(), w.world)))
	}))
	t.Cleanup(server.Close)
	w.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	w.world.Issuer = w.url
	w.seed(hasher)
	return w
}

func (w *testWorld) seed(hasher vneid.Hasher) {
	w.t.Helper()
	ctx := context.Background()
	if err := w.store.PutWorld(ctx, vneid.WorldRecord{ID: w.world.ID, Salt: w.world.Salt}); err != nil {
		w.t.Fatal(err)
	}
	hash, err := hasher.Hash(ctx, secret)
	if err != nil {
		w.t.Fatal(err)
	}
	people := []vneid.Persona{
		{CCCD: an, Name: "Nguyễn Văn An", Birthdate: "1990-03-15", Gender: "male", Phone: "0950000001", Email: "an.nguyen@example.test",
			Address:      &vneid.Address{Street: "12 đường Lê Lợi", Commune: "Phường Hạc Thành", Province: "Tỉnh Thanh Hóa"},
			AccountLevel: 2, AccountType: "citizen", Status: vneid.AccountActive, SMS: vneid.SMSInstant},
		{CCCD: binh, Name: "Lê Thị Bình", Birthdate: "1990-07-02", Gender: "female", Phone: "0950000002",
			AccountLevel: 2, AccountType: "citizen", Status: vneid.AccountActive, SMS: vneid.SMSInstant},
	}
	err = w.store.Update(ctx, w.world.ID, func(tx vneid.Tx) error {
		for _, p := range people {
			a := &vneid.Account{Persona: p, ID: vneid.AccountID(w.world.Salt, p.CCCD), PasswordHash: hash, UpdatedAt: w.clock.Now()}
			if err := tx.PutAccount(a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.client(vneid.ClientMetadata{ClientID: "basic", ClientName: "Cổng thử", Consent: "never"})
	w.client(vneid.ClientMetadata{ClientID: "other", Consent: "never"})
	w.client(vneid.ClientMetadata{ClientID: "poster", Consent: "never", TokenEndpointAuthMethod: vneid.AuthPost})
	w.client(vneid.ClientMetadata{ClientID: "public", Consent: "never", TokenEndpointAuthMethod: vneid.AuthNone})
	w.client(vneid.ClientMetadata{ClientID: "asking", Consent: "once"})
}

// client registers a client; its secret is "<id>-secret".
func (w *testWorld) client(m vneid.ClientMetadata) {
	w.t.Helper()
	if m.RedirectURIs == nil {
		m.RedirectURIs = []string{callback, "http://127.0.0.1:7777/callback?registered=query"}
	}
	if m.PostLogoutRedirectURIs == nil {
		m.PostLogoutRedirectURIs = []string{"http://127.0.0.1:7777/"}
	}
	if bad := m.Normalize(nil); len(bad) > 0 {
		w.t.Fatal(bad)
	}
	c := &vneid.Client{ClientMetadata: m}
	if m.HasSecret() {
		c.SecretHash = vneid.SecretHash(m.ClientID + "-secret")
	}
	if err := w.store.Update(context.Background(), w.world.ID, func(tx vneid.Tx) error { return tx.PutClient(c) }); err != nil {
		w.t.Fatal(err)
	}
}

// browser follows no redirect by itself and keeps cookies.
type browser struct {
	*http.Client
	w *testWorld
}

func (w *testWorld) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{w: w, Client: &http.Client{Jar: jar, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	*http.Response
	body string
}

func (b *browser) do(req *http.Request) answer {
	b.w.t.Helper()
	resp, err := b.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (b *browser) get(u string) answer {
	b.w.t.Helper()
	req, err := http.NewRequest("GET", u, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(u string, form url.Values) answer {
	b.w.t.Helper()
	req, err := http.NewRequest("POST", u, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

// request are the parameters of a good authorization request, changed.
func request(client string, changes ...string) url.Values {
	q := url.Values{"client_id": {client}, "redirect_uri": {callback}, "response_type": {"code"},
		"scope": {"openid profile cccd"}, "state": {"a-state"}, "nonce": {"a-nonce"},
		"code_challenge": {vneid.SecretHash(verifier)}, "code_challenge_method": {"S256"}}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "-" {
			q.Del(changes[i])
		} else {
			q.Set(changes[i], changes[i+1])
		}
	}
	return q
}

func (b *browser) authorize(q url.Values) answer {
	b.w.t.Helper()
	return b.get(b.w.url + "/authorize?" + q.Encode())
}

var actionPattern = regexp.MustCompile(`action="([^"]+/(password|otp|sharing))"`)

// signIn walks from an authorization request to the answer of the last form.
func (b *browser) signIn(q url.Values, number string) answer {
	b.w.t.Helper()
	a := b.authorize(q)
	for range 8 {
		location := a.Header.Get("Location")
		if strings.HasPrefix(location, "http") {
			return a
		}
		if location != "" {
			a = b.get(b.w.url + location)
			continue
		}
		m := actionPattern.FindStringSubmatch(a.body)
		if m == nil {
			return a
		}
		switch m[2] {
		case "password":
			a = b.post(b.w.url+m[1], url.Values{"username": {number}, "password": {secret}})
		case "otp":
			a = b.post(b.w.url+m[1], url.Values{"otp": {b.w.phones.otp(vneid.PhoneNumber("0950000" + number[9:]))}})
		case "sharing":
			a = b.post(b.w.url+m[1], url.Values{"decision": {"share"}, "agree": {"yes"}})
		}
	}
	b.w.t.Fatalf("the login goes round in circles, last %s: %s", a.Status, a.body)
	return a
}

// param reads a parameter of the answer that goes back to the client.
func (a answer) param(name string) string {
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}

func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%s: no JSON: %v: %s", a.Status, err, a.body)
	}
	return m
}

// token posts to the token endpoint as a client that authenticates by basic.
func (w *testWorld) token(client string, form url.Values) answer {
	return w.machine("/oauth/token", client, form)
}

func (w *testWorld) machine(path, client string, form url.Values) answer {
	w.t.Helper()
	req, _ := http.NewRequest("POST", w.url+path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(client, client+"-secret")
	return w.browser().do(req)
}

func codeForm(code string, changes ...string) url.Values {
	f := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "-" {
			f.Del(changes[i])
		} else {
			f.Set(changes[i], changes[i+1])
		}
	}
	return f
}
