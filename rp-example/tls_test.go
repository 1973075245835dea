package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// writeCert makes a certificate for 127.0.0.1, localhost and host as auto
// would have done at some time, and puts it into two files.
func writeCert(t *testing.T, host string, at time.Time) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := openOwnCertificate(dir, host, func() time.Time { return at }, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	both, err := os.ReadFile(filepath.Join(dir, "portal-tls.pem"))
	if err != nil {
		t.Fatal(err)
	}
	private, _ := pem.Decode(both)
	key = filepath.Join(dir, "key.pem")
	if err := os.WriteFile(key, pem.EncodeToMemory(private), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "portal-cert.pem"), key
}

// tlsOP is a provider that speaks https with a certificate of writeCert.
func tlsOP(t *testing.T, at time.Time) (op *fakeOP, ca string) {
	t.Helper()
	op = newStoppedOP(t, time.Now)
	ca, key := writeCert(t, "", at)
	pair, err := tls.LoadX509KeyPair(ca, key)
	if err != nil {
		t.Fatal(err)
	}
	op.srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	op.srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // refused handshakes are what some tests want
	op.srv.StartTLS()
	return op, ca
}

// runPortal starts the whole program and returns where it listens.
func runPortal(t *testing.T, args ...string) (address string, log *syncBuffer) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	pr, pw := io.Pipe()
	log = &syncBuffer{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"--portal-listen", "127.0.0.1:0"}, args...), func(string) (string, bool) { return "", false }, pw, log)
		pw.Close()
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d: %s", code, log)
		}
	})
	if _, err := fmt.Fscan(newLine(t, pr), &address); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	return address, log
}

// trusting is a browser of a running portal that trusts these files and
// nothing else.
func trusting(t *testing.T, address string, files ...string) *browser {
	t.Helper()
	b := (&world{t: t, url: address}).browser()
	roots := x509.NewCertPool()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || !roots.AppendCertsFromPEM(text) {
			t.Fatalf("%s: %v", f, err)
		}
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	b.client.Transport = transport
	return b
}

func TestSomebodySignsInWithEverythingOverHTTPS(t *testing.T) {
	given, key := writeCert(t, "", time.Now())
	for name, c := range map[string]struct{ tls, cert string }{"auto": {"auto", ""}, "given files": {given + "," + key, given}} {
		t.Run(name, func(t *testing.T) {
			op, ca := tlsOP(t, time.Now())
			data := t.TempDir()
			address, log := runPortal(t, "--portal-tls", c.tls, "--portal-ca", ca, "--portal-issuer", op.srv.URL, "--portal-id-token-alg", "ES256", "--portal-database", "sqlite:"+filepath.Join(data, "portal.db"))
			if c.cert == "" {
				c.cert = filepath.Join(data, "portal-cert.pem")
			}
			if !strings.HasPrefix(address, "https://127.0.0.1:") {
				t.Fatalf("it says it is at %s", address)
			}
			b := trusting(t, address, c.cert, ca)
			b.signIn()
			if b.signedInAs() != "Nguyễn Văn An" {
				t.Errorf("signed in as %q\n%s", b.signedInAs(), log)
			}
			if got := op.authorize.Get("redirect_uri"); got != address+"/callback" {
				t.Errorf("redirect URI %s", got)
			}
			u, _ := url.Parse(address)
			for _, cookie := range b.client.Jar.Cookies(u) {
				if !strings.HasPrefix(cookie.Name, "__Host-portal_") {
					t.Errorf("cookie %s", cookie.Name)
				}
			}
			p := b.get("/language/en")
			for _, set := range p.header["Set-Cookie"] {
				if !strings.HasPrefix(set, "__Host-portal_") || !strings.Contains(set, "; Secure") || !strings.Contains(set, "; Path=/") || strings.Contains(set, "Domain") {
					t.Errorf("cookie %s", set)
				}
			}
			if len(p.header["Set-Cookie"]) == 0 || p.header.Get("Strict-Transport-Security") != "" {
				t.Errorf("headers %v", p.header)
			}
			b.client.Transport.(*http.Transport).CloseIdleConnections()
			b.client.Transport.(*http.Transport).TLSClientConfig.MinVersion = tls.VersionTLS10
			b.client.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS11
			if resp, err := b.client.Get(address + "/healthz"); err == nil {
				resp.Body.Close()
				t.Error("speaks TLS 1.1")
			}
		})
	}
}

func TestAProviderThatIsNotTrustedGivesAPageAndAReasonInTheLog(t *testing.T) {
	good, ca := tlsOP(t, time.Now())
	otherCA, _ := writeCert(t, "", time.Now())
	plain := newFakeOP(t, time.Now)
	// The certificate of httptest is for 127.0.0.1, and not for localhost.
	elsewhere := newStoppedOP(t, time.Now)
	elsewhere.srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	elsewhere.srv.StartTLS()
	elsewhereCA := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(elsewhereCA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: elsewhere.srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		log  string
	}{
		"another CA":                       {[]string{"--portal-ca", otherCA, "--portal-issuer", good.srv.URL}, "PORTAL_CA"},
		"no CA named":                      {[]string{"--portal-issuer", good.srv.URL}, "PORTAL_CA"},
		"another name":                     {[]string{"--portal-ca", elsewhereCA, "--portal-issuer", strings.Replace(elsewhere.srv.URL, "127.0.0.1", "localhost", 1)}, "not localhost"},
		"an https issuer that speaks http": {[]string{"--portal-ca", ca, "--portal-issuer", strings.Replace(plain.srv.URL, "http:", "https:", 1)}, "HTTP response to HTTPS client"},
		"an http issuer that speaks https": {[]string{"--portal-issuer", strings.Replace(good.srv.URL, "https:", "http:", 1)}, "HTTP request to an HTTPS server"},
	} {
		t.Run(name, func(t *testing.T) {
			address, log := runPortal(t, append(c.args, "--portal-database", "sqlite:"+filepath.Join(t.TempDir(), "portal.db"))...)
			p := (&world{t: t, url: address}).browser().get("/login/vneid")
			if p.problem() != "unreachable" || p.status < 500 || p.has("x509") {
				t.Errorf("page %d %q", p.status, p.problem())
			}
			if !strings.Contains(log.String(), c.log) {
				t.Errorf("the log does not say %q:\n%s", c.log, log)
			}
		})
	}
}

func TestAProviderWhoseCertificateEndedIsNotBelieved(t *testing.T) {
	op, ca := tlsOP(t, time.Now())
	roots, err := readRoots(ca, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, op: op, db: filepath.Join(t.TempDir(), "portal.db"), log: &syncBuffer{}, ahead: &atomic.Int64{}, roots: roots}
	w.start()
	t.Cleanup(w.stop)
	if away := w.browser().get("/login/vneid"); away.status != http.StatusSeeOther {
		t.Fatalf("before: %d %s", away.status, w.log)
	}
	w.advance(91 * 24 * time.Hour)
	w.restart() // forgets the discovery document
	if p := w.browser().get("/login/vneid"); p.problem() != "unreachable" || !strings.Contains(w.log.String(), "expired") {
		t.Errorf("page %d %q\n%s", p.status, p.problem(), w.log)
	}
}

func TestWrongTLSSettingsAreReportedAtTheStart(t *testing.T) {
	now := time.Now()
	cert, key := writeCert(t, "portal.test", now)
	old, oldKey := writeCert(t, "", now.AddDate(0, 0, -100))
	early, earlyKey := writeCert(t, "", now.AddDate(0, 0, 2))
	_, otherKey := writeCert(t, "", now)
	note := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(note, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string // "" = fine
	}{
		"off":                             {[]string{"--portal-tls", "off"}, ""},
		"off behind a proxy":              {[]string{"--portal-url", "https://portal.test"}, ""},
		"auto":                            {[]string{"--portal-tls", "auto"}, ""},
		"auto in the LAN":                 {[]string{"--portal-tls", "auto", "--portal-url", "https://192.168.1.5:9999"}, ""},
		"files":                           {[]string{"--portal-tls", cert + ", " + key, "--portal-url", "https://portal.test"}, ""},
		"a CA":                            {[]string{"--portal-ca", cert}, ""},
		"a word":                          {[]string{"--portal-tls", "on"}, `PORTAL_TLS (--portal-tls): "on" is neither off nor auto nor CERT.pem,KEY.pem`},
		"one file":                        {[]string{"--portal-tls", cert}, "is neither off nor auto"},
		"auto for a public name":          {[]string{"--portal-tls", "auto", "--portal-url", "https://portal.example.com"}, "makes no certificate for portal.example.com"},
		"http by URL":                     {[]string{"--portal-tls", "auto", "--portal-url", "http://localhost:9999"}, "PORTAL_URL (--portal-url): \"http://localhost:9999\" begins with http"},
		"a file that is not there":        {[]string{"--portal-tls", cert + ",/nowhere/key.pem"}, "open /nowhere/key.pem"},
		"another certificate's key":       {[]string{"--portal-tls", cert + "," + otherKey}, "does not match"},
		"an expired certificate":          {[]string{"--portal-tls", old + "," + oldKey}, "expired at"},
		"a certificate of tomorrow":       {[]string{"--portal-tls", early + "," + earlyKey}, "not valid before"},
		"a certificate for another name":  {[]string{"--portal-tls", cert + "," + key, "--portal-url", "https://other.test"}, "not other.test"},
		"a CA file that is not there":     {[]string{"--portal-ca", "/nowhere/ca.pem"}, "PORTAL_CA (--portal-ca): /nowhere/ca.pem: open"},
		"a CA file without a certificate": {[]string{"--portal-ca", os.Args[0]}, "has no certificate"},
		"a broken CA file":                {[]string{"--portal-ca", note}, "certificate 1: x509"},
		"a CA file with the key":          {[]string{"--portal-ca", strings.Replace(cert, "portal-cert", "portal-tls", 1)}, "private key"},
		"an expired CA":                   {[]string{"--portal-ca", old}, "expired"},
	} {
		cfg, err := readConfig(c.args, func(string) (string, bool) { return "", false }, io.Discard)
		if err == nil {
			err = cfg.loadTLS(now)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	var out, errs syncBuffer
	if code := run(t.Context(), []string{"--portal-ca", "/nowhere/ca.pem", "--portal-tls", "on"}, func(string) (string, bool) { return "", false }, &out, &errs); code != 2 ||
		!strings.Contains(errs.String(), "PORTAL_CA") || !strings.Contains(errs.String(), "PORTAL_TLS") {
		t.Errorf("exit %d: %s", code, &errs)
	}
}

// ownMachine is a folder with the portal's own certificate.
type ownMachine struct {
	t   *testing.T
	dir string
	at  time.Time
	log syncBuffer
}

func newOwnMachine(t *testing.T) *ownMachine {
	return &ownMachine{t: t, dir: filepath.Join(t.TempDir(), "var"), at: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
}

func (m *ownMachine) open(host string) (*ownCertificate, error) {
	return openOwnCertificate(m.dir, host, func() time.Time { return m.at }, slog.New(slog.NewTextHandler(&m.log, nil)))
}

func (m *ownMachine) mustOpen(host string) *ownCertificate {
	m.t.Helper()
	o, err := m.open(host)
	if err != nil {
		m.t.Fatal(err)
	}
	return o
}

func (m *ownMachine) served(o *ownCertificate) *x509.Certificate {
	m.t.Helper()
	pair, err := o.get(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return pair.Leaf
}

// accepts is what a client says that trusts portal-cert.pem.
func (m *ownMachine) accepts(c *x509.Certificate, host string) error {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.dir, "portal-cert.pem"))
	if err != nil {
		m.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	_, err = c.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: m.at})
	return err
}

func TestTheOwnCertificateIsForThePortalsNamesAndSignsNothing(t *testing.T) {
	m := newOwnMachine(t)
	o := m.mustOpen("portal.test")
	leaf := m.served(o)
	for _, host := range []string{"localhost", "127.0.0.1", "portal.test"} {
		if err := m.accepts(leaf, host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if m.accepts(leaf, "evil.com") == nil || leaf.IsCA || leaf.NotAfter.Sub(leaf.NotBefore) > 90*24*time.Hour {
		t.Errorf("CA %v, %v to %v, names %v", leaf.IsCA, leaf.NotBefore, leaf.NotAfter, leaf.DNSNames)
	}
	// Whoever has the key signs a certificate for another name with it.
	evil := &x509.Certificate{SerialNumber: leaf.SerialNumber, DNSNames: []string{"evil.com"}, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}
	der, err := x509.CreateCertificate(rand.Reader, evil, leaf, leaf.PublicKey, o.current.Load().PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := x509.ParseCertificate(der)
	if err != nil || m.accepts(forged, "evil.com") == nil {
		t.Errorf("a client that trusts the portal accepts evil.com too (%v)", err)
	}
	for name, want := range map[string]os.FileMode{"portal-tls.pem": 0o600, "portal-cert.pem": 0o644} {
		if info, err := os.Stat(filepath.Join(m.dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(m.dir, ".portal-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTheOwnCertificateIsKeptAndRenewedInTime(t *testing.T) {
	m := newOwnMachine(t)
	o := m.mustOpen("portal.test")
	first := m.served(o)
	m.at = m.at.AddDate(0, 0, 70)
	if again := m.mustOpen("portal.test"); !m.served(again).Equal(first) || !m.served(o).Equal(first) {
		t.Error("a restart made a new one")
	}
	m.at = first.NotAfter.Add(-13 * 24 * time.Hour)
	second := m.served(o)
	if second.Equal(first) || m.accepts(second, "portal.test") != nil || !strings.Contains(m.log.String(), "is replaced") {
		t.Errorf("not renewed while running, or not loudly:\n%s", &m.log)
	}
	if other := m.mustOpen("other.test"); m.accepts(m.served(other), "other.test") != nil {
		t.Error("a new name did not get a certificate")
	}
}

func TestABrokenOwnCertificateIsRefusedWithAHint(t *testing.T) {
	m := newOwnMachine(t)
	m.mustOpen("")
	file := filepath.Join(m.dir, "portal-tls.pem")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		says    string
	}{
		"others can read it": {good, 0o644, "chmod 600"},
		"nonsense":           {[]byte("nonsense"), 0o600, "failed to find any PEM data"},
		"empty":              {nil, 0o600, "failed to find"},
		"cut off":            {good[:len(good)/2], 0o600, "failed to find"},
	} {
		if err := os.WriteFile(file, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := m.open(""); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "hint: ") {
			t.Errorf("%s: %v", name, err)
		}
		var out, errs syncBuffer
		code := run(t.Context(), []string{"--portal-tls", "auto", "--portal-listen", "127.0.0.1:0", "--portal-database", "sqlite:" + filepath.Join(m.dir, "portal.db")},
			func(string) (string, bool) { return "", false }, &out, &errs)
		if code != 1 || !strings.Contains(errs.String(), file) {
			t.Errorf("%s: exit %d %s", name, code, &errs)
		}
	}
}

func TestPortalsThatStartAtOnceServeOneCertificate(t *testing.T) {
	m := newOwnMachine(t)
	opened := make([]*ownCertificate, 12)
	var all sync.WaitGroup
	for i := range opened {
		all.Go(func() {
			var err error
			if opened[i], err = m.open(""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, o := range opened {
		if err := m.accepts(m.served(o), "localhost"); err != nil {
			t.Error(err)
		}
	}
}
