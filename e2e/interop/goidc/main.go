// Command goidc is a relying party by go-oidc and x/oauth2, for the tests: what
// go-oidc's README shows and no more. State and the cookie that keeps it are the
// caller's there; nonce, azp and the subject of UserInfo are too, and the README
// leaves them out. It knows nothing of this module and keeps nothing.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	issuer, base := os.Getenv("ISSUER"), os.Getenv("BASE")
	provider, err := oidc.NewProvider(context.Background(), issuer)
	if err != nil {
		log.Fatal(err)
	}
	config := oauth2.Config{ClientID: os.Getenv("CLIENT_ID"), ClientSecret: os.Getenv("CLIENT_SECRET"), Endpoint: provider.Endpoint(), RedirectURL: base + "/callback",
		Scopes: []string{oidc.ScopeOpenID, "profile"}}
	rp := &relyingParty{config: config, provider: provider, verifier: provider.Verifier(&oidc.Config{ClientID: config.ClientID}), names: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", rp.login)
	mux.HandleFunc("GET /callback", rp.callback)
	mux.HandleFunc("GET /{$}", rp.home)
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

type relyingParty struct {
	config   oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier

	mu    sync.Mutex
	names map[string]string // session → who
}

func (rp *relyingParty) login(w http.ResponseWriter, r *http.Request) {
	state := rand.Text()
	setCookie(w, "state", state)
	http.Redirect(w, r, rp.config.AuthCodeURL(state), http.StatusFound)
}

func (rp *relyingParty) callback(w http.ResponseWriter, r *http.Request) {
	name, err := rp.finish(r)
	if err != nil {
		log.Print(err)
		http.Error(w, "sign-in failed", http.StatusBadRequest)
		return
	}
	session := rand.Text()
	rp.mu.Lock()
	rp.names[session] = name
	rp.mu.Unlock()
	setCookie(w, "session", session)
	http.Redirect(w, r, "/", http.StatusFound)
}

func (rp *relyingParty) finish(r *http.Request) (name string, err error) {
	state, err := r.Cookie("state")
	if err != nil {
		return "", err
	}
	if r.URL.Query().Get("state") != state.Value {
		return "", errors.New("state did not match")
	}
	if why := r.URL.Query().Get("error"); why != "" {
		return "", fmt.Errorf("the provider says %q", why)
	}
	token, err := rp.config.Exchange(r.Context(), r.URL.Query().Get("code"))
	if err != nil {
		return "", err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", errors.New("no id_token")
	}
	if _, err := rp.verifier.Verify(r.Context(), raw); err != nil {
		return "", err
	}
	info, err := rp.provider.UserInfo(r.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		return "", err
	}
	var claims struct{ Name string }
	err = info.Claims(&claims)
	return claims.Name, err
}

func (rp *relyingParty) home(w http.ResponseWriter, r *http.Request) {
	name := ""
	if c, err := r.Cookie("session"); err == nil {
		rp.mu.Lock()
		name = rp.names[c.Value]
		rp.mu.Unlock()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if name == "" {
		fmt.Fprint(w, "signed out")
		return
	}
	fmt.Fprint(w, "signed in: ", html.EscapeString(name))
}

func setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
