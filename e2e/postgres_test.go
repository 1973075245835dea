//go:build e2e && postgres

package e2e_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

// withDatabase puts the world into a database somewhere else.
func withDatabase(u string) option { return func(s *setup) { s.database = u } }

// The stories that lean on the database most, on PostgreSQL. Of this module only pgtest is imported, which runs a server
// and knows nothing of what is stored there.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal, withDatabase(pgtest.New(t, "fsync=off").Database(t)))
	v := w.visitor(t)
	r := w.request(myPortal, "scope", "openid profile offline_access")
	v.SignIn(r, an)
	first := r.Redeem(t, v.wantCode(r))
	original := w.verified(t, first.str("id_token"))
	fresh := func(t *testing.T) (*request, string) {
		t.Helper()
		v.t = t
		r := w.request(myPortal, "scope", "openid profile offline_access")
		return r, v.Code(r)
	}

	t.Run("Bình signs in at the portal and out again", func(t *testing.T) {
		v := w.visitor(t)
		v.signInAtPortal(binh)
		v.wantSignedIn(binh)
		v.Click("Đăng xuất")
		v.wantSignedOut()
	})

	t.Run("a session is one, whoever asks", func(t *testing.T) {
		r := w.request(myPortal, "scope", "openid", "prompt", "none")
		v.t = t
		claims := w.verified(t, r.Redeem(t, v.Code(r)).str("id_token"))
		for _, name := range []string{"sub", "sid", "auth_time", "acr"} {
			if claims[name] != original[name] {
				t.Errorf("%s was %v, is %v", name, original[name], claims[name])
			}
		}
		wantClaim(t, w.userinfo(t, "GET", first.str("access_token")).Body, "name", an.Name)
	})

	t.Run("of a hundred who race with one code, one wins, and a replay takes it all back", func(t *testing.T) {
		r, code := fresh(t)
		won := race(t, 100, func(int) *answer { return w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)) })
		if won != 1 {
			t.Errorf("%d won", won)
		}
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)), 400, "invalid_grant")
	})

	t.Run("of fifty who race with one refresh token, one wins and its family ends", func(t *testing.T) {
		r, code := fresh(t)
		one := r.Redeem(t, code)
		var mu sync.Mutex
		var two *answer
		won := race(t, 50, func(int) *answer {
			a := w.refresh(t, myPortal, one.str("refresh_token"))
			if a.Status == http.StatusOK {
				mu.Lock()
				defer mu.Unlock()
				two = a
			}
			return a
		})
		if won != 1 {
			t.Fatalf("%d won", won)
		}
		wantOAuthError(t, w.refresh(t, myPortal, two.str("refresh_token")), 400, "invalid_grant")
		if a := w.userinfo(t, "GET", two.str("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("the family's access token still works: %s", a)
		}
	})

	t.Run("refresh tokens rotate, and reuse of an old one ends the family", func(t *testing.T) {
		r, code := fresh(t)
		one := r.Redeem(t, code)
		two := w.refresh(t, myPortal, one.str("refresh_token"))
		three := w.refresh(t, myPortal, two.str("refresh_token"))
		if two.Status != http.StatusOK || three.Status != http.StatusOK {
			t.Fatalf("refresh: %s, %s", two, three)
		}
		wantOAuthError(t, w.refresh(t, myPortal, one.str("refresh_token")), 400, "invalid_grant")
		wantOAuthError(t, w.refresh(t, myPortal, three.str("refresh_token")), 400, "invalid_grant")
	})

	t.Run("five wrong passwords at once lock the number, even for the right one", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 5 {
			v := w.visitor(t)
			v.Open(w.request(myPortal).URL())
			wg.Go(func() { v.PasswordStep(minh.CCCD, "Wrong@2024") })
		}
		wg.Wait()
		v := w.visitor(t)
		v.Open(w.request(myPortal).URL())
		if v.PasswordStep(minh.CCCD, password); v.at.AsksOTP() {
			t.Errorf("the right password opens a locked number: %s", v.describe())
		}
		w.advance(t, "16m")
		v = w.visitor(t)
		v.ToOTP(w.request(myPortal), minh)
	})

	t.Run("through a power cut nothing acknowledged is lost", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(myPortal, "scope", "openid offline_access")
		m := v.ToOTP(r, hai)
		w.restart(t, (*process).kill)
		v.EnterOTP(m.OTP)
		code := v.Share().Query("code")
		w.restart(t, (*process).kill)
		tokens := r.Redeem(t, code)
		w.restart(t, (*process).kill)
		if a := w.refresh(t, myPortal, tokens.str("refresh_token")); a.Status != http.StatusOK {
			t.Errorf("refresh: %s", a)
		}
		w.restart(t, func(p *process) { p.terminate(t) })
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)), 400, "invalid_grant")
	})

	t.Run("a reset brings the seed back", func(t *testing.T) {
		w.api(t, http.StatusOK, "POST", "/reset", map[string]any{}, nil)
		r := w.request(seededPortal, "prompt", "none")
		v.t = t
		v.Open(r.URL())
		v.wantError(r, "login_required")
		v := w.visitor(t)
		r = w.request(seededPortal)
		v.SignIn(r, an)
		r.Redeem(t, v.wantCode(r))
	})
}

// race lets so many try the same thing at once. Losers must be told invalid_grant.
func race(t *testing.T, racers int, try func(i int) *answer) (won int) {
	t.Helper()
	answers := make([]*answer, racers)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range answers {
		wg.Go(func() { <-start; answers[i] = try(i) })
	}
	close(start)
	wg.Wait()
	for _, a := range answers {
		if a.Status == http.StatusOK {
			won++
		} else {
			wantOAuthError(t, a, 400, "invalid_grant")
		}
	}
	return won
}

// wantNoDatabase asks for everything that needs the database, and for what does not.
func (w *world) wantNoDatabase(t *testing.T, r *request, code, access, refresh string) {
	t.Helper()
	v := w.visitor(t)
	v.Open(r.URL())
	v.wantUnavailablePage("/authorize")
	for what, a := range map[string]*answer{
		"redeeming a code":      w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)),
		"refreshing":            w.refresh(t, myPortal, refresh),
		"userinfo":              w.userinfo(t, "GET", access),
		"introspection":         w.authenticated(t, "/oauth/introspect", myPortal, url.Values{"token": {access}}),
		"revoking":              w.authenticated(t, "/revoke", myPortal, url.Values{"token": {access}}),
		"the client's secret":   w.post(t, "/oauth/token", myPortal.ID, "wrong", r.exchange(code)),
		"a client nobody knows": w.post(t, "/oauth/token", "nobody", "wrong", r.exchange(code)),
	} {
		a.wantUnavailable(t, what)
	}
	for path, want := range map[string]int{"/healthz": 200, "/ready": 503, "/keys": 200, "/.well-known/openid-configuration": 200, "/metrics": 200} {
		req, _ := http.NewRequest("GET", w.Issuer+path, nil)
		if a := w.answer(t, req); a.Status != want || leaks(a.Raw) != "" && path != "/metrics" && path != "/keys" { // a key's digits may spell anything
			t.Errorf("%s: %d %.300s, want %d", path, a.Status, a.Raw, want)
		}
	}
	for _, path := range []string{"/personas", "/sms", "/clients"} {
		status, raw := w.apiRaw(t, "GET", path, nil, nil)
		if status != http.StatusServiceUnavailable || leaks(string(raw)) != "" {
			t.Errorf("GET /api/v1%s: %d %s", path, status, raw)
		}
	}
	v.Open(w.Sandbox + "/sms")
	v.wantUnavailablePage("/sms")
}

func TestPostgreSQLGoneAndBack(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t)
	w := newWorld(t, withPortal, withDatabase(server.Database(t)))
	v := w.visitor(t)
	r := w.request(myPortal, "scope", "openid profile offline_access")
	v.SignIn(r, an)
	tokens := r.Redeem(t, v.wantCode(r))
	waiting := w.request(myPortal)
	half := w.visitor(t)
	m := half.ToOTP(w.request(seededPortal), binh)
	atPassword := w.visitor(t)
	atPassword.Open(w.request(seededPortal).URL())
	signingIn := w.visitor(t)
	signingIn.toProvider()
	code := v.Code(waiting)
	halfForm, passwordForm, portalForm := half.at, atPassword.at, signingIn.at

	for range 2 {
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
		w.wantNoDatabase(t, waiting, code, tokens.str("access_token"), tokens.str("refresh_token"))
		half.EnterOTP(m.OTP)
		half.wantUnavailablePage("the OTP")
		atPassword.PasswordStep(hai.CCCD, password)
		atPassword.wantUnavailablePage("the password")
		signingIn.PasswordStep(minh.CCCD, password)
		signingIn.wantUnavailablePage("the password for the portal")
		half.goBack(halfForm)
		atPassword.goBack(passwordForm)
		signingIn.goBack(portalForm)
		portal := w.visitor(t)
		portal.Open(w.Portal + "/")
		if portal.at.Status != http.StatusOK {
			t.Errorf("the portal itself is down: %s", portal.describe())
		}
		if w.provider.ended() {
			t.Fatal("the provider ended")
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	// The forms that were open are still good, and so is everything given out.
	half.EnterOTP(m.OTP)
	half.Share()
	if half.at.Query("code") == "" {
		t.Errorf("the OTP after the database came back: %s", half.describe())
	}
	atPassword.PasswordStep(hai.CCCD, password)
	if !atPassword.at.AsksOTP() {
		t.Errorf("the password after the database came back: %s", atPassword.describe())
	}
	signingIn.PasswordStep(minh.CCCD, password)
	signingIn.EnterOTP(w.awaitSMS(t, minh.Phone, 0).OTP)
	signingIn.wantSignedIn(minh)
	waiting.Redeem(t, code)
	if a := w.userinfo(t, "GET", tokens.str("access_token")); a.Status != http.StatusOK {
		t.Errorf("the access token: %s", a)
	}
	if a := w.refresh(t, myPortal, tokens.str("refresh_token")); a.Status != http.StatusOK {
		t.Errorf("the refresh token: %s", a)
	}
	again := w.request(myPortal, "prompt", "none")
	w.verified(t, again.Redeem(t, v.Code(again)).str("id_token"))
}
