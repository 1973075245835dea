package storage

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// writer is the one connection that writes to a file. Updates get it one
// after the other, in the order in which they came. An Update that finds
// others waiting leaves its transaction open to the next; whoever finds nobody
// waiting commits for all of them. So the flush to the disk, which is what a
// small transaction mostly costs, is shared, and nobody waits for company.
//
// Nothing marks where one Update ends and the next begins: savepoints cost more
// than what they are for. An Update that fails after it wrote something takes the
// transaction with it, and the others, who did nothing wrong, run again. From
// then on each is a savepoint, so that whoever runs again is not hurt again. All
// return when the common commit has succeeded, and fail when that fails.
type writer struct {
	conn *sqliteConn
	most int // Updates in one transaction

	mu    sync.Mutex
	busy  bool            // somebody has the connection
	queue []chan struct{} // who waits for it; closed when it is theirs

	batch *batch // the open transaction; belongs to who has the connection
}

// updatesAtOnce bounds how long the first of many waits for its commit.
const updatesAtOnce = 64

// batch is a transaction of several Updates.
type batch struct {
	size int
	// careful: somebody in it runs again, and whoever joins does so as a
	// savepoint.
	careful bool
	done    chan struct{} // closed when it is over
	err     error         // why it was not committed
}

// update runs fn as one of a batch. run counts from 1.
func (w *writer) update(ctx context.Context, run int, fn txFunc) error {
	if err := w.take(ctx); err != nil {
		return describe(ctx, "begin", err)
	}
	b, err := w.join(ctx, run, fn)
	if err != nil {
		return err
	}
	<-b.done // its end is near, and the outcome has to be known whatever ctx says
	return b.err
}

// join runs fn in the open transaction, or in a new one, and passes the
// connection on, also when fn panics.
func (w *writer) join(ctx context.Context, run int, fn txFunc) (*batch, error) {
	defer w.pass()
	if w.conn == nil {
		return nil, errClosed("update")
	}
	b := w.batch
	if b == nil {
		if err := w.conn.begin(ctx); err != nil {
			return nil, err
		}
		b = &batch{done: make(chan struct{})}
		w.batch = b
	}
	b.careful = b.careful || run > 1
	savepoint := b.careful && b.size > 0
	if savepoint {
		if err := w.conn.do("SAVEPOINT one"); err != nil {
			w.abandon(err)
			return nil, describe(ctx, "begin", err)
		}
	}
	kept, before := false, w.conn.changed
	defer func() {
		if !kept {
			w.undo(savepoint, w.conn.changed > before)
		}
	}()
	if err := fn(ctx, w.conn); err != nil {
		return nil, err
	}
	if savepoint {
		if err := w.conn.do("RELEASE one"); err != nil {
			return nil, describe(ctx, "end", err)
		}
	}
	kept = true
	b.size++
	return b, nil
}

// undo takes back what the last Update wrote.
func (w *writer) undo(savepoint, changed bool) {
	switch {
	case w.batch.size == 0:
		w.conn.do("ROLLBACK")
		w.batch = nil
		return
	case !savepoint:
		if changed {
			w.abandon(errors.New("an Update in it failed after it had written"))
		}
		return
	}
	err := w.conn.do("ROLLBACK TO one")
	if err == nil {
		err = w.conn.do("RELEASE one")
	}
	if err != nil {
		w.abandon(err)
	}
}

// abandon gives the open transaction up. SQLite has rolled it back by itself
// when there is no savepoint any more (a full disk); the Updates in it did
// nothing wrong and run again.
func (w *writer) abandon(err error) {
	w.conn.do("ROLLBACK")
	w.end(fmt.Errorf("storage: %w: the transaction broke: %w", errConflict, err))
}

func (w *writer) end(err error) {
	b := w.batch
	w.batch = nil
	b.err = err
	close(b.done)
}

// take waits until the connection is ours.
func (w *writer) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	if !w.busy {
		w.busy = true
		w.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	w.queue = append(w.queue, turn)
	w.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	i := slices.Index(w.queue, turn)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	w.mu.Unlock()
	if i < 0 { // it became ours in the same moment
		w.pass()
	}
	return ctx.Err()
}

// pass hands the connection to who waits longest, with the transaction that
// is open. When nobody waits, or enough have joined, it commits first. Who could
// come without waiting comes before that: a busy process has requests that are
// ready to run, and each that joins saves a commit.
func (w *writer) pass() {
	if w.batch != nil && !w.awaited() {
		runtime.Gosched()
	}
	for {
		w.mu.Lock()
		if w.batch == nil || len(w.queue) > 0 && w.batch.size < w.most {
			w.busy = len(w.queue) > 0
			if w.busy {
				close(w.queue[0])
				w.queue = slices.Delete(w.queue, 0, 1)
			}
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		w.commit()
	}
}

// awaited reports whether somebody waits for the connection.
func (w *writer) awaited() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) > 0
}

func (w *writer) commit() {
	err := w.conn.do("COMMIT")
	if err != nil {
		w.conn.do("ROLLBACK")
	}
	w.end(describe(context.Background(), "commit", err))
}

// read reads on the writing connection, between two transactions: a database
// in memory has no other.
func (w *writer) read(ctx context.Context, fn txFunc) error {
	if err := w.take(ctx); err != nil {
		return describe(ctx, "begin reading", err)
	}
	defer w.pass()
	if w.conn == nil {
		return errClosed("view")
	}
	return fn(ctx, w.conn)
}

// close waits a little for those who came before.
func (w *writer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := w.take(ctx); err != nil {
		return fmt.Errorf("somebody is still writing: %w", err)
	}
	defer w.pass()
	if w.batch != nil {
		w.commit()
	}
	c := w.conn
	w.conn = nil
	return c.close()
}
