package main

// What strangers send to the portal, mutated: an address in a link, the query
// of a callback, settings.

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Wherever the browser is sent after signing in, it stays on this portal.
func FuzzWantedPage(f *testing.F) {
	for _, s := range []string{"/", "/procedures/1?x=y", "//evil.test", `/\evil.test`, "/\t/evil.test", "https://evil.test", "javascript:alert(1)", "/./..//evil.test", "/%2f/evil.test",
		"/%5cevil.test", "/login", "/login/vneid?next=/", "/loginx", "/callback?code=1", "", "/a#b", "/é", "/..", "/%2e%2e/login", "?x", "/x@evil.test", "/:80", "/?http://evil.test"} {
		f.Add(s)
	}
	base, _ := url.Parse("http://portal.test/a/b")
	f.Fuzz(func(t *testing.T, s string) {
		got := wantedPage(s)
		if got != "/" && got != s {
			t.Fatalf("%q became %q", s, got)
		}
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.User != nil || u.Opaque != "" {
			t.Fatalf("%q leads to %v, %v", s, u, err)
		}
		// As browsers read it (WHATWG URL): tabs and newlines vanish, a
		// backslash is a slash.
		browsers := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(got)
		if browsers[0] != '/' || strings.HasPrefix(browsers, "//") {
			t.Fatalf("%q leads a browser to %q", s, browsers)
		}
		for _, loop := range []string{"/login", "/logout", "/callback", "/language"} {
			if u.Path == loop || strings.HasPrefix(u.Path, loop+"/") {
				t.Fatalf("%q leads into the sign-in itself: %q", s, got)
			}
		}
		if wantedPage(got) != got {
			t.Fatalf("%q is wanted, and then %q", got, wantedPage(got))
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	for _, s := range []string{"code=a&state=b&iss=http://localhost", "error=access_denied&state=b", "code=a&code=b", "state=%zz", "iss=", "a;b", "state=a&state=", "error_description=%00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := readAnswer(raw)
		q, parseErr := url.ParseQuery(raw)
		twice := false
		for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
			twice = twice || len(q[name]) > 1
		}
		switch {
		case err != nil && a != (answer{}):
			t.Fatalf("%q is refused, and yet %+v", raw, a)
		case err == nil && (parseErr != nil || twice):
			t.Fatalf("%q is accepted as %+v", raw, a)
		case err == nil && (a.state != q.Get("state") || a.code != q.Get("code") || a.iss != q.Get("iss") || a.hasIss != q.Has("iss") || a.errorCode != q.Get("error")):
			t.Fatalf("%q is read as %+v", raw, a)
		}
	})
}

// A callback that this browser did not ask for ends on a page of the portal:
// no session, no request to the provider, no markup of the query.
func FuzzCallback(f *testing.F) {
	var calls int
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls++; w.WriteHeader(http.StatusNotFound) }))
	f.Cleanup(provider.Close)
	cfg := config{Listen: "127.0.0.1:0", URL: "http://127.0.0.1:9999", Issuer: provider.URL, ClientID: "c", ClientSecret: "s", Database: filepath.Join(f.TempDir(), "portal.db")}
	p, err := newPortalWith(context.Background(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now, newHasher(64, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.close)
	handler := p.handler()
	for _, s := range []string{"code=a&state=b&iss=x", "error=access_denied&error_description=<fuzz&state=b", "state=<fuzz", "error=<fuzz>", "code=a", "state=%ff%00", "state=a&state=b", "%zz", "lang=en&error=x", "error=" + strings.Repeat("x", 5000), ""} {
		f.Add(s, "")
		f.Add(s, "portal_session=x; portal_lang=<fuzz")
		f.Add(s, "portal_session="+strings.Repeat("A", 43))
	}
	f.Fuzz(func(t *testing.T, query, cookie string) {
		if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == 0x7f }) || strings.ContainsFunc(cookie, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Skip("no server reads such a request")
		}
		req := httptest.NewRequest("GET", cfg.URL+"/callback", nil)
		req.URL.RawQuery = query
		req.Header.Set("Cookie", cookie)
		rec := httptest.NewRecorder()
		before := calls
		handler.ServeHTTP(rec, req)
		body := rec.Body.String()
		switch {
		case rec.Code < 400 || rec.Code == http.StatusInternalServerError || rec.Header().Get("Location") != "":
			t.Fatalf("%q: %d, to %q: %s", query, rec.Code, rec.Header().Get("Location"), body)
		case !strings.Contains(body, "MÔI TRƯỜNG THỬ NGHIỆM"):
			t.Fatalf("%q: a page without the banner: %s", query, body)
		case strings.Contains(strings.ToLower(body), "<fuzz"):
			t.Fatalf("%q got into the page: %s", query, body)
		case strings.Contains(strings.Join(rec.Header()["Set-Cookie"], " "), "session="):
			t.Fatalf("%q began a session: %q", query, rec.Header()["Set-Cookie"])
		case calls != before:
			t.Fatalf("%q made the portal ask its provider", query)
		}
	})
}

func FuzzConfig(f *testing.F) {
	for _, c := range [][4]string{{"127.0.0.1:9999", "", "http://localhost:9998", "sqlite:x"}, {":0", "https://Portal.test:443/", "https://idp.test/w/a", "sqlite:"}, {"x", "http://dichvucong.gov.vn", "http://GOV.VN.", "postgres:"},
		{"[::1]:1", "http://a.gov%2evn", "http://x.gov.vn:80/", "sqlite:a?b"}, {"", "http://u@h", "http://h?x", ""}, {"h:1", "http://[::1%25a]:1", "HTTP://h", "sqlite:\x00"}} {
		f.Add(c[0], c[1], c[2], c[3])
	}
	f.Fuzz(func(t *testing.T, listen, address, issuer, database string) {
		env := map[string]string{"PORTAL_LISTEN": listen, "PORTAL_URL": address, "PORTAL_ISSUER": issuer, "PORTAL_DATABASE": database}
		cfg, err := readConfig(nil, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, io.Discard)
		if err != nil {
			return
		}
		if issuer != "" && cfg.Issuer != issuer {
			t.Fatalf("the issuer %q became %q; it is compared byte for byte", issuer, cfg.Issuer)
		}
		for _, s := range []string{cfg.Issuer, cfg.URL} {
			if s == "" {
				continue
			}
			u, err := url.Parse(s)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
				t.Fatalf("accepted %q: %v", s, err)
			}
			if host := strings.ToLower(strings.TrimRight(u.Hostname(), ".")); host == "gov.vn" || strings.HasSuffix(host, ".gov.vn") {
				t.Fatalf("accepted %q", s)
			}
		}
		if u, _ := url.Parse(cfg.URL); cfg.URL != "" && (u.Path != "" || u.Host != strings.ToLower(u.Host)) {
			t.Fatalf("the portal lives at %q", cfg.URL)
		}
		if cfg.Database == "" {
			t.Fatal("accepted without a database")
		}
	})
}
