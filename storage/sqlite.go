package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver "sqlite": SQLite translated to Go, no C compiler needed
)

// sqliteDB is a database in SQLite: one connection writes, a few read.
type sqliteDB struct {
	writers *sql.DB // one connection, which writer keeps
	readers *sql.DB // nil when the database is in memory: others would not see it
	writer  *writer
	idle    chan *sqliteConn // readers that nobody uses
	open    chan struct{}    // one for every reader there is
	gormDB  *gorm.DB
}

func openSQLite(ctx context.Context, loc location, log *slog.Logger) (*sqliteDB, error) {
	if !loc.memory {
		if err := createFile(loc.path); err != nil {
			return nil, err
		}
	}
	db := &sqliteDB{}
	if err := db.connect(ctx, loc, log); err != nil {
		db.close()
		return nil, err
	}
	return db, nil
}

func (db *sqliteDB) connect(ctx context.Context, loc location, log *slog.Logger) (err error) {
	if db.writers, err = sql.Open("sqlite", loc.writerDSN()); err != nil {
		return err
	}
	db.writers.SetMaxOpenConns(1)
	db.writers.SetMaxIdleConns(1)
	if err := firstConn(ctx, db.writers); err != nil {
		return err
	}
	if err := migrate(ctx, sqliteSchema{db.writers}, migrationSteps("sqlite"), log); err != nil {
		return err
	}
	// gorm asks for the version of SQLite, so this comes before the writer
	// takes the one connection.
	db.gormDB, err = gorm.Open(sqlite.Dialector{Conn: db.writers}, gormConfig())
	if err != nil {
		return err
	}
	c, err := newSQLiteConn(ctx, db.writers)
	if err != nil {
		return err
	}
	db.writer = &writer{conn: c, most: updatesAtOnce}
	if loc.memory {
		db.writer.most = 1 // views take turns with it and must not see what is not committed
		return nil
	}
	if db.readers, err = sql.Open("sqlite", loc.readerDSN()); err != nil {
		return err
	}
	n := 2 * runtime.GOMAXPROCS(0)
	db.idle, db.open = make(chan *sqliteConn, n), make(chan struct{}, n)
	return nil
}

// gormConfig leaves to gorm what it does here: it writes and reads statements.
func gormConfig() *gorm.Config {
	return &gorm.Config{SkipDefaultTransaction: true, DisableAutomaticPing: true, Logger: logger.Discard}
}

// firstConn makes the first connection. Turning a new file to WAL takes a lock
// that SQLite does not wait for, and another process may be doing just the
// same.
func firstConn(ctx context.Context, db *sql.DB) error {
	for run := 1; ; run++ {
		err := describe(ctx, "connect", db.PingContext(ctx))
		if !errors.Is(err, errBusy) || run == maxRuns {
			return err
		}
		if err := sleep(ctx, time.Duration(run)*5*time.Millisecond); err != nil {
			return err
		}
	}
}

func (db *sqliteDB) dialect() dialect { return dialectSQLite }
func (db *sqliteDB) orm() *gorm.DB    { return db.gormDB }

func (db *sqliteDB) update(ctx context.Context, run int, fn txFunc) error {
	return db.writer.update(ctx, run, fn)
}

func (db *sqliteDB) view(ctx context.Context, fn txFunc) error {
	return db.peek(ctx, func(ctx context.Context, c conn) error { return c.(*sqliteConn).view(ctx, fn) })
}

func (db *sqliteDB) peek(ctx context.Context, fn txFunc) error {
	if db.readers == nil {
		return db.writer.read(ctx, fn)
	}
	c, err := db.reader(ctx)
	if err != nil {
		return describe(ctx, "begin reading", err)
	}
	c.holds = true
	defer func() {
		c.holds = false
		c.letGo("")
		db.idle <- c
	}()
	return fn(ctx, c)
}

// reader takes a connection that nobody uses, or makes one when there may be
// more.
func (db *sqliteDB) reader(ctx context.Context) (*sqliteConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c := <-db.idle:
		return c, nil
	default:
	}
	select {
	case c := <-db.idle:
		return c, nil
	case db.open <- struct{}{}:
		c, err := newSQLiteConn(ctx, db.readers)
		if err != nil {
			<-db.open
		}
		return c, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (db *sqliteDB) ping(ctx context.Context) error {
	return db.peek(ctx, func(ctx context.Context, c conn) error {
		var version int
		return describe(ctx, "ping", c.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version))
	})
}

// close waits a little for the views that still run. It closes the writer
// last: the last connection to go folds the WAL back into the file, and a
// reading one may not.
func (db *sqliteDB) close() error {
	var errs []error
	patience := time.After(5 * time.Second)
	for waiting := len(db.open); waiting > 0; waiting-- {
		select {
		case c := <-db.idle:
			errs = append(errs, c.close())
		case <-patience:
			waiting = 0
		}
	}
	if db.readers != nil {
		errs = append(errs, db.readers.Close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.close())
	}
	if db.writers != nil {
		errs = append(errs, db.writers.Close())
	}
	return errors.Join(errs...)
}

// sqliteConn is one connection with its prepared statements. It does not
// listen to the context of a statement: an interrupt makes SQLite roll back
// the transaction, which may be that of others too, and watching a context
// costs a goroutine for each statement. tx looks before each of them.
//
// The statements of table.go go to the driver itself, those of gorm through
// database/sql, on the same connection: it is ours until close, and whoever
// uses it is alone with it.
type sqliteConn struct {
	raw   *sql.Conn
	own   driver.ConnPrepareContext // the connection behind raw
	ours  map[string]driver.Stmt
	stmts map[string]*sql.Stmt // gorm's

	// changed grows with every statement that may have changed something, or has
	// failed: SQLite rolls back by itself after some errors.
	changed int

	// A statement reads as long as it is not closed, and others of the connection
	// then need no lock of their own and find no page outdated that it has read. So
	// what a Peek has read stays open until its end (holds), and shows one moment.
	holds bool
	held  []heldRows
}

type heldRows struct {
	query string
	rows  driver.Rows
}

// letGo closes what is held of a query, "" = of all.
func (c *sqliteConn) letGo(query string) {
	kept := c.held[:0]
	for _, h := range c.held {
		if query != "" && h.query != query {
			kept = append(kept, h)
			continue
		}
		h.rows.Close() // its row was read: nothing is left that could fail
	}
	clear(c.held[len(kept):])
	c.held = kept
}

var _ conn = (*sqliteConn)(nil)

// preparedAtOnce is how many statements of gorm a connection remembers. The
// program has fewer; lists of different lengths may make more.
const preparedAtOnce = 200

func newSQLiteConn(ctx context.Context, db *sql.DB) (*sqliteConn, error) {
	raw, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := &sqliteConn{raw: raw, ours: map[string]driver.Stmt{}, stmts: map[string]*sql.Stmt{}}
	err = raw.Raw(func(conn any) error {
		c.own = conn.(driver.ConnPrepareContext)
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return c, nil
}

func (c *sqliteConn) PrepareContext(_ context.Context, query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.raw.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) == preparedAtOnce {
		for text, old := range c.stmts {
			delete(c.stmts, text)
			old.Close()
		}
	}
	c.stmts[query] = s
	return s, nil
}

func (c *sqliteConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c.changed++
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

func (c *sqliteConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.changed++ // gorm asks so, and may write with RETURNING
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

func (c *sqliteConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return c.raw.QueryRowContext(context.Background(), query, args...) // carries the error
	}
	return s.QueryRowContext(context.Background(), args...)
}

// prepare finds one of our own statements, of which there are as many as the
// program has texts.
func (c *sqliteConn) prepare(query string) (driver.Stmt, error) {
	if s := c.ours[query]; s != nil {
		return s, nil
	}
	s, err := c.own.PrepareContext(context.Background(), query)
	if err == nil {
		c.ours[query] = s
	}
	return s, err
}

func (c *sqliteConn) exec(_ context.Context, query string, args ...any) (int64, error) {
	c.changed++
	return c.run(context.Background(), query, args)
}

func (c *sqliteConn) run(ctx context.Context, query string, args []any) (int64, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	values, err := driverValues(args)
	if err != nil {
		return 0, err
	}
	result, err := s.(driver.StmtExecContext).ExecContext(ctx, values)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Statements run at once: nothing has to be sent anywhere.
func (c *sqliteConn) later(string, []any) bool                     { return false }
func (c *sqliteConn) ahead(string, []any, []any, func(error)) bool { return false }
func (c *sqliteConn) flush(context.Context) error                  { return nil }

// query returns the rows, and a place for the values of one.
func (c *sqliteConn) query(query string, args []any) (driver.Rows, []driver.Value, error) {
	c.letGo(query)
	s, err := c.prepare(query)
	if err != nil {
		return nil, nil, err
	}
	values, err := driverValues(args)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), values)
	if err != nil {
		return nil, nil, err
	}
	return rows, make([]driver.Value, len(rows.Columns())), nil
}

func (c *sqliteConn) scan(_ context.Context, query string, args, into []any) error {
	rows, row, err := c.query(query, args)
	if err != nil {
		return c.noted(err)
	}
	err = rows.Next(row)
	if err == io.EOF {
		err = sql.ErrNoRows
	}
	if err == nil {
		err = assign(into, row)
	}
	if err == nil && c.holds {
		c.held = append(c.held, heldRows{query, rows})
		return nil
	}
	if closing := rows.Close(); err == nil {
		err = closing
	}
	return c.noted(err)
}

// noted counts a failure.
func (c *sqliteConn) noted(err error) error {
	if err != nil && err != sql.ErrNoRows {
		c.changed++
	}
	return err
}

func (c *sqliteConn) each(_ context.Context, query string, args []any, next func() []any) error {
	rows, row, err := c.query(query, args)
	if err != nil {
		return c.noted(err)
	}
	for err == nil {
		if err = rows.Next(row); err == nil {
			err = assign(next(), row)
		}
	}
	if err == io.EOF {
		err = nil
	}
	if closing := rows.Close(); err == nil {
		err = closing
	}
	return c.noted(err)
}

// driverValues are the arguments as the driver takes them.
func driverValues(args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case string, int64, bool, []byte:
			values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
		case int:
			values[i] = driver.NamedValue{Ordinal: i + 1, Value: int64(v)}
		default:
			return nil, fmt.Errorf("no column holds a %T", arg)
		}
	}
	return values, nil
}

// assign puts the values of the driver into the fields of a row.
func assign(fields []any, row []driver.Value) error {
	if text, ok := row[0].(string); ok && len(row) < len(fields) {
		return assignText(fields, text)
	}
	for i, field := range fields {
		ok := false
		switch v := row[i].(type) {
		case string:
			var p *string
			if p, ok = field.(*string); ok {
				*p = v
			}
		case int64:
			ok = assignInt(field, v)
		}
		if !ok {
			return fmt.Errorf("column %d holds a %T where a %T is expected", i, row[i], field)
		}
	}
	return nil
}

// assignText takes a row that came as one text, see table.by.
func assignText(fields []any, row string) error {
	for i, field := range fields {
		text, rest, more := strings.Cut(row, "\x00")
		if more != (i < len(fields)-1) {
			return fmt.Errorf("%d columns are expected, not %d", len(fields), i+1+strings.Count(rest, "\x00"))
		}
		row = rest
		switch p := field.(type) {
		case *string:
			*p = text
			continue
		case *[]byte:
			if text != "" {
				var err error
				if *p, err = hex.DecodeString(text); err != nil {
					return fmt.Errorf("column %d holds no bytes: %w", i, err)
				}
			}
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !assignInt(field, n) {
			return fmt.Errorf("column %d holds %.20q where a %T is expected", i, text, field)
		}
	}
	return nil
}

func assignInt(field any, v int64) bool {
	switch p := field.(type) {
	case *int64:
		*p = v
	case *int:
		*p = int(v)
	case *bool:
		*p = v != 0
	default:
		return false
	}
	return true
}

// do runs a statement of the connection itself.
func (c *sqliteConn) do(query string) error {
	_, err := c.run(context.Background(), query, nil)
	return err
}

// begin waits for other processes on the same file, five seconds at most and
// no longer than ctx lasts.
func (c *sqliteConn) begin(ctx context.Context) error {
	if _, err := c.run(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		c.do("ROLLBACK") // it may have begun before ctx ended
		return describe(ctx, "begin", err)
	}
	return nil
}

func (c *sqliteConn) view(ctx context.Context, fn txFunc) error {
	if err := c.do("BEGIN"); err != nil {
		return describe(ctx, "begin reading", err)
	}
	defer c.do("ROLLBACK")
	return fn(ctx, c)
}

func (c *sqliteConn) close() error {
	for _, s := range c.ours {
		s.Close()
	}
	for _, s := range c.stmts {
		s.Close()
	}
	return c.raw.Close()
}

// writerDSN sets the busy timeout first: the other pragmas may have to wait
// already. A transaction of database/sql begins as a writer. The log may grow to
// 16 MiB before it is folded into the file: with SQLite's 4 the same few pages
// were copied and flushed again every two dozen logins.
func (l location) writerDSN() string {
	return l.dsn("busy_timeout(5000)", "journal_mode(WAL)", "synchronous("+l.synchronous+")", "foreign_keys(1)", "wal_autocheckpoint(4000)") + "&_txlock=immediate"
}

func (l location) readerDSN() string {
	return l.dsn("busy_timeout(5000)", "query_only(1)", "foreign_keys(1)")
}

func (l location) dsn(pragmas ...string) string {
	query := "?_pragma=" + strings.Join(pragmas, "&_pragma=")
	if l.memory {
		return ":memory:" + query
	}
	return "file:" + (&url.URL{Path: filepath.ToSlash(l.path)}).EscapedPath() + query
}

// sqliteSchema is where migrations run in SQLite.
type sqliteSchema struct{ db *sql.DB }

// applicationID marks a file as ours ("VNeI"), so that another program's
// database is refused instead of filled with our tables.
const applicationID = 0x564e6549

// begin takes the write lock, as the DSN says: two processes may start on one
// new file.
func (s sqliteSchema) begin(ctx context.Context) (*sql.Tx, error) { return s.db.BeginTx(ctx, nil) }

func (s sqliteSchema) version(ctx context.Context, sqlTx *sql.Tx) (version int, err error) {
	var id, objects int
	if err := sqlTx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, describe(ctx, "read application id", err)
	}
	if id == applicationID {
		err := sqlTx.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version)
		return version, describe(ctx, "read schema version", err)
	}
	if err := sqlTx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&objects); err != nil {
		return 0, describe(ctx, "read schema", err)
	}
	if objects > 0 || id != 0 {
		return 0, errors.New("the file is a database of another program; name another file")
	}
	_, err = sqlTx.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d;
		CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
		INSERT INTO schema_version (version) VALUES (0)`, applicationID))
	return 0, describe(ctx, "begin schema", err)
}

func (s sqliteSchema) exec(ctx context.Context, sqlTx *sql.Tx, script string) error {
	_, err := sqlTx.ExecContext(ctx, script)
	return err
}
