package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sandboxtest"
)

// thief is a browser that is signed in in one world, and gives its cookies the
// names of another's.
type thief struct {
	t *testing.T
	*http.Client
	body string
}

func newThief(t *testing.T) *thief {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &thief{t: t, Client: &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

func (b *thief) open(method, address string, form url.Values) *http.Response {
	b.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.body = string(raw)
	return resp
}

// signIn signs An in and returns the id of the login.
func (b *thief) signIn(w *sandboxtest.World) (login string) {
	b.t.Helper()
	at := b.open("GET", authorizeURL(w.Issuer, "s"), nil).Request.URL
	login = at.Path[strings.LastIndexByte(at.Path, '/')+1:]
	page := w.Issuer + "/login/" + login
	b.open("POST", page+"/password", url.Values{"username": {an}, "password": {sandboxtest.Password}})
	var inbox []struct{ OTP string }
	w.Call("GET", "/sms?login="+login, nil, &inbox)
	if len(inbox) != 1 {
		b.t.Fatalf("%d messages of the login:\n%.600s", len(inbox), b.body)
	}
	b.open("POST", page+"/otp", url.Values{"otp": {inbox[0].OTP}})
	resp := b.open("POST", page+"/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}})
	if !strings.Contains(resp.Header.Get("Location"), "code=") {
		b.t.Fatalf("not signed in: %s %s\n%.600s", resp.Status, resp.Header, b.body)
	}
	return login
}

// rename gives every cookie of one world the name of the other's.
func (b *thief) rename(address, from, to string) (n int) {
	b.t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	var forged []*http.Cookie
	for _, c := range b.Jar.Cookies(at) {
		if name := strings.Replace(c.Name, "_"+from+"_", "_"+to+"_", 1); name != c.Name {
			forged = append(forged, &http.Cookie{Name: name, Value: c.Value, Path: "/"})
		}
	}
	b.Jar.SetCookies(at, forged)
	return len(forged)
}

func idOf(s *sandboxtest.Sandbox, w *sandboxtest.World) string {
	if id := strings.TrimPrefix(w.Issuer, s.Issuer+"/w/"); id != w.Issuer {
		return id
	}
	return "default"
}

func TestCookiesOfAWorldMeanNothingInAnother(t *testing.T) {
	s := sandboxtest.Start(t)
	mine, theirs := s.NewWorld(), s.NewWorld()
	for _, to := range []*sandboxtest.World{theirs, s.World} {
		b := newThief(t)
		login := b.signIn(mine)
		silent := func(w *sandboxtest.World) url.Values {
			back, err := url.Parse(b.open("GET", authorizeURL(w.Issuer, "x")+"&prompt=none", nil).Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			return back.Query()
		}
		if q := silent(mine); q.Get("code") == "" {
			t.Fatalf("signed in nowhere: %v", q)
		}
		if n := b.rename(mine.Issuer, idOf(s, mine), idOf(s, to)); n == 0 {
			t.Fatal("no cookie carries the world's name")
		}
		if q := silent(to); q.Get("error") != "login_required" {
			t.Errorf("a session of another world signs in: %v", q)
		}
		for _, step := range []string{"", "/waiting", "/events", "/qr.svg", "/return"} {
			if resp := b.open("GET", to.Issuer+"/login/"+login+step, nil); resp.StatusCode < 400 {
				t.Errorf("the login of another world, %s: %s", step, resp.Status)
			}
		}
		for step, form := range map[string]url.Values{"/password": {"username": {an}, "password": {sandboxtest.Password}}, "/otp": {"otp": {"000000"}},
			"/sharing": {"decision": {"share"}, "agree": {"yes"}}, "/resend": nil, "/cancel": nil, "/qr": nil} {
			if resp := b.open("POST", to.Issuer+"/login/"+login+step, form); resp.StatusCode < 400 {
				t.Errorf("POST to the login of another world, %s: %s", step, resp.Status)
			}
		}

		// The phone is an app on another listener, with cookies of its own.
		phone := func(w *sandboxtest.World) string {
			b.open("GET", s.URL+strings.TrimPrefix(w.Issuer, s.Issuer)+"/phone", nil)
			return b.body
		}
		b.open("POST", s.URL+"/w/"+idOf(s, mine)+"/phone/take", url.Values{"cccd": {an}})
		if !strings.Contains(phone(mine), "Nguyễn Văn An") {
			t.Fatalf("no phone: %.900s", b.body)
		}
		b.rename(s.URL, idOf(s, mine), idOf(s, to))
		if strings.Contains(phone(to), "Nguyễn Văn An") {
			t.Error("a phone of another world is at home here")
		}
	}
}

func TestABrowserThatWaitsInAWorldIsToldWhenItIsDeleted(t *testing.T) {
	s := sandboxtest.Start(t)
	w := s.NewWorld()
	b := newThief(t)
	at := b.open("GET", authorizeURL(w.Issuer, "w"), nil).Request.URL.String()
	resp, err := b.Get(at + "/events?g=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begun := time.Now()
	api(t, "DELETE", s.URL+"/api/v1/worlds/"+idOf(s, w), "", "{}")
	told, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(told), "event: go") || time.Since(begun) > 5*time.Second {
		t.Errorf("%s, after %s: %v\n%s", resp.Status, time.Since(begun), err, told)
	}
	if resp := b.open("GET", at, nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("and then: %s", resp.Status)
	}
}

func TestWhatTheAPINamesIsNamedInItsWorldOnly(t *testing.T) {
	s := sandboxtest.Start(t)
	mine, theirs := s.NewWorld(), s.NewWorld()
	newThief(t).signIn(mine)
	newThief(t).signIn(theirs)
	var sessions []struct{ SID string }
	mine.Call("GET", "/sessions", nil, &sessions)
	var logins []struct{ ID string }
	mine.Call("GET", "/logins?wait=2s", nil, &logins)
	var inbox []struct{ ID, Login string }
	mine.Call("GET", "/sms", nil, &inbox)
	if len(sessions) != 1 || len(logins) != 1 || len(inbox) != 1 {
		t.Fatalf("%d sessions, %d logins, %d messages", len(sessions), len(logins), len(inbox))
	}
	waiting := newThief(t)
	waiting.open("GET", authorizeURL(mine.Issuer, "q"), nil)
	i := strings.Index(waiting.body, `id="qr-code"`)
	short := waiting.body[strings.IndexByte(waiting.body[i:], '>')+i+1:][:9]
	scanned := mine.Phone(an).Scan(short)
	for _, to := range []*sandboxtest.World{theirs, s.World} {
		for _, c := range []struct {
			method, path, body string
			want               int
		}{
			{"DELETE", "/sessions/" + sessions[0].SID, "", 404},
			{"GET", "/logins/" + logins[0].ID, "", 404},
			{"POST", "/phones/" + an + "/confirm", fmt.Sprintf(`{"login": %q, "passcode": "123456"}`, scanned.Login), 404},
			{"POST", "/phones/" + an + "/refuse", fmt.Sprintf(`{"login": %q}`, scanned.Login), 404},
		} {
			if status, p := api(t, c.method, apiOf(s, to)+c.path, "", c.body); status != c.want {
				t.Errorf("%s %s: %d %v, want %d", c.method, c.path, status, p, c.want)
			}
		}
		var found []map[string]any
		to.Call("GET", "/sms?login="+inbox[0].Login, nil, &found)
		if len(found) != 0 {
			t.Errorf("messages of a login of another world: %v", found)
		}
		if status, p := api(t, "GET", apiOf(s, to)+"/sms?after="+inbox[0].ID, "", ""); status != 400 {
			t.Errorf("a message of another world is known: %d %v", status, p)
		}
	}
	mine.Phone(an).Confirm(scanned.Login) // nobody confirmed or refused it before
	var still []struct{ SID string }
	mine.Call("GET", "/sessions", nil, &still)
	if !slices.ContainsFunc(still, func(x struct{ SID string }) bool { return x.SID == sessions[0].SID }) {
		t.Error("another world ended a session")
	}
}

func TestOneClientIDIsTwoClientsInTwoWorlds(t *testing.T) {
	s := sandboxtest.Start(t)
	mine, theirs := s.NewWorld(), s.NewWorld()
	mine.Register(sandboxtest.Client{ClientID: "shop", RedirectURIs: []string{"http://localhost:1234/callback"}})
	secret := mine.Register(sandboxtest.Client{ClientID: "portal", RedirectURIs: []string{"http://localhost:1234/callback"}}).ClientSecret
	theirs.Register(sandboxtest.Client{ClientID: "portal", RedirectURIs: []string{"http://localhost:1234/callback"}})
	introspect := func(w *sandboxtest.World, id, secret string, form url.Values) (int, map[string]any) {
		req, err := http.NewRequest("POST", w.Issuer+"/oauth/introspect", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(id, secret)
		return sendJSON(t, req)
	}
	form := url.Values{"token": {"x"}}
	if status, _ := introspect(mine, "portal", secret, form); status != 200 {
		t.Fatalf("its own secret: %d", status)
	}
	if status, p := introspect(theirs, "portal", secret, form); status != 401 {
		t.Errorf("a secret of another world: %d %v", status, p)
	}
	if status, p := introspect(s.World, "portal", secret, form); status != 401 {
		t.Errorf("a client of another world: %d %v", status, p)
	}
	// Revoking in one world what another gave out does nothing there.
	tokens := redeemed(t, mine, mine.Login(authorizeURL(mine.Issuer, "r"), an))
	for _, name := range []string{"access_token", "refresh_token"} {
		revoke, err := http.NewRequest("POST", theirs.Issuer+"/revoke", strings.NewReader(url.Values{"token": {tokens[name].(string)}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		revoke.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		revoke.SetBasicAuth("my-portal", "my-portal-secret")
		sendJSON(t, revoke)
		if _, answer := introspect(mine, "my-portal", "my-portal-secret", url.Values{"token": {tokens[name].(string)}}); answer["active"] != true {
			t.Errorf("another world revoked the %s: %v", name, answer)
		}
	}
}
