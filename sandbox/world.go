package sandbox

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// keeper keeps a world: its salt, its clock and its seed, in memory and in the
// store.
type keeper struct {
	world        *vneid.World
	clock        *vneid.OffsetClock
	store        vneid.Store
	passwordHash string // of the personas
	inbox        *sms.Network
	seed         people.Data
	clients      []people.Client // of the configuration; they win over those of the seed

	mu sync.Mutex // one change of the record at a time
}

// openWorld loads the default world or makes it.
func openWorld(ctx context.Context, store vneid.Store, r vneid.Rand, c *Config) (*vneid.World, *vneid.OffsetClock, error) {
	clock := &vneid.OffsetClock{Base: vneid.SystemClock{}}
	w := &vneid.World{ID: vneid.DefaultWorld, Issuer: c.Issuer, Clock: clock, Policy: c.Policy}
	record, err := people.Record(ctx, store, w)
	if err != nil {
		return nil, nil, err
	}
	if len(record.Salt) == 0 {
		record.Salt = make([]byte, 32)
		if _, err := io.ReadFull(r, record.Salt); err != nil {
			return nil, nil, fmt.Errorf("make the world's salt: %w", err)
		}
		if err := store.PutWorld(ctx, record); err != nil {
			return nil, nil, fmt.Errorf("keep the new world: %w", err)
		}
		// Another process may have been faster; its salt counts.
		if record, err = people.Record(ctx, store, w); err != nil {
			return nil, nil, err
		}
	}
	w.Salt = record.Salt
	clock.SetOffset(offsetOf(record))
	return w, clock, nil
}

func offsetOf(record vneid.WorldRecord) time.Duration {
	return time.Duration(record.ClockOffsetMS) * time.Millisecond
}

// fill seeds the world unless it is, and puts the clients of the configuration
// into it.
func (k *keeper) fill(ctx context.Context) error {
	if err := people.Seed(ctx, k.store, k.world, k.passwordHash, k.seed); err != nil {
		return err
	}
	return people.PutClients(ctx, k.store, k.world, k.clients)
}

// moveClock moves the clock for good.
func (k *keeper) moveClock(ctx context.Context, change func(offset time.Duration, real time.Time) (time.Duration, error)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	record, err := people.Record(ctx, k.store, k.world)
	if err != nil {
		return err
	}
	// Not from our clock: another process may have moved its own just now.
	offset, err := change(offsetOf(record), k.clock.Base.Now())
	if err != nil {
		return err
	}
	offset = offset.Truncate(time.Millisecond) // as it is kept
	record.ClockOffsetMS = offset.Milliseconds()
	if err := k.store.PutWorld(ctx, record); err != nil {
		return fmt.Errorf("keep the clock: %w", err)
	}
	k.clock.SetOffset(offset)
	k.inbox.Wake(k.world.ID)
	return nil
}

// followEvery is how soon, in real time, a clock that another process moved is
// followed here.
const followEvery = time.Second / 2

// followClock keeps the clock where the record says until ctx ends: several
// processes may serve one world, and any of them may be told to move it.
func (k *keeper) followClock(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.readClock(ctx)
		}
	}
}

// readClock leaves the clock as it is while the store does not answer.
func (k *keeper) readClock(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	record, err := people.Record(ctx, k.store, k.world)
	if err != nil || offsetOf(record) == k.clock.Offset() {
		return
	}
	k.clock.SetOffset(offsetOf(record))
	k.inbox.Wake(k.world.ID)
}

// reset takes the world back to its seed, its clock to real time. Salt and
// signing keys stay: subjects and a client's cached keys survive.
//
// The record says "not seeded" before anything is removed, so a crash in
// between is repaired by the next start.
func (k *keeper) reset(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	// Half a reset would be worse than one nobody waits for.
	ctx = context.WithoutCancel(ctx)
	record := vneid.WorldRecord{ID: k.world.ID, Salt: k.world.Salt}
	if err := k.store.PutWorld(ctx, record); err != nil {
		return fmt.Errorf("begin the reset: %w", err)
	}
	k.clock.SetOffset(0)
	if err := k.store.ClearWorld(ctx, k.world.ID); err != nil {
		return fmt.Errorf("clear the world: %w", err)
	}
	err := k.fill(ctx)
	k.inbox.Wake(k.world.ID)
	return err
}
