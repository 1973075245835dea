package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// twoProcesses are two registries of worlds over one store, and their real
// time.
func twoProcesses(t *testing.T) (a, b *worlds, real *vneid.OffsetClock) {
	store, err := storage.Open(t.Context(), "sqlite::memory:", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	real = &vneid.OffsetClock{Base: vneid.SystemClock{}}
	open := func() *worlds {
		ws := &worlds{faults: fault.New(fault.Config{Store: store, Logger: slog.New(slog.DiscardHandler)}), config: &Config{Issuer: "http://localhost:1", SandboxURL: "http://localhost:2", Policy: vneid.DefaultPolicy()},
			store: store, passwordHash: "hash", inbox: sms.New(store), log: slog.New(slog.DiscardHandler), rand: rand.Reader, real: real,
			seed: people.None(), forget: func(string) {}, keys: func() {}, known: map[string]*keeper{}}
		if err := ws.openDefault(t.Context()); err != nil {
			t.Fatal(err)
		}
		return ws
	}
	return open(), open(), real
}

func TestExpiredRowsAndUnusedWorldsLeave(t *testing.T) {
	ctx := t.Context()
	ws, _, real := twoProcesses(t)
	for _, id := range []string{"used", "unused"} {
		if _, err := ws.Create(ctx, id, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{vneid.DefaultWorld, "used"} {
		err := ws.store.Update(ctx, id, func(tx vneid.Tx) error { return tx.InsertLogin(&vneid.Login{ID: "l", ExpiresAt: real.Now()}) })
		if err != nil {
			t.Fatal(err)
		}
	}
	gone := func(world string) bool {
		err := ws.store.View(ctx, world, func(tx vneid.Tx) error { _, err := tx.Login("l"); return err })
		return errors.Is(err, vneid.ErrNotFound)
	}
	ws.sweep(ctx)
	if gone(vneid.DefaultWorld) || gone("used") {
		t.Error("a login that just ended is gone already")
	}
	for range 50 { // half an hour each
		real.SetOffset(real.Offset() + 30*time.Minute)
		if _, err := ws.find(ctx, "used"); err != nil {
			t.Fatal(err)
		}
		ws.sweep(ctx)
	}
	if !gone(vneid.DefaultWorld) || !gone("used") {
		t.Error("logins are still there after 25 hours")
	}
	if _, err := ws.find(ctx, "unused"); !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("a world that nobody used for a day: %v", err)
	}
}

func TestWhatAnotherProcessDoesToAWorldIsSeen(t *testing.T) {
	ctx := t.Context()
	a, b, real := twoProcesses(t)
	if _, err := a.Create(ctx, "shared", []byte(`{"otp_digits": 8}`)); err != nil {
		t.Fatal(err)
	}
	k, err := b.find(ctx, "shared")
	if err != nil || k.world.Policy.OTPDigits != 8 || k.world.Policy.OTPTries != vneid.DefaultPolicy().OTPTries {
		t.Fatalf("made there: %v", err)
	}
	moved, _ := a.find(ctx, "shared")
	err = moved.moveClock(ctx, func(time.Duration, time.Time) (time.Duration, error) { return time.Hour, nil })
	if err != nil {
		t.Fatal(err)
	}
	b.follow(ctx)
	if k.clock.Offset() != time.Hour {
		t.Error("the clock was moved there and stands here")
	}
	if err := a.Delete(ctx, "shared"); err != nil {
		t.Fatal(err)
	}
	b.follow(ctx)
	if _, err := b.find(ctx, "shared"); !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("deleted there: %v", err)
	}
	// Whoever was still inside here neither leaves rows behind nor brings it back.
	a.Create(ctx, "left", nil)
	k, err = b.find(ctx, "left")
	if err != nil || !k.enter() {
		t.Fatal(err)
	}
	if err := a.Delete(ctx, "left"); err != nil {
		t.Fatal(err)
	}
	err = k.moveClock(ctx, func(time.Duration, time.Time) (time.Duration, error) { return time.Hour, nil })
	var gone *api.Problem
	if !errors.As(err, &gone) || gone.Status != http.StatusNotFound {
		t.Errorf("a clock of a world that is gone: %v", err)
	}
	late := func(tx vneid.Tx) error { return tx.InsertLogin(&vneid.Login{ID: "late"}) }
	if err := b.store.Update(ctx, "left", late); err != nil {
		t.Fatal(err)
	}
	buried := make(chan struct{})
	b.drop(k)
	go func() { b.bury(ctx, k); close(buried) }()
	k.leave()
	<-buried
	err = b.store.View(ctx, "left", func(tx vneid.Tx) error { _, err := tx.Login("late"); return err })
	if !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("a login written behind the deletion: %v", err)
	}
	if _, err := b.find(ctx, "left"); !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("it is back: %v", err)
	}
	// Deleted and made again while nobody looked: nothing of the first is left.
	a.Create(ctx, "again", nil)
	first, _ := b.find(ctx, "again")
	a.Delete(ctx, "again")
	a.Create(ctx, "again", nil)
	real.SetOffset(real.Offset() + followedFor + time.Second)
	if second, err := b.find(ctx, "again"); err != nil || second == first || string(second.world.Salt) == string(first.world.Salt) {
		t.Errorf("made again there: %v", err)
	}
}

func TestADeletionWaitsForWhoIsInside(t *testing.T) {
	ctx := t.Context()
	ws, _, _ := twoProcesses(t)
	if _, err := ws.Create(ctx, "busy", nil); err != nil {
		t.Fatal(err)
	}
	k, err := ws.find(ctx, "busy")
	if err != nil || !k.enter() {
		t.Fatal(err)
	}
	deleted := make(chan error)
	go func() { deleted <- ws.Delete(context.WithoutCancel(ctx), "busy") }()
	select {
	case <-deleted:
		t.Fatal("it is gone while somebody is inside")
	case <-time.After(50 * time.Millisecond):
	}
	if k.enter() {
		t.Error("somebody came in after its end")
	}
	k.leave()
	if err := <-deleted; err != nil {
		t.Error(err)
	}
}

func TestKnownWorldsAreBounded(t *testing.T) {
	ws, _, real := twoProcesses(t)
	forgotten := map[string]bool{}
	ws.forget = func(id string) { forgotten[id] = true }
	for i := range mostKnown + 2 {
		real.SetOffset(time.Duration(i) * time.Second)
		id := "w" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		k, err := ws.remember(vneid.WorldRecord{ID: id, Salt: []byte{1}}, real.Now(), -1)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			k.enter() // and stays
		}
	}
	if len(ws.known) != mostKnown || len(forgotten) != 2 || forgotten["waaa"] || !forgotten["wbaa"] {
		t.Errorf("%d known, forgotten %v", len(ws.known), forgotten)
	}
}
