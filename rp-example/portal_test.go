package main

import (
	"bytes"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// world is a portal, a provider and the clock they share.
type world struct {
	t       *testing.T
	op      *fakeOP
	portal  *portal
	srv     *httptest.Server
	url     string
	db      string
	log     *syncBuffer
	ahead   *atomic.Int64
	roots   *x509.CertPool
	dancu   *fakeDanCu
	before  string // PORTAL_ISSUER_BEFORE
	edition edition
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, db: filepath.Join(t.TempDir(), "portal.db"), log: &syncBuffer{}, ahead: &atomic.Int64{}}
	w.op = newFakeOP(t, w.now)
	w.dancu = newFakeDanCu(t)
	w.start()
	t.Cleanup(w.stop)
	return w
}

func (w *world) now() time.Time              { return time.Now().Add(time.Duration(w.ahead.Load())) }
func (w *world) advance(d time.Duration)     { w.ahead.Add(int64(d)) }
func (w *world) stop()                       { w.srv.Close(); w.portal.close() }
func (w *world) restart()                    { w.stop(); w.start() }
func (w *world) lie(change func(op *fakeOP)) { w.op.lie(func() { change(w.op) }) }

func (w *world) start() {
	w.t.Helper()
	w.srv = httptest.NewUnstartedServer(nil)
	cfg := config{Listen: "127.0.0.1:0", Issuer: w.op.srv.URL, ClientID: "thanhhoa-portal", ClientSecret: "thanhhoa-portal-secret", Database: w.db, roots: w.roots}
	if w.dancu != nil {
		cfg.DanCuURL, cfg.DanCuKey = w.dancu.srv.URL+"/dancu", "thanhhoa-dancu-key"
	}
	cfg.IssuerBefore, cfg.edition = w.before, w.edition
	cfg = cfg.listeningOn(w.srv.Listener.Addr())
	p, err := newPortalWith(w.t.Context(), cfg, slog.New(slog.NewTextHandler(w.log, nil)), w.now, newHasher(64, 1))
	if err != nil {
		w.t.Fatal(err)
	}
	w.portal, w.url = p, cfg.URL
	w.srv.Config.Handler = p.handler()
	w.srv.Start()
}

// browser keeps cookies and follows redirects only when told to.
type browser struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w, &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type page struct {
	status         int
	body, location string
	header         http.Header
}

var problemKind = regexp.MustCompile(`data-problem="([a-z_]+)"`)

// problem is the kind of error page this is; "" for none.
func (p page) problem() string {
	if m := problemKind.FindStringSubmatch(p.body); m != nil {
		return m[1]
	}
	return ""
}

func (p page) has(s string) bool { return strings.Contains(p.body, s) }

func (b *browser) do(r *http.Request) page {
	b.w.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return page{resp.StatusCode, string(body), resp.Header.Get("Location"), resp.Header}
}

// get opens a path of the portal, or any full address.
func (b *browser) get(addr string) page {
	b.w.t.Helper()
	if strings.HasPrefix(addr, "/") {
		addr = b.w.url + addr
	}
	r, err := http.NewRequest("GET", addr, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, form url.Values, header ...string) page {
	b.w.t.Helper()
	r, err := http.NewRequest("POST", b.w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(r)
}

// begin starts a sign-in and returns the callback the provider sent us to.
func (b *browser) begin(wanted string) (callback string) {
	b.w.t.Helper()
	away := b.get(withNext("/login/vneid", wanted))
	if away.status != http.StatusSeeOther {
		b.w.t.Fatalf("the sign-in did not leave for the provider: %d %s", away.status, away.problem())
	}
	back := b.get(away.location)
	if !strings.HasPrefix(back.location, b.w.url+"/callback?") {
		b.w.t.Fatalf("the provider sent us to %q", back.location)
	}
	return back.location
}

func (b *browser) signIn() {
	b.w.t.Helper()
	if p := b.get(b.begin("/")); p.status != http.StatusSeeOther || p.location != "/" {
		b.w.t.Fatalf("sign-in ended with %d %q %s", p.status, p.location, p.problem())
	}
}

func (b *browser) signedInAs() string {
	b.w.t.Helper()
	if m := regexp.MustCompile(`class="who">([^<]*)<`).FindStringSubmatch(b.get("/").body); m != nil {
		return m[1]
	}
	return ""
}

func (b *browser) sessionCookie() string {
	u, _ := url.Parse(b.w.url)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "portal_session" {
			return c.Value
		}
	}
	return ""
}

// changed returns addr with its query altered.
func changed(addr string, alter func(url.Values)) string {
	u, _ := url.Parse(addr)
	q := u.Query()
	alter(q)
	u.RawQuery = q.Encode()
	return u.String()
}
