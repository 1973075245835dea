package main

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func filled(subject string) url.Values {
	return url.Values{"subject": {subject}, "details": {"Dòng một\nDòng hai"}, "phone": {"0950000001"}, "return": {"post"}, "address": {"Phường Hạc Thành"}, "once": {secret()}}
}

func TestWhatWasTypedSurvivesEveryDetour(t *testing.T) {
	kept := func(b *browser) {
		t.Helper()
		b.get(anApply).wantPage(t, 200, "Xin trích lục của tôi", "Dòng một\nDòng hai", "Phường Hạc Thành", `value="post" selected`, "vẫn còn đây")
	}
	t.Run("a sign-in by VNeID", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		b.post(anApply, filled("Xin trích lục của tôi")).wantAt(t, "/login?next="+url.QueryEscape(anApply))
		b.vneid(cuong, anApply).wantAt(t, anApply)
		kept(b)
	})
	t.Run("a session that ended meanwhile, and linking", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		b.vneid(cuong, "/")
		w.advance(40 * time.Minute)
		b.post(anApply, filled("Xin trích lục của tôi")).wantAt(t, "/login?next="+url.QueryEscape(anApply))
		b.vneid(binh, anApply).wantAt(t, "/link")
		b.post("/link", url.Values{"do": {"update"}, "password": {seedPassword}}).wantAt(t, anApply)
		kept(b)
	})
	t.Run("the local sign-in, Cập nhật and Bỏ qua", func(t *testing.T) {
		for _, do := range []url.Values{{"do": {"skip"}}, {"do": {"update"}, "cccd": {an.cccd}}} {
			w := newWorld(t)
			b := w.browser()
			b.post(anApply, filled("Xin trích lục của tôi"))
			b.local("an.nguyen", anApply).wantAt(t, "/identity/cccd")
			b.post("/identity/cccd", do).wantAt(t, anApply)
			kept(b)
		}
	})
	t.Run("a mistake", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		b.vneid(cuong, "/")
		f := filled("Xin trích lục của tôi")
		f.Set("phone", "12")
		b.post(anApply, f).wantPage(t, 422, "cần 10 chữ số", "Xin trích lục của tôi")
		kept(b)
	})
	t.Run("somebody else sees nothing of it", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		b.local("an.nguyen", "/")
		f := filled("Xin trích lục của tôi")
		f.Set("phone", "12")
		b.post(anApply, f).wantPage(t, 422)
		b.post("/logout", nil)
		b.local("binh.le", "/")
		if b.get(anApply).has("Xin trích lục của tôi") {
			t.Error("a draft outlived its owner's session")
		}
	})
}

const land = "/procedures/9.000503/apply" // level 2, LoA2, five minutes

func TestAProcedureThatDemandsMoreAsksForItAndComesBack(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	low := binh.with(func(c *citizen) { c.acr = "LoA1"; c.cccd = "038190000092" })
	b.vneid(low, "/").wantAt(t, "/")
	b.get(land).wantPage(t, 200, "Thủ tục này cần xác thực cao hơn", "LoA1", ">Xác thực bằng VNeID<")
	b.post(land, filled("Sang tên thửa đất")).wantPage(t, 403, "cần xác thực cao hơn")
	away := b.post("/step-up", url.Values{"procedure": {"9.000503"}})
	u, _ := url.Parse(away.location)
	if q := u.Query(); q.Get("acr_values") != "LoA2" || q.Get("max_age") != "300" {
		t.Errorf("asked with %v", q)
	}
	b.at(away, low).wantAt(t, land) // the provider did no more than before: said, not believed
	b.get(land).wantPage(t, 200, "chưa hỗ trợ mức đó")
	b.at(b.post("/step-up", url.Values{"procedure": {"9.000503"}}), low.with(func(c *citizen) { c.acr = "LoA2" })).wantAt(t, land)
	b.get(land).wantPage(t, 200, "Sang tên thửa đất", "Nội dung hồ sơ")
	// Five minutes later the sign-in is too old, and what was typed is kept.
	w.advance(6 * time.Minute)
	b.post(land, filled("Sang tên thửa đất lần hai")).wantPage(t, 403, "xác thực lại")
	away = b.post("/step-up", url.Values{"procedure": {"9.000503"}})
	if u, _ := url.Parse(away.location); u.Query().Get("max_age") != "300" {
		t.Errorf("asked with %v", u.Query())
	}
	b.at(away, low.with(func(c *citizen) { c.acr = "LoA2" })).wantAt(t, land)
	b.get(land).wantPage(t, 200, "Sang tên thửa đất lần hai")
	b.post(land, filled("Sang tên thửa đất lần hai"))
	if len(b.dossiers()) != 1 {
		t.Error("not filed")
	}
}

// A sign-in here may be young and the proof behind it old: VNeID remembers
// people for hours.
func TestAProofIsAsOldAsVNeIDSaysItIs(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(minh.with(func(c *citizen) { c.loggedInAgo = 3 * time.Hour }), "/").wantAt(t, "/")
	b.get(land).wantPage(t, 200, "xác thực lại", ">Xác thực bằng VNeID<")
	b.at(b.post("/step-up", url.Values{"procedure": {"9.000503"}}), minh.with(func(c *citizen) { c.loggedInAgo = 3 * time.Hour })).wantAt(t, land)
	b.get(land).wantPage(t, 200, "xác thực lại") // max_age was ignored: checked, not believed
	w.lie(func(op *fakeOP) { op.idToken = set("auth_time", nil) })
	b.at(b.post("/step-up", url.Values{"procedure": {"9.000503"}}), minh).wantAt(t, land)
	b.get(land).wantPage(t, 200, "xác thực lại")
	w.lie(func(op *fakeOP) { op.idToken = nil })
	b.at(b.post("/step-up", url.Values{"procedure": {"9.000503"}}), minh).wantAt(t, land)
	b.get(land).wantPage(t, 200, "Nội dung hồ sơ")
}

func TestALongTextInVietnameseFitsIntoTheForm(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(cuong, "/")
	f := filled("Dài")
	f.Set("details", strings.Repeat("ễ", 4000))
	p := b.post(anApply, f)
	b.get(p.location).wantPage(t, 200, strings.Repeat("ễ", 4000))
}

func TestALevelThatCanNotBeReachedIsExplained(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		who  citizen
		says string
	}{
		"level 1":         {cuong, "công an cấp xã"},
		"not told":        {cuong.with(func(c *citizen) { c.sub, c.cccd, c.level = "x", "038095000093", "" }), "không cho biết mức tài khoản"},
		"unknown 3":       {cuong.with(func(c *citizen) { c.sub, c.cccd, c.level = "y", "038095000094", "3" }), "không cho biết mức tài khoản"},
		"acr is no level": {cuong.with(func(c *citizen) { c.sub, c.cccd, c.level, c.acr = "z", "038095000095", "1", "LoA4" }), "công an cấp xã"},
	} {
		b := w.browser()
		b.vneid(c.who, "/").wantAt(t, "/")
		p := b.get(land)
		p.wantPage(t, 200, c.says)
		if p.has(">Xác thực bằng VNeID<") || b.post(land, filled("x")).status != 403 || len(b.dossiers()) != 0 {
			t.Errorf("%s: a button that can not help, or filed all the same", name)
		}
	}
	// A level of the account is no level of the sign-in, and the other way round.
	b := w.browser()
	b.vneid(linh.with(func(c *citizen) { c.sub, c.cccd, c.acr = "l", "038198000098", "2" }), "/")
	if p := b.get("/procedures/9.000604/apply"); !p.has("chưa đủ mức") {
		t.Error(`acr "2" was taken for a level`)
	}
	l := w.browser()
	l.local("binh.le", "/")
	l.get(land).wantPage(t, 200, "chỉ nhận người đã đăng nhập bằng VNeID")
	l.post(land, filled("Của Bình"))
	l.at(l.post("/step-up", url.Values{"procedure": {"9.000503"}}), binh).wantAt(t, "/link")
	l.post("/link", url.Values{"do": {"skip"}}).wantAt(t, land)
	l.get(land).wantPage(t, 200, "Của Bình")
}

func TestADossierIsFiledOnceAndReadByItsOwnerOnly(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(cuong, "/")
	f := filled(`<script>alert(1)</script> "đơn"`)
	first := b.post(anApply, f)
	second := b.post(anApply, f) // the button pressed twice, or the page sent again
	if first.status != 303 || first.location != second.location || !strings.HasPrefix(first.location, "/dossiers/TH") {
		t.Fatalf("%q and %q", first.location, second.location)
	}
	p := b.get(first.location)
	p.wantPage(t, 200, "&lt;script&gt;alert(1)", "Mới nộp", "Đã nộp hồ sơ", "đã được VNeID xác thực")
	if n := len(b.dossiers()); n != 1 {
		t.Errorf("%d dossiers", n)
	}
	other := w.browser()
	other.vneid(linh, "/")
	if other.get(first.location).status != 404 || other.get("/dossiers/"+w.seeded("AN23K7QX")).status != 404 {
		t.Error("somebody else reads it")
	}
	// The same form in another person's hands is another dossier.
	if copied := other.post(anApply, f); copied.status != 303 || copied.location == first.location || len(other.dossiers()) != 1 {
		t.Errorf("%d %q", copied.status, copied.location)
	}
	w.browser().get(first.location).wantAt(t, "/login?next="+url.QueryEscape(first.location))
}

func TestAnOfficerListsAndMovesDossiersOnStepByStep(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(cuong, "/")
	there := b.post(anApply, filled("Khai sinh cho con gái")).location
	id := strings.TrimPrefix(there, "/dossiers/")
	o := w.browser()
	o.local("minh.canbo", "/officer")
	o.get("/officer?q=khai+sinh+cuong").wantPage(t, 200, id)
	if o.get("/officer?status=done").has(id) || o.get("/officer?q=nobody").has(id) {
		t.Error("the filter lets it through")
	}
	to := "/officer/dossiers/" + id
	o.get(to).wantPage(t, 200, "Đã tiếp nhận", "Khai sinh cho con gái")
	o.post(to, url.Values{"from": {"filed"}, "to": {"done"}}).wantPage(t, 409) // not in one leap
	o.post(to, url.Values{"from": {"filed"}, "to": {"accepted"}, "note": {"Đủ giấy tờ <b>"}}).wantAt(t, to)
	o.post(to, url.Values{"from": {"filed"}, "to": {"refused"}}).wantPage(t, 409, "người khác cập nhật") // from a page of before
	b.get(there).wantPage(t, 200, "Đã tiếp nhận", "Đủ giấy tờ &lt;b&gt;")
	for _, p := range []page{b.get("/officer"), b.get(to), b.post(to, url.Values{"from": {"accepted"}, "to": {"working"}}), b.get("/officer/audit")} {
		if p.status != 403 || p.problem() != "officers_only" {
			t.Errorf("a citizen at the officers' pages: %d", p.status)
		}
	}
	if p := o.get("/officer/dossiers/none"); p.status != 404 {
		t.Errorf("%d", p.status)
	}
}

func TestEveryFormRefusesOtherSitesAndNoPageIsFramed(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(binh, "/")
	before := b.signedInAs()
	for _, rt := range w.portal.routes() {
		path := strings.NewReplacer("{code}", "9.000101", "{id}", w.seeded("AN23K7QX"), "{$}", "", "{to}", "vi", "{kind}", "denied", "{file}", "mark.svg").Replace(rt.path)
		if rt.method != "POST" {
			if p := b.get(path); rt.path != "/assets/{file}" && (p.header.Get("X-Frame-Options") != "DENY" || !strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors 'none'")) {
				t.Errorf("%s can be framed", path)
			}
			continue
		}
		for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "http://evil.test"}, {"Sec-Fetch-Site", "", "Origin", "null"}} {
			if p := b.post(path, filled("x"), h...); p.status != 403 || p.problem() != "cross_site" {
				t.Errorf("POST %s with %v: %d %q", path, h, p.status, p.problem())
			}
		}
	}
	b.vneidIsHere(t, before)
}

func (b *browser) vneidIsHere(t *testing.T, who string) {
	t.Helper()
	if got := b.signedInAs(); got != who {
		t.Errorf("signed in as %q, want %q", got, who)
	}
}

func TestHostileTextStaysText(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("Nguyễn ", 60) + "\u202e<img src=x onerror=alert(1)>"
	b := w.browser()
	b.vneid(cuong.with(func(c *citizen) { c.name = long }), "/").wantAt(t, "/")
	b.post(anApply, url.Values{"subject": {"\u202e</textarea><script>" + strings.Repeat("x", 5000)}, "details": {strings.Repeat("é", 3000) + "</textarea><script>"}, "phone": {"0950000001"}})
	for _, path := range []string{"/", "/profile", "/profile/identity", "/profile/audit", "/profile/sign-ins", "/dossiers", anApply, "/linking-rules"} {
		p := b.get(path)
		if p.status != 200 || p.has("<script") || p.has("<img src=x") || p.has("\u202e") {
			t.Errorf("%s: %d, markup or a mark of direction got through", path, p.status)
		}
	}
	// The same name in NFD is the same name, and no reason for a notice.
	n := w.browser()
	n.vneid(hai.with(func(c *citizen) { c.cmnd = "" }), "/").wantAt(t, "/")
	n.vneid2(hai.with(func(c *citizen) { c.cmnd = ""; c.name = "Vu\u0303 Va\u0306n Ha\u0309i" }), t)
}

// vneid2 signs in again in a new browser and wants no notice of a change.
func (b *browser) vneid2(c citizen, t *testing.T) {
	t.Helper()
	again := b.w.browser()
	again.vneid(c, "/").wantAt(t, "/")
	if again.get("/").has("đã thay đổi") {
		t.Error("another spelling counts as a change")
	}
}
