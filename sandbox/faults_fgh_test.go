package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// userinfoFaults change the body of userinfo and nothing else.
var userinfoFaults = []struct {
	id, variant string
	changed     []string
	is          func(body string, claims map[string]any) bool
}{
	{"F01", "", []string{"sub"}, func(_ string, m map[string]any) bool { return m["sub"] == "somebody-else-0123456789" }},
	{"F02", "", []string{"sub"}, func(_ string, m map[string]any) bool { return m["sub"] == nil }},
	{"F03", "array", []string{"sub"}, func(_ string, m map[string]any) bool { list, _ := m["sub"].([]any); return len(list) == 2 }},
	{"F03", "object", []string{"sub"}, func(_ string, m map[string]any) bool { o, _ := m["sub"].(map[string]any); return len(o) == 1 }},
	{"F03", "twice", []string{"sub"}, func(body string, m map[string]any) bool {
		return strings.Count(body, `"sub":`) == 2 && m["sub"] == "somebody-else-0123456789"
	}},
	{"F09", "", []string{"cccd"}, func(_ string, m map[string]any) bool { return m["cccd"] == "038090000999" }},
	{"F11", "", []string{"groups", "is_admin", "permissions", "role"}, func(_ string, m map[string]any) bool { return m["is_admin"] == true }},
}

func TestUserinfoIsWrongAsDescribedAndEverythingElseIsRight(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn()
	for _, want := range userinfoFaults {
		t.Run(want.id+" "+want.variant, func(t *testing.T) {
			c.t = t
			c.arm(want.id, want.variant)
			got := c.signIn()
			changed := differs(honest.claims(t), got.claims(t))
			if want.id == "F09" { // a name that nobody asked for comes too
				changed = without2(changed, []string{"name"})
			}
			switch {
			case got.Userinfo.StatusCode != 200 || fmt.Sprint(changed) != fmt.Sprint(want.changed) || !want.is(got.UserBody, got.claims(t)):
				t.Errorf("differs in %v: %s", changed, got.UserBody)
			case got.ID == nil || !got.ID.Genuine || len(differs(without(honest.ID.Claims, changing...), without(got.ID.Claims, changing...))) > 0:
				t.Error("the ID token differs")
			case len(got.struck()) != 1 || !strings.HasPrefix(got.struck()[0], want.id):
				t.Errorf("the record says %v", got.struck())
			}
		})
	}
}

func TestUserinfoIsRefusedOrBrokenAsDescribed(t *testing.T) {
	c := newCrooked(t)
	for _, want := range []struct {
		id, variant   string
		status        int
		contentType   string
		authenticates string
	}{
		{"F04", "", 401, "application/json", `error="invalid_token"`},
		{"F05", "", 403, "application/json", `error="insufficient_scope"`},
		{"F06", "500", 500, "text/html; charset=utf-8", ""},
		{"F06", "502", 502, "text/html; charset=utf-8", ""},
		{"F06", "503", 503, "text/html; charset=utf-8", ""},
		{"F10", "", 200, "text/plain; charset=utf-8", ""},
		{"G18", "", 401, "application/json", `error="invalid_token"`},
		{"H04", "userinfo", 429, "application/json", ""},
		{"H05", "back-channel-503", 503, "text/html; charset=utf-8", ""},
	} {
		c.arm(want.id, want.variant)
		got := c.signIn()
		if want.id == "H05" { // the token endpoint is down as well
			if got.Token.StatusCode != 503 || !strings.Contains(got.TokenBody, "bảo trì") {
				t.Errorf("%s: %d", want.id, got.Token.StatusCode)
			}
			continue
		}
		if got.Userinfo.StatusCode != want.status || got.Userinfo.Header.Get("Content-Type") != want.contentType || !strings.Contains(got.Userinfo.Header.Get("WWW-Authenticate"), want.authenticates) {
			t.Errorf("%s %s: %d %v %s", want.id, want.variant, got.Userinfo.StatusCode, got.Userinfo.Header, got.UserBody)
		}
		if got.ID == nil || !got.ID.Genuine {
			t.Errorf("%s: the ID token is wrong too", want.id)
		}
	}
}

func TestSignedUserinfoIsWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	if resp, body := send(t, "PATCH", c.r.SandboxURL+"/api/v1/clients/my-portal", `{"userinfo_signed_response_alg":"RS256"}`, "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	honest := c.takeApart(c.signIn().UserBody)
	if honest == nil || !honest.Genuine {
		t.Fatal("without a fault it is not right")
	}
	for _, want := range []struct {
		id, variant, changed string
		genuine              bool
		alg                  string
	}{
		{"F08", "iss", "[iss]", true, "RS256"}, {"F08", "aud", "[aud]", true, "RS256"}, {"F08", "alg-none", "[]", false, "none"},
		{"F08", "foreign-key", "[]", false, "RS256"}, {"F01", "", "[sub]", true, "RS256"}, {"F02", "", "[sub]", true, "RS256"},
	} {
		c.arm(want.id, want.variant)
		got := c.takeApart(c.signIn().UserBody)
		if got == nil || got.Genuine != want.genuine || got.Header["alg"] != want.alg || fmt.Sprint(differs(without(honest.Claims, changing...), without(got.Claims, changing...))) != want.changed {
			t.Errorf("%s %s: %+v", want.id, want.variant, got)
		}
	}
	c.arm("F07", "")
	if got := c.signIn(); got.Userinfo.Header.Get("Content-Type") != "application/json" || got.claims(t)["sub"] != honest.Claims["sub"] || got.claims(t)["iss"] != nil {
		t.Errorf("F07: %v %s", got.Userinfo.Header, got.UserBody)
	}
}

// listener is the relying party's address for logout tokens.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
}

func newListener(t *testing.T) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.tokens = append(l.tokens, r.PostFormValue("logout_token"))
	}))
	t.Cleanup(l.Close)
	return l
}

// wait returns what came, once that many came.
func (l *listener) wait(t *testing.T, n int) []string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		got := l.tokens
		if len(got) >= n {
			l.tokens = nil
			l.mu.Unlock()
			return got
		}
		l.mu.Unlock()
		if time.Now().After(end) {
			t.Fatalf("%d of %d logout tokens came", len(got), n)
		}
	}
}

func TestALogoutTokenIsWrongAsDescribedAndEverythingElseIsRight(t *testing.T) {
	c := newCrooked(t)
	rp := newListener(t)
	if resp, body := send(t, "PATCH", c.r.SandboxURL+"/api/v1/clients/my-portal", `{"backchannel_logout_uri":"`+rp.URL+`/out"}`, "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	logout := func(n int) []string {
		t.Helper()
		f := c.signIn()
		if resp, body := send(t, "DELETE", c.r.SandboxURL+"/api/v1/sessions/"+fmt.Sprint(f.ID.Claims["sid"]), "", "Content-Type: application/json"); resp.StatusCode != 204 {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		return rp.wait(t, n)
	}
	own := []string{"exp", "iat", "jti", "sid"} // differ between any two
	honest := c.takeApart(logout(1)[0])
	if honest == nil || !honest.Genuine || honest.Header["typ"] != "logout+jwt" {
		t.Fatalf("without a fault: %+v", honest)
	}
	for _, want := range []struct {
		id, variant, changed, header string
		genuine                      bool
	}{
		{"G01", "", "[]", "[alg kid]", false}, {"G02", "hs256", "[]", "[alg kid]", false}, {"G02", "foreign-key", "[]", "[]", false},
		{"G03", "iss", "[iss]", "[]", true}, {"G03", "aud", "[aud]", "[]", true}, {"G04", "missing", "[events]", "[]", true},
		{"G04", "other", "[events]", "[]", true}, {"G04", "array", "[events]", "[]", true}, {"G05", "", "[nonce]", "[]", true},
		{"G06", "expired", "[]", "[]", true}, {"G06", "no-jti", "[]", "[]", true}, {"G06", "no-iat", "[]", "[]", true},
		{"G07", "", "[sub]", "[]", true}, {"G08", "", "[sub]", "[]", true}, {"G09", "", "[acr auth_time events nonce]", "[typ]", true},
	} {
		c.arm(want.id, want.variant)
		got := c.takeApart(logout(1)[0])
		if got == nil || got.Genuine != want.genuine || fmt.Sprint(differs(honest.Header, got.Header)) != want.header ||
			fmt.Sprint(differs(without(honest.Claims, own...), without(got.Claims, own...))) != want.changed {
			t.Errorf("%s %s: %+v", want.id, want.variant, got)
			continue
		}
		past, _ := got.Claims["exp"].(float64)
		for _, wrong := range []bool{
			want.variant == "expired" && int64(past) > time.Now().Unix(), want.variant == "no-jti" && got.Claims["jti"] != nil, want.variant == "no-iat" && got.Claims["iat"] != nil,
			want.id == "G07" && got.Claims["sid"] != "another-session-01234567", want.id == "G08" && got.Claims["sid"] != nil, want.id == "G01" && !strings.HasSuffix(got.Compact, "."),
		} {
			if wrong {
				t.Errorf("%s %s: not as described: %v", want.id, want.variant, got.Claims)
			}
		}
	}
	for variant, n := range map[string]int{"twice": 2, "storm": 50} {
		c.arm("G11", variant)
		if list := logout(n); len(list) != n || list[0] != list[n-1] || !c.takeApart(list[0]).Genuine {
			t.Errorf("G11 %s: %d tokens", variant, len(list))
		}
	}
	var list []recorded
	c.v.api("/logins?limit=1", &list)
	if f := c.v.record(list[0].ID); !strings.Contains(fmt.Sprint((&flow{Record: f}).struck()), "G11 logout-storm") {
		t.Errorf("the record does not say that the logout was struck: %v", f.kinds())
	}
}

func TestTheEndOfASessionIsWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	if resp, body := send(t, "PATCH", c.r.SandboxURL+"/api/v1/clients/my-portal", `{"redirect_uris":["http://localhost:1/callback"],"frontchannel_logout_uri":"http://localhost:1/out?a=1","frontchannel_logout_session_required":true,"post_logout_redirect_uris":["http://localhost:1/"]}`, "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	signOut := func() (*http.Response, string) {
		t.Helper()
		id := c.signIn().ID.Compact
		return c.v.open("GET", c.r.Issuer+"/end_session?"+url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {"http://localhost:1/"}, "state": {"s"}}.Encode(), nil)
	}
	if _, page := signOut(); !strings.Contains(page, "sid=") || strings.Contains(page, "other-issuer") {
		t.Fatalf("without a fault: %s", page)
	}
	c.arm("G12", "iss")
	if _, page := signOut(); !strings.Contains(page, "/out?a=1&amp;iss=https%3A%2F%2Fother-issuer.test&amp;sid=") {
		t.Errorf("G12 iss: %s", page)
	}
	c.arm("G12", "sid")
	if _, page := signOut(); !strings.Contains(page, "&amp;sid=another-session-01234567") || !strings.Contains(page, url.QueryEscape(c.r.Issuer)) {
		t.Errorf("G12 sid: %s", page)
	}
	c.arm("G14", "")
	if resp, page := signOut(); resp.StatusCode != 500 || !strings.Contains(page, "sự cố") {
		t.Errorf("G14: %d", resp.StatusCode)
	}
	if resp, _ := send(t, "PATCH", c.r.SandboxURL+"/api/v1/clients/my-portal", `{"frontchannel_logout_uri":null,"frontchannel_logout_session_required":null}`, "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	for variant, want := range map[string]string{"wrong": "http://localhost:1/?state=not-the-state-that-was-sent", "missing": "http://localhost:1/"} {
		c.arm("G13", variant)
		if resp, page := signOut(); resp.Header.Get("Location") != want {
			t.Errorf("G13 %s: %q %.200s", variant, resp.Header.Get("Location"), page)
		}
	}
	c.arm("G17", "")
	if got := c.signIn(); got.Callback.Query().Get("code") == "" {
		t.Error("G17 strikes without prompt=none")
	}
	resp, _ := c.v.begin("prompt", "none")
	if to, err := resp.Location(); err != nil || to.Query().Get("error") != "login_required" || to.Query().Has("code") || to.Query().Get("state") != "a-state" {
		t.Errorf("G17: %v %v", to, err)
	}
}

func TestTheTransportMisbehavesAsDescribed(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn()
	code := func() url.Values {
		v := newVisitor(t, c.r)
		v.begin()
		return url.Values{"grant_type": {"authorization_code"}, "code": {v.signIn("038090000001")}, "redirect_uri": {callback}}
	}
	redeem := func(form url.Values, within time.Duration) (status int, body string, err error) {
		req, _ := http.NewRequest("POST", c.r.Issuer+"/oauth/token", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth("my-portal", "my-portal-secret")
		resp, err := (&http.Client{Timeout: within, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(raw), err
	}
	for _, want := range []struct {
		id, variant string
		is          func(status int, body string, err error) bool
	}{
		{"H01", "token-12s", func(s int, _ string, err error) bool { return s == 0 && err != nil }},
		{"H02", "hang", func(s int, _ string, err error) bool { return s == 0 && err != nil }},
		{"H02", "drip", func(s int, b string, err error) bool { return s == 200 && len(b) > 0 && len(b) < 10 && err != nil }},
		{"H03", "truncated", func(s int, b string, err error) bool { return s == 200 && len(b) > 100 && err != nil }},
		{"H03", "reset", func(s int, _ string, err error) bool { return s == 0 && err != nil }},
		{"H04", "token", func(s int, _ string, err error) bool { return s == 429 && err == nil }},
		{"H05", "back-channel-200", func(s int, b string, _ error) bool { return s == 200 && strings.Contains(b, "bảo trì") }},
		{"H05", "everything-503", func(s int, b string, _ error) bool { return s == 503 && strings.Contains(b, "bảo trì") }},
		{"H06", "lost-answer", func(s int, _ string, _ error) bool { return s == 502 }},
	} {
		c.disarm()
		form := code()
		c.arm(want.id, want.variant)
		if s, body, err := redeem(form, 1500*time.Millisecond); !want.is(s, body, err) {
			t.Errorf("%s %s: %d %.200q %v", want.id, want.variant, s, body, err)
		}
		c.disarm()
		s, _, _ := redeem(form, time.Minute)
		kept := want.id == "H04" || want.id == "H05" // the provider never heard of it
		if kept != (s == 200) {
			t.Errorf("%s %s: afterwards the code is answered with %d", want.id, want.variant, s)
		}
	}
	c.arm("H05", "everything-200")
	if resp, page := newVisitor(t, c.r).begin(); resp.StatusCode != 200 || !strings.Contains(page, "bảo trì") {
		t.Errorf("H05 everything: %d", resp.StatusCode)
	}
	c.arm("H09", "")
	resp, _ := newVisitor(t, c.r).begin()
	if to, err := resp.Location(); err != nil || to.Query().Get("error") != "temporarily_unavailable" || to.Query().Get("state") != "a-state" || !strings.HasPrefix(to.String(), callback) {
		t.Errorf("H09: %v %v", to, err)
	}
	if resp, _ := newVisitor(t, c.r).begin("redirect_uri", "http://localhost:1/other"); resp.StatusCode != 400 || resp.Header.Get("Location") != "" {
		t.Errorf("H09 sends the browser to an address that is not registered: %d", resp.StatusCode)
	}
	c.arm("H06", "half", "seed", "3")
	failed := 0
	for range 40 {
		if resp, _ := send(t, "GET", c.r.Issuer+"/keys", ""); resp.StatusCode == 502 {
			failed++
		}
	}
	if failed < 10 || failed > 30 {
		t.Errorf("H06 half: %d of 40 failed", failed)
	}
	c.arm("H11", "gzip")
	if resp, body := send(t, "GET", c.r.Issuer+"/keys", "", "Accept-Encoding: identity"); resp.Header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(body, "\x1f\x8b") {
		t.Errorf("H11 gzip: %v", resp.Header)
	}
	c.arm("H11", "large-header")
	if resp, body := send(t, "GET", c.r.Issuer+"/keys", ""); len(resp.Header.Get("X-Padding")) != 48<<10 || body != honest.KeySet {
		t.Errorf("H11 header: %d %s", len(resp.Header.Get("X-Padding")), body)
	}
	for variant, by := range map[string]float64{"behind": -3600, "ahead": 3600} {
		c.arm("H12", variant)
		got := c.signIn().ID
		for _, name := range []string{"iat", "exp", "auth_time"} {
			if d := got.Claims[name].(float64) - honest.ID.Claims[name].(float64) - by; d < 0 || d > 60 || !got.Genuine {
				t.Errorf("H12 %s: %s is %v off", variant, name, d)
			}
		}
	}
}

func TestMessagesAndTheRegisterMisbehaveAsDescribed(t *testing.T) {
	c := newCrooked(t)
	arrives := func() bool {
		t.Helper()
		v := newVisitor(t, c.r)
		v.begin()
		v.open("POST", c.r.Issuer+"/login/"+v.id+"/password", url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}})
		var sms []struct{ OTP string }
		v.api("/sms?login="+v.id, &sms)
		return len(sms) == 1
	}
	if !arrives() {
		t.Fatal("without a fault no message comes")
	}
	c.arm("H13", "never")
	if arrives() {
		t.Error("it comes all the same")
	}
	c.arm("H13", "late")
	if arrives() {
		t.Error("it is not late")
	}
	if resp, _ := send(t, "POST", c.r.SandboxURL+"/api/v1/clock", `{"advance":"91s"}`, "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	var sms []struct{ Text string }
	c.v = newVisitor(t, c.r)
	c.v.api("/sms?to=0950000001", &sms)
	if len(sms) != 2 {
		t.Errorf("%d messages have come, want the first and the late one", len(sms))
	}

	ask := func() (int, map[string]any) {
		resp, body := send(t, "POST", c.r.SandboxURL+"/dancu/v1/match", `{"cccd":"038090000001","name":"x","birth_year":"1990"}`, "Content-Type: application/json", "Authorization: Bearer thanhhoa-dancu-key")
		m := map[string]any{}
		_ = json.Unmarshal([]byte(body), &m) // what is no JSON says nothing
		return resp.StatusCode, m
	}
	c.disarm()
	if status, m := ask(); status != 200 || m["reason"] != "name_differs" {
		t.Fatalf("without a fault: %d %v", status, m)
	}
	for variant, reason := range map[string]string{"not-found": "not_found", "several": "ambiguous", "deceased": "deceased"} {
		c.arm("J26", variant)
		if status, m := ask(); status != 200 || m["match"] != false || m["reason"] != reason {
			t.Errorf("J26 %s: %d %v", variant, status, m)
		}
	}
	c.arm("J26", "down")
	if status, _ := ask(); status != 503 {
		t.Errorf("J26 down: %d", status)
	}
}

func TestTheCertificateIsWrongAsDescribed(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.TLS, c.Data = "auto", t.TempDir() })
	get := func() error {
		t.Helper()
		c := trusting(t, r.CAFile()) // a new connection each time
		resp, err := c.Get(r.Issuer + "/keys")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	arm := func(body string) {
		t.Helper()
		req, _ := http.NewRequest("PUT", r.SandboxURL+"/api/v1/faults/armed", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		resp, err := trusting(t, r.CAFile()).Do(req)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v %v", resp, err)
		}
		resp.Body.Close()
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	for variant, want := range map[string]string{"expired": "has expired", "wrong-host": "cannot validate certificate for 127.0.0.1", "unknown-ca": "unknown authority"} {
		arm(`{"faults":[{"id":"H07","variant":"` + variant + `"}]}`)
		if err := get(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", variant, err)
		}
	}
	arm(`{"faults":[]}`)
	if err := get(); err != nil {
		t.Errorf("disarmed: %v", err)
	}
}
