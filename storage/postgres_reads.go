package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"

	"github.com/jackc/pgx/v5"
)

// reads sends together what Peeks ask for at the same time. A message costs the
// server some 50 µs, whatever it says, and another read in it a few; and here it
// is no other. Nobody waits for company: what comes while a message is on its way
// goes with the next.
type reads struct {
	db      *postgresDB
	mu      sync.Mutex
	waiting []*ask
	senders int
}

// ask is what one Peek reads before it can go on.
type ask struct {
	statements []pendingStatement
	done       chan struct{}
	err        error // none was answered, or not all
}

const (
	mostSenders = 2  // each has a connection while it sends
	mostAsks    = 32 // in one message: the first waits for the last
)

// answer waits until a is answered. Where it returns early nobody looks at what
// the statements are read into any more.
func (r *reads) answer(ctx context.Context, a *ask) error {
	r.mu.Lock()
	r.waiting = append(r.waiting, a)
	if r.senders < mostSenders {
		r.senders++
		go r.send()
	}
	r.mu.Unlock()
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send goes on until nobody waits.
func (r *reads) send() {
	for {
		runtime.Gosched() // whoever is ready to ask comes along
		r.mu.Lock()
		n := min(len(r.waiting), mostAsks)
		if n == 0 {
			r.senders--
			r.mu.Unlock()
			return
		}
		some := r.waiting[:n:n]
		r.waiting = r.waiting[n:]
		r.mu.Unlock()
		r.together(some)
	}
}

func (r *reads) together(some []*ask) {
	answered := 0 // in their order
	err := r.db.transact(context.Background(), "", 0, func(ctx context.Context, c conn) error {
		for _, a := range some {
			for i, s := range a.statements {
				if told := s.done; i == len(a.statements)-1 {
					s.done = func(err error) {
						told(err)
						if err == nil || errors.Is(err, pgx.ErrNoRows) {
							answered++
							close(a.done)
						}
					}
				}
				c.ahead(s.query, s.args, s.into, s.done)
			}
		}
		return c.flush(ctx)
	})
	for _, a := range some[answered:] {
		a.err = cmp.Or(err, errNoAnswer)
		close(a.done)
	}
}

// peekConn is what a Peek has for a connection: its reads by key go with those of
// others, its lists have a connection while they run.
type peekConn struct {
	db      *postgresDB
	pending []pendingStatement
	gorm    bool // it was asked for what only a connection of its own can do
}

var (
	_ conn = (*peekConn)(nil)

	errNeedsConn = errors.New("storage: needs a connection of its own")
)

func (c *peekConn) ahead(query string, args, into []any, done func(error)) bool {
	c.pending = append(c.pending, pendingStatement{query: query, args: args, into: into, done: done})
	return true
}

func (c *peekConn) scan(ctx context.Context, query string, args, into []any) error {
	var answer error // not of flush: it may come when this has returned
	c.ahead(query, args, into, func(err error) { answer = err })
	if err := c.flush(ctx); err != nil {
		return err
	}
	return answer
}

// flush asks again alone when the message failed: of another's fault, or of a
// connection that was lost on the way, nobody shall hear.
func (c *peekConn) flush(ctx context.Context) error {
	if len(c.pending) == 0 {
		return nil
	}
	a := &ask{statements: c.pending, done: make(chan struct{})}
	c.pending = nil
	err := c.db.reads.answer(ctx, a)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return c.db.transact(ctx, "", 0, func(ctx context.Context, own conn) error {
		for _, s := range a.statements {
			own.ahead(s.query, s.args, s.into, s.done)
		}
		return own.flush(ctx)
	})
}

func (c *peekConn) each(ctx context.Context, query string, args []any, next func() []any) error {
	return c.db.transact(ctx, "", 0, func(ctx context.Context, own conn) error { return own.each(ctx, query, args, next) })
}

func (c *peekConn) exec(context.Context, string, ...any) (int64, error) {
	return 0, errors.New("storage: Peek only reads")
}

func (c *peekConn) later(string, []any) bool { return false }

func (c *peekConn) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	c.gorm = true
	return nil, errNeedsConn
}

func (c *peekConn) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	c.gorm = true
	return nil, errNeedsConn
}

func (c *peekConn) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	c.gorm = true
	return nil, errNeedsConn
}

// QueryRowContext can only fail with an error of database/sql.
func (c *peekConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.gorm = true
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(errNeedsConn)
	return c.db.db.QueryRowContext(ctx, query, args...)
}
