package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gorm.io/gorm"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// tx is one transaction in one world. Who began it, and who will commit it,
// is none of its business.
type tx struct {
	ctx      context.Context
	db       engine
	world    string
	writable bool
	mu       sync.Mutex // fn may have started goroutines
	conn     conn
	gorm     *gorm.DB // bound to conn; made by orm
	over     bool     // fn has returned
	failed   error    // see do
	versions []versionStep
	woken    []string // logins, told after the commit
	seen     []*seenRow
}

var _ vneid.Tx = (*tx)(nil)

func newTx(ctx context.Context, db engine, c conn, world string, writable bool) *tx {
	return &tx{ctx: ctx, db: db, conn: c, world: world, writable: writable}
}

// run lets fn work and says whether the transaction may be committed.
func (t *tx) run(fn func(vneid.Tx) error) error {
	defer func() {
		t.mu.Lock()
		t.over = true
		t.mu.Unlock()
	}()
	err := fn(t)

	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil || errors.Is(t.failed, errConflict) {
		return t.failed
	}
	return err
}

func (t *tx) read(what string, f func() error) error { return t.do(what, f) }

func (t *tx) write(what string, f func() error) error {
	if !t.writable {
		return fmt.Errorf("storage: %s: View only reads", what)
	}
	return t.do(what, f)
}

// do runs the statements of one method. After an error that is more than an
// answer the transaction is spent, even when fn goes on: SQLite has rolled
// back by itself for some of them (a full disk), PostgreSQL runs nothing after
// any, and whatever followed would be written outside the transaction.
func (t *tx) do(what string, f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return fmt.Errorf("storage: %s: the transaction is over", what)
	}
	if t.failed != nil {
		return t.failed
	}
	err := t.ctx.Err()
	if err == nil {
		err = f()
	}
	if err = describe(t.ctx, what, err); err != nil && !isAnswer(err) {
		t.failed = err
	}
	return err
}

// isAnswer tells what the methods below say from what a driver reports. A key
// that is taken is an answer when the statement said so, and a failure when
// the database had to refuse the statement.
func isAnswer(err error) bool {
	return errors.Is(err, vneid.ErrNotFound) || errors.Is(err, errTaken) || vneid.IsCode(err, vneid.CodeInvalid)
}

// orm is gorm on this transaction, for lists, searches and deletions.
func (t *tx) orm() *gorm.DB {
	if t.writable {
		t.seen = nil // what it changes shows in no row of ours
	}
	if t.gorm == nil {
		t.gorm = t.db.orm().Session(&gorm.Session{NewDB: true, Context: t.ctx})
		t.gorm.Statement.ConnPool = t.conn
	}
	return t.gorm
}

func (t *tx) exec(q query, args ...any) (int64, error) {
	return t.conn.exec(t.ctx, q[t.db.dialect()], args...)
}

// change runs a statement whose outcome nobody asks for.
func (t *tx) change(q query, args ...any) error {
	text := q[t.db.dialect()]
	if t.conn.later(text, args) {
		return nil
	}
	_, err := t.conn.exec(t.ctx, text, args...)
	return err
}

// take reads the one row of the world that q finds.
func (t *tx) take(what string, from *table, q query, row any, keys ...any) error {
	return t.read(what, func() error {
		if !storable(t.world, keys) {
			return vneid.ErrNotFound
		}
		return t.conn.scan(t.ctx, q[t.db.dialect()], append([]any{t.world}, keys...), from.targets(row))
	})
}

// list reads every row that q finds.
func list[R any](t *tx, what string, from *table, q query, args ...any) (rows []R, err error) {
	err = t.read(what, func() error {
		rows = nil
		return t.conn.each(t.ctx, q[t.db.dialect()], args, func() []any {
			rows = append(rows, *new(R))
			return from.targets(&rows[len(rows)-1])
		})
	})
	return rows, err
}

// insert adds the row made from value.
func (t *tx) insert(what string, into *table, value, row any) error {
	return t.write(what, func() error {
		if err := checkText(value); err != nil {
			return err
		}
		t.forget(into)
		values := into.values(row)
		if t.conn.later(into.insertNew[t.db.dialect()], values) {
			return nil // a taken key fails the commit, fn runs again, and comes to the next line
		}
		n, err := t.exec(into.insert, values...)
		if err == nil && n == 0 {
			return errTaken
		}
		return err
	})
}

// put inserts or replaces the row made from value. Of one that this transaction
// has read only what changed is written.
func (t *tx) put(what string, into *table, value, row any) error {
	return t.write(what, func() error {
		if err := checkText(value); err != nil {
			return err
		}
		if own, ok := row.(interface{ key() string }); ok {
			if old := t.recall(into, own.key()); old != nil {
				if some, args := into.saveSome(old, row, 0); some != nil {
					t.remember(into, own.key(), row)
					return t.change(*some, args...)
				}
			}
		}
		t.forget(into)
		return t.change(into.put, into.values(row)...)
	})
}

// save writes a row whose stored version is still *version, and lets both
// grow. row carries the new version.
//
// Only what changed since this transaction read the row is written, where it has.
// Then the write may also be put off: whoever changes the row meanwhile makes it
// a conflict.
func (t *tx) save(what string, into *table, value, row any, id string, version *int) error {
	return t.write(what, func() error {
		if err := checkText(value); err != nil {
			return err
		}
		q, args, known := into.save, into.savedValues(row, *version), false
		if old := t.recall(into, id); old != nil {
			if some, values := into.saveSome(old, row, *version); some != nil {
				q, args, known = *some, values, true
			}
		}
		text := q[t.db.dialect()]
		saved := known && t.conn.later(text, args)
		if !saved {
			n, err := t.conn.exec(t.ctx, text, args...)
			if err != nil {
				return err
			}
			saved = n == 1
		}
		if saved {
			t.remember(into, id, row)
			t.versions = append(t.versions, versionStep{version, *version})
			*version++
			return nil
		}
		var stored int
		err := t.orm().Table(into.name).Select("version").Where("world = ? AND id = ?", t.world, id).Take(&stored).Error
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: version %d is stored, %d was read", errConflict, stored, *version)
	})
}

// versionStep remembers the Version of a value that save let grow.
type versionStep struct {
	version *int
	was     int
}

// undoVersions takes back what save did to values that were never committed,
// so that fn can save them again in its next run.
func (t *tx) undoVersions() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.versions) - 1; i >= 0; i-- {
		*t.versions[i].version = t.versions[i].was
	}
	t.versions = nil
}
