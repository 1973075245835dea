package localca

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// machine is a folder and a clock that a test moves.
type machine struct {
	t   *testing.T
	dir string
	at  time.Time
	log bytes.Buffer
}

func newMachine(t *testing.T) *machine {
	return &machine{t: t, dir: filepath.Join(t.TempDir(), "var"), at: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
}

func (m *machine) now() time.Time          { return m.at }
func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

func (m *machine) open(hosts ...string) (*Authority, error) {
	return Open(m.dir, hosts, m.now, slog.New(slog.NewTextHandler(&m.log, nil)))
}

func (m *machine) mustOpen(hosts ...string) *Authority {
	m.t.Helper()
	a, err := m.open(hosts...)
	if err != nil {
		m.t.Fatal(err)
	}
	return a
}

func (m *machine) write(name, content string, mode os.FileMode) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), []byte(content), mode); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Chmod(m.path(name), mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	m.t.Helper()
	b, err := os.ReadFile(m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// accepts is what a client that trusts ca.pem says of a certificate.
func (m *machine) accepts(caPEM []byte, cert *x509.Certificate, host string, between ...*x509.Certificate) error {
	m.t.Helper()
	roots, more := x509.NewCertPool(), x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caPEM) {
		m.t.Fatalf("not a certificate: %s", caPEM)
	}
	for _, c := range between {
		more.AddCert(c)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: more, DNSName: host, CurrentTime: m.at})
	return err
}

func TestAClientThatTrustsTheCAAcceptsTheListenersByEveryNameTheyHave(t *testing.T) {
	m := newMachine(t)
	a := m.mustOpen("IDP.test", "192.168.1.10", "[fd00::1]", "localhost")
	leaf := a.fresh().leaf.Leaf
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "idp.test", "192.168.1.10", "fd00::1"} {
		if err := m.accepts(a.PEM(), leaf, host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := m.accepts(a.PEM(), leaf, "other.test"); err == nil {
		t.Error("accepted for a name nobody asked for")
	}
	if string(a.PEM()) != m.read(CAFile) {
		t.Error("what is served is not what stands in the file")
	}
	ca := a.fresh().ca.cert
	if life := ca.NotAfter.Sub(ca.NotBefore); life > Life || life < Life-time.Minute {
		t.Errorf("the CA lives %v", life)
	}
	if leaf.NotAfter.After(ca.NotAfter) || leaf.IsCA {
		t.Errorf("a leaf until %v of a CA until %v, CA %v", leaf.NotAfter, ca.NotAfter, leaf.IsCA)
	}
}

func TestTheConstraintsBindWhoeverHasTheKey(t *testing.T) {
	m := newMachine(t)
	a := m.mustOpen()
	ca := a.fresh().ca
	for _, host := range []string{"evil.com", "vneid.gov.vn", "localhost.evil.com", "xtest", "mytest.com", "8.8.8.8", "169.254.169.254", "172.32.0.1", "100.64.0.1", "2001:db8::1", "fe80::1"} {
		leaf, err := ca.sign([]string{host}, m.at)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.accepts(a.PEM(), leaf.cert, host); err == nil {
			t.Errorf("a client accepts %s", host)
		}
		if MayVouchFor(host) {
			t.Errorf("MayVouchFor(%s)", host)
		}
		if _, err := m.open(host); err == nil || !strings.Contains(err.Error(), host) {
			t.Errorf("Open for %s: %v", host, err)
		}
	}
	for _, host := range []string{"localhost", "a.localhost", "portal.test", "a.b.test", "idp.internal", "www.example", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "::1", "fd12::1", "TEST."} {
		leaf, err := ca.sign([]string{canonical(host)}, m.at)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.accepts(a.PEM(), leaf.cert, canonical(host)); err != nil || !MayVouchFor(host) {
			t.Errorf("%s: %v, MayVouchFor %v", host, err, MayVouchFor(host))
		}
	}
	if !ca.cert.PermittedDNSDomainsCritical {
		t.Error("a client that can not read the constraints may ignore them")
	}
}

func TestTheCASignsNoOtherCA(t *testing.T) {
	m := newMachine(t)
	a := m.mustOpen()
	ca := a.fresh().ca
	request := template(m.at)
	request.NotAfter, request.IsCA, request.KeyUsage = ca.cert.NotAfter, true, x509.KeyUsageCertSign
	request.Subject.CommonName = "between"
	between, err := request.signedBy(&ca)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := between.sign([]string{"localhost"}, m.at)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.accepts(a.PEM(), leaf.cert, "localhost", between.cert); err == nil {
		t.Error("a client accepts a chain over a CA in between")
	}
}

func TestKeysAreForTheOwnerAndTheCertificateForEverybody(t *testing.T) {
	m := newMachine(t)
	m.mustOpen()
	for name, want := range map[string]os.FileMode{KeyFile: 0o600, leafFile: 0o600, CAFile: 0o644} {
		info, err := os.Stat(m.path(name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if strings.Contains(m.read(CAFile), "PRIVATE") {
		t.Error("the file to give away has a key")
	}
	if left, _ := filepath.Glob(m.path("*.new")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestARestartKeepsWhatIsTrusted(t *testing.T) {
	m := newMachine(t)
	before := m.mustOpen("idp.test").fresh()
	m.at = m.at.Add(70 * 24 * time.Hour)
	after := m.mustOpen("idp.test").fresh()
	if !after.ca.cert.Equal(before.ca.cert) || !after.leaf.Leaf.Equal(before.leaf.Leaf) {
		t.Error("a restart made new certificates")
	}
	other := m.mustOpen("other.test").fresh()
	if !other.ca.cert.Equal(before.ca.cert) || m.accepts(other.ca.certPEM(), other.leaf.Leaf, "other.test") != nil {
		t.Error("a new name did not get its certificate from the same CA")
	}
}

func TestWhatEndsSoonIsReplacedAtAStartAndWhileRunning(t *testing.T) {
	for _, running := range []bool{false, true} {
		m := newMachine(t)
		a := m.mustOpen()
		before := a.fresh()
		m.at = before.ca.cert.NotAfter.Add(-14*24*time.Hour + time.Minute)
		if !running {
			a = m.mustOpen()
		}
		after := a.fresh()
		if after.ca.cert.Equal(before.ca.cert) || after.leaf.Leaf.Equal(before.leaf.Leaf) {
			t.Fatalf("running %v: not replaced two weeks before the end", running)
		}
		m.at = before.ca.cert.NotAfter.Add(time.Hour)
		if err := m.accepts(a.PEM(), a.fresh().leaf.Leaf, "localhost"); err != nil || m.read(CAFile) != string(a.PEM()) {
			t.Errorf("running %v: after the old end: %v", running, err)
		}
		if log := m.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "has been replaced") {
			t.Errorf("running %v: the log does not say so:\n%s", running, log)
		}
	}
}

func TestARenewalThatFailsIsLoggedAndTriedAgain(t *testing.T) {
	m := newMachine(t)
	a := m.mustOpen()
	before := a.fresh()
	good := m.read(KeyFile)
	m.at = before.ca.cert.NotAfter.Add(-24 * time.Hour)
	m.write(KeyFile, "nonsense", 0o600)
	for range 3 {
		if got := a.fresh(); got != before {
			t.Fatal("no longer serves what is valid for another day")
		}
	}
	if n := strings.Count(m.log.String(), "could not be renewed"); n != 1 {
		t.Errorf("logged %d times within a minute:\n%s", n, &m.log)
	}
	m.write(KeyFile, good, 0o600)
	m.at = m.at.Add(2 * time.Minute)
	if a.fresh() == before {
		t.Error("not tried again")
	}
}

func TestACertificateOfALaterTimeIsReplacedWhenTheClockIsPutRight(t *testing.T) {
	m := newMachine(t)
	m.at = m.at.AddDate(10, 0, 0)
	m.mustOpen()
	m.at = m.at.AddDate(-10, 0, 0)
	a := m.mustOpen()
	if err := m.accepts(a.PEM(), a.fresh().leaf.Leaf, "localhost"); err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsNotOursIsRefusedWithAHint(t *testing.T) {
	m := newMachine(t)
	m.mustOpen()
	goodKey, goodCA := m.read(KeyFile), m.read(CAFile)
	otherMachine := newMachine(t)
	otherMachine.mustOpen()
	keyAlone, _, _ := strings.Cut(goodKey, "-----BEGIN CERTIFICATE")

	unbound := template(m.at)
	unbound.NotAfter, unbound.IsCA, unbound.MaxPathLenZero, unbound.KeyUsage = m.at.Add(Life/2), true, true, x509.KeyUsageCertSign
	everything, err := unbound.signedBy(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := everything.write(m.path("everything.pem")); err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		file, content string
		mode          os.FileMode
		says          string
	}{
		"a key others can read":            {KeyFile, goodKey, 0o644, "mode 0644"},
		"a key the group can write":        {KeyFile, goodKey, 0o620, "chmod 600"},
		"an empty key file":                {KeyFile, "", 0o600, "broken"},
		"half a key file":                  {KeyFile, goodKey[:100], 0o600, "broken"},
		"a key file without certificate":   {KeyFile, keyAlone, 0o600, "after the key"},
		"another machine's certificate":    {KeyFile, keyAlone + otherMachine.read(CAFile), 0o600, "do not belong together"},
		"a leaf in the place of the CA":    {KeyFile, m.read(leafFile), 0o600, "not a CA made by this program"},
		"a CA for every name in the world": {KeyFile, m.read("everything.pem"), 0o600, "without the name constraints"},
		"a broken certificate":             {CAFile, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0o644, "not a certificate"},
		"no certificate at all":            {CAFile, "hello", 0o644, "not a certificate in PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			m.write(KeyFile, goodKey, 0o600)
			m.write(CAFile, goodCA, 0o644)
			m.write(c.file, c.content, c.mode)
			_, err := m.open()
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), m.path(c.file)) || !strings.Contains(err.Error(), "hint: ") {
				t.Errorf("got %v", err)
			}
			if m.read(c.file) != c.content {
				t.Error("the file was overwritten")
			}
		})
	}
	if _, err := Open(m.path(CAFile), nil, m.now, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("a file in the place of the folder: %v", err)
	}
}

func TestWhatCanBeMadeAgainIsMadeAgain(t *testing.T) {
	m := newMachine(t)
	before := m.mustOpen().fresh()
	old := newMachine(t)
	old.mustOpen()
	for name, spoil := range map[string]func(){
		"the certificate is gone":                  func() { os.Remove(m.path(CAFile)) },
		"a crash left the certificate of before":   func() { m.write(CAFile, old.read(CAFile), 0o644) },
		"the leaf is gone":                         func() { os.Remove(m.path(leafFile)) },
		"the leaf is broken":                       func() { m.write(leafFile, "nonsense", 0o600) },
		"the leaf is another CA's":                 func() { m.write(leafFile, old.read(leafFile), 0o600) },
		"others could read the key of the leaf":    func() { m.write(leafFile, m.read(leafFile), 0o644) },
		"a crash left a file that was not renamed": func() { m.write(CAFile+".new", "half", 0o600); os.Remove(m.path(CAFile)) },
	} {
		spoil()
		a := m.mustOpen()
		if !a.fresh().ca.cert.Equal(before.ca.cert) {
			t.Fatalf("%s: the CA changed", name)
		}
		if err := m.accepts([]byte(m.read(CAFile)), a.fresh().leaf.Leaf, "localhost"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(m.path(leafFile)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
}

func TestManyWhoStartAtOnceEndWithOneCA(t *testing.T) {
	for _, round := range []string{"the first start", "a replacement"} {
		m := newMachine(t)
		if round == "a replacement" {
			m.at = m.mustOpen().fresh().ca.cert.NotAfter
		}
		opened := make([]*Authority, 16)
		var all sync.WaitGroup
		for i := range opened {
			all.Go(func() {
				var err error
				if opened[i], err = Open(m.dir, nil, m.now, slog.New(slog.DiscardHandler)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if t.Failed() {
			t.FailNow()
		}
		for _, a := range opened {
			if string(a.PEM()) != m.read(CAFile) || !strings.Contains(m.read(KeyFile), string(a.PEM())) {
				t.Fatalf("%s: somebody has another CA", round)
			}
			if err := m.accepts([]byte(m.read(CAFile)), a.fresh().leaf.Leaf, "localhost"); err != nil {
				t.Errorf("%s: %v", round, err)
			}
		}
	}
}

func TestAListenerSpeaksModernTLSOnly(t *testing.T) {
	m := newMachine(t)
	m.at = time.Now()
	a := m.mustOpen()
	l, err := tls.Listen("tcp", "127.0.0.1:0", a.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	for version, works := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}}
		c, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
		if (err == nil) != works {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			c.Close()
		}
	}
}
