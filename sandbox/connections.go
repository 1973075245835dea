package sandbox

import (
	"net"
	"net/http"
	"sync"
)

// maxConnections is how many connections the program keeps open at most, where
// the system lets it open more files than that. Three quarters are the
// provider's, the rest the sandbox listener's: whoever fills one does not close
// the other.
const maxConnections = 16_000

// connectionsFor divides what the configuration, or the system, allows.
func (c *Config) connectionsFor() (provider, sandbox int) {
	n := c.MaxConnections
	if n <= 0 {
		n = maxConnections
		if files := openFiles(); files > 0 {
			n = min(n, files/4*3) // the rest is for databases and whatever else
		}
	}
	provider = max(1, n/4*3)
	return provider, max(1, n-provider)
}

// gate bounds the connections of a server, over all of its listeners. net/http
// has no bound, and one that can open no file any more serves nobody, the
// database included. Who comes to a full server waits before the door, in the
// system's queue; connections that only might be used again are closed for them (those of
// HTTP/2 when they have been idle for two minutes).
type gate struct {
	server *http.Server
	places chan struct{}
}

// newGate makes the gate of a server and learns from it who leaves.
func newGate(s *http.Server, places int) *gate {
	g := &gate{server: s, places: make(chan struct{}, places)}
	track := s.ConnState
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			<-g.places
		}
		track(c, state)
	}
	return g
}

func (g *gate) on(l net.Listener) net.Listener {
	return &gated{Listener: l, gate: g, closed: make(chan struct{})}
}

type gated struct {
	net.Listener
	gate   *gate
	once   sync.Once
	closed chan struct{}
}

func (l *gated) Accept() (net.Conn, error) {
	places := l.gate.places
	select {
	case places <- struct{}{}:
	default:
		l.gate.server.SetKeepAlivesEnabled(false) // closes those that wait for another request
		select {
		case places <- struct{}{}:
			l.gate.server.SetKeepAlivesEnabled(true)
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-places
	}
	return c, err
}

func (l *gated) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
