package main

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// What happens when the same person comes back different, and when a different
// person comes back as the same.

func TestAPersonWhoComesBackDifferent(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*citizen)
		notice string
		audit  string
	}{
		"a lower level":            {func(c *citizen) { c.level = "1" }, "thấp hơn trước", "level.lower"},
		"no level told":            {func(c *citizen) { c.level = "" }, "thấp hơn trước", "level.lower"},
		"a new name":               {func(c *citizen) { c.name = "Nguyễn Văn Ân Phúc" }, "Họ tên của bạn trên VNeID đã thay đổi", "name.changed"},
		"a new number":             {func(c *citizen) { c.cccd = "038090000099" }, "Số CCCD của bạn trên VNeID đã thay đổi", "number.changed"},
		"consent without a number": {func(c *citizen) { c.cccd = "" }, "ít thông tin hơn trước", "consent.narrowed"},
		"nothing but sub":          {func(c *citizen) { c.cccd, c.name, c.birth, c.level = "", "", "", "" }, "ít thông tin hơn trước", "consent.narrowed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.declares("an.nguyen", an.cccd)
			w.links(an, "an.nguyen")
			b := w.browser()
			b.vneid(an.with(c.change), "/dossiers").wantAt(t, "/dossiers")
			b.get("/dossiers").wantPage(t, 200, c.notice)
			if n := len(b.dossiers()); n != 3 { // told once: the notice is gone, the dossiers are not
				t.Errorf("%d dossiers", n)
			}
			if b.get("/dossiers").has(c.notice) || !w.audited(c.audit) {
				t.Error("the notice stays, or the log is silent")
			}
			b.get("/profile/identity").wantPage(t, 200, "an.nguyen")
		})
	}
}

func TestANarrowedConsentShowsWhatWasKnownAndLinksNothingNew(t *testing.T) {
	w := newWorld(t)
	w.browser().vneid(an, "/").wantAt(t, "/")
	w.declares("an.nguyen", an.cccd)
	b := w.browser()
	b.vneid(an.with(func(c *citizen) { c.cccd = "" }), "/").wantAt(t, "/")
	b.get("/profile/identity").wantPage(t, 200, "lần trước là 038******001")
	if b.post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {seedPassword}}); len(b.dossiers()) != 0 {
		t.Error("linked by a number of yesterday")
	}
}

func TestAMissingNumberLinksNothingAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(binh.with(func(c *citizen) { c.cccd = "" }), "/").wantAt(t, "/")
	b.get("/").wantPage(t, 200, "VNeID không cung cấp số CCCD")
	b.post("/link", url.Values{"do": {"update"}, "username": {"binh.le"}, "password": {seedPassword}}).wantPage(t, 422)
	if len(b.dossiers()) != 0 {
		t.Error("linked without a number")
	}
}

func TestAReassignedSubOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.declares("an.nguyen", an.cccd)
	w.links(an, "an.nguyen")
	b := w.browser()
	p := b.vneid(binh.with(func(c *citizen) { c.sub = "an" }), "/dossiers")
	if p.problem() != "identity_reassigned" || p.status != 403 || b.signedInAs() != "" {
		t.Fatalf("%d %q, signed in as %q", p.status, p.problem(), b.signedInAs())
	}
	// In two steps, hiding the number in between, it is the same.
	b.vneid(an.with(func(c *citizen) { c.cccd = "" }), "/").wantAt(t, "/")
	b.post("/logout", nil)
	if p := b.vneid(binh.with(func(c *citizen) { c.sub = "an"; c.birth = an.birth }), "/"); p.problem() != "identity_reassigned" {
		t.Errorf("after a narrowed consent: %d %q", p.status, p.problem())
	}
	w.browser().vneid(citizen{sub: "an"}, "/").wantAt(t, "/") // told nothing: what was known stays known
	if p := w.browser().vneid(binh.with(func(c *citizen) { c.sub = "an" }), "/"); p.problem() != "identity_reassigned" {
		t.Errorf("after a sign-in that told nothing: %d %q", p.status, p.problem())
	}
	if !w.audited("identity.stopped") {
		t.Error("not in the log")
	}
	// The owner is not locked out by it.
	w.browser().vneid(an, "/dossiers").wantAt(t, "/dossiers")
}

func TestAMovedIssuerTakesItsPeopleAlongOnlyByAnExplicitMapping(t *testing.T) {
	for name, c := range map[string]struct {
		mapped bool
		who    citizen
		want   int
	}{
		"mapped, same number":    {true, an, 3},
		"mapped, another number": {true, an.with(func(c *citizen) { c.cccd = "038090000077" }), 0},
		"mapped, no number":      {true, an.with(func(c *citizen) { c.cccd = "" }), 0},
		"mapped, another sub":    {true, an.with(func(c *citizen) { c.sub = "an-new" }), 0},
		"not mapped":             {false, an, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.declares("an.nguyen", an.cccd)
			w.links(an, "an.nguyen")
			old := w.op
			w.stop()
			w.op = newFakeOP(t, w.now)
			if c.mapped {
				w.before = old.srv.URL
			}
			w.start()
			b := w.browser()
			b.vneid(c.who, "/dossiers").wantAt(t, "/dossiers")
			if n := len(b.dossiers()); n != c.want {
				t.Errorf("%d dossiers, want %d", n, c.want)
			}
			if c.want > 0 {
				again := w.browser()
				again.vneid(c.who, "/").wantAt(t, "/")
				if len(again.dossiers()) != c.want {
					t.Error("gone at the second sign-in")
				}
			}
		})
	}
}

func TestTwoPeopleInOneBrowserAreShownAndNeverMerged(t *testing.T) {
	w := newWorld(t)
	start := func() *browser {
		b := w.browser()
		b.local("gia.mao", "/profile")
		b.at(b.post("/link/start", nil), binh.with(func(c *citizen) { c.sub = "binh-who" })).wantAt(t, "/who")
		b.get("/who").wantPage(t, 200, "Phan Văn Giả", "Lê Thị Bình", "038******002", "gia.mao")
		if b.signedInAs() != "Phan Văn Giả" {
			t.Fatalf("signed in as %q while the question is open", b.signedInAs())
		}
		return b
	}
	stay := start()
	stay.post("/who", url.Values{"do": {"stay"}}).wantAt(t, "/profile")
	if stay.signedInAs() != "Phan Văn Giả" || len(stay.dossiers()) != 1 {
		t.Error("did not stay")
	}
	if p := stay.post("/who", url.Values{"do": {"new"}}); p.location != "/" || stay.signedInAs() != "Phan Văn Giả" {
		t.Error("the refused sign-in can still be used")
	}
	change := start()
	change.post("/procedures/9.000102/apply", url.Values{"subject": {"Bí mật của Giả"}, "phone": {"1"}})
	change.post("/who", url.Values{"do": {"new"}}).wantAt(t, "/link") // her own old account waits, his does not
	change.get("/link").wantPage(t, 200, "binh.le")
	if p := change.get("/link"); p.has("gia.mao") {
		t.Error("his account is offered to her")
	}
	if change.signedInAs() != "Lê Thị Bình" || len(change.dossiers()) != 0 || change.get("/procedures/9.000102/apply").has("Bí mật của Giả") {
		t.Error("merged, or his form is shown to her")
	}
	// The same between two VNeID people, by a step-up.
	b := w.browser()
	b.vneid(cuong, "/").wantAt(t, "/")
	b.at(b.post("/step-up", url.Values{"procedure": {"9.000604"}}), hai).wantAt(t, "/who")
	if b.signedInAs() != cuong.name {
		t.Error("replaced without a question")
	}
}

func TestUnlinking(t *testing.T) {
	w := newWorld(t)
	w.declares("an.nguyen", an.cccd)
	b := w.links(an, "an.nguyen")
	other := w.browser()
	other.vneid(an, "/").wantAt(t, "/")
	const fresh = "Moi@Khau2026"
	form := url.Values{"username": {"an.nguyen"}, "password": {fresh}, "again": {fresh}}

	// Without a fresh sign-in: nothing, whatever is posted.
	b.get("/identity/unlink").wantPage(t, 200, "đăng nhập lại VNeID")
	b.post("/identity/unlink", form).wantPage(t, 403)
	away := b.post("/identity/unlink/start", nil)
	asked, _ := url.Parse(away.location)
	if q := asked.Query(); q.Get("max_age") != "0" || q.Get("prompt") != "login" {
		t.Errorf("asked with %v", q)
	}
	// A provider that asked nobody for a password is not believed.
	if p := b.at(away, an.with(func(c *citizen) { c.loggedInAgo = 20 * time.Minute })); p.problem() != "not_fresh" {
		t.Fatalf("%d %q", p.status, p.problem())
	}
	b.post("/identity/unlink", form).wantPage(t, 403)
	b.at(b.post("/identity/unlink/start", nil), linh).wantAt(t, "/who") // somebody else's fresh sign-in is none
	b.post("/who", url.Values{"do": {"stay"}})
	b.post("/identity/unlink", form).wantPage(t, 403)

	b.at(b.post("/identity/unlink/start", nil), an).wantAt(t, "/identity/unlink")
	b.post("/identity/unlink", url.Values{"password": {"kem"}, "again": {"kem"}}).wantPage(t, 422, "chưa đủ mạnh")
	b.post("/identity/unlink", url.Values{"password": {fresh}, "again": {fresh + "x"}}).wantPage(t, 422, "không giống nhau")
	b.post("/identity/unlink", url.Values{"password": {seedPassword}, "again": {seedPassword}}).wantPage(t, 422, "chưa đủ mạnh")
	b.post("/identity/unlink", form).wantAt(t, "/profile/identity")
	b.get("/profile/identity").wantPage(t, 200, "Đã gỡ liên kết", "Chưa liên kết")
	if len(b.dossiers()) != 0 || b.signedInAs() != an.name || other.signedInAs() != "" {
		t.Errorf("after: %v, %q, the other session %q", b.dossiers(), b.signedInAs(), other.signedInAs())
	}
	if p := w.browser().local("an.nguyen", "/"); p.status != 422 {
		t.Errorf("the old password: %d", p.status)
	}
	l := w.browser()
	l.localWith("an.nguyen", fresh, "/dossiers").wantAt(t, "/dossiers")
	if n := len(l.dossiers()); n != 3 {
		t.Errorf("the old account has %d dossiers", n)
	}
	// The same person may link again at once, with the new password.
	v := w.browser()
	v.vneid(an, "/").wantAt(t, "/")
	v.post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {fresh}}).wantAt(t, "/")
	if n := len(v.dossiers()); n != 3 {
		t.Errorf("linked again: %d dossiers", n)
	}
}

func TestAnUnlinkedAccountRestsBeforeAnotherPersonLinksIt(t *testing.T) {
	w := newWorld(t)
	w.declares("an.nguyen", an.cccd)
	b := w.links(an, "an.nguyen")
	const fresh = "Moi@Khau2026"
	b.at(b.post("/identity/unlink/start", nil), an)
	b.post("/identity/unlink", url.Values{"username": {"an.nguyen"}, "password": {fresh}, "again": {fresh}}).wantAt(t, "/profile/identity")
	// His number is corrected at VNeID, and another pair has the old one now.
	w.browser().vneid(an.with(func(c *citizen) { c.cccd = "038090000099" }), "/").wantAt(t, "/")
	next := an.with(func(c *citizen) { c.sub = "another" })
	link := url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {fresh}}
	v := w.browser()
	v.vneid(next, "/").wantAt(t, "/link")
	v.post("/link", link).wantPage(t, 422, "Trong 7 ngày")
	w.advance(8 * 24 * time.Hour)
	v = w.browser()
	v.vneid(next, "/dossiers").wantAt(t, "/link")
	v.post("/link", link).wantAt(t, "/dossiers")
}

func TestTheAuditTellsWhoWhenWhichKeyAndWhyAndHidesNumbers(t *testing.T) {
	w := newWorld(t)
	w.declares("an.nguyen", an.cccd)
	b := w.links(an, "an.nguyen")
	p := b.get("/profile/audit")
	p.wantPage(t, 200, "khớp", "cccd", "038******001", "Liên kết: hồ sơ chuyển sang", "vneid:an", "an.nguyen")
	officer := w.browser()
	officer.local("minh.canbo", "/")
	o := officer.get("/officer/audit")
	o.wantPage(t, 200, "vneid:an", "cccd, name, birthdate")
	for _, no := range []string{an.cccd, binh.cccd} {
		if p.has(no) || o.has(no) || strings.Contains(w.log.String(), no) {
			t.Errorf("%s stands in a page or in the log", no)
		}
	}
	stranger := w.browser()
	stranger.vneid(cuong, "/")
	if s := stranger.get("/profile/audit"); s.has("an.nguyen") || s.status != 200 || stranger.get("/officer/audit").status != 403 {
		t.Error("a stranger reads the log")
	}
}

func TestAnOrganisationIsJoinedToNoCitizen(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.vneid(binh.with(func(c *citizen) {
		c.sub = "org"
		c.name = "Hợp tác xã Bình Minh"
		c.more = map[string]any{"account_type": "organisation"}
	}), "/").wantAt(t, "/")
	b.post("/link", url.Values{"do": {"update"}, "username": {"binh.le"}, "password": {seedPassword}}).wantPage(t, 422)
	if len(b.dossiers()) != 0 {
		t.Error("the representative's number joined the organisation to her own account")
	}
	// And she herself finds nothing taken.
	w.browser().vneid(binh, "/").wantAt(t, "/link")
}

func TestAnOddNumberIsNotedAndNotRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*citizen)
		odd    bool
	}{
		"agrees":           {func(*citizen) {}, false},
		"only the year":    {func(c *citizen) { c.birth = "1990" }, false},
		"another year":     {func(c *citizen) { c.birth = "1991-03-15" }, true},
		"no date told":     {func(c *citizen) { c.birth = "" }, false},
		"30 February":      {func(c *citizen) { c.birth = "1991-02-30" }, false}, // no date at all
		"the other sex":    {func(c *citizen) { c.more = map[string]any{"gender": "female"} }, true},
		"no such province": {func(c *citizen) { c.cccd = "000090000001" }, true},
		"next century":     {func(c *citizen) { c.cccd = "038290000001" }, true},
	} {
		w := newWorld(t)
		w.browser().vneid(an.with(c.change), "/").wantAt(t, "/")
		if w.audited("number.odd") != c.odd {
			t.Errorf("%s: noted %v", name, !c.odd)
		}
	}
}

func TestNoDetourLeavesThePortalOrKeepsTheSessionsId(t *testing.T) {
	w := newWorld(t)
	for _, evil := range []string{"https://evil.test/", "//evil.test", `/\evil.test`, "/\t/evil.test", "javascript:alert(1)", "/login", "/link", "/identity/cccd"} {
		b := w.browser()
		b.local("an.nguyen", evil).wantAt(t, "/identity/cccd")
		b.post("/identity/cccd?next="+url.QueryEscape(evil), url.Values{"do": {"skip"}, "next": {evil}, "wanted": {evil}}).wantAt(t, "/")
		v := w.browser()
		v.vneid(linh, evil)
		if p := v.post("/link?next="+url.QueryEscape(evil), url.Values{"do": {"skip"}, "next": {evil}}); p.location != "/" {
			t.Errorf("%q leads to %q", evil, p.location)
		}
	}
	b := w.browser()
	b.local("gia.mao", "/")
	before := b.sessionCookie()
	b.at(b.post("/link/start", nil), cuong).wantAt(t, "/who")
	b.post("/who", url.Values{"do": {"new"}})
	second := b.sessionCookie()
	b.at(b.post("/step-up", url.Values{"procedure": {"9.000604"}}), cuong)
	if third := b.sessionCookie(); before == second || second == third || third == "" {
		t.Error("a session id outlived a sign-in")
	}
}
