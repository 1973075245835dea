//go:build e2e

package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
)

// claimsModules are the claims parameter, OIDC Core §5.5.
var claimsModules = []module{
	{"claims-id-token-and-userinfo", "Claims come where they were asked for, and by refresh too.", func(s *suite) {
		r := s.request(s.one, "scope", "openid offline_access",
			"claims", `{"userinfo":{"email":null,"phone_number":{"essential":true}},"id_token":{"gender":null,"nickname":{"essential":false},"auth_time":{"essential":true}}}`)
		a, claims := s.signIn(r)
		again := s.w.refresh(s.T, s.one, a.str("refresh_token"))
		for _, token := range []map[string]any{claims, s.checkTokens(s.one, again, "")} {
			wantClaim(s.T, token, "gender", "male")
			wantClaim(s.T, token, "nickname", "An")
			wantNoClaims(s.T, token, "email", "phone_number", "name")
		}
		for _, access := range []string{a.str("access_token"), again.str("access_token")} {
			body := s.userinfo("GET", access)
			wantClaim(s.T, body, "phone_number", "+84950000001")
			if body["email"] == nil {
				s.Error("no email")
			}
			wantNoClaims(s.T, body, "gender", "nickname", "email_verified", "name")
		}
	}},
	{"claims-value-and-values", "A claim asked for with a value is given when it has that value; leaving it out is no error.", func(s *suite) {
		r := s.request(s.one, "claims", `{"userinfo":{"gender":{"value":"male"},"birthdate":{"values":["1990-03-15","1990"]},"name":{"value":"Lê Thị Bình","essential":true},"given_name":{"values":["Bình"]}}}`)
		a, _ := s.signIn(r)
		body := s.userinfo("GET", a.str("access_token"))
		wantClaim(s.T, body, "gender", "male")
		wantClaim(s.T, body, "birthdate", "1990-03-15")
		wantNoClaims(s.T, body, "name", "given_name")
	}},
	{"claims-beyond-the-registration", "A claim whose scope the client is not registered for, and an unknown one, are left out.", func(s *suite) {
		client := s.register(map[string]any{"scope": "openid profile"})
		a, _ := s.signIn(s.request(client, "claims", `{"userinfo":{"name":null,"cccd":{"essential":true},"email":null,"no_such_claim":null},"other_member":{"x":null}}`))
		body := s.userinfo("GET", a.str("access_token"))
		wantClaim(s.T, body, "name", an.Name)
		wantNoClaims(s.T, body, "cccd", "email", "no_such_claim")
	}},
	{"claims-malformed", "What is written wrong is invalid_request.", func(s *suite) {
		for _, claims := range []string{"x", "null", "[]", `"name"`, "{", `{"userinfo":[]}`, `{"userinfo":{"name":"An"}}`, `{"id_token":{"name":[1]}}`,
			`{"userinfo":{"name":{"essential":1}}}`, `{"userinfo":{"name":{"values":"An"}}}`} {
			r := s.request(s.one, "claims", claims)
			s.open(r).refused(r, "invalid_request")
		}
	}},
	{"claims-sub", "A sub that is asked for by value: only that person, OIDC Core §5.5.1.", func(s *suite) {
		_, claims := s.signIn(s.request(s.one))
		wanted := func(member string, values any) string {
			text, err := json.Marshal(map[string]any{member: map[string]any{"sub": values}})
			if err != nil {
				s.Fatal(err)
			}
			return string(text)
		}
		for _, member := range []string{"id_token", "userinfo"} {
			s.silent(s.request(s.one, "prompt", "none", "claims", wanted(member, map[string]any{"value": claims["sub"]})))
			s.silent(s.request(s.one, "prompt", "none", "claims", wanted(member, map[string]any{"values": []any{"somebody", claims["sub"]}})))
			r := s.request(s.one, "prompt", "none", "claims", wanted(member, map[string]any{"value": "somebody"}))
			s.open(r).refused(r, "login_required")
		}
		r := s.request(s.one, "claims", wanted("id_token", map[string]any{"value": "somebody"}))
		s.open(r).enter(an)
		s.refused(r, "login_required")
	}},
	{"claims-acr-essential", "An essential acr is reached, with a second factor where the client asks none, reported as asked, or refused.", func(s *suite) {
		client := s.register(map[string]any{"second_factor": "none"})
		insist := func(values string) string { return `{"id_token":{"acr":{"essential":true,"values":[` + values + `]}}}` }
		r := s.request(client, "claims", insist(`"LoA2"`))
		_, claims := s.signIn(r) // which wants the OTP page
		wantClaim(s.T, claims, "acr", "LoA2")
		_, claims = s.silent(s.request(client, "claims", insist(`"LoA1"`)))
		wantClaim(s.T, claims, "acr", "LoA1")
		r = s.request(client, "claims", insist(`"LoA3","LoA4"`))
		s.open(r).refused(r, "unmet_authentication_requirements")
		_, claims = s.silent(s.request(client, "claims", `{"id_token":{"acr":{"values":["LoA4"]}}}`)) // voluntary
		wantClaim(s.T, claims, "acr", "LoA2")
	}},
	{"claims-and-consent", "The sharing page names what no scope covers, and a claim more is asked about again.", func(s *suite) {
		client := s.register(map[string]any{"consent": "once"})
		s.signIn(s.request(client))
		r := s.request(client, "prompt", "none", "claims", `{"userinfo":{"email":null}}`)
		s.open(r).refused(r, "consent_required")
		r = s.request(client, "claims", `{"userinfo":{"email":null}}`)
		s.open(r)
		if !s.v.at.AsksToShare() || !strings.Contains(s.v.at.Text(), "@") {
			s.Errorf("the sharing page does not show the e-mail address: %s", s.v.describe())
		}
		s.share()
		a, _ := s.tokens(r)
		if s.userinfo("GET", a.str("access_token"))["email"] == nil {
			s.Error("no email")
		}
		s.silent(s.request(client, "prompt", "none", "claims", `{"userinfo":{"email":null}}`))
	}},
}

// promptModules are the ways to ask for a page, or for none.
var promptModules = []module{
	{"prompt-select-account", "prompt=select_account shows whom the browser knows; to keep them is silent, another one signs in.", func(s *suite) {
		_, first := s.signIn(s.request(s.one))
		r := s.request(s.one, "prompt", "select_account")
		s.open(r)
		if !strings.Contains(s.v.at.Text(), an.Name) || s.v.at.AsksPassword() {
			s.Fatalf("expected a choice of accounts, got %s", s.v.describe())
		}
		s.v.Click("Tiếp tục với " + an.Name)
		_, second := s.tokens(r)
		s.same(first, second, "sub", "auth_time", "sid")
		r = s.request(s.one, "prompt", "select_account")
		s.open(r)
		s.v.Click("Dùng tài khoản khác")
		s.enter(binh)
		if _, third := s.tokens(r); third["sub"] == first["sub"] || third["sid"] == first["sid"] {
			s.Error("the same person")
		}
	}},
	{"prompt-select-account-without-session", "prompt=select_account without a session, or with login: the login page.", func(s *suite) {
		s.signIn(s.request(s.one, "prompt", "select_account"))
		s.signIn(s.request(s.one, "prompt", "select_account login"))
	}},
	{"prompt-consent", "prompt=consent shows the sharing page, also for a client that never asks; refusing is access_denied.", func(s *suite) {
		s.signIn(s.request(s.one))
		r := s.request(s.one, "prompt", "consent")
		s.open(r)
		if !s.v.at.AsksToShare() {
			s.Fatalf("expected the sharing page, got %s", s.v.describe())
		}
		s.v.Click("Không chia sẻ")
		s.refused(r, "access_denied")
		r = s.request(s.one, "prompt", "consent")
		s.open(r).share()
		s.tokens(r)
	}},
	{"prompt-none-consent-required", "prompt=none where the person has not agreed yet: consent_required.", func(s *suite) {
		s.signIn(s.request(s.one))
		r := s.request(s.register(map[string]any{"consent": "always"}), "prompt", "none")
		s.open(r).refused(r, "consent_required")
	}},
	{"prompt-none-login-required", "prompt=none with a session that is too old, or of another person than id_token_hint names: login_required.", func(s *suite) {
		of := s.request(s.one)
		s.open(of).enter(binh)
		a, _ := s.tokens(of)
		hint := a.str("id_token")
		s.freshBrowser()
		s.signIn(s.request(s.one))
		s.later(3)
		for _, changes := range [][]string{{"max_age", "1"}, {"max_age", "0"}, {"id_token_hint", hint}} {
			r := s.request(s.one, append(changes, "prompt", "none")...)
			s.open(r).refused(r, "login_required")
		}
	}},
	{"prompt-none-account-selection-required", "prompt=none with a session of another person than login_hint names: account_selection_required.", func(s *suite) {
		s.signIn(s.request(s.one))
		r := s.request(s.one, "prompt", "none", "login_hint", binh.CCCD)
		s.open(r).refused(r, "account_selection_required")
		s.silent(s.request(s.one, "prompt", "none", "login_hint", an.CCCD))
	}},
	{"prompt-none-interaction-required", "prompt=none where a page has to say why the person may not sign in: interaction_required.", func(s *suite) {
		r := s.request(s.one)
		s.open(r).enter(cuong) // level 1
		s.code(r)
		r = s.request(s.register(map[string]any{"min_account_level": 2}), "prompt", "none")
		s.open(r).refused(r, "interaction_required")
	}},
	{"prompt-malformed", "none beside another value, create, an unknown value, a max_age that is no number: invalid_request.", func(s *suite) {
		for _, changes := range [][]string{{"prompt", "none login"}, {"prompt", "create"}, {"prompt", "ask"}, {"max_age", "-1"}, {"max_age", "soon"}} {
			r := s.request(s.one, changes...)
			s.open(r).refused(r, "invalid_request")
		}
	}},
	{"id-token-hint-foreign-modified-expired", "A hint of another client or changed is invalid_request; an expired one is good.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		for _, hint := range []string{"rubbish", modified(s, a.str("id_token")), forged(s, a.str("id_token"))} {
			r := s.request(s.one, "prompt", "none", "id_token_hint", hint)
			s.open(r).refused(r, "invalid_request")
		}
		r := s.request(s.two, "prompt", "none", "id_token_hint", a.str("id_token"))
		s.open(r).refused(r, "invalid_request")
		s.later(600)
		s.silent(s.request(s.one, "prompt", "none", "id_token_hint", a.str("id_token")))
	}},
	{"registration-parameter", "registration: registration_not_supported.", func(s *suite) {
		r := s.request(s.one, "registration", "{}")
		s.open(r).refused(r, "registration_not_supported")
	}},
	{"parameter-twice", "A parameter given twice: invalid_request to the client, and an error page when it is client_id or redirect_uri.", func(s *suite) {
		r := s.request(s.one)
		s.v.Open(r.URL() + "&scope=openid")
		s.refused(r, "invalid_request")
		for _, twice := range []string{"&client_id=" + s.one.ID, "&redirect_uri=" + s.one.Redirect} {
			s.v.Open(r.URL() + twice)
			s.errorPage()
		}
	}},
	{"unknown-client-or-no-redirect-uri", "An unknown client or no redirect_uri: an error page, no redirect.", func(s *suite) {
		for _, changes := range [][]string{{"client_id", "nobody"}, {"client_id", ""}, {"redirect_uri", ""}, {"redirect_uri", s.one.Redirect + "?dummy1=lorem&dummy2=ipsum"}} {
			s.open(s.request(s.one, changes...)).errorPage()
		}
		r := s.request(s.one, "redirect_uri", s.one.Redirect+"?dummy1=lorem")
		s.open(r).enter(an)
		s.tokens(r)
	}},
	{"userinfo-refusals", "Userinfo without a token, with a wrong one, with two, with one in the URL.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		for _, token := range []string{"", "rubbish", a.str("id_token")} {
			if got := s.w.userinfo(s.T, "GET", token); got.Status != http.StatusUnauthorized || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
				s.Errorf("%.20q: %s", token, got)
			}
		}
		req, err := http.NewRequest("GET", s.w.Issuer+"/userinfo?access_token="+a.str("access_token"), nil)
		if err != nil {
			s.Fatal(err)
		}
		if got := s.w.answer(s.T, req); got.Status != http.StatusBadRequest {
			s.Errorf("in the URL: %s", got)
		}
		req, err = http.NewRequest("POST", s.w.Issuer+"/userinfo", strings.NewReader("access_token="+a.str("access_token")))
		if err != nil {
			s.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "Bearer "+a.str("access_token"))
		if got := s.w.answer(s.T, req); got.Status != http.StatusBadRequest {
			s.Errorf("two: %s", got)
		}
	}},
}
