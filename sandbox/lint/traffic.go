package lint

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// traffic is what was recorded of one client, put in order once for all rules.
type traffic struct {
	client  *vneid.Client
	now     time.Time
	records []vneid.Record // the oldest first
	steps   map[vneid.StepKind][]message
	fetches []vneid.Traffic
}

// message is a step of a record.
type message struct {
	rec    *vneid.Record
	step   *vneid.RecordStep
	number int // in the record, from 1
}

func newTraffic(c *vneid.Client, now time.Time, records []vneid.Record, fetches []vneid.Traffic) *traffic {
	t := &traffic{client: c, now: now, records: records, steps: map[vneid.StepKind][]message{}, fetches: fetches}
	for i := range records {
		for n := range records[i].Steps {
			m := message{&records[i], &records[i].Steps[n], n + 1}
			if caller := m.caller(); caller != "" && caller != c.ClientID {
				continue // such as a thief's, in the record of whom it stole from
			}
			t.steps[m.step.Kind] = append(t.steps[m.step.Kind], m)
		}
	}
	return t
}

// caller is who a request says it is from, "" when it does not.
func (m message) caller() string {
	if id, _, basic := strings.Cut(strings.TrimPrefix(m.sent("authorization"), "Basic "), ":"); basic {
		return id
	}
	return m.sent("client_id")
}

// sent is a parameter of the request, "" when there was none.
func (m message) sent(name string) string { return valueOf(m.step.Request, name) }

// answered is a member of the answer.
func (m message) answered(name string) string { return valueOf(m.step.Response, name) }

func valueOf(list []vneid.StepField, name string) string {
	for _, f := range list {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// inQuery lists which of these parameters stand in the URL.
func (m message) inQuery(names ...string) (found []string) {
	for _, f := range m.step.Request {
		if f.In == vneid.InQuery && slices.Contains(names, f.Name) {
			found = append(found, f.Name)
		}
	}
	return found
}

// hinted reports whether one of these hints was given.
func (m message) hinted(ids ...string) bool {
	return slices.ContainsFunc(m.step.Hints, func(h vneid.StepHint) bool { return slices.Contains(ids, h.ID) })
}

// failed is the detail of a check that did not succeed.
func (m message) failed(check string) (detail string, failed bool) {
	for _, c := range m.step.Checks {
		if c.Name == check && !c.OK {
			return c.Detail, true
		}
	}
	return "", false
}

func (m message) evidence(value string) Evidence {
	return Evidence{Login: m.rec.ID, Step: m.number, At: m.step.At, Value: value}
}

// each collects evidence from every step of some kinds; say is false for a step
// that shows nothing.
func (t *traffic) each(say func(m message) (value string, found bool), kinds ...vneid.StepKind) (list []Evidence) {
	for _, kind := range kinds {
		for _, m := range t.steps[kind] {
			if value, found := say(m); found {
				list = append(list, m.evidence(value))
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Evidence) int { return a.At.Compare(b.At) })
	return list
}

// backChannel are the requests that a client makes itself.
var backChannel = []vneid.StepKind{vneid.StepToken, vneid.StepRefresh, vneid.StepIntrospect, vneid.StepRevoke, vneid.StepDevice, vneid.StepUserinfo}

// everywhere are those and what it makes browsers do.
var everywhere = append([]vneid.StepKind{vneid.StepAuthorize, vneid.StepEndSession}, backChannel...)

// authorizations are the authorization requests from which a login came.
func (t *traffic) authorizations() []message {
	return slices.DeleteFunc(slices.Clone(t.steps[vneid.StepAuthorize]), func(m message) bool { return m.rec.Result == vneid.ResultRejected })
}

// redemptions are the token requests that brought tokens for a code.
func (t *traffic) redemptions() []message {
	return slices.DeleteFunc(slices.Clone(t.steps[vneid.StepToken]), func(m message) bool { return m.step.Status != 200 || m.sent("code") == "" })
}

// scopes that the access token of a redemption stands for.
func (m message) scopes() []string { return strings.Fields(m.answered("scope")) }

// claims of the ID token that came with it, nil when there was none.
func (m message) idToken() map[string]any {
	for _, k := range m.step.Tokens {
		if k.Use == "id_token" {
			claims := map[string]any{}
			if json.Unmarshal(k.Claims, &claims) == nil {
				return claims
			}
		}
	}
	return nil
}

// fetchedBy reports whether something was fetched from where a client calls,
// by any program or the same one, between two times. A zero time is no bound.
func (t *traffic) fetchedBy(m message, kind vneid.StepKind, sameProgram bool, from, to time.Time) bool {
	return slices.ContainsFunc(t.fetches, func(f vneid.Traffic) bool {
		return f.Kind == kind && f.Peer == m.step.Peer && (!sameProgram || f.Agent == m.step.Agent) &&
			(from.IsZero() || !f.LastAt.Before(from)) && (to.IsZero() || !f.At.After(to))
	})
}

// masked is how a value is shown that others could use while it is fresh: its
// beginning, and how long it is.
func masked(s string) string {
	if strings.HasPrefix(s, "#") {
		return s // a fingerprint
	}
	n := utf8.RuneCountInString(s)
	head := ""
	if n >= 12 {
		for i, r := range []rune(s) {
			if i == 4 {
				break
			}
			head += string(r)
		}
	}
	return head + "… (" + strconv.Itoa(n) + ")"
}
