package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestALyingProviderIsNotBelieved(t *testing.T) {
	hour := int64(3600)
	cases := map[string]struct {
		lie  func(op *fakeOP)
		want string
	}{
		"wrong nonce":             {claim("nonce", "another"), "nonce_wrong"},
		"no nonce":                {claim("nonce", nil), "nonce_wrong"},
		"signed by another key":   {func(op *fakeOP) { op.signWith = newKey(op.t) }, "id_token_rejected"},
		"another issuer":          {claim("iss", "http://other.test"), "id_token_rejected"},
		"another audience":        {claim("aud", "someone-else"), "id_token_rejected"},
		"audiences without azp":   {claim("aud", []string{"thanhhoa-portal", "someone-else"}), "id_token_rejected"},
		"azp is somebody else":    {claim("azp", "someone-else"), "id_token_rejected"},
		"expired":                 {claim("exp", time.Now().Unix()-hour), "id_token_expired"},
		"no exp":                  {claim("exp", nil), "id_token_expired"},
		"issued tomorrow":         {claim("iat", time.Now().Unix()+24*hour), "id_token_expired"},
		"no iat":                  {claim("iat", nil), "id_token_rejected"},
		"exp in a thousand years": {claim("exp", time.Now().Unix()+1000*365*24*hour), "id_token_rejected"},
		"sub that is not ASCII":   {claim("sub", "người-1"), "id_token_rejected"},
		"a key for encryption":    {func(op *fakeOP) { op.keyUse = "enc" }, "id_token_rejected"},
		"exp as text":             {claim("exp", fmt.Sprint(time.Now().Unix()+hour)), "id_token_rejected"},
		"no sub":                  {claim("sub", nil), "id_token_rejected"},
		"sub of 300 characters":   {claim("sub", strings.Repeat("s", 300)), "id_token_rejected"},
		"at_hash of another":      {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "id_token_rejected"},
		"sub is a list":           {claim("sub", []string{"pairwise-1"}), "id_token_rejected"},
		"alg none":                {unsigned, "id_token_rejected"},
		"no id_token":             {tokenField("id_token", nil), "token_unusable"},
		"id_token is a number":    {tokenField("id_token", 5), "token_unusable"},
		"no access token":         {tokenField("access_token", nil), "token_unusable"},
		"unknown token type":      {tokenField("token_type", "mac"), "token_unusable"},
		"error with status 200":   {tokenField("error", "invalid_grant"), "token_refused"},
		"invalid_client":          {tokenError(401, `{"error":"invalid_client"}`), "portal_misconfigured"},
		"invalid_grant":           {tokenError(400, `{"error":"invalid_grant"}`), "token_refused"},
		"500 with HTML":           {tokenError(500, `<h1>boom</h1>`), "token_unusable"},
		"200 with garbage":        {tokenError(200, `not json`), "token_unusable"},
		"a token of two MB":       {tokenError(200, `{"access_token":"`+strings.Repeat("a", 2<<20)+`"}`), "token_unusable"},
		"the token call redirect": {func(op *fakeOP) { op.tokenHTTP = redirectAway }, "provider_silent"},
		"userinfo of another sub": {info("sub", "pairwise-2"), "userinfo_other_person"},
		"userinfo without sub":    {info("sub", nil), "userinfo_other_person"},
		"userinfo with sub list":  {info("sub", []string{"pairwise-1"}), "userinfo_failed"},
		"userinfo 401":            {userinfoAnswer(401, `{"name":"Nguyễn Văn An"}`), "userinfo_failed"},
		"userinfo garbage":        {userinfoAnswer(200, `<html>`), "userinfo_failed"},
		"keys answer 500":         {func(op *fakeOP) { op.keysDown = true }, "keys_unreachable"},
		"userinfo redirect":       {func(op *fakeOP) { op.infoHTTP = redirectAway }, "userinfo_failed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.lie(c.lie)
			b := w.browser()
			before := b.begin("/")
			p := b.get(before)
			if p.problem() != c.want || p.status < 400 {
				t.Fatalf("page is %q (%d), want %q\n%s", p.problem(), p.status, c.want, w.log)
			}
			if who := b.signedInAs(); who != "" {
				t.Errorf("signed in as %q", who)
			}
			noSecretsIn(t, w.log.String())
			noSecretsIn(t, p.body)
		})
	}
}

func claim(name string, value any) func(*fakeOP) {
	return func(op *fakeOP) { op.idToken = set(name, value) }
}

func tokenField(name string, value any) func(*fakeOP) {
	return func(op *fakeOP) { op.token = set(name, value) }
}
func info(name string, value any) func(*fakeOP) {
	return func(op *fakeOP) { op.userinfo = set(name, value) }
}

func set(name string, value any) func(map[string]any) {
	return func(m map[string]any) {
		if value == nil {
			delete(m, name)
		} else {
			m[name] = value
		}
	}
}

func unsigned(op *fakeOP) {
	op.token = func(resp map[string]any) {
		payload := strings.Split(resp["id_token"].(string), ".")[1]
		resp["id_token"] = "eyJhbGciOiJub25lIn0." + payload + "."
	}
}

func tokenError(status int, body string) func(*fakeOP) {
	return func(op *fakeOP) { op.tokenHTTP = plainAnswer(status, body) }
}

func userinfoAnswer(status int, body string) func(*fakeOP) {
	return func(op *fakeOP) { op.infoHTTP = plainAnswer(status, body) }
}

func plainAnswer(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

func redirectAway(w http.ResponseWriter) {
	w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func noSecretsIn(t *testing.T, s string) {
	t.Helper()
	for _, no := range []string{"access-token-1", "eyJ", "code+", "code%2B", "thanhhoa-portal-secret", "038090000001", "state=", "secret body text"} {
		if strings.Contains(s, no) {
			t.Errorf("%q stands where it must not", no)
		}
	}
}

func TestClaimsOfWrongTypesAreIgnoredAndHostileNamesTamed(t *testing.T) {
	w := newWorld(t)
	w.lie(func(op *fakeOP) {
		op.userinfo = func(c map[string]any) {
			c["name"] = "<b>An</b>\u202egnp.exe" + strings.Repeat("x", 400)
			c["birthdate"] = 19900315
			c["gender"] = map[string]any{"male": true}
			c["phone_number"] = []string{"1"}
			c["cccd"] = "０３８０９０００００１<"
			c["account_level"] = 2
			c["role"], c["is_admin"] = "officer", true
		}
	})
	b := w.browser()
	b.signIn()
	p := b.get("/profile")
	if p.status != 200 || p.has("<b>An") || p.has("\u202e") || p.has(strings.Repeat("x", 200)) || p.has("Cán bộ") || p.has("Mức độ 2") {
		t.Errorf("%d", p.status)
	}
	if !p.has("&lt;b&gt;An") {
		t.Error("the name is gone")
	}
}

func TestTheProviderMayComeUpLater(t *testing.T) {
	w := newWorld(t)
	w.lie(func(op *fakeOP) { op.down = true })
	b := w.browser()
	if p := b.get("/login/vneid?next=%2Fprofile"); p.status != 503 || p.problem() != "unreachable" || !p.has("Chưa kết nối được hệ thống định danh") || !p.has("/login?next=%2Fprofile") {
		t.Fatalf("down: %d %q", p.status, p.problem())
	}
	if p := b.get("/"); p.status != 200 {
		t.Errorf("home while the provider is down: %d", p.status)
	}
	w.lie(func(op *fakeOP) { op.down = false })
	w.advance(2 * time.Second)
	b.signIn()

	w.lie(func(op *fakeOP) { op.down = true }) // known by now: an old document serves
	w.advance(10 * time.Minute)
	if p := w.browser().get("/login/vneid"); p.status != 303 {
		t.Errorf("stale: %d %q", p.status, p.problem())
	}
}

func TestADiscoveryDocumentIsChecked(t *testing.T) {
	for name, doc := range map[string]map[string]any{
		"another issuer":       {"issuer": "http://other.test"},
		"no token endpoint":    {"token_endpoint": ""},
		"no jwks":              {"jwks_uri": ""},
		"a real state system":  {"token_endpoint": "https://xacthuc.dichvucong.gov.vn/oauth2/token"},
		"a list for an adress": {"authorization_endpoint": []string{"x"}},
	} {
		w := newWorld(t)
		w.lie(func(op *fakeOP) { op.discovery = doc })
		if p := w.browser().get("/login/vneid"); p.problem() != "unreachable" {
			t.Errorf("%s: %d %q", name, p.status, p.location)
		}
	}
}
