package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// cost is what operations cost together.
type cost struct {
	n                int
	server, database float64 // CPU ms
	took             []time.Duration
}

func (c *cost) each() float64 {
	if c == nil {
		return math.NaN()
	}
	return c.server / float64(max(1, c.n))
}

func (c *cost) eachDB() float64 {
	if c == nil {
		return math.NaN()
	}
	return c.database / float64(max(1, c.n))
}

func (c *cost) p99() time.Duration {
	if len(c.took) == 0 {
		return 0
	}
	slices.Sort(c.took)
	return c.took[len(c.took)*99/100]
}

// column is a server with its users and what was measured of it.
type column struct {
	name    string
	variant variant
	server  *server
	users   []*user
	cost    map[string]*cost
}

func newColumn(name string, s *server, o options) *column {
	c := &column{name: name, server: s, cost: map[string]*cost{}}
	for i := range o.users {
		c.users = append(c.users, newUser(s, i, o.users))
	}
	return c
}

// Names of operations that the report computes with.
const (
	lightLogin = "login without hash"
	wholeLogin = "login, whole"
	inboxLook  = "  its look into the inbox"
	oneHash    = "password hash"
)

// turns is how often the servers change places while an operation is measured.
// The speed of a machine drifts, and so it drifts for all of them.
const turns = 4

// operation is a row of the table.
type operation struct {
	name  string
	times int                                // by each user
	fn    func(c *column, u *user) error     // what is measured
	ahead func(c *column, u *user) error     // what each has to have done before, as often; not measured
	on    func(c *column, isFloor bool) bool // nil = everybody
}

func operations(o options) []operation {
	refresh := func(_ *column, u *user) (err error) {
		u.got, err = u.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {u.got.Refresh}})
		return err
	}
	get := func(path string) func(*column, *user) error {
		return func(_ *column, u *user) error { return u.expect(http.StatusOK, "GET", u.s.issuer+path, nil, "") }
	}
	many := 50 * o.rounds
	return []operation{
		{name: lightLogin, times: 3 * o.rounds, fn: func(c *column, u *user) (err error) {
			u.got, err = u.login(u.next(max(o.people(), c.variant.accounts), lightPerson))
			return err
		}},
		{name: qrLogin, times: 3 * o.rounds, on: func(_ *column, isFloor bool) bool { return !isFloor }, fn: func(_ *column, u *user) (err error) {
			u.got, err = u.qrLogin(u.next(mostPhones, qrPerson))
			return err
		}},
		{name: inboxLook, times: 10 * o.rounds, fn: func(_ *column, u *user) error { _, err := u.otp(); return err }},
		{name: wholeLogin, times: o.rounds, fn: func(_ *column, u *user) (err error) {
			u.got, err = u.login(u.next(o.people(), realPerson))
			return err
		}},
		{name: oneHash, times: o.rounds, on: func(_ *column, isFloor bool) bool { return isFloor }, fn: get("/hash")},
		{name: "first page", times: 10 * o.rounds, fn: func(_ *column, u *user) error { u.freshBrowser(); _, err := u.firstPage(); return err }},
		{name: "refresh", times: 5 * o.rounds, fn: refresh},
		{name: "userinfo", times: many, fn: func(_ *column, u *user) error {
			return u.expect(http.StatusOK, "GET", u.s.issuer+"/userinfo", nil, u.got.Access)
		}},
		{name: "introspect", times: many, fn: func(_ *column, u *user) error {
			return u.expect(http.StatusOK, "POST", u.s.issuer+"/oauth/introspect", url.Values{"token": {u.got.Access}}, "basic")
		}},
		{name: "discovery", times: many, fn: get("/.well-known/openid-configuration")},
		{name: "jwks", times: many, fn: get("/keys")},
		{name: "end_session", times: o.rounds,
			ahead: func(c *column, u *user) error {
				t, err := u.login(u.next(max(o.people(), c.variant.accounts), lightPerson))
				u.open = append(u.open, session{u.client.Jar, t.ID})
				return err
			},
			fn: func(_ *column, u *user) error {
				last := u.open[len(u.open)-1]
				u.open = u.open[:len(u.open)-1]
				u.client.Jar = last.jar
				return u.expect(http.StatusSeeOther, "GET", u.s.issuer+"/end_session?"+
					url.Values{"id_token_hint": {last.idToken}, "post_logout_redirect_uri": {"http://127.0.0.1:1/"}}.Encode(), nil, "")
			}},
	}
}

// people is how many of each kind there are at least: so many that an inbox
// holds a few messages, as that of a citizen does.
func (o options) people() int { return max(o.users, o.burst, 2000) }

// measure does every operation on every server.
func measure(ctx context.Context, columns []*column, o options) error {
	for _, op := range operations(o) {
		if op.name != lightLogin && !strings.Contains(op.name, o.only) {
			continue // tokens come from a login
		}
		for turn := range turns + 1 {
			for i, c := range columns {
				if op.on != nil && !op.on(c, i == 0) {
					continue
				}
				times := max(1, op.times/turns)
				if turn == 0 {
					times = max(1, times/4) // to warm up
				}
				if err := c.measure(ctx, op, times, turn > 0, turn == turns && i == 1, o); err != nil {
					return fmt.Errorf("%s: %s: %w\n%s", c.name, strings.TrimSpace(op.name), err, c.server.log.tail())
				}
			}
		}
	}
	return nil
}

func (c *column) measure(ctx context.Context, op operation, times int, counts, profiled bool, o options) error {
	if op.ahead != nil {
		if _, err := together(ctx, c.users, times, func(u *user) error { return op.ahead(c, u) }); err != nil {
			return err
		}
	}
	if profiled && o.profile != "" {
		stop, err := startProfile(c.server, filepath.Join(o.profile, strings.ReplaceAll(strings.TrimSpace(op.name), " ", "-")+".prof"))
		if err != nil {
			return err
		}
		defer stop()
		counts = false // being watched costs too
	}
	var mu sync.Mutex
	var took []time.Duration
	cpu, db := c.server.cpu(), c.server.databaseCPU()
	n, err := together(ctx, c.users, times, func(u *user) error {
		start := time.Now()
		err := op.fn(c, u)
		mu.Lock()
		took = append(took, time.Since(start))
		mu.Unlock()
		return err
	})
	if err != nil || !counts {
		return err
	}
	sum := c.cost[op.name]
	if sum == nil {
		sum = &cost{}
		c.cost[op.name] = sum
	}
	sum.n += n
	sum.server += c.server.cpu() - cpu
	sum.database += c.server.databaseCPU() - db
	sum.took = append(sum.took, took...)
	return nil
}

// burst lets many people log in at once and reads the peak of memory.
func burst(ctx context.Context, s *server, o options) error {
	users := make([]*user, o.burst)
	for i := range users {
		users[i] = newUser(s, i, o.burst)
	}
	s.resetPeak()
	_, err := together(ctx, users, 1, func(u *user) error { _, err := u.login(realPerson(u.id)); return err })
	s.peakRSS = s.memory("VmHWM")
	return err
}

// soak logs in for a while and notes the memory of each tenth: its mean, since
// at any moment none, one or two hashes hold 19 MiB each.
func soak(ctx context.Context, c *column, o options) error {
	fmt.Printf("\n%s: logins for %s, mean RSS in MiB of each tenth:", c.name, o.soak)
	var means []float64
	count := 0
	for range 10 {
		until := time.Now().Add(o.soak / 10)
		mean := c.server.meanRSS(until)
		n, err := together(ctx, c.users, 1<<30, func(u *user) error {
			if time.Now().After(until) {
				return errEnough
			}
			_, err := u.login(u.next(o.people(), realPerson))
			return err
		})
		count += n
		if err != nil && err != errEnough {
			return fmt.Errorf("%w\n%s", err, c.server.log.tail())
		}
		means = append(means, <-mean)
		fmt.Printf(" %.1f", means[len(means)-1])
	}
	most := slices.Max(means[1:])
	fmt.Printf("\n%d logins; the most after the first tenth is %+.0f %% of the first (required: not over +10 %%)\n", count, 100*(most/means[0]-1))
	return nil
}

// meanRSS samples the resident set until then.
func (s *server) meanRSS(until time.Time) <-chan float64 {
	mean := make(chan float64, 1)
	go func() {
		sum, n := 0.0, 0
		for ; time.Now().Before(until) || n == 0; n++ {
			sum += s.memory("VmRSS")
			time.Sleep(50 * time.Millisecond)
		}
		mean <- sum / float64(n)
	}()
	return mean
}

// startProfile asks the program for a CPU profile until stop.
func startProfile(s *server, file string) (stop func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.Close()
		profileInto(s, f)
	}()
	return func() { <-done }, nil
}
