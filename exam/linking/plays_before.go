package linking

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
)

// attack is an answer of VNeID that the attacker got in a browser of their
// own, and did not open.
func (g *stage) attack() (*person, *back, error) {
	e, err := g.newPerson(g.ctx, person{Name: "Phùng Kẻ Lạ"})
	if err != nil {
		return nil, nil, err
	}
	p, err := g.browser(nil).take(g.ctx, &g.file.Login, nil)
	if err != nil {
		return nil, nil, err
	}
	if p.leaves == nil {
		return nil, nil, cannot("login.page không dẫn đến VNeID", "login.page does not lead to VNeID")
	}
	answer, err := g.atVNeID(g.ctx, e, p.leaves)
	if err == nil {
		g.note("the attacker (%s) has an answer of VNeID and sends its address to the victim", masked(e.CCCD))
	}
	return e, answer, err
}

// follow opens somebody else's answer.
func (g *stage) follow(b *browser, a *back) (*page, error) {
	method, values := http.MethodGet, url.Values(nil)
	if len(a.Form) > 0 {
		method, values = http.MethodPost, url.Values{}
		for name, value := range a.Form {
			values.Set(name, value)
		}
	}
	last, err := b.send(g.ctx, method, a.Callback, values)
	if err == nil {
		g.note("the victim opens it: %s", last.where())
	}
	return last, err
}

func playForeignCallback(g *stage) (outcome, error) {
	_, answer, err := g.attack()
	if err != nil {
		return outcome{}, err
	}
	victim := g.browser(nil)
	if _, err := victim.take(g.ctx, &g.file.Login, nil); err != nil { // has a session, and a sign-in of its own begun
		return outcome{}, err
	}
	last, err := g.follow(victim, answer)
	if err != nil {
		return outcome{}, err
	}
	in, err := victim.signedIn(g.ctx)
	switch {
	case err != nil:
		return outcome{}, err
	case in:
		return fail("Trình duyệt của nạn nhân đã đăng nhập bằng danh tính của kẻ tấn công", "the victim's browser is signed in as the attacker")
	case last.status >= 500:
		return broken(last)
	}
	return pass("Callback của trình duyệt khác bị từ chối", "another browser's callback was refused")
}

// bystander is the account of a third person, with a number of its own.
func (g *stage) bystander() (*account, error) {
	var p *person
	if g.file.Register != nil {
		var err error
		if p, err = g.newPerson(g.ctx, person{Name: "Trịnh Người Thứ Ba"}); err != nil {
			return nil, err
		}
	}
	list, err := g.of(other, p)
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{stranger, byCMND} { // somebody has to be signed in; who is no matter
		more, err := g.of(kind, nil)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	for _, a := range list {
		if (a.CCCD != "" || a.CMND != "") && a.joinedIn == "" {
			return a, nil
		}
	}
	return nil, cannot("Tệp không còn tài khoản kind: other mang một số định danh", "the file has no account left of kind: other with a number of its own")
}

func playLinkingCSRF(g *stage) (outcome, error) {
	a, err := g.bystander()
	if err != nil {
		return outcome{}, err
	}
	victim, err := g.opens(a)
	if err != nil {
		return outcome{}, err
	}
	attacker, answer, err := g.attack()
	if err != nil {
		return outcome{}, err
	}
	last, err := g.follow(victim, answer)
	if err != nil {
		return outcome{}, err
	}
	pages, err := victim.look(g.ctx, a.Pages...)
	if err != nil {
		return outcome{}, err
	}
	if name, where := find(pages, attacker.Name); name != "" {
		g.note("%q stands on %s in the victim's browser", name, where)
		a.joinedIn = g.scenario.ID
		return fail("Phiên của nạn nhân nay mang danh tính của kẻ tấn công", "the victim's session now bears the attacker's identity")
	}
	out, err := g.joinedTo(attacker, a)
	if err == nil && out.verdict == exam.Pass && last.status >= 500 {
		return broken(last)
	}
	return out, err
}

// joinedTo looks from a new browser whether somebody got an account.
func (g *stage) joinedTo(p *person, a *account) (outcome, error) {
	b, last, err := g.comes(p)
	if err != nil {
		return outcome{}, err
	}
	return g.seesNone(b, last, a)
}

func playOtherSignedIn(g *stage) (outcome, error) {
	a, err := g.bystander()
	if err != nil {
		return outcome{}, err
	}
	b, err := g.opens(a)
	if err != nil {
		return outcome{}, err
	}
	if b.who, err = g.newPerson(g.ctx, person{Name: "Phùng Kẻ Lạ"}); err != nil {
		return outcome{}, err
	}
	start := g.file.Link.Start
	if start == nil {
		start = &g.file.Login
	}
	last, err := b.take(g.ctx, start, a)
	if err != nil {
		return outcome{}, err
	}
	g.note("%s, signed in as %s, comes back from VNeID as %s: %s", a.Username, a.Username, b.who.Name, last.where())
	if len(b.logins) == 0 {
		return outcome{}, cannot("link.start không dẫn đến VNeID (%s)", "link.start does not lead to VNeID (%s)", last.where())
	}
	if last.status >= 500 {
		return broken(last)
	}
	out, err := g.joinedTo(b.who, a)
	if err != nil || out.verdict != exam.Pass {
		return out, err
	}
	mark, _, err := b.sees(g.ctx, a)
	if err != nil {
		return outcome{}, err
	}
	if in, err := b.signedIn(g.ctx); err != nil || !in || mark != "" {
		return out, err
	}
	return warn("Không nhập làm một, nhưng phiên đã lặng lẽ đổi sang người kia, không ai hỏi", "nothing merged, but the session became the other person's, and nobody was asked")
}

func playFirstCome(g *stage) (outcome, error) {
	var victim *person
	list, err := g.of(stranger, nil)
	if err == nil && len(list) == 0 && g.file.Register != nil {
		if victim, err = g.newPerson(g.ctx, person{Name: "Ngô Chính Chủ"}); err == nil {
			list, err = g.of(stranger, victim)
		}
	}
	if err != nil {
		return outcome{}, err
	}
	if len(list) == 0 {
		return outcome{}, cannot("Tệp không có tài khoản kind: stranger", "the file has no account of kind: stranger")
	}
	a := list[0]
	if victim == nil {
		if victim, err = g.seeded(g.ctx, a.CCCD); err != nil {
			return outcome{}, err
		}
	}
	out, err := g.untouched(victim, "", a)
	if err != nil || out.verdict != exam.Pass {
		return out, err
	}
	// The other way: who knows the old password must not meet the victim there.
	b := g.browser(nil)
	if _, err := b.take(g.ctx, &g.file.Local, a); err != nil {
		return outcome{}, err
	}
	pages, err := b.look(g.ctx, a.Pages...)
	if err != nil {
		return outcome{}, err
	}
	if name, where := find(pages, victim.Name); name != "" {
		a.joinedIn = g.scenario.ID
		g.note("%q stands on %s for %s", name, where, a.Username)
		return fail("Ai biết mật khẩu của tài khoản "+a.Username+" thấy danh tính của nạn nhân", "who knows the password of "+a.Username+" sees the victim's identity")
	}
	return out, nil
}

func playCMND(g *stage) (outcome, error) {
	list, err := g.of(byCMND, &person{Name: "Vũ Số Cũ", Birthdate: "1961-05-06", Gender: "male", CMND: "171" + newPhone()[4:]})
	if err != nil {
		return outcome{}, err
	}
	if len(list) == 0 {
		return outcome{}, cannot("Tệp không có tài khoản kind: cmnd", "the file has no account of kind: cmnd")
	}
	p, err := g.newPerson(g.ctx, person{Name: list[0].Name, Birthdate: list[0].Birthdate, Gender: list[0].Gender, CMND: list[0].CMND})
	if err != nil {
		return outcome{}, err
	}
	return g.untouched(p, "", list[0])
}

func playOfficer(g *stage) (outcome, error) {
	list, err := g.of(officer, nil)
	if err != nil {
		return outcome{}, err
	}
	if len(list) == 0 {
		return outcome{}, cannot("Tệp không có tài khoản kind: officer", "the file has no account of kind: officer")
	}
	a := list[0]
	var p *person
	if a.CCCD != "" {
		p, err = g.seeded(g.ctx, a.CCCD)
	} else {
		p, err = g.newPerson(g.ctx, person{Name: a.Name, Birthdate: a.Birthdate, Gender: a.Gender})
	}
	if err != nil {
		return outcome{}, err
	}
	if a.CCCD == "" && g.file.Declare != nil {
		if err := g.declares(a, p.CCCD); err != nil {
			return outcome{}, err
		}
	}
	out, err := g.untouched(p, "", a)
	if err != nil || out.verdict != exam.Pass {
		return out, err
	}
	g.note("fault F11 armed: UserInfo says role admin, is_admin true")
	if err := g.arm(g.ctx, p, "F11", ""); err != nil {
		return outcome{}, err
	}
	b, last, err := g.comes(p)
	if err == nil {
		err = g.hit("F11")
	}
	if err != nil {
		return outcome{}, err
	}
	out, err = g.seesNone(b, last, a)
	if err == nil && out.verdict == exam.Fail {
		out.reason = text("Claim của VNeID cấp quyền cán bộ", "a claim of VNeID gives an officer's rights")
	}
	return out, err
}

// playSameName: many people share a name, some a date of birth with it.
func playSameName(g *stage) (outcome, error) {
	list, err := g.of(own, nil)
	if err == nil && len(list) == 0 && g.file.Register != nil {
		_, list, err = g.holders()
	}
	if err != nil {
		return outcome{}, err
	}
	if len(list) == 0 || list[0].Name == "" {
		return outcome{}, cannot("Tệp không có tài khoản kind: own có name", "the file has no account of kind: own with a name")
	}
	namesake, err := g.newPerson(g.ctx, person{Name: list[0].Name, Birthdate: list[0].Birthdate, Gender: list[0].Gender})
	if err != nil {
		return outcome{}, err
	}
	return g.untouched(namesake, "", list...)
}

// playUnnumbered: somebody new without a CCCD gets none of the accounts, those
// without a number among them.
func playUnnumbered(g *stage) (outcome, error) {
	p, err := g.newPerson(g.ctx, person{Name: "Lưu Không Số"})
	if err != nil {
		return outcome{}, err
	}
	var list []*account
	for _, kind := range []string{own, byCMND} {
		some, err := g.of(kind, nil)
		if err != nil {
			return outcome{}, err
		}
		list = append(list, some...)
	}
	return g.untouched(p, g.scenario.ID, slices.DeleteFunc(list, func(a *account) bool { return a.joinedIn != "" })...)
}

// playOwners: the owner of the number comes, changed by the fault of the same id.
func playOwners(g *stage) (outcome, error) {
	p, list, err := g.holders()
	if err != nil {
		return outcome{}, err
	}
	return g.untouched(p, g.scenario.ID, list...)
}

func playDuplicate(g *stage) (outcome, error) {
	p, list, err := g.holders()
	if err != nil {
		return outcome{}, err
	}
	if len(list) < 2 {
		return outcome{}, cannot("Cần hai tài khoản cùng mang một số CCCD", "it needs two accounts that hold one CCCD")
	}
	return g.untouched(p, "", list...)
}

func playLocked(g *stage) (outcome, error) {
	p, err := g.newPerson(g.ctx, person{Name: "Tô Bị Khoá", Status: "locked"})
	if err != nil {
		return outcome{}, err
	}
	b, last, err := g.comes(p)
	if err != nil {
		return outcome{}, err
	}
	in, err := b.signedIn(g.ctx)
	switch {
	case err != nil:
		return outcome{}, err
	case in:
		return fail("Cổng cho vào dù VNeID từ chối", "let in, though VNeID refused")
	case last.status >= 500:
		return broken(last)
	}
	return pass("Không cho vào, có trang giải thích", "not let in, with a page that explains")
}

// playAltered: an attacker with an identity of their own alters everything the
// browser sends after the callback, to become the owner of the own accounts.
func playAltered(g *stage) (outcome, error) {
	victim, list, err := g.holders()
	if err != nil {
		return outcome{}, err
	}
	for _, a := range list {
		if _, err := g.opens(a); err != nil {
			return outcome{}, err
		}
	}
	e, err := g.newPerson(g.ctx, person{Name: "Phùng Kẻ Lạ"})
	if err != nil {
		return outcome{}, err
	}
	b, last, err := g.comes(e)
	if err != nil {
		return outcome{}, err
	}
	swap := strings.NewReplacer(e.CCCD, victim.CCCD, e.Name, victim.Name, e.Birthdate, victim.Birthdate)
	for _, f := range forms(last.body) {
		carries := false
		for _, values := range f.values {
			for i, v := range values {
				values[i] = swap.Replace(v)
				carries = carries || values[i] != v
			}
		}
		target, err := last.at.Parse(f.action)
		if err != nil || !carries {
			continue
		}
		g.note("a form to %s carries the identity; it is sent with the victim's", target.Path)
		if _, err := b.send(g.ctx, methodOf(f), target.String(), f.values); err != nil {
			return outcome{}, err
		}
	}
	told, err := json.Marshal(map[string]any{"cccd": victim.CCCD, "name": victim.Name, "birthdate": victim.Birthdate, "sub": victim.CCCD, "account_level": "2"})
	if err != nil {
		return outcome{}, err
	}
	forged := url.Values{"cccd": {victim.CCCD}, "name": {victim.Name}, "birthdate": {victim.Birthdate}, "sub": {victim.CCCD}, "userinfo": {string(told)}, "username": {list[0].Username}, "confirm": {"yes"}, "do": {"update"}}
	targets := []string{last.at.Path}
	if s := g.file.Link.Confirm; s != nil {
		targets = append(targets, s.Page)
		if s.Action != "" {
			targets = append(targets, s.Action)
		}
		for name, value := range s.Fields {
			if !forged.Has(name) && !strings.Contains(value.(string), "{password}") {
				forged.Set(name, list[0].fill(value.(string)))
			}
		}
	}
	if s := g.file.Carried; s != nil {
		targets = append(targets, cmp.Or(s.Action, s.Page))
		for name, value := range s.Fields {
			forged.Set(name, strings.ReplaceAll(list[0].fill(value.(string)), "{userinfo}", string(told)))
		}
	}
	b.who = nil
	fresh := g.browser(nil) // in which nobody signs in anywhere
	if _, err := fresh.open(g.ctx, g.file.Local.Page); err != nil {
		return outcome{}, err
	}
	for _, target := range targets {
		for _, sender := range []*browser{b, fresh} {
			p, err := sender.send(g.ctx, http.MethodPost, target, forged)
			if err != nil {
				return outcome{}, err
			}
			g.note("posted to %s with the victim's identity and no password: %s", target, p.where())
			if p.status >= 500 {
				return broken(p)
			}
		}
		if in, err := fresh.signedIn(g.ctx); err != nil {
			return outcome{}, err
		} else if in {
			return fail("Một trình duyệt chưa đăng nhập ở đâu đã vào được nhờ dữ liệu tự gửi đến "+target, "a browser that signed in nowhere got in by what it posted to "+target)
		}
	}
	return g.seesNone(b, last, list...)
}

func methodOf(f *form) string {
	if f.method == http.MethodPost {
		return http.MethodPost
	}
	return http.MethodGet
}

func playSkipThenLink(g *stage) (outcome, error) {
	p, list, err := g.holders()
	if err != nil {
		return outcome{}, err
	}
	confirm, start := g.file.Link.Confirm, g.file.Link.Start
	if confirm == nil {
		return outcome{}, cannot("Tệp không nói biểu mẫu xác nhận liên kết (link.confirm)", "the file does not tell the form that confirms a link (link.confirm)")
	}
	for _, a := range list {
		if _, err := g.opens(a); err != nil {
			return outcome{}, err
		}
	}
	b, last, err := g.comes(p)
	if err != nil {
		return outcome{}, err
	}
	if skip := g.file.Link.Skip; skip != nil {
		if last, err = b.takeOn(g.ctx, last, skip, list[0], nil); err != nil {
			return outcome{}, err
		}
		g.note("skipped: %s", last.where())
	}
	if start != nil {
		if last, err = b.take(g.ctx, start, list[0]); err != nil {
			return outcome{}, err
		}
	}
	wrong := *list[0]
	wrong.Password = "Khong-Phai@2026"
	last, err = b.takeOn(g.ctx, last, confirm, &wrong, nil)
	if err != nil {
		return outcome{}, err
	}
	g.note("linked later with a wrong password: %s", last.where())
	return g.seesNone(b, last, list...)
}
