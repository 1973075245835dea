package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheSessionIdIsNewAfterASignIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	cb := b.begin("/")
	before := b.sessionCookie()
	b.get(cb)
	after := b.sessionCookie()
	if before == "" || after == "" || before == after {
		t.Fatalf("before %q, after %q", before, after)
	}
	// Whoever planted the old cookie holds nothing.
	attacker := w.browser()
	u, _ := url.Parse(w.url)
	attacker.client.Jar.SetCookies(u, []*http.Cookie{{Name: "portal_session", Value: before, Path: "/"}})
	if who := attacker.signedInAs(); who != "" {
		t.Errorf("the old cookie is signed in as %q", who)
	}

	local := w.browser()
	local.begin("/")
	before = local.sessionCookie()
	local.post("/login/local", url.Values{"username": {"an.nguyen"}, "password": {seedPassword}})
	if after = local.sessionCookie(); after == before {
		t.Error("a local sign-in kept the session id")
	}
}

func TestCookiesAreKeptFromScriptsAndStrangers(t *testing.T) {
	w := newWorld(t)
	set := w.browser().get("/login/vneid").header.Get("Set-Cookie")
	for _, s := range []string{"portal_session=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(set, s) {
			t.Errorf("Set-Cookie lacks %s: %s", s, set)
		}
	}
	w.portal.cfg.URL = "https://portal.test"
	r, _ := http.NewRequest("GET", w.url+"/login/vneid", nil)
	r.Host = "portal.test"
	set = w.browser().do(r).header.Get("Set-Cookie")
	if !strings.HasPrefix(set, "__Host-portal_session=") || !strings.Contains(set, "Secure") || strings.Contains(set, "Domain") {
		t.Errorf("under https: %s", set)
	}
}

func TestWhoReadsTheDatabaseCanNotWalkIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	pending := b.begin("/")
	b.signIn()
	u, _ := url.Parse(pending)
	var all strings.Builder
	for _, f := range []string{w.db, w.db + "-wal"} {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	for what, no := range map[string]string{"session id": b.sessionCookie(), "state": u.Query().Get("state"), "access token": "access-token-1", "password": seedPassword} {
		if no == "" || strings.Contains(all.String(), no) {
			t.Errorf("the %s stands in the file", what)
		}
	}
	if info, err := os.Stat(w.db); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestARestartKeepsPeopleSignedInAndSignInsGoing(t *testing.T) {
	w := newWorld(t)
	b, other := w.browser(), w.browser()
	b.signIn()
	pending := other.begin("/profile")
	w.restart()
	if b.signedInAs() != "Nguyễn Văn An" {
		t.Error("the session is gone")
	}
	// The port is new, so the provider's redirect is aimed by hand.
	u, _ := url.Parse(pending)
	if p := other.get("/callback?" + u.RawQuery); p.problem() != "token_refused" {
		t.Errorf("the sign-in under way was lost before the code was tried: %q", p.problem())
	}
}

func TestSessionsEndAfterHalfAnHourOfRestOrEightHours(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn()
	w.advance(31 * time.Minute)
	if b.signedInAs() != "" {
		t.Error("still signed in after 31 idle minutes")
	}
	b = w.browser()
	b.signIn()
	for range 23 { // a page every 20 minutes
		w.advance(20 * time.Minute)
		if b.signedInAs() == "" {
			t.Fatal("signed out while at work")
		}
	}
	w.advance(21 * time.Minute)
	if b.signedInAs() != "" {
		t.Error("still signed in after eight hours")
	}
}

func TestExpiredRowsAreRemoved(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin("/")
	b.signIn()
	b.post("/login/local", url.Values{"username": {"nobody"}, "password": {"x"}})
	w.advance(9 * time.Hour)
	if err := w.portal.store.purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"sessions", "attempts", "password_tries"} {
		var n int
		if err := w.portal.store.db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d rows, %v", table, n, err)
		}
	}
}

func TestOneStateHasOneWinner(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	u, _ := url.Parse(b.begin("/"))
	state, session := u.Query().Get("state"), hashed(b.sessionCookie())
	var wins sync.Map
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			if mine, err := w.portal.store.claimAttempt(context.Background(), state, session); err != nil {
				t.Error(err)
			} else if mine {
				wins.Store(i, true)
			}
		})
	}
	group.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 32 used one state", n)
	}
}

func TestSigningOutEndsBothSessionsAndSaysSo(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn()
	cookie := b.sessionCookie()
	p := b.post("/logout", nil)
	if p.status != 303 || !strings.HasPrefix(p.location, w.op.srv.URL+"/end_session?") {
		t.Fatalf("%d %q", p.status, p.location)
	}
	if csp := p.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' "+w.op.srv.URL) {
		t.Errorf("Chrome would stop the redirect to the provider: %s", csp)
	}
	back := b.get(p.location)
	q := w.op.signedOut
	if q.Get("post_logout_redirect_uri") != w.url+"/" || len(strings.Split(q.Get("id_token_hint"), ".")) != 3 || q.Get("state") == "" || q.Get("client_id") != "thanhhoa-portal" {
		t.Errorf("the provider was asked with %v", q)
	}
	if home := b.get(back.location); !home.has("Bạn đã đăng xuất khỏi Cổng và khỏi VNeID.") || home.has("Đăng xuất<") {
		t.Error("home does not say that both sessions ended")
	}
	if home := b.get("/"); home.has("đã đăng xuất") {
		t.Error("the notice stays")
	}
	// The session is gone at the server, not only in this browser.
	old := w.browser()
	u, _ := url.Parse(w.url)
	old.client.Jar.SetCookies(u, []*http.Cookie{{Name: "portal_session", Value: cookie, Path: "/"}})
	if who := old.signedInAs(); who != "" {
		t.Errorf("the old cookie still signs in %q", who)
	}
}

func TestAForeignStateAfterSigningOutProvesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn()
	b.post("/logout", nil)
	if p := b.get("/?state=invented"); p.has("khỏi VNeID.") || !p.has("Bạn đã đăng xuất khỏi Cổng.") {
		t.Error("a state we did not give was believed")
	}
	if p := w.browser().get("/?state=invented"); p.has("đã đăng xuất") {
		t.Error("a link can show the notice")
	}
}

func TestSigningOutWorksWhileTheProviderIsDown(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn()
	w.lie(func(op *fakeOP) { op.down = true })
	w.restart() // forgets the discovery document
	if p := b.post("/logout", nil); p.problem() != "signed_out_here_only" || p.has("Nguyễn Văn An") {
		t.Errorf("%d %q", p.status, p.problem())
	}
	if b.signedInAs() != "" {
		t.Error("still signed in")
	}
}

func TestAnotherSiteCanNotSignAnybodyOutOrIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn()
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "http://evil.test"}, {"Sec-Fetch-Site", "", "Origin", "null"}} {
		if p := b.post("/logout", nil, h...); p.status != 403 || p.problem() != "cross_site" {
			t.Errorf("%v: %d %q", h, p.status, p.problem())
		}
	}
	if p := b.get("/logout"); p.status != http.StatusMethodNotAllowed || p.header.Get("Allow") != "POST" {
		t.Errorf("GET /logout: %d", p.status)
	}
	if b.signedInAs() == "" {
		t.Error("signed out by another site")
	}
	other := w.browser()
	if p := other.post("/login/local", url.Values{"username": {"gia.mao"}, "password": {seedPassword}}, "Sec-Fetch-Site", "cross-site"); p.status != 403 || other.signedInAs() != "" {
		t.Errorf("signed in by another site: %d", p.status)
	}
}
