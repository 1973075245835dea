//go:build e2e

package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	first := w.request(myPortal, "scope", "openid offline_access")
	v.SignIn(first, an)
	first.Redeem(t, v.wantCode(first))
	fresh := func(changes ...string) (*request, string) {
		r := w.request(myPortal, changes...)
		return r, v.Code(r)
	}

	t.Run("a code works once, and its second use takes back what the first gave", func(t *testing.T) {
		r, code := fresh("scope", "openid offline_access")
		tokens := r.Redeem(t, code)
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)), 400, "invalid_grant")
		if a := w.userinfo(t, "GET", tokens.str("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("the access token still works: %s", a)
		}
		wantOAuthError(t, w.refresh(t, myPortal, tokens.str("refresh_token")), 400, "invalid_grant")
	})

	t.Run("of eight who race with one code, one wins", func(t *testing.T) {
		r, code := fresh()
		var wg sync.WaitGroup
		answers := make([]*answer, 8)
		for i := range answers {
			wg.Go(func() { answers[i] = w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)) })
		}
		wg.Wait()
		won := 0
		for _, a := range answers {
			if a.Status == http.StatusOK {
				won++
			} else {
				wantOAuthError(t, a, 400, "invalid_grant")
			}
		}
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})

	t.Run("a code is bound to its client, its redirect URI and its verifier", func(t *testing.T) {
		for name, spoil := range map[string]func(url.Values){
			"another redirect URI":   func(f url.Values) { f.Set("redirect_uri", "http://127.0.0.1:39124/callback") },
			"no redirect URI":        func(f url.Values) { f.Del("redirect_uri") },
			"a wrong verifier":       func(f url.Values) { f.Set("code_verifier", random()) },
			"no verifier":            func(f url.Values) { f.Del("code_verifier") },
			"the challenge itself":   func(f url.Values) { f.Set("code_verifier", challenge(f.Get("code_verifier"))) },
			"a code nobody gave out": func(f url.Values) { f.Set("code", random()) },
		} {
			r, code := fresh()
			form := r.exchange(code)
			spoil(form)
			a := w.authenticated(t, "/oauth/token", myPortal, form)
			if a.Status != 400 || a.str("error") != "invalid_grant" && a.str("error") != "invalid_request" {
				t.Errorf("%s: %s", name, a)
			}
			if name == "a wrong verifier" && a.str("error") != "invalid_grant" {
				t.Errorf("%s: %s, want invalid_grant (RFC 7636 §4.6)", name, a)
			}
		}
		r, code := fresh()
		wantOAuthError(t, w.authenticated(t, "/oauth/token", seededPortal, r.exchange(code)), 400, "invalid_grant")
	})

	t.Run("a verifier without a challenge is refused", func(t *testing.T) {
		r, code := fresh("code_challenge", "", "code_challenge_method", "")
		a := w.authenticated(t, "/oauth/token", myPortal, r.exchange(code))
		wantOAuthError(t, a, 400, "invalid_grant", "invalid_request") // RFC 9700 §4.8.2: PKCE downgrade
	})

	t.Run("only POST, only known grants, no parameter twice", func(t *testing.T) {
		r, code := fresh()
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			req, _ := http.NewRequest(method, w.Issuer+"/oauth/token?"+r.exchange(code).Encode(), nil)
			req.SetBasicAuth(myPortal.ID, myPortal.Secret)
			if a := w.answer(t, req); a.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s: %s", method, a)
			}
		}
		form := r.exchange(code)
		form.Add("code", code)
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, form), 400, "invalid_request")
		form = r.exchange(code)
		form.Del("grant_type")
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, form), 400, "invalid_request", "unsupported_grant_type")
		for _, grant := range []string{"password", "implicit", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"} {
			form := url.Values{"grant_type": {grant}, "username": {an.CCCD}, "password": {password}, "assertion": {"x"}}
			wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, form), 400, "unsupported_grant_type", "unauthorized_client")
		}
		// The parameters belong into the body, not into the query (RFC 6749 §3.2).
		req, _ := http.NewRequest("POST", w.Issuer+"/oauth/token?"+r.exchange(code).Encode(), nil)
		req.SetBasicAuth(myPortal.ID, myPortal.Secret)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if a := w.answer(t, req); a.Status != http.StatusBadRequest {
			t.Errorf("parameters in the query: %s", a)
		}
		req, _ = http.NewRequest("POST", w.Issuer+"/oauth/token", strings.NewReader(`{"grant_type":"authorization_code"}`))
		req.SetBasicAuth(myPortal.ID, myPortal.Secret)
		req.Header.Set("Content-Type", "application/json")
		if a := w.answer(t, req); a.Status/100 != 4 || a.str("error") == "" {
			t.Errorf("a JSON body: %s", a)
		}
		r.Redeem(t, code) // nothing of all this used up the code
	})

	t.Run("errors are JSON and never stored", func(t *testing.T) {
		a := w.authenticated(t, "/oauth/token", myPortal, url.Values{"grant_type": {"authorization_code"}, "code": {"x"}})
		if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers: %v", a.Header)
		}
	})

	t.Run("clients prove who they are by the method they registered", func(t *testing.T) {
		r, code := fresh()
		unauthorized := func(name string, a *answer) {
			t.Helper()
			if a.Status != http.StatusUnauthorized || a.str("error") != "invalid_client" || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %s (WWW-Authenticate %q)", name, a, a.Header.Get("WWW-Authenticate"))
			}
		}
		unauthorized("a wrong secret", w.post(t, "/oauth/token", myPortal.ID, "wrong", r.exchange(code)))
		unauthorized("an unknown client", w.post(t, "/oauth/token", "nobody", "wrong", r.exchange(code)))
		unauthorized("no authentication", w.post(t, "/oauth/token", "", "", r.exchange(code)))
		body := r.exchange(code)
		body.Set("client_id", myPortal.ID)
		unauthorized("the id alone", w.post(t, "/oauth/token", "", "", body))
		body.Set("client_secret", myPortal.Secret)
		unauthorized("a basic client that posts its secret", w.post(t, "/oauth/token", "", "", body))
		both := w.post(t, "/oauth/token", myPortal.ID, myPortal.Secret, body)
		if both.Status/100 != 4 || both.str("error") != "invalid_request" && both.str("error") != "invalid_client" {
			t.Errorf("two methods at once: %s", both)
		}

		poster := w.register(t, map[string]any{"token_endpoint_auth_method": "client_secret_post", "consent": "never"})
		r = w.request(poster)
		code = v.Code(r)
		unauthorized("a post client that uses Basic", w.post(t, "/oauth/token", poster.ID, poster.Secret, r.exchange(code)))
		r.Redeem(t, code)
	})

	t.Run("a public client works with PKCE and not without", func(t *testing.T) {
		public := w.register(t, map[string]any{"token_endpoint_auth_method": "none", "consent": "never"})
		if public.Secret != "" {
			t.Errorf("a public client was given a secret")
		}
		r := w.request(public)
		code := v.Code(r)
		form := r.exchange(code)
		form.Del("code_verifier")
		wantOAuthError(t, w.authenticated(t, "/oauth/token", public, form), 400, "invalid_grant", "invalid_request")
		r = w.request(public)
		r.Redeem(t, v.Code(r))
		r = w.request(public, "code_challenge", "", "code_challenge_method", "")
		v.Open(r.URL())
		v.wantError(r, "invalid_request")
	})
}

func TestRefreshRevokeIntrospect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	first := w.request(myPortal, "scope", allScopes)
	v.SignIn(first, an)
	original := w.verified(t, first.Redeem(t, v.wantCode(first)).str("id_token"))
	fresh := func() *answer {
		r := w.request(myPortal, "scope", allScopes)
		return r.Redeem(t, v.Code(r))
	}

	t.Run("refresh tokens rotate, and reuse of an old one ends the family", func(t *testing.T) {
		one := fresh()
		two := w.refresh(t, myPortal, one.str("refresh_token"))
		if two.Status != http.StatusOK || two.str("refresh_token") == "" || two.str("refresh_token") == one.str("refresh_token") {
			t.Fatalf("refresh: %s", two)
		}
		if two.Header.Get("Cache-Control") != "no-store" {
			t.Error("the answer may be stored")
		}
		claims := w.verified(t, two.str("id_token"))
		for _, name := range []string{"iss", "sub", "auth_time", "acr", "sid"} {
			if claims[name] != original[name] {
				t.Errorf("%s changed from %v to %v (OIDC Core 12.2)", name, original[name], claims[name])
			}
		}
		three := w.refresh(t, myPortal, two.str("refresh_token"))
		if three.Status != http.StatusOK {
			t.Fatalf("second refresh: %s", three)
		}
		wantOAuthError(t, w.refresh(t, myPortal, one.str("refresh_token")), 400, "invalid_grant")
		wantOAuthError(t, w.refresh(t, myPortal, three.str("refresh_token")), 400, "invalid_grant")
		if a := w.userinfo(t, "GET", three.str("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("the family's access token still works: %s", a)
		}
	})

	t.Run("a refresh may ask for less, never for more, and only by its own client", func(t *testing.T) {
		one := fresh()
		less := w.refresh(t, myPortal, one.str("refresh_token"), "scope", "openid phone")
		if less.Status != http.StatusOK {
			t.Fatalf("less: %s", less)
		}
		who := w.userinfo(t, "GET", less.str("access_token"))
		wantNoClaims(t, who.Body, "cccd", "name")
		if less.str("refresh_token") == "" {
			t.Fatal("no new refresh token")
		}
		wantOAuthError(t, w.refresh(t, seededPortal, less.str("refresh_token")), 400, "invalid_grant")

		r := w.request(myPortal, "scope", "openid offline_access")
		small := r.Redeem(t, v.Code(r))
		wantOAuthError(t, w.refresh(t, myPortal, small.str("refresh_token"), "scope", "openid offline_access cccd"), 400, "invalid_scope")
	})

	t.Run("revocation", func(t *testing.T) {
		one := fresh()
		a := w.authenticated(t, "/revoke", myPortal, url.Values{"token": {one.str("access_token")}})
		if a.Status != http.StatusOK {
			t.Fatalf("revoking: %s", a)
		}
		if a := w.userinfo(t, "GET", one.str("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("the revoked token still works: %s", a)
		}
		a = w.authenticated(t, "/revoke", myPortal, url.Values{"token": {one.str("refresh_token")}, "token_type_hint": {"refresh_token"}})
		if a.Status != http.StatusOK {
			t.Fatalf("revoking: %s", a)
		}
		wantOAuthError(t, w.refresh(t, myPortal, one.str("refresh_token")), 400, "invalid_grant")
		if a := w.authenticated(t, "/revoke", myPortal, url.Values{"token": {"unknown"}}); a.Status != http.StatusOK {
			t.Errorf("an unknown token: %s, want 200 (RFC 7009 §2.2)", a)
		}
		if a := w.post(t, "/revoke", "", "", url.Values{"token": {"unknown"}}); a.Status != http.StatusUnauthorized {
			t.Errorf("without authentication: %s", a)
		}
		other := fresh()
		w.authenticated(t, "/revoke", seededPortal, url.Values{"token": {other.str("access_token")}})
		if a := w.userinfo(t, "GET", other.str("access_token")); a.Status != http.StatusOK {
			t.Errorf("another client could revoke the token: %s", a)
		}
	})

	t.Run("introspection", func(t *testing.T) {
		one := fresh()
		ask := func(client rp, token string) *answer {
			return w.authenticated(t, "/oauth/introspect", client, url.Values{"token": {token}})
		}
		a := ask(myPortal, one.str("access_token"))
		wantClaim(t, a.Body, "active", true)
		wantClaim(t, a.Body, "client_id", myPortal.ID)
		wantClaim(t, a.Body, "sub", original["sub"])
		if scope := a.str("scope"); !strings.Contains(scope, "cccd") {
			t.Errorf("scope %q", scope)
		}
		wantNoClaims(t, a.Body, "cccd", "phone_number")
		for _, token := range []string{"unknown", one.str("id_token")} {
			if a := ask(myPortal, token); a.Status != http.StatusOK || a.Body["active"] != false || len(a.Body) != 1 {
				t.Errorf("a token that is none: %s, want {\"active\":false}", a)
			}
		}
		if a := w.post(t, "/oauth/introspect", "", "", url.Values{"token": {one.str("access_token")}}); a.Status != http.StatusUnauthorized {
			t.Errorf("without authentication: %s", a)
		}
		w.authenticated(t, "/revoke", myPortal, url.Values{"token": {one.str("access_token")}})
		wantClaim(t, ask(myPortal, one.str("access_token")).Body, "active", false)
	})

	// Last: it moves the clock.
	t.Run("codes, access tokens and refresh tokens expire on the sandbox's clock", func(t *testing.T) {
		one := fresh()
		r := w.request(myPortal)
		code := v.Code(r)
		w.advance(t, "61s")
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, r.exchange(code)), 400, "invalid_grant")
		w.advance(t, "30m")
		if a := w.userinfo(t, "GET", one.str("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("an access token works after 30 min: %s", a)
		}
		two := w.refresh(t, myPortal, one.str("refresh_token"))
		if two.Status != http.StatusOK {
			t.Fatalf("refresh after 31 min: %s", two)
		}
		if iat := number(t, w.verified(t, two.str("id_token")), "iat"); iat < w.now(t).Unix()-30 {
			t.Errorf("iat %d does not follow the sandbox's clock (%d)", iat, w.now(t).Unix())
		}
		w.advance(t, "721h")
		wantOAuthError(t, w.refresh(t, myPortal, two.str("refresh_token")), 400, "invalid_grant")
	})
}
