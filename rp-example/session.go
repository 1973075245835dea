package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	sessionLife = 8 * time.Hour    // from the sign-in
	sessionIdle = 30 * time.Minute // from the last page; people use shared computers at the ward office
)

// session is one browser. Before the sign-in it only holds the attempts that
// are under way; after it, who the person is and how they proved it.
type session struct {
	id        string // SHA-256 of the cookie
	accountID string // "" before sign-in
	method    string // "vneid" or "local"
	iss, sub  string
	sid       string // the provider's session, as its ID token named it
	idToken   string // not a key to anything: it goes back as id_token_hint at sign-out
	username  string // local sign-in only
	acr, amr  string
	authTime  time.Time
	signedIn  time.Time
	seen      time.Time
	expires   time.Time
	wanted    string // the page behind a detour
	notice    string // text keys, told once
	officer   string // the officer's account whose role was taken up
	provedMS  int64  // when the person last proved to VNeID who they are, in our clock; 0 = not told
	freshMS   int64  // when VNeID asked for the password anew, to unlink
}

// startSession opens a session for a browser that is about to sign in.
func (s *store) startSession(ctx context.Context) (cookie string, err error) {
	cookie = secret()
	err = s.tx(ctx, func(tx *sql.Tx) error {
		return insertSession(ctx, tx, session{id: hashed(cookie), seen: s.now(), expires: s.now().Add(attemptLife)})
	})
	if err != nil {
		return "", fmt.Errorf("start a session: %w", err)
	}
	return cookie, nil
}

// keepSession lets an anonymous session live as long as its newest attempt.
func (s *store) keepSession(ctx context.Context, id string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE sessions SET expires_ms = ? WHERE id = ? AND account_id IS NULL", s.now().Add(attemptLife).UnixMilli(), id)
	return err
}

func insertSession(ctx context.Context, tx *sql.Tx, n session) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sessions
		(id, account_id, method, iss, sub, sid, id_token, username, acr, amr, auth_ms, signed_ms, seen_ms, expires_ms, wanted, notice, officer, proved_ms, fresh_ms)
		VALUES (?, NULLIF(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n.id, n.accountID, n.method, n.iss, n.sub, n.sid, n.idToken, n.username, n.acr, n.amr,
		unixMS(n.authTime), unixMS(n.signedIn), unixMS(n.seen), unixMS(n.expires), localPath(n.wanted), n.notice, n.officer, n.provedMS, n.freshMS)
	return err
}

// changeLock opens the door, and it changes the lock: the signed-in session has
// a new id, and the old one is gone. Otherwise whoever planted the old cookie in
// this browser would be signed in too (session fixation). Sign-ins still under
// way in other tabs move along, so that they can end as well, and so does what
// was typed into forms, unless another person takes over the browser.
func (s *store) changeLock(ctx context.Context, tx *sql.Tx, old *session, n session, v visitor, otherPerson bool) (cookie string, err error) {
	cookie = secret()
	now := s.now()
	n.id, n.signedIn, n.seen, n.expires = hashed(cookie), now, now, now.Add(sessionIdle)
	if err := insertSession(ctx, tx, n); err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO sign_ins (account_id, at_ms, method, acr, browser, address) VALUES (?, ?, ?, ?, ?, ?)",
		n.accountID, s.ms(), n.method, n.acr, v.browser, v.address); err != nil {
		return "", err
	}
	if old == nil {
		return cookie, nil
	}
	if !otherPerson {
		for _, q := range []string{"UPDATE attempts SET session_id = ? WHERE session_id = ?", "UPDATE drafts SET session_id = ? WHERE session_id = ?"} {
			if _, err := tx.ExecContext(ctx, q, n.id, old.id); err != nil {
				return "", err
			}
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM sessions WHERE id = ?", old.id)
	return cookie, err
}

// signInLocally opens an account of the portal's own, unless it has been linked
// or its password changed since the password was checked.
func (s *store) signInLocally(ctx context.Context, old *session, o *oldAccount, wanted string, v visitor) (cookie string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		now, err := oldAccountOf(ctx, tx, o.Username)
		if err != nil {
			return err
		}
		if now == nil || now.password != o.password || now.state() != o.state() || now.AccountID != o.AccountID {
			return &problem{kind: "busy", wanted: wanted, err: errors.New("the account changed during the sign-in")}
		}
		n := session{accountID: o.AccountID, method: "local", username: o.Username, authTime: s.now(), wanted: wanted}
		cookie, err = s.changeLock(ctx, tx, old, n, v, old != nil && old.accountID != "" && old.accountID != n.accountID)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return cookie, nil
}

// remember keeps the page behind a detour and what to tell on the next page.
func (s *store) remember(ctx context.Context, n *session, wanted string, notices ...string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE sessions SET wanted = ?, notice = ? WHERE id = ?", localPath(wanted), strings.Join(notices, ","), n.id)
	return err
}

// session finds what a cookie stands for; nil if nothing, or no longer.
func (s *store) session(ctx context.Context, cookie string) (*session, *account, error) {
	n := session{id: hashed(cookie)}
	var auth, signed, seen, expires int64
	var accountID sql.NullString
	err := s.db.QueryRowContext(ctx, `SELECT account_id, method, iss, sub, sid, id_token, username, acr, amr, auth_ms, signed_ms, seen_ms, expires_ms, wanted, notice, proved_ms, fresh_ms,
			-- a role lasts as long as its link does
			coalesce((SELECT o.username FROM officer_links o JOIN local_logins l ON l.username = o.username AND l.role = 'officer'
				WHERE o.iss = sessions.iss AND o.sub = sessions.sub AND o.username = sessions.officer), '')
		FROM sessions WHERE id = ? AND expires_ms > ?`, n.id, s.ms()).
		Scan(&accountID, &n.method, &n.iss, &n.sub, &n.sid, &n.idToken, &n.username, &n.acr, &n.amr, &auth, &signed, &seen, &expires, &n.wanted, &n.notice, &n.provedMS, &n.freshMS, &n.officer)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find the session: %w", err)
	}
	n.accountID = accountID.String
	n.authTime, n.signedIn, n.seen, n.expires = fromMS(auth), fromMS(signed), fromMS(seen), fromMS(expires)
	if n.accountID == "" {
		return &n, nil, nil
	}
	acct, err := s.account(ctx, &n)
	if err != nil {
		return nil, nil, fmt.Errorf("find the account of the session: %w", err)
	}
	// A minute's grain keeps reading pages from becoming writing rows.
	if now := s.now(); now.Sub(n.seen) > time.Minute {
		n.seen, n.expires = now, now.Add(sessionIdle)
		if end := n.signedIn.Add(sessionLife); n.expires.After(end) {
			n.expires = end
		}
		if _, err := s.db.ExecContext(ctx, "UPDATE sessions SET seen_ms = ?, expires_ms = ? WHERE id = ?", unixMS(n.seen), unixMS(n.expires), n.id); err != nil {
			return nil, nil, fmt.Errorf("keep the session: %w", err)
		}
	}
	return &n, acct, nil
}

func (s *store) account(ctx context.Context, n *session) (*account, error) {
	a := account{ID: n.accountID}
	var created int64
	if err := s.db.QueryRowContext(ctx, "SELECT name, created_ms FROM accounts WHERE id = ?", a.ID).Scan(&a.Name, &created); err != nil {
		return nil, err
	}
	a.Since = fromMS(created)
	if n.method == "local" {
		err := s.db.QueryRowContext(ctx, "SELECT role, cccd, cmnd FROM local_logins WHERE username = ? AND account_id = ?", n.username, a.ID).
			Scan(&a.Role, &a.DeclaredCCCD, &a.DeclaredCMND)
		return &a, err
	}
	var claims []byte
	if err := s.db.QueryRowContext(ctx, "SELECT claims FROM identities WHERE iss = ? AND sub = ?", n.iss, n.sub).Scan(&claims); err != nil {
		return nil, err
	}
	return &a, a.Claims.load(claims)
}

// endSession signs out. Sign-ins under way in this browser end with it.
func (s *store) endSession(ctx context.Context, id string) error {
	if _, err := s.db.ExecContext(ctx, "DELETE FROM sessions WHERE id = ?", id); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}

// told forgets the notices that a page has just shown.
func (s *store) told(ctx context.Context, n *session) error {
	_, err := s.db.ExecContext(ctx, "UPDATE sessions SET notice = '' WHERE id = ?", n.id)
	return err
}

func unixMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMS(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// cookieName: under https the __Host- prefix makes the browser refuse a cookie
// of this name from a neighbour host or over http (RFC 6265bis §4.1.3.2).
func (p *portal) cookieName(what string) string {
	if p.cfg.https() {
		return "__Host-portal_" + what
	}
	return "portal_" + what
}

// setCookie: HttpOnly, because no script needs it. Lax, not Strict: the
// callback is a top-level GET coming from the provider's site, and a Strict
// cookie would not arrive there, so state could not be bound to the browser.
func (p *portal) setCookie(w http.ResponseWriter, what, value string, maxAge time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(what), Value: value, Path: "/", MaxAge: int(maxAge.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.cfg.https(),
	})
}

// Two cookies of one name count as none: one was planted, by a program on
// another port perhaps, and the browser sends the one with the longer path
// first. Nobody shall fill in a dossier in a stranger's account.
func (p *portal) cookie(r *http.Request, what string) string {
	found := r.CookiesNamed(p.cookieName(what))
	if len(found) != 1 || len(found[0].Value) > 100 {
		return ""
	}
	return found[0].Value
}
