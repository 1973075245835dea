//go:build e2e

package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// driven lets the sandbox sign somebody in to the portal: the portal sends its browser to the provider as always, the test
// gives that request to the API, and the browser opens what comes back.
func (v *visitor) driven(want int, who persona, method string) (answer struct{ Callback, Login, Code, Step, Advice string }) {
	v.t.Helper()
	v.stop = func(u *url.URL) bool { return u.Path == "/authorize" }
	v.Open(v.w.Portal + "/login/vneid")
	params := map[string]string{}
	for name, values := range v.at.URL.Query() {
		params[name] = values[0]
	}
	v.w.api(v.t, want, "POST", "/logins", map[string]any{"client_id": params["client_id"], "cccd": who.CCCD, "method": method, "params": params}, &answer)
	if answer.Callback != "" {
		v.Open(answer.Callback)
	}
	return answer
}

func TestAPortalIsSignedInWithoutItsPeoplePressingAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)

	for _, method := range []string{"otp", "qr"} {
		t.Run(method, func(t *testing.T) {
			v := w.visitor(t)
			v.driven(http.StatusOK, an, method)
			v.wantSignedIn(an)
			// The login belonged to another browser: this one has no session at the provider.
			v.Click("Đăng xuất")
			v.wantSignedOut()
		})
	}
	t.Run("somebody who is locked comes back with the error", func(t *testing.T) {
		v := w.visitor(t)
		answer := v.driven(http.StatusUnprocessableEntity, dung, "otp")
		if answer.Code != "account_locked" || answer.Step != "password" || answer.Advice == "" {
			t.Errorf("%+v", answer)
		}
		if !strings.HasPrefix(v.at.URL.String(), w.Portal) || v.at.Control("Đăng xuất") != nil {
			t.Errorf("expected the portal to say that nobody signed in, got %s", v.describe())
		}
		// What to do about it helps at once.
		w.api(t, http.StatusOK, "PATCH", "/personas/"+dung.CCCD, map[string]string{"status": "active"}, nil)
		v.driven(http.StatusOK, dung, "otp")
		if v.at.Control("Đăng xuất") == nil {
			t.Errorf("expected the portal, signed in, got %s", v.describe())
		}
	})
	t.Run("a message that never arrives ends nowhere, and says what to do", func(t *testing.T) {
		answer := w.visitor(t).driven(http.StatusUnprocessableEntity, em, "otp")
		if answer.Code != "sms_never" || answer.Callback != "" {
			t.Errorf("%+v", answer)
		}
	})
}
