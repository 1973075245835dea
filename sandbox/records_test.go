package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// visitor is a browser, and the relying party behind it: client my-portal.
type visitor struct {
	t    *testing.T
	r    *sandbox.Running
	jar  http.CookieJar
	page string // where the browser is
	id   string // of its login
}

func newVisitor(t *testing.T, r *sandbox.Running) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, r: r, jar: jar}
}

// open follows redirects as long as they stay at the provider.
func (v *visitor) open(method, address string, form url.Values) (*http.Response, string) {
	v.t.Helper()
	for {
		u, err := url.Parse(address)
		if err != nil {
			v.t.Fatal(err)
		}
		headers := []string{"Accept: text/html"}
		var list []string
		for _, c := range v.jar.Cookies(u) {
			list = append(list, c.Name+"="+c.Value)
		}
		if list != nil {
			headers = append(headers, "Cookie: "+strings.Join(list, "; "))
		}
		if method == "POST" {
			headers = append(headers, "Content-Type: application/x-www-form-urlencoded")
		}
		resp, body := send(v.t, method, address, form.Encode(), headers...)
		v.jar.SetCookies(u, resp.Cookies())
		v.page = address
		to, err := resp.Location()
		if err != nil || !strings.HasPrefix(to.String(), v.r.Issuer) {
			return resp, body
		}
		method, address, form = "GET", to.String(), nil
	}
}

const callback = "http://localhost:1/callback"

// begin opens an authorization request with these parameters besides the usual.
func (v *visitor) begin(pairs ...string) (*http.Response, string) {
	v.t.Helper()
	q := url.Values{"client_id": {"my-portal"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid cccd offline_access"},
		"state": {"a-state"}, "nonce": {"a-nonce"}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	resp, body := v.open("GET", v.r.Issuer+"/authorize?"+q.Encode(), nil)
	if _, id, ok := strings.Cut(v.page, "/login/"); ok {
		v.id = id
	}
	return resp, body
}

func (v *visitor) api(path string, into any) string {
	v.t.Helper()
	_, body := send(v.t, "GET", v.r.SandboxURL+"/api/v1"+path, "")
	if into != nil {
		if err := json.Unmarshal([]byte(body), into); err != nil {
			v.t.Fatalf("%s: %v: %.300s", path, err, body)
		}
	}
	return body
}

// signIn goes on to the callback and returns the code.
func (v *visitor) signIn(cccd string) (code string) {
	v.t.Helper()
	code, at := v.signInTo(cccd)
	if code == "" {
		v.t.Fatalf("no code: %v", at)
	}
	return code
}

// signInTo goes on until the provider sends the browser somewhere else: there,
// with the code that it brings.
func (v *visitor) signInTo(cccd string) (code string, at *url.URL) {
	v.t.Helper()
	resp, body := v.last(cccd)
	at, err := resp.Location()
	if err != nil {
		v.t.Fatalf("no way back: %d %.500s", resp.StatusCode, body)
	}
	return at.Query().Get("code"), at
}

// last is the provider's last answer of a sign-in.
func (v *visitor) last(cccd string) (*http.Response, string) {
	v.t.Helper()
	page := v.r.Issuer + "/login/" + v.id
	v.open("POST", page+"/password", url.Values{"username": {cccd}, "password": {"Sandbox@2024"}})
	var sms []struct{ OTP, Login string }
	v.api("/sms?wait=10s&to=09500000"+cccd[10:], &sms)
	resp, body := v.open("POST", page+"/otp", url.Values{"otp": {sms[0].OTP}})
	if strings.Contains(body, "/sharing") {
		resp, body = v.open("POST", page+"/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}})
	}
	return resp, body
}

const basic = "Authorization: Basic bXktcG9ydGFsOm15LXBvcnRhbC1zZWNyZXQ=" // my-portal:my-portal-secret

// post sends a form of the client to the back channel.
func (v *visitor) post(path string, headers []string, pairs ...string) (*http.Response, map[string]any) {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	resp, body := send(v.t, "POST", v.r.Issuer+path, form.Encode(), append([]string{"Content-Type: application/x-www-form-urlencoded"}, headers...)...)
	answer := map[string]any{}
	_ = json.Unmarshal([]byte(body), &answer) // an empty body has nothing to say
	return resp, answer
}

func (v *visitor) redeem(code string, pairs ...string) (*http.Response, map[string]any) {
	v.t.Helper()
	return v.post("/oauth/token", []string{basic}, append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback}, pairs...)...)
}

// recorded is a record as the API shows it.
type recorded struct {
	ID       string
	ClientID string `json:"client_id"`
	CCCD     string
	Result   string
	Error    string
	Steps    []struct {
		vneid.RecordStep
		Number int
		Curl   string
	}
	Hints []struct {
		Step         int
		ID           string
		What, Change struct{ Vi, En string }
	}
}

func (v *visitor) record(id string) (r recorded) {
	v.t.Helper()
	v.api("/logins/"+id, &r)
	return r
}

// newest is the record that began last.
func (v *visitor) newest() recorded {
	v.t.Helper()
	var list []recorded
	v.api("/logins?limit=1&wait=5s", &list)
	if len(list) != 1 {
		v.t.Fatal("nothing is recorded")
	}
	return v.record(list[0].ID)
}

func (r *recorded) kinds() (list []string) {
	for _, s := range r.Steps {
		list = append(list, string(s.Kind))
	}
	return list
}

func (r *recorded) hints() (list []string) {
	for _, h := range r.Hints {
		list = append(list, h.ID)
	}
	return list
}

func TestALoginIsRecordedStepByStep(t *testing.T) {
	r, _ := start(t, nil)
	v := newVisitor(t, r)
	v.begin("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method", "S256", "ui_locales", "vi")
	code := v.signIn("038090000001")
	_, tokens := v.redeem(code, "code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
	access, _ := tokens["access_token"].(string)
	if access == "" {
		t.Fatalf("no token: %v", tokens)
	}
	send(t, "GET", r.Issuer+"/userinfo", "", "Authorization: Bearer "+access)
	v.post("/oauth/introspect", []string{basic}, "token", access)
	_, tokens2 := v.post("/oauth/token", []string{basic}, "grant_type", "refresh_token", "refresh_token", tokens["refresh_token"].(string))
	v.open("GET", r.Issuer+"/end_session?"+url.Values{"id_token_hint": {tokens["id_token"].(string)}, "post_logout_redirect_uri": {"http://localhost:1/"}}.Encode(), nil)
	v.post("/revoke", []string{basic}, "token", tokens2["refresh_token"].(string))

	got := v.record(v.id)
	want := "[authorize page password sms page otp page consent answer token userinfo introspect refresh end_session revoke]"
	if fmt.Sprint(got.kinds()) != want || got.Result != "signed_in" || got.ClientID != "my-portal" || got.CCCD != "038******001" || len(got.Hints) != 0 {
		t.Errorf("%s %s %s, hints %v\n got %v\nwant %v", got.Result, got.ClientID, got.CCCD, got.hints(), got.kinds(), want)
	}
	field := func(kind vneid.StepKind, name string) string {
		for _, s := range got.Steps {
			for _, f := range append(slices.Clone(s.Request), s.Response...) {
				if s.Kind == kind && f.Name == name {
					return f.Value
				}
			}
		}
		return "(none)"
	}
	fingerprint := regexp.MustCompile(`^#[\w-]{8}$`)
	for kind, name := range map[vneid.StepKind]string{"answer": "code", "userinfo": "access_token", "refresh": "refresh_token", "end_session": "id_token_hint"} {
		if v := field(kind, name); !fingerprint.MatchString(v) {
			t.Errorf("%s of %s is recorded as %q", name, kind, v)
		}
	}
	if a, b := field("answer", "code"), field("token", "code"); a != b {
		t.Errorf("one code has two fingerprints: %s, %s", a, b)
	}
	for _, c := range [][3]string{{"authorize", "state", "a-state"}, {"authorize", "nonce", "a-nonce"}, {"password", "username", "038******001"},
		{"password", "password", "•••"}, {"otp", "otp", "•••"}, {"token", "authorization", "Basic my-portal:•••"}, {"userinfo", "cccd", "038******001"}, {"sms", "to", "095****001"}} {
		if v := field(vneid.StepKind(c[0]), c[1]); v != c[2] {
			t.Errorf("%s of %s is recorded as %q, want %q", c[1], c[0], v, c[2])
		}
	}
	var id map[string]any
	for _, s := range got.Steps {
		if s.Kind == "token" {
			if len(s.Tokens) != 1 || json.Unmarshal(s.Tokens[0].Claims, &id) != nil || id["nonce"] != "a-nonce" || !strings.Contains(string(s.Tokens[0].Header), "kid") {
				t.Errorf("the ID token is recorded as %s", s.Tokens)
			}
			if !strings.Contains(s.Curl, "-u 'my-portal:CLIENT_SECRET'") || !strings.Contains(s.Curl, "--data-urlencode 'code=CODE'") || !strings.Contains(s.Curl, "'"+r.Issuer+"/oauth/token'") {
				t.Errorf("as curl:\n%s", s.Curl)
			}
			if len(s.Checks) == 0 || !s.Checks[0].OK {
				t.Errorf("checks %v", s.Checks)
			}
		}
	}
	resp, text := send(t, "GET", r.SandboxURL+"/api/v1/logins/"+v.id+".md", "")
	if resp.Header.Get("Content-Type") != "text/markdown; charset=utf-8" || !strings.Contains(text, "## 10. rp → provider: token") || !strings.Contains(text, "curl -i") {
		t.Errorf("%v\n%.800s", resp.Header, text)
	}

	// The code again: the same record says so, with the time of the first.
	v.redeem(code)
	got = v.record(v.id)
	if h := got.Hints; len(h) != 1 || h[0].ID != "code.redeemed_twice" || !strings.Contains(h[0].What.En, "(first at 2") || !strings.Contains(h[0].What.Vi, "lần đầu lúc 2") {
		t.Errorf("hints %+v", got.Hints)
	}
}

func TestRecordsAreListedFilteredAndWaitedFor(t *testing.T) {
	r, _ := start(t, nil)
	v := newVisitor(t, r)
	waited := make(chan string, 1)
	go func() {
		resp, err := client.Get(r.SandboxURL + "/api/v1/logins?wait=20s&client_id=my-portal")
		if err != nil {
			waited <- err.Error()
			return
		}
		defer resp.Body.Close()
		var list []recorded
		err = json.NewDecoder(resp.Body).Decode(&list)
		waited <- fmt.Sprint(len(list), err)
	}()
	v.begin()
	if got := <-waited; got != "1 <nil>" {
		t.Errorf("who waited got %s", got)
	}
	first := v.id
	v.signIn("038190000002")
	second := newVisitor(t, r)
	second.begin("client_id", "nobody")
	rejected := v.newest().ID

	for query, want := range map[string]string{
		"": rejected + " " + first, "?client_id=my-portal": first, "?cccd=038190000002": first, "?cccd=038090000001": "", "?result=code_issued": first,
		"?result=rejected": rejected, "?after=" + first: rejected, "?limit=1": rejected, "?result=signed_in": "", "?client_id=nobody": rejected,
	} {
		var list []recorded
		v.api("/logins"+query, &list)
		var ids []string
		for _, l := range list {
			ids = append(ids, l.ID)
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%s lists %v, want %s", query, ids, want)
		}
	}
	send(t, "POST", r.SandboxURL+"/api/v1/clock", `{"advance": "1h"}`, "Content-Type: application/json")
	if got := v.record(first).Result; got != "expired" {
		t.Errorf("an hour later the login is %s", got)
	}
	resp, body := send(t, "GET", r.SandboxURL+"/api/v1/logins?cccd=038******001&result=good&limit=0&wait=1h", "")
	for _, name := range []string{"cccd", "result", "limit", "wait"} {
		if resp.StatusCode != 400 || !strings.Contains(body, `"field":"`+name+`"`) {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
	}
	if resp, body := send(t, "GET", r.SandboxURL+"/api/v1/logins/nothing", ""); resp.StatusCode != 404 || !strings.Contains(body, "GET /api/v1/logins") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	send(t, "POST", r.SandboxURL+"/api/v1/reset", "", "Content-Type: application/json")
	if body := v.api("/logins", nil); strings.TrimSpace(body) != "[]" {
		t.Errorf("after a reset there are %s", body)
	}
}

func TestWithoutRecordingNothingIsRecordedAndEverythingWorks(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.Record = "off" })
	v := newVisitor(t, r)
	v.begin()
	if _, tokens := v.redeem(v.signIn("038090000001")); tokens["id_token"] == nil {
		t.Errorf("no ID token: %v", tokens)
	}
	if body := v.api("/logins", nil); strings.TrimSpace(body) != "[]" {
		t.Errorf("recorded: %s", body)
	}
}

func TestARefusedPageLinksItsRecordForWhoSitsHere(t *testing.T) {
	r, _ := start(t, nil)
	v := newVisitor(t, r)
	_, page := v.begin("redirect_uri", callback+"/")
	link := regexp.MustCompile(`<a href="([^"]+)">Chi tiết cho người lập trình / Details for developers</a>`).FindStringSubmatch(page)
	if link == nil {
		t.Fatalf("no link on\n%s", page)
	}
	got := v.newest()
	if want := r.SandboxURL + "/console/logins/" + got.ID; link[1] != want || got.Result != "rejected" || got.ClientID != "my-portal" {
		t.Errorf("the link is %s, want %s; %s of %s", link[1], want, got.Result, got.ClientID)
	}
	if h := got.Hints; len(h) != 1 || !strings.Contains(h[0].What.En, "at character 28: trailing slash") {
		t.Errorf("hints %+v", h)
	}
	q := url.Values{"client_id": {"my-portal"}, "redirect_uri": {callback + "/"}, "response_type": {"code"}}.Encode()
	if _, page := send(t, "GET", r.Issuer+"/authorize?"+q, "", "X-Forwarded-For: 192.0.2.1"); strings.Contains(page, "/console/logins/") {
		t.Error("who comes by a proxy is shown the link too")
	}
	if _, page := v.open("GET", r.Issuer+"/nothing", nil); strings.Contains(page, "/console/logins/") {
		t.Error("a page that is not there has a record")
	}
}

func TestRecordsBelongToTheirWorld(t *testing.T) {
	r, _ := start(t, nil)
	v := newVisitor(t, r)
	v.begin()
	_, made := send(t, "POST", r.SandboxURL+"/api/v1/worlds", `{"id":"lop-12a"}`, asJSON)
	var world struct{ Issuer, API, Token string }
	if err := json.Unmarshal([]byte(made), &world); err != nil || world.Token == "" {
		t.Fatalf("%v: %s", err, made)
	}
	in := newVisitor(t, &sandbox.Running{Issuer: world.Issuer, SandboxURL: r.SandboxURL})
	_, page := in.begin("redirect_uri", callback+"/")
	if !strings.Contains(page, `href="`+r.SandboxURL+`/w/lop-12a/console/logins/`) {
		t.Error("the link of a refused page does not lead into its world")
	}
	list := func(api string, headers ...string) (ids []recorded) {
		_, body := send(t, "GET", api+"/logins", "", headers...)
		if err := json.Unmarshal([]byte(body), &ids); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return ids
	}
	theirs, ours := list(world.API, "Authorization: Bearer "+world.Token), list(r.SandboxURL+"/api/v1")
	if len(theirs) != 1 || theirs[0].Result != "rejected" || len(ours) != 1 || ours[0].ID != v.id {
		t.Errorf("the world has %v, the default one %v", theirs, ours)
	}
	if resp, _ := send(t, "GET", r.SandboxURL+"/api/v1/logins/"+theirs[0].ID, ""); resp.StatusCode != 404 {
		t.Errorf("a record of another world: %d", resp.StatusCode)
	}
}
