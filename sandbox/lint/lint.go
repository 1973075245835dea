// Package lint says what a relying party could do better, from what was
// recorded of it: findings with severity, evidence, reference and fix, and a
// score per client.
//
// It reads records (package record) and clients, and asks nobody anything: a
// portal is not touched by being looked at. It never shows what a record does
// not hold, and of state, nonce and the like only a beginning.
//
// Start with rules.go, the table of what is looked for. A rule is a function
// over traffic (traffic.go).
package lint

import (
	"context"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Window is how many of a client's newest records are looked at. What was
// corrected is forgotten after as many logins.
const Window = 50

// mostEvidence is how many places of a finding are shown; all are counted.
const mostEvidence = 5

// Severity says how bad a finding is.
type Severity string

const (
	Error   Severity = "error"   // somebody can be harmed, or sign-ins fail
	Warning Severity = "warning" // against a recommendation, or it will fail one day
	Advice  Severity = "advice"  // works, and could be better
)

// Severities, the worst first.
func Severities() []Severity { return []Severity{Error, Warning, Advice} }

// Weight is what a finding takes from the 100 points of a client, however often
// it was made.
func (s Severity) Weight() int {
	switch s {
	case Error:
		return 20
	case Warning:
		return 8
	}
	return 2
}

// Evidence is where a finding was made.
type Evidence struct {
	Login string // id of the record
	Step  int    // its number in the record, from 1; 0 = the record as a whole
	At    time.Time
	Value string // what was seen there, "" = the step says it
}

// Finding is a rule that a client breaks.
type Finding struct {
	*Rule
	Count    int        // places
	Evidence []Evidence // of the newest of them, the newest first
}

// Report is what there is to say about one client.
type Report struct {
	ClientID, ClientName string
	Logins               int       // records that were looked at; with none there is no score
	Since                time.Time // when the first of them began
	Score                int       // 0 to 100
	Findings             []Finding // the worst first
}

// Grade is the score as a letter, "" when there is none.
func (r *Report) Grade() string {
	switch {
	case r.Logins == 0:
		return ""
	case r.Score >= 90:
		return "A"
	case r.Score >= 75:
		return "B"
	case r.Score >= 60:
		return "C"
	case r.Score >= 40:
		return "D"
	}
	return "E"
}

// Counts is how many findings there are of a severity.
func (r *Report) Counts(s Severity) (n int) {
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Linter looks at the clients of a world.
type Linter struct {
	Store   vneid.Store
	Records *record.Book
}

// Client looks at one client of the world in ctx, or answers ErrNotFound.
// Records up to the one called after are left out.
func (l *Linter) Client(ctx context.Context, id, after string) (*Report, error) {
	var client *vneid.Client
	err := l.Store.Peek(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) (err error) {
		client, err = tx.Client(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	fetches, err := l.Records.Traffic(ctx)
	if err != nil {
		return nil, err
	}
	return l.look(ctx, client, fetches, after)
}

// All looks at clients in the order of their ids, at most so many, after this
// one. more = there are others behind them.
func (l *Linter) All(ctx context.Context, after string, most int) (reports []Report, more bool, err error) {
	var clients []vneid.Client
	err = l.Store.Peek(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) (err error) {
		clients, err = tx.Clients()
		return err
	})
	if err != nil {
		return nil, false, err
	}
	clients = slices.DeleteFunc(clients, func(c vneid.Client) bool { return c.ClientID <= after })
	if more = len(clients) > most; more {
		clients = clients[:most]
	}
	fetches, err := l.Records.Traffic(ctx)
	if err != nil {
		return nil, false, err
	}
	for i := range clients {
		r, err := l.look(ctx, &clients[i], fetches, "")
		if err != nil {
			return nil, false, err
		}
		reports = append(reports, *r)
	}
	return reports, more, nil
}

func (l *Linter) look(ctx context.Context, c *vneid.Client, fetches []vneid.Traffic, after string) (*Report, error) {
	records, err := l.Records.WithSteps(ctx, vneid.RecordFilter{ClientID: c.ClientID, After: after, Limit: Window})
	if err != nil {
		return nil, err
	}
	slices.Reverse(records) // as it happened
	return examine(newTraffic(c, vneid.WorldFrom(ctx).Clock.Now(), records, fetches)), nil
}

// examine tries every rule.
func examine(t *traffic) *Report {
	r := &Report{ClientID: t.client.ClientID, ClientName: t.client.ClientName, Logins: len(t.records), Score: 100}
	if len(t.records) == 0 {
		return r
	}
	r.Since = t.records[0].StartedAt
	for _, severity := range Severities() {
		for i := range rules {
			rule := &rules[i]
			if rule.Severity != severity {
				continue
			}
			found := rule.find(t)
			if len(found) == 0 {
				continue
			}
			f := Finding{Rule: rule, Count: len(found), Evidence: found[max(0, len(found)-mostEvidence):]}
			slices.Reverse(f.Evidence)
			r.Findings = append(r.Findings, f)
			r.Score = max(0, r.Score-severity.Weight())
		}
	}
	return r
}
