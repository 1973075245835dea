//go:build e2e

package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// endSession sends the browser to the end session endpoint. Changes are name, value pairs.
func (s *suite) endSession(changes ...string) *page {
	s.Helper()
	query := url.Values{}
	for i := 0; i < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
	}
	return s.v.Open(s.w.Issuer + "/end_session?" + query.Encode())
}

// confirm presses the button that ends the session, on the page that asks.
func (s *suite) confirm() {
	s.Helper()
	if s.v.at.Landed || s.v.at.Control("Đăng xuất") == nil {
		s.Fatalf("expected to be asked, got %s", s.v.describe())
	}
	s.v.Click("Đăng xuất")
}

// wentBack wants the browser to be back at the client, with the state as sent and nothing else.
func (s *suite) wentBack(state string) {
	s.Helper()
	want := afterLogout
	if state != "" {
		want += "?state=" + url.QueryEscape(state)
	}
	if !s.v.at.Landed || s.v.at.URL.String() != want {
		s.Errorf("expected to be at %s, got %s", want, s.v.describe())
	}
}

// stayed wants a page of the provider, and no way that leads anywhere by itself.
func (s *suite) stayed() {
	s.Helper()
	if s.v.at.Landed || s.v.at.First("h1") == nil || !strings.HasPrefix(s.v.at.URL.String(), s.w.Issuer+"/") {
		s.Errorf("expected a page of the provider, got %s", s.v.describe())
	}
}

// signedOut wants prompt=none to fail everywhere: at the client, in another tab, at other clients.
func (s *suite) signedOut() {
	s.Helper()
	for _, client := range []rp{s.one, s.two, s.post} {
		tab := *s
		tab.v = s.v.tab()
		r := tab.request(client, "prompt", "none")
		tab.open(r).refused(r, "login_required")
	}
}

// stillIn wants the session to be as it was.
func (s *suite) stillIn() {
	s.Helper()
	tab := *s
	tab.v = s.v.tab()
	r := tab.request(s.one, "prompt", "none")
	tab.open(r).code(r)
}

// modified is an ID token with another sub and, as the suite does it, no signature.
func modified(s *suite, token string) string {
	s.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	claims := map[string]any{}
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err != nil {
		s.Fatal(err)
	}
	claims["sub"] = fmt.Sprint(claims["sub"], "1")
	return unsigned(claims)
}

// forged is an ID token of this provider by its claims, signed by a key that is not its own.
func forged(s *suite, token string) string {
	s.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte("a key that the provider has never seen before")}, nil)
	if err != nil {
		s.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		s.Fatal(err)
	}
	jws, err := signer.Sign(raw)
	if err != nil {
		s.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		s.Fatal(err)
	}
	return text
}

var logoutModules = []module{
	{"oidcc-rp-initiated-logout-discovery-endpoint-verification", "Discovery names the end_session_endpoint.", func(s *suite) {
		wantClaim(s.T, s.discovery(), "end_session_endpoint", s.w.Issuer+"/end_session")
	}},
	{"oidcc-rp-initiated-logout", "A good hint, a registered address and a state: back there with the state; then prompt=none fails.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", afterLogout, "state", "a state&more")
		s.wentBack("a state&more")
		s.signedOut()
	}},
	{"oidcc-rp-initiated-logout-no-state", "Without state: back without state.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", afterLogout)
		s.wentBack("")
		s.signedOut()
	}},
	{"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri", "An address that is not registered: an error page, no redirect.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", "http://rp.example:7777/post-logout/other", "state", "x")
		s.errorPage()
	}},
	{"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri", "The registered address with a query added: an error page, no redirect.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", afterLogout+"?foo=bar", "state", "x")
		s.errorPage()
	}},
	{"oidcc-rp-initiated-logout-modified-id-token-hint", "A hint that was changed: an error page, no redirect.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", modified(s, a.str("id_token")), "post_logout_redirect_uri", afterLogout, "state", "x")
		s.errorPage()
		s.stillIn()
	}},
	{"oidcc-rp-initiated-logout-bad-id-token-hint", "A hint that somebody else signed: an error page, no redirect.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", forged(s, a.str("id_token")), "post_logout_redirect_uri", afterLogout, "state", "x")
		s.errorPage()
		s.stillIn()
	}},
	{"oidcc-rp-initiated-logout-no-id-token-hint", "An address without a hint: no redirect; the person is asked.", func(s *suite) {
		s.signIn(s.request(s.one))
		s.endSession("post_logout_redirect_uri", afterLogout, "state", "x")
		s.stayed()
		s.confirm()
		s.stayed()
		s.signedOut()
	}},
	{"oidcc-rp-initiated-logout-no-params", "No parameters: the person is asked, then a page says that they are signed out.", func(s *suite) {
		s.signIn(s.request(s.one))
		s.endSession()
		s.confirm()
		s.stayed()
		s.signedOut()
	}},
	{"oidcc-rp-initiated-logout-no-post-logout-redirect-uri", "A hint alone: a page says that the person is signed out.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", a.str("id_token"))
		s.stayed()
		s.signedOut()
	}},
	{"oidcc-rp-initiated-logout-only-state", "A state alone: the person is asked, and sent nowhere.", func(s *suite) {
		s.signIn(s.request(s.one))
		s.endSession("state", "x")
		s.confirm()
		s.stayed()
		s.signedOut()
	}},
}

// listener is a relying party that hears of logouts.
type listener struct {
	*httptest.Server
	heard chan *http.Request // with its form read
}

func (s *suite) listener() *listener {
	l := &listener{heard: make(chan *http.Request, 16)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil {
			l.heard <- r
		}
	}))
	s.Cleanup(l.Close)
	return l
}

// listens registers a client that listens there, and its address after a logout.
func (s *suite) listens(l *listener, fields map[string]any) (client rp, after string) {
	s.Helper()
	after = l.URL + "/post-logout"
	all := map[string]any{"redirect_uris": []string{l.URL + "/callback"}, "post_logout_redirect_uris": []string{after}}
	for k, v := range fields {
		all[k] = v
	}
	client = s.register(all)
	client.Redirect = l.URL + "/callback"
	return client, after
}

func (s *suite) hear(l *listener) *http.Request {
	s.Helper()
	select {
	case r := <-l.heard:
		return r
	case <-time.After(10 * time.Second):
		s.Fatal("the client heard nothing within 10 s")
		return nil
	}
}

var backchannelModules = []module{
	{"oidcc-backchannel-rp-initiated-logout-discovery-endpoint-verification", "Discovery says that back-channel logout and its sid are there.", func(s *suite) {
		wantClaim(s.T, s.discovery(), "backchannel_logout_supported", true)
		wantClaim(s.T, s.discovery(), "backchannel_logout_session_supported", true)
		wantClaim(s.T, s.discovery(), "end_session_endpoint", s.w.Issuer+"/end_session")
	}},
	{"oidcc-backchannel-rp-initiated-logout", "The logout token: signed, iss, aud, iat, exp, jti, events, sub and sid of the ID token, no nonce; back with the state; then prompt=none fails.", func(s *suite) {
		l := s.listener()
		client, after := s.listens(l, map[string]any{"backchannel_logout_uri": l.URL + "/backchannel", "backchannel_logout_session_required": true})
		a, claims := s.signIn(s.request(client))
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", after, "state", "x")
		if !s.v.at.Landed || s.v.at.URL.String() != after+"?state=x" {
			s.Errorf("expected to be back, got %s", s.v.describe())
		}
		r := s.hear(l)
		if r.Method != "POST" || r.URL.Path != "/backchannel" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(r.PostForm) != 1 {
			s.Errorf("%s %s %q %v", r.Method, r.URL, r.Header.Get("Content-Type"), r.PostForm)
		}
		token := s.w.secret("a logout token", r.PostForm.Get("logout_token"))
		wantClaim(s.T, jwtHeader(s, token), "typ", "logout+jwt")
		wantClaim(s.T, jwtHeader(s, token), "alg", "RS256")
		told := s.w.verified(s.T, token)
		s.same(claims, told, "iss", "aud", "sub", "sid")
		wantNoClaims(s.T, told, "nonce")
		if id, _ := told["jti"].(string); id == "" {
			s.Errorf("jti %v", told["jti"])
		}
		if iat, exp, now := number(s.T, told, "iat"), number(s.T, told, "exp"), s.w.now(s.T).Unix(); iat > now+5 || iat < now-30 || exp <= now || exp > now+300 {
			s.Errorf("iat %d, exp %d, now %d", iat, exp, now)
		}
		events, _ := told["events"].(map[string]any)
		if event, ok := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any); !ok || len(event) != 0 || len(events) != 1 {
			s.Errorf("events %v", told["events"])
		}
		s.signedOut()
	}},
}

var frontchannelModules = []module{
	{"oidcc-frontchannel-rp-initiated-logout-discovery-endpoint-verification", "Discovery says that front-channel logout and its sid are there.", func(s *suite) {
		wantClaim(s.T, s.discovery(), "frontchannel_logout_supported", true)
		wantClaim(s.T, s.discovery(), "frontchannel_logout_session_supported", true)
		wantClaim(s.T, s.discovery(), "end_session_endpoint", s.w.Issuer+"/end_session")
	}},
	{"oidcc-frontchannel-rp-initiated-logout", "The signed-out page loads the client's address with iss and sid in a frame and goes on by itself, without script; then prompt=none fails.", func(s *suite) {
		l := s.listener()
		client, after := s.listens(l, map[string]any{"frontchannel_logout_uri": l.URL + "/frontchannel?kept=1", "frontchannel_logout_session_required": true})
		a, claims := s.signIn(s.request(client))
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", after, "state", "x")
		r := s.hear(l)
		if q := r.URL.Query(); r.Method != "GET" || r.URL.Path != "/frontchannel" || q.Get("iss") != s.w.Issuer || q.Get("sid") != claims["sid"] || q.Get("kept") != "1" {
			s.Errorf("%s %s, sid %v", r.Method, r.URL, claims["sid"])
		}
		if !s.v.at.Landed || s.v.at.URL.String() != after+"?state=x" {
			s.Errorf("expected to be back, got %s", s.v.describe())
		}
		s.signedOut()
	}},
	{"frontchannel-page-for-people", "Who has script or not sees a page with a link back; all clients of the session are told, and nobody else.", func(s *suite) {
		l, other, silent := s.listener(), s.listener(), s.listener()
		client, after := s.listens(l, map[string]any{"frontchannel_logout_uri": l.URL + "/f"})
		second, _ := s.listens(other, map[string]any{"frontchannel_logout_uri": other.URL + "/f"})
		s.listens(silent, map[string]any{"frontchannel_logout_uri": silent.URL + "/f"})
		a, claims := s.signIn(s.request(client))
		_, claims2 := s.silent(s.request(second))
		s.same(claims, claims2, "sid")
		s.v.waits = true // for the frames, so that the page is still there
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", after)
		s.stayed()
		if s.hear(l).URL.Query().Get("sid") != claims["sid"] || s.hear(other).URL.Query().Get("sid") != claims["sid"] {
			s.Error("another sid")
		}
		if len(silent.heard) != 0 {
			s.Error("a client without tokens was told")
		}
		found := false
		for _, e := range s.v.at.Pressables() {
			found = found || e.tag == "a" && e.attrs["href"] == after
		}
		if next := s.v.at.refresh(); !found || next == nil || next.String() != after {
			s.Errorf("no way to %s: %s", after, s.v.describe())
		}
		s.signedOut()
	}},
	{"frontchannel-registration", "frontchannel_logout_uri belongs to an origin of the redirect URIs; session_required needs it.", func(s *suite) {
		for name, fields := range map[string]map[string]any{
			"another host": {"frontchannel_logout_uri": "http://other.example:7777/f"}, "another port": {"frontchannel_logout_uri": "http://rp.example:7778/f"},
			"another scheme": {"frontchannel_logout_uri": "https://rp.example:7777/f"}, "a fragment": {"frontchannel_logout_uri": "http://rp.example:7777/f#x"},
			"no address": {"frontchannel_logout_session_required": true}, "no URI": {"frontchannel_logout_uri": "f"},
		} {
			fields["redirect_uris"] = []string{"http://rp.example:7777/callback"}
			if status, raw := s.w.apiRaw(s.T, "POST", "/clients", fields, nil); status/100 != 4 || !strings.Contains(string(raw), "frontchannel_logout_") {
				s.Errorf("%s: %d %s", name, status, raw)
			}
		}
	}},
}

// signOutModules are the combinations that no module of the Foundation asks about.
var signOutModules = []module{
	{"logout-hint-expired", "An ID token that expired is a good hint.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.later(3600)
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", afterLogout)
		s.wentBack("")
	}},
	{"logout-hint-of-another-session", "A good hint of another session ends nothing: the person is asked.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.freshBrowser()
		s.signIn(s.request(s.one))
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", afterLogout, "state", "x")
		s.stayed()
		s.stillIn()
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", afterLogout, "state", "x")
		s.confirm()
		s.wentBack("x")
		s.signedOut()
	}},
	{"logout-hint-without-session", "A good hint after the end of the session: back to the client.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.freshBrowser()
		s.endSession("id_token_hint", a.str("id_token"), "post_logout_redirect_uri", afterLogout, "state", "x")
		s.wentBack("x")
	}},
	{"logout-client-id", "client_id with a registered address: asked first, then back; client_id of another client than the hint's: an error page.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.endSession("id_token_hint", a.str("id_token"), "client_id", s.two.ID, "post_logout_redirect_uri", afterLogout)
		s.errorPage()
		s.endSession("client_id", "nobody", "post_logout_redirect_uri", afterLogout)
		s.errorPage()
		s.stillIn()
		s.endSession("client_id", s.one.ID, "post_logout_redirect_uri", afterLogout, "state", "x")
		s.stayed()
		s.stillIn()
		s.confirm()
		s.wentBack("x")
		s.signedOut()
	}},
	{"logout-client-id-without-session", "Without a session and a hint nobody is redirected: a page with a link.", func(s *suite) {
		s.endSession("client_id", s.one.ID, "post_logout_redirect_uri", afterLogout)
		s.stayed()
	}},
	{"logout-staying", "Who is asked may stay signed in.", func(s *suite) {
		s.signIn(s.request(s.one))
		s.endSession()
		s.v.Click("Ở lại")
		s.stayed()
		s.stillIn()
	}},
	{"logout-ui-locales-and-logout-hint", "ui_locales is the language of the pages; logout_hint and unknown parameters are no error.", func(s *suite) {
		s.signIn(s.request(s.one))
		s.endSession("ui_locales", "en", "logout_hint", an.CCCD, "extra", "foobar")
		if s.v.at.Lang() != "en" || s.v.at.Control("Sign out") == nil {
			s.Errorf("%s", s.v.describe())
		}
		s.v.Click("Sign out")
		if s.v.at.Lang() != "en" {
			s.Errorf("then it is in %s", s.v.at.Lang())
		}
		s.signedOut()
	}},
	{"logout-by-post", "The request by POST, from a browser that says nothing of where it comes from.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		target, _ := url.Parse(s.w.Issuer + "/end_session")
		s.v.navigate("POST", target, url.Values{"id_token_hint": {a.str("id_token")}, "post_logout_redirect_uri": {afterLogout}, "state": {"x"}}, nil)
		s.wentBack("x")
		s.signedOut()
	}},
	{"logout-never-an-open-redirect", "No combination leads to an address that the client did not register.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one))
		s.v.stop = func(u *url.URL) bool { return !strings.HasPrefix(u.String(), s.w.Issuer+"/") }
		for _, evil := range []string{"http://evil.example/", "//evil.example", "http://rp.example:7777@evil.example/post-logout", afterLogout + "/", afterLogout + "#x",
			"http://rp.example:7777/post-logout\t", "HTTP://rp.example:7777/post-logout", "javascript:alert(1)", "http://rp.example:7777/Post-logout"} {
			for _, with := range [][]string{nil, {"id_token_hint", a.str("id_token")}, {"client_id", s.one.ID}, {"id_token_hint", a.str("id_token"), "client_id", s.one.ID}, {"id_token_hint", "rubbish"}} {
				s.endSession(append([]string{"post_logout_redirect_uri", evil, "state", "x"}, with...)...)
				s.stayed()
				if strings.Contains(s.v.at.Body, `href="`+evil) || strings.Contains(s.v.at.Body, "http-equiv=\"refresh") {
					s.Errorf("%s with %v is offered", evil, with)
				}
			}
		}
		s.stillIn()
	}},
	{"logout-ends-tokens", "After the end access tokens are dead, codes on their way are refused, refresh tokens of offline_access live.", func(s *suite) {
		a, _ := s.signIn(s.request(s.one, "scope", "openid offline_access"))
		r := s.request(s.two)
		s.open(r)
		code := s.code(r)
		s.endSession("id_token_hint", a.str("id_token"))
		s.signedOut()
		if got := s.w.userinfo(s.T, "GET", a.str("access_token")); got.Status != http.StatusUnauthorized {
			s.Errorf("the access token lives: %s", got)
		}
		wantOAuthError(s.T, s.w.authenticated(s.T, "/oauth/token", s.two, s.exchange(r, code)), http.StatusBadRequest, "invalid_grant")
		if got := s.w.refresh(s.T, s.one, a.str("refresh_token")); got.Status != http.StatusOK {
			s.Errorf("OIDC Back-Channel Logout §2.7: %s", got)
		}
	}},
}
