package main

import (
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestOnlyOurOwnHostIsAnswered(t *testing.T) {
	w := newWorld(t)
	port := w.url[strings.LastIndex(w.url, ":"):]
	for host, want := range map[string]int{
		"evil.test": 421, "evil.test" + port: 421, "127.0.0.1.evil.test": 421, "dichvucong.gov.vn": 421, "10.0.0.1": 421,
		"localhost" + port: 200, "127.0.0.1" + port: 200, "[::1]" + port: 200,
	} {
		r, _ := http.NewRequest("GET", w.url+"/", nil)
		r.Host = host
		p := w.browser().do(r)
		if p.status != want || !p.has("MÔI TRƯỜNG THỬ NGHIỆM") {
			t.Errorf("%s: %d, want %d", host, p.status, want)
		}
	}
	// The provider sends people back to PORTAL_URL, so they sign in from there.
	r, _ := http.NewRequest("GET", w.url+"/login?next=%2Fprofile", nil)
	r.Host = "localhost" + port
	if p := w.browser().do(r); p.location != w.url+"/login?next=%2Fprofile" {
		t.Errorf("sign-in on another loopback name leads to %q", p.location)
	}
}

func TestEveryPageCarriesBannerLanguageAndStrictHeaders(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn()
	out, local, officer, asked := w.browser(), w.browser(), w.browser(), w.browser()
	local.local("an.nguyen", "/")
	officer.local("minh.canbo", "/")
	asked.vneid(linh, "/")
	type visit struct {
		b    *browser
		path string
	}
	for _, lang := range []string{"vi", "en"} {
		b.get("/language/" + lang)
		out.get("/language/" + lang)
		local.get("/language/" + lang)
		officer.get("/language/" + lang)
		asked.get("/language/" + lang)
		for _, v := range []visit{{out, "/"}, {out, "/?q=khai+sinh"}, {out, "/?q=zzz"}, {out, "/procedures/9.000101"}, {out, "/login"}, {out, "/login/local"}, {b, "/"}, {b, "/profile"},
			{b, "/procedures/9.000101/apply"}, {b, "/profile/identity"}, {b, "/profile/sign-ins"}, {b, "/profile/audit"}, {b, "/dossiers"}, {b, "/officer"}, {out, "/linking-rules"},
			{local, "/identity/cccd"}, {local, "/profile/identity"}, {local, "/dossiers"}, {local, "/dossiers/" + w.seeded("AN23K7QX")}, {local, "/procedures/9.000604/apply"}, {asked, "/link"},
			{officer, "/officer"}, {officer, "/officer/audit"}, {officer, "/officer/dossiers/" + w.seeded("AN23K7QX")}, {out, "/nothing"}, {out, "/procedures/none"}, {out, "/callback"}, {out, "/problem/denied"}, {out, "/problem/nothing"}} {
			p := v.b.get(v.path)
			if !p.has("MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT") || !p.has(`<html lang="`+lang+`">`) || !p.has("/language/") {
				t.Errorf("%s in %s lacks banner, lang or switch", v.path, lang)
			}
			if p.has("<script") || p.has("style=") || p.has("<style") || regexp.MustCompile(`\son[a-z]+=`).MatchString(p.body) {
				t.Errorf("%s has inline script or style", v.path)
			}
			csp := p.header.Get("Content-Security-Policy")
			for _, s := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
				if !strings.Contains(csp, s) {
					t.Errorf("%s: CSP lacks %s", v.path, s)
				}
			}
			if p.header.Get("X-Robots-Tag") != "noindex, nofollow" || p.header.Get("X-Content-Type-Options") != "nosniff" || p.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: headers %v", v.path, p.header)
			}
		}
	}
	r, _ := http.NewRequest("GET", w.url+"/", nil)
	r.Header.Set("Accept-Language", "en-GB,en;q=0.9")
	if p := w.browser().do(r); !p.has(`<html lang="vi">`) {
		t.Error("the browser's language overruled Vietnamese")
	}
}

func TestEveryErrorPageCarriesTheBanner(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn()
	check := func(what string, p page, status int) {
		t.Helper()
		if p.status != status || !p.has("MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT") || p.header.Get("X-Robots-Tag") == "" {
			t.Errorf("%s: %d, want %d with the banner: %.300s", what, p.status, status, p.body)
		}
	}
	send := func(method, path, body string, header ...string) page {
		r, _ := http.NewRequest(method, w.url+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return b.do(r)
	}
	check("no such page", send("GET", "/nothing", ""), 404)
	check("a method", send("PUT", "/", ""), 405)
	check("a GET that would change something", send("GET", "/logout", ""), 405)
	check("a form of another site", send("POST", "/logout", "", "Sec-Fetch-Site", "cross-site"), 403)
	check("a huge form", send("POST", "/login/local", "username="+strings.Repeat("x", 64<<10), "Sec-Fetch-Site", "same-origin"), 413)
	check("bytes that are no text", send("GET", "/callback?code=%ff&state=%00", ""), 400)
	w.lie(func(op *fakeOP) { op.down = true })
	w.restart()
	check("the provider is down", w.browser().get("/login/vneid"), 503)
	w.portal.store.db.Close()
	check("its database is gone", b.get("/profile"), 500)
}

func TestEveryTextAndEveryProblemIsCompleteInBothLanguages(t *testing.T) {
	used := regexp.MustCompile(`\.T "([^"]+)"`)
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d templates, %v", len(names), err)
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			if _, ok := texts[m[1]]; !ok {
				t.Errorf("%s uses the text %q, which does not exist", name, m[1])
			}
		}
	}
	whole := func(where string, list ...text) {
		for _, x := range list {
			if x.VI == "" || x.EN == "" {
				t.Errorf("%s lacks a language", where)
			}
		}
	}
	for k, x := range texts {
		whole(k, x)
	}
	for _, did := range []linkAction{noTaken, noCooling, noOfficer, noVNeID, noOtherNumber} {
		whole("link."+string(did), texts["link."+string(did)])
	}
	for _, x := range []map[string]text{statusTexts, returnTexts, auditTexts, whyTexts} {
		for k, x := range x {
			whole(k, x)
		}
	}
	for _, p := range procedures {
		whole(p.Code, append([]text{p.Name, p.Field, p.Agency, p.Level, p.Fee, p.Time, p.About}, p.Papers...)...)
	}
	for k, p := range problems {
		whole(k, p.Title, p.What, p.Why, p.Next)
		if p.status < 400 {
			t.Errorf("%s has status %d", k, p.status)
		}
	}
	for _, kind := range refusals {
		if _, ok := problems[kind]; !ok {
			t.Errorf("no page for %s", kind)
		}
	}
}

func TestSearchFindsWithAndWithoutMarks(t *testing.T) {
	for query, want := range map[string]string{"khai sinh": "9.000101", "HỘ KINH DOANH": "9.000301", "ho kinh doanh": "9.000301", "dat dai": "9.000503", "9.000802": "9.000802", "birth": "9.000101"} {
		if !slices.ContainsFunc(findProcedures(query), func(p procedure) bool { return p.Code == want }) {
			t.Errorf("%q does not find %s", query, want)
		}
	}
	if n := len(findProcedures("")); n != len(procedures) || n != 40 {
		t.Errorf("nothing asked, %d found", n)
	}
	if n := len(findProcedures("<script>")); n != 0 {
		t.Errorf("%d found", n)
	}
}
