// Package keyring holds the keys that sign ID tokens: an active one for each
// algorithm of each world, beside those that will follow it and those that it
// followed. It makes them, keeps them in a vneid.Store (encrypted when it is
// given a key for that), signs with them, publishes them as a JWKS, and rotates
// them on demand or by schedule.
//
//	next ──use──► active ──use of its successor──► former ──retire──► retired
//
// Several processes may share a store. None of them knows what another did
// less than [Config.Pace] ago, so none signs or publishes on older knowledge,
// and every step that others must have seen waits until they have
// (docs/adr/0009-key-ring.md).
//
// It speaks no HTTP, and no private key leaves it except to the store.
package keyring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Config is what a ring is made of.
type Config struct {
	Store  vneid.Store
	Logger *slog.Logger
	Rand   vneid.Rand // of the key ids

	// SealingKey, 32 bytes, encrypts private keys in the store; none leaves
	// them in plain. OldSealingKey still opens what a former one encrypted.
	SealingKey, OldSealingKey []byte

	// Rotation is the age at which a key gets a successor, on the world's
	// clock; 0 = never by itself.
	Rotation time.Duration

	// Pace is how old a process's knowledge of the keys may be, in real time;
	// 0 = half a second. All processes on a store must have the same.
	Pace time.Duration
}

// maxWaiting is how many may wait for their signature. With RS256 (0.8 ms) and
// two cores the last of them waits 0.8 s, one that has a core to itself 1.6.
const maxWaiting = 2000

// Ring is the keys of all worlds. The world of a call comes from its context.
type Ring struct {
	Config
	sealer sealer
	queue  *queue.Queue
	pool   pool
	real   vneid.Clock // for what processes must wait for, whatever a world's clock says

	mu     sync.RWMutex
	worlds map[string]*worldRing
}

// worldRing is the keys of one world as this process knows them.
type worldRing struct {
	turn    chan struct{} // holds one: whoever reads or changes the keys
	current atomic.Pointer[snapshot]
	// longestLife of an ID token that the schedule met, in nanoseconds: clients
	// may have their own.
	longestLife atomic.Int64
}

// New makes a ring. It touches the store only when it is used.
func New(c Config) (*Ring, error) {
	s, err := newSealer(c.SealingKey, c.OldSealingKey)
	if err != nil {
		return nil, err
	}
	if c.Pace == 0 {
		c.Pace = time.Second / 2
	}
	c.SealingKey, c.OldSealingKey = nil, nil // the sealer has them
	return &Ring{Config: c, sealer: s, queue: queue.New("signatures", runtime.GOMAXPROCS(0), maxWaiting),
		real: vneid.SystemClock{}, worlds: map[string]*worldRing{}}, nil
}

// settled is how long after a change every process knows it: the pace, and as
// much again for one that was interrupted between looking and acting.
func (r *Ring) settled() time.Duration { return 2 * r.Pace }

// Forget drops what is known of a world's keys. Whoever needs them reads them
// again.
func (r *Ring) Forget(world string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.worlds, world)
}

func (r *Ring) ringOf(world string) *worldRing {
	r.mu.RLock()
	w := r.worlds[world]
	r.mu.RUnlock()
	if w != nil {
		return w
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if w = r.worlds[world]; w == nil {
		w = &worldRing{turn: make(chan struct{}, 1)}
		r.worlds[world] = w
	}
	return w
}

// take waits for the turn to read or change the keys; give gives it back.
func (w *worldRing) take(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *worldRing) give() { <-w.turn }

// Open reads the keys of the world and makes those that are missing. A server
// calls it before it listens: keys that it cannot read are its error.
func (r *Ring) Open(ctx context.Context) error {
	w := r.ringOf(vneid.WorldFrom(ctx).ID)
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.give()
	_, err := r.load(ctx, w)
	return err
}

// knowledge returns what this process knows of the world's keys, not older
// than the pace. Mostly that is a look at the clock; once per pace somebody
// reads the store, and the others wait for that.
func (r *Ring) knowledge(ctx context.Context) (*snapshot, error) {
	w := r.ringOf(vneid.WorldFrom(ctx).ID)
	if s := r.fresh(w); s != nil {
		return s, nil
	}
	if err := w.take(ctx); err != nil {
		return nil, err
	}
	defer w.give()
	if s := r.fresh(w); s != nil {
		return s, nil
	}
	return r.load(ctx, w)
}

func (r *Ring) fresh(w *worldRing) *snapshot {
	s := w.current.Load()
	if s == nil {
		return nil
	}
	if age := r.real.Now().Sub(s.at); age < 0 || age >= r.Pace {
		return nil
	}
	return s
}

// load reads the keys from the store; the first time it also encrypts those
// that lie in plain or under the old sealing key. The caller has the turn.
func (r *Ring) load(ctx context.Context, w *worldRing) (*snapshot, error) {
	world, at := vneid.WorldFrom(ctx), r.real.Now() // before reading: what is read is at least this young
	rows, err := r.rows(ctx)
	if err == nil && w.current.Load() == nil && !r.sealer.settled(world.ID, rows) {
		if err = r.reseal(ctx); err == nil {
			rows, err = r.rows(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	s, err := r.snapshot(world, w.current.Load(), rows, at)
	if err != nil {
		return nil, err
	}
	if missing := s.withoutActive(); len(missing) > 0 {
		if rows, err = r.create(ctx, missing); err != nil {
			return nil, err
		}
		if s, err = r.snapshot(world, s, rows, at); err != nil {
			return nil, err
		}
	}
	w.current.Store(s)
	return s, nil
}

func (r *Ring) rows(ctx context.Context) (rows []vneid.SigningKey, err error) {
	err = r.Store.View(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) error {
		rows, err = tx.SigningKeys()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the signing keys: %w", err)
	}
	return rows, nil
}

// create makes an active key for each algorithm that has none, and returns all
// rows. Another process may have been faster: its keys count.
func (r *Ring) create(ctx context.Context, algs []string) (rows []vneid.SigningKey, err error) {
	world := vneid.WorldFrom(ctx)
	privates, err := r.pool.all(algs)
	if err != nil {
		return nil, err
	}
	made := make([]vneid.SigningKey, len(algs))
	for i, alg := range algs {
		if made[i], err = r.newRow(world, alg, vneid.KeyActive, privates[i]); err != nil {
			return nil, err
		}
	}
	err = r.Store.Update(ctx, world.ID, func(tx vneid.Tx) error {
		if rows, err = tx.SigningKeys(); err != nil {
			return err
		}
		if err := r.sealer.readable(world.ID, rows); err != nil {
			return err
		}
		for i := range made {
			if index(rows, made[i].Alg, vneid.KeyActive) >= 0 {
				continue
			}
			if err := put(tx, &made[i]); err != nil {
				return err
			}
			rows = append(rows, made[i])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keep the new signing keys: %w", err)
	}
	// As the store will list them, by the millisecond: the JWKS keeps its bytes.
	slices.SortFunc(rows, func(a, b vneid.SigningKey) int {
		return cmp.Or(cmp.Compare(a.CreatedAt.UnixMilli(), b.CreatedAt.UnixMilli()), strings.Compare(a.KID, b.KID))
	})
	r.Logger.InfoContext(ctx, "signing keys made", "world", world.ID, "algs", algs)
	return rows, nil
}

// put writes a key that was decided on by all the others. A database may let
// two transactions read the same rows and then write different ones: two keys
// would become the next one. So each writes one more row that all write, and
// the later of two runs again.
func put(tx vneid.Tx, row *vneid.SigningKey) error {
	if err := tx.PutThrottle(&vneid.Throttle{Key: "signing keys: one change at a time"}); err != nil {
		return err
	}
	return tx.PutSigningKey(row)
}

// Seal is reseal for a world that nobody may ask for while the old sealing key
// is known.
func (r *Ring) Seal(ctx context.Context) error {
	rows, err := r.rows(ctx)
	if err != nil || r.sealer.settled(vneid.WorldFrom(ctx).ID, rows) {
		return err
	}
	return r.reseal(ctx)
}

// reseal lets every private key rest as the sealing key wants it. It fails,
// and changes nothing, when it cannot read one of them.
func (r *Ring) reseal(ctx context.Context) error {
	world, count := vneid.WorldFrom(ctx).ID, 0
	err := r.Store.Update(ctx, world, func(tx vneid.Tx) error {
		rows, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		count = 0
		for i := range rows {
			row := &rows[i]
			rest, err := unpack(row)
			if err != nil {
				return err
			}
			if rest.kind == kindPublic {
				continue
			}
			pkcs8, asItShould, err := r.sealer.open(world, row, rest)
			if err != nil {
				return rowError(world, row, err)
			}
			if asItShould {
				continue
			}
			r.sealer.seal(world, row, pkcs8, rest.since)
			if err := put(tx, row); err != nil {
				return err
			}
			count++
		}
		return nil
	})
	if err == nil && count > 0 {
		r.Logger.InfoContext(ctx, "signing keys encrypted", "world", world, "count", count)
	}
	return err
}

func rowError(world string, row *vneid.SigningKey, err error) error {
	return fmt.Errorf("signing key %s (%s, world %s): %w", row.KID, row.Alg, world, err)
}

// JWKS is the key set of the world, encoded (RFC 7517): next, active and former
// keys. While the store does not answer, it is the last one known: a key that
// left it since is a smaller harm than no keys at all.
func (r *Ring) JWKS(ctx context.Context) ([]byte, error) {
	s, err := r.knowledge(ctx)
	if err != nil && errors.Is(err, vneid.ErrUnavailable) {
		if last := r.ringOf(vneid.WorldFrom(ctx).ID).current.Load(); last != nil {
			return last.jwks, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return s.jwks, nil
}
