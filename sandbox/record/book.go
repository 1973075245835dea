package record

import (
	"context"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Book is where records are read: what this process has written, and what
// others on the same database have.
type Book struct {
	store    vneid.Store
	recorder *Recorder // nil = this process writes none
	stopping chan struct{}
	stop     sync.Once
}

// NewBook makes a book; recorder may be nil.
func NewBook(store vneid.Store, recorder *Recorder) *Book {
	return &Book{store: store, recorder: recorder, stopping: make(chan struct{})}
}

// Stop ends all waiting.
func (b *Book) Stop() { b.stop.Do(func() { close(b.stopping) }) }

// Flush returns when what came before is written: whoever empties a world calls
// it first, or a late part would survive.
func (b *Book) Flush(ctx context.Context) { b.recorder.Flush(ctx) }

// lookAgain is how soon what other processes wrote is seen.
const lookAgain = 500 * time.Millisecond

// List lists records of the world in ctx without their steps, the newest first.
// When there are none it waits that long for one.
func (b *Book) List(ctx context.Context, f vneid.RecordFilter, wait time.Duration) (list []vneid.Record, err error) {
	world := vneid.WorldFrom(ctx)
	err = b.await(ctx, wait, func() (bool, error) {
		f.Now = world.Clock.Now()
		err := b.store.View(ctx, world.ID, func(tx vneid.Tx) (err error) {
			list, err = tx.Records(f)
			return err
		})
		return len(list) > 0, err
	})
	return list, err
}

// Get reads a record with its steps, or ErrNotFound. It waits that long for
// more than so many steps.
func (b *Book) Get(ctx context.Context, id string, more int, wait time.Duration) (r *vneid.Record, err error) {
	err = b.await(ctx, wait, func() (bool, error) {
		err := b.store.View(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) (err error) {
			r, err = tx.Record(id)
			return err
		})
		return err == nil && len(r.Steps) > more, err
	})
	return r, err
}

// WithSteps is List with the steps of each.
func (b *Book) WithSteps(ctx context.Context, f vneid.RecordFilter) (list []vneid.Record, err error) {
	b.recorder.Flush(ctx)
	world := vneid.WorldFrom(ctx)
	f.Now = world.Clock.Now()
	err = b.store.View(ctx, world.ID, func(tx vneid.Tx) error {
		if list, err = tx.Records(f); err != nil {
			return err
		}
		ids := make([]string, len(list))
		for i := range list {
			ids[i] = list[i].ID
		}
		steps, err := tx.StepsOfRecords(ids)
		for i := range list {
			list[i].Steps = steps[list[i].ID]
		}
		return err
	})
	return list, err
}

// Traffic lists the fetches that belong to no login, the oldest first.
func (b *Book) Traffic(ctx context.Context) (list []vneid.Traffic, err error) {
	b.recorder.Flush(ctx)
	err = b.store.Peek(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) error {
		list, err = tx.Traffic(time.Time{}, vneid.MostTraffic)
		return err
	})
	return list, err
}

// await looks until there is something to see, the time is over, or the sandbox
// stops; then the last look counts.
func (b *Book) await(ctx context.Context, wait time.Duration, look func() (bool, error)) error {
	b.recorder.Flush(ctx)
	var over <-chan time.Time
	for {
		news := b.recorder.News() // before the look, or something between the two would be missed
		found, err := look()
		if found || wait <= 0 || err != nil {
			return err
		}
		if over == nil {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			over = timer.C
		}
		again := time.NewTimer(lookAgain)
		select {
		case <-news:
		case <-again.C:
		case <-over:
			wait = 0
		case <-b.stopping:
			wait = 0
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		}
		again.Stop()
	}
}
