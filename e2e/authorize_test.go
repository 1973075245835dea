//go:build e2e

package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// wantErrorPage: in doubt about the client or where to answer, the browser stays at the provider and is told so.
func (v *visitor) wantErrorPage() {
	v.t.Helper()
	if v.at.Landed || v.at.Status/100 != 4 || !strings.HasPrefix(v.at.URL.String(), v.w.Issuer) {
		v.t.Errorf("expected an error page of the provider, got %d %s", v.at.Status, v.describe())
	}
}

func TestAuthorizeDoubtsClientOrAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nowhere := func(u *url.URL) bool { return !strings.HasPrefix(u.String(), w.Issuer) }

	t.Run("an unknown client or redirect URI is a page, never a redirect", func(t *testing.T) {
		for name, changes := range map[string][]string{
			"no client":         {"client_id", ""},
			"an unknown client": {"client_id", "nobody"},
			"no redirect URI":   {"redirect_uri", ""},
			"another host":      {"redirect_uri", "http://evil.example/callback"},
			"another path":      {"redirect_uri", myPortal.Redirect + "/../evil"},
			"a longer path":     {"redirect_uri", myPortal.Redirect + "2"},
			"a slash more":      {"redirect_uri", myPortal.Redirect + "/"},
			"a query":           {"redirect_uri", myPortal.Redirect + "?x=1"},
			"a fragment":        {"redirect_uri", myPortal.Redirect + "#x"},
			"user info":         {"redirect_uri", "http://127.0.0.1:39123@evil.example/callback"},
			"another scheme":    {"redirect_uri", "javascript:alert(1)"},
			"an encoded path":   {"redirect_uri", "http://127.0.0.1:39123/%63allback"},
			"invalid UTF-8":     {"redirect_uri", "http://127.0.0.1:39123/callback\xff"},
			"a line break":      {"redirect_uri", "http://127.0.0.1:39123/callback\r\nSet-Cookie: x=y"},
			"a relative one":    {"redirect_uri", "/callback"},
		} {
			t.Run(name, func(t *testing.T) {
				v := w.visitor(t)
				v.stop = nowhere
				v.Open(w.request(myPortal, changes...).URL())
				v.wantErrorPage()
			})
		}
	})

	t.Run("client and redirect URI given twice are a page as well", func(t *testing.T) {
		for _, name := range []string{"client_id", "redirect_uri"} {
			v := w.visitor(t)
			v.stop = nowhere
			r := w.request(myPortal)
			r.Params.Add(name, r.Params.Get(name))
			v.Open(r.URL())
			v.wantErrorPage()
		}
	})

	t.Run("my-portal may call from any loopback port, others only as registered to the character", func(t *testing.T) {
		for redirect, good := range map[string]bool{
			"http://127.0.0.1:1024/callback": true, "http://localhost:50000/callback": true, "https://localhost:8443/callback": true,
			"http://127.0.0.1/callback": true, "http://127.0.0.1:1024/other": false, "http://127.0.0.2:1024/callback": false,
			"http://localhost.evil.example:1024/callback": false,
		} {
			v := w.visitor(t)
			v.stop = nowhere
			client := myPortal
			client.Redirect = redirect
			v.Open(w.request(client).URL())
			if v.at.AsksPassword() != good {
				t.Errorf("my-portal with %s: good should be %v, got %s", redirect, good, v.describe())
			}
		}
		for registered, asked := range map[string]map[string]bool{
			"http://127.0.0.1:7001/callback": {
				"http://127.0.0.1:7001/callback": true, "http://127.0.0.1:7002/callback": false, "http://localhost:7001/callback": false,
				"http://127.0.0.1:7001/Callback": false, "https://127.0.0.1:7001/callback": false, "http://127.0.0.1:7001/callback?": false,
			},
			"http://127.0.0.1/callback": {"http://127.0.0.1/callback": true, "http://127.0.0.1:7001/callback": false},
		} {
			exact := w.register(t, map[string]any{"redirect_uris": []string{registered}})
			for redirect, good := range asked {
				v := w.visitor(t)
				v.stop = nowhere
				exact.Redirect = redirect
				v.Open(w.request(exact).URL())
				if v.at.AsksPassword() != good {
					t.Errorf("%s where %s is registered: good should be %v, got %s", redirect, registered, good, v.describe())
				}
			}
		}
	})

	t.Run("only GET and POST", func(t *testing.T) {
		for _, method := range []string{"PUT", "DELETE", "PATCH"} {
			req, _ := http.NewRequest(method, w.request(myPortal).URL(), nil)
			if res, _ := w.do(t, req); res.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s /authorize answers %d, want 405", method, res.StatusCode)
			}
		}
	})
}

func TestAuthorizeAnswersErrorsToTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	t.Run("what is wrong with a request goes back with state and iss", func(t *testing.T) {
		for name, c := range map[string]struct {
			changes []string
			errors  []string
		}{
			"no response type":            {[]string{"response_type", ""}, []string{"invalid_request", "unsupported_response_type"}},
			"an unknown response type":    {[]string{"response_type", "magic"}, []string{"unsupported_response_type", "invalid_request"}},
			"the implicit flow":           {[]string{"response_type", "id_token token"}, []string{"unsupported_response_type", "unauthorized_client"}},
			"the hybrid flow":             {[]string{"response_type", "code id_token"}, []string{"unsupported_response_type", "unauthorized_client"}},
			"an unknown response mode":    {[]string{"response_mode", "pigeon"}, []string{"invalid_request"}},
			"PKCE plain":                  {[]string{"code_challenge_method", "plain"}, []string{"invalid_request"}},
			"PKCE without method":         {[]string{"code_challenge_method", ""}, []string{"invalid_request"}},
			"an unknown PKCE method":      {[]string{"code_challenge_method", "S512"}, []string{"invalid_request"}},
			"a challenge too short":       {[]string{"code_challenge", "short"}, []string{"invalid_request"}},
			"prompt none with another":    {[]string{"prompt", "none login"}, []string{"invalid_request"}},
			"a max_age that is no number": {[]string{"max_age", "soon"}, []string{"invalid_request"}},
			"a negative max_age":          {[]string{"max_age", "-1"}, []string{"invalid_request"}},
			"nobody signed in, no prompt": {[]string{"prompt", "none"}, []string{"login_required"}},
			"a request object":            {[]string{"request", "e30.e30."}, []string{"request_not_supported"}},
			"a request URI":               {[]string{"request_uri", "https://rp.example/r"}, []string{"request_uri_not_supported"}},
			"no scope at all":             {[]string{"scope", ""}, []string{"invalid_scope", "invalid_request"}},
		} {
			t.Run(name, func(t *testing.T) {
				v := w.visitor(t)
				r := w.request(myPortal, c.changes...)
				v.Open(r.URL())
				v.wantError(r, c.errors...)
			})
		}
	})

	t.Run("any other parameter given twice is refused", func(t *testing.T) {
		for _, name := range []string{"response_type", "scope", "nonce", "code_challenge"} {
			v := w.visitor(t)
			r := w.request(myPortal)
			r.Params.Add(name, r.Params.Get(name))
			v.Open(r.URL())
			v.wantError(r, "invalid_request")
		}
		v := w.visitor(t)
		r := w.request(myPortal)
		r.Params.Add("state", "another")
		v.Open(r.URL())
		if !v.at.Landed {
			v.wantErrorPage()
		} else if v.at.Query("error") != "invalid_request" {
			t.Errorf("two states: %s", v.at.URL)
		}
	})

	t.Run("unknown parameters and scopes are ignored, and what is only a wish does no harm", func(t *testing.T) {
		for _, changes := range [][]string{
			{"unknown", "x"}, {"scope", "openid moon"}, {"display", "popup"}, {"display", "page"}, {"ui_locales", "fr en"},
			{"claims_locales", "vi"}, {"acr_values", "LoA1"}, {"login_hint", "somebody"}, {"state", strings.Repeat("s", 384)},
			{"nonce", strings.Repeat("n", 384)}, {"state", "tiếng Việt + & = %"}, {"state", ""},
		} {
			v := w.visitor(t)
			v.Open(w.request(myPortal, changes...).URL())
			if !v.at.AsksPassword() {
				t.Errorf("%v: %s", changes, v.describe())
			}
		}
	})

	t.Run("a response mode form_post carries errors too", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(myPortal, "response_mode", "form_post", "prompt", "none")
		v.Open(r.URL())
		form := v.formPost(r)
		for name, want := range map[string]string{"error": "login_required", "state": r.State, "iss": w.Issuer} {
			if form.Get(name) != want {
				t.Errorf("%s=%q, want %q", name, form.Get(name), want)
			}
		}
	})

	t.Run("the client's name cannot smuggle markup into the pages", func(t *testing.T) {
		client := w.register(t, map[string]any{"client_name": `<b id="canary">Cổng</b>`, "consent": "always"})
		v := w.visitor(t)
		v.Open(w.request(client).URL())
		if v.at.ByID("canary") != nil {
			t.Error("the client's name is rendered as markup")
		}
	})

	t.Run("a client below the account level it wants is refused kindly", func(t *testing.T) {
		client := w.register(t, map[string]any{"min_account_level": 2, "consent": "never"})
		v := w.visitor(t)
		r := w.request(client, "scope", "openid cccd")
		v.Open(r.URL())
		before := len(w.inbox(t, cuong.Phone))
		v.PasswordStep(cuong.CCCD, password)
		if v.at.AsksOTP() {
			v.EnterOTP(w.awaitSMS(t, cuong.Phone, before).OTP)
		}
		if v.at.Landed {
			v.wantError(r, "access_denied", "unmet_authentication_requirements")
		} else {
			v.wantWayBack(r)
		}
	})
}

// formPost finds the form that carries an authorization response to the client, with a button for those without script.
func (v *visitor) formPost(r *request) url.Values {
	v.t.Helper()
	for _, e := range v.at.Pressables() {
		if e.form == nil {
			continue
		}
		if method, target, form := v.request(e); method == "POST" && target.String() == r.client.Redirect {
			v.w.secret("an authorization code", form.Get("code"))
			return form
		}
	}
	v.t.Fatalf("no form that posts to %s on %s", r.client.Redirect, v.describe())
	return nil
}

// wantWayBack: from a final error page some link or button leads back to the portal, directly or as an OAuth error.
func (v *visitor) wantWayBack(r *request) {
	v.t.Helper()
	if v.at.Landed {
		if v.at.Query("code") != "" {
			v.t.Errorf("a code was given out: %s", v.at.URL)
		}
		return
	}
	if v.at.AsksOTP() || v.at.AsksPassword() {
		v.t.Errorf("expected the end of this login, got %s", v.describe())
		return
	}
	home, _ := url.Parse(r.client.Redirect)
	here, filled := v.at, v.filled
	for _, e := range here.Pressables() {
		v.at, v.filled = here, filled
		method, target, form := v.request(e)
		if origin(target) == origin(home) {
			return
		}
		if e.tag == "a" && (e.has("lang") || e.has("hreflang")) {
			continue
		}
		try := v.tab()
		try.navigate(method, target, form, here.URL)
		if try.at.Landed && origin(try.at.URL) == origin(home) {
			if try.at.Query("code") != "" {
				v.t.Errorf("the way back carries a code: %s", try.at.URL)
			}
			v.at = here
			return
		}
	}
	v.at = here
	v.t.Errorf("no way back to %s from %s", origin(home), v.describe())
}
