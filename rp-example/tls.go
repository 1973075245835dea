package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// PORTAL_TLS: off, auto, or the names of two files.
const (
	tlsOff  = "off"
	tlsAuto = "auto"
)

func (c config) usesTLS() bool { return c.TLS != "" && c.TLS != tlsOff }

func (c config) tlsFiles() (cert, key string, ok bool) {
	cert, key, ok = strings.Cut(c.TLS, ",")
	cert, key = strings.TrimSpace(cert), strings.TrimSpace(key)
	return cert, key, ok && cert != "" && key != "" && !strings.Contains(key, ",")
}

// tlsHost is the name that browsers ask for, "" when it is not known yet.
func (c config) tlsHost() string {
	if u, err := url.Parse(c.URL); c.URL != "" && err == nil {
		return u.Hostname()
	}
	host, _, _ := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return ""
	}
	return host
}

// loadTLS reads the files that PORTAL_TLS and PORTAL_CA name, and says at the
// start what browsers, or the first sign-in, would complain about later.
func (c *config) loadTLS(now time.Time) error {
	var wrong []error
	certFile, keyFile, given := c.tlsFiles()
	switch {
	case !c.usesTLS():
	case c.TLS == tlsAuto:
		if h := c.tlsHost(); h != "" && !mayVouchFor(h) {
			wrong = append(wrong, fmt.Errorf("PORTAL_TLS (--portal-tls): auto makes no certificate for %s, only for localhost, *.test, *.internal, *.example and private addresses; give CERT.pem,KEY.pem", h))
		}
	case !given:
		wrong = append(wrong, fmt.Errorf("PORTAL_TLS (--portal-tls): %q is neither off nor auto nor CERT.pem,KEY.pem", c.TLS))
	default:
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err == nil {
			err = currentFor(pair.Leaf, now, c.tlsHost())
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("PORTAL_TLS (--portal-tls): %s: %w", certFile, err))
		}
		c.given = &pair
	}
	if c.usesTLS() && strings.HasPrefix(c.URL, "http://") {
		wrong = append(wrong, fmt.Errorf("PORTAL_URL (--portal-url): %q begins with http, but PORTAL_TLS is %s", c.URL, c.TLS))
	}
	if c.CA != "" {
		roots, err := readRoots(c.CA, now)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("PORTAL_CA (--portal-ca): %s: %w", c.CA, err))
		}
		c.roots = roots
	}
	return errors.Join(wrong...)
}

func currentFor(leaf *x509.Certificate, now time.Time, host string) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("expired at %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("not valid before %s; is this machine's clock right?", leaf.NotBefore.UTC().Format(time.RFC3339))
	case host != "":
		return leaf.VerifyHostname(host)
	}
	return nil
}

// readRoots reads whom to trust instead of the system's authorities: a portal
// that knows its provider's CA has no reason to believe a hundred others.
func readRoots(file string, now time.Time) (*x509.CertPool, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, err
	}
	roots, found, expired := x509.NewCertPool(), 0, 0
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, errors.New("holds a private key, which is nobody's business here; give the certificate alone")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", found+1, err)
		}
		if found++; now.After(cert.NotAfter) {
			expired++
		}
		roots.AddCert(cert)
	}
	switch {
	case found == 0:
		return nil, errors.New("has no certificate in PEM")
	case found == expired:
		return nil, errors.New("its certificates have expired; get the provider's new one")
	}
	return roots, nil
}

// trustHint says what a refused certificate means for whoever configured us.
// The other mistakes (another name, expired, http on one side) name themselves.
func trustHint(err error) error {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return fmt.Errorf("name the PEM file of the CA that the provider's certificate comes from in PORTAL_CA: %w", err)
	}
	return err
}

// listenerTLS is nil when the portal speaks http.
func (c config) listenerTLS(now func() time.Time, log *slog.Logger) (*tls.Config, error) {
	switch {
	case !c.usesTLS():
		return nil, nil
	case c.TLS == tlsAuto:
		own, err := openOwnCertificate(filepath.Dir(c.Database), c.tlsHost(), now, log)
		if err != nil {
			return nil, fmt.Errorf("PORTAL_TLS (--portal-tls) auto: %w", err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: own.get}, nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*c.given}}, nil
}
