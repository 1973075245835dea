package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ownCertificate is what auto makes: a certificate that signs itself and can
// sign nothing else, so whoever trusts it trusts this portal's few names and
// no more. It is never installed anywhere by itself.
type ownCertificate struct {
	file string // key and certificate, together so that they always fit
	give string // the certificate alone, to give away
	host string
	now  func() time.Time
	log  *slog.Logger

	current atomic.Pointer[tls.Certificate]
	renewal sync.Mutex
	tried   time.Time
}

const (
	ownLife  = 90 * 24 * time.Hour
	ownRenew = 14 * 24 * time.Hour // this long before its end
)

func openOwnCertificate(dir, host string, now func() time.Time, log *slog.Logger) (*ownCertificate, error) {
	o := &ownCertificate{file: filepath.Join(dir, "portal-tls.pem"), give: filepath.Join(dir, "portal-cert.pem"), host: host, now: now, log: log}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	pair, err := o.open()
	if err != nil {
		return nil, err
	}
	o.current.Store(pair)
	return o, nil
}

// get runs at every handshake, so nothing has to wake up in between.
func (o *ownCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	pair, now := o.current.Load(), o.now()
	if !o.due(pair.Leaf) || !o.renewal.TryLock() {
		return pair, nil
	}
	defer o.renewal.Unlock()
	if pair != o.current.Load() || now.Sub(o.tried).Abs() < time.Minute {
		return o.current.Load(), nil
	}
	o.tried = now
	renewed, err := o.open()
	if err != nil {
		o.log.Error("the portal's certificate could not be renewed; trying again", "end", pair.Leaf.NotAfter, "err", err)
		return pair, nil
	}
	o.current.Store(renewed)
	return renewed, nil
}

func (o *ownCertificate) due(c *x509.Certificate) bool {
	return o.now().Before(c.NotBefore) || o.now().After(c.NotAfter.Add(-ownRenew))
}

func (o *ownCertificate) open() (*tls.Certificate, error) {
	pair, err := o.read()
	switch {
	case errors.Is(err, os.ErrNotExist):
		// Linked, not renamed: of two that start at once the first one wins.
		if err := o.make(os.Link); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		pair, err = o.read()
	case err == nil && (o.due(pair.Leaf) || currentFor(pair.Leaf, o.now(), o.host) != nil):
		o.log.Warn("the portal's certificate is replaced: whoever trusted the old one has to take the new one", "file", o.give, "old_end", pair.Leaf.NotAfter)
		if err := o.make(os.Rename); err != nil {
			return nil, err
		}
		pair, err = o.read()
	}
	if err != nil {
		return nil, fmt.Errorf("%w\nhint: put %s right or remove it: a new certificate is made then", err, o.file)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	return pair, place(o.give, public, 0o644, os.Rename)
}

func (o *ownCertificate) read() (*tls.Certificate, error) {
	info, err := os.Stat(o.file)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && os.PathSeparator == '/' { // Windows has no such bits
		return nil, fmt.Errorf("%s: others can read this key (mode %04o, wanted 0600): chmod 600 it", o.file, mode)
	}
	pair, err := tls.LoadX509KeyPair(o.file, o.file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.file, err)
	}
	return &pair, nil
}

func (o *ownCertificate) make(put func(from, to string) error) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	from := o.now().Add(-time.Hour).UTC().Truncate(time.Second) // for clocks that are behind
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Sample portal"}, CommonName: "Sample portal (test)"},
		NotBefore: from, NotAfter: from.Add(ownLife - time.Second), BasicConstraintsValid: true, // and no CA
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if o.host != "" && !slices.Contains(hosts, o.host) {
		hosts = append(hosts, o.host)
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	content := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	return place(o.file, content, 0o600, put)
}

// place writes a file whole or not at all.
func place(name string, content []byte, mode os.FileMode, put func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".portal-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return put(f.Name(), name)
}

// mayVouchFor: names that only mean this machine or a private network.
func mayVouchFor(host string) bool {
	host = strings.TrimRight(strings.ToLower(host), ".")
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || ip.IsPrivate() // RFC 1918, RFC 4193
	}
	return slices.ContainsFunc([]string{"localhost", "test", "internal", "example"}, func(name string) bool {
		return host == name || strings.HasSuffix(host, "."+name)
	})
}
