package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // SQLite in Go: no C compiler needed
)

// store is the portal's own memory: one SQLite file. Times are Unix
// milliseconds, because text times of different zones compare wrongly.
// What opens a door (session ids, states) is kept as SHA-256 only: who reads
// the file can not walk in with it.
type store struct {
	db  *sql.DB
	now func() time.Time
}

func openStore(ctx context.Context, path string, now func() time.Time) (*store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // people's data: for the owner's eyes
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	f.Close()
	// busy_timeout first: switching to WAL may already have to wait.
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(8)
	s := &store{db: db, now: now}
	if err := s.migrate(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("prepare the database %s: %w", path, err)
	}
	return s, nil
}

func (s *store) migrate(ctx context.Context) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var done int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&done); err != nil {
			return err
		}
		if done > len(migrations) {
			return fmt.Errorf("it was written by a newer program (version %d, known %d)", done, len(migrations))
		}
		for _, m := range migrations[done:] {
			if _, err := tx.ExecContext(ctx, m); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(migrations)))
		return err
	})
}

func (s *store) tx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // no effect after Commit
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *store) ms() int64 { return s.now().UnixMilli() }

// purge removes what has expired.
func (s *store) purge(ctx context.Context) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			"DELETE FROM attempts WHERE expires_ms <= ?",
			"DELETE FROM sessions WHERE expires_ms <= ?",
			"DELETE FROM password_tries WHERE until_ms <= ?",
			"DELETE FROM logout_tokens WHERE expires_ms <= ?",
		} {
			if _, err := tx.ExecContext(ctx, q, s.ms()); err != nil {
				return fmt.Errorf("remove expired rows: %w", err)
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM sign_ins WHERE at_ms <= ?", s.now().AddDate(-1, 0, 0).UnixMilli())
		if err != nil {
			return fmt.Errorf("remove old sign-ins: %w", err)
		}
		return nil
	})
}

// attempt is one sign-in on its way through the provider. It is what `state`
// points to; the browser never carries any of it.
type attempt struct {
	session  string // hashed id of the browser session that started it
	issuer   string
	nonce    string
	verifier string
	wanted   string
	purpose  string // what the person comes back for
	acr      string // the level asked for, "" for any
	maxAge   int    // seconds; -1 = not asked for
	started  int64
	expires  int64
	used     bool
}

// What a person is sent to the provider for.
const (
	forSignIn = "sign-in"
	forStepUp = "step-up" // a procedure demands more than this session has
	forLink   = "link"    // from Thông tin định danh
	forUnlink = "unlink"  // a fresh sign-in before letting go
)

// attemptLife is how long a sign-in may take, as long as the provider allows.
const (
	attemptLife        = 10 * time.Minute
	attemptsPerBrowser = 8
)

// addAttempt remembers a sign-in under its state. A browser keeps a few (one
// per tab); the oldest make room.
func (s *store) addAttempt(ctx context.Context, state string, a attempt) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO attempts (state, session_id, issuer, nonce, verifier, wanted, purpose, acr, max_age, started_ms, expires_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			hashed(state), a.session, a.issuer, a.nonce, a.verifier, a.wanted, a.purpose, a.acr, a.maxAge, s.ms(), s.now().Add(attemptLife).UnixMilli())
		if err != nil {
			return fmt.Errorf("remember the sign-in: %w", err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM attempts WHERE session_id = ? AND state NOT IN
			(SELECT state FROM attempts WHERE session_id = ? ORDER BY started_ms DESC, rowid DESC LIMIT ?)`,
			a.session, a.session, attemptsPerBrowser)
		return err
	})
}

// attempt finds the sign-in a state belongs to.
func (s *store) attempt(ctx context.Context, state string) (attempt, bool, error) {
	var a attempt
	var used sql.NullInt64
	err := s.db.QueryRowContext(ctx, `SELECT session_id, issuer, nonce, verifier, wanted, purpose, acr, max_age, started_ms, expires_ms, used_ms FROM attempts WHERE state = ?`,
		hashed(state)).Scan(&a.session, &a.issuer, &a.nonce, &a.verifier, &a.wanted, &a.purpose, &a.acr, &a.maxAge, &a.started, &a.expires, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	a.used = used.Valid
	return a, err == nil, err
}

// claimAttempt uses a state up. Of any number of callers at once, one gets
// true. The row stays until it expires, so that a replay can be told apart
// from an invention; its secrets go at once.
func (s *store) claimAttempt(ctx context.Context, state, session string) (bool, error) {
	r, err := s.db.ExecContext(ctx, `UPDATE attempts SET used_ms = ?, nonce = '', verifier = ''
		WHERE state = ? AND session_id = ? AND used_ms IS NULL AND expires_ms > ?`, s.ms(), hashed(state), session, s.ms())
	if err != nil {
		return false, fmt.Errorf("use up the state: %w", err)
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// account is somebody who can use the portal.
type account struct {
	ID     string
	Name   string
	Claims person // from the provider; empty for a local sign-in
	Since  time.Time

	Role, DeclaredCCCD, DeclaredCMND string // local accounts only; typed by their owners, checked by nobody
}

// secret returns 256 random bits for session ids, states and nonces.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
