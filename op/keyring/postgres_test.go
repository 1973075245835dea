//go:build postgres

package keyring

import (
	"sync"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// PostgreSQL lets two transactions read the same keys and add one each, which
// SQLite, with its one writer, cannot.
func TestOnPostgreSQLProcessesThatActAtOnceMakeOneKeyAndOneNext(t *testing.T) {
	server := pgtest.New(t, "fsync=off", "deadlock_timeout=20ms")
	for range 5 {
		h, url := newHouse(t), server.Database(t)
		rings := make([]*Ring, 4)
		for i := range rings {
			store, err := storage.Open(t.Context(), url, storage.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			rings[i] = h.ring(t, func(c *Config) { c.Store = store })
			h.store = &countingStore{Store: store}
		}
		atOnce := func(f func(*Ring) error) (errs []error) {
			errs = make([]error, len(rings))
			var all sync.WaitGroup
			for i, r := range rings {
				all.Go(func() { errs[i] = f(r) })
			}
			all.Wait()
			return errs
		}
		for _, err := range atOnce(func(r *Ring) error { return r.Open(h.ctx) }) {
			if err != nil {
				t.Error(err)
			}
		}
		if n := len(h.rows(t)); n != 4 {
			t.Errorf("%d keys after four starts at once", n)
		}
		for _, stage := range []string{StagePublish, StageUse, StageRetire} {
			done := 0
			for _, err := range atOnce(func(r *Ring) error { return r.Rotate(h.ctx, "ES256", stage) }) {
				if err == nil {
					done++
				} else if !vneid.IsCode(err, vneid.CodeConflict) {
					t.Error(err)
				}
			}
			if done != 1 {
				t.Errorf("%d did the stage %s", done, stage)
			}
		}
		if n := len(h.states(t, "ES256")); n != 2 {
			t.Errorf("states %v", h.states(t, "ES256"))
		}
	}
}
