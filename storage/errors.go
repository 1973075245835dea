package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// errConflict makes Update run fn again; nobody outside sees it.
var errConflict = errors.New("changed by somebody else meanwhile")

// errBusy marks an ErrUnavailable that another process's lock caused.
var errBusy = errors.New("locked by another process")

// errHangs ends the wait for a database that does not answer.
var errHangs = fmt.Errorf("%w: no answer", vneid.ErrUnavailable)

// errTaken is ErrExists from a statement that looked first and did not fail.
var errTaken = fmt.Errorf("%w: the key is taken", vneid.ErrExists)

func errClosed(what string) error {
	return fmt.Errorf("storage: %s: %w: the store is closed", what, vneid.ErrUnavailable)
}

// describe says what was attempted and turns the errors of gorm, database/sql
// and the drivers into vneid's. gorm cannot do it: it knows the codes of
// another driver only.
func describe(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	// A cancelled context shows in many ways: a broken connection, a
	// transaction already rolled back.
	if ctxErr := ctx.Err(); ctxErr != nil {
		if cause := context.Cause(ctx); errors.Is(cause, errHangs) {
			ctxErr = cause
		}
		return fmt.Errorf("storage: %s: %w: %w", what, ctxErr, err)
	}
	if kind := kindOf(err); kind != nil {
		return fmt.Errorf("storage: %s: %w: %w", what, kind, err)
	}
	if errors.Is(err, gorm.ErrRecordNotFound) || errors.Is(err, sql.ErrNoRows) {
		err = vneid.ErrNotFound
	}
	return fmt.Errorf("storage: %s: %w", what, err)
}

// kindOf is the error that a driver's error amounts to, nil for none.
func kindOf(err error) error {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return vneid.ErrUnavailable
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return kindOfSQLite(e.Code())
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return kindOfPostgres(e.Code)
	}
	_, notConnected := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	if notConnected || network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgx.ErrTxClosed) {
		return vneid.ErrUnavailable
	}
	return nil
}

func kindOfSQLite(code int) error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return vneid.ErrExists
	}
	switch code & 0xff { // the primary code of an extended one
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return fmt.Errorf("%w: %w", vneid.ErrUnavailable, errBusy)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM:
		return vneid.ErrUnavailable
	}
	return nil
}

// kindOfPostgres knows the codes of PostgreSQL's appendix A.
func kindOfPostgres(code string) error {
	switch code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return errConflict
	case "23505": // unique_violation
		return vneid.ErrExists
	case "25006", // read_only_sql_transaction: we were sent to a standby
		"25P03", // idle_in_transaction_session_timeout
		"55P03", // lock_not_available
		"57014": // query_canceled, by an administrator or statement_timeout
		return vneid.ErrUnavailable
	}
	for _, class := range []string{
		"08",   // connection exception
		"53",   // insufficient resources: disk full, too many connections
		"57P0", // shutting down, starting up, database dropped
		"58",   // system error: I/O
	} {
		if strings.HasPrefix(code, class) {
			return vneid.ErrUnavailable
		}
	}
	return nil
}
