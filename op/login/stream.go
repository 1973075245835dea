package login

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// stream is a browser that waits.
type stream struct {
	of         *watched
	generation int    // of the code that it shows
	told       string // the last news; only the worker that looks touches it
	beat       time.Time
	open       bool // the head of the answer is out: events may follow
	crowded    bool // a younger stream took its place before that
	pipe       pipe
}

// pipe is the way to a browser: its connection, taken from the HTTP server so
// that nothing but the connection is left of the request, or, where other
// requests share the connection (TLS with HTTP/2), the request itself.
// Neither method waits for long.
type pipe interface {
	send(text string) error
	close()
}

// sendWithin is how long a browser may take to make room for a few hundred
// bytes: the kernel's buffer has it at once, or it left.
const sendWithin = time.Second

// opening are the first bytes of a stream: a browser hears at once that it is
// open. retry is for programs; our script has a pace of its own.
const opening = "retry: 3000\n\n"

// taken is a connection of its own: no goroutine and no buffers of net/http.
// Nobody reads from it; that the browser left shows when something is sent.
type taken struct {
	conn  net.Conn
	clock vneid.Clock
}

// take takes the connection of an answer that has not begun. When it is not
// possible nothing has happened.
func take(w http.ResponseWriter, clock vneid.Clock) (*taken, bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	return &taken{conn, clock}, err == nil
}

// begin sends the head of the answer.
func (t *taken) begin(header http.Header) {
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(&head) // to memory
	// The end of the connection is the end of the body (RFC 9112 §6.3).
	head.WriteString("Date: " + t.clock.Now().UTC().Format(http.TimeFormat) + "\r\nConnection: close\r\n\r\n" + opening)
	_ = t.send(head.String()) // a browser that left meanwhile is found later
}

func (t *taken) send(text string) error {
	if text == "" {
		return nil
	}
	if err := t.conn.SetWriteDeadline(t.clock.Now().Add(sendWithin)); err != nil {
		return err
	}
	_, err := io.WriteString(t.conn, text)
	return err
}

func (t *taken) close() { _ = t.conn.Close() }

// held is a request that goes on: its handler writes what others send.
type held struct {
	out  chan string
	over chan struct{}
	once sync.Once
}

func newHeld() *held {
	return &held{out: make(chan string, 8), over: make(chan struct{})}
}

var errSlow = errors.New("the browser does not read")

func (h *held) send(text string) error {
	if text == "" {
		return nil
	}
	select {
	case h.out <- text:
		return nil
	default:
		return errSlow
	}
}

func (h *held) close() { h.once.Do(func() { close(h.over) }) }

// serve writes until the stream is over or the browser left.
func (h *held) serve(w http.ResponseWriter, r *http.Request, clock vneid.Clock) {
	c := http.NewResponseController(w)
	// The server's timeouts are for requests that end soon; where they cannot
	// be lifted, the browser opens another stream.
	_ = c.SetReadDeadline(time.Time{})
	write := func(text string) bool {
		_ = c.SetWriteDeadline(clock.Now().Add(5 * sendWithin))
		_, err := io.WriteString(w, text)
		return err == nil && c.Flush() == nil
	}
	for text := opening; write(text); {
		select {
		case text = <-h.out:
		case <-r.Context().Done():
			return
		case <-h.over:
			for {
				select {
				case text = <-h.out:
					if !write(text) {
						return
					}
				default:
					return
				}
			}
		}
	}
}
