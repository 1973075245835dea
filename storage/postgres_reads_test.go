//go:build postgres

package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// inOneMessage lets asks gather and then sends them.
func inOneMessage(t *testing.T, db *postgresDB, asks ...func()) {
	t.Helper()
	r := &db.reads
	r.mu.Lock()
	r.senders = mostSenders
	r.mu.Unlock()
	var all sync.WaitGroup
	for i, ask := range asks {
		all.Go(ask)
		for waiting := 0; waiting <= i; time.Sleep(time.Millisecond) {
			r.mu.Lock()
			waiting = len(r.waiting)
			r.mu.Unlock()
		}
	}
	r.mu.Lock()
	r.senders = 1
	r.mu.Unlock()
	r.send()
	all.Wait()
}

func TestReadsInOneMessageAreAnsweredEachForItself(t *testing.T) {
	s := open(t, shared(t).Database(t))
	db := s.db.(*postgresDB)
	number := func(c *peekConn, query string, args ...any) (n int, err error) {
		return n, c.scan(t.Context(), query, args, []any{&n})
	}
	var asks []func()
	for i := range 5 {
		asks = append(asks, func() {
			if n, err := number(&peekConn{db: db}, "SELECT $1::int", i); n != i || err != nil {
				t.Errorf("%d, %v; want %d", n, err, i)
			}
		}, func() {
			if _, err := number(&peekConn{db: db}, "SELECT 1 WHERE $1::int < 0", i); !errors.Is(err, pgx.ErrNoRows) {
				t.Errorf("a row that is not there: %v", err)
			}
		})
	}
	inOneMessage(t, db, asks...)

	// With one that fails among them.
	failing := func() {
		if _, err := number(&peekConn{db: db}, "SELECT 1 / $1::int", 0); err == nil {
			t.Error("1/0 is a number")
		}
	}
	inOneMessage(t, db, append(append(asks[:3:3], failing), asks[3:]...)...)
}

func TestWhoGaveUpDoesNotKeepOthersFromTheirAnswer(t *testing.T) {
	s := open(t, shared(t).Database(t))
	db := s.db.(*postgresDB)
	ctx, cancel := context.WithCancel(t.Context())
	gone := func() {
		go func() { time.Sleep(20 * time.Millisecond); cancel() }()
		var n int
		if err := (&peekConn{db: db}).scan(ctx, "SELECT 1", nil, []any{&n}); !errors.Is(err, context.Canceled) {
			t.Errorf("a request that ended: %v", err)
		}
	}
	inOneMessage(t, db, gone, func() {
		var n int
		<-ctx.Done()
		if err := (&peekConn{db: db}).scan(t.Context(), "SELECT 2", nil, []any{&n}); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestPeeksAtOnceFindTheirRowsThoughConnectionsAreKilled(t *testing.T) {
	server := shared(t)
	u := server.Database(t)
	s := open(t, u)
	const rows = 50
	err := s.Update(t.Context(), "w", func(tx vneid.Tx) error {
		for i := range rows {
			if err := tx.InsertTokens(&vneid.Token{Hash: fmt.Sprint("t", i), ClientID: fmt.Sprint("c", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	killer, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	defer killer.Close(context.Background())
	var all sync.WaitGroup
	for u := range 16 {
		all.Go(func() {
			for i := range 200 {
				n := (u + i) % rows
				var k *vneid.Token
				err := s.Peek(t.Context(), "w", func(tx vneid.Tx) (err error) {
					if _, err := tx.Token("nobody's"); !errors.Is(err, vneid.ErrNotFound) {
						return fmt.Errorf("a token that is not there: %w", err)
					}
					k, err = tx.Token(fmt.Sprint("t", n))
					return err
				})
				if err != nil || k.ClientID != fmt.Sprint("c", n) {
					t.Errorf("token %d: %+v, %v", n, k, err)
					return
				}
			}
		})
	}
	// While nothing is on its way to an idle connection it may go; the next
	// message finds out, and is sent again.
	for range 5 {
		time.Sleep(10 * time.Millisecond)
		if _, err := killer.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'"); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
}
