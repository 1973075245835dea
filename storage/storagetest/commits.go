package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func tries(t *testing.T, s vneid.Store, id string) int {
	t.Helper()
	return get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login(id) }).OTP.Tries
}

// countUp is the smallest read-modify-write.
func countUp(id string) func(vneid.Tx) error {
	return func(tx vneid.Tx) error {
		l, err := tx.Login(id)
		if err != nil {
			return err
		}
		l.OTP.Tries++
		return tx.SaveLogin(l)
	}
}

func notThere(t *testing.T, s vneid.Store, login string) {
	t.Helper()
	err := s.View(context.Background(), world, func(tx vneid.Tx) error { _, err := tx.Login(login); return err })
	is(t, "login "+login+" that must not be there", err, vneid.ErrNotFound)
}

func errorRollsBack(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "old")
	mine := fmt.Errorf("mine, wrapping %w", vneid.ErrNotFound)
	err := s.Update(context.Background(), world, func(tx vneid.Tx) error {
		if err := errors.Join(tx.InsertLogin(&vneid.Login{ID: "new"}), countUp("old")(tx)); err != nil {
			return err
		}
		return mine
	})
	if err != mine {
		t.Errorf("Update returned %v, want the very error of the function", err)
	}
	notThere(t, s, "new")
	equal(t, "tries", tries(t, s, "old"), 0)
	if err := s.View(context.Background(), world, func(vneid.Tx) error { return mine }); err != mine {
		t.Errorf("View returned %v, want the very error of the function", err)
	}
}

func panicRollsBack(t *testing.T, s vneid.Store) {
	for name, run := range map[string]func(context.Context, string, func(vneid.Tx) error) error{"Update": s.Update, "View": s.View, "Peek": s.Peek} {
		func() {
			defer func() {
				if r := recover(); r != "ouch" {
					t.Errorf("%s: recovered %v, want the panic of the function", name, r)
				}
			}()
			run(context.Background(), world, func(tx vneid.Tx) error {
				tx.InsertLogin(&vneid.Login{ID: "new"}) // refused by View
				panic("ouch")
			})
		}()
	}
	notThere(t, s, "new")
	insertLogin(t, s, "next") // and the store goes on
}

func cancelledCommitsNothing(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "old")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, run := range map[string]func(context.Context, string, func(vneid.Tx) error) error{"Update": s.Update, "View": s.View, "Peek": s.Peek} {
		err := run(ctx, world, func(vneid.Tx) error {
			t.Errorf("%s ran the function though the context was cancelled", name)
			return nil
		})
		is(t, name, err, context.Canceled)
	}
	// Cancelled on the way: before, between and after the statements.
	for at := range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		err := s.Update(ctx, world, func(tx vneid.Tx) error {
			for i := range 3 {
				if i == at {
					cancel()
				}
				tx.InsertLogin(&vneid.Login{ID: fmt.Sprintf("new %d", i)}) // its error is forgotten here, not there
			}
			return nil
		})
		cancel()
		is(t, fmt.Sprintf("cancelled at %d", at), err, context.Canceled)
	}
	for i := range 3 {
		notThere(t, s, fmt.Sprintf("new %d", i))
	}
	update(t, s, countUp("old"))
}

func viewCannotWrite(t *testing.T, s vneid.Store) {
	e := filled("k")
	view(t, s, func(tx vneid.Tx) error {
		_, used := tx.UseToken("k 0", noon)
		for name, err := range map[string]error{
			"PutAccount": tx.PutAccount(&e.account), "PutClient": tx.PutClient(&e.client), "InsertLogin": tx.InsertLogin(&e.login),
			"SaveLogin": tx.SaveLogin(&e.login), "InsertSession": tx.InsertSession(&e.session), "SaveSession": tx.SaveSession(&e.session),
			"PutConsent": tx.PutConsent(&e.consent), "InsertTokens": tx.InsertTokens(&e.tokens[0]), "UseToken": used,
			"RevokeToken": tx.RevokeToken("k 0", noon), "RevokeGrant": tx.RevokeGrant("g", noon),
			"RevokeSessionTokens": tx.RevokeSessionTokens("s", noon), "PutThrottle": tx.PutThrottle(&e.hits),
			"PutSigningKey": tx.PutSigningKey(&e.key), "InsertSMS": tx.InsertSMS(&e.sms),
		} {
			if err == nil {
				t.Errorf("%s worked inside View", name)
			}
		}
		return nil
	})
	update(t, s, e.write) // would be refused, had one of them written
}

func peekOnlyReads(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "old")
	peek := func(fn func(vneid.Tx) error) error { return s.Peek(context.Background(), world, fn) }
	is(t, "one look", peek(func(tx vneid.Tx) error {
		l, err := tx.Login("old")
		if err == nil && l.ID != "old" {
			t.Errorf("read %+v", l)
		}
		return err
	}), nil)
	is(t, "a look at nothing", peek(func(tx vneid.Tx) error { _, err := tx.Login("none"); return err }), vneid.ErrNotFound)
	is(t, "a second look", peek(func(tx vneid.Tx) error { tx.Login("none"); _, err := tx.Login("old"); return err }), nil)
	if peek(func(tx vneid.Tx) error { return tx.InsertLogin(&vneid.Login{ID: "new"}) }) == nil {
		t.Error("Peek wrote")
	}
	notThere(t, s, "new")
	update(t, s, countUp("old")) // no lock and no transaction is left
}

func lateTxIsUseless(t *testing.T, s vneid.Store) {
	var late vneid.Tx
	update(t, s, func(tx vneid.Tx) error { late = tx; return nil })
	if late.InsertLogin(&vneid.Login{ID: "late"}) == nil {
		t.Error("a transaction wrote after its function returned")
	}
	notThere(t, s, "late")
	update(t, s, func(vneid.Tx) error { // not into somebody else's transaction either
		if late.InsertLogin(&vneid.Login{ID: "late"}) == nil {
			t.Error("a transaction wrote into a later one")
		}
		return nil
	})
	notThere(t, s, "late")
	if _, err := late.Login("late"); err == nil || errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("a transaction read after its function returned: %v", err)
	}
}

func viewSeesOneMoment(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "l")
	done := make(chan error, 1)
	view(t, s, func(tx vneid.Tx) error {
		first, err := tx.Login("l")
		if err != nil {
			return err
		}
		go func() { done <- s.Update(context.Background(), world, countUp("l")) }()
		for range 50 { // a backend may let the writer wait, but never show its work
			again, err := tx.Login("l")
			if err != nil {
				return err
			}
			if again.Version != first.Version {
				return fmt.Errorf("version %d became %d within one View", first.Version, again.Version)
			}
		}
		return nil
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	equal(t, "tries", tries(t, s, "l"), 1)
}

func staleVersionRunsAgain(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "l")
	update(t, s, func(tx vneid.Tx) error { return tx.InsertSession(&vneid.Session{ID: "s"}) })
	staleLogin := get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login("l") })
	staleSession := get(t, s, world, func(tx vneid.Tx) (*vneid.Session, error) { return tx.SessionByID("s") })
	update(t, s, countUp("l"))
	update(t, s, func(tx vneid.Tx) error { return tx.SaveSession(&vneid.Session{ID: "s", CCCD: "theirs"}) })

	runs := 0
	update(t, s, func(tx vneid.Tx) error {
		runs++
		l, se := staleLogin, staleSession
		var err error
		if runs >= 2 {
			if l, err = tx.Login("l"); err != nil {
				return err
			}
		}
		if runs >= 3 {
			if se, err = tx.SessionByID("s"); err != nil {
				return err
			}
		}
		l.OTP.Tries++
		if err := tx.InsertSMS(&vneid.SMS{ID: "once"}); err != nil { // ErrExists, were a run not rolled back
			return err
		}
		if err := tx.SaveLogin(l); err != nil {
			return err
		}
		tx.SaveSession(se) // forgetting the error does not commit either
		return nil
	})
	equal(t, "runs", runs, 3)
	equal(t, "tries", tries(t, s, "l"), 2)
	se := get(t, s, world, func(tx vneid.Tx) (*vneid.Session, error) { return tx.SessionByID("s") })
	equal(t, "session", []any{se.CCCD, se.Version}, []any{vneid.CCCD("theirs"), 2})
}

func foreverStaleGivesUp(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "l")
	stale := get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login("l") })
	update(t, s, countUp("l"))
	runs := 0
	err := s.Update(context.Background(), world, func(tx vneid.Tx) error { runs++; return tx.SaveLogin(stale) })
	is(t, "Update", err, vneid.ErrUnavailable)
	if runs < 2 || runs > 100 {
		t.Errorf("the function ran %d times", runs)
	}
	equal(t, "version of the value", stale.Version, 0)

	ctx, cancel := context.WithCancel(context.Background())
	err = s.Update(ctx, world, func(tx vneid.Tx) error { cancel(); return tx.SaveLogin(stale) })
	is(t, "Update after cancelling", err, context.Canceled)
}

func rolledBackSaveTakesVersionBack(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "l")
	l := get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login("l") })
	mine := errors.New("mine")
	err := s.Update(context.Background(), world, func(tx vneid.Tx) error {
		return errors.Join(tx.SaveLogin(l), tx.SaveLogin(l), mine)
	})
	is(t, "Update", err, mine)
	equal(t, "version after the rollback", l.Version, 0)
	update(t, s, func(tx vneid.Tx) error { return errors.Join(tx.SaveLogin(l), tx.SaveLogin(l)) })
	equal(t, "version after the commit", l.Version, 2)
	equal(t, "stored", get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login("l") }), l)
}

// together runs n copies of f at the same time and collects their errors.
func together(n int, f func(i int) error) error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errors.Join(errs...)
}

func concurrentChangesAreRecorded(t *testing.T, s vneid.Store) { countTogether(t, s, s) }

// countTogether lets two goroutines count one login up, 50 times each.
func countTogether(t *testing.T, a, b vneid.Store) {
	insertLogin(t, a, "l")
	err := together(2, func(i int) error {
		for range 50 {
			if err := []vneid.Store{a, b}[i].Update(context.Background(), world, countUp("l")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []vneid.Store{a, b} {
		l := get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login("l") })
		equal(t, "tries and version", []int{l.OTP.Tries, l.Version}, []int{100, 100})
	}
}

func oneRacerWins(t *testing.T, s vneid.Store) { raceTogether(t, s, s) }

func raceTogether(t *testing.T, a, b vneid.Store) {
	insertToken(t, a, vneid.Token{Hash: "t"})
	var winners atomic.Int32
	err := together(64, func(i int) error {
		var won bool
		err := []vneid.Store{a, b}[i%2].Update(context.Background(), world, func(tx vneid.Tx) (err error) {
			won, err = tx.UseToken("t", noon)
			return err
		})
		if won {
			winners.Add(1)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "winners", winners.Load(), int32(1))
}

func readersReadMeanwhile(t *testing.T, s vneid.Store) {
	// The writer keeps two logins equal; no reader may ever see them differ.
	insertLogin(t, s, "a")
	insertLogin(t, s, "b")
	var written atomic.Bool
	err := together(5, func(i int) error {
		if i == 0 {
			defer written.Store(true)
			for range 50 {
				err := s.Update(context.Background(), world, func(tx vneid.Tx) error {
					return errors.Join(countUp("a")(tx), countUp("b")(tx))
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
		for n := 0; n < 20 || !written.Load(); n++ {
			err := s.View(context.Background(), world, func(tx vneid.Tx) error {
				a, err1 := tx.Login("a")
				b, err2 := tx.Login("b")
				if err := errors.Join(err1, err2); err != nil {
					return err
				}
				if a.OTP.Tries != b.OTP.Tries {
					return fmt.Errorf("a has %d, b has %d", a.OTP.Tries, b.OTP.Tries)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "tries", tries(t, s, "b"), 50)
}
