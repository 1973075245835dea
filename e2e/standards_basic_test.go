//go:build e2e

package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var scopeClaims = map[string][]string{
	"profile": {"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at"},
	"email": {"email", "email_verified"}, "address": {"address"}, "phone": {"phone_number", "phone_number_verified"},
}

// basicModules are those of Basic OP; Form Post OP has the same.
var basicModules = []module{
	{"oidcc-server", "The code flow: token response, ID token, userinfo, keys with distinct kids.", func(s *suite) {
		a, claims := s.signIn(s.request(s.one))
		s.same(claims, s.userinfo("GET", a.str("access_token")), "sub")
		var kids []string
		for _, k := range s.keys() {
			kids = append(kids, k["kid"].(string))
		}
		slices.Sort(kids)
		if len(kids) == 0 || len(slices.Compact(kids)) != len(kids) {
			s.Errorf("kids %v", kids)
		}
	}},
	{"oidcc-response-type-missing", "Without response_type an error goes to the client.", func(s *suite) {
		r := s.request(s.one, "response_type", "")
		s.open(r).refused(r, "invalid_request", "unsupported_response_type")
	}},
	{"oidcc-idtoken-signature", "The ID token is signed with RS256 by default, by a key of the JWKS.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		header := jwtHeader(s, a.str("id_token"))
		wantClaim(s.T, header, "alg", "RS256")
		if !slices.ContainsFunc(s.keys(), func(k map[string]any) bool { return k["kid"] == header["kid"] && k["kty"] == "RSA" }) {
			s.Errorf("no RSA key %v", header["kid"])
		}
	}},
	{"oidcc-idtoken-unsigned", "Unsigned ID tokens are not there, and not promised.", func(s *suite) {
		if slices.Contains(listed(s.discovery(), "id_token_signing_alg_values_supported"), "none") {
			s.Error("none is listed")
		}
		if status, raw := s.w.apiRaw(s.T, "POST", "/clients", map[string]any{"redirect_uris": []string{s.one.Redirect}, "id_token_signed_response_alg": "none"}, nil); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
			s.Errorf("a client with none: %d %s", status, raw)
		}
	}},
	{"oidcc-userinfo-get", "Userinfo by GET with the token in the header.", func(s *suite) {
		a, claims := s.signIn(s.request(s.one))
		s.same(claims, s.userinfo("GET", a.str("access_token")), "sub")
	}},
	{"oidcc-userinfo-post-header", "Userinfo by POST with the token in the header.", func(s *suite) {
		a, claims := s.signIn(s.request(s.one))
		s.same(claims, s.userinfo("POST", a.str("access_token")), "sub")
	}},
	{"oidcc-userinfo-post-body", "Userinfo by POST with the token in the body.", func(s *suite) {
		a, claims := s.signIn(s.request(s.one))
		b := s.w.post(s.T, "/userinfo", "", "", url.Values{"access_token": {a.str("access_token")}})
		if b.Status != http.StatusOK {
			s.Fatalf("%s", b)
		}
		s.same(claims, b.Body, "sub")
	}},
	{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", "nonce is optional.", func(s *suite) {
		s.signIn(s.request(s.one, "nonce", ""))
	}},
	{"oidcc-scope-profile", "All 14 claims of profile, at userinfo and not in the ID token.", func(s *suite) { s.scope("profile") }},
	{"oidcc-scope-email", "The claims of email.", func(s *suite) { s.scope("email") }},
	{"oidcc-scope-address", "The address claim with its members.", func(s *suite) { s.scope("address") }},
	{"oidcc-scope-phone", "The claims of phone.", func(s *suite) { s.scope("phone") }},
	{"oidcc-scope-all", "All standard scopes at once.", func(s *suite) { s.scope("profile", "email", "address", "phone") }},
	{"oidcc-alternate-happy-flow", "Another order of parameters and scopes.", func(s *suite) {
		r := s.request(s.one, "scope", "email profile openid")
		query := strings.Split(r.Params.Encode(), "&")
		slices.Reverse(query)
		s.v.Open(s.w.Issuer + "/authorize?" + strings.Join(query, "&"))
		s.enter(an)
		s.tokens(r)
	}},
	{"oidcc-display-page", "display=page is no error.", func(s *suite) { s.signIn(s.request(s.one, "display", "page")) }},
	{"oidcc-display-popup", "display=popup is no error.", func(s *suite) { s.signIn(s.request(s.one, "display", "popup")) }},
	{"oidcc-prompt-login", "prompt=login asks again; auth_time is later.", func(s *suite) {
		_, first := s.signIn(s.request(s.one))
		s.later(2)
		_, second := s.signIn(s.request(s.one, "prompt", "login"))
		s.same(first, second, "sub")
		s.moved(first, second)
	}},
	{"oidcc-prompt-none-not-logged-in", "prompt=none without a session: an error to the client, no page.", func(s *suite) {
		r := s.request(s.one, "prompt", "none")
		s.open(r).refused(r, "login_required")
	}},
	{"oidcc-prompt-none-logged-in", "prompt=none with a session: silent, same sub and auth_time.", func(s *suite) {
		_, first := s.signIn(s.request(s.one))
		s.later(2)
		_, second := s.silent(s.request(s.one, "prompt", "none"))
		s.same(first, second, "sub", "auth_time", "sid", "acr")
	}},
	{"oidcc-max-age-1", "max_age=1 asks again when the sign-in is older; auth_time is later.", func(s *suite) {
		_, first := s.signIn(s.request(s.one))
		s.later(3)
		_, second := s.signIn(s.request(s.one, "max_age", "1"))
		s.same(first, second, "sub")
		s.moved(first, second)
	}},
	{"oidcc-max-age-10000", "max_age=10000 does not ask again; auth_time is there and the same.", func(s *suite) {
		_, first := s.signIn(s.request(s.one))
		s.later(2)
		_, second := s.silent(s.request(s.one, "max_age", "10000"))
		s.same(first, second, "sub", "auth_time")
	}},
	{"oidcc-ensure-request-with-unknown-parameter-succeeds", "Unknown parameters are ignored.", func(s *suite) {
		s.signIn(s.request(s.one, "extra", "foobar"))
	}},
	{"oidcc-id-token-hint", "prompt=none with an id_token_hint of the session: silent, the same person.", func(s *suite) {
		a, first := s.signIn(s.request(s.one))
		_, second := s.silent(s.request(s.one, "prompt", "none", "id_token_hint", a.str("id_token")))
		s.same(first, second, "sub", "auth_time")
	}},
	{"oidcc-login-hint", "login_hint is no error; a hint that is no number leaves the field empty.", func(s *suite) {
		r := s.request(s.one, "login_hint", "buffy@issuer.example")
		s.open(r)
		if field := s.v.at.ByID("username"); field == nil || field.attrs["value"] != "" {
			s.Errorf("#username holds %+v: who types into it appends", field)
		}
		s.enter(an)
		s.tokens(r)
	}},
	{"oidcc-ui-locales", "ui_locales: a language we have is used, another is no error.", func(s *suite) {
		s.open(s.request(s.one, "ui_locales", "en-GB vi"))
		if s.v.at.Lang() != "en" {
			s.Errorf("the page is in %s", s.v.at.Lang())
		}
		s.freshBrowser()
		r := s.request(s.one, "ui_locales", "se")
		s.open(r).enter(an)
		s.tokens(r)
	}},
	{"oidcc-claims-locales", "claims_locales is no error.", func(s *suite) { s.signIn(s.request(s.one, "claims_locales", "se")) }},
	{"oidcc-ensure-request-with-acr-values-succeeds", "acr_values: acr is one of those asked for.", func(s *suite) {
		asked := listed(s.discovery(), "acr_values_supported")
		_, claims := s.signIn(s.request(s.one, "acr_values", strings.Join(asked, " ")))
		if acr, _ := claims["acr"].(string); !slices.Contains(asked, acr) {
			s.Errorf("acr %q of %v", acr, asked)
		}
	}},
	{"oidcc-codereuse", "A code works once: invalid_grant, and the first access token is dead.", func(s *suite) { s.reuse(0) }},
	{"oidcc-codereuse-30seconds", "The same 30 s later.", func(s *suite) { s.reuse(30) }},
	{"oidcc-ensure-registered-redirect-uri", "Another redirect_uri: an error page, no redirect.", func(s *suite) {
		r := s.request(s.one, "redirect_uri", s.one.Redirect+"/other")
		s.open(r).errorPage()
	}},
	{"oidcc-ensure-post-request-succeeds", "The authorization request by POST, from a browser without any cookie.", func(s *suite) {
		r := s.request(s.one)
		target, _ := url.Parse(s.w.Issuer + "/authorize")
		from, _ := url.Parse("https://suite.example/")
		s.v.navigate("POST", target, r.Params, from)
		s.enter(an)
		s.tokens(r)
	}},
	{"oidcc-server-client-secret-post", "The code flow of a client with client_secret_post.", func(s *suite) { s.signIn(s.request(s.post)) }},
	{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", "request_uri: request_uri_not_supported, and discovery says so.", func(s *suite) {
		wantClaim(s.T, s.discovery(), "request_uri_parameter_supported", false)
		r := s.request(s.one, "request_uri", "https://suite.example/request.jwt")
		s.open(r).refused(r, "request_uri_not_supported")
	}},
	{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", "request: request_not_supported, and discovery says so.", func(s *suite) {
		wantClaim(s.T, s.discovery(), "request_parameter_supported", false)
		r := s.request(s.one, "request", unsigned(map[string]any{"client_id": s.one.ID, "scope": "openid"}))
		s.open(r).refused(r, "request_not_supported")
	}},
	{"oidcc-ensure-request-object-with-redirect-uri", "A request object changes nothing about the redirect_uri.", func(s *suite) {
		object := unsigned(map[string]any{"client_id": s.one.ID, "redirect_uri": s.one.Redirect + "/other"})
		r := s.request(s.one, "request", object)
		s.open(r).refused(r, "request_not_supported")
		r = s.request(s.one, "request", unsigned(map[string]any{"redirect_uri": s.one.Redirect}), "redirect_uri", s.one.Redirect+"/other")
		s.open(r).errorPage()
	}},
	{"oidcc-claims-essential", "claims: an essential name is at userinfo without the scope profile.", func(s *suite) {
		a, claims := s.signIn(s.request(s.one, "claims", `{"userinfo":{"name":{"essential":true}}}`))
		body := s.userinfo("GET", a.str("access_token"))
		wantClaim(s.T, body, "name", an.Name)
		wantNoClaims(s.T, body, "family_name", "gender", "birthdate")
		wantNoClaims(s.T, claims, "name")
	}},
	{"oidcc-refresh-token", "Refresh tokens: bound to the client, long and random; the new ID token keeps iss, sub, aud, auth_time, acr.", func(s *suite) {
		r := s.request(s.one, "scope", "openid offline_access", "prompt", "consent")
		a, claims := s.signIn(r)
		token := a.str("refresh_token")
		if len(token)*6 < 128 || entropy(token) < 96 {
			s.Errorf("%d characters, %.0f bits", len(token), entropy(token))
		}
		wantOAuthError(s.T, s.w.refresh(s.T, s.two, token), http.StatusBadRequest, "invalid_grant")
		s.later(2)
		again := s.w.refresh(s.T, s.one, token)
		if again.Status != http.StatusOK {
			s.Fatalf("%s", again)
		}
		s.same(claims, s.checkTokens(s.one, again, ""), "iss", "sub", "aud", "auth_time", "acr", "azp", "sid")
		if again.str("access_token") == a.str("access_token") {
			s.Error("the same access token")
		}
		s.same(claims, s.userinfo("GET", again.str("access_token")), "sub")
	}},
	{"oidcc-ensure-request-with-valid-pkce-succeeds", "PKCE with S256.", func(s *suite) {
		s.signIn(s.request(s.one, "code_challenge", "yes", "code_challenge_method", "S256"))
	}},
}

// scope wants the claims of scopes at userinfo, of the kinds that OIDC Core §5.1 gives them, and not in the ID token.
func (s *suite) scope(scopes ...string) {
	s.Helper()
	a, claims := s.signIn(s.request(s.one, "scope", "openid "+strings.Join(scopes, " ")))
	body := s.userinfo("GET", a.str("access_token"))
	s.same(claims, body, "sub")
	for scope, names := range scopeClaims {
		if !slices.Contains(scopes, scope) {
			wantNoClaims(s.T, body, names...)
			continue
		}
		wantNoClaims(s.T, claims, names...)
		for _, name := range names {
			s.kind(name, body[name])
		}
	}
}

var (
	birthdate = regexp.MustCompile(`^\d{4}(-\d\d-\d\d)?$`)
	zone      = regexp.MustCompile(`^[A-Z][A-Za-z_]+/[A-Z][A-Za-z_]+$`)
)

func (s *suite) kind(name string, value any) {
	s.Helper()
	text, isText := value.(string)
	good := isText && text != ""
	switch name {
	case "updated_at":
		n, ok := value.(float64)
		good = ok && n == math.Trunc(n)
	case "email_verified", "phone_number_verified":
		_, good = value.(bool)
	case "birthdate":
		good = birthdate.MatchString(text)
	case "zoneinfo":
		good = zone.MatchString(text)
	case "phone_number":
		good = strings.HasPrefix(text, "+")
	case "profile", "picture", "website":
		// Harmless: the provider's own, and there.
		good = strings.HasPrefix(text, s.w.Issuer+"/")
		req, err := http.NewRequest("GET", text, nil)
		if err != nil {
			break
		}
		if res, _ := s.w.do(s.T, req); res.StatusCode != http.StatusOK {
			s.Errorf("%s %s answers %d", name, text, res.StatusCode)
		}
	case "address":
		address, _ := value.(map[string]any)
		good = address != nil
		for _, member := range []string{"formatted", "street_address", "locality", "region", "country"} {
			if part, _ := address[member].(string); part == "" {
				good = false
			}
		}
	}
	if !good {
		s.Errorf("%s is %v", name, value)
	}
}

// reuse redeems a code twice, with a pause.
func (s *suite) reuse(seconds int) {
	s.Helper()
	r := s.request(s.one)
	s.open(r).enter(an)
	form := s.exchange(r, s.code(r))
	first := s.w.authenticated(s.T, "/oauth/token", s.one, form)
	if first.Status != http.StatusOK {
		s.Fatalf("%s", first)
	}
	if seconds > 0 {
		s.later(seconds)
	}
	wantOAuthError(s.T, s.w.authenticated(s.T, "/oauth/token", s.one, form), http.StatusBadRequest, "invalid_grant")
	if a := s.w.userinfo(s.T, "GET", first.str("access_token")); a.Status != http.StatusUnauthorized {
		s.Errorf("the first access token lives: %s", a)
	}
}

// moved wants the second sign-in to be later.
func (s *suite) moved(first, second map[string]any) {
	s.Helper()
	if a, b := number(s.T, first, "auth_time"), number(s.T, second, "auth_time"); b <= a {
		s.Errorf("auth_time was %d, is %d", a, b)
	}
}

func (s *suite) keys() (list []map[string]any) {
	s.Helper()
	req, err := http.NewRequest("GET", s.w.Issuer+"/keys", nil)
	if err != nil {
		s.Fatal(err)
	}
	keys, _ := s.w.answer(s.T, req).Body["keys"].([]any)
	for _, k := range keys {
		key, _ := k.(map[string]any)
		wantNoClaims(s.T, key, "d", "p", "q", "dp", "dq", "qi", "k")
		list = append(list, key)
	}
	return list
}

func jwtHeader(s *suite, token string) (header map[string]any) {
	s.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err == nil {
		err = json.Unmarshal(raw, &header)
	}
	if err != nil {
		s.Fatal(err)
	}
	return header
}

// unsigned is a JWT with alg none.
func unsigned(claims map[string]any) string {
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return part(map[string]string{"alg": "none"}) + "." + part(claims) + "."
}

// entropy is what the characters of a text tell, in bits.
func entropy(text string) (bits float64) {
	count := map[rune]float64{}
	for _, r := range text {
		count[r]++
	}
	for _, n := range count {
		bits -= n * math.Log2(n/float64(len(text)))
	}
	return bits
}

var configModules = []module{
	{"oidcc-discovery-endpoint-verification", "Discovery and keys: issuer, addresses, what is listed, canonical language tags.", func(s *suite) {
		d := s.discovery()
		wantClaim(s.T, d, "issuer", s.w.Issuer)
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"} {
			if address, _ := d[name].(string); !strings.HasPrefix(address, s.w.Issuer+"/") {
				s.Errorf("%s is %v", name, d[name])
			}
		}
		for name, want := range map[string][]string{
			"response_types_supported": {"code"}, "grant_types_supported": {"authorization_code", "refresh_token"},
			"subject_types_supported": {"pairwise", "public"}, "id_token_signing_alg_values_supported": {"RS256"},
			"scopes_supported": {"openid", "profile", "email", "address", "phone", "offline_access"}, "code_challenge_methods_supported": {"S256"},
			"token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post"}, "response_modes_supported": {"query", "form_post"},
			"claims_supported":     slices.Concat([]string{"sub", "iss", "auth_time", "acr"}, scopeClaims["profile"], scopeClaims["email"], scopeClaims["address"], scopeClaims["phone"]),
			"acr_values_supported": {"LoA1", "LoA2"}, "display_values_supported": {"page", "popup"}, "claim_types_supported": {"normal"},
			"ui_locales_supported": {"vi", "en"}, "claims_locales_supported": {"vi"},
		} {
			for _, value := range want {
				if !slices.Contains(listed(d, name), value) {
					s.Errorf("%s lacks %s: %v", name, value, d[name])
				}
			}
		}
		wantClaim(s.T, d, "claims_parameter_supported", true)
		wantClaim(s.T, d, "authorization_response_iss_parameter_supported", true)
		wantNoClaims(s.T, d, "registration_endpoint", "check_session_iframe", "request_object_signing_alg_values_supported")
		if keys := s.keys(); len(keys) == 0 || !slices.ContainsFunc(keys, func(k map[string]any) bool { return k["kty"] == "RSA" && k["use"] == "sig" }) {
			s.Errorf("no RSA key for signatures: %v", keys)
		}
	}},
}
