package op_test

// One test for each hole that the library leaves open, so that an upgrade of it
// cannot open one here. Names say the hole.

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestHoleParallelRedemption(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic"), an).param("code")
	answers := make([]answer, 100)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Add(1)
		go func() { defer wg.Done(); answers[i] = w.token("basic", codeForm(code)) }()
	}
	wg.Wait()
	won := 0
	for _, a := range answers {
		switch a.StatusCode {
		case 200:
			won++
		case 400:
			if a.json(t)["error"] != "invalid_grant" {
				t.Errorf("a loser got %s", a.body)
			}
		default:
			t.Errorf("a loser got %s %s", a.Status, a.body)
		}
	}
	if won != 1 {
		t.Errorf("%d of 100 redemptions succeeded", won)
	}
}

func TestHoleReplayAfterThirtySecondsRevokes(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic", "scope", "openid offline_access"), an).param("code")
	tokens := w.token("basic", codeForm(code)).json(t)
	w.clock.SetOffset(31 * time.Second)
	if a := w.token("basic", codeForm(code)); a.StatusCode != 400 || a.json(t)["error"] != "invalid_grant" {
		t.Fatalf("replay: %s %s", a.Status, a.body)
	}
	req, _ := http.NewRequest("GET", w.url+"/userinfo", nil)
	req.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
	if a := w.browser().do(req); a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("userinfo after a replay: %s", a.Status)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}
	if a := w.token("basic", refresh); a.json(t)["error"] != "invalid_grant" {
		t.Errorf("refresh after a replay: %s", a.body)
	}
}

func TestHoleLoginFinishedInAnotherBrowser(t *testing.T) {
	w := newWorld(t)
	begun := w.browser().authorize(request("basic")).Header.Get("Location")
	thief := w.browser()
	thief.authorize(request("basic")) // has a cookie of its own
	for _, path := range []string{begun, begun + "/password", begun + "/otp", begun + "/sharing", begun + "/cancel", begun + "/resend"} {
		a := thief.post(w.url+path, url.Values{"username": {an}, "password": {secret}, "otp": {"123456"}, "decision": {"share"}, "agree": {"yes"}})
		if path == begun {
			a = thief.get(w.url + path)
		}
		if a.StatusCode != http.StatusForbidden || strings.Contains(a.Header.Get("Location"), "code=") {
			t.Errorf("%s in another browser: %s %s", path, a.Status, a.Header.Get("Location"))
		}
	}
	if bare := w.browser().get(w.url + begun); bare.StatusCode != http.StatusForbidden {
		t.Errorf("without any cookie: %s", bare.Status)
	}
}

func TestHolePKCE(t *testing.T) {
	w := newWorld(t)
	w.world.Policy.SMSPerNumber = 100 // An signs in more often than a phone allows
	code := func(client string, changes ...string) string {
		return w.browser().signIn(request(client, changes...), an).param("code")
	}
	for name, form := range map[string]url.Values{
		"verifier missing":        codeForm(code("basic"), "code_verifier", "-"),
		"verifier wrong":          codeForm(code("basic"), "code_verifier", verifier+"x"),
		"verifier as plain":       codeForm(code("basic"), "code_verifier", vneid.SecretHash(verifier)),
		"verifier nobody needs":   codeForm(code("basic", "code_challenge", "-", "code_challenge_method", "-")),
		"redirect_uri another":    codeForm(code("basic"), "redirect_uri", callback+"?registered=query"),
		"redirect_uri one more /": codeForm(code("basic"), "redirect_uri", callback+"/"),
	} {
		if a := w.token("basic", form); a.StatusCode != 400 || a.json(t)["error"] != "invalid_grant" {
			t.Errorf("%s: %s %s", name, a.Status, a.body)
		}
	}
	b := w.browser()
	for name, q := range map[string]url.Values{
		"plain":               request("basic", "code_challenge_method", "plain"),
		"method missing":      request("basic", "code_challenge_method", "-"),
		"challenge missing":   request("basic", "code_challenge", "-"),
		"challenge too short": request("basic", "code_challenge", "abc"),
		"public without PKCE": request("public", "code_challenge", "-", "code_challenge_method", "-"),
	} {
		if a := b.authorize(q); a.param("error") != "invalid_request" || a.param("state") != "a-state" {
			t.Errorf("%s: %s %s", name, a.Status, a.Header.Get("Location"))
		}
	}
}

func TestHoleGETOnTheTokenEndpoint(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic"), an).param("code")
	req, _ := http.NewRequest("GET", w.url+"/oauth/token?"+codeForm(code).Encode(), nil)
	req.SetBasicAuth("basic", "basic-secret")
	if a := w.browser().do(req); a.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(a.Header.Get("Allow"), "POST") {
		t.Errorf("GET: %s Allow=%q", a.Status, a.Header.Get("Allow"))
	}
	req, _ = http.NewRequest("POST", w.url+"/oauth/token?"+codeForm(code).Encode(), nil)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("basic", "basic-secret")
	if a := w.browser().do(req); a.StatusCode != 400 {
		t.Errorf("parameters in the URL: %s", a.Status)
	}
	if a := w.token("basic", codeForm(code)); a.StatusCode != 200 {
		t.Errorf("the code did not survive the refused requests: %s", a.body)
	}
}

func TestHoleDuplicateParameters(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	code := b.signIn(request("basic"), an).param("code")
	twice := codeForm(code)
	twice.Add("code", "another")
	if a := w.token("basic", twice); a.StatusCode != 400 || a.json(t)["error"] != "invalid_request" {
		t.Errorf("token endpoint: %s %s", a.Status, a.body)
	}
	for name, page := range map[string]bool{"client_id": true, "redirect_uri": true, "state": false, "nonce": false, "scope": false} {
		q := request("basic")
		q.Add(name, "another")
		a := b.authorize(q)
		if page && (a.StatusCode != 400 || !strings.Contains(a.Header.Get("Content-Type"), "text/html")) {
			t.Errorf("%s twice: %s %s", name, a.Status, a.Header.Get("Location"))
		}
		if !page && a.param("error") != "invalid_request" {
			t.Errorf("%s twice: %s %s", name, a.Status, a.Header.Get("Location"))
		}
		if name == "state" && a.param("state") != "" {
			t.Error("an ambiguous state came back")
		}
	}
}

func TestHoleRequestObjectsIgnored(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]string{"request": "request_not_supported", "request_uri": "request_uri_not_supported", "registration": "registration_not_supported"} {
		if a := w.browser().authorize(request("basic", name, "x.y.z")); a.param("error") != want {
			t.Errorf("%s: %s", name, a.Header.Get("Location"))
		}
	}
}

func TestHoleMethodsOnAuthorize(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{"DELETE", "PUT", "PATCH", "HEAD"} {
		req, _ := http.NewRequest(method, w.url+"/authorize?"+request("basic").Encode(), nil)
		a := w.browser().do(req)
		if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, POST" {
			t.Errorf("%s: %s, Allow %q", method, a.Status, a.Header.Get("Allow"))
		}
	}
	if a := w.browser().post(w.url+"/authorize", request("basic")); !strings.HasPrefix(a.Header.Get("Location"), "/login/") {
		t.Errorf("POST: %s", a.Status)
	}
}

func TestHoleClientAuthentication(t *testing.T) {
	w := newWorld(t)
	raw := func(form url.Values, header string) answer {
		req, _ := http.NewRequest("POST", w.url+"/oauth/token", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		return w.browser().do(req)
	}
	for name, a := range map[string]answer{
		"secret wrong":                w.token("nobody", codeForm("x")),
		"basic client by post":        raw(codeForm("x", "client_id", "basic", "client_secret", "basic-secret"), ""),
		"post client by basic":        w.token("poster", codeForm("x")),
		"confidential without secret": raw(codeForm("x", "client_id", "basic"), ""),
		"public client with a secret": raw(codeForm("x", "client_id", "public", "client_secret", "x"), ""),
		"no client at all":            raw(codeForm("x"), ""),
		"header that is no Basic":     raw(codeForm("x"), "Bearer abc"),
		"header with broken escapes":  raw(codeForm("x"), "Basic JXp6Onp6"),
		"empty secret":                raw(codeForm("x", "client_id", "poster", "client_secret", ""), ""),
	} {
		if a.StatusCode != 401 || a.json(t)["error"] != "invalid_client" || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") ||
			a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s %q %s", name, a.Status, a.Header.Get("WWW-Authenticate"), a.body)
		}
	}
	both, _ := http.NewRequest("POST", w.url+"/oauth/token", strings.NewReader(codeForm("x", "client_id", "basic", "client_secret", "basic-secret").Encode()))
	both.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	both.SetBasicAuth("basic", "basic-secret")
	if a := w.browser().do(both); a.StatusCode != 400 || a.json(t)["error"] != "invalid_request" {
		t.Errorf("two ways at once: %s %s", a.Status, a.body)
	}
	good := raw(codeForm(w.browser().signIn(request("poster"), an).param("code"), "client_id", "poster", "client_secret", "poster-secret"), "")
	if good.StatusCode != 200 {
		t.Errorf("client_secret_post: %s %s", good.Status, good.body)
	}
	good = raw(codeForm(w.browser().signIn(request("public"), an).param("code"), "client_id", "public"), "")
	if good.StatusCode != 200 {
		t.Errorf("public client: %s %s", good.Status, good.body)
	}
}

func TestHoleIntrospectionByPublicClients(t *testing.T) {
	w := newWorld(t)
	req, _ := http.NewRequest("POST", w.url+"/oauth/introspect", strings.NewReader("client_id=public&token=x"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a := w.browser().do(req); a.StatusCode != 401 || a.json(t)["error"] != "invalid_client" {
		t.Errorf("a public client introspects: %s %s", a.Status, a.body)
	}
}

func TestHoleCodeOfAnotherClient(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic"), an).param("code")
	if a := w.token("other", codeForm(code)); a.StatusCode != 400 || a.json(t)["error"] != "invalid_grant" {
		t.Errorf("code of another client: %s %s", a.Status, a.body)
	}
	if a := w.token("basic", codeForm(code)); a.StatusCode != 200 {
		t.Errorf("its own client afterwards: %s", a.body)
	}
}

func TestHoleErrorsBeforeATrustedRedirect(t *testing.T) {
	w := newWorld(t)
	for name, q := range map[string]url.Values{
		"unknown client":          request("nobody"),
		"no client":               request("basic", "client_id", "-"),
		"no redirect_uri":         request("basic", "redirect_uri", "-"),
		"redirect_uri with /":     request("basic", "redirect_uri", callback+"/"),
		"redirect_uri other case": request("basic", "redirect_uri", strings.Replace(callback, "callback", "Callback", 1)),
		"redirect_uri more query": request("basic", "redirect_uri", callback+"?a=b"),
		"redirect_uri other port": request("basic", "redirect_uri", "http://127.0.0.1:7778/callback"),
		"redirect_uri userinfo":   request("basic", "redirect_uri", "http://x@127.0.0.1:7777/callback"),
	} {
		a := w.browser().authorize(q)
		if a.StatusCode != 400 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || a.Header.Get("Location") != "" {
			t.Errorf("%s: %s %s", name, a.Status, a.Header.Get("Location"))
		}
		if !strings.Contains(a.body, "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT") {
			t.Errorf("%s: a page without banner", name)
		}
	}
}

func TestHoleErrorsByFormPost(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	a := b.authorize(request("basic", "prompt", "none", "response_mode", "form_post"))
	for _, want := range []string{`name="error" value="login_required"`, `name="state" value="a-state"`, `name="iss" value="` + w.url + `"`, `action="` + callback + `"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("form_post error lacks %s:\n%s", want, a.body)
		}
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://127.0.0.1:7777") {
		t.Errorf("CSP %q would block the form", csp)
	}
	if a := b.authorize(request("basic", "response_mode", "jwt")); a.param("error") != "invalid_request" {
		t.Errorf("unknown response_mode: %s", a.Header.Get("Location"))
	}
	if a := b.signIn(request("basic", "response_mode", "fragment"), an); !strings.Contains(a.Header.Get("Location"), "/callback#code=") {
		t.Errorf("fragment: %s", a.Header.Get("Location"))
	}
}

func TestHoleCORS(t *testing.T) {
	w := newWorld(t)
	with := func(method, path string) http.Header {
		req, _ := http.NewRequest(method, w.url+path, nil)
		req.Header.Set("Origin", "http://app.test")
		req.Header.Set("Cookie", "idp_default_session=x")
		req.Header.Set("Access-Control-Request-Method", "POST")
		h := w.browser().do(req).Header
		if h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s allows credentials", method, path)
		}
		return h
	}
	for path, method := range map[string]string{"/.well-known/openid-configuration": "GET", "/keys": "GET", "/userinfo": "GET", "/userinfo?": "POST",
		"/oauth/token": "POST", "/revoke": "POST"} {
		for _, m := range []string{method, "OPTIONS"} {
			if h := with(m, path); h.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %s: %v", m, path, h)
			}
		}
	}
	for _, path := range []string{"/authorize", "/end_session", "/end_session/confirm", "/", "/login/x", "/login/x/password", "/oauth/introspect", "/nothing"} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			if h := with(method, path); h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Methods") != "" {
				t.Errorf("%s %s allows an origin", method, path)
			}
		}
	}
}

func TestHoleAnswersThatMayBeStored(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	first := b.authorize(request("basic"))
	done := w.browser().signIn(request("basic", "scope", "openid offline_access"), an)
	tokens := w.token("basic", codeForm(done.param("code")))
	got := tokens.json(t)
	userinfo := func(token string) answer {
		req, _ := http.NewRequest("GET", w.url+"/userinfo", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		return b.do(req)
	}
	for name, a := range map[string]answer{
		"the code": done, "tokens": tokens, "the login page": b.get(w.url + first.Header.Get("Location")),
		"refreshed":   w.token("basic", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got["refresh_token"].(string)}}),
		"a bad grant": w.token("basic", codeForm("x")), "a bad client": w.token("nobody", codeForm("x")),
		"userinfo": userinfo(got["access_token"].(string)), "userinfo refused": userinfo("x"),
		"introspection": w.machine("/oauth/introspect", "basic", url.Values{"token": {"x"}}),
		"an error page": b.authorize(request("nobody")), "an error for the client": b.authorize(request("basic", "prompt", "none")),
		"signed out": b.get(w.url + "/end_session"),
	} {
		if cc := a.Header.Get("Cache-Control"); !strings.Contains(cc, "no-store") {
			t.Errorf("%s (%s): Cache-Control %q", name, a.Status, cc)
		}
	}
}

func TestHoleUserinfoRefusedWithoutAChallenge(t *testing.T) {
	w := newWorld(t)
	for name, header := range map[string]string{"nothing": "", "an unknown token": "Bearer x", "another scheme": "DPoP x", "no token": "Bearer ", "Basic": "Basic eDp5"} {
		for _, method := range []string{"GET", "POST"} {
			req, _ := http.NewRequest(method, w.url+"/userinfo", nil)
			if header != "" {
				req.Header.Set("Authorization", header)
			}
			if a := w.browser().do(req); a.StatusCode != 401 || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("%s %s: %s, WWW-Authenticate %q", method, name, a.Status, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
}

func TestHoleRefreshTokenOfAnotherClient(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic", "scope", "openid offline_access"), an).param("code")
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {w.token("basic", codeForm(code)).json(t)["refresh_token"].(string)}}
	if a := w.token("other", form); a.StatusCode != 400 || a.json(t)["error"] != "invalid_grant" {
		t.Errorf("refresh token of another client: %s %s", a.Status, a.body)
	}
	if a := w.token("basic", form); a.StatusCode != 200 {
		t.Errorf("its own client afterwards: %s", a.body)
	}
}

func TestHoleResponseTypesThatShowTokensInTheAddress(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []string{"token", "id_token", "id_token token", "code id_token", "code token", "code id_token token", "none", "CODE", "code code"} {
		if a := w.browser().authorize(request("basic", "response_type", kind)); a.param("error") != "unsupported_response_type" || a.param("state") != "a-state" {
			t.Errorf("%s: %s %s", kind, a.Status, a.Header.Get("Location"))
		}
	}
}

func TestHoleIssuerOutOfForwardedHeaders(t *testing.T) {
	w := newWorld(t)
	for name, value := range map[string]string{"Forwarded": "host=evil.test;proto=https", "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https",
		"X-Forwarded-Prefix": "/evil", "X-Original-Url": "/evil", "X-Host": "evil.test"} {
		for _, path := range []string{"/.well-known/openid-configuration", "/authorize?" + request("basic", "prompt", "none").Encode(), "/authorize?" + request("basic").Encode()} {
			req, _ := http.NewRequest("GET", w.url+path, nil)
			req.Header.Set(name, value)
			a := w.browser().do(req)
			if strings.Contains(a.body+a.Header.Get("Location"), "evil") || strings.Contains(a.body, "https://localhost") {
				t.Errorf("%s, %s: %s %s", name, path, a.Header.Get("Location"), a.body)
			}
		}
	}
}

func TestHoleIDTokenWithoutOpenID(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic", "scope", "profile"), an).param("code")
	tokens := w.token("basic", codeForm(code)).json(t)
	if tokens["id_token"] != nil || tokens["access_token"] == nil {
		t.Errorf("scope without openid: %v", tokens)
	}
	req, _ := http.NewRequest("GET", w.url+"/userinfo", nil)
	req.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
	if a := w.browser().do(req); a.StatusCode != 403 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("userinfo without openid: %s", a.Status)
	}
}

func TestHoleStorageErrorsShown(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic"), an).param("code")
	b := w.browser()
	login := b.authorize(request("basic")).Header.Get("Location")
	w.store.Close()
	for name, a := range map[string]answer{
		"authorize": b.authorize(request("basic")), "token": w.token("basic", codeForm(code)),
		"login": b.get(w.url + login), "introspect": w.machine("/oauth/introspect", "basic", url.Values{"token": {"x"}}),
	} {
		if a.StatusCode < 500 {
			t.Errorf("%s without a database: %s", name, a.Status)
		}
		for _, leak := range []string{"sql", "SQL", "database is closed", "goroutine"} {
			if strings.Contains(a.body, leak) {
				t.Errorf("%s tells %q: %s", name, leak, a.body)
			}
		}
	}
}

func TestHoleUnknownGrantTypes(t *testing.T) {
	w := newWorld(t)
	for _, grant := range []string{"password", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer",
		"urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:device_code", "implicit", ""} {
		a := w.token("basic", url.Values{"grant_type": {grant}, "assertion": {"x"}, "subject_token": {"x"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "device_code": {"x"}})
		e := a.json(t)["error"]
		if a.StatusCode != 400 || e != "unsupported_grant_type" && e != "unauthorized_client" && e != "invalid_request" {
			t.Errorf("grant %q: %s %s", grant, a.Status, a.body)
		}
	}
}

func TestHoleFormsOfOtherSites(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	login := b.authorize(request("basic")).Header.Get("Location")
	for _, site := range []string{"cross-site", "same-site"} {
		req, _ := http.NewRequest("POST", w.url+login+"/password", strings.NewReader(url.Values{"username": {an}, "password": {secret}}.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", site)
		if a := b.do(req); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s form: %s", site, a.Status)
		}
	}
}

func TestNoSecretStandsInTheLog(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	done := b.signIn(request("basic", "scope", "openid offline_access"), an)
	code := done.param("code")
	tokens := w.token("basic", codeForm(code)).json(t)
	w.token("basic", codeForm(code)) // a replay is logged
	w.token("basic", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}})
	other := b.authorize(request("basic", "prompt", "login")).Header.Get("Location")
	b.post(w.url+other+"/password", url.Values{"username": {an}, "password": {"Wrong-password-canary"}})
	b.post(w.url+other+"/password", url.Values{"username": {an}, "password": {secret}})
	b.post(w.url+other+"/otp", url.Values{"otp": {"000000"}})
	text := w.log.String()
	if !strings.Contains(text, "redeemed before") || !strings.Contains(text, "wrong_credentials") {
		t.Fatalf("the log lacks its hints: %s", text)
	}
	for _, canary := range []string{secret, "Wrong-password-canary", an, code, verifier, "basic-secret", w.phones.otp("0950000001"),
		tokens["access_token"].(string), tokens["refresh_token"].(string), tokens["id_token"].(string)} {
		if strings.Contains(text, canary) {
			t.Errorf("the log holds %q", canary)
		}
	}
}
