package api

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// login is a record as lists show it.
type login struct {
	ID        string             `json:"id"`
	ClientID  string             `json:"client_id"`
	CCCD      string             `json:"cccd"` // masked
	Result    vneid.RecordResult `json:"result"`
	Error     string             `json:"error,omitempty"`
	StartedAt string             `json:"started_at"`
	UpdatedAt string             `json:"updated_at"`
}

func loginOf(r *vneid.Record, now time.Time) login {
	return login{r.ID, r.ClientID, r.CCCD, r.At(now), r.Error, rfc3339(r.StartedAt), rfc3339(r.UpdatedAt)}
}

// loginDetail is a record with everything.
type loginDetail struct {
	login
	Steps []loginStep `json:"steps"`
	Hints []loginHint `json:"hints"` // of all steps
}

type loginStep struct {
	Number int `json:"number"` // from 1
	vneid.RecordStep
	Curl string `json:"curl,omitempty"`
}

type loginHint struct {
	Step      int    `json:"step"` // number of the step
	ID        string `json:"id"`
	What      both   `json:"what"`
	Change    both   `json:"change"`
	Reference string `json:"reference,omitempty"`
	Advice    bool   `json:"advice"` // the request was valid all the same
}

type both struct {
	Vi string `json:"vi"`
	En string `json:"en"`
}

// mostLogins bounds a list.
const mostLogins = 200

func (a *api) listLogins(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	query := r.URL.Query()
	world := vneid.WorldFrom(r.Context())
	f := vneid.RecordFilter{ClientID: query.Get("client_id"), After: query.Get("after"), Result: vneid.RecordResult(query.Get("result")), Limit: mostLogins}
	var wait time.Duration
	var bad []FieldError
	if s := query.Get("cccd"); s != "" {
		if c, err := vneid.ParseCCCD(s, world.Clock.Now().Year()); err != nil {
			bad = append(bad, FieldError{"cccd", "no CCCD: twelve digits, not masked"})
		} else {
			f.CCCDHash = vneid.RecordCCCDHash(world.Salt, c)
		}
	}
	if f.Result != "" && !slices.Contains(vneid.RecordResults(), f.Result) {
		bad = append(bad, FieldError{"result", "one of " + joinResults()})
	}
	for name, value := range map[string]string{"client_id": f.ClientID, "after": f.After} {
		if len(value) > 200 {
			bad = append(bad, FieldError{name, "at most 200 bytes"})
		}
	}
	if s := query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostLogins {
			bad = append(bad, FieldError{"limit", "a number from 1 to " + strconv.Itoa(mostLogins)})
		}
		f.Limit = n
	}
	wait, bad = readWait(query.Get("wait"), bad)
	if len(bad) > 0 {
		slices.SortFunc(bad, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
		return 0, nil, InvalidFields("", bad)
	}
	records, err := a.Records.List(r.Context(), f, wait)
	list := []login{}
	for i := range records {
		list = append(list, loginOf(&records[i], world.Clock.Now()))
	}
	return http.StatusOK, list, err
}

func joinResults() string {
	var names []string
	for _, r := range vneid.RecordResults() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// getLogin shows a record; with .md behind its id, as Markdown. wait is for more
// than steps steps.
func (a *api) getLogin(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	query := r.URL.Query()
	id, asMarkdown := strings.CutSuffix(r.PathValue("id"), ".md")
	wait, bad := readWait(query.Get("wait"), nil)
	more := 0
	if s := query.Get("steps"); s != "" {
		var err error
		if more, err = strconv.Atoi(s); err != nil || more < 0 {
			bad = append(bad, FieldError{"steps", "how many steps are known already, a number"})
		}
	}
	if len(bad) > 0 {
		return 0, nil, InvalidFields("", bad)
	}
	rec, err := a.Records.Get(r.Context(), id, more, wait)
	if errors.Is(err, vneid.ErrNotFound) {
		return 0, nil, Refuse(http.StatusNotFound, "no record has this id (the newest "+strconv.Itoa(vneid.MostRecords)+" are kept); GET "+Prefix+"/logins lists them")
	}
	if err != nil {
		return 0, nil, err
	}
	world := vneid.WorldFrom(r.Context())
	if asMarkdown {
		return http.StatusOK, markdown(record.Markdown(rec, world)), nil
	}
	d := loginDetail{login: loginOf(rec, world.Clock.Now()), Steps: []loginStep{}, Hints: []loginHint{}}
	for i := range rec.Steps {
		s := &rec.Steps[i]
		d.Steps = append(d.Steps, loginStep{i + 1, *s, record.Curl(world.Issuer, s)})
		for _, h := range s.Hints {
			e := record.Explain(rec, h)
			d.Hints = append(d.Hints, loginHint{i + 1, h.ID, both(e.What), both(e.Change), e.Reference, e.Advice()})
		}
	}
	return http.StatusOK, d, nil
}

// markdown is a body that goes out as it is.
type markdown string

func (m markdown) write(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/markdown; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	send(w, status, []byte(m))
}
