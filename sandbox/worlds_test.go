package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sandboxtest"
)

const an, binh = "038090000001", "038190000002"

func authorizeURL(issuer, state string) string {
	return issuer + "/authorize?" + url.Values{"client_id": {"my-portal"}, "redirect_uri": {"http://localhost:1234/callback"}, "response_type": {"code"},
		"scope": {"openid profile cccd offline_access"}, "state": {state}}.Encode()
}

// redeemed signs a person in and returns the tokens.
func redeemed(t *testing.T, w *sandboxtest.World, callback string) map[string]any {
	t.Helper()
	at, err := url.Parse(callback)
	if err != nil || at.Query().Get("code") == "" || at.Query().Get("iss") != w.Issuer {
		t.Fatalf("callback %s, issuer %s", callback, w.Issuer)
	}
	status, answer := askToken(t, w.Issuer, url.Values{"grant_type": {"authorization_code"}, "code": {at.Query().Get("code")}, "redirect_uri": {"http://localhost:1234/callback"}})
	if status != 200 {
		t.Fatalf("token: %d %v", status, answer)
	}
	return answer
}

func askToken(t *testing.T, issuer string, form url.Values) (int, map[string]any) {
	t.Helper()
	req, _ := http.NewRequest("POST", issuer+"/oauth/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("my-portal", "my-portal-secret")
	return sendJSON(t, req)
}

func sendJSON(t *testing.T, req *http.Request) (status int, answer map[string]any) {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	json.Unmarshal(raw, &answer)
	return resp.StatusCode, answer
}

// api calls a route with that bearer token.
func api(t *testing.T, method, address, bearer, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method != "GET" {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return sendJSON(t, req)
}

func TestThirtyWorldsLiveBesideEachOther(t *testing.T) {
	for name, options := range map[string][]sandboxtest.Option{"in memory": nil, "on disk": {sandboxtest.OnFile()}} {
		t.Run(name, func(t *testing.T) {
			s := sandboxtest.Start(t, options...)
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() {
					w := s.NewWorld()
					w.Clock.Advance(time.Hour)
					person := []string{an, binh}[i%2]
					callback := w.Login(authorizeURL(w.Issuer, "otp"), person)
					if i%3 == 0 {
						callback = w.LoginByQR(authorizeURL(w.Issuer, "qr"), an)
					}
					tokens := redeemed(t, w, callback)
					req, _ := http.NewRequest("GET", w.Issuer+"/userinfo", nil)
					req.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
					if status, claims := sendJSON(t, req); status != 200 || claims["cccd"] == nil {
						t.Errorf("userinfo: %d %v", status, claims)
					}
					var inbox []map[string]any
					if w.Call("GET", "/sms", nil, &inbox); len(inbox) != 1 {
						t.Errorf("%d messages in a world with one sign-in by SMS", len(inbox))
					}
				})
			}
			all.Wait()
			var inbox []map[string]any
			if s.Call("GET", "/sms", nil, &inbox); len(inbox) != 0 {
				t.Errorf("%d messages in the default world", len(inbox))
			}
			var list []map[string]any
			if s.Call("GET", "/worlds", nil, &list); len(list) != 31 {
				t.Errorf("%d worlds", len(list))
			}
		})
	}
}

func TestNothingCrossesFromOneWorldIntoAnother(t *testing.T) {
	s := sandboxtest.Start(t)
	mine, theirs := s.NewWorld(), s.NewWorld()
	for _, to := range []*sandboxtest.World{theirs, s.World} {
		tokens := redeemed(t, mine, mine.Login(authorizeURL(mine.Issuer, "a"), an))
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			req, _ := http.NewRequest("GET", to.Issuer+"/userinfo", nil)
			req.Header.Set("Authorization", "Bearer "+tokens[name].(string))
			if status, _ := sendJSON(t, req); status != 401 {
				t.Errorf("%s opens userinfo: %d", name, status)
			}
			form := url.Values{"token": {tokens[name].(string)}}
			req, _ = http.NewRequest("POST", to.Issuer+"/oauth/introspect", strings.NewReader(form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.SetBasicAuth("my-portal", "my-portal-secret")
			if _, answer := sendJSON(t, req); answer["active"] != false {
				t.Errorf("%s is active: %v", name, answer)
			}
		}
		if status, _ := askToken(t, to.Issuer, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}); status != 400 {
			t.Errorf("a refresh token works: %d", status)
		}
		code, _ := url.Parse(mine.Login(authorizeURL(mine.Issuer, "b"), an))
		if status, _ := askToken(t, to.Issuer, url.Values{"grant_type": {"authorization_code"}, "code": {code.Query().Get("code")}, "redirect_uri": {"http://localhost:1234/callback"}}); status != 400 {
			t.Errorf("a code works: %d", status)
		}
		req, _ := http.NewRequest("GET", authorizeURL(to.Issuer, "c")+"&prompt=none&id_token_hint="+tokens["id_token"].(string), nil)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if back, _ := url.Parse(resp.Header.Get("Location")); back.Query().Get("error") != "invalid_request" {
			t.Errorf("an ID token is a hint: %s", back)
		}

		// A browser that is signed in there is nobody here, and its login is not found.
		browser := sandboxtest.Browser()
		begun := browser.Location(t, authorizeURL(mine.Issuer, "d"))
		elsewhere := strings.Replace(begun, mine.Issuer, to.Issuer, 1)
		resp, err = http.Get(elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 404 && resp.StatusCode != 403 {
			t.Errorf("a login is shown in another world: %s %s", elsewhere, resp.Status)
		}
		page := browser.Get(t, begun)
		i := strings.Index(page, `id="qr-code"`)
		short := page[strings.IndexByte(page[i:], '>')+i+1:][:9]
		var answer map[string]any
		if status, answer := api(t, "POST", apiOf(s, to)+"/phones/"+an+"/scan", "", fmt.Sprintf(`{"code": %q}`, short)); status == 200 {
			t.Errorf("a code is scanned in another world: %v", answer)
		}
		// A sub is the world's own.
		if to != s.World {
			answer = redeemed(t, to, to.Login(authorizeURL(to.Issuer, "e"), an))
			if claim(t, answer["id_token"].(string), "sub") == claim(t, tokens["id_token"].(string), "sub") {
				t.Error("one person has one sub in two worlds")
			}
		}
	}
	// A client and a clock of one are not there in the other.
	client := map[string]any{"client_id": "only-mine", "redirect_uris": []string{"http://localhost/"}}
	mine.Call("POST", "/clients", client, nil)
	if status, _ := api(t, "GET", apiOf(s, theirs)+"/clients/only-mine", "", ""); status != 404 {
		t.Errorf("a client of another world: %d", status)
	}
	mine.Clock.Advance(24 * time.Hour)
	var here, there map[string]string
	mine.Call("GET", "/clock", nil, &here)
	theirs.Call("GET", "/clock", nil, &there)
	if here["now"][:13] == there["now"][:13] {
		t.Errorf("two worlds, one clock: %s", here["now"])
	}
	kids := func(w *sandboxtest.World) (list []string) {
		var set struct{ Keys []struct{ Kid string } }
		resp, err := http.Get(w.Issuer + "/keys")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		json.NewDecoder(resp.Body).Decode(&set)
		for _, k := range set.Keys {
			list = append(list, k.Kid)
		}
		return list
	}
	if a, b := kids(mine), kids(theirs); len(a) != 4 || slices.Equal(a, b) {
		t.Errorf("keys: %v and %v", a, b)
	}
}

func apiOf(s *sandboxtest.Sandbox, w *sandboxtest.World) string {
	return s.URL + "/api/v1" + strings.TrimPrefix(w.Issuer, s.Issuer)
}

func claim(t *testing.T, idToken, name string) any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(idToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims[name]
}

func TestAWorldIsMadeListedAndRemoved(t *testing.T) {
	s := sandboxtest.Start(t)
	status, made := api(t, "POST", s.URL+"/api/v1/worlds", "", `{"id": "lop-12a", "policy": {"otp_digits": 4, "second_factor": "none"}}`)
	if status != 201 || made["issuer"] != s.Issuer+"/w/lop-12a" || made["api"] != s.URL+"/api/v1/w/lop-12a" || len(made["token"].(string)) < 40 {
		t.Fatalf("%d %v", status, made)
	}
	base := made["api"].(string)
	for name, c := range map[string]struct {
		body   string
		status int
		fields []string
	}{
		"taken":              {`{"id": "lop-12a"}`, 409, []string{"id"}},
		"the default's name": {`{"id": "default"}`, 400, []string{"id"}},
		"upper case":         {`{"id": "ABC"}`, 400, []string{"id"}},
		"a way out":          {`{"id": ".."}`, 400, []string{"id"}},
		"33 characters":      {`{"id": "` + strings.Repeat("a", 33) + `"}`, 400, []string{"id"}},
		"a number":           {`{"id": 5}`, 400, []string{"id"}},
		"an unknown field":   {`{"name": "x"}`, 400, []string{"name"}},
		"policy, all wrong":  {`{"id": "x y", "policy": {"otp_digits": 99, "otp_lifetime": "soon", "otp_digit": 4}}`, 400, []string{"id", "policy.otp_lifetime", "policy.otp_digit", "policy.otp_digits"}},
		"policy, no object":  {`{"policy": 7}`, 400, []string{"policy"}},
	} {
		status, p := api(t, "POST", s.URL+"/api/v1/worlds", "", c.body)
		var fields []string
		list, _ := p["errors"].([]any)
		for _, e := range list {
			fields = append(fields, e.(map[string]any)["field"].(string))
		}
		slices.Sort(fields)
		slices.Sort(c.fields)
		if status != c.status || !slices.Equal(fields, c.fields) {
			t.Errorf("%s: %d %v", name, status, p)
		}
	}
	for _, path := range []string{"/w/nobody/authorize", "/w/default/authorize", "/w//authorize", "/w/LOP-12A/keys", "/w/%2e%2e/keys", "/w/" + strings.Repeat("a", 33) + "/keys"} {
		if status, _ := api(t, "GET", s.Issuer+path, "", ""); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := api(t, "GET", base+"/worlds", "", ""); status != 404 {
		t.Errorf("worlds within a world: %d", status)
	}
	if status, _ := api(t, "DELETE", s.URL+"/api/v1/worlds/default", "", ""); status != 409 {
		t.Errorf("the default world goes: %d", status)
	}
	if status, _ := api(t, "GET", base+"/sms", "not-the-token-of-this-world", ""); status != 401 {
		t.Errorf("a wrong token: %d", status)
	}
	if status, _ := api(t, "GET", base+"/sms", made["token"].(string), ""); status != 200 {
		t.Errorf("its own token: %d", status)
	}
	if status, _ := api(t, "DELETE", s.URL+"/api/v1/worlds/lop-12a", "", ""); status != 204 {
		t.Errorf("delete: %d", status)
	}
	for _, address := range []string{base + "/sms", s.Issuer + "/w/lop-12a/.well-known/openid-configuration", s.URL + "/w/lop-12a/sms"} {
		if status, _ := api(t, "GET", address, "", ""); status != 404 {
			t.Errorf("after the deletion %s: %d", address, status)
		}
	}
	if status, _ := api(t, "DELETE", s.URL+"/api/v1/worlds/lop-12a", "", ""); status != 404 {
		t.Errorf("deleted twice: %d", status)
	}
	if status, again := api(t, "POST", s.URL+"/api/v1/worlds", "", `{"id": "lop-12a"}`); status != 201 || again["token"] == made["token"] {
		t.Errorf("made again: %d %v", status, again)
	}
	if status, other := api(t, "POST", s.URL+"/api/v1/worlds", "", `{}`); status != 201 || len(other["id"].(string)) < 8 {
		t.Errorf("without a name: %d %v", status, other)
	}
}

func TestATokenOpensItsOwnWorldOnly(t *testing.T) {
	const server = "a-token-of-the-whole-server"
	s := sandboxtest.Start(t, func(c *sandbox.Config) { c.Token = server })
	worlds := s.URL + "/api/v1/worlds"
	if status, _ := api(t, "POST", worlds, "", "{}"); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	_, a := api(t, "POST", worlds, server, `{"id": "a"}`)
	_, b := api(t, "POST", worlds, server, `{"id": "b"}`)
	ofA, ofB := a["token"].(string), b["token"].(string)
	for _, c := range []struct {
		address, token string
		want           int
	}{
		{a["api"].(string) + "/sms", ofA, 200}, {a["api"].(string) + "/sms", server, 200}, {a["api"].(string) + "/sms", ofB, 401},
		{a["api"].(string) + "/sms", "", 401}, {s.URL + "/api/v1/sms", ofA, 401}, {worlds, ofA, 401}, {worlds, server, 200},
	} {
		if status, p := api(t, "GET", c.address, c.token, ""); status != c.want {
			t.Errorf("%s with %.5s…: %d %v, want %d", c.address, c.token, status, p, c.want)
		}
	}
	// People sign in to the pages of their world with it.
	ask := func(path, method, body, cookie string) (*http.Response, string) {
		req, _ := http.NewRequest(method, s.URL+path, strings.NewReader(body))
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Cookie", cookie)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		page, _ := io.ReadAll(resp.Body)
		return resp, string(page)
	}
	if _, page := ask("/w/a/sms", "GET", "", ""); !strings.Contains(page, `action="/w/a/sign-in"`) {
		t.Fatalf("no way in: %.600s", page)
	}
	if resp, _ := ask("/w/a/sign-in", "POST", url.Values{"token": {ofB}, "back": {"/sms"}}.Encode(), ""); resp.StatusCode != 401 {
		t.Errorf("the token of another world at the door: %s", resp.Status)
	}
	resp, _ := ask("/w/a/sign-in", "POST", url.Values{"token": {ofA}, "back": {"/sms"}}.Encode(), "")
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/w/a/sms" {
		t.Fatalf("in by its own token: %s %s", resp.Status, resp.Header.Get("Location"))
	}
	cookie := strings.Split(resp.Header.Get("Set-Cookie"), ";")[0]
	if !strings.HasPrefix(cookie, "console_a_token=") || strings.Contains(cookie, ofA) {
		t.Errorf("cookie %s", cookie)
	}
	_, value, _ := strings.Cut(cookie, "=")
	for path, want := range map[string]int{"/w/a/sms": 200, "/w/b/sms": 401, "/sms": 401} {
		all := cookie + "; console_b_token=" + value + "; console_default_token=" + value
		if resp, _ := ask(path, "GET", "", all); resp.StatusCode != want {
			t.Errorf("%s with the cookie of world a: %s", path, resp.Status)
		}
	}
}

func TestWorldsSurviveARestart(t *testing.T) {
	data := t.TempDir()
	onFile := func(c *sandbox.Config) { c.Data, c.Database = data, "sqlite:"+data+"/sandbox.db" }
	var issuer, access string
	t.Run("before", func(t *testing.T) {
		s := sandboxtest.Start(t, onFile)
		api(t, "POST", s.URL+"/api/v1/worlds", "", `{"id": "kept", "policy": {"otp_digits": 8}}`)
		api(t, "POST", s.URL+"/api/v1/w/kept/clock", "", `{"advance": "48h"}`)
		issuer = strings.TrimPrefix(s.Issuer, "http://")
		_, got := api(t, "GET", s.URL+"/api/v1/w/kept/clock", "", "")
		access = got["now"].(string)[:13]
	})
	t.Run("after", func(t *testing.T) {
		s := sandboxtest.Start(t, onFile)
		if _, got := api(t, "GET", s.URL+"/api/v1/w/kept/clock", "", ""); got["now"].(string)[:13] != access {
			t.Errorf("the clock stands at %v, not at %s (%s)", got["now"], access, issuer)
		}
		w := &struct{ Issuer string }{s.Issuer + "/w/kept"}
		browser := sandboxtest.Browser()
		page := browser.Get(t, authorizeURL(w.Issuer, "x"))
		if !strings.Contains(page, "/w/kept/login/") {
			t.Errorf("the login page does not stand in its world: %.400s", page)
		}
	})
}
