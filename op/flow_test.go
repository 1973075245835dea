package op_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (w *testWorld) idTokenClaims(raw string) map[string]any {
	w.t.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(w.browser().get(w.url+"/keys").body), &keys); err != nil {
		w.t.Fatal(err)
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA})
	if err != nil {
		w.t.Fatal(err)
	}
	found := keys.Key(token.Headers[0].KeyID)
	if len(found) != 1 {
		w.t.Fatalf("kid %q names %d keys of the JWKS", token.Headers[0].KeyID, len(found))
	}
	claims := map[string]any{}
	if err := token.Claims(found[0], &claims); err != nil {
		w.t.Fatal(err)
	}
	return claims
}

func TestACitizenSignsInAndTheClientGetsWhatTheContractPromises(t *testing.T) {
	w := newWorld(t)
	done := w.browser().signIn(request("basic"), an)
	if done.StatusCode != http.StatusSeeOther || done.param("state") != "a-state" || done.param("iss") != w.url {
		t.Fatalf("answer to the client: %s %s", done.Status, done.Header.Get("Location"))
	}
	a := w.token("basic", codeForm(done.param("code")))
	tokens := a.json(t)
	if a.StatusCode != 200 || tokens["token_type"] != "Bearer" || tokens["expires_in"] != 1800.0 || tokens["refresh_token"] != nil {
		t.Fatalf("token response: %s %v", a.Status, tokens)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", a.Header.Get("Cache-Control"))
	}
	claims := w.idTokenClaims(tokens["id_token"].(string))
	sum := sha256.Sum256([]byte(tokens["access_token"].(string)))
	for name, want := range map[string]any{"iss": w.url, "aud": "basic", "nonce": "a-nonce", "acr": "LoA2", "sandbox": true,
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16])} {
		if claims[name] != want {
			t.Errorf("ID token: %s = %v, want %v", name, claims[name], want)
		}
	}
	for _, name := range []string{"sub", "exp", "iat", "auth_time", "amr", "sid"} {
		if claims[name] == nil {
			t.Errorf("ID token lacks %s", name)
		}
	}
	for _, name := range []string{"name", "cccd", "birthdate", "phone_number", "preferred_username"} {
		if claims[name] != nil {
			t.Errorf("ID token carries %s though nobody registered it", name)
		}
	}
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 300 {
		t.Errorf("ID token lives %v s", life)
	}

	req, _ := http.NewRequest("GET", w.url+"/userinfo", nil)
	req.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
	info := w.browser().do(req).json(t)
	for name, want := range map[string]any{"sub": claims["sub"], "name": "Nguyễn Văn An", "family_name": "Nguyễn", "middle_name": "Văn",
		"given_name": "An", "birthdate": "1990-03-15", "gender": "male", "cccd": an, "account_level": "2", "account_type": "citizen",
		"preferred_username": "nguyen.van.an.001", "locale": "vi-VN", "sandbox": true} {
		if info[name] != want {
			t.Errorf("userinfo: %s = %v, want %v", name, info[name], want)
		}
	}
	for _, name := range []string{"phone_number", "email", "address"} {
		if info[name] != nil {
			t.Errorf("userinfo carries %s without its scope", name)
		}
	}
}

func TestEveryAlgorithmSignsAnIDTokenThatItsKeyVerifies(t *testing.T) {
	w := newWorld(t)
	for _, alg := range vneid.SigningAlgs() {
		w.client(vneid.ClientMetadata{ClientID: "alg-" + alg, Consent: "never", IDTokenSignedAlg: alg})
		done := w.browser().signIn(request("alg-"+alg), an)
		tokens := w.token("alg-"+alg, codeForm(done.param("code"))).json(t)
		raw, _ := tokens["id_token"].(string)
		header, _ := base64.RawURLEncoding.DecodeString(strings.SplitN(raw, ".", 2)[0])
		if !strings.Contains(string(header), `"alg":"`+alg+`"`) {
			t.Errorf("%s: header %s", alg, header)
		}
		if w.idTokenClaims(raw)["at_hash"] == nil {
			t.Errorf("%s: no at_hash", alg)
		}
	}
}

func TestPairwiseSubjectsDifferByClientAndStayOverSignIns(t *testing.T) {
	w := newWorld(t)
	w.client(vneid.ClientMetadata{ClientID: "open", Consent: "never", SubjectType: "public"})
	w.client(vneid.ClientMetadata{ClientID: "open2", Consent: "never", SubjectType: "public"})
	sub := func(client string) any {
		done := w.browser().signIn(request(client), an)
		return w.idTokenClaims(w.token(client, codeForm(done.param("code"))).json(t)["id_token"].(string))["sub"]
	}
	first := sub("basic")
	if again := sub("basic"); again != first {
		t.Errorf("sub of one client changed: %v, %v", first, again)
	}
	if other := sub("other"); other == first {
		t.Error("two clients see one pairwise sub")
	}
	if sub("open") != sub("open2") {
		t.Error("public subs differ")
	}
}

func TestASessionSignsInWithoutAPageAndPromptsAreObeyed(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	none := b.authorize(request("basic", "prompt", "none"))
	if none.param("error") != "login_required" || none.param("state") != "a-state" || none.param("iss") != w.url {
		t.Fatalf("prompt=none before sign-in: %s", none.Header.Get("Location"))
	}
	first := w.idTokenClaims(w.token("basic", codeForm(b.signIn(request("basic"), an).param("code"))).json(t)["id_token"].(string))

	w.clock.SetOffset(time.Minute)
	silent := b.authorize(request("other", "prompt", "none"))
	code := silent.param("code")
	if code == "" {
		t.Fatalf("prompt=none with a session: %s %s", silent.Status, silent.Header.Get("Location"))
	}
	second := w.idTokenClaims(w.token("other", codeForm(code)).json(t)["id_token"].(string))
	if second["auth_time"] != first["auth_time"] || second["sid"] != first["sid"] {
		t.Errorf("auth_time or sid changed without a sign-in: %v, %v", first, second)
	}
	for name, q := range map[string]url.Values{
		"prompt=login":             request("basic", "prompt", "login"),
		"prompt=select_account":    request("basic", "prompt", "select_account"),
		"max_age passed":           request("basic", "max_age", "30"),
		"max_age=0":                request("basic", "max_age", "0"),
		"login_hint of another":    request("basic", "login_hint", binh),
		"id_token_hint in a clash": request("basic", "prompt", "login"),
	} {
		if a := b.authorize(q); !strings.HasPrefix(a.Header.Get("Location"), "/login/") {
			t.Errorf("%s: went to %q instead of the login page", name, a.Header.Get("Location"))
		}
	}
	for name, q := range map[string]url.Values{
		"max_age fits":         request("basic", "max_age", "10000"),
		"acr_values=LoA1":      request("basic", "acr_values", "LoA1"),
		"acr_values=LoA4 LoA2": request("basic", "acr_values", "LoA4 LoA2"),
		"same login_hint":      request("basic", "login_hint", an),
	} {
		if a := b.authorize(q); a.param("code") == "" {
			t.Errorf("%s: no code: %s", name, a.Header.Get("Location"))
		}
	}
	again := w.idTokenClaims(w.token("basic", codeForm(b.signIn(request("basic", "prompt", "login"), an).param("code"))).json(t)["id_token"].(string))
	if again["auth_time"].(float64) < first["auth_time"].(float64)+59 || again["sid"] != first["sid"] {
		t.Errorf("after prompt=login: %v, before %v", again, first)
	}
}

func TestSharingIsAskedOnceAndRefusingGoesBackAsAccessDenied(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	a := b.authorize(request("asking"))
	page := b.get(w.url + a.Header.Get("Location"))
	login := actionPattern.FindStringSubmatch(page.body)[1]
	base := w.url + strings.TrimSuffix(login, "/password")
	b.post(base+"/password", url.Values{"username": {an}, "password": {secret}})
	b.post(base+"/otp", url.Values{"otp": {w.phones.otp("0950000001")}})
	page = b.get(base)
	if !strings.Contains(page.body, "Tôi đã đọc và hiểu rõ nội dung mục đích") || !strings.Contains(page.body, "038******001") {
		t.Fatalf("no sharing page: %s", page.body)
	}
	if unticked := b.post(base+"/sharing", url.Values{"decision": {"share"}}); unticked.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("sharing without the box: %s", unticked.Status)
	}
	refused := b.post(base+"/sharing", url.Values{"decision": {"refuse"}})
	if refused.param("error") != "access_denied" || refused.param("state") != "a-state" {
		t.Errorf("refused sharing: %s %s", refused.Status, refused.Header.Get("Location"))
	}
	if none := b.authorize(request("asking", "prompt", "none")); none.param("error") != "consent_required" {
		t.Errorf("prompt=none without consent: %s", none.Header.Get("Location"))
	}
	if b.signIn(request("asking"), an).param("code") == "" {
		t.Fatal("sharing agreed, and no code")
	}
	if silent := b.authorize(request("asking", "prompt", "none")); silent.param("code") == "" {
		t.Errorf("consent is not remembered: %s", silent.Header.Get("Location"))
	}
	if more := b.authorize(request("asking", "prompt", "none", "scope", "openid profile cccd phone")); more.param("error") != "consent_required" {
		t.Errorf("a wider scope without consent: %s", more.Header.Get("Location"))
	}
}

func TestRefreshRotatesAndReuseRevokesTheFamily(t *testing.T) {
	w := newWorld(t)
	done := w.browser().signIn(request("basic", "scope", "openid offline_access"), an)
	first := w.token("basic", codeForm(done.param("code"))).json(t)
	refresh := func(token any, more ...string) answer {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.(string)}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return w.token("basic", form)
	}
	second := refresh(first["refresh_token"])
	tokens := second.json(t)
	if second.StatusCode != 200 || tokens["refresh_token"] == first["refresh_token"] {
		t.Fatalf("refresh: %s %v", second.Status, tokens)
	}
	before, after := w.idTokenClaims(first["id_token"].(string)), w.idTokenClaims(tokens["id_token"].(string))
	for _, name := range []string{"iss", "sub", "aud", "auth_time", "acr", "sid"} {
		if before[name] != after[name] {
			t.Errorf("%s changed on refresh: %v, %v", name, before[name], after[name])
		}
	}
	if after["nonce"] != nil {
		t.Error("a refreshed ID token has a nonce (OIDC Core §12.2)")
	}
	if a := refresh(tokens["refresh_token"], "scope", "openid profile"); a.json(t)["error"] != "invalid_scope" {
		t.Errorf("a wider scope: %s %s", a.Status, a.body)
	}
	if a := w.token("other", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}); a.json(t)["error"] != "invalid_grant" {
		t.Errorf("refresh token of another client: %s %s", a.Status, a.body)
	}
	if a := refresh(first["refresh_token"]); a.json(t)["error"] != "invalid_grant" {
		t.Errorf("reuse: %s %s", a.Status, a.body)
	}
	if a := refresh(tokens["refresh_token"]); a.json(t)["error"] != "invalid_grant" {
		t.Errorf("the family survived a reuse: %s %s", a.Status, a.body)
	}
	if a := w.machine("/oauth/introspect", "basic", url.Values{"token": {tokens["access_token"].(string)}}); a.json(t)["active"] != false {
		t.Errorf("the access token survived a reuse: %s", a.body)
	}
}

func TestIntrospectionAndRevocationConcernTheClientsOwnTokens(t *testing.T) {
	w := newWorld(t)
	done := w.browser().signIn(request("basic"), an)
	access := w.token("basic", codeForm(done.param("code"))).json(t)["access_token"].(string)
	own := w.machine("/oauth/introspect", "basic", url.Values{"token": {access}}).json(t)
	if own["active"] != true || own["client_id"] != "basic" || own["acr"] != "LoA2" {
		t.Errorf("introspection: %v", own)
	}
	if foreign := w.machine("/oauth/introspect", "other", url.Values{"token": {access}}); foreign.json(t)["active"] != false {
		t.Errorf("another client learns about the token: %s", foreign.body)
	}
	if a := w.machine("/revoke", "other", url.Values{"token": {access}}); a.StatusCode != 200 {
		t.Errorf("revoking a foreign token: %s", a.Status)
	}
	if w.machine("/oauth/introspect", "basic", url.Values{"token": {access}}).json(t)["active"] != true {
		t.Error("another client revoked the token")
	}
	w.machine("/revoke", "basic", url.Values{"token": {access}})
	if w.machine("/oauth/introspect", "basic", url.Values{"token": {access}}).json(t)["active"] != false {
		t.Error("a revoked token is active")
	}
}

func TestSignOutEndsTheSessionAndAsksWhenNobodyProvesToBeTheClient(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	tokens := w.token("basic", codeForm(b.signIn(request("basic"), an).param("code"))).json(t)
	hint := tokens["id_token"].(string)

	forged := b.get(w.url + "/end_session?" + url.Values{"id_token_hint": {hint[:len(hint)-4] + "AAAA"}, "post_logout_redirect_uri": {"http://127.0.0.1:7777/"}}.Encode())
	if forged.StatusCode != http.StatusBadRequest {
		t.Errorf("forged hint: %s", forged.Status)
	}
	foreign := b.get(w.url + "/end_session?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://evil.test/"}}.Encode())
	if foreign.StatusCode != http.StatusBadRequest {
		t.Errorf("unregistered post_logout_redirect_uri: %s", foreign.Status)
	}
	asked := b.get(w.url + "/end_session?client_id=basic&post_logout_redirect_uri=" + url.QueryEscape("http://127.0.0.1:7777/"))
	if asked.StatusCode != 200 || !strings.Contains(asked.body, "/end_session/confirm") {
		t.Errorf("without proof: %s", asked.Status)
	}
	if b.authorize(request("basic", "prompt", "none")).param("code") == "" {
		t.Fatal("the session ended without consent")
	}
	unredeemed := b.authorize(request("basic", "prompt", "none")).param("code")
	out := b.get(w.url + "/end_session?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://127.0.0.1:7777/"}, "state": {"s & t"}}.Encode())
	if out.Header.Get("Location") != "http://127.0.0.1:7777/?state=s+%26+t" {
		t.Errorf("sign-out: %s %s", out.Status, out.Header.Get("Location"))
	}
	if a := b.authorize(request("basic", "prompt", "none")); a.param("error") != "login_required" {
		t.Errorf("the session is still there: %s", a.Header.Get("Location"))
	}
	if w.machine("/oauth/introspect", "basic", url.Values{"token": {tokens["access_token"].(string)}}).json(t)["active"] != false {
		t.Error("the access token outlived its session")
	}
	if a := w.token("basic", codeForm(unredeemed)); a.json(t)["error"] != "invalid_grant" {
		t.Errorf("a code of the ended session: %s %s", a.Status, a.body)
	}
}

func TestDiscoveryListsWhatWorksAndNothingElse(t *testing.T) {
	w := newWorld(t)
	a := w.browser().get(w.url + "/.well-known/openid-configuration")
	m := a.json(t)
	if m["issuer"] != w.url || m["authorization_response_iss_parameter_supported"] != true {
		t.Errorf("discovery: %v", m)
	}
	for name, want := range map[string][]string{
		"response_types_supported": {"code"}, "grant_types_supported": {"authorization_code", "refresh_token", "client_credentials", vneid.DeviceGrant},
		"code_challenge_methods_supported":      {"S256"},
		"token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"id_token_signing_alg_values_supported": vneid.SigningAlgs(),
	} {
		var got []string
		for _, v := range m[name].([]any) {
			got = append(got, v.(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, name := range []string{"registration_endpoint", "check_session_iframe"} {
		if m[name] != nil {
			t.Errorf("discovery lists %s", name)
		}
	}
}
