package sandbox_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// called is a sandbox that several names lead to, as names of a container's
// network do, and the network in which they do.
type called struct {
	*sandbox.Running
	t    *testing.T
	port string
	api  string
	log  *logBuffer
}

func calledByManyNames(t *testing.T, browserURL bool) *called {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	r, log := start(t, func(c *sandbox.Config) {
		c.Listen, c.Issuer, c.AllowHosts = "127.0.0.1:"+port, "request", []string{"vneid", "host.docker.internal"}
		if browserURL {
			c.BrowserURL = "http://localhost:" + port
		}
	})
	return &called{r, t, port, r.SandboxURL + "/api/v1", log}
}

// client is a program for which every name leads here; browsers know their
// loopback names only.
func (c *called) client(browser bool) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(address)
			if browser && host != "localhost" {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
		}}}
}

func (c *called) at(host string) string { return "http://" + host + ":" + c.port }

const portalCallback = "http://localhost:3000/callback"

// relyingParty is a portal that knows one issuer, as go-oidc makes one.
type relyingParty struct {
	provider *oidc.Provider
	oauth2.Config
	http *http.Client
	ctx  context.Context
}

func (c *called) relyingParty(issuer string) *relyingParty {
	c.t.Helper()
	rp := &relyingParty{http: c.client(false)}
	rp.ctx = oidc.ClientContext(c.t.Context(), rp.http)
	var err error
	if rp.provider, err = oidc.NewProvider(rp.ctx, issuer); err != nil { // holds the issuer against its address
		c.t.Fatal(err)
	}
	rp.Config = oauth2.Config{ClientID: "my-portal", ClientSecret: "my-portal-secret", RedirectURL: portalCallback,
		Endpoint: rp.provider.Endpoint(), Scopes: []string{"openid", "profile", "offline_access"}}
	return rp
}

// signIn walks a browser from an address of /authorize to the callback.
func (c *called) signIn(browser *http.Client, authorize string) url.Values {
	c.t.Helper()
	var callback *url.URL
	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), portalCallback) {
			callback = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := browser.Get(authorize)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
	page := resp.Request.URL.String()
	_, login, _ := strings.Cut(page, "/login/")
	for _, step := range []struct {
		path string
		form url.Values
	}{
		{"/password", url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}}},
		{"/otp", nil},
		{"/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}}},
	} {
		if step.form == nil {
			step.form = url.Values{"otp": {c.otpFor(login)}}
		}
		if resp, err = browser.PostForm(page+step.path, step.form); err != nil {
			c.t.Fatal(err)
		}
		resp.Body.Close()
		if callback != nil {
			return callback.Query()
		}
	}
	c.t.Fatalf("no way back to the portal: %s at %s\n%s", resp.Status, resp.Request.URL, c.log)
	return nil
}

func (c *called) otpFor(login string) string {
	_, body := send(c.t, "GET", c.api+"/sms?wait=10s&to=0950000001", "")
	var list []struct{ Login, OTP string }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		c.t.Fatal(err)
	}
	for _, m := range list {
		if m.Login == login {
			return m.OTP
		}
	}
	c.t.Fatalf("no SMS for login %s: %s", login, body)
	return ""
}

// redeem gets tokens for what came to the callback and checks the ID token
// as a portal does.
func (rp *relyingParty) redeem(t *testing.T, answer url.Values) (*oauth2.Token, *oidc.IDToken) {
	t.Helper()
	token, err := rp.Exchange(rp.ctx, answer.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	return token, rp.verify(t, token)
}

func (rp *relyingParty) verify(t *testing.T, token *oauth2.Token) *oidc.IDToken {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	idToken, err := rp.provider.Verifier(&oidc.Config{ClientID: rp.ClientID}).Verify(rp.ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	return idToken
}

func TestEveryNameIsTheIssuerOfWhoAsksByIt(t *testing.T) {
	c := calledByManyNames(t, false)
	for _, host := range []string{"localhost", "127.0.0.1", "vneid", "host.docker.internal", "abc.localhost"} {
		rp := c.relyingParty(c.at(host))
		answer := c.signIn(c.client(false), rp.AuthCodeURL("s"))
		if answer.Get("iss") != c.at(host) {
			t.Errorf("the answer to %s is by %s", host, answer.Get("iss"))
		}
		token, idToken := rp.redeem(t, answer)
		if _, err := rp.provider.UserInfo(rp.ctx, oauth2.StaticTokenSource(token)); err != nil || idToken.Issuer != c.at(host) {
			t.Errorf("%s: %s %v", host, idToken.Issuer, err)
		}
	}
}

func TestAContainerAndABrowserOutsideItShareOneIssuer(t *testing.T) {
	c := calledByManyNames(t, true)
	rp := c.relyingParty(c.at("vneid"))
	if want := c.at("localhost") + "/as/vneid:" + c.port + "/authorize"; rp.Endpoint.AuthURL != want || rp.Endpoint.TokenURL != c.at("vneid")+"/oauth/token" {
		t.Fatalf("endpoints %+v, want browsers sent to %s", rp.Endpoint, want)
	}
	browser := c.client(true)
	answer := c.signIn(browser, rp.AuthCodeURL("s"))
	if answer.Get("iss") != c.at("vneid") {
		t.Errorf("the answer is by %s", answer.Get("iss"))
	}
	token, _ := rp.redeem(t, answer)
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := rp.provider.Claims(&metadata); err != nil {
		t.Fatal(err)
	}
	hint, _ := token.Extra("id_token").(string)
	form := url.Values{"id_token_hint": {hint}}
	// From another site's form it comes once more from a page of ours, and to
	// the same address.
	req, _ := http.NewRequest("POST", metadata.EndSession, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("signing out by a form of another site: %s", resp.Status)
	}
	resp, err = browser.PostForm(metadata.EndSession, form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, err := rp.provider.UserInfo(rp.ctx, oauth2.StaticTokenSource(token)); err == nil || resp.StatusCode != 200 {
		t.Errorf("%s, and the access token still works: %v", resp.Status, err)
	}
}

func TestAWorldHasItsIssuerUnderEveryName(t *testing.T) {
	c := calledByManyNames(t, true)
	if resp, body := send(t, "POST", c.SandboxURL+"/api/v1/worlds", `{"id": "abc"}`, "Content-Type: application/json"); resp.StatusCode != 201 {
		t.Fatal(body)
	}
	c.api += "/w/abc"
	rp := c.relyingParty(c.at("vneid") + "/w/abc")
	if want := c.at("localhost") + "/as/vneid:" + c.port + "/w/abc/authorize"; rp.Endpoint.AuthURL != want {
		t.Fatalf("browsers are sent to %s, not to %s", rp.Endpoint.AuthURL, want)
	}
	_, idToken := rp.redeem(t, c.signIn(c.client(true), rp.AuthCodeURL("s")))
	if idToken.Issuer != c.at("vneid")+"/w/abc" {
		t.Errorf("issuer %s", idToken.Issuer)
	}
	if resp, _ := send(t, "GET", c.at("127.0.0.1")+"/w/abc/as/vneid:80/authorize", ""); resp.StatusCode != 404 {
		t.Errorf("a front door inside a world: %s", resp.Status)
	}
}

func TestTokensNameTheIssuerUnderWhichTheSignInBegan(t *testing.T) {
	c := calledByManyNames(t, false)
	inside, outside := c.relyingParty(c.at("vneid")), c.relyingParty(c.at("localhost"))
	answer := c.signIn(c.client(true), outside.AuthCodeURL("s"))
	outside.Endpoint.TokenURL = inside.Endpoint.TokenURL
	token, idToken := outside.redeem(t, answer) // by vneid, checked for localhost
	if idToken.Issuer != answer.Get("iss") || idToken.Issuer != c.at("localhost") {
		t.Errorf("begun under %s, answered by %s", idToken.Issuer, answer.Get("iss"))
	}
	again, err := outside.TokenSource(outside.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		t.Fatal(err)
	}
	if outside.verify(t, again).Issuer != c.at("localhost") {
		t.Error("a refreshed ID token names another issuer")
	}
	req, _ := http.NewRequest("POST", c.at("vneid")+"/oauth/introspect", strings.NewReader(url.Values{"token": {again.AccessToken}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("my-portal", "my-portal-secret")
	resp, err := c.client(false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var about struct{ Iss string }
	if err := json.NewDecoder(resp.Body).Decode(&about); err != nil || about.Iss != c.at("localhost") {
		t.Errorf("introspection: %+v %v", about, err)
	}
}

func TestAStrangeNameIsNobodysIssuer(t *testing.T) {
	c := calledByManyNames(t, true)
	local := c.at("127.0.0.1")
	for name, request := range map[string][2]string{
		"a foreign host":             {"/.well-known/openid-configuration", "evil.test"},
		"a foreign host in the path": {"/as/evil.test:80/authorize", "localhost:" + c.port},
		"a host of the state":        {"/as/vneid.gov.vn/authorize", "localhost:" + c.port},
		"a port that is none":        {"/.well-known/openid-configuration", "localhost:99999"},
		"a port with zeros":          {"/.well-known/openid-configuration", "localhost:0080"},
		"a dot at the end":           {"/.well-known/openid-configuration", "localhost.:80"},
		"user information":           {"/as/localhost:1@evil.test/authorize", "localhost:" + c.port},
	} {
		if resp, _ := send(t, "GET", local+request[0], "", "Host: "+request[1]); resp.StatusCode != 421 && resp.StatusCode != 400 {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	// Only the two front doors have such addresses.
	if resp, _ := send(t, "GET", local+"/as/vneid:80/.well-known/openid-configuration", ""); resp.StatusCode != 404 {
		t.Errorf("discovery at an address that is not the issuer's: %s", resp.Status)
	}
	for _, header := range []string{"Forwarded: host=vneid", "X-Forwarded-Host: vneid", "X-Forwarded-Proto: https"} {
		_, body := send(t, "GET", local+"/.well-known/openid-configuration", "", header)
		if !strings.Contains(body, `"issuer":"`+local+`"`) {
			t.Errorf("%s: %.200s", header, body)
		}
	}
	if _, body := send(t, "GET", local+"/.well-known/openid-configuration", "", "Host: LOCALHOST:80"); !strings.Contains(body, `"issuer":"http://localhost"`) {
		t.Errorf("an issuer with capitals or a needless port: %.200s", body)
	}
}

func TestBrowserURLNeedsAnIssuerOfTheRequest(t *testing.T) {
	_, err := sandbox.ParseServe([]string{"--browser-url", "http://localhost:9998"}, noEnv)
	if err == nil || !strings.Contains(err.Error(), "--issuer request") {
		t.Errorf("%v", err)
	}
	c, err := sandbox.ParseServe([]string{"--issuer", "request", "--allow-hosts", "vneid, Host.Docker.Internal"}, noEnv)
	if err != nil || strings.Join(c.AllowHosts, " ") != "vneid host.docker.internal" {
		t.Errorf("%v %v", c.AllowHosts, err)
	}
}
