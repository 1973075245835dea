package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"
)

// providerClient is how the pretend phones reach the provider: over HTTP, by
// its issuer, as a real phone would. Only the connection goes straight to our
// own listener: the name of the issuer may mean nothing to this machine (a
// container, *.test), and a proxy in front of it may not let us back in.
func (r *Running) providerClient(c *Config, listener net.Addr) (*http.Client, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, err
	}
	address := reachable(listener)
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
		DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			d := &tls.Dialer{NetDialer: dialer, Config: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: issuer.Hostname(), RootCAs: r.ownRoots()}}
			return d.DialContext(ctx, network, address)
		},
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, ResponseHeaderTimeout: 20 * time.Second,
	}
	return &http.Client{
		Transport: inScheme{c.scheme(), transport}, Timeout: 25 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// reachable is where a listener can be dialled: one on every address, at
// loopback.
func reachable(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	loopback := net.IPv4(127, 0, 0, 1)
	if tcp.IP.To4() == nil && tcp.IP != nil {
		loopback = net.IPv6loopback
	}
	return (&net.TCPAddr{IP: loopback, Port: tcp.Port}).String()
}

// ownRoots are the certificates by which our own listener is known: those of
// the local CA as it is now, or what --tls CERT.pem,KEY.pem serves. nil, which
// means the machine's, without either.
func (r *Running) ownRoots() *x509.CertPool {
	switch {
	case r.ca != nil:
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(r.ca.PEM())
		return pool
	case r.tls != nil && len(r.tls.Certificates) > 0:
		pool := x509.NewCertPool()
		for _, der := range r.tls.Certificates[0].Certificate {
			if cert, err := x509.ParseCertificate(der); err == nil {
				pool.AddCert(cert)
			}
		}
		return pool
	}
	return nil
}

// inScheme speaks to the listener as the listener speaks: behind a proxy the
// issuer may say https and the listener http.
type inScheme struct {
	scheme string
	next   http.RoundTripper
}

func (s inScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme = s.scheme
	return s.next.RoundTrip(r)
}
