package sandbox_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/lint"
)

// linted is a report as the API shows it.
type linted struct {
	ClientID string `json:"client_id"`
	Score    *int
	Grade    string
	Logins   int
	Findings []struct {
		ID, Severity string
		Count        int
		Evidence     []struct {
			Login, Value string
			Step         int
		}
	}
}

func (v *visitor) lint(client string) (l linted) {
	v.t.Helper()
	v.api("/clients/"+client+"/lint", &l)
	return l
}

func (l *linted) ids() (list []string) {
	for _, f := range l.Findings {
		list = append(list, f.ID)
	}
	return list
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

var drawn atomic.Int64

// value is what a good client makes anew for each request.
func value(kind string) string {
	return kind + "Xq7Rz2Lm9Kp4Tn8Wb3Yc6Vd" + strconv.FormatInt(drawn.Add(1), 10)
}

// asks begins a sign-in as a good client does, but for these parameters.
func (v *visitor) asks(pairs ...string) {
	v.t.Helper()
	v.begin(append([]string{"scope", "openid", "state", value("s"), "nonce", value("n"), "code_challenge", challengeOf(verifier), "code_challenge_method", "S256"}, pairs...)...)
}

// signsIn does the whole, in a browser of its own.
func (v *visitor) signsIn(pairs ...string) (access string) {
	v.t.Helper()
	b := newVisitor(v.t, v.r)
	own := value("verifier-verifier-verifier")
	b.asks(append([]string{"code_challenge", challengeOf(own)}, pairs...)...)
	code := b.signIn("038090000001")
	v.id, v.jar = b.id, b.jar
	var with []string
	if !slices.Contains(pairs, "code_challenge") {
		with = []string{"code_verifier", own}
	} else if pairs[slices.Index(pairs, "code_challenge")+1] != "" {
		with = []string{"code_verifier", verifier}
	}
	_, tokens := v.redeem(code, with...)
	access, _ = tokens["access_token"].(string)
	if access == "" {
		v.t.Fatalf("no token: %v", tokens)
	}
	return access
}

func (v *visitor) often(n int, pairs ...string) {
	for range n {
		v.signsIn(pairs...)
	}
}

// raw sends the usual request with a query that nobody encodes for us.
func (v *visitor) raw(more string) {
	q := url.Values{"client_id": {"my-portal"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "nonce": {value("n")}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	send(v.t, "GET", v.r.Issuer+"/authorize?"+q.Encode()+more, "")
}

// badClients break each one rule. Others may be broken on the way: what is
// wanted is the finding.
var badClients = map[string]func(v *visitor){
	"openid.missing":          func(v *visitor) { v.asks("scope", "profile") },
	"state.missing":           func(v *visitor) { v.asks("state", "", "code_challenge", "", "code_challenge_method", "") },
	"state.missing_with_pkce": func(v *visitor) { v.asks("state", "") },
	"state.short":             func(v *visitor) { v.asks("state", "12345") },
	"state.reused":            func(v *visitor) { v.often(2, "state", "Xq7Rz2Lm9Kp4Tn8Wb3Yc6Vd") },
	"state.url":               func(v *visitor) { v.asks("state", "YWJjQGh0dHA6Ly9wb3J0YWwudGVzdC9ob21lP2E9Yg==") }, // abc@http://portal.test/home?a=b
	"nonce.missing":           func(v *visitor) { v.asks("nonce", "") },
	"nonce.short":             func(v *visitor) { v.asks("nonce", "0000000000000000000000000000") },
	"nonce.reused":            func(v *visitor) { v.often(2, "nonce", "Xq7Rz2Lm9Kp4Tn8Wb3Yc6Vd") },
	"pkce.missing":            func(v *visitor) { v.asks("code_challenge", "", "code_challenge_method", "") },
	"pkce.constant":           func(v *visitor) { v.often(2, "code_challenge", challenge) },
	"pkce.refused":            func(v *visitor) { v.asks("code_challenge_method", "plain") },
	"scope.ignored":           func(v *visitor) { v.asks("scope", "openid everything") },
	"flow.deprecated":         func(v *visitor) { v.asks("response_type", "id_token token") },
	"redirect_uri.refused":    func(v *visitor) { v.asks("redirect_uri", callback+"/") },
	"redirect_uri.variants": func(v *visitor) {
		v.asks("redirect_uri", "http://localhost:5/callback")
		v.asks("redirect_uri", "http://127.0.0.1:5/callback")
	},
	"query.broken":    func(v *visitor) { v.raw("&state=abc+/Xq7Rz2Lm9Kp4Tn8Wb3Yc6Vd==") },
	"query.unencoded": func(v *visitor) { v.raw("&state=" + value("s") + "&ui_locales=vi&acr_values=urn:LoA1") },
	"secret.in_url":   func(v *visitor) { v.raw("&state=" + value("s") + "&client_secret=my-portal-secret") },
	"authorize.loop": func(v *visitor) {
		for range 5 {
			v.asks("prompt", "none")
		}
	},
	"code.twice": func(v *visitor) {
		v.asks("code_challenge", challenge)
		code := v.signIn("038090000001")
		v.redeem(code, "code_verifier", verifier)
		v.redeem(code, "code_verifier", verifier)
	},
	"code.retried": func(v *visitor) {
		v.asks("code_challenge", challenge)
		code := v.signIn("038090000001")
		v.redeem(code, "code_verifier", value("not-the-verifier-not-the-verifier"))
		v.redeem(code, "code_verifier", verifier)
	},
	"code.late": func(v *visitor) {
		v.asks("code_challenge", challenge)
		code := v.signIn("038090000001")
		v.change("POST", "/clock", `{"advance":"30s"}`)
		v.redeem(code, "code_verifier", verifier)
	},
	"code.unredeemed": func(v *visitor) {
		for range 2 {
			b := newVisitor(v.t, v.r)
			b.asks()
			b.signIn("038090000001")
		}
		v.change("POST", "/clock", `{"advance":"2m"}`)
	},
	"client.authentication": func(v *visitor) {
		v.post("/oauth/token", nil, "grant_type", "authorization_code", "code", "x", "client_id", "my-portal", "client_secret", "my-portal-secret")
	},
	"token.method": func(v *visitor) {
		send(v.t, "GET", v.r.Issuer+"/oauth/token?grant_type=authorization_code&client_id=my-portal", "")
	},
	"token.in_url": func(v *visitor) {
		send(v.t, "GET", v.r.Issuer+"/userinfo?access_token="+v.signsIn(), "")
	},
	"jwks.never": func(v *visitor) { v.often(3) },
	"jwks.every_login": func(v *visitor) {
		for range 3 {
			v.signsIn()
			send(v.t, "GET", v.r.Issuer+"/keys", "")
		}
	},
	"discovery.every_login": func(v *visitor) {
		for range 3 {
			v.signsIn()
			send(v.t, "GET", v.r.Issuer+"/.well-known/openid-configuration", "")
		}
	},
	"userinfo.never": func(v *visitor) { v.often(3, "scope", "openid cccd") },
	"userinfo.often": func(v *visitor) {
		access := v.signsIn()
		for range 6 {
			v.userinfo(access)
		}
	},
	"userinfo.json_body": func(v *visitor) {
		send(v.t, "POST", v.r.Issuer+"/userinfo", "", "Authorization: Bearer "+v.signsIn(), "Content-Type: application/json")
	},
	"userinfo.wrong_token": func(v *visitor) {
		_, refresh, _ := v.got()
		v.userinfo(refresh)
	},
	"userinfo.dead_token": func(v *visitor) {
		access := v.signsIn()
		v.change("POST", "/clock", `{"advance":"1h"}`)
		v.userinfo(access)
	},
	"offline_access.unused": func(v *visitor) {
		v.often(3, "scope", "openid offline_access")
		v.change("POST", "/clock", `{"advance":"1h"}`)
	},
	"signout.never": func(v *visitor) { v.often(5) },
	"signout.unheard": func(v *visitor) {
		deaf := httptest.NewServer(http.NotFoundHandler())
		v.t.Cleanup(deaf.Close)
		v.change("PATCH", "/clients/my-portal", `{"backchannel_logout_uri":"`+deaf.URL+`/logout"}`)
		v.signsIn()
		v.endSessions()
		for range 100 { // until the notice is sent and recorded
			if strings.Contains(v.api("/logins/"+v.id+"?wait=100ms&steps=99", nil), "logout.not_heard") {
				break
			}
		}
	},
}

func TestEachRuleIsBrokenByABadClient(t *testing.T) {
	for _, rule := range lint.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			misbehave := badClients[rule.ID]
			if misbehave == nil {
				t.Fatal("no client breaks this rule")
			}
			t.Parallel()
			r, _ := start(t, nil)
			v := newVisitor(t, r)
			misbehave(v)
			got := v.lint("my-portal")
			i := slices.Index(got.ids(), rule.ID)
			if i < 0 {
				t.Fatalf("not found, only %v of %d logins\n%.3000s", got.ids(), got.Logins, v.api("/logins", nil))
			}
			f := got.Findings[i]
			if f.Severity != string(rule.Severity) || f.Count < 1 || len(f.Evidence) == 0 || f.Evidence[0].Login == "" || got.Score == nil || *got.Score > 100-rule.Severity.Weight() {
				t.Errorf("%+v, score %v", f, got.Score)
			}
			steps := v.record(f.Evidence[0].Login).Steps
			if f.Evidence[0].Step > len(steps) {
				t.Errorf("the evidence is step %d of %d", f.Evidence[0].Step, len(steps))
			}
		})
	}
	for id := range badClients {
		if !slices.ContainsFunc(lint.Rules(), func(r lint.Rule) bool { return r.ID == id }) {
			t.Errorf("%s is no rule", id)
		}
	}
}

// A client that does everything right, five times.
func TestAGoodClientGetsNoFinding(t *testing.T) {
	r, _ := start(t, nil)
	v := newVisitor(t, r)
	send(t, "GET", r.Issuer+"/.well-known/openid-configuration", "")
	send(t, "GET", r.Issuer+"/keys", "")
	for range 5 {
		v.userinfo(v.signsIn("scope", "openid cccd"))
		v.open("GET", r.Issuer+"/end_session?client_id=my-portal", nil)
		// Somebody reloads the page they were sent to.
		reload := newVisitor(t, r)
		reload.asks("state", "reloaded-Xq7Rz2Lm9Kp4Tn8Wb3Yc6Vd", "nonce", "reloaded-Pn8Wb3Yc6VdXq7Rz2Lm9K")
	}
	got := v.lint("my-portal")
	if len(got.Findings) != 0 || got.Score == nil || *got.Score != 100 || got.Grade != "A" || got.Logins != 10 {
		t.Errorf("%+v", got)
	}
	if got := v.lint("thanhhoa-portal"); got.Score != nil || got.Grade != "" || got.Logins != 0 {
		t.Errorf("of a client that did nothing: %+v", got)
	}
	var all []linted
	v.api("/lint", &all)
	if len(all) != 2 || all[0].ClientID != "my-portal" || *all[0].Score != 100 || all[1].Score != nil {
		t.Errorf("all clients: %+v", all)
	}
	v.change("POST", "/clock", `{"advance":"20m"}`) // another message to the same number
	v.signsIn("state", "")
	var since linted
	v.api("/clients/my-portal/lint?after="+v.lastBut(1), &since)
	if ids := since.ids(); since.Logins != 1 || !slices.Equal(ids, []string{"state.missing_with_pkce"}) {
		t.Errorf("of the last login: %+v", since)
	}
	for _, path := range []string{"/clients/nobody/lint", "/lint?limit=0&after=" + strings.Repeat("a", 201), "/clients/my-portal/lint?after=" + strings.Repeat("a", 201)} {
		if resp, body := send(t, "GET", r.SandboxURL+"/api/v1"+path, ""); resp.StatusCode < 400 || !strings.Contains(resp.Header.Get("Content-Type"), "problem+json") {
			t.Errorf("%.40s: %d %s", path, resp.StatusCode, body)
		}
	}
}

// lastBut is the record that began so many before the newest.
func (v *visitor) lastBut(n int) string {
	v.t.Helper()
	var list []recorded
	v.api("/logins", &list)
	return list[n].ID
}

// TestNoSecretStandsInFindings lets a client put secrets wherever a finding
// could repeat them.
func TestNoSecretStandsInFindings(t *testing.T) {
	r, _ := start(t, nil)
	v := newVisitor(t, r)
	// The state hides a number in base64: http://portal.test/038090000001?cccd=038090000001
	v.signsIn("state", "aHR0cDovL3BvcnRhbC50ZXN0LzAzODA5MDAwMDAwMT9jY2NkPTAzODA5MDAwMDAwMQ==")
	access := v.signsIn("state", "a-state-that-could-still-be-used", "nonce", "a-nonce-that-could-still-be-used")
	v.signsIn("state", "a-state-that-could-still-be-used", "nonce", "a-nonce-that-could-still-be-used")
	v = newVisitor(t, r)
	v.asks("code_challenge", challenge)
	code := v.signIn("038090000001")
	v.redeem(code, "code_verifier", verifier)
	v.redeem(code, "code_verifier", verifier)
	send(t, "GET", r.Issuer+"/userinfo?access_token="+access, "")
	v.raw("&client_secret=my-portal-secret&login_hint=038090000001&redirect_uri=http://localhost/038090000001")
	send(t, "GET", r.Issuer+"/oauth/token?client_id=my-portal&client_secret=my-portal-secret&code="+code, "")
	v.post("/oauth/token", nil, "grant_type", "authorization_code", "code", code, "client_id", "my-portal", "client_secret", "my-portal-secret")
	got := v.lint("my-portal")
	for _, want := range []string{"state.url", "state.reused", "nonce.reused", "code.twice", "token.in_url", "secret.in_url", "client.authentication"} {
		if !slices.Contains(got.ids(), want) {
			t.Errorf("%s is not found: nothing to look at", want)
		}
	}
	_, page := send(t, "GET", r.SandboxURL+"/console/lint/my-portal", "")
	_, list := send(t, "GET", r.SandboxURL+"/console/lint", "")
	written := v.api("/clients/my-portal/lint", nil) + v.api("/lint", nil) + page + list
	for what, secret := range map[string]string{"the client's secret": "my-portal-secret", "a CCCD": "038090000001", "a code": code, "an access token": access, "a verifier": verifier,
		"a state": "a-state-that-could-still-be-used", "a nonce": "a-nonce-that-could-still-be-used"} {
		if i := strings.Index(written, secret); i >= 0 {
			t.Errorf("%s stands in a finding: %.160s", what, written[max(0, i-80):])
		}
	}
	if !json.Valid([]byte(v.api("/lint", nil))) {
		t.Error("the list is no JSON")
	}
}
