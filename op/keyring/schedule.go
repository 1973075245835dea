package keyring

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Waits of the schedule, on the world's clock.
const (
	// publishLead is how long a next key is published before it signs: five
	// times what the JWKS allows caches (max-age=60), for clients that heed it.
	publishLead = 5 * time.Minute
	// retireSlack is how much longer than any ID token lives a former key stays
	// published: clocks differ, and answers arrive late.
	retireSlack = 5 * time.Minute
)

// MinRotation is the shortest schedule that makes sense: one rotation is over
// before the next begins.
const MinRotation = time.Hour

// Run rotates the keys of every world that somebody used, until ctx ends. A
// clock that jumps makes a step due at most, never two: each begins its own
// wait.
func (r *Ring) Run(ctx context.Context) {
	if r.Rotation == 0 {
		return
	}
	ticker := time.NewTicker(r.Pace)
	defer ticker.Stop()
	for pause := 0; ; pause-- {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if pause > 0 {
			continue
		}
		r.mu.RLock()
		worlds := slices.Collect(maps.Values(r.worlds))
		r.mu.RUnlock()
		for _, w := range worlds {
			if err := r.tick(ctx, w); err != nil && ctx.Err() == nil {
				r.Logger.WarnContext(ctx, "signing keys not rotated", "error", err)
				pause = 60 // the store is ill: do not hammer it
			}
		}
	}
}

// tick does what is due in a world. It looks at what this process knows, and
// asks the store only when that says that something is due.
func (r *Ring) tick(ctx context.Context, w *worldRing) error {
	s := w.current.Load()
	if s == nil {
		return nil
	}
	ctx = vneid.WithWorld(ctx, s.world)
	for _, alg := range vneid.SigningAlgs() {
		now, life := s.world.Clock.Now(), max(s.world.Policy.IDTokenLifetime, time.Duration(w.longestLife.Load()))
		stage, kids := r.due(s.rows, alg, now, life)
		if stage == "" || !r.everybodyKnows(s, stage, kids) {
			continue
		}
		kids, err := r.perform(ctx, w, alg, stage)
		if err != nil && !vneid.IsCode(err, vneid.CodeConflict) { // else another process was faster
			return err
		}
		if len(kids) > 0 {
			r.log(ctx, alg, stage, kids)
		}
	}
	return nil
}

// due is what the schedule wants of an algorithm's keys now, and with which.
func (r *Ring) due(rows []vneid.SigningKey, alg string, now time.Time, life time.Duration) (stage string, kids []string) {
	older := func(state vneid.KeyState, than time.Duration) (kids []string) {
		for _, row := range rows {
			if rest, err := unpack(&row); err == nil && row.Alg == alg && row.State == state && now.Sub(rest.since) >= than {
				kids = append(kids, row.KID)
			}
		}
		return kids
	}
	if kids := older(vneid.KeyFormer, life+retireSlack); len(kids) > 0 {
		return StageRetire, kids
	}
	if kids := older(vneid.KeyNext, publishLead); len(kids) > 0 {
		return StageUse, kids
	}
	if index(rows, alg, vneid.KeyNext) < 0 && count(rows, alg) < maxListed && len(older(vneid.KeyActive, r.Rotation)) > 0 {
		return StagePublish, nil
	}
	return "", nil
}

// everybodyKnows reports whether other processes must have seen these keys in
// the state from which a stage takes them.
func (r *Ring) everybodyKnows(s *snapshot, stage string, kids []string) bool {
	from := map[string]vneid.KeyState{StageUse: vneid.KeyNext, StageRetire: vneid.KeyFormer}[stage]
	for _, kid := range kids {
		if k := s.find(kid); k == nil || k.State != from || r.real.Now().Sub(k.seen) < r.settled() {
			return false
		}
	}
	return true
}

// perform does a stage if what is stored wants it too.
func (r *Ring) perform(ctx context.Context, w *worldRing, alg, stage string) ([]string, error) {
	world := vneid.WorldFrom(ctx)
	now := world.Clock.Now()
	if stage == StagePublish {
		return r.publish(ctx, alg, func(rows []vneid.SigningKey) bool {
			due, _ := r.due(rows, alg, now, world.Policy.IDTokenLifetime)
			return due == StagePublish
		})
	}
	return r.change(ctx, func(tx vneid.Tx, rows []vneid.SigningKey) ([]vneid.SigningKey, error) {
		life := world.Policy.IDTokenLifetime
		if stage == StageRetire {
			clients, err := tx.Clients()
			if err != nil {
				return nil, err
			}
			for _, c := range clients {
				life = max(life, time.Duration(c.IDTokenLifetime)*time.Second)
			}
			w.longestLife.Store(int64(life))
		}
		due, kids := r.due(rows, alg, now, life)
		switch {
		case due != stage || !r.everybodyKnows(w.current.Load(), stage, kids):
			return nil, nil
		case stage == StageRetire:
			return r.retired(ctx, rows, kids)
		}
		return promoted(rows, alg, now)
	})
}
