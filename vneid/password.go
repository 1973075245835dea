package vneid

import (
	"context"
	"errors"
	"time"
)

// guess is a number with a password that somebody typed, on the sign-in page or
// on a phone. Both count together. Unknown numbers and wrong passwords are told
// apart by nobody: same answer, same work, same lock-out.
type guess struct {
	cccd  CCCD
	key   string // of the throttle
	hash  string // that the password was compared with
	right bool
	ahead Ahead // what will be read to settle it
}

// passwordKey counts wrong passwords of a number.
func passwordKey(w *World, c CCCD) string {
	return keyedID(w.Salt, "throttle", "password", string(c))
}

// ValidPassword reports whether a password is one to compare at all.
func ValidPassword(s string) bool { return s != "" && len(s) <= 1024 }

// guessPassword compares outside of any transaction: hashing takes 20 ms and
// waits in a queue. first says, in the transaction that reads the hash, why
// nothing is compared at all. [guess.settle] counts the outcome.
// It may be about a login.
func (s *Service) guessPassword(ctx context.Context, login, number, password string, first func(Tx) error) (g guess, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	if g.cccd, err = ParseCCCD(number, now.Year()); err != nil {
		return g, err
	}
	if !ValidPassword(password) {
		return g, Errorf(CodeInvalid, "password_empty", "%d bytes of password", len(password))
	}
	g.key = passwordKey(w, g.cccd)
	g.ahead = Ahead{Login: login, Account: g.cccd, Throttles: []string{g.key}}
	err = s.Store.Peek(ctx, w.ID, func(tx Tx) error {
		tx.Ahead(g.ahead)
		if err := first(tx); err != nil {
			return err
		}
		t, err := tx.Throttle(g.key)
		if err != nil {
			return err
		}
		if err := lockedError(t, now); err != nil {
			return err
		}
		g.hash = s.decoy
		account, err := tx.Account(g.cccd)
		if err == nil {
			g.hash = account.PasswordHash
			g.ahead.Throttles = []string{g.key, quotaKey(w, account.Phone)}
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	})
	if err != nil {
		return g, err
	}
	g.right, err = s.Hasher.Verify(ctx, password, g.hash)
	g.right = g.right && g.hash != s.decoy
	return g, err
}

// settle returns the person whose password it was, or counts the failure and
// says so; a refusal is to be kept, an error not.
func (g guess) settle(tx Tx, w *World, now time.Time) (a *Account, refusal, err error) {
	t, err := tx.Throttle(g.key)
	if err != nil {
		return nil, nil, err
	}
	if now.Before(t.LockedUntil) {
		return nil, nil, lockedError(t, now) // others failed meanwhile: this answer stays secret
	}
	a, err = tx.Account(g.cccd)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, nil, err
	}
	if !g.right || err != nil || a.PasswordHash != g.hash {
		if n := t.fail(w.Policy.PasswordTries, w.Policy.PasswordLock, now); n > 0 {
			refusal = Errorf(CodeForbidden, "wrong_credentials", "number %s unknown or password wrong, failure %d", g.cccd.Mask(), n)
		} else {
			refusal = lockedError(t, now)
		}
		return nil, refusal, tx.PutThrottle(t)
	}
	if len(t.Times) > 0 {
		t.Times = nil
		err = tx.PutThrottle(t)
	}
	return a, nil, err
}
