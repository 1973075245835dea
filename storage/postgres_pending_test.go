//go:build postgres

package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// twoStores are two processes on one database.
func twoStores(t *testing.T) (a, b *Store) {
	t.Helper()
	u := shared(t).Database(t)
	return open(t, u), open(t, u)
}

// pendingIn is how many statements wait to be sent.
func pendingIn(v vneid.Tx) int {
	if c, ok := v.(*tx).conn.(*peekConn); ok {
		return len(c.pending)
	}
	return len(v.(*tx).conn.(*postgresConn).pending)
}

func TestAPendingWriteOfAChangedRowRunsAgain(t *testing.T) {
	s, other := twoStores(t)
	ctx := context.Background()
	if err := s.Update(ctx, "w", insertLogin("l")); err != nil {
		t.Fatal(err)
	}
	count := func(v vneid.Tx) (*vneid.Login, error) {
		l, err := v.Login("l")
		if err != nil {
			return nil, err
		}
		l.OTP.Tries++
		return l, v.SaveLogin(l)
	}
	runs := 0
	var saved *vneid.Login
	err := s.Update(ctx, "w", func(v vneid.Tx) (err error) {
		runs++
		if saved, err = count(v); err != nil {
			return err
		}
		if runs > 1 {
			return nil
		}
		if pendingIn(v) != 1 {
			t.Errorf("%d statements are pending, want the one that saves", pendingIn(v))
		}
		return other.Update(ctx, "w", func(v vneid.Tx) error { _, err := count(v); return err })
	})
	if err != nil || runs != 2 || saved.OTP.Tries != 2 || saved.Version != 2 {
		t.Errorf("%v after %d runs, saved %+v", err, runs, saved)
	}
}

func TestOfManyWhoSawATokenUnusedOneUsesIt(t *testing.T) {
	a, b := twoStores(t)
	ctx := context.Background()
	err := a.Update(ctx, "w", func(v vneid.Tx) error { return v.InsertTokens(&vneid.Token{Hash: "t", GrantID: "g"}) })
	if err != nil {
		t.Fatal(err)
	}
	var winners, issued atomic.Int32
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			won := false
			err := []*Store{a, b}[i%2].Update(ctx, "w", func(v vneid.Tx) error {
				if _, err := v.Token("t"); err != nil {
					return err
				}
				var err error
				if won, err = v.UseToken("t", time.UnixMilli(1)); err != nil || !won {
					return err
				}
				return v.InsertTokens(&vneid.Token{Hash: fmt.Sprint("new", i), GrantID: "g"})
			})
			if err != nil {
				t.Error(err)
			}
			if won {
				winners.Add(1)
			}
			if a.Peek(ctx, "w", func(v vneid.Tx) error { _, err := v.Token(fmt.Sprint("new", i)); return err }) == nil {
				issued.Add(1)
			}
		})
	}
	all.Wait()
	if winners.Load() != 1 || issued.Load() != 1 {
		t.Errorf("%d winners, %d tokens issued", winners.Load(), issued.Load())
	}
}

func TestATakenKeyAmongPendingWritesLeavesNothing(t *testing.T) {
	s, _ := twoStores(t)
	ctx := context.Background()
	if err := s.Update(ctx, "w", insertLogin("taken")); err != nil {
		t.Fatal(err)
	}
	write := func(v vneid.Tx) error {
		if _, err := v.Login("taken"); err != nil {
			return err
		}
		return errors.Join(insertLogin("before")(v), v.PutThrottle(&vneid.Throttle{Key: "k", LockedUntil: time.UnixMilli(1)}),
			insertLogin("taken")(v), insertLogin("after")(v))
	}
	if err := s.Update(ctx, "w", write); !errors.Is(err, vneid.ErrExists) {
		t.Errorf("got error %v, want ErrExists", err)
	}
	if got := storedLogins(t, s); len(got) != 1 {
		t.Errorf("stored %v", got)
	}
	err := s.Peek(ctx, "w", func(v vneid.Tx) error {
		th, err := v.Throttle("k")
		if err == nil && !th.LockedUntil.IsZero() {
			t.Error("the throttle was written")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAConnectionLostWithPendingWritesWritesNothing(t *testing.T) {
	s, other := twoStores(t)
	ctx := context.Background()
	if err := s.Update(ctx, "w", insertLogin("l")); err != nil {
		t.Fatal(err)
	}
	var l *vneid.Login
	err := s.Update(ctx, "w", func(v vneid.Tx) (err error) {
		if l, err = v.Login("l"); err != nil {
			return err
		}
		if err := errors.Join(v.SaveLogin(l), insertLogin("lost")(v)); err != nil {
			return err
		}
		var killed bool
		pid := v.(*tx).conn.(*postgresConn).pgx.PgConn().PID()
		if err := other.db.(*postgresDB).db.QueryRow("SELECT pg_terminate_backend($1, 5000)", pid).Scan(&killed); err != nil || !killed {
			t.Errorf("killed %v, %v", killed, err)
		}
		return nil
	})
	if !errors.Is(err, vneid.ErrUnavailable) || l.Version != 0 {
		t.Errorf("got error %v and version %d, want ErrUnavailable and 0", err, l.Version)
	}
	if got := storedLogins(t, other); len(got) != 1 {
		t.Errorf("stored %v", got)
	}
}

func TestARowThatWasAnnouncedIsReadOnce(t *testing.T) {
	s, _ := twoStores(t)
	ctx := context.Background()
	err := s.Update(ctx, "w", func(v vneid.Tx) error {
		return errors.Join(v.InsertLogin(&vneid.Login{ID: "l", CCCD: "038090000001", Request: vneid.AuthRequest{ClientID: "gone"}}),
			v.PutAccount(&vneid.Account{Persona: vneid.Persona{CCCD: "038090000001", Name: "An"}}),
			v.PutThrottle(&vneid.Throttle{Key: "k", LockedUntil: time.UnixMilli(5)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func(context.Context, string, func(vneid.Tx) error) error{"Update": s.Update, "View": s.View, "Peek": s.Peek} {
		err := run(ctx, "w", func(v vneid.Tx) error {
			v.Ahead(vneid.Ahead{Login: "l", Account: "038090000001", Throttles: []string{"none", "k"}})
			l, c, a, err := v.LoginWith("l")
			if err != nil || l.ID != "l" || c != nil || a == nil || a.Name != "An" {
				t.Errorf("%s: %+v, %+v, %+v, %v", name, l, c, a, err)
			}
			if n := pendingIn(v); n != 0 {
				t.Errorf("%s: %d statements still pending: not all were sent together", name, n)
			}
			if again, err := v.Account("038090000001"); err != nil || again.Name != "An" {
				t.Errorf("%s: %+v, %v", name, again, err)
			}
			none, err1 := v.Throttle("none")
			th, err2 := v.Throttle("k")
			if err := errors.Join(err1, err2); err != nil || !none.LockedUntil.IsZero() || th.LockedUntil.UnixMilli() != 5 {
				t.Errorf("%s: %+v, %+v, %v", name, none, th, err)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
