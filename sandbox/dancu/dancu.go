// Package dancu is the pretend CSDL quốc gia về dân cư, the national population
// database: a portal asks whether a number, a name and a birth date belong
// together, over HTTP, with a key of its own, within a quota.
//
// It answers yes or no with a reason that is for the portal's log, never for a
// page. It knows the people of the world by their accounts and what a register
// entry says otherwise, and it never gives out anything about anybody.
package dancu

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Prefix of every route.
const Prefix = "/dancu/"

const (
	maxBody = 8 << 10
	window  = time.Minute // of the quota
)

// Register answers for the population database.
type Register struct {
	Store  vneid.Store
	Logger *slog.Logger
}

// Handler serves the routes below [Prefix].
func (g *Register) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Prefix+"v1/match", g.match)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, problem{Status: http.StatusNotFound, Detail: "there is POST " + Prefix + "v1/match"})
	})
	return mux
}

// question is the body of a match: one number, a name, a date or the year alone.
type question struct {
	CCCD      string `json:"cccd"`
	CMND      string `json:"cmnd"`
	Name      string `json:"name"`
	Birthdate string `json:"birthdate"`
	BirthYear string `json:"birth_year"`
}

type answer struct {
	Match  bool   `json:"match"`
	Reason string `json:"reason"`
}

// Reasons. They tell more than a citizen may learn.
const (
	ReasonMatch     = "match"
	ReasonNotFound  = "not_found"
	ReasonName      = "name_differs"
	ReasonBirthdate = "birthdate_differs"
	ReasonDeceased  = "deceased"
	ReasonAmbiguous = "ambiguous" // several people bear this CMND
)

func (g *Register) match(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	consumer, p := g.admit(r)
	if p != nil {
		refuse(w, *p)
		return
	}
	q, p := read(w, r)
	if p != nil {
		refuse(w, *p)
		return
	}
	var a answer
	err := g.Store.View(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) (err error) {
		a, err = compare(tx, q)
		return err
	})
	if err != nil {
		g.fail(w, r, err)
		return
	}
	number := vneid.CCCD(q.CCCD).Mask()
	if q.CMND != "" {
		number = q.CMND[:3] + "***" + q.CMND[6:]
	}
	g.Logger.InfoContext(ctx, "population register asked", "consumer", consumer, "number", number, "reason", a.Reason, "world", vneid.WorldFrom(ctx).ID)
	write(w, http.StatusOK, "application/json", a)
}

// admit finds whose key it is and counts the question.
func (g *Register) admit(r *http.Request) (consumer string, p *problem) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); !strings.EqualFold(scheme, "Bearer") || key == "" || len(key) > 200 {
		return "", &problem{Status: http.StatusUnauthorized, Code: "invalid_key", Detail: "send the consumer's key as Authorization: Bearer"}
	}
	w := vneid.WorldFrom(r.Context())
	var wait time.Duration
	err := g.Store.Update(r.Context(), w.ID, func(tx vneid.Tx) error {
		c, err := tx.RegisterConsumer(vneid.SecretHash(key))
		if err != nil {
			return err
		}
		consumer = c.Name
		t, err := tx.Throttle("dancu " + c.KeyHash)
		if err != nil {
			return err
		}
		if wait = t.Allow(c.PerMinute, window, w.Clock.Now()); wait > 0 {
			return nil
		}
		return tx.PutThrottle(t)
	})
	switch {
	case errors.Is(err, vneid.ErrNotFound):
		return "", &problem{Status: http.StatusUnauthorized, Code: "invalid_key", Detail: "no consumer has this key"}
	case err != nil:
		p = g.problemOf(r, err)
		return "", p
	case wait > 0:
		return "", &problem{Status: http.StatusTooManyRequests, Code: "quota", Detail: "the quota of questions a minute is used up",
			RetryAfter: int((wait + time.Second - 1) / time.Second)}
	}
	return consumer, nil
}

func read(w http.ResponseWriter, r *http.Request) (q question, p *problem) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return q, &problem{Status: http.StatusUnsupportedMediaType, Detail: "the body must be application/json"}
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(&q)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return q, &problem{Status: http.StatusRequestEntityTooLarge, Detail: "a body may have " + strconv.Itoa(maxBody) + " bytes"}
		}
		return q, &problem{Status: http.StatusBadRequest, Detail: "not a question: " + err.Error()}
	}
	bad := []fieldError{}
	add := func(field, detail string) { bad = append(bad, fieldError{field, detail}) }
	switch {
	case (q.CCCD == "") == (q.CMND == ""):
		add("cccd", "either cccd or cmnd")
	case q.CMND != "" && (len(q.CMND) != 9 || strings.Trim(q.CMND, "0123456789") != ""):
		add("cmnd", "9 digits")
	case q.CCCD != "" && (len(q.CCCD) != 12 || strings.Trim(q.CCCD, "0123456789") != ""):
		add("cccd", "12 digits")
	}
	if q.Name = strings.TrimSpace(q.Name); q.Name == "" || len(q.Name) > 1000 {
		add("name", "1 to 1000 bytes")
	}
	_, notADay := time.Parse("2006-01-02", q.Birthdate)
	_, notAYear := time.Parse("2006", q.BirthYear)
	switch {
	case (q.Birthdate == "") == (q.BirthYear == ""):
		add("birthdate", "either birthdate or birth_year")
	case q.Birthdate != "" && notADay != nil:
		add("birthdate", "YYYY-MM-DD")
	case q.BirthYear != "" && notAYear != nil:
		add("birth_year", "YYYY")
	}
	if len(bad) > 0 {
		return q, &problem{Status: http.StatusBadRequest, Detail: bad[0].Field + ": " + bad[0].Detail, Errors: bad}
	}
	return q, nil
}

// compare looks a person up by their account, and by what the register says
// otherwise.
func compare(tx vneid.Tx, q question) (answer, error) {
	account, err := find(tx, q)
	if errors.Is(err, errAmbiguous) {
		return answer{Reason: ReasonAmbiguous}, nil
	}
	if errors.Is(err, vneid.ErrNotFound) {
		return answer{Reason: ReasonNotFound}, nil
	}
	if err != nil {
		return answer{}, err
	}
	name, birthdate := account.Name, account.Birthdate
	entry, err := tx.RegisterEntry(account.CCCD)
	if err != nil && !errors.Is(err, vneid.ErrNotFound) {
		return answer{}, err
	}
	if err == nil {
		if entry.Absent {
			return answer{Reason: ReasonNotFound}, nil
		}
		if entry.Name != "" {
			name = entry.Name
		}
		if entry.Birthdate != "" {
			birthdate = entry.Birthdate
		}
	}
	switch {
	case vneid.MatchForm(name) != vneid.MatchForm(q.Name):
		return answer{Reason: ReasonName}, nil
	case !sameBirth(birthdate, q):
		return answer{Reason: ReasonBirthdate}, nil
	case err == nil && entry.Deceased:
		return answer{Reason: ReasonDeceased}, nil
	}
	return answer{Match: true, Reason: ReasonMatch}, nil
}

var errAmbiguous = errors.New("several people bear this number")

func find(tx vneid.Tx, q question) (*vneid.Account, error) {
	if q.CCCD != "" {
		return tx.Account(vneid.CCCD(q.CCCD))
	}
	list, err := tx.AccountsByCMND(q.CMND, 2)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, vneid.ErrNotFound
	case len(list) > 1:
		return nil, errAmbiguous
	}
	return &list[0], nil
}

// sameBirth compares as much as both sides know: where the register has the
// year alone, a date of that year is right.
func sameBirth(known string, q question) bool {
	asked := q.Birthdate
	if asked == "" {
		asked = q.BirthYear
	}
	n := min(len(known), len(asked))
	return n >= 4 && known[:n] == asked[:n]
}

type problem struct {
	Type       string       `json:"type"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Detail     string       `json:"detail"`
	Code       string       `json:"code,omitempty"`
	Errors     []fieldError `json:"errors,omitempty"`
	RetryAfter int          `json:"-"` // seconds
}

type fieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (g *Register) fail(w http.ResponseWriter, r *http.Request, err error) {
	refuse(w, *g.problemOf(r, err))
}

func (g *Register) problemOf(r *http.Request, err error) *problem {
	g.Logger.ErrorContext(r.Context(), "population register failed", "error", err)
	if errors.Is(err, vneid.ErrUnavailable) {
		return &problem{Status: http.StatusServiceUnavailable, Detail: "the database cannot be reached or is full; try again", RetryAfter: 1}
	}
	if errors.Is(err, context.Canceled) {
		return &problem{Status: http.StatusServiceUnavailable, Detail: "the caller left"}
	}
	return &problem{Status: http.StatusInternalServerError, Detail: "a mistake of the sandbox, not of the question; its log says more"}
}

// refuse answers with a problem, RFC 9457.
func refuse(w http.ResponseWriter, p problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="dancu"`)
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	write(w, p.Status, "application/problem+json", p)
}

func write(w http.ResponseWriter, status int, contentType string, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic("dancu: " + err.Error()) // only types of ours get here
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b) // a caller that left needs no answer
}
