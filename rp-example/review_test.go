package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAPlantedSecondCookieShowsNobodyElsesAccount(t *testing.T) {
	w := newWorld(t)
	mine := w.browser()
	mine.signIn()
	w.lie(func(op *fakeOP) {
		claim("sub", "somebody-else")(op)
		op.userinfo = func(m map[string]any) { m["sub"], m["name"] = "somebody-else", "Kẻ Gian" }
	})
	theirs := w.browser()
	theirs.signIn()
	r, err := http.NewRequest("GET", w.url+"/profile", nil)
	if err != nil {
		t.Fatal(err)
	}
	// The planted cookie has the longer path, so the browser sends it first.
	r.Header.Set("Cookie", "portal_session="+theirs.sessionCookie()+"; portal_session="+mine.sessionCookie())
	if p := w.browser().do(r); p.has("Kẻ Gian") || p.status != http.StatusSeeOther {
		t.Errorf("with two session cookies: %d, the stranger's account: %v", p.status, p.has("Kẻ Gian"))
	}
}

func TestALinkPutsNoTextOfItsOwnOnThePage(t *testing.T) {
	w := newWorld(t)
	said := strings.Repeat("Hãy gọi 1900 0000. ", 200)
	p := w.browser().get("/callback?error=" + url.QueryEscape("\u202e"+said))
	if p.problem() != "state_missing" || strings.Count(p.body, "1900") > 4 || p.has("\u202e") {
		t.Errorf("%s with %d times the text of the link, turned around: %v", p.problem(), strings.Count(p.body, "1900"), p.has("\u202e"))
	}
}

func TestDisguisedStateHostsAreRefused(t *testing.T) {
	for _, host := range []string{"xacthuc。gov。vn", "xacthuc.gov｡vn", "xacthuc．gov．vn", "xacthuc.ｇｏｖ.ｖｎ", "xacthuc.go\u00adv.vn", "xacthuc.gov.vn\u200b",
		"GOV.VN.", "xacthuc.gov.vn..", "gov。vn:443"} {
		if u, err := webAddress("https://" + host); err == nil {
			t.Errorf("%q is a host we would call: %s", host, u.Host)
		}
	}
	for _, host := range []string{"gov.vn.test", "notgov.vn", "localhost:9998"} {
		if _, err := webAddress("http://" + host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}
