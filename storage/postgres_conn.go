package storage

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresConn is a connection of the pool inside a transaction. The
// statements of table.go go to pgx itself, and BEGIN goes with the first of
// them: half of what a small transaction costs, here and in the server, is
// waiting for one another.
type postgresConn struct {
	*sql.Conn           // gorm's; this transaction has it alone
	pgx       *pgx.Conn // the same connection
	begin     string
	begun     bool // BEGIN was sent, or there is none
	answered  bool // and succeeded
}

var _ conn = (*postgresConn)(nil)

func (c *postgresConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if c.begun {
		tag, err := c.pgx.Exec(ctx, query, args...)
		return tag.RowsAffected(), err
	}
	results := c.first(ctx, query, args)
	tag, err := results.Exec()
	return tag.RowsAffected(), errors.Join(err, results.Close())
}

func (c *postgresConn) scan(ctx context.Context, query string, args, into []any) error {
	if c.begun {
		return c.pgx.QueryRow(ctx, query, args...).Scan(into...)
	}
	results := c.first(ctx, query, args)
	err := results.QueryRow().Scan(into...)
	return errors.Join(err, results.Close())
}

func (c *postgresConn) each(ctx context.Context, query string, args []any, next func() []any) (err error) {
	var rows pgx.Rows
	if c.begun {
		rows, err = c.pgx.Query(ctx, query, args...)
	} else {
		results := c.first(ctx, query, args)
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

// first sends BEGIN and the first statement together, and returns the answer
// to the latter.
func (c *postgresConn) first(ctx context.Context, query string, args []any) pgx.BatchResults {
	c.begun = true
	var b pgx.Batch
	b.Queue(c.begin)
	b.Queue(query, args...)
	results := c.pgx.SendBatch(ctx, &b)
	_, err := results.Exec() // when it fails, so does the statement
	c.answered = err == nil
	return results
}

// ready begins for statements of gorm.
func (c *postgresConn) ready(ctx context.Context) error {
	if c.begun {
		return nil
	}
	c.begun = true
	_, err := c.pgx.Exec(ctx, c.begin)
	c.answered = err == nil
	return err
}

func (c *postgresConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	return c.Conn.ExecContext(ctx, query, args...)
}

func (c *postgresConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	return c.Conn.QueryContext(ctx, query, args...)
}

// QueryRowContext shows a failed BEGIN as what it is for the statement: outside
// the transaction the connection is broken, so the statement fails too.
func (c *postgresConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := c.ready(ctx); err != nil {
		c.pgx.Close(ctx)
	}
	return c.Conn.QueryRowContext(ctx, query, args...)
}

func (c *postgresConn) commit(ctx context.Context) error {
	if !c.begun {
		return nil
	}
	tag, err := c.pgx.Exec(ctx, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

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
