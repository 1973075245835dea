package record

import (
	"cmp"
	"context"
	"slices"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// writer gathers parts and writes them. It belongs to Run.
type writer struct {
	r      *Recorder
	worlds []*pending
	rows   map[string]int // world → parts of records and rows of traffic since it was pruned
	broken bool           // the last flush failed, and the log knows
}

// pending is what waits of one world.
type pending struct {
	world   string
	parts   []*vneid.Record
	byID    map[string]*vneid.Record
	traffic []*vneid.Traffic
}

func (w *writer) of(world string) *pending {
	i := slices.IndexFunc(w.worlds, func(p *pending) bool { return p.world == world })
	if i < 0 {
		i = len(w.worlds)
		w.worlds = append(w.worlds, &pending{world: world, byID: map[string]*vneid.Record{}})
	}
	return w.worlds[i]
}

func (p *pending) add(part *vneid.Record) {
	if part.ID == "" {
		if known := p.ofSession(part); known != nil {
			// Here and not by the store, so that the steps keep their order.
			known.Steps, known.UpdatedAt = append(known.Steps, part.Steps...), part.UpdatedAt
			return
		}
		p.parts = append(p.parts, part)
		return
	}
	if known := p.byID[part.ID]; known != nil {
		merge(known, part)
		return
	}
	p.byID[part.ID] = part
	p.parts = append(p.parts, part)
}

// ofSession finds the record of a session as the store does, among those that
// wait.
func (p *pending) ofSession(part *vneid.Record) (found *vneid.Record) {
	for _, known := range p.byID {
		if known.SessionID == part.SessionID && known.ClientID == part.ClientID {
			return known
		}
	}
	return nil
}

// merge does to a part what the store does to a record: a login on its way
// makes one row, however many requests it takes.
func merge(into, part *vneid.Record) {
	into.Steps = append(into.Steps, part.Steps...)
	keep(&into.ClientID, part.ClientID)
	keep(&into.CCCD, part.CCCD)
	keep(&into.CCCDHash, part.CCCDHash)
	keep(&into.SessionID, part.SessionID)
	if part.UpdatedAt.After(into.UpdatedAt) {
		into.UpdatedAt = part.UpdatedAt
	}
	if into.StartedAt.IsZero() {
		into.StartedAt = part.StartedAt
	}
	if part.Result.Rank() >= into.Result.Rank() {
		into.Result, into.Error, into.EndsAt = part.Result, part.Error, part.EndsAt
	}
}

func keep(into *string, value string) {
	if value != "" {
		*into = value
	}
}

// gather takes what waits.
func (w *writer) gather() {
	parts, fetches := w.r.inbox.empty()
	for _, q := range parts {
		w.of(q.world).add(q.part)
	}
	for who, t := range fetches {
		p := w.of(who.world)
		p.traffic = append(p.traffic, t)
	}
}

// flush writes everything. What the store does not take is dropped: it is worth
// less than the memory that a database out of order would cost.
func (w *writer) flush(ctx context.Context) {
	w.gather()
	worlds := w.worlds
	w.worlds = nil
	if len(worlds) == 0 {
		return
	}
	var failed error
	for _, p := range worlds {
		for some := range slices.Chunk(p.parts, partsAtOnce) {
			failed = cmp.Or(failed, w.write(ctx, p.world, len(some), func(tx vneid.Tx) error {
				for _, part := range some {
					if err := tx.AddToRecord(part); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		if len(p.traffic) > 0 {
			failed = cmp.Or(failed, w.write(ctx, p.world, len(p.traffic), func(tx vneid.Tx) error {
				for _, t := range p.traffic {
					if err := tx.AddTraffic(t); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		w.prune(ctx, p.world)
	}
	if failed != nil && !w.broken {
		w.r.log.WarnContext(ctx, "records are not written, and lost", "error", failed)
	}
	w.broken = failed != nil
	w.r.tell()
}

func (w *writer) write(ctx context.Context, world string, parts int, fn func(vneid.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if err := w.r.store.Update(ctx, world, fn); err != nil {
		w.r.dropped.Add(parts)
		return err
	}
	w.r.written.Add(parts)
	if _, known := w.rows[world]; !known {
		w.rows[world] = pruneEvery // who knows how many an earlier process left
	}
	w.rows[world] += parts
	return nil
}

// prune keeps the store bounded. A failure is not ours to repair: the next one
// removes more.
func (w *writer) prune(ctx context.Context, world string) {
	if w.rows[world] < pruneEvery {
		return
	}
	w.rows[world] = 0
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if err := w.r.store.Update(ctx, world, func(tx vneid.Tx) error { return tx.PruneRecords(vneid.MostRecords, vneid.MostTraffic) }); err != nil {
		w.r.log.DebugContext(ctx, "records are not pruned", "world", world, "error", err)
	}
}
