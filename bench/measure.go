package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/argon2"
)

// cost is what one operation costs.
type cost struct {
	server   float64 // CPU ms of the process
	database float64 // CPU ms of the database server, where there is one
	p50, p99 time.Duration
}

// operations in the order of the table.
var operations = []string{"login, whole", "  its look into the inbox", "first page", "refresh", "userinfo", "introspect", "discovery", "jwks", "end_session"}

// hashOnly is one password hash, measured by the driver itself.
const hashOnly = "password hash"

type column struct {
	name   string
	cost   map[string]cost
	server *server
}

// hashCost measures one password hash on all cores, as the server runs it.
func hashCost() float64 {
	before := ownCPU()
	const each = 20
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for range each {
				argon2.IDKey([]byte("Sandbox@2024"), []byte("0123456789abcdef"), 2, 19*1024, 1, 32)
			}
		})
	}
	wg.Wait()
	return (ownCPU() - before) / float64(each*runtime.NumCPU())
}

func ownCPU() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e6
}

// timed runs fn with every user and divides the CPU by the operations.
func timed(ctx context.Context, s *server, users []*user, times int, fn func(u *user, round int) error) (cost, error) {
	var mu sync.Mutex
	took := make([]time.Duration, 0, len(users)*times)
	cpuBefore, dbBefore := s.cpu(), s.databaseCPU()
	n, err := together(ctx, users, times, func(u *user, round int) error {
		start := time.Now()
		err := fn(u, round)
		mu.Lock()
		took = append(took, time.Since(start))
		mu.Unlock()
		return err
	})
	if err != nil || n == 0 {
		return cost{}, err
	}
	slices.Sort(took)
	return cost{server: (s.cpu() - cpuBefore) / float64(n), database: (s.databaseCPU() - dbBefore) / float64(n),
		p50: took[len(took)/2], p99: took[len(took)*99/100]}, nil
}

// measure drives every operation.
func measure(ctx context.Context, s *server, o options) (map[string]cost, error) {
	users := make([]*user, o.users)
	for i := range users {
		users[i] = newUser(s, i)
	}
	result := map[string]cost{}
	got := make([]tokens, o.users)
	login := func(u *user, _ int) (err error) { got[u.id], err = u.login(); return err }
	if _, err := together(ctx, users, 3, login); err != nil { // warm
		return nil, err
	}
	var err error
	measureAs := func(name string, times int, fn func(u *user, round int) error) {
		if err != nil {
			return
		}
		if result[name], err = timed(ctx, s, users, times, fn); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	// Around the logins, since the machine's speed drifts.
	before := hashCost()
	stopProfile := startProfile(s, o)
	measureAs("login, whole", o.rounds, login)
	stopProfile()
	result[hashOnly] = cost{server: (before + hashCost()) / 2}
	many := 20 * o.rounds
	measureAs("  its look into the inbox", many, func(u *user, _ int) error { _, err := u.otp(); return err })
	measureAs("first page", 4*o.rounds, func(u *user, _ int) error { u.freshBrowser(); _, err := u.firstPage(); return err })
	measureAs("refresh", 4*o.rounds, func(u *user, _ int) (err error) {
		got[u.id], err = u.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got[u.id].Refresh}})
		return err
	})
	measureAs("userinfo", many, func(u *user, _ int) error {
		return u.expect(http.StatusOK, "GET", s.issuer+"/userinfo", nil, got[u.id].Access)
	})
	measureAs("introspect", many, func(u *user, _ int) error {
		return u.expect(http.StatusOK, "POST", s.issuer+"/oauth/introspect", url.Values{"token": {got[u.id].Access}}, "basic")
	})
	measureAs("discovery", many, func(u *user, _ int) error {
		return u.expect(http.StatusOK, "GET", s.issuer+"/.well-known/openid-configuration", nil, "")
	})
	measureAs("jwks", many, func(u *user, _ int) error { return u.expect(http.StatusOK, "GET", s.issuer+"/keys", nil, "") })

	// Sessions to end are made ahead.
	type open struct {
		jar http.CookieJar
		id  string
	}
	const sessions = 10
	kept := make([][]open, o.users)
	if err == nil {
		_, err = together(ctx, users, sessions, func(u *user, _ int) error {
			t, err := u.login()
			kept[u.id] = append(kept[u.id], open{u.client.Jar, t.ID})
			return err
		})
	}
	measureAs("end_session", sessions, func(u *user, round int) error {
		k := kept[u.id][round]
		u.client.Jar = k.jar
		return u.expect(http.StatusSeeOther, "GET", s.issuer+"/end_session?"+url.Values{"id_token_hint": {k.id}, "post_logout_redirect_uri": {"http://127.0.0.1:1/"}}.Encode(), nil, "")
	})
	return result, err
}

// burst lets many people log in at once and reads the peak of memory.
func burst(ctx context.Context, s *server, o options) error {
	users := make([]*user, o.burst)
	for i := range users {
		users[i] = newUser(s, i)
	}
	s.resetPeak()
	_, err := together(ctx, users, 1, func(u *user, _ int) error { _, err := u.login(); return err })
	s.peakRSS = s.memory("VmHWM")
	return err
}

// soak logs in for a while and notes the memory ten times.
func soak(ctx context.Context, s *server, o options) error {
	users := make([]*user, o.users)
	for i := range users {
		users[i] = newUser(s, i)
	}
	for range 10 {
		until := time.Now().Add(o.soak / 10)
		if _, err := together(ctx, users, 1, func(u *user, _ int) error {
			for time.Now().Before(until) && ctx.Err() == nil {
				if _, err := u.login(); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		s.soakRSS = append(s.soakRSS, s.memory("VmRSS"))
	}
	return nil
}

func (s *server) databaseCPU() float64 {
	if s.dbCPU == nil {
		return 0
	}
	return s.dbCPU()
}

// startProfile asks the kernel's profiler, when there is one, for the logins.
func startProfile(s *server, o options) (stop func()) {
	if o.profile == "" || s.name == "floor" {
		return func() {}
	}
	f, err := os.Create(o.profile)
	if err != nil {
		return func() {}
	}
	resp := make(chan struct{})
	go func() {
		defer close(resp)
		defer f.Close()
		profileInto(s, f)
	}()
	return func() { <-resp }
}
