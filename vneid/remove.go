package vneid

import "time"

// What is taken out of a world by a tester's hand: a session, a person, a
// client, and whatever hangs on them. A citizen signs out by signout.go.

// EndSession ends one session as a sign-out would: its access tokens are
// revoked and its clients are told. ErrNotFound for an unknown one; one that
// ended before stays as it is.
func EndSession(tx Tx, sid string, now time.Time) error {
	session, err := tx.SessionByID(sid)
	if err != nil || !session.EndedAt.IsZero() {
		return err
	}
	_, err = endSession(tx, session, now)
	return err
}

// RemoveAccount removes a person with phone and consents; their sessions end,
// their tokens are worth nothing, also to somebody who gets the number later.
func RemoveAccount(tx Tx, c CCCD, now time.Time) error {
	if _, err := tx.Account(c); err != nil {
		return err
	}
	const some = 100
	for {
		sessions, err := tx.Sessions(c, some)
		if err != nil {
			return err
		}
		for i := range sessions {
			if _, err := endSession(tx, &sessions[i], now); err != nil {
				return err
			}
		}
		if len(sessions) < some {
			break
		}
	}
	if err := tx.RevokeTokensOf(c, "", now); err != nil {
		return err
	}
	return tx.DeleteAccount(c)
}

// RemoveClient removes a client with the consents that it was given. Its tokens
// are worth nothing, also to a client that takes the id later, and nobody tells
// it of logouts any more.
func RemoveClient(tx Tx, id string, now time.Time) error {
	if _, err := tx.Client(id); err != nil {
		return err
	}
	if err := tx.RevokeTokensOf("", id, now); err != nil {
		return err
	}
	return tx.DeleteClient(id)
}

// ForgetFailures makes the next password and the next passcode of a person count
// as the first: an officer opened the account again.
func ForgetFailures(tx Tx, w *World, c CCCD) error {
	for _, key := range []string{passwordKey(w, c), passcodeKey(w, c)} {
		t, err := tx.Throttle(key)
		if err != nil {
			return err
		}
		if len(t.Times) == 0 && t.LockedUntil.IsZero() {
			continue
		}
		if err := tx.PutThrottle(&Throttle{Key: key}); err != nil {
			return err
		}
	}
	return nil
}
