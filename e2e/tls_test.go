//go:build e2e || browser

package e2e_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// withTLS makes every party of the world speak https: the provider and the sandbox by the local CA, the portal by a
// certificate of its own.
func withTLS(s *setup) { s.tls = "auto" }

// trust makes the world's visitors and programs trust what a PEM file holds, as a developer does who was told to. The
// program p writes the file when it starts.
func (w *world) trust(t *testing.T, p *process, file string) {
	t.Helper()
	h, again := w.http.Transport.(*hygienic)
	if again && h.trusted[file] {
		return
	}
	var text []byte
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(15 * time.Millisecond) {
		var err error
		if text, err = os.ReadFile(file); err == nil {
			break
		}
		if p.ended() || time.Now().After(deadline) {
			t.Fatalf("%s does not write its certificate: %v\n%s", p.name, err, w.log)
		}
	}
	roots, trusted := x509.NewCertPool(), map[string]bool{file: true}
	if again {
		roots = h.TLSClientConfig.RootCAs.Clone()
		for f := range h.trusted {
			trusted[f] = true
		}
	}
	if !roots.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", file)
	}
	fresh := &hygienic{trusted: trusted, Transport: &http.Transport{
		MaxIdleConnsPerHost: 8, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	w.http.Transport = fresh
	t.Cleanup(func() { fresh.report(t) })
}

// hygienic looks at every answer that passes: what holds under TLS holds for all of them.
type hygienic struct {
	*http.Transport
	trusted map[string]bool

	mu      sync.Mutex
	unclean []string
}

func (h *hygienic) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := h.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	complain := func(format string, args ...any) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.unclean = append(h.unclean, fmt.Sprintf("%s %s://%s%s: ", req.Method, req.URL.Scheme, req.URL.Host, req.URL.Path)+fmt.Sprintf(format, args...))
	}
	if req.URL.Scheme == "https" {
		if value := res.Header.Get("Strict-Transport-Security"); value != "" {
			complain("Strict-Transport-Security: %s would break every http project on this host name", value)
		}
		for _, c := range res.Cookies() {
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.Path != "/" || c.Domain != "" {
				complain("the cookie %s is not bound to this host over TLS: %s", c.Name, strings.ReplaceAll(c.Raw, c.Value, "…"))
			}
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode {
				complain("the cookie %s is open to scripts or other sites", c.Name)
			}
		}
	}
	if location := res.Header.Get("Location"); req.URL.Scheme == "https" && strings.HasPrefix(location, "http://"+req.URL.Hostname()+":"+req.URL.Port()) {
		complain("leads back to plain http: %s", location)
	}
	return res, nil
}

func (h *hygienic) report(t *testing.T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, c := range h.unclean {
		if i < 20 {
			t.Error(c)
		}
	}
}
