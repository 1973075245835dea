package storage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// crowd lets Updates queue behind one that waits for them, so that they form
// one transaction in this order, and returns their errors.
func crowd(t *testing.T, s *Store, fns ...func(vneid.Tx) error) []error {
	t.Helper()
	w := sqliteOf(s).writer
	started, crowded := make(chan struct{}), make(chan struct{})
	errs := make([]error, len(fns))
	var all sync.WaitGroup
	for i, fn := range fns {
		all.Go(func() {
			errs[i] = s.Update(context.Background(), "w", func(tx vneid.Tx) error {
				if i == 0 {
					select {
					case <-crowded: // it runs again
					default:
						close(started)
						<-crowded
					}
				}
				return fn(tx)
			})
		})
		if i == 0 {
			<-started
			continue
		}
		waiting(t, w, i)
	}
	close(crowded)
	all.Wait()
	return errs
}

// waiting returns when so many wait for the connection.
func waiting(t *testing.T, w *writer, n int) {
	t.Helper()
	for range 2000 {
		w.mu.Lock()
		got := len(w.queue)
		w.mu.Unlock()
		if got == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never %d waiting", n)
}

func insertLogin(id string) func(vneid.Tx) error {
	return func(tx vneid.Tx) error { return tx.InsertLogin(&vneid.Login{ID: id}) }
}

func storedLogins(t *testing.T, s *Store) (ids []string) {
	t.Helper()
	err := s.View(context.Background(), "w", func(v vneid.Tx) error {
		return v.(*tx).orm().Table("logins").Order("id").Pluck("id", &ids).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func fileStore(t *testing.T) *Store {
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
}

func TestUpdatesThatWaitCommitTogetherInTheirOrder(t *testing.T) {
	s := fileStore(t)
	var order, sizes []int
	var fns []func(vneid.Tx) error
	for i := range updatesAtOnce + 6 {
		fns = append(fns, func(tx vneid.Tx) error {
			order, sizes = append(order, i), append(sizes, sqliteOf(s).writer.batch.size)
			return insertLogin(fmt.Sprintf("%03d", i))(tx)
		})
	}
	if err := errors.Join(crowd(t, s, fns...)...); err != nil {
		t.Fatal(err)
	}
	for i := range fns {
		if order[i] != i || sizes[i] != i%updatesAtOnce {
			t.Fatalf("order %v, sizes of the transaction %v", order, sizes)
		}
	}
	if got := len(storedLogins(t, s)); got != len(fns) {
		t.Errorf("%d logins stored, want %d", got, len(fns))
	}
}

func TestAnErrorUndoesItsOwnUpdateOnly(t *testing.T) {
	s := fileStore(t)
	mine := errors.New("mine")
	failing := func(id string) func(vneid.Tx) error {
		return func(tx vneid.Tx) error { return errors.Join(insertLogin(id)(tx), mine) }
	}
	for _, failed := range [][]string{{"a"}, {"b"}, {"d"}, {"a", "b", "c", "d"}, {"c", "d"}} {
		var fns []func(vneid.Tx) error
		var want []string
		for _, id := range []string{"a", "b", "c", "d"} {
			if slices.Contains(failed, id) {
				fns = append(fns, failing(id))
			} else {
				fns, want = append(fns, insertLogin(id)), append(want, id)
			}
		}
		for i, err := range crowd(t, s, fns...) {
			if should := slices.Contains(failed, string(rune('a'+i))); errors.Is(err, mine) != should || err != nil != should {
				t.Errorf("failing %v: Update %d returned %v", failed, i, err)
			}
		}
		if got := storedLogins(t, s); !slices.Equal(got, want) {
			t.Errorf("failing %v: stored %v, want %v", failed, got, want)
		}
		if err := s.ClearWorld(context.Background(), "w"); err != nil {
			t.Fatal(err)
		}
	}
}

// A deferred foreign key is the one thing that makes COMMIT itself fail at
// will.
func TestAFailedCommitFailsEveryUpdateInIt(t *testing.T) {
	s := fileStore(t)
	writerExec(t, s, "CREATE TABLE parents (id INTEGER PRIMARY KEY)")
	writerExec(t, s, "CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)")
	orphan := func(v vneid.Tx) error {
		_, err := v.(*tx).conn.ExecContext(context.Background(), "INSERT INTO children VALUES (1)")
		return err
	}
	for i, err := range crowd(t, s, insertLogin("a"), orphan, insertLogin("b")) {
		if err == nil || !strings.Contains(err.Error(), "commit") {
			t.Errorf("Update %d returned %v", i, err)
		}
	}
	if got := storedLogins(t, s); len(got) > 0 {
		t.Errorf("stored %v", got)
	}
	if err := s.Update(context.Background(), "w", insertLogin("c")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// SQLite answers some errors, such as a full disk, by rolling back everything.
func TestUpdatesOfABrokenTransactionRunAgain(t *testing.T) {
	s := fileStore(t)
	mine := errors.New("mine")
	breaking := func(v vneid.Tx) error {
		_, err := v.(*tx).conn.ExecContext(context.Background(), "ROLLBACK")
		return errors.Join(mine, err)
	}
	errs := crowd(t, s, insertLogin("a"), insertLogin("b"), breaking, insertLogin("c"))
	if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], mine) || errs[3] != nil {
		t.Errorf("got errors %v", errs)
	}
	if got := storedLogins(t, s); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("stored %v", got)
	}
}

func TestWhoStopsWaitingLeavesNobodyBehind(t *testing.T) {
	s := fileStore(t)
	for range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		errs := crowd(t, s, insertLogin("a"), func(vneid.Tx) error {
			go func() { done <- s.Update(ctx, "w", insertLogin("never")) }()
			waiting(t, sqliteOf(s).writer, 1) // it is the only one, and the transaction is open for it
			go cancel()
			return nil
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := s.ClearWorld(context.Background(), "w"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCloseWaitsForUpdatesThatRun(t *testing.T) {
	s := fileStore(t)
	closed := make(chan error)
	errs := crowd(t, s, func(tx vneid.Tx) error {
		go func() { closed <- s.Close() }()
		waiting(t, sqliteOf(s).writer, 1)
		return insertLogin("a")(tx)
	})
	if err := errors.Join(errs[0], <-closed); err != nil {
		t.Error(err)
	}
}

// Whoever ran again because a neighbour failed is not hurt again by the next.
func TestOnlyOnceIsAnUpdateUndoneForANeighbour(t *testing.T) {
	s := fileStore(t)
	mine := errors.New("mine")
	failing := func(tx vneid.Tx) error { return errors.Join(insertLogin("never")(tx), mine) }
	runs := 0
	victim := func(tx vneid.Tx) error { runs++; return insertLogin("a")(tx) }
	fns := []func(vneid.Tx) error{victim}
	for range 20 {
		fns = append(fns, failing)
	}
	errs := crowd(t, s, fns...)
	if errs[0] != nil || runs > 2 {
		t.Errorf("%v after %d runs", errs[0], runs)
	}
	for _, err := range errs[1:] {
		if !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
	}
	if got := storedLogins(t, s); !slices.Equal(got, []string{"a"}) {
		t.Errorf("stored %v", got)
	}
}
