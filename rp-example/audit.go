package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// entry is one line of the audit: who did what, which key matched, and why it
// was decided so. It is written in the transaction of what it tells about, so
// that neither exists without the other.
type entry struct {
	account   string // whose business it is
	who       string // "local:NAME", "vneid:SUB", "officer:NAME" or "provider"
	what      string
	matched   string
	why       string
	number    string // masked before it is stored
	attention bool   // an officer should look
}

func (s *store) note(ctx context.Context, tx *sql.Tx, e entry) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO audit (at_ms, account_id, who, what, matched, why, number, attention) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		s.ms(), e.account, tidy(e.who, 80), e.what, e.matched, tidy(e.why, 300), masked(e.number), e.attention)
	if err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

// auditLine is an entry as pages show it.
type auditLine struct {
	At, Who, What, Matched, Why, Number string
	Attention                           bool
}

// Title says what happened in words; what has no words shows its name.
func (l auditLine) Title() text {
	if t, ok := auditTexts[l.What]; ok {
		return t
	}
	if _, did, ok := strings.Cut(l.What, "."); ok {
		if t, ok := linkTexts[linkAction(did)]; ok {
			return t
		}
	}
	return text{l.What, l.What}
}

// Reason says why in words, as far as there are words for it; what follows the
// colon stays as it is.
func (l auditLine) Reason() text {
	key, rest, detail := strings.Cut(l.Why, ": ")
	if detail {
		rest = ": " + rest
	}
	if from, to, ok := strings.Cut(key, " → "); ok {
		a, b := stateTexts[linkState(from)], stateTexts[linkState(to)]
		if a == b {
			return text{a.VI + rest, a.EN + rest}
		}
		return text{a.VI + " → " + b.VI + rest, a.EN + " → " + b.EN + rest}
	}
	if t, ok := whyTexts[key]; ok {
		return text{t.VI + rest, t.EN + rest}
	}
	return text{l.Why, l.Why}
}

// Key names the key that matched.
func (l auditLine) Key() text {
	if l.Matched == "none" || l.Matched == "" {
		return text{"không có", "none"}
	}
	return text{l.Matched, l.Matched}
}

const auditShown = 200

// auditOf reads the newest lines: one account's, or everybody's for "".
func (s *store) auditOf(ctx context.Context, accountID string, onlyAttention bool) ([]auditLine, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT at_ms, who, what, matched, why, number, attention FROM audit
		WHERE (?1 = '' OR account_id = ?1) AND (NOT ?2 OR attention = 1) ORDER BY id DESC LIMIT ?3`, accountID, onlyAttention, auditShown)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	defer rows.Close()
	var list []auditLine
	for rows.Next() {
		var l auditLine
		var at int64
		if err := rows.Scan(&at, &l.Who, &l.What, &l.Matched, &l.Why, &l.Number, &l.Attention); err != nil {
			return nil, err
		}
		l.At = vietnamTime(fromMS(at))
		list = append(list, l)
	}
	return list, rows.Err()
}

// sharedNumber is a CCCD that more than one old account declared: nobody picks
// one silently, officers see the queue.
type sharedNumber struct {
	Number    string
	Usernames string
}

func (s *store) sharedNumbers(ctx context.Context) ([]sharedNumber, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT cccd, group_concat(username, ', ' ORDER BY username) FROM local_logins WHERE cccd <> '' AND role = 'citizen'
		GROUP BY cccd HAVING count(*) > 1 ORDER BY cccd LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []sharedNumber
	for rows.Next() {
		var n sharedNumber
		if err := rows.Scan(&n.Number, &n.Usernames); err != nil {
			return nil, err
		}
		n.Number = masked(n.Number)
		list = append(list, n)
	}
	return list, rows.Err()
}

// signInLine is one line of the sign-in history.
type signInLine struct {
	At, ACR, Browser, Address string
	VNeID                     bool
}

func (s *store) signInsOf(ctx context.Context, accountID string) ([]signInLine, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT at_ms, method, acr, browser, address FROM sign_ins WHERE account_id = ? ORDER BY at_ms DESC LIMIT 50", accountID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []signInLine
	for rows.Next() {
		var l signInLine
		var at int64
		var method string
		if err := rows.Scan(&at, &method, &l.ACR, &l.Browser, &l.Address); err != nil {
			return nil, err
		}
		l.At, l.VNeID = vietnamTime(time.UnixMilli(at)), method == "vneid"
		list = append(list, l)
	}
	return list, rows.Err()
}

// visitorOf names a browser in words people know, and its address.
func visitorOf(r *http.Request) visitor {
	agent := r.UserAgent()
	v := visitor{browser: "?"}
	for _, known := range [][2]string{{"Edg/", "Edge"}, {"coc_coc", "Cốc Cốc"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}} {
		if strings.Contains(agent, known[0]) {
			v.browser = known[1]
			break
		}
	}
	for _, known := range [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, known[0]) {
			v.browser += " · " + known[1]
			break
		}
	}
	v.address, _, _ = net.SplitHostPort(r.RemoteAddr)
	return v
}
