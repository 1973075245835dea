package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// postgresConn is a connection of the pool inside a transaction. The
// statements of table.go go to pgx itself. Most of what a small transaction
// costs, here and in the server, is waiting for one another; so whatever need
// not be answered at once is pending until something must be, and is sent with
// it: BEGIN with the first statement, writes with the COMMIT, reads that were
// announced with each other.
type postgresConn struct {
	*sql.Conn           // gorm's; this transaction has it alone
	pgx       *pgx.Conn // the same connection
	pending   []pendingStatement
	patient   bool // nothing is put off: the Update runs again and is told of each outcome
	sent      bool // something was sent
	answered  bool // and answered
}

// pendingStatement is BEGIN, a write, or a read.
type pendingStatement struct {
	query string
	args  []any
	into  []any           // where a read puts its row
	done  func(err error) // hears of a read
}

var _ conn = (*postgresConn)(nil)

func newPostgresConn(c *sql.Conn, begin string) *postgresConn {
	p := &postgresConn{Conn: c}
	if begin != "" {
		p.pending = []pendingStatement{{query: begin}}
	}
	return p
}

func (c *postgresConn) later(query string, args []any) bool {
	if c.patient {
		return false
	}
	c.pending = append(c.pending, pendingStatement{query: query, args: args})
	return true
}

func (c *postgresConn) ahead(query string, args, into []any, done func(error)) bool {
	c.pending = append(c.pending, pendingStatement{query: query, args: args, into: into, done: done})
	return true
}

func (c *postgresConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if len(c.pending) == 0 {
		c.sent = true
		tag, err := c.pgx.Exec(ctx, query, args...)
		return tag.RowsAffected(), err
	}
	results, err := c.send(ctx, query, args)
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	return tag.RowsAffected(), errors.Join(err, results.Close())
}

func (c *postgresConn) scan(ctx context.Context, query string, args, into []any) error {
	if len(c.pending) == 0 {
		c.sent = true
		return c.pgx.QueryRow(ctx, query, args...).Scan(into...)
	}
	results, err := c.send(ctx, query, args)
	if err != nil {
		return err
	}
	err = results.QueryRow().Scan(into...)
	return errors.Join(err, results.Close())
}

func (c *postgresConn) each(ctx context.Context, query string, args []any, next func() []any) (err error) {
	var rows pgx.Rows
	if len(c.pending) == 0 {
		c.sent = true
		rows, err = c.pgx.Query(ctx, query, args...)
	} else {
		results, sendErr := c.send(ctx, query, args)
		if sendErr != nil {
			return sendErr
		}
		defer func() { err = errors.Join(err, results.Close()) }()
		rows, err = results.Query()
	}
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(next()...); err != nil {
			return err
		}
	}
	rows.Close()
	return rows.Err()
}

// send sends what is pending, and one statement more whose answer is the
// caller's to read.
func (c *postgresConn) send(ctx context.Context, query string, args []any) (pgx.BatchResults, error) {
	var b pgx.Batch
	for _, s := range c.pending {
		b.Queue(s.query, s.args...)
	}
	if query != "" {
		b.Queue(query, args...)
	}
	pending := c.pending
	c.pending, c.sent = nil, true
	results := c.pgx.SendBatch(ctx, &b)
	for _, s := range pending {
		err := s.read(results)
		if err != nil {
			results.Close()
			return nil, surprising(err)
		}
		c.answered = true
	}
	return results, nil
}

func (s *pendingStatement) read(results pgx.BatchResults) error {
	if s.done == nil {
		_, err := results.Exec()
		return err
	}
	err := results.QueryRow().Scan(s.into...)
	s.done(err)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // an answer
	}
	return err
}

// surprising turns the outcome of a write that was put off, and that fn took
// for done, into a conflict: fn runs again and is told.
func surprising(err error) error {
	if errors.Is(kindOf(err), vneid.ErrExists) {
		return fmt.Errorf("%w: %w", errConflict, err)
	}
	return err
}

// flush sends what is pending.
func (c *postgresConn) flush(ctx context.Context) error {
	c.sent = true // if not by us, then by gorm
	if len(c.pending) == 0 {
		return nil
	}
	results, err := c.send(ctx, "", nil)
	if err != nil {
		return err
	}
	return results.Close()
}

func (c *postgresConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	return c.Conn.ExecContext(ctx, query, args...)
}

func (c *postgresConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	return c.Conn.QueryContext(ctx, query, args...)
}

// QueryRowContext shows that what was pending failed as what it is for the
// statement: outside the transaction the connection is broken, so the statement
// fails too.
func (c *postgresConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := c.flush(ctx); err != nil {
		c.pgx.Close(ctx)
	}
	return c.Conn.QueryRowContext(ctx, query, args...)
}

// commit goes with the writes that are pending. An error of one of them keeps
// the server from committing.
//
// When nothing was sent before, they are a transaction by themselves, without
// BEGIN and COMMIT: the server commits at the end of a pipeline. It reads nothing
// that somebody could change meanwhile, so its isolation does not matter. A
// connection that turns out dead is replaced then too, and what was written
// before it died is written again: a row that is replaced, or one that is there
// already, which fn is told.
func (c *postgresConn) commit(ctx context.Context) error {
	if !c.sent {
		if !slices.ContainsFunc(c.pending[1:], func(s pendingStatement) bool { return s.done == nil }) {
			return nil // nothing was written, or read
		}
		c.pending = c.pending[1:]
		return c.flush(ctx)
	}
	var err error
	var tag string
	if len(c.pending) == 0 {
		t, execErr := c.pgx.Exec(ctx, "COMMIT")
		tag, err = t.String(), execErr
	} else {
		results, sendErr := c.send(ctx, "COMMIT", nil)
		if sendErr != nil {
			return sendErr
		}
		t, execErr := results.Exec()
		tag, err = t.String(), errors.Join(execErr, results.Close())
	}
	if err == nil && tag != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// dead reports whether the connection was lost before it answered anything.
func (c *postgresConn) dead() bool { return c.sent && !c.answered && c.pgx.IsClosed() }

// end rolls back what is open and gives the connection back. One that cannot
// even do that is thrown away.
func (c *postgresConn) end() {
	if c.pgx != nil && !c.pgx.IsClosed() && c.pgx.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := c.pgx.Exec(ctx, "ROLLBACK"); err != nil {
			c.pgx.Close(ctx)
		}
	}
	c.Conn.Close()
}
