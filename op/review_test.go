package op_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// raw asks for a path as it stands; url.Parse would take //evil.test for a host.
func (b *browser) raw(method, target string) answer {
	b.w.t.Helper()
	req, err := http.NewRequest(method, b.w.url, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.URL.RawPath, req.URL.RawQuery, _ = strings.Cut(target, "?")
	if req.URL.Path, err = url.PathUnescape(req.URL.RawPath); err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(req)
}

func TestAStrangeLoginIDLeadsToNoOtherHost(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{`..%2F%5Cevil.test`, `..%2F..%2F%5Cevil.test`, `..%2F%2Fevil.test`, `%5C%5Cevil.test`,
		`..%2Fauthorize%3Fclient_id=basic`, `..`, `a%0d%0aX-Evil:%201`} {
		a := w.browser().raw("GET", "/login/"+id+"/otp")
		location := a.Header.Get("Location")
		stays := strings.HasPrefix(location, "/login/") && !strings.ContainsAny(location[1:], `\?`) && strings.Count(location, "/") == 2
		if location != "" && location != "/" && !stays {
			t.Errorf("%s: %s, Location %q", id, a.Status, location)
		}
	}
}

func TestTheLanguageSwitchStaysOnThisHost(t *testing.T) {
	w := newWorld(t)
	link := regexp.MustCompile(`<a href="([^"]*)" hreflang`)
	for _, path := range []string{"//evil.test/", "//evil.test%2Fx", "///evil.test", "/%5Cevil.test/", "/authorize", "/"} {
		a := w.browser().raw("GET", path)
		m := link.FindStringSubmatch(a.body)
		if m == nil {
			t.Errorf("%s: %s without a switch", path, a.Status)
			continue
		}
		u, err := url.Parse(m[1])
		if err != nil || u.Host != "" || strings.HasPrefix(m[1], "/") {
			t.Errorf("%s: the switch leads to %q", path, m[1])
		}
	}
}

func TestHEADBeginsNoLoginGivesOutNoCodeAndEndsNoSession(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.authorize(request("basic")).Header.Get("Location")
	m := strings.TrimPrefix(page, "/login/")
	b.post(w.url+page+"/password", url.Values{"username": {an}, "password": {secret}})
	code := b.post(w.url+page+"/otp", url.Values{"otp": {w.phones.otp("0950000001")}}).param("code")
	for _, path := range []string{page, "/authorize?" + request("basic").Encode(), "/login/" + m + "/return", "/end_session"} {
		a := b.raw("HEAD", path)
		if a.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(a.Header.Get("Allow"), "GET") || a.Header.Get("Location") != "" || len(a.Cookies()) > 0 {
			t.Errorf("HEAD %.12s…: %s, Allow %q, Location %q, %v", path, a.Status, a.Header.Get("Allow"), a.Header.Get("Location"), a.Cookies())
		}
	}
	a := w.token("basic", codeForm(code))
	if a.StatusCode != http.StatusOK {
		t.Errorf("a HEAD voided the code: %s", a.body)
	}
	hint, _ := a.json(t)["id_token"].(string)
	b.raw("HEAD", "/end_session?id_token_hint="+hint)
	if silent := b.authorize(request("basic", "prompt", "none")); silent.param("code") == "" {
		t.Errorf("a HEAD ended the session: %s", silent.Header.Get("Location"))
	}
}

func TestTheLoopbackRuleTakesRealPortsOnly(t *testing.T) {
	c := vneid.Client{LoopbackAnyPort: true, ClientMetadata: vneid.ClientMetadata{RedirectURIs: []string{"http://localhost/callback"}}}
	for port, want := range map[string]bool{"1": true, "80": true, "65535": true,
		"0": false, "00": false, "080": false, "65536": false, "65616": false, "99999": false, "18446744073709551617": false} {
		if got := c.MatchRedirectURI("http://localhost:" + port + "/callback"); got != want {
			t.Errorf("port %s: %v, want %v", port, got, want)
		}
	}
}

// A browser whose name was planted (http, another port or a neighbour host) by
// somebody who also chose the login: after the citizen signed in there, the
// other one fetches the sharing page, agrees, and gets a code for the citizen.
func TestReviewAPlantedBrowserCookieGivesTheCodeToNobodyElse(t *testing.T) {
	w := newWorld(t)
	attacker := w.browser()
	page := attacker.authorize(request("asking")).Header.Get("Location")
	u, _ := url.Parse(w.url)
	victim := w.browser()
	victim.Jar.SetCookies(u, attacker.Jar.Cookies(u)) // planted
	victim.post(w.url+page+"/password", url.Values{"username": {an}, "password": {secret}})
	victim.post(w.url+page+"/otp", url.Values{"otp": {w.phones.otp("0950000001")}})
	if seen := attacker.get(w.url + page); strings.Contains(seen.body, "Nguyễn Văn An") {
		t.Error("the attacker reads the sharing page of the citizen")
	}
	code := attacker.post(w.url+page+"/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}}).param("code")
	if code != "" && w.token("asking", codeForm(code)).StatusCode == http.StatusOK {
		t.Error("the attacker agreed in the citizen's name and redeemed the code")
	}
}

// Taking a redirect URI or a scope away from a client does not reach the logins
// under way: the code still goes to the address that is registered no more.
func TestReviewARedirectURITakenAwayGetsNoCode(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.authorize(request("basic")).Header.Get("Location")
	b.post(w.url+page+"/password", url.Values{"username": {an}, "password": {secret}})
	w.client(vneid.ClientMetadata{ClientID: "basic", Consent: "never", RedirectURIs: []string{"http://127.0.0.1:7777/other"}, Scope: "openid"})
	done := b.post(w.url+page+"/otp", url.Values{"otp": {w.phones.otp("0950000001")}})
	if done.param("code") != "" {
		t.Errorf("the code went to %s", done.Header.Get("Location"))
		if scope := w.token("basic", codeForm(done.param("code"))).json(t)["scope"]; scope != "openid" {
			t.Errorf("and brings the scopes %v", scope)
		}
	}
}
