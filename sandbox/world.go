package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// keeper keeps a world: its salt, its clock and its seed, in memory and in the
// store, and who is in it.
type keeper struct {
	world        *vneid.World
	clock        *vneid.OffsetClock
	store        vneid.Store
	passwordHash string // of the personas
	inbox        *sms.Network
	seed         people.Data
	clients      []people.Client // of the configuration; they win over those of the seed
	carried      []fault.Armed   // of the configuration
	tokenHash    string          // of the world's own API token, "" = none
	faults       *fault.Engine
	log          *slog.Logger

	mu    sync.Mutex   // one change of the record at a time
	moves atomic.Int64 // of the clock and the faults, by this process

	used, noted atomic.Int64 // real time in milliseconds: of the last request, and as it is kept

	inside sync.Mutex
	guests int
	ended  bool
	empty  chan struct{} // closed when it ended and nobody is in it any more
}

// enter counts a request in, unless the world ended.
func (k *keeper) enter() bool {
	k.inside.Lock()
	defer k.inside.Unlock()
	if !k.ended {
		k.guests++
	}
	return !k.ended
}

func (k *keeper) leave() {
	k.inside.Lock()
	defer k.inside.Unlock()
	if k.guests--; k.guests == 0 && k.ended {
		close(k.empty)
	}
}

func (k *keeper) occupied() bool {
	k.inside.Lock()
	defer k.inside.Unlock()
	return k.guests > 0
}

// endWithin is how long the end of a world waits for those who are inside.
const endWithin = 2 * time.Second

// end lets nobody in any more and waits for those who are inside.
func (k *keeper) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endWithin)
	defer cancel()
	k.inside.Lock()
	if !k.ended {
		k.ended, k.empty = true, make(chan struct{})
		if k.guests == 0 {
			close(k.empty)
		}
	}
	k.inside.Unlock()
	k.inbox.Wake(k.world.ID)
	select {
	case <-k.empty:
	case <-ctx.Done(): // they wait for something: whatever they do then finds nothing
	}
}

func (k *keeper) use(now time.Time)  { k.used.Store(now.UnixMilli()) }
func (k *keeper) lastUse() time.Time { return time.UnixMilli(k.used.Load()) }

// noteUse reports, once in a while, that the store should hear of the use.
func (k *keeper) noteUse(now time.Time) bool {
	noted := k.noted.Load()
	return now.Sub(time.UnixMilli(noted)) > usedEvery && k.noted.CompareAndSwap(noted, now.UnixMilli())
}

// openDefault loads the default world or makes it.
func (ws *worlds) openDefault(ctx context.Context) error {
	record, err := ws.store.World(ctx, vneid.DefaultWorld)
	if errors.Is(err, vneid.ErrNotFound) || err == nil && len(record.Salt) == 0 {
		record = vneid.WorldRecord{ID: vneid.DefaultWorld, Salt: make([]byte, 32)}
		if _, err := io.ReadFull(ws.rand, record.Salt); err != nil {
			return fmt.Errorf("make the world's salt: %w", err)
		}
		if err := ws.store.PutWorld(ctx, record); err != nil {
			return fmt.Errorf("keep the new world: %w", err)
		}
		// Another process may have been faster; its salt counts.
		record, err = ws.store.World(ctx, vneid.DefaultWorld)
	}
	if err != nil {
		return fmt.Errorf("read the world: %w", err)
	}
	ws.defaultWorld = ws.keeper(record, ws.config.Policy)
	ws.defaultWorld.clock.SetOffset(offsetOf(record))
	ws.defaultWorld.arm(record.Faults)
	return nil
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
	if err := people.PutClients(ctx, k.store, k.world, k.clients); err != nil || len(k.carried) == 0 {
		return err
	}
	record, err := k.record(ctx)
	if err != nil || record.Faults != "" {
		return err
	}
	record.Faults = fault.Keep(k.carried)
	if err := k.store.PutWorld(ctx, record); err != nil {
		return fmt.Errorf("keep the faults: %w", err)
	}
	k.moves.Add(1)
	k.arm(record.Faults)
	return nil
}

// record is what the store keeps of the world. Who changes it writes it back:
// that would bring back a world that another process deleted.
func (k *keeper) record(ctx context.Context) (vneid.WorldRecord, error) {
	record, err := k.store.World(ctx, k.world.ID)
	if errors.Is(err, vneid.ErrNotFound) {
		return record, noWorld(k.world.ID)
	}
	if err != nil {
		return record, fmt.Errorf("read the world: %w", err)
	}
	return record, nil
}

// moveClock moves the clock for good.
func (k *keeper) moveClock(ctx context.Context, change func(offset time.Duration, real time.Time) (time.Duration, error)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	record, err := k.record(ctx)
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
	k.moves.Add(1)
	k.clock.SetOffset(offset)
	k.inbox.Wake(k.world.ID)
	return nil
}

// followEvery is how soon, in real time, a clock that another process moved is
// followed here.
const followEvery = time.Second / 2

// follow brings the clock where the record says: several processes may serve
// one world, and any of them may be told to move it. moves is how often we had
// moved it ourselves before the record was read: one read before that is past.
func (k *keeper) follow(record vneid.WorldRecord, moves int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.moves.Load() != moves {
		return
	}
	k.noted.Store(record.UsedAt.UnixMilli())
	k.arm(record.Faults)
	if offset := offsetOf(record); offset != k.clock.Offset() {
		k.clock.SetOffset(offset)
		k.inbox.Wake(k.world.ID)
	}
}

// arm brings the faults of the world to what its record says. A record of a
// newer program may hold what this one cannot read: then nothing is armed.
func (k *keeper) arm(kept string) {
	if err := k.faults.Follow(k.world.ID, kept); err != nil {
		k.log.Warn("the armed faults cannot be read", "world", k.world.ID, "error", err)
	}
}

// changeFaults replaces what is armed in the world, for good.
func (k *keeper) changeFaults(ctx context.Context, change func(all []fault.Armed) []fault.Armed) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	record, err := k.record(ctx)
	if err != nil {
		return err
	}
	k.arm(record.Faults) // another process may have changed them just now
	list := change(k.faults.Armed(k.world.ID))
	if len(list) > fault.MostArmed {
		return api.Invalid("faults", fmt.Sprintf("at most %d at a time in a world", fault.MostArmed))
	}
	record.Faults = fault.Keep(list)
	if err := k.store.PutWorld(ctx, record); err != nil {
		return fmt.Errorf("keep the faults: %w", err)
	}
	k.moves.Add(1)
	k.arm(record.Faults)
	return nil
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
	record, err := k.record(ctx)
	if err != nil {
		return err
	}
	record.SeedVersion, record.ClockOffsetMS, record.Faults = "", 0, ""
	if err := k.store.PutWorld(ctx, record); err != nil {
		return fmt.Errorf("begin the reset: %w", err)
	}
	k.moves.Add(1)
	k.clock.SetOffset(0)
	k.arm("")
	if err := k.store.ClearWorld(ctx, k.world.ID); err != nil {
		return fmt.Errorf("clear the world: %w", err)
	}
	err = k.fill(ctx)
	k.inbox.Wake(k.world.ID)
	return err
}
