package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// errConflict makes Update run fn again; nobody outside sees it.
var errConflict = errors.New("changed by somebody else meanwhile")

// errBusy marks an ErrUnavailable that another process's lock caused.
var errBusy = errors.New("locked by another process")

func errClosed(what string) error {
	return fmt.Errorf("storage: %s: %w: the store is closed", what, vneid.ErrUnavailable)
}

// describe says what was attempted and turns the errors of gorm, database/sql
// and the driver into vneid's. gorm cannot do it: it knows the codes of the
// cgo driver only.
func describe(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	// A cancelled context shows in many ways: an interrupted statement, a
	// transaction already rolled back.
	if ctxErr := ctx.Err(); ctxErr != nil && !errors.Is(err, ctxErr) {
		return fmt.Errorf("storage: %s: %w: %w", what, ctxErr, err)
	}
	if kind := kindOf(err); kind != nil {
		return fmt.Errorf("storage: %s: %w: %w", what, kind, err)
	}
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = vneid.ErrNotFound
	}
	return fmt.Errorf("storage: %s: %w", what, err)
}

// kindOf is the vneid error that a driver error amounts to, nil for none.
func kindOf(err error) error {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return vneid.ErrUnavailable
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return vneid.ErrExists
	}
	switch e.Code() & 0xff { // the primary code of an extended one
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return fmt.Errorf("%w: %w", vneid.ErrUnavailable, errBusy)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM:
		return vneid.ErrUnavailable
	}
	return nil
}
