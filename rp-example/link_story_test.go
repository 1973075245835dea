package main

import (
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

const anApply = "/procedures/9.000101/apply"

func TestSeed000(t *testing.T) {
	w := newWorld(t)
	elsewhere := w.browser() // the same old account, open on another computer
	elsewhere.local("an.nguyen", "/")
	b := w.browser()

	// Bước 1–2: the old account; no CCCD, so the page that asks for it.
	b.local("an.nguyen", anApply).wantAt(t, "/identity/cccd")
	b.get("/identity/cccd").wantPage(t, 200, ">Cập nhật<", ">Bỏ qua<", `id="cccd"`, "Nguyễn Văn An", "15/03/1990")
	// Bước 3: typed as people type, matched, on to the wanted page.
	b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {" 038 090 000 001 "}}).wantAt(t, anApply)
	b.get(anApply).wantPage(t, 200, "Đã ghi nhận số CCCD", "Đăng xuất")
	if q := w.dancu.questions(); len(q) != 1 || q[0]["cccd"] != an.cccd || q[0]["name"] != an.name || q[0]["birthdate"] != an.birth {
		t.Errorf("CSDL Dân cư was asked %v", q)
	}
	b.get("/profile/identity").wantPage(t, 200, "038******001", "tự khai")
	b.post("/logout", nil)
	// Next time the number is known: straight to the page.
	b.local("an.nguyen", anApply).wantAt(t, anApply)

	// Bước 4: VNeID brings him; the one question; the wanted page; the dossiers.
	v := w.browser()
	v.vneid(an, "/dossiers").wantAt(t, "/link")
	v.get("/link").wantPage(t, 200, "an.nguyen", "038******001", ">Cập nhật<", ">Bỏ qua<", `type="password"`)
	if n := len(v.dossiers()); n != 0 {
		t.Errorf("%d dossiers before the password", n)
	}
	v.post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {"wrong"}}).wantPage(t, 422, "Mật khẩu không đúng")
	v.post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {seedPassword}}).wantAt(t, "/dossiers")
	if n := len(v.dossiers()); n != 3 {
		t.Errorf("%d dossiers after linking, want 3", n)
	}

	// Afterwards: the old password opens nothing, the other session is over.
	w.browser().local("an.nguyen", "/dossiers").wantPage(t, 403, "đã liên kết với VNeID", "/login/vneid?next=%2Fdossiers")
	if p := w.browser().localWith("an.nguyen", "wrong", "/"); p.status != 422 || p.has("đã liên kết") {
		t.Error("who does not know the password learns that the account is linked")
	}
	if elsewhere.signedInAs() != "" || b.signedInAs() != "" {
		t.Error("a session of the old account lives on")
	}
	// And VNeID brings the same person to the same account from now on.
	again := w.browser()
	again.vneid(an, anApply).wantAt(t, anApply)
	if n := len(again.dossiers()); n != 3 {
		t.Errorf("%d dossiers the next time", n)
	}
	again.get("/profile/identity").wantPage(t, 200, "an.nguyen", "đã được VNeID xác thực")
}

func TestSkippedAtFirstAndUpdatedLaterFromThongTinDinhDanh(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.local("an.nguyen", anApply).wantAt(t, "/identity/cccd")
	b.post("/identity/cccd", url.Values{"do": {"skip"}, "cccd": {"03809"}}).wantAt(t, anApply)
	b.get(anApply).wantPage(t, 200, "Đăng xuất")
	b.get("/profile").wantPage(t, 200, `href="/profile/identity"`, ">Thông tin định danh<")
	b.get("/profile/identity").wantPage(t, 200, ">Cập nhật từ CSDL Quốc gia về Dân cư<", `id="cccd"`)
	// Pressed with nothing typed: the page that asks.
	b.post("/identity/cccd", url.Values{"do": {"update"}, "from": {"profile"}}).wantPage(t, 422, "Hãy nhập số CCCD", ">Cập nhật<")
	b.post("/identity/cccd", url.Values{"do": {"update"}, "from": {"profile"}, "cccd": {an.cccd}}).wantAt(t, "/profile/identity")
	b.get("/profile/identity").wantPage(t, 200, "038******001", ">Liên kết với VNeID<")
	// The same checks as at the sign-in (J32).
	b.at(b.post("/link/start", nil), an).wantAt(t, "/link")
	b.post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {""}}).wantPage(t, 422)
	b.post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {seedPassword}}).wantAt(t, "/profile/identity")
	if n := len(b.dossiers()); n != 3 {
		t.Errorf("%d dossiers", n)
	}
}

func TestRefusingGivesAnAccountOfItsOwnAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	v := w.browser()
	v.vneid(binh, anApply).wantAt(t, "/link")
	v.post("/link", url.Values{"do": {"skip"}}).wantAt(t, anApply)
	if n := len(v.dossiers()); n != 0 {
		t.Errorf("%d dossiers without the password", n)
	}
	v.post("/logout", nil)
	v.vneid(binh, anApply).wantAt(t, anApply) // not asked again
	v.get("/profile/identity").wantPage(t, 200, "Liên kết tài khoản cũ")
	old := w.browser()
	old.local("binh.le", "/").wantAt(t, "/")
	if n := len(old.dossiers()); n != 1 {
		t.Errorf("the old account has %d dossiers", n)
	}
	// Later, from Thông tin định danh, it still works, and what she filed meanwhile stays.
	v.post(anApply, url.Values{"subject": {"Khai sinh cho con"}, "phone": {"0950000002"}, "once": {secret()}})
	v.post("/link/start", nil).wantAt(t, "/link")
	v.post("/link", url.Values{"do": {"update"}, "password": {seedPassword}}).wantAt(t, "/profile/identity")
	if n := len(v.dossiers()); n != 2 {
		t.Errorf("%d dossiers of both accounts", n)
	}
	if !w.audited("refuses.remember") || !w.audited("joins.join") {
		t.Error("the log lacks the refusal or the link")
	}
}

func TestTwoOldAccountsWithOneNumberAreNeverChosenSilently(t *testing.T) {
	w := newWorld(t)
	w.declares("an.nguyen", an.cccd)
	w.declares("an.cu", an.cccd)
	v := w.browser()
	v.vneid(an, "/dossiers").wantAt(t, "/link")
	v.get("/link").wantPage(t, 200, "an.nguyen", "an.cu", "không tự chọn")
	v.post("/link", url.Values{"do": {"update"}, "password": {seedPassword}}).wantPage(t, 422) // none picked
	v.post("/link", url.Values{"do": {"update"}, "username": {"an.cu"}, "password": {seedPassword}}).wantAt(t, "/link")
	if got := v.dossiers(); len(got) != 1 {
		t.Errorf("after one: %v", got)
	}
	v.post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {seedPassword}}).wantAt(t, "/dossiers")
	got := v.dossiers()
	if slices.Sort(got); len(got) != 4 || len(slices.Compact(got)) != 4 {
		t.Errorf("after both: %v", got)
	}
	officer := w.browser()
	officer.local("minh.canbo", "/")
	officer.get("/officer/audit").wantPage(t, 200, "038******001", "an.cu, an.nguyen")
}

func TestANumberLinkedToSomebodyElseIsNotStolen(t *testing.T) {
	w := newWorld(t)
	w.declares("an.nguyen", an.cccd)
	w.declares("an.cu", an.cccd)
	w.browser().vneid(an, "/").wantAt(t, "/link")
	second := an.with(func(c *citizen) { c.sub = "an-2" })
	v := w.browser()
	v.vneid(second, "/dossiers").wantAt(t, "/dossiers") // an account of its own, and no question
	v.get("/dossiers").wantPage(t, 200, "đã được một mã VNeID khác dùng")
	v.post("/link", url.Values{"do": {"update"}, "username": {"an.cu"}, "password": {seedPassword}}).wantPage(t, 422, "đã liên kết với một người khác")
	if n := len(v.dossiers()); n != 0 {
		t.Errorf("stole %d dossiers", n)
	}
	if !w.audited("joins.no-taken") || !w.audited("link.conflict") {
		t.Error("not in the log")
	}
}

func TestAnImpostorsDeclaredNumberGivesHimNothingAndHerNothingOfHis(t *testing.T) {
	w := newWorld(t)
	v := w.browser()
	v.vneid(linh, "/").wantAt(t, "/link")
	v.get("/link").wantPage(t, 200, "gia.mao", "Không phải của bạn")
	v.post("/link", url.Values{"do": {"skip"}}).wantAt(t, "/")
	v.post(anApply, url.Values{"subject": {"Hồ sơ riêng của Linh"}, "phone": {"0950000008"}, "once": {secret()}})
	if n := len(v.dossiers()); n != 1 {
		t.Errorf("she has %d dossiers", n)
	}
	impostor := w.browser()
	impostor.local("gia.mao", "/").wantAt(t, "/")
	for _, id := range v.dossiers() {
		if slices.Contains(impostor.dossiers(), id) || impostor.get("/dossiers/"+id).status != 404 {
			t.Error("the impostor reads her dossier")
		}
	}
	// His VNeID is his own: the number differs, so nothing joins even with his password.
	his := citizen{sub: "gia", cccd: "038079000044", name: "Phan Văn Giả", birth: "1979-04-04", level: "2"}
	g := w.browser()
	g.vneid(his, "/").wantAt(t, "/")
	g.post("/link", url.Values{"do": {"update"}, "username": {"gia.mao"}, "password": {seedPassword}}).wantPage(t, 422, "không trùng số do VNeID xác thực")
	// Five wrong passwords of hers lock, as on the sign-in page.
	for range 6 {
		v.post("/link", url.Values{"do": {"update"}, "username": {"gia.mao"}, "password": {"guess"}})
	}
	v.post("/link", url.Values{"do": {"update"}, "username": {"gia.mao"}, "password": {seedPassword}}).wantPage(t, 429, "bị khóa 15 phút")
}

func TestAnAccountWithACMNDOnlyJoinsByConfirmation(t *testing.T) {
	w := newWorld(t)
	v := w.browser()
	v.vneid(hai, "/dossiers").wantAt(t, "/link")
	v.get("/link").wantPage(t, 200, "hai.vu", "171***567", "khớp theo số CMND cũ")
	v.post("/link", url.Values{"do": {"update"}, "username": {"hai.vu"}, "password": {seedPassword}}).wantPage(t, 422, "Hãy đánh dấu xác nhận")
	v.post("/link", url.Values{"do": {"update"}, "username": {"hai.vu"}, "password": {seedPassword}, "confirm": {"yes"}}).wantAt(t, "/dossiers")
	if n := len(v.dossiers()); n != 1 {
		t.Errorf("%d dossiers", n)
	}
}

func TestAnOfficerLandsAsACitizenAndTakesUpTheRoleExplicitly(t *testing.T) {
	w := newWorld(t)
	w.declares("minh.canbo", minh.cccd)
	v := w.browser()
	v.vneid(minh, "/").wantAt(t, "/")
	if p := v.get("/officer"); p.status != 403 || p.problem() != "officers_only" {
		t.Fatalf("VNeID made an officer: %d", p.status)
	}
	switchRole := url.Values{"to": {"officer"}, "username": {"minh.canbo"}}
	v.post("/identity/role/switch", switchRole).wantPage(t, 403)
	v.post("/link", url.Values{"do": {"update"}, "username": {"minh.canbo"}, "password": {seedPassword}}).wantPage(t, 422, "tài khoản cán bộ")
	v.get("/profile/identity").wantPage(t, 200, "Vai trò cán bộ", "minh.canbo")
	v.post("/identity/role", url.Values{"username": {"minh.canbo"}, "password": {"wrong"}}).wantAt(t, "/profile/identity")
	v.post("/identity/role/switch", switchRole).wantPage(t, 403)
	v.post("/identity/role", url.Values{"username": {"minh.canbo"}, "password": {seedPassword}}).wantAt(t, "/profile/identity")
	if v.get("/officer").status != 403 {
		t.Error("linked, and an officer without a switch")
	}
	v.post(anApply, url.Values{"subject": {"Việc riêng"}, "phone": {"0950000009"}, "once": {secret()}})
	mine := v.dossiers()[0]
	v.post("/identity/role/switch", switchRole).wantAt(t, "/officer")
	v.get("/officer").wantPage(t, 200, w.seeded("AN23K7QX"), "vai trò cán bộ")
	v.post("/officer/dossiers/"+mine, url.Values{"from": {"filed"}, "to": {"accepted"}}).wantPage(t, 403, "hồ sơ của chính mình")
	v.post("/identity/role/switch", url.Values{"to": {"citizen"}}).wantAt(t, "/")
	if v.get("/officer").status != 403 {
		t.Error("still an officer")
	}
	// The officer's own password works as before; nobody else gets the role.
	w.browser().local("minh.canbo", "/officer").wantAt(t, "/officer")
	other := w.browser()
	other.vneid(cuong, "/")
	other.post("/identity/role", url.Values{"username": {"minh.canbo"}, "password": {seedPassword}})
	other.post("/identity/role/switch", switchRole).wantPage(t, 403)
}

func TestNeverByPhoneOrEMailAndNeverARoleFromAClaim(t *testing.T) {
	w := newWorld(t)
	first := w.browser()
	shared := map[string]any{"phone_number": "+84950000001", "phone_number_verified": true, "email": "an@example.test", "email_verified": true,
		"role": "officer", "roles": []string{"officer"}, "is_officer": true, "username": "minh.canbo", "preferred_username": "an.nguyen"}
	first.vneid(an.with(func(c *citizen) { c.more = shared }), "/").wantAt(t, "/")
	first.post(anApply, url.Values{"subject": {"Của An"}, "phone": {"0950000001"}, "once": {secret()}})
	second := w.browser()
	second.vneid(cuong.with(func(c *citizen) { c.more = shared }), "/").wantAt(t, "/")
	if len(second.dossiers()) != 0 || second.get("/officer").status != 403 {
		t.Error("joined by phone or e-mail, or an officer by claim")
	}
}

func TestTheBrowserCarriesNoIdentity(t *testing.T) {
	w := newWorld(t)
	v := w.browser()
	v.vneid(cuong, "/")
	forged := url.Values{"iss": {w.op.srv.URL}, "sub": {"an"}, "cccd": {an.cccd}, "name": {an.name}, "account_id": {"x"}, "username": {"an.nguyen"}, "do": {"update"}, "password": {"x"}, "verified": {"1"}, "officer": {"minh.canbo"}, "userinfo": {`{"sub":"an"}`}}
	for _, path := range []string{"/link", "/who", "/identity/cccd", "/identity/role", "/identity/unlink", "/link/start", anApply} {
		v.post(path, forged)
	}
	if v.signedInAs() != cuong.name || v.get("/officer").status != 403 {
		t.Errorf("signed in as %q", v.signedInAs())
	}
	for _, id := range v.dossiers() {
		if id == w.seeded("AN23K7QX") {
			t.Error("a forged form brought dossiers")
		}
	}
}

// Two pairs with one number and one old account, all at once: one link at most,
// and no dossier twice or lost.
func TestBrowsersThatLinkOneNumberAtOnceHaveOneWinner(t *testing.T) {
	w := newWorld(t)
	w.declares("an.nguyen", an.cccd)
	const browsers = 8
	all := make([]*browser, browsers)
	var ready, group sync.WaitGroup
	ready.Add(browsers)
	for i := range all {
		all[i] = w.browser()
		group.Go(func() {
			who := an.with(func(c *citizen) { c.sub = "an-" + string(rune('a'+i/2)) }) // two browsers of each pair
			all[i].vneid(who, "/dossiers")
			ready.Done()
			ready.Wait()
			all[i].post("/link", url.Values{"do": {"update"}, "username": {"an.nguyen"}, "password": {seedPassword}})
		})
	}
	group.Wait()
	owners := map[string]bool{}
	for i, b := range all {
		switch n := len(b.dossiers()); n {
		case 3:
			owners[string(rune('a'+i/2))] = true
		case 0:
		default:
			t.Errorf("browser %d sees %d dossiers", i, n)
		}
	}
	if len(owners) != 1 {
		t.Errorf("%d people own the dossiers: %v", len(owners), owners)
	}
	var linked int
	if err := w.portal.store.db.QueryRow("SELECT count(*) FROM audit WHERE what = 'joins.join'").Scan(&linked); err != nil || linked != 1 {
		t.Errorf("%d links, %v", linked, err)
	}
}

func TestTheLinkIsAskedForOnceAndEndsWithTheSession(t *testing.T) {
	w := newWorld(t)
	v := w.browser()
	v.vneid(binh, "/").wantAt(t, "/link")
	w.advance(31 * time.Minute) // the session is over: the proof of VNeID is gone
	v.post("/link", url.Values{"do": {"update"}, "username": {"binh.le"}, "password": {seedPassword}}).wantAt(t, "/login")
	old := w.browser()
	old.local("binh.le", "/").wantAt(t, "/")
	// A local session has proved no number, whatever it posts.
	old.post("/link", url.Values{"do": {"update"}, "username": {"binh.le"}, "password": {seedPassword}}).wantPage(t, 422, "Hãy đăng nhập bằng VNeID trước")
}

// Whoever knows the old password signs in again and again while its owner links:
// when the link stands, none of those sessions is left.
func TestNoSignInSlipsPastALink(t *testing.T) {
	for range 6 {
		w, username := newWorld(t), "binh.le"
		v := w.browser()
		v.vneid(binh, "/").wantAt(t, "/link")
		intruders := make([]*browser, 3) // with the owner four tries at once: below the limit
		var group sync.WaitGroup
		for i := range intruders {
			intruders[i] = w.browser()
			group.Go(func() { intruders[i].local(username, "/") })
		}
		group.Go(func() {
			v.post("/link", url.Values{"do": {"update"}, "username": {username}, "password": {seedPassword}})
		})
		group.Wait()
		if len(v.dossiers()) != 1 {
			t.Error("not linked")
		}
		for _, b := range intruders {
			if b.signedInAs() != "" {
				t.Error("the old password is still inside")
			}
		}
	}
}
