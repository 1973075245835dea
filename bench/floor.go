package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op/password"
)

// serveFloor is the least that can answer the driver: fixed pages, no state,
// one RS256 signature where an ID token is due. Beside that it measures what one
// password hash costs; nothing else of it has one.
func serveFloor(args []string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	page := func(step string) []byte {
		return []byte(`<!doctype html><title>x</title><form method="post" action="/login/abc/` + step + `">` + strings.Repeat("<p>một trang dài như trang thật</p>\n", 180) + `</form>`)
	}
	loginPage, otpPage := page("password"), page("otp")
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body)
		}
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.ParseForm()
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusSeeOther)
		}
	}
	// What a password hash costs in a server: with the same soft memory limit,
	// as many at a time as cores, by the same code.
	debug.SetMemoryLimit(96 << 20)
	hasher := password.New(password.Default(), runtime.GOMAXPROCS(0))
	hash, err := hasher.Hash(context.Background(), thePassword)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hash", func(w http.ResponseWriter, r *http.Request) {
		if right, err := hasher.Verify(r.Context(), thePassword, hash); err != nil || !right {
			http.Error(w, "the hash does not verify", http.StatusInternalServerError)
			return
		}
		io.WriteString(w, "right")
	})
	mux.HandleFunc("GET /ready", answer("ready"))
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "browser", Value: r.URL.Query().Get("state"), Path: "/", HttpOnly: true})
		redirect("/login/abc")(w, r)
	})
	mux.HandleFunc("GET /login/abc", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.RawQuery == "otp" {
			w.Write(otpPage)
			return
		}
		w.Write(loginPage)
	})
	mux.HandleFunc("POST /login/abc/password", redirect("/login/abc?otp"))
	mux.HandleFunc("POST /login/abc/otp", redirect("http://127.0.0.1:1/callback?code=abc&state=s"))
	mux.HandleFunc("GET /api/v1/sms", answer(`[{"otp":"123456"}]`))
	mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 1800, "id_token": signFloor(key)})
	})
	mux.HandleFunc("GET /userinfo", answer(`{"sub":"abc","name":"Người Thử"}`))
	mux.HandleFunc("POST /oauth/introspect", answer(`{"active":true,"sub":"abc"}`))
	mux.HandleFunc("GET /.well-known/openid-configuration", answer(`{"issuer":"`+strings.Repeat("x", 1700)+`"}`))
	mux.HandleFunc("GET /keys", answer(`{"keys":["`+strings.Repeat("x", 1500)+`"]}`))
	mux.HandleFunc("GET /end_session", redirect("http://127.0.0.1:1/"))
	return (&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(l)
}

func signFloor(key *rsa.PrivateKey) string {
	claims := fmt.Sprintf(`{"iss":"http://localhost","sub":"abc","aud":"bench","exp":%d,"iat":%d,"nonce":"n"}`, time.Now().Unix()+300, time.Now().Unix())
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	sum := sha256.Sum256([]byte(head))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return head + "." + base64.RawURLEncoding.EncodeToString(sig)
}
