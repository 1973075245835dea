package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// dossierForm is what a citizen fills in. One form for all procedures: this is
// a sample, and what matters is that nothing typed is ever lost.
type dossierForm struct {
	Subject string `json:"subject"`
	Details string `json:"details"`
	Phone   string `json:"phone"`
	Return  string `json:"return"` // online, office, post
	Address string `json:"address"`
}

var returnWays = []string{"online", "office", "post"}

// dossier is a hồ sơ.
type dossier struct {
	ID, AccountID, Applicant string
	Procedure                procedure
	Form                     dossierForm
	Status                   string
	Verified                 bool
	filedMS, changedMS       int64
	Steps                    []dossierStep
}

type dossierStep struct {
	At, Status, Actor, Note string
}

func (d dossier) Filed() string     { return vietnamTime(fromMS(d.filedMS)) }
func (d dossier) FiledDay() string  { return vietnamDay(fromMS(d.filedMS)) }
func (d dossier) Changed() string   { return vietnamTime(fromMS(d.changedMS)) }
func (d dossier) StatusText() text  { return statusTexts[d.Status] }
func (s dossierStep) Text() text    { return statusTexts[s.Status] }
func (d dossier) Next() []string    { return statusNext[d.Status] }
func (d dossier) ReturnText() text  { return returnTexts[d.Form.Return] }
func (d dossier) InProgress() bool  { return len(statusNext[d.Status]) > 0 }
func (d dossier) NeedsPeople() bool { return d.Status == "more" }

// statusNext says which status may follow which.
var statusNext = map[string][]string{
	"filed":    {"accepted", "more", "refused"},
	"accepted": {"working", "more"},
	"working":  {"done", "more", "refused"},
	"more":     {"accepted", "working", "refused"},
	"done":     nil,
	"refused":  nil,
}

var statusOrder = []string{"filed", "accepted", "working", "more", "done", "refused"}

// file keeps a new dossier. The same form sent twice is one dossier.
func (s *store) file(ctx context.Context, sessionID string, d dossier, once string) (id string, err error) {
	fields, err := json.Marshal(d.Form)
	if err != nil {
		return "", err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM drafts WHERE session_id = ? AND procedure = ?", sessionID, d.Procedure.Code); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, "SELECT id FROM dossiers WHERE once = ? AND account_id = ?", once, d.AccountID).Scan(&id)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		id = dossierNumber(s.now())
		if _, err := tx.ExecContext(ctx, "INSERT INTO dossiers (id, account_id, procedure, applicant, fields, status, verified, once, filed_ms, changed_ms) VALUES (?, ?, ?, ?, ?, 'filed', ?, ?, ?, ?)",
			id, d.AccountID, d.Procedure.Code, d.Applicant, string(fields), d.Verified, once, s.ms(), s.ms()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO dossier_steps (dossier_id, at_ms, status, actor, note) VALUES (?, ?, 'filed', '', '')", id, s.ms())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("file a dossier: %w", err)
	}
	return id, nil
}

// dossierNumber looks like those of a one-stop office. It is no key to
// anything: every page checks whose dossier it is.
func dossierNumber(now time.Time) string {
	const letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	b := make([]byte, 8)
	rand.Read(b)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return "TH" + now.In(vietnam).Format("060102") + "-" + string(b)
}

const dossierColumns = "id, account_id, procedure, applicant, fields, status, verified, filed_ms, changed_ms"

func scanDossier(scan func(...any) error) (dossier, error) {
	var d dossier
	var code, fields string
	err := scan(&d.ID, &d.AccountID, &code, &d.Applicant, &fields, &d.Status, &d.Verified, &d.filedMS, &d.changedMS)
	if err != nil {
		return d, err
	}
	d.Procedure, _ = procedureByCode(code)
	return d, json.Unmarshal([]byte(fields), &d.Form)
}

// dossiersOf lists an account's dossiers, newest first; dossiersOf("") everybody's.
func (s *store) dossiersOf(ctx context.Context, accountID, status, query string) ([]dossier, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+dossierColumns+` FROM dossiers WHERE (?1 = '' OR account_id = ?1) AND (?2 = '' OR status = ?2) ORDER BY filed_ms DESC, id LIMIT 500`, accountID, status)
	if err != nil {
		return nil, fmt.Errorf("list dossiers: %w", err)
	}
	defer rows.Close()
	var list []dossier
	words := strings.Fields(plain(query))
	for rows.Next() {
		d, err := scanDossier(rows.Scan)
		if err != nil {
			return nil, err
		}
		hay := plain(d.ID + " " + d.Applicant + " " + d.Procedure.Name.VI + " " + d.Procedure.Name.EN)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(hay, w) }) {
			list = append(list, d)
		}
	}
	return list, rows.Err()
}

// dossierByID finds one with its steps; with an account, only that account's.
func (s *store) dossierByID(ctx context.Context, id, accountID string) (*dossier, error) {
	d, err := scanDossier(s.db.QueryRowContext(ctx, "SELECT "+dossierColumns+" FROM dossiers WHERE id = ?1 AND (?2 = '' OR account_id = ?2)", id, accountID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find a dossier: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, "SELECT at_ms, status, actor, note FROM dossier_steps WHERE dossier_id = ? ORDER BY rowid LIMIT 100", id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var st dossierStep
		var at int64
		if err := rows.Scan(&at, &st.Status, &st.Actor, &st.Note); err != nil {
			return nil, err
		}
		st.At = vietnamTime(fromMS(at))
		d.Steps = append(d.Steps, st)
	}
	return &d, rows.Err()
}

var errNotNext = errors.New("this status can not follow")

// changeStatus moves a dossier on, once: of two officers, the second is told.
func (s *store) changeStatus(ctx context.Context, id, from, to, officer, note string) error {
	if !slices.Contains(statusNext[from], to) {
		return errNotNext
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "UPDATE dossiers SET status = ?, changed_ms = ? WHERE id = ? AND status = ?", to, s.ms(), id, from)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errNotNext)
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO dossier_steps (dossier_id, at_ms, status, actor, note) VALUES (?, ?, ?, ?, ?)", id, s.ms(), to, officer, note)
		return err
	})
}

// keepDraft remembers what was typed in this browser, with nobody's name on it.
func (s *store) keepDraft(ctx context.Context, sessionID, code string, f dossierForm) error {
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, "INSERT OR REPLACE INTO drafts (session_id, procedure, fields, at_ms) VALUES (?, ?, ?, ?)", sessionID, code, string(b), s.ms())
	return err
}

func (s *store) draft(ctx context.Context, sessionID, code string) (f dossierForm, found bool, err error) {
	var b string
	err = s.db.QueryRowContext(ctx, "SELECT fields FROM drafts WHERE session_id = ? AND procedure = ?", sessionID, code).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	return f, true, json.Unmarshal([]byte(b), &f)
}
