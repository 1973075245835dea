package vneid

import (
	"context"
	"errors"
	"time"
)

// SessionOf returns the live session of a browser and its person, or nil.
func (s *Service) SessionOf(ctx context.Context, b Browser) (session *Session, a *Account, err error) {
	if b.Session == "" {
		return nil, nil, nil
	}
	w := WorldFrom(ctx)
	err = s.Store.View(ctx, w.ID, func(tx Tx) error {
		if session, err = tx.Session(SecretHash(b.Session)); err != nil {
			return err
		}
		TrailFrom(ctx).Session(session.ID)
		if !session.Alive(w.Clock.Now()) {
			return ErrNotFound
		}
		a, err = tx.Account(session.CCCD)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return session, a, nil
}

// SignOut ends the session of a browser and the access tokens that hang on it.
// Refresh tokens were asked for with offline_access and outlive the session
// (OIDC Back-Channel Logout §2.7). frames are the addresses that the browser
// loads to tell its clients (OIDC Front-Channel Logout §2).
func (s *Service) SignOut(ctx context.Context, b Browser) (frames []string, err error) {
	if b.Session == "" {
		return nil, nil
	}
	w := WorldFrom(ctx)
	err = s.Store.Update(ctx, w.ID, func(tx Tx) error {
		frames = nil
		session, err := tx.Session(SecretHash(b.Session))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		TrailFrom(ctx).Session(session.ID)
		if !session.EndedAt.IsZero() {
			return nil
		}
		ended, err := endSessions(tx, session, w.Clock.Now())
		if err != nil {
			return err
		}
		frames = logoutFrames(w, ended)
		return nil
	})
	return frames, err
}

// endSessions ends a session and whatever else its browser began. Two tabs
// whose one-time passwords are accepted at the same moment begin two sessions,
// and the browser keeps the cookie of one: whoever signs out means both.
func endSessions(tx Tx, session *Session, now time.Time) (in []heardOf, err error) {
	others, err := tx.SessionsOfBrowser(session.BrowserHash)
	if err != nil {
		return nil, err
	}
	if in, err = endSession(tx, session, now); err != nil {
		return nil, err
	}
	for i := range others {
		if others[i].ID == session.ID {
			continue
		}
		more, err := endSession(tx, &others[i], now)
		if err != nil {
			return nil, err
		}
		in = append(in, more...)
	}
	return in, nil
}

// endSession ends one, and returns who got tokens in it.
func endSession(tx Tx, session *Session, now time.Time) (in []heardOf, err error) {
	session.EndedAt = now
	if err := tx.SaveSession(session); err != nil {
		return nil, err
	}
	if in, err = noticeLogout(tx, session, now); err != nil {
		return nil, err
	}
	return in, tx.RevokeSessionTokens(session.ID, now)
}
