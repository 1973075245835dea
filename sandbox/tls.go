package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/localca"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What --tls may say besides the names of two files.
const (
	tlsOff  = "off"
	tlsAuto = "auto"
)

// caPath is where the sandbox listener gives its CA's certificate away.
const caPath = "/ca.pem"

// scheme is how the listeners are spoken to.
func (c *Config) scheme() string {
	if c.TLS == tlsOff {
		return "http"
	}
	return "https"
}

// tlsFiles are the two files of CERT.pem,KEY.pem.
func (c *Config) tlsFiles() (cert, key string, ok bool) {
	cert, key, ok = strings.Cut(c.TLS, ",")
	cert, key = strings.TrimSpace(cert), strings.TrimSpace(key)
	return cert, key, ok && cert != "" && key != "" && !strings.Contains(key, ",")
}

// tlsHosts are the names that clients of the two listeners will ask for.
func (c *Config) tlsHosts() []string {
	var hosts []string
	for _, at := range [][2]string{{c.Issuer, c.Listen}, {c.SandboxURL, c.SandboxListen}} {
		if u, err := url.Parse(at[0]); at[0] != "" && err == nil {
			hosts = append(hosts, u.Hostname())
		} else if host, _, err := net.SplitHostPort(at[1]); at[0] == "" && err == nil && host != "" && !isEveryAddress(at[1]) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// furtherTLSHosts are further names of this machine that the local CA may vouch
// for. Not all of allow_hosts: hosts of relying parties stand there too.
func (c *Config) furtherTLSHosts() []string {
	return slices.DeleteFunc(slices.Clone(c.AllowHosts), func(h string) bool { return !localca.MayVouchFor(h) })
}

// checkTLS says what clients would complain about later. clock is the
// machine's, by which certificates end.
func (r *reading) checkTLS(clock vneid.Clock) {
	certFile, keyFile, given := r.tlsFiles()
	switch {
	case r.TLS == tlsOff: // by http, or by https of a proxy in front
		return
	case r.TLS == tlsAuto:
		for _, h := range r.tlsHosts() {
			if !localca.MayVouchFor(h) {
				r.wrong("tls", "the local CA may not vouch for "+h, "it is bound to "+localca.Bounds+"; take such a name, or give CERT.pem,KEY.pem")
			}
		}
	case !given:
		r.wrong("tls", fmt.Sprintf("%q is neither off nor auto nor two files", r.TLS), "write off, auto, or CERT.pem,KEY.pem")
		return
	default:
		r.checkPair(certFile, keyFile, clock)
	}
	for _, s := range []struct{ key, raw string }{{"issuer", r.Issuer}, {"sandbox_url", r.SandboxURL}, {"browser_url", r.BrowserURL}} {
		if rest, ok := strings.CutPrefix(s.raw, "http://"); ok {
			r.wrong(s.key, "begins with http, but the listeners speak https with --tls "+r.TLS, "write https://"+rest)
		}
	}
}

func (r *reading) checkPair(certFile, keyFile string, clock vneid.Clock) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		r.wrong("tls", err.Error(), "name two readable files in PEM that belong together, the certificate (with its chain) first: CERT.pem,KEY.pem")
		return
	}
	now, leaf := clock.Now(), pair.Leaf
	switch {
	case now.After(leaf.NotAfter):
		r.wrong("tls", certFile+": expired at "+leaf.NotAfter.UTC().Format("2006-01-02 15:04 MST"), "get a new one, or take auto")
	case now.Before(leaf.NotBefore):
		r.wrong("tls", certFile+": not valid before "+leaf.NotBefore.UTC().Format("2006-01-02 15:04 MST"), "look at the clock of this machine")
	}
	for _, h := range r.tlsHosts() {
		if err := leaf.VerifyHostname(h); err != nil {
			r.wrong("tls", certFile+": "+strings.TrimPrefix(err.Error(), "x509: "), "take a certificate for "+h+", or an issuer and sandbox_url that it is for")
		}
	}
}

// openTLS makes what both listeners need for https.
//
// Neither sends Strict-Transport-Security: browsers keep it per host name for
// all ports, so it would break every http project on this machine's localhost.
func (r *Running) openTLS(c *Config) error {
	switch c.TLS {
	case tlsOff:
		return nil
	case tlsAuto:
		ca, err := localca.Open(c.Data, append(c.tlsHosts(), c.furtherTLSHosts()...), vneid.SystemClock{}.Now, r.log)
		if err != nil {
			return err
		}
		r.ca, r.tls = ca, ca.TLS()
	default:
		certFile, keyFile, _ := c.tlsFiles()
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return fmt.Errorf("--tls: %w", err)
		}
		r.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	return nil
}

// trusted are the authorities that vouch for clients which are told of logouts:
// the system's, our own, and those of --trust-ca. own is ours in PEM.
func (c *Config) trusted(own []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(own)
	if c.TrustCA == "" {
		return pool, nil
	}
	content, err := readFile(c.TrustCA, 1<<20)
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(content) {
		return nil, errors.New(c.TrustCA + ": no certificate in PEM")
	}
	return pool, nil
}

// handshakeLevel is where broken connections are logged. By https they are how
// a developer learns that a program does not trust the certificate.
func (r *Running) handshakeLevel() slog.Level {
	if r.tls != nil {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// serveOn serves what a listener takes. config is the server's before it began:
// serving changes its own.
func (r *Running) serveOn(g *gate, l net.Listener, config *tls.Config) error {
	if r.tls == nil {
		return g.server.Serve(l)
	}
	if g.plain != nil {
		l = newMixed(l, g, config)
	}
	return g.server.ServeTLS(l, "", "")
}

// CAFile holds the certificate of the local CA; "" without one.
func (r *Running) CAFile() string {
	if r.ca == nil {
		return ""
	}
	return r.ca.File()
}

// TrustHint says in one line how a program trusts the local CA; "" without one.
func (r *Running) TrustHint() string {
	f := r.CAFile()
	if f == "" {
		return ""
	}
	return fmt.Sprintf("CA thử nghiệm / test CA           %s  (curl --cacert %s; NODE_EXTRA_CA_CERTS=%s; SSL_CERT_FILE=%s; không bao giờ tự cài / never installed by itself)\n", f, f, f, f)
}

func (p *pages) caCertificate(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `attachment; filename="vneid-sandbox-ca.pem"`)
	w.Header().Set("Cache-Control", "no-store") // it is replaced one day
	_, _ = w.Write(p.ca.PEM())
}
