//go:build e2e

package e2e_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// promised checks that a token answer promises no more than the policy, on the world's clock, and says for how long.
func (w *world) promised(t *testing.T, a *answer) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("no tokens: %s", a)
	}
	if n := number(t, a.Body, "expires_in"); n < 1 || n > 1800 {
		t.Errorf("expires_in is %d, want at most 1800", n)
	}
	claims, now := w.verified(t, a.str("id_token")), w.now(t).Unix()
	iat, exp := number(t, claims, "iat"), number(t, claims, "exp")
	if exp-iat != 300 || iat > now || now-iat > 30 {
		t.Errorf("the ID token is from %d to %d, now it is %d", iat, exp, now)
	}
	state := w.authenticated(t, "/oauth/introspect", myPortal, url.Values{"token": {a.str("access_token")}})
	if n := number(t, state.Body, "exp"); n > now+1800 {
		t.Errorf("the access token ends %d s from now", n-now)
	}
}

// Whatever the clock does in the middle of something, the outcome is one that people and programs can understand; the
// visitor complains about every page that is a server error.
func TestTheClockJumps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := []string{"scope", "openid offline_access"}
	toReality := func(t *testing.T) {
		t.Helper()
		w.api(t, http.StatusOK, "POST", "/clock", map[string]bool{"reset": true}, nil)
	}

	t.Run("in the middle of a login", func(t *testing.T) {
		t.Cleanup(func() { toReality(t) })
		late := w.visitor(t)
		late.Open(w.request(myPortal).URL())
		v := w.visitor(t)
		r := w.request(myPortal)
		m := v.ToOTP(r, an)

		w.advance(t, "3m")
		v.EnterOTP(m.OTP)
		if !v.at.AsksOTP() || v.at.Status/100 != 4 {
			t.Fatalf("an OTP of 3 min ago: %s", v.describe())
		}
		v.Click("Gửi lại mã")
		m = w.awaitSMS(t, an.Phone, 1)
		w.advance(t, "-1h") // before the login began
		v.EnterOTP(m.OTP)
		v.Share()
		w.promised(t, r.Redeem(t, v.wantCode(r)))

		w.advance(t, "2h")
		late.PasswordStep(an.CCCD, password)
		if late.at.AsksOTP() || late.at.Status/100 != 4 {
			t.Errorf("a login of more than an hour ago: %s", late.describe())
		}
	})

	t.Run("in the middle of a session", func(t *testing.T) {
		t.Cleanup(func() { toReality(t) })
		v := w.visitor(t)
		r := w.request(myPortal)
		v.SignIn(r, binh)
		first := w.verified(t, r.Redeem(t, v.wantCode(r)).str("id_token"))
		began := w.now(t)

		w.advance(t, "-2h")
		for _, changes := range [][]string{{"prompt", "none"}, {"prompt", "none", "max_age", "60"}} {
			r := w.request(myPortal, changes...)
			v.Open(r.URL())
			if v.at.Query("code") == "" {
				v.wantError(r, "login_required")
				continue
			}
			tokens := r.Redeem(t, v.wantCode(r))
			w.promised(t, tokens)
			if claims := w.verified(t, tokens.str("id_token")); claims["auth_time"] != first["auth_time"] {
				t.Errorf("%v: auth_time was %v, is %v", changes, first["auth_time"], claims["auth_time"])
			}
		}
		w.advance(t, "9h59m") // back, and on to almost eight hours
		r = w.request(myPortal, "prompt", "none")
		w.promised(t, r.Redeem(t, v.Code(r)))
		w.advance(t, "2m")
		if lasted := w.now(t).Sub(began); lasted < 8*time.Hour {
			t.Fatalf("only %v have passed", lasted)
		}
		r = w.request(myPortal, "prompt", "none")
		v.Open(r.URL())
		v.wantError(r, "login_required")
	})

	t.Run("between code and token", func(t *testing.T) {
		t.Cleanup(func() { toReality(t) })
		v := w.visitor(t)
		r := w.request(myPortal, scope...)
		v.SignIn(r, hai)
		code := v.wantCode(r)
		w.advance(t, "-10m")
		w.promised(t, r.Redeem(t, code))
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)), 400, "invalid_grant")
		r = w.request(myPortal, scope...)
		code = v.Code(r)
		w.advance(t, "61s")
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)), 400, "invalid_grant")
		w.advance(t, "-61s")
		if a := w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)); a.Status != http.StatusOK {
			wantOAuthError(t, a, 400, "invalid_grant")
		}
	})

	t.Run("with a refresh token", func(t *testing.T) {
		t.Cleanup(func() { toReality(t) })
		v := w.visitor(t)
		r := w.request(myPortal, scope...)
		v.SignIn(r, minh)
		one := r.Redeem(t, v.wantCode(r))
		w.promised(t, one)

		w.advance(t, "-1h")
		two := w.refresh(t, myPortal, one.str("refresh_token"))
		w.promised(t, two)
		w.advance(t, "31m")
		if a := w.userinfo(t, "GET", two.str("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("an access token of 31 min ago works: %s", a)
		}
		w.advance(t, "60m") // 31 min after the first
		if a := w.userinfo(t, "GET", one.str("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("an access token of more than 30 min ago works: %s", a)
		}
		three := w.refresh(t, myPortal, two.str("refresh_token"))
		w.promised(t, three)
		// The family ends 30 days after the code, however often its tokens changed and the clock went back.
		w.advance(t, "718h")
		four := w.refresh(t, myPortal, three.str("refresh_token"))
		w.promised(t, four)
		w.advance(t, "2h")
		wantOAuthError(t, w.refresh(t, myPortal, four.str("refresh_token")), 400, "invalid_grant")
	})

	t.Run("while a number is locked", func(t *testing.T) {
		t.Cleanup(func() { toReality(t) })
		try := func(pw string) *visitor {
			t.Helper()
			v := w.visitor(t)
			v.Open(w.request(myPortal).URL())
			v.PasswordStep(son.CCCD, pw)
			return v
		}
		for range 5 {
			try("Wrong@2024")
		}
		w.advance(t, "-1h")
		if v := try(password); v.at.AsksOTP() {
			t.Error("turning the clock back opens a locked number")
		}
		w.advance(t, "1h16m")
		if v := try(password); !v.at.AsksOTP() {
			t.Errorf("16 min later: %s", v.describe())
		}
	})

	t.Run("to other centuries and back", func(t *testing.T) {
		t.Cleanup(func() { toReality(t) })
		for _, at := range []string{"2099-12-31T23:59:58Z", "1999-12-31T23:59:58Z"} {
			w.api(t, http.StatusOK, "POST", "/clock", map[string]string{"set": at}, nil)
			v := w.visitor(t)
			r := w.request(myPortal, scope...)
			v.SignIn(r, tam)
			one := r.Redeem(t, v.wantCode(r))
			w.promised(t, one)
			w.promised(t, w.refresh(t, myPortal, one.str("refresh_token")))
			v.Open(w.Issuer + "/end_session?" + url.Values{"id_token_hint": {one.str("id_token")}}.Encode())
		}
	})
}
