package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"
)

// Bounds says what the authority may vouch for.
const Bounds = "localhost, *.localhost, *.test, *.internal, *.example, loopback and private addresses"

// Names stand without a leading dot, as RFC 5280 §4.2.1.10 has them for DNS:
// "test" covers every name under it. A leading dot is for URIs there, and
// libraries differ on what it means for DNS.
var (
	permittedNames  = []string{"localhost", "test", "internal", "example"}
	permittedRanges = ranges("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)

func ranges(list ...string) (nets []*net.IPNet) {
	for _, s := range list {
		_, n, err := net.ParseCIDR(s)
		if err != nil {
			panic(err)
		}
		nets = append(nets, n)
	}
	return nets
}

// MayVouchFor reports whether the authority's constraints permit a host.
func MayVouchFor(host string) bool {
	host = canonical(host)
	if ip := net.ParseIP(host); ip != nil {
		return slices.ContainsFunc(permittedRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return slices.ContainsFunc(permittedNames, func(name string) bool {
		return host == name || strings.HasSuffix(host, "."+name)
	})
}

// slack is how far back a certificate starts, for clocks that are behind.
const slack = time.Hour

func newAuthority(now time.Time) (pair, error) {
	t := template(now)
	t.NotAfter = t.NotBefore.Add(Life - time.Second) // both ends count, RFC 5280 §4.1.2.5
	// A name of its own each: programs look issuers up by name.
	t.Subject = pkix.Name{Organization: []string{"VNeID Sandbox"}, CommonName: "VNeID Sandbox local test CA " + hex.EncodeToString(t.SerialNumber.Bytes()[:4])}
	t.IsCA, t.MaxPathLenZero = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	t.PermittedDNSDomainsCritical = true // what can not read the constraints must not trust it
	t.PermittedDNSDomains, t.PermittedIPRanges = permittedNames, permittedRanges
	return t.signedBy(nil)
}

// sign makes a certificate for hosts.
func (ca pair) sign(hosts []string, now time.Time) (pair, error) {
	return ca.signUntil(hosts, now, ca.cert.NotAfter)
}

func (ca pair) signUntil(hosts []string, now, until time.Time) (pair, error) {
	t := template(now)
	t.NotAfter = until
	if t.NotBefore.Before(ca.cert.NotBefore) {
		t.NotBefore = ca.cert.NotBefore
	}
	t.Subject = pkix.Name{Organization: []string{"VNeID Sandbox"}, CommonName: "VNeID Sandbox"}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return t.signedBy(&ca)
}

type certificate x509.Certificate

func template(now time.Time) *certificate {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails
	serial[0] = serial[0]&0x7f | 0x40
	return &certificate{
		SerialNumber: new(big.Int).SetBytes(serial), NotBefore: now.Add(-slack).UTC().Truncate(time.Second),
		BasicConstraintsValid: true,
		// On the authority too: it is good for web servers and for nothing else.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// signedBy gives a new key its certificate; no authority = signed by itself.
func (t *certificate) signedBy(ca *pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("make a key: %w", err)
	}
	parent, by := (*x509.Certificate)(t), key
	if ca != nil {
		parent, by = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, (*x509.Certificate)(t), parent, &key.PublicKey, by)
	if err != nil {
		return pair{}, fmt.Errorf("make a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return pair{}, fmt.Errorf("make a certificate: %w", err)
	}
	return pair{cert, key}, nil
}

// checkAuthority refuses an authority that could vouch for more than ours,
// whoever put it there.
func checkAuthority(c *x509.Certificate) error {
	same := func(a, b []*net.IPNet) bool {
		return slices.EqualFunc(a, b, func(a, b *net.IPNet) bool { return a.String() == b.String() })
	}
	switch {
	case !c.IsCA || !c.MaxPathLenZero || c.CheckSignatureFrom(c) != nil:
		return errors.New("not a CA made by this program")
	case !c.PermittedDNSDomainsCritical || !slices.Equal(c.PermittedDNSDomains, permittedNames) || !same(c.PermittedIPRanges, permittedRanges):
		return errors.New("a CA without the name constraints of this program: " + Bounds)
	case c.NotAfter.Sub(c.NotBefore) > Life:
		return fmt.Errorf("a CA for more than %d days", Life/(24*time.Hour))
	}
	return nil
}

func (p pair) fingerprint() string {
	sum := sha256.Sum256(p.cert.Raw)
	return hex.EncodeToString(sum[:])
}
