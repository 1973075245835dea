package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// listen opens an address. "localhost" is both loopback addresses, as far as
// the machine has them: browsers try ::1 first where it exists.
func listen(ctx context.Context, s setting, address string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", s.flag(), address, err)
	}
	if !strings.EqualFold(host, "localhost") {
		l, err := open(ctx, s, address)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	v4, err := open(ctx, s, net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	v6, err := open(ctx, s, net.JoinHostPort("::1", portOf(v4)))
	switch {
	case err == nil:
		return []net.Listener{v4, v6}, nil
	case errors.Is(err, syscall.EADDRINUSE) && port != "0":
		v4.Close()
		return nil, err // half of localhost would be somebody else's
	}
	return []net.Listener{v4}, nil // no IPv6 here
}

func open(ctx context.Context, s setting, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s: another program (perhaps another sandbox) listens there already; stop it, or choose another address with %s or %s: %w",
			s.flag(), address, s.flag(), s.env(), err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s %s: not permitted; ports below 1024 need privileges, take a higher one: %w", s.flag(), address, err)
	}
	return nil, fmt.Errorf("%s %s: %w", s.flag(), address, err)
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// listenAttack opens the attacker's address, when there is to be one.
func listenAttack(ctx context.Context, c *Config) ([]net.Listener, error) {
	if c.AttackListen == attackOff {
		return nil, nil
	}
	return listen(ctx, settings[3], c.AttackListen)
}

// attackPlaces bounds the attacker's open connections.
const attackPlaces = 200

// attackURL is the attacker's URL: where it listens on every address, at the
// issuer's host.
func attackURL(c *Config, l net.Listener) string {
	if !isEveryAddress(c.AttackListen) {
		return urlOf(c.scheme(), c.AttackListen, l)
	}
	u, err := url.Parse(c.Issuer)
	if err != nil {
		return urlOf(c.scheme(), "localhost:0", l) // the issuer was checked
	}
	return c.scheme() + "://" + net.JoinHostPort(u.Hostname(), portOf(l))
}

// attackerOf says where a world's faults lead to, nil = nowhere. Where every
// request names its issuer it is at the name of the request.
func (c *Config) attackerOf(base string) func(*vneid.World) string {
	if base == "" {
		return nil
	}
	return func(w *vneid.World) string {
		to := base
		if c.issuerFromRequest && isEveryAddress(c.AttackListen) {
			own, err := url.Parse(base)
			called, err2 := url.Parse(w.Issuer)
			if err == nil && err2 == nil {
				to = own.Scheme + "://" + net.JoinHostPort(called.Hostname(), own.Port())
			}
		}
		return to + w.Path
	}
}

// urlOf is the URL of an address that was asked for with the port it got.
func urlOf(scheme, address string, l net.Listener) string {
	host, _, _ := net.SplitHostPort(address)
	return scheme + "://" + net.JoinHostPort(strings.ToLower(host), portOf(l))
}
