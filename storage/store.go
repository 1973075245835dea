// Package storage keeps everything the provider must not forget, in SQLite
// through gorm. It speaks vneid's types and errors only: gorm, SQL and the
// driver's errors stay inside. It knows neither HTTP nor what the rows mean,
// and it never asks for the time.
//
// Start with [Open]. One connection writes, a pool reads (docs/adr/0002-storage.md
// says why); tx.go holds what every method of a transaction shares, the other
// files one group of tables each, migrations/ the schema.
package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// maxRuns is how often Update runs fn before it gives up on conflicts.
const maxRuns = 10

// Options are what [Open] may be told besides the URL.
type Options struct {
	Logger *slog.Logger // nil = silent
}

// Store is a [vneid.Store] in a SQLite database.
//
// View and Update must not be nested inside an fn: in a database in memory
// they share one connection, so the inner one would wait for the outer one.
type Store struct {
	log     *slog.Logger
	writer  *sql.DB // exactly one connection: writers queue here, in order, not in SQLite's busy loop
	readers *sql.DB // the writer itself when the database is in memory
	stmts   *gorm.DB
	closed  atomic.Bool
	pauses  atomic.Uint64
}

var _ vneid.Store = (*Store)(nil)

// Open opens the database that url names, creates it when there is none, and
// brings its schema up to date.
//
//	sqlite:var/sandbox.db                     a file; what was acknowledged survives a power failure
//	sqlite:var/sandbox.db?synchronous=normal  faster; a power failure may take the last moments back
//	sqlite::memory:                           gone with Close, seen by nobody else
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	loc, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if !loc.memory {
		if err := createFile(loc.path); err != nil {
			return nil, err
		}
	}
	s := &Store{log: opts.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.connect(ctx, loc); err != nil {
		s.closePools()
		return nil, fmt.Errorf("storage: open %s: %w", url, err)
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, loc location) (err error) {
	if s.writer, err = sql.Open("sqlite", loc.writerDSN()); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	s.readers = s.writer
	if err := s.firstConn(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, s.writer, sqliteMigrations(), s.log); err != nil {
		return err
	}
	if !loc.memory {
		if s.readers, err = sql.Open("sqlite", loc.readerDSN()); err != nil {
			return err
		}
		n := 2 * runtime.GOMAXPROCS(0)
		s.readers.SetMaxOpenConns(n)
		s.readers.SetMaxIdleConns(n)
	}
	// gorm only writes and reads statements here; transactions are ours.
	s.stmts, err = gorm.Open(sqlite.Dialector{Conn: s.readers}, &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
	})
	return err
}

// firstConn makes the writer's connection. Turning a new file to WAL takes a
// lock that SQLite does not wait for, and another process may be doing just
// the same.
func (s *Store) firstConn(ctx context.Context) error {
	for run := 1; ; run++ {
		err := describe(ctx, "connect", s.writer.PingContext(ctx))
		if !errors.Is(err, errBusy) || run == maxRuns {
			return err
		}
		if err := s.pause(ctx, 10*run); err != nil {
			return err
		}
	}
}

// View runs fn on a snapshot: what others commit meanwhile does not show.
func (s *Store) View(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	if s.closed.Load() {
		return errClosed("view")
	}
	sqlTx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return describe(ctx, "begin reading", err)
	}
	defer sqlTx.Rollback()
	return newTx(ctx, s.stmts, sqlTx, world, false).run(fn)
}

// Update runs fn and commits what it wrote, all or nothing; when it returns
// nil, the commit is on the disk.
func (s *Store) Update(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	for run := 1; ; run++ {
		err := s.updateOnce(ctx, world, fn)
		if !errors.Is(err, errConflict) {
			return err
		}
		if run == maxRuns {
			return fmt.Errorf("storage: gave up after %d runs: %w: %w", run, vneid.ErrUnavailable, err)
		}
		s.log.DebugContext(ctx, "storage: conflict, running again", "world", world, "run", run)
		if err := s.pause(ctx, run); err != nil {
			return err
		}
	}
}

// updateOnce decides when a transaction begins and ends; the tx itself does
// not know, so that another function here could put several into one commit.
func (s *Store) updateOnce(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	if s.closed.Load() {
		return errClosed("update")
	}
	sqlTx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return describe(ctx, "begin", err)
	}
	t := newTx(ctx, s.stmts, sqlTx, world, true)
	committed := false
	defer func() { // also when fn panics
		if !committed {
			sqlTx.Rollback()
			t.undoVersions()
		}
	}()
	if err := t.run(fn); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return describe(ctx, "commit", err)
	}
	committed = true
	return nil
}

// pause waits a little, longer each run and not equally long for everyone.
func (s *Store) pause(ctx context.Context, run int) error {
	spread := 1 + s.pauses.Add(1)%7
	timer := time.NewTimer(time.Duration(run) * time.Duration(spread) * 200 * time.Microsecond)
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
	var version int
	err := s.readers.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version)
	return describe(ctx, "ping", err)
}

// Close ends the store; later calls answer ErrUnavailable.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if err := s.closePools(); err != nil {
		return fmt.Errorf("storage: close: %w", err)
	}
	return nil
}

// closePools closes the writer last: the last connection to go folds the WAL
// back into the file, and a query_only one may not.
func (s *Store) closePools() error {
	var errs []error
	if s.readers != nil && s.readers != s.writer {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	return errors.Join(errs...)
}
