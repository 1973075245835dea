package sandbox

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// mixed is a listener of TLS that answers http as well, while its gate says so:
// a network in which somebody took the TLS away. At all other times it hands
// out what comes, and looks at nothing.
type mixed struct {
	net.Listener
	plain  func() bool
	config *tls.Config
	looked *looked
}

func newMixed(l net.Listener, g *gate, config *tls.Config) *mixed {
	m := &mixed{Listener: l, plain: g.plain, config: config.Clone(), looked: &looked{Listener: l, conns: make(chan net.Conn), closed: make(chan struct{})}}
	m.config.NextProtos = []string{"http/1.1"}
	// The server closes it, and says there that it is closed.
	go func() { _ = g.server.Serve(m.looked) }()
	return m
}

func (m *mixed) Accept() (net.Conn, error) {
	for {
		c, err := m.Listener.Accept()
		if err != nil || !m.plain() {
			return c, err
		}
		go m.look(c)
	}
}

// handshakeRecord begins whatever speaks TLS (RFC 8446 §5.1).
const handshakeRecord = 22

// look tells the two apart by their first byte.
func (m *mixed) look(c net.Conn) {
	_ = c.SetReadDeadline(vneid.SystemClock{}.Now().Add(5 * time.Second)) // where that fails reading does
	b := bufio.NewReaderSize(c, 16)
	first, err := b.Peek(1)
	if err == nil {
		err = c.SetReadDeadline(time.Time{})
	}
	if err != nil {
		c.Close()
		return
	}
	var conn net.Conn = &peeked{c, b, m.plain}
	if first[0] == handshakeRecord {
		conn = tls.Server(&peeked{c, b, func() bool { return true }}, m.config)
	}
	select {
	case m.looked.conns <- conn:
	case <-m.looked.closed:
		c.Close()
	}
}

// peeked is a connection of which something was read ahead. It ends when it may
// go on no longer.
type peeked struct {
	net.Conn
	ahead *bufio.Reader
	may   func() bool
}

func (p *peeked) Read(b []byte) (int, error) {
	n, err := p.ahead.Read(b)
	if !p.may() {
		return 0, io.EOF
	}
	return n, err
}

// looked is the listener whose connections were looked at.
type looked struct {
	net.Listener // for its address
	conns        chan net.Conn
	once         sync.Once
	closed       chan struct{}
}

func (l *looked) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *looked) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}
