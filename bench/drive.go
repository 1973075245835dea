package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Every request of the driver has the same PKCE pair: what is measured is the
// server.
const (
	verifier  = "bench-verifier-bench-verifier-bench-verifier"
	challenge = "cFdeqdT9sgpMAjbNYTU5lE6sK3fZKrurXEDvbN2lyUo"
)

// user is one browser at a time, and a share of the people.
type user struct {
	s      *server
	id, of int          // which of how many
	client *http.Client // the browser: cookies, no redirects
	me     person       // who signed in last
	turn   int
	got    tokens    // by the last login or refresh
	open   []session // to be ended
}

// session is a browser in which somebody signed in.
type session struct {
	jar     http.CookieJar
	idToken string
}

func newUser(s *server, id, of int) *user {
	u := &user{s: s, id: id, of: of, client: &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 4, DialContext: dialV4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	u.freshBrowser()
	return u
}

// dialV4 keeps name resolution and the race between addresses out of it.
func dialV4(ctx context.Context, network, addr string) (net.Conn, error) {
	_, port, _ := net.SplitHostPort(addr)
	return (&net.Dialer{}).DialContext(ctx, "tcp4", "127.0.0.1:"+port)
}

// next is another of n people each time, of those that no other user is at any
// time: nobody shall wait for somebody else's message. The step is a prime, so
// that neighbours in time are no neighbours in the database.
func (u *user) next(n int, who func(int) person) person {
	u.turn++
	return who(u.id + u.of*(u.turn*7919%max(1, n/u.of)))
}

func (u *user) freshBrowser() { u.client.Jar, _ = cookiejar.New(nil) }

func (u *user) do(method, target string, form url.Values, auth string) (*http.Response, string, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		return nil, "", err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	switch {
	case auth == "basic":
		req.SetBasicAuth("bench", "bench-secret-of-the-benchmark")
	case auth != "":
		req.Header.Set("Authorization", "Bearer "+auth)
	}
	resp, err := u.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// tokens is what a login gives.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

var authorizeQuery = url.Values{"client_id": {"bench"}, "redirect_uri": {"http://127.0.0.1:1/callback"}, "response_type": {"code"},
	"scope": {"openid profile cccd offline_access"}, "state": {"a-state-of-the-benchmark"}, "nonce": {"n-0S6_WzA2Mj"},
	"code_challenge": {challenge}, "code_challenge_method": {"S256"}}.Encode()

// firstPage is authorize and the page it leads to.
func (u *user) firstPage() (page string, err error) {
	resp, _, err := u.do("GET", u.s.issuer+"/authorize?"+authorizeQuery, nil, "")
	if err != nil {
		return "", err
	}
	page = resp.Header.Get("Location")
	if !strings.HasPrefix(page, "/login/") {
		return "", fmt.Errorf("authorize: %s to %q", resp.Status, page)
	}
	resp, body, err := u.do("GET", u.s.issuer+page, nil, "")
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("first page: %s %.300s", resp.Status, body)
	}
	return page, err
}

// login is a whole sign-in: six requests and the look into the inbox.
func (u *user) login(p person) (t tokens, err error) {
	u.me = p
	u.freshBrowser()
	page, err := u.firstPage()
	if err != nil {
		return t, err
	}
	resp, body, err := u.do("POST", u.s.issuer+page+"/password", url.Values{"username": {string(p.cccd)}, "password": {thePassword}}, "")
	if err != nil {
		return t, err
	}
	if resp.StatusCode != http.StatusSeeOther {
		return t, fmt.Errorf("password: %s %.300s", resp.Status, body)
	}
	if err := u.expect(http.StatusOK, "GET", u.s.issuer+resp.Header.Get("Location"), nil, ""); err != nil {
		return t, err
	}
	otp, err := u.otp()
	if err != nil {
		return t, err
	}
	if resp, body, err = u.do("POST", u.s.issuer+page+"/otp", url.Values{"otp": {otp}}, ""); err != nil {
		return t, err
	}
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		return t, fmt.Errorf("otp: %s to %q: %.300s", resp.Status, resp.Header.Get("Location"), body)
	}
	return u.token(url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")},
		"redirect_uri": {"http://127.0.0.1:1/callback"}, "code_verifier": {verifier}})
}

func (u *user) token(form url.Values) (t tokens, err error) {
	resp, body, err := u.do("POST", u.s.issuer+"/oauth/token", form, "basic")
	if err != nil {
		return t, err
	}
	if resp.StatusCode != http.StatusOK {
		return t, fmt.Errorf("token: %s %s", resp.Status, body)
	}
	return t, json.Unmarshal([]byte(body), &t)
}

// otp looks into the inbox, as any test of a portal would.
func (u *user) otp() (string, error) {
	resp, body, err := u.do("GET", u.s.sandbox+"/api/v1/sms?to="+string(u.me.phone), nil, "")
	if err != nil {
		return "", err
	}
	var list []struct {
		OTP string `json:"otp"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) == 0 {
		return "", fmt.Errorf("inbox: %s %.200s", resp.Status, body)
	}
	return list[0].OTP, nil
}

// expect does a request that must answer with that status.
func (u *user) expect(status int, method, target string, form url.Values, auth string) error {
	resp, body, err := u.do(method, target, form, auth)
	if err == nil && resp.StatusCode != status {
		err = fmt.Errorf("%s %s: %s %.200s", method, target, resp.Status, body)
	}
	return err
}

// errEnough ends together early, without being a failure.
var errEnough = errors.New("enough")

// together runs fn for every user, each so many times, and stops at the first
// error.
func together(ctx context.Context, users []*user, times int, fn func(u *user) error) (int, error) {
	var wg sync.WaitGroup
	var done atomic.Int64
	var once sync.Once
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, u := range users {
		wg.Go(func() {
			for range times {
				if ctx.Err() != nil {
					return
				}
				if err := fn(u); err != nil {
					once.Do(func() { failed = err; cancel() })
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return int(done.Load()), failed
}
