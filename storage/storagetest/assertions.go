package storagetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func assertionIsTakenOnce(t *testing.T, s vneid.Store) {
	take := func(in string) error {
		return s.Update(context.Background(), in, func(tx vneid.Tx) error { return tx.InsertAssertion("hash", noon.Add(time.Minute)) })
	}
	var racers sync.WaitGroup
	var first atomic.Int32
	for range 64 {
		racers.Go(func() {
			switch err := take(world); {
			case err == nil:
				first.Add(1)
			case !errors.Is(err, vneid.ErrExists):
				t.Error(err)
			}
		})
	}
	racers.Wait()
	if n := first.Load(); n != 1 {
		t.Errorf("%d of 64 took it", n)
	}
	if err := take(other); err != nil {
		t.Errorf("in another world: %v", err)
	}
	collect(t, s, noon)
	if err := take(world); !errors.Is(err, vneid.ErrExists) {
		t.Errorf("before it expired: %v", err)
	}
	collect(t, s, noon.Add(time.Minute+time.Millisecond))
	if err := take(world); err != nil {
		t.Errorf("after it expired: %v", err)
	}
}
