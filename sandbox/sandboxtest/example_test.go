package sandboxtest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sandboxtest"
)

// exampleT stands where a test has its *testing.T.
type exampleT struct{ cleanups []func() }

func (t *exampleT) Helper()                           {}
func (t *exampleT) Failed() bool                      { return false }
func (t *exampleT) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) Logf(format string, args ...any)   { log.Printf(format, args...) }
func (t *exampleT) Fatalf(format string, args ...any) { log.Panicf(format, args...) }

func (t *exampleT) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

// A portal as its main would build it: the code under test.
func newPortal(t sandboxtest.TB, issuer string) *httptest.Server {
	provider, err := oidc.NewProvider(context.Background(), issuer)
	if err != nil {
		t.Fatalf("discovery: %v", err)
	}
	mux := http.NewServeMux()
	portal := httptest.NewServer(mux)
	t.Cleanup(portal.Close)
	config := oauth2.Config{ClientID: "my-portal", ClientSecret: "my-portal-secret", RedirectURL: portal.URL + "/callback",
		Endpoint: provider.Endpoint(), Scopes: []string{"openid", "profile"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // as registered; x/oauth2 would try both
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		state, nonce, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
		http.SetCookie(w, &http.Cookie{Name: "login", Value: state + "." + nonce + "." + verifier, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	})
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("login")
		if err != nil {
			http.Error(w, "this browser began no sign-in", http.StatusBadRequest)
			return
		}
		begun := strings.Split(cookie.Value, ".")
		if r.FormValue("state") != begun[0] {
			http.Error(w, "the answer to another sign-in", http.StatusBadRequest)
			return
		}
		if why := r.FormValue("error"); why != "" {
			fmt.Fprintln(w, "Chưa đăng nhập:", why)
			return
		}
		token, err := config.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(begun[2]))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		raw, _ := token.Extra("id_token").(string)
		idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(r.Context(), raw)
		if err != nil || idToken.Nonce != begun[1] {
			http.Error(w, "the ID token is not for this sign-in", http.StatusBadGateway)
			return
		}
		var person struct{ Name string }
		info, err := provider.UserInfo(r.Context(), oauth2.StaticTokenSource(token))
		if err == nil {
			err = info.Claims(&person)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, "Xin chào", person.Name)
	})
	return portal
}

// A whole test of a portal: somebody signs in with password and SMS.
func Example() {
	t := &exampleT{} // in a test: its *testing.T
	defer t.end()

	sb := sandboxtest.Start(t)
	portal := newPortal(t, sb.Issuer)

	browser := sandboxtest.Browser()
	authorize := browser.Location(t, portal.URL+"/login")
	callback := sb.Login(authorize, sandboxtest.An)
	fmt.Print(browser.Get(t, callback))
	// Output: Xin chào Nguyễn Văn An
}

// The phone in somebody's hand instead of a password.
func ExampleWorld_LoginByQR() {
	t := &exampleT{}
	defer t.end()

	sb := sandboxtest.Start(t)
	portal := newPortal(t, sb.Issuer)
	sb.Phone(sandboxtest.Binh).AllowWebLogin(true)

	browser := sandboxtest.Browser()
	callback := sb.LoginByQR(browser.Location(t, portal.URL+"/login"), sandboxtest.Binh)
	fmt.Print(browser.Get(t, callback))
	// Output: Xin chào Lê Thị Bình
}

// What the portal does with somebody who may not sign in.
func ExampleWorld_Login_refused() {
	t := &exampleT{}
	defer t.end()

	sb := sandboxtest.Start(t)
	portal := newPortal(t, sb.Issuer)

	browser := sandboxtest.Browser()
	callback := sb.Login(browser.Location(t, portal.URL+"/login"), sandboxtest.Dung) // her account is locked
	fmt.Print(browser.Get(t, callback))
	// Output: Chưa đăng nhập: access_denied
}

// Time passes without waiting.
func ExampleClock_Advance() {
	t := &exampleT{}
	defer t.end()

	sb := sandboxtest.Start(t)
	client := sb.Register(sandboxtest.Client{RedirectURIs: []string{"http://localhost:3000/cb"}, Consent: "never"})
	provider, err := oidc.NewProvider(context.Background(), sb.Issuer)
	if err != nil {
		t.Fatalf("%v", err)
	}
	config := oauth2.Config{ClientID: client.ClientID, ClientSecret: client.ClientSecret, RedirectURL: client.RedirectURIs[0],
		Endpoint: provider.Endpoint(), Scopes: []string{"openid"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	callback := sb.Login(config.AuthCodeURL("state"), sandboxtest.An)
	_, code, _ := strings.Cut(callback, "code=")
	code, _, _ = strings.Cut(code, "&")

	sb.Clock.Advance(2 * time.Minute) // a code lives for 60 s
	_, err = config.Exchange(context.Background(), code)
	fmt.Println(strings.Contains(fmt.Sprint(err), "invalid_grant"))
	// Output: true
}
