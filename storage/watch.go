package storage

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// watchers are who wants to hear of logins that changed.
type watchers struct {
	mu   sync.Mutex
	next int
	fns  map[int]func(world, login string)
}

func (w *watchers) add(fn func(world, login string)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fns == nil {
		w.fns = map[int]func(string, string){}
	}
	id := w.next
	w.next++
	w.fns[id] = fn
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.fns, id)
	}
}

func (w *watchers) tell(world, login string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, fn := range w.fns {
		fn(world, login)
	}
}

// Watch calls fn after commits that woke a login. SQLite tells those of this
// process only; whoever waits looks again now and then by itself.
func (s *Store) Watch(fn func(world, login string)) (stop func()) {
	s.listening.Do(func() { s.db.listen(&s.watch) })
	return s.watch.add(fn)
}

// Wake is told to the watchers of this process after the commit. PostgreSQL
// carries it to the other processes, when and if the transaction commits.
func (t *tx) Wake(login string) error {
	return t.write("wake", func() error {
		t.woken = append(t.woken, login)
		return t.db.notify(t.ctx, t.conn, t.world, login)
	})
}

func (db *sqliteDB) listen(*watchers)                                   {}
func (db *sqliteDB) notify(context.Context, conn, string, string) error { return nil }

// channel of LISTEN and NOTIFY.
const channel = "vneid_logins"

// notify says who speaks, so that this process does not hear itself.
func (p *postgresDB) notify(ctx context.Context, c conn, world, login string) error {
	const text = "SELECT pg_notify($1, $2)"
	args := []any{channel, strconv.Itoa(int(p.self.Load())) + " " + world + " " + login}
	if c.later(text, args) {
		return nil
	}
	_, err := c.exec(ctx, text, args...)
	return err
}

// listen keeps one connection listening until close. What is said while there
// is none is lost, as a wake-up may be.
func (p *postgresDB) listen(w *watchers) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	p.endListening = func() { cancel(); <-done }
	go func() {
		defer close(done)
		for wait := minPause; ctx.Err() == nil; wait = min(2*wait, maxPause) {
			if p.listenOnce(ctx, w) {
				wait = minPause
			}
			sleep(ctx, wait)
		}
	}()
}

// Pauses between connections that could not be made, or broke.
const (
	minPause = 100 * time.Millisecond
	maxPause = 5 * time.Second
)

// listenOnce listens until its connection breaks, and reports whether there
// was one.
func (p *postgresDB) listenOnce(ctx context.Context, w *watchers) bool {
	c, err := pgx.ConnectConfig(ctx, p.config.Copy())
	if err != nil {
		return false
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
		return false
	}
	p.self.Store(c.PgConn().PID())
	self := strconv.Itoa(int(c.PgConn().PID()))
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return true
		}
		if parts := strings.Split(n.Payload, " "); len(parts) == 3 && parts[0] != self {
			w.tell(parts[1], parts[2])
		}
	}
}
