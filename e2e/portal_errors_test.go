//go:build e2e

package e2e_test

import (
	"net/url"
	"strings"
	"testing"
)

// A portal that follows the rules survives everything that can come back to its callback.
func TestPortalMeetsBadAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)

	// begin leaves a visitor with a login at the portal under way and returns the request the portal made.
	begin := func(t *testing.T) (*visitor, url.Values) {
		v := w.visitor(t)
		v.Open(w.Portal + "/")
		v.Click("Đăng nhập")
		v.stop = func(u *url.URL) bool { return u.Path == "/authorize" }
		v.Click("Tài khoản VNeID Bộ Công an")
		if !v.at.Landed {
			t.Fatalf("expected to be sent to /authorize, got %s", v.describe())
		}
		v.stop = func(*url.URL) bool { return false }
		return v, v.at.URL.Query()
	}
	callback := func(v *visitor, q url.Values) *page {
		v.t.Helper()
		return v.Open(w.Portal + "/callback?" + q.Encode())
	}
	// friendly: a page of the portal that explains, with a way on, and nobody signed in.
	friendly := func(t *testing.T, v *visitor) {
		t.Helper()
		if !strings.HasPrefix(v.at.URL.String(), w.Portal) || v.at.Status == 500 || v.at.Control("Đăng xuất") != nil {
			t.Fatalf("expected a friendly page of the portal, got %s", v.describe())
		}
		for _, e := range v.at.Pressables() {
			if _, target, _ := v.request(e); strings.HasPrefix(target.String(), w.Portal) {
				return
			}
		}
		t.Errorf("no way on from %s", v.describe())
	}

	t.Run("its request is a good one", func(t *testing.T) {
		_, q := begin(t)
		for name, want := range map[string]string{
			"response_type": "code", "client_id": "thanhhoa-portal", "redirect_uri": w.Portal + "/callback", "code_challenge_method": "S256",
		} {
			if q.Get(name) != want {
				t.Errorf("%s=%q, want %q", name, q.Get(name), want)
			}
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if len(q.Get(name)) < 22 {
				t.Errorf("%s=%q is too short to be unguessable", name, q.Get(name))
			}
		}
		if strings.ContainsAny(q.Get("state"), "/:?") {
			t.Errorf("state=%q looks like an address", q.Get("state"))
		}
	})

	t.Run("every OAuth error is a friendly page", func(t *testing.T) {
		for _, code := range []string{
			"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required",
			"invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type", "server_error",
			"temporarily_unavailable", "unmet_authentication_requirements", "request_not_supported", "vneid_9001",
		} {
			v, q := begin(t)
			callback(v, url.Values{
				"error": {code}, "error_description": {"<b id=canary>x</b>"}, "state": {q.Get("state")}, "iss": {w.Issuer},
			})
			friendly(t, v)
			if v.at.ByID("canary") != nil {
				t.Errorf("%s: the description is rendered as markup", code)
			}
			if v.at.URL.Path == "/authorize" {
				t.Errorf("%s: the portal loops", code)
			}
		}
	})

	bad := map[string]func(url.Values) url.Values{
		"no state": func(q url.Values) url.Values { return url.Values{"code": {"x"}, "iss": {w.Issuer}} },
		"a state never sent": func(q url.Values) url.Values {
			return url.Values{"code": {"x"}, "state": {random()}, "iss": {w.Issuer}}
		},
		"a code never given": func(q url.Values) url.Values {
			return url.Values{"code": {"x"}, "state": {q.Get("state")}, "iss": {w.Issuer}}
		},
		"another issuer": func(q url.Values) url.Values {
			return url.Values{"code": {"x"}, "state": {q.Get("state")}, "iss": {"http://evil.example"}}
		},
		"no issuer":              func(q url.Values) url.Values { return url.Values{"code": {"x"}, "state": {q.Get("state")}} },
		"neither code nor error": func(q url.Values) url.Values { return url.Values{"state": {q.Get("state")}, "iss": {w.Issuer}} },
		"nothing at all":         func(q url.Values) url.Values { return url.Values{} },
		"an error without state": func(q url.Values) url.Values { return url.Values{"error": {"access_denied"}} },
		"two codes": func(q url.Values) url.Values {
			return url.Values{"code": {"x", "y"}, "state": {q.Get("state")}, "iss": {w.Issuer}}
		},
		"invalid UTF-8": func(q url.Values) url.Values {
			return url.Values{"code": {"\xff\xfe"}, "state": {q.Get("state") + "\xff"}, "iss": {w.Issuer}}
		},
	}
	for name, make := range bad {
		t.Run("an answer with "+name+" is refused politely", func(t *testing.T) {
			v, q := begin(t)
			callback(v, make(q))
			friendly(t, v)
		})
	}

	t.Run("an answer that belongs to another browser is refused", func(t *testing.T) {
		attacker := w.visitor(t)
		attacker.toProvider()
		attacker.stopAtPortal()
		attacker.PasswordStep(linh.CCCD, password)
		attacker.EnterOTP(w.awaitSMS(t, linh.Phone, 0).OTP)
		if !attacker.at.Landed {
			t.Fatalf("expected an answer for the portal, got %s", attacker.describe())
		}
		victim, _ := begin(t)
		victim.Open(attacker.at.URL.String())
		friendly(t, victim)
		if strings.Contains(victim.at.Text(), linh.Name) {
			t.Error("the victim is signed in as the attacker (login CSRF)")
		}
	})

	t.Run("an answer is used once", func(t *testing.T) {
		v := w.visitor(t)
		v.toProvider()
		normal := v.stop
		v.stopAtPortal()
		v.PasswordStep(minh.CCCD, password)
		v.EnterOTP(w.awaitSMS(t, minh.Phone, 0).OTP)
		answer := v.at.URL.String()
		v.stop = normal
		v.Open(answer)
		v.wantSignedIn(minh)
		again := w.visitor(t)
		again.Open(answer)
		friendly(t, again)
		// The same browser presses "back" and comes by once more: no server error, and still nobody else.
		v.Open(answer)
		if v.at.Status >= 500 {
			t.Errorf("coming back to a used answer: %s", v.describe())
		}
	})

	t.Run("somebody who does not want to go on is welcome again", func(t *testing.T) {
		w.api(t, 200, "PATCH", "/clients/thanhhoa-portal", map[string]any{"consent": "always"}, nil)
		v := w.visitor(t)
		v.toProvider()
		v.PasswordStep(binh.CCCD, password)
		v.EnterOTP(w.awaitSMS(t, binh.Phone, 0).OTP)
		if !v.at.AsksToShare() {
			t.Fatalf("expected the sharing page, got %s", v.describe())
		}
		v.Click("Không chia sẻ")
		friendly(t, v)
	})

	t.Run("an oversized callback does not bring it down", func(t *testing.T) {
		v, q := begin(t)
		v.Open(w.Portal + "/callback?" + url.Values{"state": q["state"], "code": {strings.Repeat("x", 20000)}}.Encode())
		if v.at.Status >= 500 {
			t.Errorf("got %s", v.describe())
		}
	})
}
