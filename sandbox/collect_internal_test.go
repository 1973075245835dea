package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestExpiredRowsLeaveEveryWorldUntilTheSandboxStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	store, err := storage.Open(ctx, "sqlite::memory:", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	clock := &vneid.OffsetClock{Base: vneid.SystemClock{}}
	var worlds []*vneid.World
	for _, id := range []string{"a", "b"} {
		w := &vneid.World{ID: id, Clock: clock, Policy: vneid.DefaultPolicy()}
		worlds = append(worlds, w)
		err := store.Update(ctx, id, func(tx vneid.Tx) error {
			return tx.InsertLogin(&vneid.Login{ID: "l", ExpiresAt: clock.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		collectExpired(ctx, store, slog.New(slog.DiscardHandler), time.Millisecond, worlds...)
	}()
	gone := func(world string) bool {
		err := store.View(ctx, world, func(tx vneid.Tx) error { _, err := tx.Login("l"); return err })
		return errors.Is(err, vneid.ErrNotFound)
	}
	if gone("a") || gone("b") {
		t.Error("a login that just ended is gone already")
	}
	clock.SetOffset(25 * time.Hour)
	for i := 0; !gone("a") || !gone("b"); i++ {
		if i == 1000 {
			t.Fatal("the logins are still there")
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	<-ended
}
