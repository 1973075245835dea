package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/lint"
)

// report is what the lint says of a client.
type report struct {
	ClientID   string        `json:"client_id"`
	ClientName string        `json:"client_name"`
	Score      *int          `json:"score"` // null: nothing was recorded
	Grade      string        `json:"grade,omitempty"`
	Logins     int           `json:"logins"` // records that were looked at
	Since      string        `json:"since,omitempty"`
	Findings   []lintFinding `json:"findings"`
}

type lintFinding struct {
	ID        string         `json:"id"`
	Severity  lint.Severity  `json:"severity"`
	Title     both           `json:"title"`
	Fix       both           `json:"fix"`
	Reference string         `json:"reference"`
	Count     int            `json:"count"`
	Evidence  []lintEvidence `json:"evidence"` // of the newest
}

type lintEvidence struct {
	Login string `json:"login"`
	Step  int    `json:"step,omitempty"` // absent: the login as a whole
	At    string `json:"at"`
	Value string `json:"value,omitempty"`
}

func reportOf(r *lint.Report) report {
	answer := report{ClientID: r.ClientID, ClientName: r.ClientName, Grade: r.Grade(), Logins: r.Logins, Findings: []lintFinding{}}
	if r.Logins > 0 {
		answer.Score, answer.Since = &r.Score, rfc3339(r.Since)
	}
	for _, f := range r.Findings {
		finding := lintFinding{ID: f.ID, Severity: f.Severity, Title: both(f.Title), Fix: both(f.Fix), Reference: f.Reference, Count: f.Count}
		for _, e := range f.Evidence {
			finding.Evidence = append(finding.Evidence, lintEvidence{e.Login, e.Step, rfc3339(e.At), e.Value})
		}
		answer.Findings = append(answer.Findings, finding)
	}
	return answer
}

// mostReports bounds a list.
const mostReports = 20

func (a *api) listLint(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	query := r.URL.Query()
	var bad []FieldError
	after, limit := query.Get("after"), mostReports
	if len(after) > 200 {
		bad = append(bad, FieldError{"after", "at most 200 bytes"})
	}
	if s := query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostReports {
			bad = append(bad, FieldError{"limit", "a number from 1 to " + strconv.Itoa(mostReports)})
		}
		limit = n
	}
	if len(bad) > 0 {
		slices.SortFunc(bad, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
		return 0, nil, InvalidFields("", bad)
	}
	reports, _, err := a.linter().All(r.Context(), after, limit)
	list := []report{}
	for i := range reports {
		list = append(list, reportOf(&reports[i]))
	}
	return http.StatusOK, list, err
}

func (a *api) getLint(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	after := r.URL.Query().Get("after")
	if len(after) > 200 {
		return 0, nil, InvalidFields("", []FieldError{{"after", "at most 200 bytes"}})
	}
	found, err := a.linter().Client(r.Context(), r.PathValue("client_id"), after)
	if err != nil {
		return 0, nil, noSuchClient(err)
	}
	return http.StatusOK, reportOf(found), nil
}

func (a *api) linter() *lint.Linter { return &lint.Linter{Store: a.Store, Records: a.Records} }
