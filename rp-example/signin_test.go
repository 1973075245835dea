package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestACitizenSignsInAndLandsOnThePageThatWasWanted(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	const wanted = "/procedures/9.000101/apply"

	p := b.get(wanted)
	if p.status != 303 || p.location != "/login?next="+url.QueryEscape(wanted) {
		t.Fatalf("Nộp hồ sơ without a sign-in: %d %q", p.status, p.location)
	}
	p = b.get(p.location)
	for _, choice := range []string{">Tài khoản VNeID Bộ Công an</a>", ">Tài khoản được cấp bởi Cổng dịch vụ công</a>"} {
		if !p.has(choice) {
			t.Errorf("the choice page lacks %s", choice)
		}
	}
	if n := strings.Count(p.body, "<li>") + strings.Count(p.body, "<li "); n != 2 {
		t.Errorf("the choice page offers %d choices, want exactly 2", n)
	}
	if p = b.get(b.begin(wanted)); p.status != 303 || p.location != wanted {
		t.Fatalf("callback: %d %q %s", p.status, p.location, p.problem())
	}
	p = b.get(p.location)
	for _, s := range []string{"Thông tin người nộp hồ sơ", "Nguyễn Văn An", "038******001", "15/03/1990", "0950000001", "Đăng xuất"} {
		if !p.has(s) {
			t.Errorf("the wanted page lacks %q", s)
		}
	}
	p = b.get("/profile")
	for _, s := range []string{"Thông tin cá nhân", "LoA2", "mật khẩu, mã dùng một lần", "pairwise-1", "Phường Hạc Thành, Tỉnh Thanh Hóa"} {
		if !p.has(s) {
			t.Errorf("Thông tin cá nhân lacks %q", s)
		}
	}
	if p.has("038090000001") {
		t.Error("the whole number is on a page")
	}
}

func TestTheRequestCarriesStateNonceAndPKCEAndNothingElseOfOurs(t *testing.T) {
	w := newWorld(t)
	w.browser().begin("/procedures/9.000101/apply")
	first := w.op.authorize
	w.browser().begin("/procedures/9.000101/apply")
	second := w.op.authorize

	if got := first.Get("scope"); got != "openid profile phone email address cccd" {
		t.Errorf("scope is %q", got)
	}
	if first.Get("code_challenge_method") != "S256" || len(first.Get("code_challenge")) != 43 {
		t.Errorf("PKCE: %q %q", first.Get("code_challenge_method"), first.Get("code_challenge"))
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(first.Get(name)) < 43 || first.Get(name) == second.Get(name) {
			t.Errorf("%s is short or used twice: %q", name, first.Get(name))
		}
	}
	if q := first.Encode(); strings.Contains(q, "procedures") || strings.Contains(q, "client_secret") {
		t.Errorf("the request carries what it must not: %s", q)
	}
}

func TestACallbackWithoutOurStateOpensNoDoor(t *testing.T) {
	cases := map[string]struct {
		alter func(url.Values)
		want  string
	}{
		"no state":                  {func(q url.Values) { q.Del("state") }, "state_missing"},
		"empty state":               {func(q url.Values) { q.Set("state", "") }, "state_missing"},
		"a state nobody gave out":   {func(q url.Values) { q.Set("state", secret()) }, "state_unknown"},
		"a truncated state":         {func(q url.Values) { q.Set("state", q.Get("state")[:40]) }, "state_unknown"},
		"a URL as state":            {func(q url.Values) { q.Set("state", "aHR0cDovL2V2aWwudGVzdC8=") }, "state_unknown"},
		"state twice":               {func(q url.Values) { q.Add("state", q.Get("state")) }, "answer_malformed"},
		"code twice":                {func(q url.Values) { q.Add("code", "other") }, "answer_malformed"},
		"iss twice":                 {func(q url.Values) { q.Add("iss", q.Get("iss")) }, "answer_malformed"},
		"code and error":            {func(q url.Values) { q.Set("error", "access_denied") }, "answer_malformed"},
		"neither code nor error":    {func(q url.Values) { q.Del("code") }, "answer_malformed"},
		"another issuer":            {func(q url.Values) { q.Set("iss", "http://other.test") }, "issuer_wrong"},
		"issuer with a slash more":  {func(q url.Values) { q.Set("iss", q.Get("iss")+"/") }, "issuer_wrong"},
		"empty iss":                 {func(q url.Values) { q.Set("iss", "") }, "issuer_wrong"},
		"no iss though advertised":  {func(q url.Values) { q.Del("iss") }, "issuer_missing"},
		"an error of another iss":   {func(q url.Values) { q.Del("code"); q.Set("error", "access_denied"); q.Set("iss", "http://other.test") }, "issuer_wrong"},
		"a code nobody gave out":    {func(q url.Values) { q.Set("code", "invented") }, "token_refused"},
		"unknown parameters beside": {func(q url.Values) { q.Set("session_state", "x"); q.Add("foo", "1"); q.Add("foo", "2") }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.browser()
			p := b.get(changed(b.begin("/"), c.alter))
			if got := p.problem(); got != c.want {
				t.Fatalf("page is %q (%d), want %q", got, p.status, c.want)
			}
			if who := b.signedInAs(); (who == "") != (c.want != "") {
				t.Errorf("signed in as %q", who)
			}
			if c.want != "" && p.status < 400 {
				t.Errorf("status %d", p.status)
			}
			if c.want != "" && c.want != "token_refused" && w.op.tokens > 0 {
				t.Error("the code was sent to the token endpoint")
			}
		})
	}
}

func TestAMissingIssIsFineWhenTheProviderNeverPromisedOne(t *testing.T) {
	w := newWorld(t)
	w.lie(func(op *fakeOP) {
		op.discovery = map[string]any{"authorization_response_iss_parameter_supported": false}
		op.answer = func(q url.Values) { q.Del("iss") }
	})
	w.browser().signIn()
}

func TestAMalformedQueryIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, q := range []string{"state=%zz&code=x", "state=a;code=b"} {
		if p := w.browser().get("/callback?" + q); p.problem() != "answer_malformed" {
			t.Errorf("%s: %d %s", q, p.status, p.problem())
		}
	}
	if p := w.browser().post("/callback", url.Values{"state": {"x"}, "code": {"y"}}); p.status != http.StatusMethodNotAllowed {
		t.Errorf("form_post: %d", p.status)
	}
}

func TestACallbackOfAnotherBrowserSignsNobodyInAndSpoilsNothing(t *testing.T) {
	w := newWorld(t)
	attacker, victim := w.browser(), w.browser()
	stolen := attacker.begin("/")
	if p := victim.get(stolen); p.problem() != "state_other_browser" {
		t.Fatalf("browser without a session: %q", p.problem())
	}
	victim.begin("/")
	if p := victim.get(stolen); p.problem() != "state_other_browser" {
		t.Fatalf("browser with its own sign-in under way: %q", p.problem())
	}
	if who := victim.signedInAs(); who != "" {
		t.Fatalf("the victim is signed in as %q", who)
	}
	if p := attacker.get(stolen); p.status != 303 {
		t.Errorf("the sign-in of the first browser was spoilt: %q", p.problem())
	}
}

func TestAReplayedCallbackIsToldApartAndSignsNobodyIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	cb := b.begin("/")
	b.get(cb)
	if p := b.get(cb); p.problem() != "state_used" || !p.has("Nguyễn Văn An") {
		t.Errorf("reload while signed in: %q", p.problem())
	}
	b.post("/logout", nil)
	if p := b.get(cb); p.status < 400 {
		t.Errorf("replay after sign-out: %d %q", p.status, p.location)
	}
	if who := b.signedInAs(); who != "" {
		t.Errorf("signed in again as %q", who)
	}
}

func TestASignInOfElevenMinutesIsTooLate(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	cb := b.begin("/profile")
	w.advance(11 * time.Minute)
	if p := b.get(cb); p.status != http.StatusBadRequest || b.signedInAs() != "" {
		t.Errorf("%d %q", p.status, p.problem())
	}
}

func TestTwoTabsFinishInReverseOrder(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	first := b.begin("/procedures/9.000101/apply")
	second := b.begin("/procedures/9.000301/apply")
	if p := b.get(second); p.location != "/procedures/9.000301/apply" {
		t.Fatalf("second tab: %q %s", p.location, p.problem())
	}
	if p := b.get(first); p.location != "/procedures/9.000101/apply" {
		t.Fatalf("first tab: %q %s", p.location, p.problem())
	}
	if b.signedInAs() != "Nguyễn Văn An" {
		t.Error("not signed in")
	}
}

func TestABrowserKeepsEightSignInsUnderWay(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	oldest := b.begin("/")
	for range attemptsPerBrowser {
		b.begin("/")
	}
	if p := b.get(oldest); p.problem() != "state_unknown" {
		t.Errorf("the oldest sign-in: %q", p.problem())
	}
	var rows int
	if err := w.portal.store.db.QueryRow("SELECT count(*) FROM attempts").Scan(&rows); err != nil || rows != attemptsPerBrowser {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestEveryOAuthErrorHasAFriendlyPageAndNoSession(t *testing.T) {
	w := newWorld(t)
	for code, kind := range map[string]string{
		"access_denied": "denied", "login_required": "needs_you", "interaction_required": "needs_you", "consent_required": "needs_you",
		"account_selection_required": "needs_you", "temporarily_unavailable": "provider_busy", "server_error": "provider_error",
		"invalid_scope": "scope_refused", "invalid_request": "portal_misconfigured", "unauthorized_client": "portal_misconfigured",
		"unsupported_response_type": "portal_misconfigured", "unmet_authentication_requirements": "level_unmet", "vneid_9001": "other_error",
	} {
		for _, lang := range []string{"vi", "en"} {
			b := w.browser()
			b.get("/language/" + lang)
			p := b.get(changed(b.begin("/profile"), func(q url.Values) {
				q.Del("code")
				q.Set("error", code)
				q.Set("error_description", `<img src=x onerror=alert(1)>`+"\u202e"+strings.Repeat("x", 500))
			}))
			if p.problem() != kind || p.status < 400 {
				t.Errorf("%s: %d %q, want %q", code, p.status, p.problem(), kind)
			}
			if p.has("<img src=x") || p.has("\u202e") || p.has(strings.Repeat("x", 300)) {
				t.Errorf("%s: the description is shown raw", code)
			}
			text := problems[kind].Title.VI
			if lang == "en" {
				text = problems[kind].Title.EN
			}
			if !p.has(text) || !p.has(code) || !p.has("MÔI TRƯỜNG THỬ NGHIỆM") {
				t.Errorf("%s in %s: title, code or banner is missing", code, lang)
			}
			if b.signedInAs() != "" {
				t.Errorf("%s: signed in", code)
			}
		}
	}
}

func TestPeopleAreKnownByIssAndSubAndNeverByANumber(t *testing.T) {
	w := newWorld(t)
	first := w.browser()
	first.signIn()
	w.lie(func(op *fakeOP) { // somebody else with the same CCCD, phone and e-mail
		op.idToken, op.userinfo = set("sub", "pairwise-2"), set("sub", "pairwise-2")
	})
	second := w.browser()
	second.signIn()
	w.lie(func(op *fakeOP) { op.idToken, op.userinfo = nil, set("cccd", "038090000099") }) // the first, with a new number
	third := w.browser()
	third.signIn()

	var accounts, people int
	row := w.portal.store.db.QueryRow("SELECT count(DISTINCT account_id), count(*) FROM identities")
	if err := row.Scan(&accounts, &people); err != nil || accounts != 2 || people != 2 {
		t.Errorf("%d accounts of %d people, %v", accounts, people, err)
	}
}

func TestOnlyPagesOfThisPortalAreWanted(t *testing.T) {
	for in, want := range map[string]string{
		"/procedures/9.000101/apply": "/procedures/9.000101/apply", "/?q=khai+sinh": "/?q=khai+sinh", "/?q=h%E1%BB%99": "/?q=h%E1%BB%99",
		"": "/", "http://evil.test": "/", "//evil.test": "/", "/\\evil.test": "/", "\\\\evil.test": "/", "/\t/evil.test": "/", "/\n/evil.test": "/",
		"/%5cevil.test": "/", "javascript:alert(1)": "/", " /profile": "/", "/a/../..//evil.test": "/", "/./x": "/", "/%2e%2e/x": "/", "/x#frag": "/",
		"https:/evil.test": "/", "evil.test": "/", "/\x00": "/", "/\u2028": "/", "/" + strings.Repeat("a", 400): "/",
		"/login": "/", "/login/vneid": "/", "/login?next=/login": "/", "/callback?code=1": "/", "/logout": "/", "/language/en?next=%2F": "/",
		"/loginfoo": "/loginfoo",
	} {
		if got := wantedPage(in); got != want {
			t.Errorf("wantedPage(%q) = %q, want %q", in, got, want)
		}
	}
	w := newWorld(t)
	for _, evil := range []string{"//evil.test", "/\\evil.test", "https://evil.test/", "/%09/evil.test/../..//x"} {
		b := w.browser()
		if p := b.get(b.begin(evil)); p.location != "/" {
			t.Errorf("after the sign-in %q leads to %q", evil, p.location)
		}
		if p := b.get("/language/en?next=" + url.QueryEscape(evil)); p.location != "/" {
			t.Errorf("the language switch leads to %q", p.location)
		}
	}
}
