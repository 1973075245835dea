// Package localca is the certificate authority of --tls auto: one per data
// folder, bound to names that only mean this machine or a private network, and
// short-lived. It gives the listeners their certificate and renews it before
// it ends, while they run.
//
// It talks to one folder. It never installs anything: whoever wants to trust
// the authority does so for one program, with ca.pem. Even somebody who steals
// ca-key.pem can not pretend to be a real site with it, because the constraints
// stand in the certificate that people trust.
package localca

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Files of the folder. The key file holds its certificate too: one file is
// replaced at once, two are not, and a key must never stand beside another
// key's certificate. ca.pem is the copy that is given away.
const (
	CAFile   = "ca.pem"
	KeyFile  = "ca-key.pem"
	leafFile = "tls.pem" // key and certificate of the listeners
	lockFile = "ca.lock"
)

const (
	// Life is how long an authority lives. Its leaf certificates end with it.
	Life = 90 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is replaced.
	renewBefore = 14 * 24 * time.Hour
	// retryAfter is how long a renewal that failed is left alone.
	retryAfter = time.Minute
	lockWithin = 5 * time.Second
)

// Authority is an open folder. It is safe for concurrent use.
type Authority struct {
	dir   string
	hosts []string
	now   func() time.Time
	log   *slog.Logger

	current atomic.Pointer[issued]
	renewal sync.Mutex // one at a time
	tried   time.Time  // the last renewal
}

// issued is what a folder holds: the authority and the listeners' certificate.
type issued struct {
	ca   pair
	leaf *tls.Certificate
}

// Open opens the authority of a folder, making what is missing or about to
// end. The leaf certificate is for hosts and for this machine's loopback names.
// now is the machine's clock: that is what other programs judge certificates
// by, not the clock of a world.
func Open(dir string, hosts []string, now func() time.Time, log *slog.Logger) (*Authority, error) {
	a := &Authority{dir: dir, now: now, log: log, hosts: []string{"localhost", "127.0.0.1", "::1"}}
	for _, h := range hosts {
		h = canonical(h)
		if !MayVouchFor(h) {
			return nil, fmt.Errorf("the local CA may not vouch for %s: it is bound to %s", h, Bounds)
		}
		if !slices.Contains(a.hosts, h) {
			a.hosts = append(a.hosts, h)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the local CA: %w; name another one with --data", err)
	}
	i, err := a.open()
	if err != nil {
		return nil, err
	}
	a.current.Store(i)
	return a, nil
}

// TLS is the configuration of a listener.
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.fresh().leaf, nil
		},
	}
}

// Ways in which a certificate is wrong.
const (
	Expired   = "expired"
	WrongHost = "wrong-host"
	UnknownCA = "unknown-ca"
)

// Wrong makes a certificate that no program may accept, for tests of those that
// look: it ended, is for another host, or is signed by an authority that nobody
// knows.
func (a *Authority) Wrong(how string) (*tls.Certificate, error) {
	ca, hosts, now := a.fresh().ca, a.hosts, a.now()
	until := ca.cert.NotAfter
	switch how {
	case Expired:
		until = now.Add(-24 * time.Hour)
	case WrongHost:
		hosts = []string{"other-host.test"}
	default:
		var err error
		if ca, err = newAuthority(now); err != nil {
			return nil, err
		}
	}
	leaf, err := ca.signUntil(hosts, now, until)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key, Leaf: leaf.cert}, nil
}

// PEM is the authority's certificate, for whoever wants to trust it.
func (a *Authority) PEM() []byte { return a.fresh().ca.certPEM() }

// File is where that certificate stands.
func (a *Authority) File() string { return filepath.Join(a.dir, CAFile) }

// fresh is what to serve now. It is asked at every handshake, so nothing has to
// wake up in between; it renews two weeks ahead, so a renewal that fails is
// only logged and tried again.
func (a *Authority) fresh() *issued {
	i, now := a.current.Load(), a.now()
	if !due(i.ca.cert, now) && !due(i.leaf.Leaf, now) {
		return i
	}
	if !a.renewal.TryLock() {
		return i // somebody is at it
	}
	defer a.renewal.Unlock()
	if i != a.current.Load() || now.Sub(a.tried).Abs() < retryAfter {
		return a.current.Load()
	}
	a.tried = now
	renewed, err := a.open()
	if err != nil {
		a.log.Error("the certificates could not be renewed; trying again", "end", i.leaf.Leaf.NotAfter, "error", err)
		return i
	}
	a.current.Store(renewed)
	return renewed
}

// due reports whether a certificate ends soon, or is of another time: the
// machine's clock was wrong then, or is now.
func due(c *x509.Certificate, now time.Time) bool {
	return now.Before(c.NotBefore) || now.After(c.NotAfter.Add(-renewBefore))
}

// open reads the folder and makes what is missing or due, while no other
// process does.
func (a *Authority) open() (*issued, error) {
	unlock, err := lock(filepath.Join(a.dir, lockFile), lockWithin)
	if err != nil {
		return nil, err
	}
	defer unlock()
	ca, err := a.authority()
	if err != nil {
		return nil, err
	}
	leaf, err := a.leaf(ca)
	if err != nil {
		return nil, err
	}
	return &issued{ca, leaf}, nil
}

func (a *Authority) authority() (pair, error) {
	name, now := filepath.Join(a.dir, KeyFile), a.now()
	ca, err := readPair(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if ca, err = newAuthority(now); err != nil {
			return pair{}, err
		}
		if err := ca.write(name); err != nil {
			return pair{}, err
		}
		a.log.Info("made a local CA; it is trusted nowhere until you say so", "file", a.File(), "until", ca.cert.NotAfter, "sha256", ca.fingerprint())
	case err != nil:
		return pair{}, withHint(err)
	case checkAuthority(ca.cert) != nil:
		return pair{}, withHint(fmt.Errorf("%s: %w", name, checkAuthority(ca.cert)))
	case due(ca.cert, now):
		old := ca
		if ca, err = newAuthority(now); err != nil {
			return pair{}, err
		}
		if err := ca.write(name); err != nil {
			return pair{}, err
		}
		a.log.Warn("the local CA was about to end and has been replaced: whoever trusted the old one has to take the new one",
			"file", a.File(), "old_end", old.cert.NotAfter, "until", ca.cert.NotAfter, "sha256", ca.fingerprint())
	}
	return ca, a.publish(ca)
}

// publish puts the certificate where people find it, unless it is there.
func (a *Authority) publish(ca pair) error {
	found, err := readFile(a.File())
	if err == nil {
		cert, err := onlyCertificate(found)
		if err != nil {
			return withHint(fmt.Errorf("%s: %w", a.File(), err))
		}
		if cert.Equal(ca.cert) {
			return nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return withHint(err)
	}
	return replace(a.File(), ca.certPEM(), 0o644)
}

// leaf is kept over restarts, so that an exception somebody made for it in a
// browser lasts. A file that does not fit is made anew: nobody trusts it by
// itself.
func (a *Authority) leaf(ca pair) (*tls.Certificate, error) {
	name, now := filepath.Join(a.dir, leafFile), a.now()
	leaf, err := readPair(name)
	if err != nil || due(leaf.cert, now) || leaf.cert.CheckSignatureFrom(ca.cert) != nil || !covers(leaf.cert, a.hosts) {
		if leaf, err = ca.sign(a.hosts, now); err != nil {
			return nil, err
		}
		if err := leaf.write(name); err != nil {
			return nil, err
		}
		a.log.Info("made a certificate", "for", strings.Join(a.hosts, " "), "until", leaf.cert.NotAfter)
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key, Leaf: leaf.cert}, nil
}

func covers(c *x509.Certificate, hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(h string) bool { return c.VerifyHostname(h) != nil })
}

// canonical is a host name or address in the form certificates have it.
func canonical(host string) string {
	host = strings.TrimRight(strings.ToLower(strings.Trim(host, "[]")), ".")
	if ip := net.ParseIP(host); ip != nil {
		return ip.String()
	}
	return host
}

func withHint(err error) error {
	return fmt.Errorf("the local CA of --tls auto can not be used: %w\n"+
		"hint: put the file right, or remove %s and %s: a new CA is made then, which has to be trusted anew", err, CAFile, KeyFile)
}
