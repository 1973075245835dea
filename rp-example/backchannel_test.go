package main

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func (w *world) logoutClaims(c citizen) map[string]any {
	return map[string]any{"iss": w.op.srv.URL, "aud": "thanhhoa-portal", "sub": c.sub, "sid": or(c.sid, "sid-"+c.sub), "jti": secret(),
		"iat": w.now().Unix(), "exp": w.now().Add(2 * time.Minute).Unix(), "events": map[string]any{logoutEvent: map[string]any{}}}
}

// tell posts a logout token as a provider does: no cookies, no Origin.
func (w *world) tell(token string) page {
	w.t.Helper()
	r, err := http.NewRequest("POST", w.url+"/backchannel-logout", strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.browser().do(r)
}

func TestALogoutTokenEndsExactlyTheRightSessions(t *testing.T) {
	w := newWorld(t)
	open := func(c citizen, sid string) *browser {
		b := w.browser()
		b.vneid(c.with(func(c *citizen) { c.sid = sid }), "/")
		return b
	}
	first, second, third := open(cuong, "s1"), open(cuong, "s1"), open(cuong, "s2")
	stranger, same := open(linh, "s3"), open(hai, "s1") // another person whose sid happens to be equal
	local := w.browser()
	local.local("an.nguyen", "/")

	bySid := w.logoutClaims(cuong.with(func(c *citizen) { c.sid = "s1" }))
	p := w.tell(w.op.signAs("logout+jwt", bySid))
	if p.status != 200 || p.header.Get("Cache-Control") != "no-store" || p.body != "" || p.header.Get("Set-Cookie") != "" {
		t.Fatalf("%d %q %v", p.status, p.body, p.header)
	}
	if first.signedInAs() != "" || second.signedInAs() != "" {
		t.Error("sid s1 is still there")
	}
	third.vneidIsHere(t, cuong.name)
	stranger.vneidIsHere(t, linh.name)
	same.vneidIsHere(t, hai.name)

	bySub := w.logoutClaims(cuong)
	delete(bySub, "sid")
	if p := w.tell(w.op.signAs("application/logout+jwt", bySub)); p.status != 200 {
		t.Fatalf("by sub: %d %s", p.status, p.body)
	}
	if third.signedInAs() != "" {
		t.Error("by sub: a session is left")
	}
	stranger.vneidIsHere(t, linh.name)
	local.vneidIsHere(t, an.name)
	sidOnly := w.logoutClaims(linh.with(func(c *citizen) { c.sid = "s3" }))
	delete(sidOnly, "sub")
	if p := w.tell(w.op.signAs("logout+jwt", sidOnly)); p.status != 200 || stranger.signedInAs() != "" {
		t.Errorf("by sid alone: %d %s", p.status, p.body)
	}
	if p := w.tell(w.op.signAs("logout+jwt", w.logoutClaims(minh))); p.status != 200 {
		t.Errorf("nobody to sign out: %d", p.status)
	}
	if !w.audited("backchannel.logout") {
		t.Error("not in the log")
	}
}

func TestALogoutTokenIsCheckedInEveryPoint(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(cuong, "/")
	idToken := func() string {
		c := w.logoutClaims(cuong)
		delete(c, "events")
		c["nonce"] = "n"
		return w.op.signAs("logout+jwt", c)
	}
	token := func(change func(map[string]any)) string {
		c := w.logoutClaims(cuong)
		change(c)
		return w.op.signAs("logout+jwt", c)
	}
	good := token(func(map[string]any) {})
	part := strings.Split(good, ".")
	other := newKey(t)
	forged := func() string {
		w.lie(func(op *fakeOP) { op.signWith = other })
		defer w.lie(func(op *fakeOP) { op.signWith = nil })
		return token(func(map[string]any) {})
	}
	for name, raw := range map[string]string{
		"nothing":             "",
		"garbage":             "a.b.c",
		"an ID token":         idToken(),
		"typ JWT":             w.op.signAs("JWT", w.logoutClaims(cuong)),
		"typ at+jwt":          w.op.signAs("at+jwt", w.logoutClaims(cuong)),
		"alg none":            "eyJhbGciOiJub25lIiwidHlwIjoibG9nb3V0K2p3dCJ9." + part[1] + ".",
		"no signature":        part[0] + "." + part[1] + ".",
		"another key":         forged(),
		"another issuer":      token(set("iss", "http://evil.test")),
		"another audience":    token(set("aud", "my-portal")),
		"no aud":              token(set("aud", nil)),
		"expired":             token(set("exp", w.now().Add(-time.Minute).Unix())),
		"no exp":              token(set("exp", nil)),
		"no iat":              token(set("iat", nil)),
		"iat an hour ago":     token(set("iat", w.now().Add(-time.Hour).Unix())),
		"iat next week":       token(set("iat", w.now().Add(7*24*time.Hour).Unix())),
		"no jti":              token(set("jti", nil)),
		"jti of 400":          token(set("jti", strings.Repeat("j", 400))),
		"no events":           token(set("events", nil)),
		"another event":       token(set("events", map[string]any{"http://evil.test": map[string]any{}})),
		"event is no object":  token(set("events", map[string]any{logoutEvent: "yes"})),
		"event is null":       token(set("events", map[string]any{logoutEvent: nil})),
		"events is a list":    token(set("events", []string{logoutEvent})),
		"a nonce":             token(set("nonce", "n")),
		"an empty nonce":      token(set("nonce", "")),
		"neither sub nor sid": token(func(m map[string]any) { delete(m, "sub"); delete(m, "sid") }),
		"sub is a number":     token(set("sub", 5)),
	} {
		p := w.tell(raw)
		if p.status != 400 || p.header.Get("Cache-Control") != "no-store" || !strings.Contains(p.header.Get("Content-Type"), "json") {
			t.Errorf("%s: %d %v", name, p.status, p.header)
		}
		if strings.Contains(w.log.String(), "eyJ") {
			t.Fatalf("%s: the token stands in the log", name)
		}
	}
	b.vneidIsHere(t, cuong.name)
	// A sid that belongs to another sub ends nothing.
	c := w.logoutClaims(linh)
	c["sid"] = "sid-cuong"
	if p := w.tell(w.op.signAs("logout+jwt", c)); p.status != 200 {
		t.Errorf("%d", p.status)
	}
	b.vneidIsHere(t, cuong.name)
	// In the query, or twice, it is no logout; by GET neither.
	if p := w.browser().post("/backchannel-logout?logout_token="+good, nil); p.status != 400 {
		t.Errorf("in the query: %d", p.status)
	}
	if p := w.browser().post("/backchannel-logout", url.Values{"logout_token": {good, good}}); p.status != 400 {
		t.Errorf("twice: %d", p.status)
	}
	if p := w.browser().get("/backchannel-logout?logout_token=" + good); p.status != 405 {
		t.Errorf("GET: %d", p.status)
	}
	b.vneidIsHere(t, cuong.name)
	// The good one works, once.
	if p := w.tell(good); p.status != 200 || b.signedInAs() != "" {
		t.Errorf("the good one: %d %s", p.status, p.body)
	}
	b.vneid(cuong, "/")
	if p := w.tell(good); p.status != 400 {
		t.Errorf("again: %d", p.status)
	}
	b.vneidIsHere(t, cuong.name)
}

func TestAProviderWithoutKeysIsAskedToTryAgain(t *testing.T) {
	w := newWorld(t)
	w.lie(func(op *fakeOP) { op.keysDown = true })
	if p := w.tell(w.op.signAs("logout+jwt", w.logoutClaims(cuong))); p.status != 503 {
		t.Errorf("keys down: %d %s", p.status, p.body)
	}
	w.lie(func(op *fakeOP) { op.keysDown, op.down = false, true })
	w.restart()
	if p := w.tell(w.op.signAs("logout+jwt", w.logoutClaims(cuong))); p.status != 503 {
		t.Errorf("provider down: %d", p.status)
	}
	w.lie(func(op *fakeOP) { op.down = false })
	w.advance(2 * time.Second)
	c := w.logoutClaims(cuong)
	maps.Copy(c, map[string]any{"extra": 1})
	if p := w.tell(w.op.signAs("logout+jwt", c)); p.status != 200 {
		t.Errorf("afterwards: %d %s", p.status, p.body)
	}
}

func TestASignInThatWaitsAtTheQuestionEndsToo(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.local("gia.mao", "/")
	b.at(b.post("/link/start", nil), cuong).wantAt(t, "/who")
	if p := w.tell(w.op.signAs("logout+jwt", w.logoutClaims(cuong))); p.status != 200 {
		t.Fatalf("%d", p.status)
	}
	b.post("/who", url.Values{"do": {"new"}}).wantAt(t, "/")
	b.vneidIsHere(t, "Phan Văn Giả")
}
