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

// waiting is how many of the provider's connections may be browsers that wait
// for a phone: the rest is for pages.
func (c *Config) waiting() int {
	provider, _ := c.connectionsFor()
	return max(1, provider*9/10)
}

// gate bounds the connections of a server, over all of its listeners. net/http
// has no bound, and one that can open no file any more serves nobody, the
// database included. Who comes to a full server waits before the door, in the
// system's queue; connections that only might be used again are closed for them (those of
// HTTP/2 when they have been idle for two minutes).
type gate struct {
	server *http.Server
	places chan struct{}
	// plain says whether http is answered where TLS is spoken; nil = never.
	plain func() bool
}

func newGate(s *http.Server, places int) *gate {
	return &gate{server: s, places: make(chan struct{}, places)}
}

// placed is a connection that has a place until it is closed. (The server's
// ConnState would not tell: of a connection that a handler took, such as that
// of a browser that waits for a phone, it never hears again.)
type placed struct {
	net.Conn
	places chan struct{}
	once   sync.Once
}

func (p *placed) Close() error {
	err := p.Conn.Close()
	p.once.Do(func() { <-p.places })
	return err
}

// CloseWrite is what net/http ends an answer with when the request has not been
// read to its end: without it the browser may lose the answer.
func (p *placed) CloseWrite() error {
	if c, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
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
		return nil, err
	}
	return &placed{Conn: c, places: places}, nil
}

func (l *gated) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
