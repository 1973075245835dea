package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// arrival is a VNeID sign-in that was checked and now asks to be let in.
type arrival struct {
	proved  *signedInPerson
	wanted  string
	visitor visitor
	instead bool // "continue as the new person" was pressed: the one before leaves
	fresh   bool // VNeID asked for the password anew, to unlink
}

// visitor is what the sign-in history shows of a browser.
type visitor struct{ browser, address string }

// arrived is where an arrival led.
type arrived struct {
	did    linkAction
	cookie string
}

// identityRow is a pair (iss, sub) as we know it.
type identityRow struct {
	iss, sub  string
	accountID string
	cccd      string // the last verified number
	numberMS  int64  // since when
	claims    person // of the last sign-in
	known     person // number, name and date of birth, each as last told
}

// pair finds (iss, sub); nil if it was never seen.
func pair(ctx context.Context, tx *sql.Tx, iss, sub string) (*identityRow, error) {
	i := identityRow{iss: iss, sub: sub}
	var claims []byte
	err := tx.QueryRowContext(ctx, "SELECT account_id, cccd, number_ms, name, birthdate, claims FROM identities WHERE iss = ? AND sub = ?", iss, sub).
		Scan(&i.accountID, &i.cccd, &i.numberMS, &i.known.Name, &i.known.Birthdate, &claims)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	i.known.CCCD = i.cccd
	if err := i.claims.load(claims); err != nil {
		return nil, err
	}
	return &i, nil
}

// numberTaken: another pair verified this number before this one did (which is
// since sinceMS; 0 for not yet).
func numberTaken(ctx context.Context, tx *sql.Tx, number, iss, sub string, sinceMS int64) (bool, error) {
	if number == "" {
		return false, nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM identities WHERE cccd = ? AND NOT (iss = ? AND sub = ?) AND (number_ms < ? OR ? = 0)`,
		number, iss, sub, sinceMS, sinceMS).Scan(&n)
	return n > 0, err
}

// arrive lets somebody in, or finds out what has to be asked first. One
// transaction: of two browsers that arrive at once, one is second.
func (s *store) arrive(ctx context.Context, old *session, a arrival, issuerBefore string) (arrived, error) {
	var out arrived
	p := a.proved
	err := s.tx(ctx, func(tx *sql.Tx) error {
		known, err := pair(ctx, tx, p.Iss, p.Sub)
		if err != nil {
			return err
		}
		state, facts, before := stateStranger, factVNeID, known
		if known != nil {
			state = stateKnown
		} else if issuerBefore != "" {
			if before, err = pair(ctx, tx, issuerBefore, p.Sub); err != nil {
				return err
			}
			if before != nil {
				facts |= factMappedIssuer
				if before.cccd != "" && before.cccd == p.Who.CCCD {
					facts |= factNumberEqual
				}
			}
		}
		since := int64(0)
		if known != nil && known.cccd == p.Who.CCCD {
			since = known.numberMS
		}
		if before != nil && reassigned(before.known, p.Who) {
			facts |= factChangedTwice
		}
		taken, err := numberTaken(ctx, tx, p.Who.CCCD, p.Iss, p.Sub, since)
		if err != nil {
			return err
		}
		if taken {
			facts |= factTaken
		}
		if p.Who.CCCD == "" {
			facts |= factNoNumber
		}
		waiting, err := candidates(ctx, tx, p.Iss, p.Sub, p.Who)
		if err != nil {
			return err
		}
		if len(waiting) > 0 {
			facts |= factCandidate
			if !slices.ContainsFunc(waiting, func(o oldAccount) bool { return !o.refused }) {
				facts |= factRefused
			}
		}
		if !a.instead {
			if other, err := s.somebodyElse(ctx, tx, old, p); err != nil {
				return err
			} else if other {
				facts |= factSomebodyElse
			}
		}

		r := decide(state, eventArrives, facts)
		out.did = r.Do
		switch r.Do {
		case doAskWho:
			kept, err := json.Marshal(p)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO arrivals (session_id, proof, wanted, at_ms) VALUES (?, ?, ?, ?)", old.id, string(kept), a.wanted, s.ms())
			return err
		case noReassigned:
			return s.note(ctx, tx, entry{account: known.accountID, who: pairName(p.Iss, p.Sub), what: "identity.stopped", matched: "iss+sub", why: "two of three new", number: p.Who.CCCD, attention: true})
		case doMoveIssuer:
			if err := s.moveIssuer(ctx, tx, before, p.Iss); err != nil {
				return err
			}
			known = before
		case doOpenTaken, doOpenNoNumber, doOpenOwn, doAskLink, doOpen:
		default:
			return fmt.Errorf("the table has no way in: %s", r.Do)
		}
		return s.letIn(ctx, tx, old, a, known, &out)
	})
	if err != nil {
		return arrived{}, fmt.Errorf("let somebody in: %w", err)
	}
	return out, nil
}

// somebodyElse: the browser is signed in, and not as the person who arrives.
func (s *store) somebodyElse(ctx context.Context, tx *sql.Tx, old *session, p *signedInPerson) (bool, error) {
	if old == nil || old.accountID == "" {
		return false, nil
	}
	if old.method == "vneid" {
		return old.iss != p.Iss || old.sub != p.Sub, nil
	}
	o, err := oldAccountOf(ctx, tx, old.username)
	if err != nil || o == nil {
		return true, err
	}
	same := o.CCCD != "" && o.CCCD == p.Who.CCCD || o.CCCD == "" && o.CMND != "" && o.CMND == p.Who.CMND
	return !same, nil
}

// letIn opens the account, tells what has changed, and changes the lock.
func (s *store) letIn(ctx context.Context, tx *sql.Tx, old *session, a arrival, known *identityRow, out *arrived) error {
	p := a.proved
	var told []string
	accountID, err := s.keepIdentity(ctx, tx, p, known)
	if err != nil {
		return err
	}
	who := pairName(p.Iss, p.Sub)
	tell := func(notice string, e entry) error {
		told = append(told, notice)
		e.account, e.who, e.matched, e.number = accountID, who, "iss+sub", p.Who.CCCD
		return s.note(ctx, tx, e)
	}
	switch out.did {
	case doOpenTaken:
		err = tell("notice.taken", entry{what: "link.conflict", why: "another pair before", attention: true})
	case doOpenNoNumber:
		err = tell("notice.noNumber", entry{what: "number.missing", why: "no number told"})
	case doMoveIssuer:
		err = tell("notice.issuer", entry{what: "issuer.moved", why: "mapped issuer, same number"})
	}
	if odd := oddNumber(p.Who); odd != "" && (known == nil || known.cccd != p.Who.CCCD) && err == nil {
		err = s.note(ctx, tx, entry{account: accountID, who: who, what: "number.odd", matched: "none", why: "disagrees: " + odd, number: p.Who.CCCD, attention: true})
	}
	if known != nil && err == nil {
		was := known.known
		switch {
		case was.CCCD != "" && p.Who.CCCD == "":
			err = tell("notice.narrowed", entry{what: "consent.narrowed", why: "told before, not now"})
		case was.CCCD != "" && was.CCCD != p.Who.CCCD:
			err = tell("notice.number", entry{what: "number.changed", why: "before: " + masked(was.CCCD), attention: true})
		}
		if err == nil && known.claims.Level == "2" && p.Who.Level != "2" {
			err = tell("notice.level", entry{what: "level.lower", why: "before: 2"})
		}
		if err == nil && was.Name != "" && p.Who.Name != "" && matchForm(was.Name) != matchForm(p.Who.Name) {
			err = tell("notice.name", entry{what: "name.changed", why: "same pair"})
		}
	}
	if err != nil {
		return err
	}
	n := session{accountID: accountID, method: "vneid", iss: p.Iss, sub: p.Sub, sid: p.SID, idToken: p.IDToken, acr: p.ACR, amr: strings.Join(p.AMR, " "),
		authTime: p.AuthTime, wanted: a.wanted, notice: strings.Join(told, ",")}
	if old != nil && old.iss == p.Iss && old.sub == p.Sub {
		n.officer = old.officer
	}
	if a.fresh {
		n.freshMS = s.ms()
	}
	if age := p.age(); age < 1<<60 { // in our clock: now, less the provider's own difference
		n.provedMS = s.ms() - max(0, age.Milliseconds())
	}
	out.cookie, err = s.changeLock(ctx, tx, old, n, a.visitor, a.instead)
	return err
}

// keepIdentity finds or makes the account of a pair and keeps the claims of
// this sign-in. Deliberately no search by CCCD, phone or e-mail: real portals
// do that, and whoever gets another person's number into a row gets the row.
func (s *store) keepIdentity(ctx context.Context, tx *sql.Tx, p *signedInPerson, known *identityRow) (string, error) {
	claims, err := json.Marshal(p.Who)
	if err != nil {
		return "", err
	}
	// Later than every other pair with this number, though it be the same
	// millisecond: of two there is always a first.
	const since = "max(?, (SELECT coalesce(max(o.number_ms) + 1, 0) FROM identities o WHERE o.cccd = ?))"
	if known == nil {
		id := secret()
		if _, err := tx.ExecContext(ctx, "INSERT INTO accounts (id, name, created_ms) VALUES (?, ?, ?)", id, p.Who.Name, s.ms()); err != nil {
			return "", err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO identities (iss, sub, account_id, claims, claims_ms, cccd, name, birthdate, number_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "+since+")",
			p.Iss, p.Sub, id, string(claims), s.ms(), p.Who.CCCD, p.Who.Name, p.Who.Birthdate, s.ms(), p.Who.CCCD)
		return id, err
	}
	if p.Who.Name != "" {
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET name = ? WHERE id = ?", p.Who.Name, known.accountID); err != nil {
			return "", err
		}
	}
	if p.Who.CCCD != "" && p.Who.CCCD != known.cccd {
		if _, err := tx.ExecContext(ctx, "UPDATE identities SET cccd = ?, number_ms = "+since+" WHERE iss = ? AND sub = ?", p.Who.CCCD, s.ms(), p.Who.CCCD, p.Iss, p.Sub); err != nil {
			return "", err
		}
	}
	// What is not told this time is remembered from before.
	_, err = tx.ExecContext(ctx, "UPDATE identities SET claims = ?, claims_ms = ?, name = coalesce(NULLIF(?, ''), name), birthdate = coalesce(NULLIF(?, ''), birthdate) WHERE iss = ? AND sub = ?",
		string(claims), s.ms(), p.Who.Name, p.Who.Birthdate, p.Iss, p.Sub)
	return known.accountID, err
}

// moveIssuer: the same provider under a new address. Only for the one former
// address that the operator named, and only with the same number.
func (s *store) moveIssuer(ctx context.Context, tx *sql.Tx, before *identityRow, iss string) error {
	for _, q := range []string{
		"UPDATE identities SET iss = ? WHERE iss = ? AND sub = ?",
		"UPDATE refusals SET iss = ? WHERE iss = ? AND sub = ?",
		"UPDATE officer_links SET iss = ? WHERE iss = ? AND sub = ?",
		"UPDATE local_logins SET released_iss = ? WHERE released_iss = ? AND released_sub = ?",
	} {
		if _, err := tx.ExecContext(ctx, q, iss, before.iss, before.sub); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE iss = ? AND sub = ?", before.iss, before.sub)
	return err
}

// waitingArrival is the sign-in that /who asks about.
func (s *store) waitingArrival(ctx context.Context, sessionID string) (*signedInPerson, string, error) {
	var kept, wanted string
	err := s.db.QueryRowContext(ctx, "SELECT proof, wanted FROM arrivals WHERE session_id = ? AND at_ms > ?", sessionID, s.now().Add(-attemptLife).UnixMilli()).Scan(&kept, &wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	var p signedInPerson
	return &p, wanted, json.Unmarshal([]byte(kept), &p)
}

func (s *store) dropArrival(ctx context.Context, sessionID string) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM arrivals WHERE session_id = ?", sessionID)
	return err
}

// isFresh: did the provider ask anew after we sent the person there? Both times
// are the provider's, so a difference of the clocks does not matter (the nonce
// already ties the token to this attempt).
func (p *signedInPerson) isFresh(sinceStart time.Duration) bool {
	return p.age() <= sinceStart+5*time.Second
}

// age is how long before the ID token the person proved who they are.
func (p *signedInPerson) age() time.Duration {
	if p.AuthTime.IsZero() {
		return 1 << 62 // not told: never fresh (Core 3.1.3.7 (13))
	}
	return p.IssuedAt.Sub(p.AuthTime)
}

func pairName(iss, sub string) string { return "vneid:" + shortened(sub) }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
