// Command spa is a relying party whose pages sign in by script, for the tests: a
// single-page application with a backend. The script fetches where to go, keeps
// and compares state, hands the code to the backend, and draws who is signed in;
// without script there is nothing to see. With CARELESS=1 it does not compare
// state. The backend is go-oidc; it knows nothing of this module and keeps
// nothing.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Portal</title><main id="app"></main>
<script>
const app = document.getElementById('app')
const show = text => { app.replaceChildren(Object.assign(document.createElement('h1'), {textContent: text})) }
const post = (path, body) => fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)})
async function login() {
  const {to, state} = await (await post('/begin', {})).json()
  sessionStorage.setItem('state', state)
  location.assign(to)
}
async function callback() {
  const answer = new URLSearchParams(location.search)
  history.replaceState(null, '', '/callback')
  const state = sessionStorage.getItem('state')
  sessionStorage.removeItem('state')
  if (answer.has('error') || COMPARES && (!state || answer.get('state') !== state)) return show('sign-in failed')
  const done = await post('/finish', {code: answer.get('code')})
  if (!done.ok) return show('sign-in failed')
  location.replace('/')
}
async function home() {
  const {name} = await (await fetch('/who')).json()
  show(name ? 'signed in: ' + name : 'signed out')
}
({'/login': login, '/callback': callback})[location.pathname]?.() ?? home()
</script></html>`

func main() {
	issuer, base := os.Getenv("ISSUER"), os.Getenv("BASE")
	provider, err := oidc.NewProvider(context.Background(), issuer)
	if err != nil {
		log.Fatal(err)
	}
	config := oauth2.Config{ClientID: os.Getenv("CLIENT_ID"), ClientSecret: os.Getenv("CLIENT_SECRET"), Endpoint: provider.Endpoint(), RedirectURL: base + "/callback",
		Scopes: []string{oidc.ScopeOpenID, "profile"}}
	rp := &relyingParty{config: config, provider: provider, verifier: provider.Verifier(&oidc.Config{ClientID: config.ClientID}), begun: map[string]begun{}, names: map[string]string{}}
	mux := http.NewServeMux()
	for _, path := range []string{"GET /login", "GET /callback", "GET /{$}"} {
		mux.HandleFunc(path, rp.page)
	}
	mux.HandleFunc("POST /begin", rp.begin)
	mux.HandleFunc("POST /finish", rp.finish)
	mux.HandleFunc("GET /who", rp.who)
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// begun is a sign-in under way.
type begun struct{ nonce, verifier string }

type relyingParty struct {
	config   oauth2.Config
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier

	mu    sync.Mutex
	begun map[string]begun  // by the browser's cookie
	names map[string]string // session → who
}

func (rp *relyingParty) page(w http.ResponseWriter, _ *http.Request) {
	compares := "true"
	if os.Getenv("CARELESS") != "" {
		compares = "false"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	_, _ = w.Write([]byte(strings.Replace(page, "COMPARES", compares, 1)))
}

func (rp *relyingParty) begin(w http.ResponseWriter, _ *http.Request) {
	browser, b := rand.Text(), begun{rand.Text(), oauth2.GenerateVerifier()}
	rp.mu.Lock()
	rp.begun[browser] = b
	rp.mu.Unlock()
	setCookie(w, "login", browser)
	state := rand.Text()
	answer(w, map[string]string{"state": state, "to": rp.config.AuthCodeURL(state, oidc.Nonce(b.nonce), oauth2.S256ChallengeOption(b.verifier))})
}

func (rp *relyingParty) finish(w http.ResponseWriter, r *http.Request) {
	name, err := rp.redeem(r)
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
	answer(w, map[string]string{})
}

func (rp *relyingParty) redeem(r *http.Request) (name string, err error) {
	var body struct{ Code string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return "", err
	}
	browser, err := r.Cookie("login")
	if err != nil {
		return "", err
	}
	rp.mu.Lock()
	b, known := rp.begun[browser.Value]
	delete(rp.begun, browser.Value)
	rp.mu.Unlock()
	if !known {
		return "", errors.New("this browser has begun nothing")
	}
	token, err := rp.config.Exchange(r.Context(), body.Code, oauth2.VerifierOption(b.verifier))
	if err != nil {
		return "", err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := rp.verifier.Verify(r.Context(), raw)
	if err != nil {
		return "", err
	}
	if id.Nonce != b.nonce {
		return "", errors.New("nonce did not match")
	}
	info, err := rp.provider.UserInfo(r.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		return "", err
	}
	if info.Subject != id.Subject {
		return "", errors.New("UserInfo is about somebody else")
	}
	var claims struct{ Name string }
	err = info.Claims(&claims)
	return claims.Name, err
}

func (rp *relyingParty) who(w http.ResponseWriter, r *http.Request) {
	name := ""
	if c, err := r.Cookie("session"); err == nil {
		rp.mu.Lock()
		name = rp.names[c.Value]
		rp.mu.Unlock()
	}
	answer(w, map[string]string{"name": name})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
