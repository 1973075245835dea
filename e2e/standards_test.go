//go:build e2e

package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the OpenID Foundation's certification asks of a provider, module by module, each under the name that it has
// there. The suite itself is no part of this repository; these tests ask the same by the same means: a browser without
// script and without a session, over http and https. docs/standards.md is made from what passed (standards_doc_test.go).

// module is one demand, with the test that holds the provider to it.
type module struct {
	name, demand string
	test         func(*suite)
}

// plan is a list of modules, as one certifies for it.
type plan struct {
	name, mode string // mode is the response_mode of every request, "" = the default
	modules    []module
}

func plans() []plan {
	return []plan{
		{"Basic OP", "", basicModules},
		{"Config OP", "", configModules},
		{"Form Post OP", "form_post", basicModules},
		{"RP-Initiated Logout OP", "", logoutModules},
		{"Back-Channel Logout OP", "", backchannelModules},
		{"Front-Channel Logout OP", "", frontchannelModules},
		{beyond, "", slices.Concat(claimsModules, promptModules, signOutModules)},
	}
}

// beyond are demands of the specifications that no plan of the Foundation asks about.
const beyond = "Beyond the plans"

// suite is what a module works with.
type suite struct {
	*testing.T
	w    *world
	mode string
	v    *visitor // a browser that nobody signed in with

	one, two, post rp // with client_secret_basic, another one, with client_secret_post
}

func TestStandards(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	passed, ran := map[string][]string{}, 0
	schemes := []string{"http", "https", aWorld}
	t.Run("over", func(t *testing.T) {
		for _, scheme := range schemes {
			t.Run(scheme, func(t *testing.T) {
				t.Parallel()
				s := newSuite(t, scheme)
				for _, p := range plans() {
					for _, m := range p.modules {
						t.Run(strings.ReplaceAll(p.name, " ", "-")+"/"+m.name, func(t *testing.T) {
							own := *s
							own.T, own.mode = t, p.mode
							own.freshBrowser()
							defer func() {
								mu.Lock()
								defer mu.Unlock()
								if ran++; !t.Failed() && !t.Skipped() {
									passed[p.name+m.name] = append(passed[p.name+m.name], scheme)
								}
							}()
							m.test(&own)
						})
					}
				}
			})
		}
	})
	total := 0
	for _, p := range plans() {
		total += len(p.modules) * len(schemes)
	}
	if ran != total {
		t.Logf("%d of %d ran, so the document is not compared", ran, total)
		return
	}
	checkDocument(t, func(p plan, m module) bool { return len(passed[p.name+m.name]) == len(schemes) })
}

// aWorld is http in a world of its own: the issuer has a path.
const aWorld = "http-in-a-world"

func newSuite(t *testing.T, scheme string) *suite {
	t.Helper()
	config := filepath.Join(t.TempDir(), "patient.yaml")
	if err := os.WriteFile(config, []byte("policy: {sms_per_number: 1000}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	options := []option{withArgs("--config", config)}
	if scheme == "https" {
		options = append(options, func(s *setup) { s.tls = "auto" })
	}
	s := &suite{T: t, w: newWorld(t, options...)}
	if scheme == aWorld {
		s.w = s.w.within(t, map[string]any{"id": "standards", "policy": map[string]any{"sms_per_number": 1000}})
		t.Cleanup(func() { s.w.checkLogs(t) })
	}
	s.one, s.two = s.register(nil), s.register(nil)
	s.post = s.register(map[string]any{"token_endpoint_auth_method": "client_secret_post"})
	return s
}

const afterLogout = "http://rp.example:7777/post-logout"

// register makes a client of the suite: one redirect URI more than it uses, and an address after a logout.
func (s *suite) register(fields map[string]any) rp {
	s.Helper()
	all := map[string]any{"consent": "never", "redirect_uris": []string{"http://rp.example:7777/callback", "http://rp.example:7777/callback?dummy1=lorem"},
		"post_logout_redirect_uris": []string{afterLogout}}
	for k, v := range fields {
		all[k] = v
	}
	return s.w.register(s.T, all)
}

func (s *suite) freshBrowser() {
	s.v = s.w.visitor(s.T)
	s.v.simple = true
	s.v.stop = func(u *url.URL) bool { return u.Path == "/callback" || u.Path == "/post-logout" }
}

// request is an authorization request as the suite sends it: without PKCE unless it is what is tested.
func (s *suite) request(client rp, changes ...string) *request {
	changes = append([]string{"code_challenge", "", "code_challenge_method", "", "response_mode", s.mode}, changes...)
	r := s.w.request(client, changes...)
	if r.Params.Has("code_challenge") {
		r.Params.Set("code_challenge", challenge(r.Verifier))
	}
	return r
}

// open sends the browser to the authorization endpoint.
func (s *suite) open(r *request) *suite {
	s.Helper()
	s.v.Open(r.URL())
	return s
}

// enter is what the suite's browser automation does on the provider's pages: number and password, the one-time password
// that the SMS inbox tells by API, and the sharing page where there is one. Nothing but ids and names of fields is used.
func (s *suite) enter(who persona) *suite {
	s.Helper()
	if !s.v.at.AsksPassword() {
		s.Fatalf("expected the login page, got %s", s.v.describe())
	}
	s.v.Fill("username", who.CCCD)
	s.v.Fill("password", password)
	s.v.Press(s.submit("username"))
	if !s.v.at.AsksOTP() {
		s.Fatalf("expected the OTP page, got %s", s.v.describe())
	}
	s.v.Fill("otp", s.otp(who))
	s.v.Press(s.submit("otp"))
	return s.share()
}

func (s *suite) share() *suite {
	s.Helper()
	if box := s.v.at.ByID("agree"); box != nil {
		s.v.filled[box] = "yes"
		s.v.Press(s.submit("agree"))
	}
	return s
}

// submit is the button of the form that a field stands in.
func (s *suite) submit(id string) *element {
	s.Helper()
	field := s.v.at.ByID(id)
	for _, e := range s.v.at.Pressables() {
		if e.form != nil && field != nil && e.form == field.form {
			return e
		}
	}
	s.Fatalf("no button beside #%s on %s", id, s.v.describe())
	return nil
}

// otp reads the one-time password of the login that the browser shows.
func (s *suite) otp(who persona) string {
	s.Helper()
	login := s.v.at.URL.Path[strings.LastIndexByte(s.v.at.URL.Path, '/')+1:]
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var list []struct{ OTP, Login string }
		s.w.api(s.T, http.StatusOK, "GET", "/sms?to="+who.Phone, nil, &list)
		for _, m := range list {
			if m.Login == login {
				return s.w.secret("an OTP", m.OTP)
			}
		}
	}
	s.Fatalf("%s got no SMS for login %s", who.Phone, login)
	return ""
}

// response is what the browser brings to the client: by redirect, or by a form that a person without script sends by
// its button.
func (s *suite) response(r *request) url.Values {
	s.Helper()
	if r.Params.Get("response_mode") == "form_post" {
		form := s.v.formPost(r)
		if button := s.v.at.First("button"); button == nil || button.has("hidden") {
			s.Errorf("form_post without a button that can be seen: %s", s.v.describe())
		}
		if !strings.Contains(s.v.at.Header.Get("Content-Security-Policy"), "form-action 'self' "+strings.TrimSuffix(r.client.Redirect, "/callback")) {
			s.Errorf("a browser would not send this form: %s", s.v.at.Header.Get("Content-Security-Policy"))
		}
		s.came(r, form)
		return form
	}
	if !s.v.at.Landed {
		s.Fatalf("expected an answer at %s, got %s", r.client.Redirect, s.v.describe())
	}
	if u := *s.v.at.URL; !strings.HasPrefix(u.String(), r.Params.Get("redirect_uri")) {
		s.Errorf("the answer goes to %s", &u)
	}
	s.came(r, s.v.at.URL.Query())
	return s.v.at.URL.Query()
}

func (s *suite) came(r *request, answer url.Values) {
	s.Helper()
	if answer.Get("state") != r.Params.Get("state") || answer.Get("iss") != s.w.Issuer {
		s.Errorf("state %q and iss %q come back", answer.Get("state"), answer.Get("iss"))
	}
	s.w.secret("an authorization code", answer.Get("code"))
}

// code is the code of a good answer.
func (s *suite) code(r *request) string {
	s.Helper()
	answer := s.response(r)
	if answer.Get("code") == "" || answer.Has("error") {
		s.Fatalf("no code came: %v", answer)
	}
	return answer.Get("code")
}

// refused wants one of these errors at the client.
func (s *suite) refused(r *request, codes ...string) {
	s.Helper()
	if answer := s.response(r); !slices.Contains(codes, answer.Get("error")) || answer.Has("code") {
		s.Errorf("the answer is %v, want one of %v", answer, codes)
	}
}

// exchange is the form that redeems a code.
func (s *suite) exchange(r *request, code string) url.Values {
	form := r.exchange(code)
	if !r.Params.Has("code_challenge") {
		form.Del("code_verifier")
	}
	return form
}

// tokens redeems the code of the present answer and holds the token response and its ID token against OIDC Core
// §3.1.3.3 and §3.1.3.7.
func (s *suite) tokens(r *request) (*answer, map[string]any) {
	s.Helper()
	a := s.w.authenticated(s.T, "/oauth/token", r.client, s.exchange(r, s.code(r)))
	if a.Status != http.StatusOK {
		s.Fatalf("the code is not redeemed: %s", a)
	}
	return a, s.checkTokens(r.client, a, r.Params.Get("nonce"))
}

func (s *suite) checkTokens(client rp, a *answer, nonce string) map[string]any {
	s.Helper()
	if a.str("access_token") == "" || !strings.EqualFold(a.str("token_type"), "Bearer") || number(s.T, a.Body, "expires_in") <= 0 {
		s.Errorf("the token response is not complete: %s", a)
	}
	if a.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		s.Errorf("Cache-Control %q, Content-Type %q", a.Header.Get("Cache-Control"), a.Header.Get("Content-Type"))
	}
	claims := s.w.verified(s.T, a.str("id_token"))
	wantClaim(s.T, claims, "iss", s.w.Issuer)
	wantClaim(s.T, claims, "aud", client.ID)
	now := s.w.now(s.T).Unix()
	iat, exp, auth := number(s.T, claims, "iat"), number(s.T, claims, "exp"), number(s.T, claims, "auth_time")
	if iat > now+5 || iat < now-60 || exp <= now || auth > iat {
		s.Errorf("iat %d, exp %d, auth_time %d, and it is %d", iat, exp, auth, now)
	}
	if sub, _ := claims["sub"].(string); sub == "" || len(sub) > 255 {
		s.Errorf("sub %q", claims["sub"])
	}
	if nonce == "" {
		wantNoClaims(s.T, claims, "nonce")
	} else {
		wantClaim(s.T, claims, "nonce", nonce)
	}
	return claims
}

// signIn is the whole flow of a request with a sign-in.
func (s *suite) signIn(r *request) (*answer, map[string]any) {
	s.Helper()
	s.open(r).enter(an)
	return s.tokens(r)
}

// silent is the whole flow of a request that no page may interrupt.
func (s *suite) silent(r *request) (*answer, map[string]any) {
	s.Helper()
	s.open(r)
	return s.tokens(r)
}

// userinfo wants the answer of a good token.
func (s *suite) userinfo(method, token string) map[string]any {
	s.Helper()
	a := s.w.userinfo(s.T, method, token)
	if a.Status != http.StatusOK {
		s.Fatalf("userinfo: %s", a)
	}
	return a.Body
}

// discovery is the provider's metadata.
func (s *suite) discovery() map[string]any {
	s.Helper()
	req, err := http.NewRequest("GET", s.w.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		s.Fatal(err)
	}
	a := s.w.answer(s.T, req)
	if a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		s.Fatalf("discovery: %s", a)
	}
	return a.Body
}

// listed is a list of the metadata.
func listed(d map[string]any, name string) (list []string) {
	values, _ := d[name].([]any)
	for _, v := range values {
		list = append(list, fmt.Sprint(v))
	}
	return list
}

// errorPage: the person is told, and nothing went to any client.
func (s *suite) errorPage() {
	s.Helper()
	if s.v.at.Landed || s.v.at.Status < 400 || s.v.at.Status >= 500 || s.v.at.First("h1") == nil {
		s.Errorf("expected an error page, got %s", s.v.describe())
	}
}

// same wants claims of two ID tokens to be equal.
func (s *suite) same(a, b map[string]any, names ...string) {
	s.Helper()
	for _, name := range names {
		if fmt.Sprint(a[name]) != fmt.Sprint(b[name]) {
			s.Errorf("%s was %v, is %v", name, a[name], b[name])
		}
	}
}

// later lets time pass, as the suite waits.
func (s *suite) later(seconds int) { s.w.advance(s.T, fmt.Sprintf("%ds", cmp.Or(seconds, 1))) }
