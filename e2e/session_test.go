//go:build e2e

package e2e_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	first := w.request(seededPortal)
	v.SignIn(first, an)
	idToken := first.Redeem(t, v.wantCode(first)).str("id_token")
	original := w.verified(t, idToken)

	again := func(t *testing.T, changes ...string) map[string]any {
		t.Helper()
		r := w.request(seededPortal, changes...)
		v.Open(r.URL())
		return w.verified(t, r.Redeem(t, v.wantCode(r)).str("id_token"))
	}

	t.Run("whoever is signed in is not asked again, and nothing in between changes", func(t *testing.T) {
		for _, changes := range [][]string{
			nil, {"prompt", "none"}, {"max_age", "10000"}, {"id_token_hint", idToken}, {"prompt", "none", "id_token_hint", idToken},
			{"acr_values", "LoA1"}, {"acr_values", "LoA2"}, {"login_hint", an.CCCD}, {"ui_locales", "en"},
		} {
			claims := again(t, changes...)
			for _, name := range []string{"sub", "auth_time", "acr", "sid"} {
				if claims[name] != original[name] {
					t.Errorf("%v: %s was %v, is %v", changes, name, original[name], claims[name])
				}
			}
		}
	})

	t.Run("a hint that means somebody else is answered with login_required", func(t *testing.T) {
		other := w.visitor(t)
		r := w.request(seededPortal)
		other.SignIn(r, binh)
		hint := r.Redeem(t, other.wantCode(r)).str("id_token")
		r = w.request(seededPortal, "prompt", "none", "id_token_hint", hint)
		v.Open(r.URL())
		v.wantError(r, "login_required")
	})

	t.Run("prompt=login and an old max_age ask again, and auth_time moves", func(t *testing.T) {
		w.advance(t, "40s")
		for _, changes := range [][]string{{"prompt", "login"}, {"max_age", "1"}} {
			before := original["auth_time"].(float64)
			r := w.request(seededPortal, changes...)
			fresh := v.tab()
			m := fresh.ToOTP(r, an)
			fresh.EnterOTP(m.OTP)
			claims := w.verified(t, r.Redeem(t, fresh.wantCode(r)).str("id_token"))
			if got := claims["auth_time"].(float64); got <= before {
				t.Errorf("%v: auth_time was %v, is %v", changes, before, got)
			}
			if claims["sub"] != original["sub"] {
				t.Errorf("%v: sub changed", changes)
			}
			original = claims
			w.advance(t, "40s")
		}
	})

	t.Run("prompt=none with an old max_age says login_required", func(t *testing.T) {
		r := w.request(seededPortal, "prompt", "none", "max_age", "1")
		v.Open(r.URL())
		v.wantError(r, "login_required")
	})

	t.Run("login_hint stands in the number field", func(t *testing.T) {
		v := w.visitor(t)
		v.Open(w.request(seededPortal, "login_hint", an.CCCD).URL())
		if e := v.at.ByID("username"); e == nil || e.attrs["value"] != an.CCCD {
			t.Errorf("#username is %+v", e)
		}
	})

	t.Run("form_post brings the code by a form with a button", func(t *testing.T) {
		r := w.request(seededPortal, "response_mode", "form_post")
		v.Open(r.URL())
		form := v.formPost(r)
		if form.Get("state") != r.State || form.Get("iss") != w.Issuer {
			t.Errorf("the form carries %v", form)
		}
		r.Redeem(t, form.Get("code"))
	})

	t.Run("signing out needs a good hint or a yes, and a registered address", func(t *testing.T) {
		stillIn := func(name string) {
			t.Helper()
			r := w.request(seededPortal, "prompt", "none")
			tab := v.tab()
			tab.Open(r.URL())
			if !tab.at.Landed || tab.at.Query("code") == "" {
				t.Errorf("%s ended the session: %s", name, tab.describe())
			}
		}
		v.Open(w.Issuer + "/end_session")
		stillIn("a bare visit to /end_session")
		v.Open(w.Issuer + "/end_session?" + url.Values{"client_id": {seededPortal.ID}, "post_logout_redirect_uri": {"http://127.0.0.1:9999/"}}.Encode())
		if !strings.HasPrefix(v.at.URL.String(), w.Issuer) {
			t.Errorf("without a hint the browser went to %s at once", v.at.URL)
		}
		stillIn("a client_id without hint")
		v.stop = func(u *url.URL) bool { return !strings.HasPrefix(u.String(), w.Issuer) }
		v.Open(w.Issuer + "/end_session?" + url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {"http://evil.example/"}}.Encode())
		if v.at.Landed {
			t.Errorf("an unregistered address was followed: %s", v.at.URL)
		}
	})

	t.Run("signing out with a hint ends the session and goes back with the state", func(t *testing.T) {
		r := w.request(seededPortal)
		v := w.visitor(t)
		v.SignIn(r, minh)
		hint := r.Redeem(t, v.wantCode(r)).str("id_token")
		stop := v.stop
		v.stop = func(u *url.URL) bool { return u.Host == "127.0.0.1:9999" }
		v.Open(w.Issuer + "/end_session?" + url.Values{
			"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://127.0.0.1:9999/"}, "state": {"st-1"},
		}.Encode())
		if !v.at.Landed && v.at.Control("Đăng xuất") != nil {
			v.Click("Đăng xuất")
		}
		if !v.at.Landed || v.at.Query("state") != "st-1" {
			t.Errorf("expected to be back at the portal with state st-1, got %s", v.describe())
		}
		v.stop = stop
		r = w.request(seededPortal, "prompt", "none")
		v.Open(r.URL())
		v.wantError(r, "login_required")
	})

	t.Run("a session ends after eight hours", func(t *testing.T) {
		w.advance(t, "8h1m")
		r := w.request(seededPortal, "prompt", "none")
		v.Open(r.URL())
		v.wantError(r, "login_required")
	})
}

func TestConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	r := w.request(myPortal, "scope", "openid profile cccd")
	v.EnterOTP(v.ToOTP(r, an).OTP)

	t.Run("the sharing page says with whom and what, and wants the box ticked", func(t *testing.T) {
		if !v.at.AsksToShare() || v.at.Control("Không chia sẻ") == nil {
			t.Fatalf("expected the sharing page, got %s", v.describe())
		}
		if !strings.Contains(v.at.Text(), "Tôi đã đọc và hiểu rõ nội dung mục đích; Quyền, nghĩa vụ của chủ thể dữ liệu và đồng ý với các nội dung này.") {
			t.Errorf("the declaration is missing: %s", v.describe())
		}
		v.Click("Xác nhận chia sẻ")
		if v.at.Landed || !v.at.AsksToShare() {
			t.Errorf("without the tick: %s", v.describe())
		}
	})
	t.Run("prompt=none before any consent says so", func(t *testing.T) {
		none := w.request(myPortal, "scope", "openid profile", "prompt", "none")
		tab := v.tab()
		tab.Open(none.URL())
		tab.wantError(none, "consent_required", "interaction_required", "login_required")
	})
	t.Run("whoever does not share is sent back with access_denied", func(t *testing.T) {
		v.Click("Không chia sẻ")
		v.wantError(r, "access_denied")
	})
	t.Run("who shared once is not asked again, unless for more or by prompt=consent", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(myPortal, "scope", "openid profile")
		v.SignIn(r, binh)
		v.wantCode(r)
		r = w.request(myPortal, "scope", "openid profile", "prompt", "none")
		v.Open(r.URL())
		v.wantCode(r)
		r = w.request(myPortal, "scope", "openid profile cccd")
		v.Open(r.URL())
		if !v.at.AsksToShare() {
			t.Errorf("more is asked for, expected the sharing page, got %s", v.describe())
		}
		r = w.request(myPortal, "scope", "openid profile", "prompt", "consent")
		v.Open(r.URL())
		if !v.at.AsksToShare() {
			t.Errorf("prompt=consent, expected the sharing page, got %s", v.describe())
		}
		v.Share()
		v.wantCode(r)
	})
	t.Run("a client with consent always asks each time, with never it does not", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal, "scope", "openid profile cccd")
		v.SignIn(r, hai)
		v.wantCode(r)
		always := w.register(t, map[string]any{"consent": "always"})
		for range 2 {
			r := w.request(always)
			v.Open(r.URL())
			if !v.at.AsksToShare() {
				t.Fatalf("expected the sharing page, got %s", v.describe())
			}
			v.Share()
			v.wantCode(r)
		}
	})
}
