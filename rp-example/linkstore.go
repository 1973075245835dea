package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// releaseRest is how long after an unlink nobody but the person who let go may
// link the account again: time enough to notice a theft.
const releaseRest = 7 * 24 * time.Hour

// freshFor is how long a fresh sign-in counts for unlinking.
const freshFor = 5 * time.Minute

// oldAccount is an account of the portal's own.
type oldAccount struct {
	Username, AccountID, Name string
	Role, CCCD, CMND          string
	Birthdate, Wish           string
	password                  string
	linkedMS, releasedMS      int64
	releasedIss, releasedSub  string
	refused                   bool // by the pair that asks
}

func (o *oldAccount) state() linkState {
	switch {
	case o.linkedMS > 0:
		return stateLinked
	case o.releasedMS > 0:
		return stateReleased
	case o.CCCD != "":
		return stateDeclared
	}
	return stateBare
}

func (o *oldAccount) Officer() bool      { return o.Role == "officer" }
func (o *oldAccount) Number() string     { return masked(or(o.CCCD, o.CMND)) }
func (o *oldAccount) ByCMND() bool       { return o.CCCD == "" && o.CMND != "" }
func (o *oldAccount) WishMasked() string { return masked(o.Wish) }

const oldAccountColumns = `l.username, l.account_id, a.name, l.role, l.cccd, l.cmnd, l.birthdate, l.wish, l.password, l.linked_ms, l.released_ms, l.released_iss, l.released_sub`

func scanOldAccount(scan func(...any) error, more ...any) (oldAccount, error) {
	var o oldAccount
	err := scan(append([]any{&o.Username, &o.AccountID, &o.Name, &o.Role, &o.CCCD, &o.CMND, &o.Birthdate, &o.Wish, &o.password, &o.linkedMS, &o.releasedMS, &o.releasedIss, &o.releasedSub}, more...)...)
	return o, err
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

func oldAccountOf(ctx context.Context, q querier, username string) (*oldAccount, error) {
	o, err := scanOldAccount(q.QueryRowContext(ctx, "SELECT "+oldAccountColumns+" FROM local_logins l JOIN accounts a ON a.id = l.account_id WHERE l.username = ?", username).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &o, err
}

// candidates are the unlinked citizens' accounts that declared what VNeID
// verified: enough for a question, never for more.
func candidates(ctx context.Context, q querier, iss, sub string, who person) ([]oldAccount, error) {
	return oldAccounts(ctx, q, iss, sub, who, "l.role = 'citizen' AND l.linked_ms = 0")
}

func oldAccounts(ctx context.Context, q querier, iss, sub string, who person, which string) ([]oldAccount, error) {
	if who.CCCD == "" { // without a verified number there is nothing to compare with
		return nil, nil
	}
	rows, err := q.QueryContext(ctx, "SELECT "+oldAccountColumns+`, r.username IS NOT NULL
		FROM local_logins l JOIN accounts a ON a.id = l.account_id
		LEFT JOIN refusals r ON r.iss = ? AND r.sub = ? AND r.username = l.username
		WHERE (`+which+`) AND (l.cccd = ? OR (l.cccd = '' AND l.cmnd <> '' AND l.cmnd = ?)) ORDER BY l.username LIMIT 20`, iss, sub, who.CCCD, who.CMND)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []oldAccount
	for rows.Next() {
		var refused bool
		o, err := scanOldAccount(rows.Scan, &refused)
		if err != nil {
			return nil, err
		}
		o.refused = refused
		list = append(list, o)
	}
	return list, rows.Err()
}

// claimant is the browser that asks for a change of links, with what it proved.
type claimant struct {
	session   *session
	proved    string // the hash that the old account's password fitted a moment ago
	confirmed bool   // "this old account is mine", for a CMND
	newHash   string
}

// facts collects what the server knows about a claimant and an old account.
// The session is read again inside the transaction: it may have been ended from
// afar a moment ago.
func (s *store) facts(ctx context.Context, tx *sql.Tx, c claimant, o *oldAccount) (fact, *identityRow, error) {
	var f fact
	add := func(yes bool, which fact) {
		if yes {
			f |= which
		}
	}
	add(c.proved != "" && c.proved == o.password, factPassword) // still: it may have been changed since
	add(c.confirmed, factConfirmed)
	add(c.newHash != "", factNewPassword)
	add(o.Officer(), factOfficer)
	n := c.session
	if n == nil || n.method != "vneid" {
		return f, nil, nil
	}
	var alive int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sessions WHERE id = ? AND expires_ms > ?", n.id, s.ms()).Scan(&alive); err != nil || alive == 0 {
		return f, nil, err
	}
	i, err := pair(ctx, tx, n.iss, n.sub)
	if err != nil || i == nil {
		return f, nil, err
	}
	number := i.claims.CCCD
	taken, err := numberTaken(ctx, tx, number, i.iss, i.sub, i.numberMS)
	if err != nil {
		return f, nil, err
	}
	add(true, factVNeID)
	add(number == "", factNoNumber)
	add(number != "" && number == o.CCCD, factNumberEqual)
	add(o.CCCD == "" && o.CMND != "" && o.CMND == i.claims.CMND, factCMNDEqual)
	add(taken, factTaken)
	owner := o.linkedMS > 0 && o.AccountID == i.accountID || o.linkedMS == 0 && o.releasedIss == i.iss && o.releasedSub == i.sub
	add(owner, factSameOwner)
	add(o.releasedMS > 0 && s.ms() < o.releasedMS+releaseRest.Milliseconds(), factCooling)
	add(n.freshMS > 0 && s.ms() < n.freshMS+freshFor.Milliseconds(), factFresh)
	var role int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM officer_links WHERE iss = ? AND sub = ? AND username = ?", i.iss, i.sub, o.Username).Scan(&role); err != nil {
		return f, nil, err
	}
	add(role > 0, factRoleJoined)
	return f, i, nil
}

// link carries out one event between a browser and an old account: the only
// function that writes links. A refusal changes nothing and is noted as well.
func (s *store) link(ctx context.Context, on linkEvent, c claimant, username string) (linkAction, error) {
	did := noRule
	err := s.tx(ctx, func(tx *sql.Tx) error {
		o, err := oldAccountOf(ctx, tx, username)
		if err != nil || o == nil {
			return err
		}
		f, i, err := s.facts(ctx, tx, c, o)
		if err != nil {
			return err
		}
		r := decide(o.state(), on, f)
		did = r.Do
		e := entry{account: o.AccountID, who: "local:" + o.Username, what: string(on) + "." + string(did), matched: matchedKey(f), why: string(r.From) + " → " + string(r.To) + ": " + o.Username, number: or(o.CCCD, o.CMND)}
		if i != nil {
			e.account, e.who = i.accountID, pairName(i.iss, i.sub)
		}
		switch did {
		case doJoin:
			if err := s.merge(ctx, tx, c.session, o, i); err != nil {
				return err
			}
		case doRemember:
			e.attention = true // somebody declared a number whose owner does not know the account
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO refusals (iss, sub, username, at_ms) VALUES (?, ?, ?, ?)", i.iss, i.sub, o.Username, s.ms()); err != nil {
				return err
			}
		case doUnlink:
			if err := s.letGo(ctx, tx, c, o, i); err != nil {
				return err
			}
		case doJoinRole:
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO officer_links (iss, sub, username, at_ms) VALUES (?, ?, ?, ?)", i.iss, i.sub, o.Username, s.ms()); err != nil {
				return err
			}
		case doTakeUpRole:
			if _, err := tx.ExecContext(ctx, "UPDATE sessions SET officer = ? WHERE id = ?", o.Username, c.session.id); err != nil {
				return err
			}
		case noTaken, noCooling, noOfficer, noOtherNumber:
			e.attention = true
		}
		return s.note(ctx, tx, e)
	})
	if err != nil {
		return noRule, fmt.Errorf("%s %w", on, err)
	}
	return did, nil
}

func matchedKey(f fact) string {
	switch {
	case f&factNumberEqual != 0:
		return "cccd"
	case f&factCMNDEqual != 0:
		return "cmnd"
	case f&factSameOwner != 0:
		return "iss+sub"
	}
	return "none"
}

// merge gives everything of the old account to the pair's account, once. The
// old account's own row goes: nothing is lost and nothing is there twice.
func (s *store) merge(ctx context.Context, tx *sql.Tx, mine *session, o *oldAccount, i *identityRow) error {
	from, to := o.AccountID, i.accountID
	steps := []struct {
		query string
		args  []any
	}{
		{"UPDATE local_logins SET cccd = ?, wish = '' WHERE username = ? AND cccd = ''", []any{i.claims.CCCD, o.Username}},
		{"UPDATE local_logins SET account_id = ?, linked_ms = ?, released_ms = 0, released_iss = '', released_sub = '' WHERE account_id = ?", []any{to, s.ms(), from}},
		{"UPDATE dossiers SET account_id = ? WHERE account_id = ?", []any{to, from}},
		{"UPDATE sign_ins SET account_id = ? WHERE account_id = ?", []any{to, from}},
		{"UPDATE audit SET account_id = ? WHERE account_id = ?", []any{to, from}},
		{"DELETE FROM sessions WHERE account_id = ? AND id <> ?", []any{from, mine.id}}, // whoever knows the old password is out
		{"UPDATE accounts SET created_ms = min(created_ms, (SELECT created_ms FROM accounts WHERE id = ?)) WHERE id = ?", []any{from, to}},
		{"DELETE FROM accounts WHERE id = ?", []any{from}},
	}
	for _, step := range steps {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return fmt.Errorf("merge: %w", err)
		}
	}
	return nil
}

// letGo undoes a link. The old account keeps the dossiers and opens with the
// new password; the pair begins an account of its own. Every other session of
// the account ends, and other old passwords of it open nothing.
func (s *store) letGo(ctx context.Context, tx *sql.Tx, c claimant, o *oldAccount, i *identityRow) error {
	own := secret()
	steps := []struct {
		query string
		args  []any
	}{
		{"INSERT INTO accounts (id, name, created_ms) VALUES (?, ?, ?)", []any{own, i.claims.Name, s.ms()}},
		{"UPDATE identities SET account_id = ? WHERE iss = ? AND sub = ?", []any{own, i.iss, i.sub}},
		{"INSERT OR REPLACE INTO refusals (iss, sub, username, at_ms) SELECT ?, ?, username, ? FROM local_logins WHERE account_id = ?", []any{i.iss, i.sub, s.ms(), o.AccountID}},
		{"UPDATE local_logins SET linked_ms = 0, released_ms = ?, released_iss = ?, released_sub = ?, password = '' WHERE account_id = ?", []any{s.ms(), i.iss, i.sub, o.AccountID}},
		{"UPDATE local_logins SET password = ? WHERE username = ?", []any{c.newHash, o.Username}},
		{"DELETE FROM sessions WHERE account_id = ? AND id <> ?", []any{o.AccountID, c.session.id}},
		{"UPDATE sessions SET account_id = ?, fresh_ms = 0, officer = '' WHERE id = ?", []any{own, c.session.id}},
	}
	for _, step := range steps {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return fmt.Errorf("let go: %w", err)
		}
	}
	return nil
}

// linkedTo are the old accounts joined to an account.
func (s *store) linkedTo(ctx context.Context, accountID string) ([]oldAccount, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+oldAccountColumns+" FROM local_logins l JOIN accounts a ON a.id = l.account_id WHERE l.account_id = ? AND l.linked_ms > 0 ORDER BY l.username", accountID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []oldAccount
	for rows.Next() {
		o, err := scanOldAccount(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, rows.Err()
}

func (s *store) leaveRole(ctx context.Context, sessionID string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE sessions SET officer = '' WHERE id = ?", sessionID)
	return err
}
