// Package storage keeps everything the provider must not forget, in SQLite or
// PostgreSQL, through their drivers and gorm. It speaks vneid's types and
// errors only: gorm, SQL and the drivers' errors stay inside. It knows neither
// HTTP nor what the rows mean, and it never asks for the time.
//
// Start with [Open]. sqlite.go, writer.go and postgres.go say how transactions
// begin and end in each database (docs/adr/0002-storage.md and
// docs/adr/0008-postgresql.md say why); tx.go holds what every method of a
// transaction shares, table.go the statements that find rows by their keys,
// the other files one group of tables each, migrations/ the schemas.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// maxRuns is how often Update runs fn before it gives up on conflicts. Two
// processes that hammer one row lose to each other every other time.
const maxRuns = 25

// Options are what [Open] may be told besides the URL.
type Options struct {
	Logger *slog.Logger // nil = silent
}

// Store is a [vneid.Store] in a database.
//
// View and Update must not be nested inside an fn: the inner one could wait
// for the outer one for ever.
type Store struct {
	log    *slog.Logger
	db     engine
	closed atomic.Bool
	pauses atomic.Uint64

	watch     watchers
	listening sync.Once
}

var _ vneid.Store = (*Store)(nil)

// engine is a database that is open: how its transactions begin and end. fn
// gets a connection that is its own until it returns, and a context for it.
type engine interface {
	// view runs fn on a snapshot.
	view(ctx context.Context, fn txFunc) error
	// peek runs fn, which does one statement, without a transaction.
	peek(ctx context.Context, fn txFunc) error
	// update runs fn and commits when it returns nil. Whatever fn wrote is
	// undone when it does not, or panics. Run counts from 1.
	update(ctx context.Context, run int, fn txFunc) error
	ping(ctx context.Context) error
	// listen hears what other processes notify, until close.
	listen(*watchers)
	// notify tells other processes, when the transaction commits.
	notify(ctx context.Context, c conn, world, login string) error
	dialect() dialect
	orm() *gorm.DB // writes and reads statements for a conn; transactions are the engine's
	close() error
}

// conn is a connection, mostly inside a transaction: gorm's, and that of the statements
// of table.go.
type conn interface {
	gorm.ConnPool
	// exec returns how many rows the statement changed.
	exec(ctx context.Context, query string, args ...any) (int64, error)
	// scan reads the first row, or returns an error that describe takes for
	// ErrNotFound.
	scan(ctx context.Context, query string, args, into []any) error
	// each reads every row into what next returns for it.
	each(ctx context.Context, query string, args []any, next func() []any) error
	// later takes a write whose outcome nobody asks for and runs it at the latest
	// with the commit, which fails when it does; false where that gains nothing,
	// and the caller runs it.
	later(query string, args []any) bool
	// ahead takes a read whose answer done hears together with that of the next
	// statement; false where that gains nothing.
	ahead(query string, args, into []any, done func(error)) bool
	// flush sends what was taken and not sent yet.
	flush(ctx context.Context) error
}

type txFunc = func(context.Context, conn) error

// Open opens the database that url names and brings its schema up to date. A
// file is created when there is none.
//
//	sqlite:var/sandbox.db                     what was acknowledged survives a power failure
//	sqlite:var/sandbox.db?synchronous=normal  faster; a power failure may take the last moments back
//	sqlite::memory:                           gone with Close, seen by nobody else
//	postgres://user:password@host/name        with the parameters of libpq, and pool_max_conns
//
// No error shows the password of a URL.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	loc, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	s := &Store{log: opts.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if loc.postgres != nil {
		s.db, err = openPostgres(ctx, loc, s.log)
	} else {
		s.db, err = openSQLite(ctx, loc, s.log)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: open %s: %w", WithoutPassword(url), err)
	}
	return s, nil
}

// View runs fn on a snapshot: what others commit meanwhile does not show.
func (s *Store) View(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	if s.closed.Load() {
		return errClosed("view")
	}
	return s.db.view(ctx, func(ctx context.Context, c conn) error {
		return newTx(ctx, s.db, c, world, false).run(fn)
	})
}

// Peek runs fn, of which each statement sees a moment of its own.
func (s *Store) Peek(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	if s.closed.Load() {
		return errClosed("peek")
	}
	return s.db.peek(ctx, func(ctx context.Context, c conn) error {
		return newTx(ctx, s.db, c, world, false).run(fn)
	})
}

// Update runs fn and commits what it wrote, all or nothing; when it returns
// nil, the commit is on the disk.
func (s *Store) Update(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	for run := 1; ; run++ {
		err := s.updateOnce(ctx, run, world, fn)
		if !errors.Is(err, errConflict) {
			return err
		}
		if run == maxRuns {
			return fmt.Errorf("storage: gave up after %d runs: %w: %w", run, vneid.ErrUnavailable, err)
		}
		s.log.DebugContext(ctx, "storage: conflict, running again", "world", world, "run", run, "error", err)
		if err := s.pause(ctx, run); err != nil {
			return err
		}
	}
}

func (s *Store) updateOnce(ctx context.Context, run int, world string, fn func(vneid.Tx) error) error {
	if s.closed.Load() {
		return errClosed("update")
	}
	var t *tx
	committed := false
	defer func() { // also when fn panics
		if t != nil && !committed {
			t.undoVersions()
		}
	}()
	err := s.db.update(ctx, run, func(ctx context.Context, c conn) error {
		if t != nil {
			t.undoVersions() // of a run whose connection was dead
		}
		t = newTx(ctx, s.db, c, world, true)
		return t.run(fn)
	})
	committed = err == nil
	if committed {
		for _, login := range t.woken {
			s.watch.tell(world, login)
		}
	}
	return err
}

// pause waits a little, longer each run and not equally long for everyone.
func (s *Store) pause(ctx context.Context, run int) error {
	spread := 1 + s.pauses.Add(1)%7
	return sleep(ctx, time.Duration(run)*time.Duration(spread)*200*time.Microsecond)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("storage: waiting to run again: %w", ctx.Err())
	}
}

// Worlds lists the records of all worlds, ordered by ID.
func (s *Store) Worlds(ctx context.Context) (list []vneid.WorldRecord, err error) {
	err = s.View(ctx, "", func(t vneid.Tx) (err error) {
		list, err = t.(*tx).worlds()
		return err
	})
	return list, err
}

// World reads the record of a world.
func (s *Store) World(ctx context.Context, id string) (w vneid.WorldRecord, err error) {
	err = s.Peek(ctx, id, func(t vneid.Tx) (err error) {
		w, err = t.(*tx).worldRecord()
		return err
	})
	return w, err
}

// CreateWorld inserts the record of a world.
func (s *Store) CreateWorld(ctx context.Context, w vneid.WorldRecord) error {
	return s.Update(ctx, w.ID, func(t vneid.Tx) error { return t.(*tx).createWorld(w) })
}

// UseWorld notes when a world was used.
func (s *Store) UseWorld(ctx context.Context, id string, at time.Time) error {
	return s.Update(ctx, id, func(t vneid.Tx) error { return t.(*tx).useWorld(at) })
}

// WorldsNamed reads the records of these worlds.
func (s *Store) WorldsNamed(ctx context.Context, ids []string) (list []vneid.WorldRecord, err error) {
	err = s.View(ctx, "", func(t vneid.Tx) (err error) {
		list, err = t.(*tx).worldsNamed(ids)
		return err
	})
	return list, err
}

// CountWorlds counts the records of worlds.
func (s *Store) CountWorlds(ctx context.Context) (n int, err error) {
	err = s.Peek(ctx, "", func(t vneid.Tx) (err error) {
		n, err = t.(*tx).countWorlds()
		return err
	})
	return n, err
}

// DeleteWorld removes a world with all its rows.
func (s *Store) DeleteWorld(ctx context.Context, world string, salt []byte) error {
	return s.Update(ctx, world, func(t vneid.Tx) error { return t.(*tx).deleteWorld(salt) })
}

// LogoutWorlds lists the worlds with logout notices.
func (s *Store) LogoutWorlds(ctx context.Context) (list []string, err error) {
	err = s.View(ctx, "", func(t vneid.Tx) (err error) {
		list, err = t.(*tx).logoutWorlds()
		return err
	})
	return list, err
}

// PutWorld writes the record of a world.
func (s *Store) PutWorld(ctx context.Context, w vneid.WorldRecord) error {
	return s.Update(ctx, w.ID, func(t vneid.Tx) error { return t.(*tx).putWorld(w) })
}

// ClearWorld empties a world of all but its record and its signing keys.
func (s *Store) ClearWorld(ctx context.Context, world string) error {
	return s.Update(ctx, world, func(t vneid.Tx) error { return t.(*tx).clear() })
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if s.closed.Load() {
		return errClosed("ping")
	}
	return s.db.ping(ctx)
}

// Close ends the store; later calls answer ErrUnavailable.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if err := s.db.close(); err != nil {
		return fmt.Errorf("storage: close: %w", err)
	}
	return nil
}
