//go:build e2e && postgres

package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

// Two processes, one database, one issuer: no step of anything may care which of them it meets.
func TestTwoServersOnOneDatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "fsync=off").Database(t)
	rr := newRoundRobin(t)
	a := newWorld(t, withDatabase(db), withIssuer(rr.URL))
	b := newWorld(t, withDatabase(db), withIssuer(rr.URL), withLogOf(a))
	rr.put(a.listener, b.listener)
	a.startPortal(t)
	scope := []string{"scope", "openid profile offline_access"}

	t.Run("a login meets the other server at every step", func(t *testing.T) {
		rr.walked()
		v := a.visitor(t)
		r := a.request(myPortal, scope...)
		v.SignIn(r, an)
		one := r.Redeem(t, v.wantCode(r))
		claims := a.verified(t, one.str("id_token"))
		two := a.refresh(t, myPortal, one.str("refresh_token"))
		three := a.refresh(t, myPortal, two.str("refresh_token"))
		for range 2 {
			wantClaim(t, a.userinfo(t, "GET", three.str("access_token")).Body, "name", an.Name)
			again := a.request(myPortal, "prompt", "none")
			same := a.verified(t, again.Redeem(t, v.Code(again)).str("id_token"))
			for _, name := range []string{"sub", "sid", "auth_time"} {
				if same[name] != claims[name] {
					t.Errorf("%s was %v, is %v", name, claims[name], same[name])
				}
			}
		}
		last := map[string]string{}
		for _, line := range rr.walked() {
			method, rest, _ := strings.Cut(line, " ")
			path, server, _ := strings.Cut(rest, " ")
			if last[method] == server {
				t.Errorf("%s %s met %s again", method, path, server)
			}
			last[method] = server
		}
		if len(last) != 2 {
			t.Errorf("the walk was %v", last)
		}
	})

	t.Run("the portal does not notice", func(t *testing.T) {
		for _, who := range []persona{binh, hai} {
			v := a.visitor(t)
			v.signInAtPortal(who)
			v.wantSignedIn(who)
			v.Click("Đăng xuất")
			v.wantSignedOut()
		}
	})

	t.Run("keys that one rotates are used and published by both", func(t *testing.T) {
		v := a.visitor(t)
		v.SignIn(a.request(myPortal), an)
		sign := func() (kids map[string]bool, token string) {
			t.Helper()
			kids = map[string]bool{}
			for range 4 {
				r := a.request(myPortal)
				token = r.Redeem(t, v.Code(r)).str("id_token")
				a.verified(t, token) // by the JWKS of the other server, then by that of the same
				a.verified(t, token)
				kids[kidOf(t, token)] = true
			}
			return kids, token
		}
		before, old := sign()
		a.rotate(t, "publish")
		if during, _ := sign(); len(during) != 1 || !during[kidOf(t, old)] {
			t.Errorf("a key that is only published signs: %v", during)
		}
		b.rotate(t, "use")
		settle()
		after, fresh := sign()
		if len(after) != 1 || after[kidOf(t, old)] {
			t.Errorf("before %v, after %v: both servers must use the new key", before, after)
		}
		for range 2 {
			a.verified(t, old)
		}
		a.rotate(t, "retire")
		settle()
		for _, w := range []*world{a, b} {
			if kids := w.published(t); slices.Contains(kids, kidOf(t, old)) || !slices.Contains(kids, kidOf(t, fresh)) {
				t.Errorf("%s publishes %v", w.listener, kids)
			}
		}
		sign()
	})

	t.Run("of a hundred who bring one code to both, one wins", func(t *testing.T) {
		v := a.visitor(t)
		r := a.request(myPortal, scope...)
		v.SignIn(r, an)
		code := v.wantCode(r)
		rr.walked()
		if won := race(t, 100, func(int) *answer { return a.authenticated(t, "/oauth/token", myPortal, r.exchange(code)) }); won != 1 {
			t.Errorf("%d won", won)
		}
		met := map[string]int{}
		for _, line := range rr.walked() {
			met[line[strings.LastIndexByte(line, ' ')+1:]]++
		}
		if len(met) != 2 {
			t.Errorf("the race met %v", met)
		}
	})

	t.Run("a refresh token that both are given ends its family", func(t *testing.T) {
		v := a.visitor(t)
		r := a.request(myPortal, scope...)
		v.SignIn(r, minh)
		one := r.Redeem(t, v.wantCode(r))
		two := a.refresh(t, myPortal, one.str("refresh_token"))
		if two.Status != http.StatusOK {
			t.Fatalf("refresh: %s", two)
		}
		wantOAuthError(t, a.refresh(t, myPortal, one.str("refresh_token")), 400, "invalid_grant")
		for range 2 {
			wantOAuthError(t, a.refresh(t, myPortal, two.str("refresh_token")), 400, "invalid_grant")
			if got := a.userinfo(t, "GET", two.str("access_token")); got.Status != http.StatusUnauthorized {
				t.Errorf("the family's access token still works: %s", got)
			}
		}
		r = a.request(myPortal, scope...)
		one = r.Redeem(t, v.Code(r))
		if won := race(t, 40, func(int) *answer { return a.refresh(t, myPortal, one.str("refresh_token")) }); won != 1 {
			t.Errorf("%d of 40 refreshed with one token", won)
		}
	})

	t.Run("five wrong passwords lock, wherever they were tried", func(t *testing.T) {
		rr.walked()
		for range 5 {
			v := a.visitor(t)
			v.Open(a.request(myPortal).URL())
			v.PasswordStep(tam.CCCD, "Wrong@2024")
		}
		met := map[string]bool{}
		for _, line := range rr.walked() {
			if method, _, _ := strings.Cut(line, " "); method == "POST" {
				met[line[strings.LastIndexByte(line, ' '):]] = true
			}
		}
		if len(met) != 2 {
			t.Errorf("the tries met %v", met)
		}
		for range 2 {
			v := a.visitor(t)
			v.Open(a.request(myPortal).URL())
			if v.PasswordStep(tam.CCCD, password); v.at.AsksOTP() {
				t.Errorf("the right password opens a locked number: %s", v.describe())
			}
		}
	})

	t.Run("the clock that one moves is followed by the other", func(t *testing.T) {
		a.advance(t, "16m")
		settle()
		if apart := b.now(t).Sub(a.now(t)).Abs(); apart > 2*time.Second {
			t.Errorf("the clocks are %v apart", apart)
		}
		b.advance(t, "10m")
		a.advance(t, "10m") // at once: it adds to what the other did
		settle()
		for _, w := range []*world{a, b} {
			if ahead := time.Until(w.now(t)); ahead < 35*time.Minute || ahead > 37*time.Minute {
				t.Errorf("%s is %v ahead, want 36 min", w.Sandbox, ahead)
			}
		}
		v := a.visitor(t)
		v.SignIn(a.request(myPortal), tam) // not locked any more, on either
	})

	t.Run("one is killed in the middle of logins, and nothing acknowledged is lost", func(t *testing.T) {
		a.api(t, http.StatusOK, "POST", "/reset", map[string]any{}, nil)
		settle()
		killOneOfTwo(t, rr, a, b)
	})

	t.Run("the killed one comes back and takes its turns", func(t *testing.T) {
		b.startProvider(t)
		settle()
		rr.walked()
		v := a.visitor(t)
		r := a.request(myPortal)
		v.Open(r.URL())
		v.PasswordStep(dung.CCCD, password) // told that the account is locked
		if v.at.AsksOTP() || v.at.Status >= 500 {
			t.Errorf("the locked account: %s", v.describe())
		}
		met := map[string]bool{}
		for _, line := range rr.walked() {
			met[line[strings.LastIndexByte(line, ' '):]] = true
		}
		if len(met) != 2 {
			t.Errorf("only %v answered", met)
		}
	})
}

// settle is how long servers may take to learn what another one did by the API, half a second each for keys and clock.
func settle() { time.Sleep(1200 * time.Millisecond) }

// killOneOfTwo lets eight people sign in four times each, and pulls b's plug after the tenth login.
func killOneOfTwo(t *testing.T, rr *roundRobin, a, b *world) {
	a.http.Transport = patient{a.http.Transport}
	people := []persona{an, binh, cuong, hai, linh, minh, son, tam}
	var logins, codesLost, messagesLost atomic.Int32
	var late sync.Once
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for deadline := time.Now().Add(time.Minute); logins.Load() < 10 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		b.provider.kill()
		b.provider = nil // it ended as it should
	}()
	var mu sync.Mutex
	var checks []func()
	var all sync.WaitGroup
	for _, who := range people {
		all.Go(func() {
			for range 4 {
				v := a.visitor(t)
				r := a.request(myPortal, "scope", "openid profile offline_access")
				before := len(a.inbox(t, who.Phone))
				v.Open(r.URL())
				v.PasswordStep(who.CCCD, password)
				if !v.at.AsksOTP() {
					t.Fatalf("expected the OTP page for %s, got %s", who.Name, v.describe())
				}
				m, came := a.smsWithin(t, who.Phone, before, 3*time.Second)
				if !came {
					// The server died between keeping the OTP and sending it. People have a button for messages that do not come.
					messagesLost.Add(1)
					late.Do(func() { a.advance(t, "31s") })
					v.Click("Gửi lại mã")
					m = a.awaitSMS(t, who.Phone, before)
				}
				v.EnterOTP(m.OTP)
				v.Share()
				tokens := a.authenticated(t, "/oauth/token", myPortal, r.exchange(v.wantCode(r)))
				if tokens.Status != http.StatusOK {
					// The answer was lost with the server, and a code works once: the session gives another one.
					codesLost.Add(1)
					wantOAuthError(t, tokens, 400, "invalid_grant")
					r = a.request(myPortal, "scope", "openid profile offline_access", "prompt", "none")
					tokens = r.Redeem(t, v.Code(r))
				}
				logins.Add(1)
				a.verified(t, tokens.str("id_token"))
				wantClaim(t, a.userinfo(t, "GET", tokens.str("access_token")).Body, "name", who.Name)
				mu.Lock()
				checks = append(checks, func() {
					if got := a.userinfo(t, "GET", tokens.str("access_token")); got.Status != http.StatusOK {
						t.Errorf("%s: the access token: %s", who.Name, got)
					}
					if got := a.refresh(t, myPortal, tokens.str("refresh_token")); got.Status != http.StatusOK {
						t.Errorf("%s: the refresh token: %s", who.Name, got)
					}
					again := a.request(myPortal, "prompt", "none")
					a.verified(t, again.Redeem(t, v.Code(again)).str("id_token"))
				})
				mu.Unlock()
			}
		})
	}
	all.Wait()
	<-killed
	rr.mu.Lock()
	lost, redemptions, passwords := slices.Clone(rr.lost), 0, 0
	rr.mu.Unlock()
	for _, line := range lost {
		switch {
		case line == "POST /oauth/token":
			redemptions++
		case strings.HasSuffix(line, "/password"):
			passwords++
		}
	}
	t.Logf("%d logins; the server died over %v; codes lost %d, messages lost %d", logins.Load(), lost, codesLost.Load(), messagesLost.Load())
	if len(lost) > len(people) {
		t.Errorf("%d requests had to be sent again, more than the %d that can have been under way: %v", len(lost), len(people), lost)
	}
	if int(codesLost.Load()) > redemptions || int(messagesLost.Load()) > passwords {
		t.Errorf("%d codes did not work and %d messages did not come, but only %d redemptions and %d passwords were under way",
			codesLost.Load(), messagesLost.Load(), redemptions, passwords)
	}
	if len(checks) != 4*len(people) {
		t.Errorf("%d logins ended well, want %d", len(checks), 4*len(people))
	}
	for _, check := range checks {
		check()
	}
}

// rotate takes the rotation of the RS256 key one stage on.
func (w *world) rotate(t *testing.T, stage string) {
	t.Helper()
	w.api(t, http.StatusOK, "POST", "/keys/rotate", map[string]string{"alg": "RS256", "stage": stage}, nil)
}

// published are the keys that this very server shows.
func (w *world) published(t *testing.T) (kids []string) {
	t.Helper()
	req, _ := http.NewRequest("GET", w.listener+"/keys", nil)
	for _, k := range w.answer(t, req).Body["keys"].([]any) {
		kids = append(kids, fmt.Sprint(k.(map[string]any)["kid"]))
	}
	return kids
}

// kidOf names the key that signed a token.
func kidOf(t *testing.T, token string) string {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	return jws.Signatures[0].Header.KeyID
}

// smsWithin waits that long for a number to have received more than so many messages.
func (w *world) smsWithin(t *testing.T, phone string, moreThan int, d time.Duration) (sms, bool) {
	t.Helper()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if list := w.inbox(t, phone); len(list) > moreThan {
			return list[0], true
		}
	}
	return sms{}, false
}
