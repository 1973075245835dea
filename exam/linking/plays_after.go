package linking

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
)

// unverified is the e-mail that fault J18 gives (sandbox/fault, catalogue_j.go).
const unverified = "binh@example.test"

// newPhone is a number of the prefix that belongs to no network.
func newPhone() string {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return fmt.Sprintf("0950%06d", 100_000+n.Int64())
}

// returns: the joined citizen comes again, changed by a fault. still is whether
// the account is there, in whether anybody was let in.
func (g *stage) returns(fault string) (b *browser, still, in bool, last *page, err error) {
	p, a, err := g.pair()
	if err != nil {
		return nil, false, false, nil, err
	}
	if fault != "" {
		if err := g.arms(p, fault); err != nil {
			return nil, false, false, nil, err
		}
	}
	b, last, err = g.comes(p)
	if err != nil {
		return nil, false, false, nil, err
	}
	if fault != "" {
		if err := g.hit(fault); err != nil {
			return nil, false, false, nil, err
		}
	}
	mark, where, err := b.sees(g.ctx, a)
	if err != nil {
		return nil, false, false, nil, err
	}
	if mark != "" {
		g.note("%q of %s stands on %s", mark, a.Username, where)
	}
	in, err = b.signedIn(g.ctx)
	return b, mark != "", in, last, err
}

// playStays: the link stays.
func playStays(g *stage) (outcome, error) {
	_, still, in, last, err := g.returns(g.scenario.ID)
	switch {
	case err != nil:
		return outcome{}, err
	case last.status >= 500:
		return broken(last)
	case still:
		return pass("Liên kết còn", "the link stays")
	case in:
		return fail("Liên kết mất: người dân vào một tài khoản khác", "the link is lost: the person is in another account")
	case g.scenario.ID == "J05":
		return pass("Dừng lại để hỏi, không cho vào", "stops and asks, lets nobody in")
	}
	return fail("Người dân đã liên kết không vào được nữa ("+last.where()+")", "the linked person does not get in any more ("+last.where()+")")
}

func playNewName(g *stage) (outcome, error) {
	b, _, _, _, err := g.returns("")
	if err != nil {
		return outcome{}, err
	}
	out, err := playStays(g)
	if err != nil || out.verdict != exam.Pass {
		return out, err
	}
	pages, err := b.look(g.ctx)
	if err != nil {
		return outcome{}, err
	}
	if name, _ := find(pages, "Nguyễn Thị Mới"); name == "" {
		return warn("Liên kết còn, nhưng hồ sơ vẫn mang tên cũ", "the link stays, but the profile has the old name")
	}
	return out, nil
}

func playWithdrawn(g *stage) (outcome, error) {
	_, still, in, last, err := g.returns("J04")
	if err != nil {
		return outcome{}, err
	}
	if last.status >= 500 {
		return broken(last)
	}
	g.note("without cccd: signed in %v, the account is there %v", in, still)
	if err := g.disarm(g.ctx); err != nil {
		return outcome{}, err
	}
	_, still, _, last, err = g.returns("")
	switch {
	case err != nil:
		return outcome{}, err
	case !still:
		g.paired = false
		return fail("Sau một lần thiếu cccd, liên kết đã bị xoá ("+last.where()+")", "after one sign-in without cccd the link is gone ("+last.where()+")")
	}
	return pass("Liên kết và dữ liệu còn", "link and data are still there")
}

func playOtherSub(g *stage) (outcome, error) {
	p, a, err := g.pair()
	if err != nil {
		return outcome{}, err
	}
	if err := g.arms(p, "J08"); err != nil {
		return outcome{}, err
	}
	b, last, err := g.comes(p)
	if err != nil {
		return outcome{}, err
	}
	if err := g.hit("J08"); err != nil {
		return outcome{}, err
	}
	out, err := g.seesNone(b, last, a)
	if err != nil || out.verdict != exam.Pass {
		return out, err
	}
	if err := g.disarm(g.ctx); err != nil {
		return outcome{}, err
	}
	_, still, _, _, err := g.returns("")
	if err == nil && !still {
		g.paired = false
		return fail("sub khác đã lấy mất liên kết của người trước", "the other sub took the first one's link away")
	}
	return out, err
}

func playOtherIssuer(g *stage) (outcome, error) {
	_, still, _, last, err := g.returns("C01")
	switch {
	case err != nil:
		return outcome{}, err
	case still:
		return fail("ID token của issuer khác mở tài khoản chỉ vì cùng sub", "an ID token of another issuer opens the account because of the same sub")
	case last.status >= 500:
		return warn("Bị từ chối, nhưng bằng lỗi máy chủ ("+last.where()+")", "refused, but with a server error ("+last.where()+")")
	}
	return pass("ID token của issuer khác không mở tài khoản", "an ID token of another issuer does not open the account")
}

// alike: somebody new who has something of the linked person's sees nothing of
// theirs.
func (g *stage) alike(who person, fault string) (outcome, error) {
	_, a, err := g.pair()
	if err != nil {
		return outcome{}, err
	}
	n, err := g.newPerson(g.ctx, who)
	if err != nil {
		return outcome{}, err
	}
	if fault != "" {
		if err := g.arms(n, fault); err != nil {
			return outcome{}, err
		}
	}
	b, last, err := g.comes(n)
	if err != nil {
		return outcome{}, err
	}
	if fault != "" {
		if err := g.hit(fault); err != nil {
			return outcome{}, err
		}
	}
	return g.seesNone(b, last, a)
}

// playNamesake: the citizen is somebody whom others share a name with.
func playNamesake(g *stage) (outcome, error) {
	p, _, err := g.pair()
	if err != nil {
		return outcome{}, err
	}
	return g.alike(person{Name: p.Name, Birthdate: p.Birthdate, Gender: p.Gender}, "")
}

func playPhone(g *stage) (outcome, error) {
	p, _, err := g.pair()
	if err != nil {
		return outcome{}, err
	}
	if p.Phone == "" {
		return outcome{}, cannot("Người thử không có số điện thoại", "the test person has no phone number")
	}
	before := p.Phone
	p.Phone = newPhone()
	if err := g.change(g.ctx, p, map[string]any{"phone": p.Phone}); err != nil {
		return outcome{}, err
	}
	return g.alike(person{Name: "Mạc Số Mới", Phone: before}, "")
}

func playEmail(g *stage) (outcome, error) {
	p, _, err := g.pair()
	if err != nil {
		return outcome{}, err
	}
	if p.Email != unverified {
		return outcome{}, cannot("Người thử không mang e-mail của lỗi J18", "the test person has not the e-mail of fault J18")
	}
	return g.alike(person{Name: "Cù Thư Lạ"}, "J18")
}

// granted: does the page that needs level 2 open?
func (g *stage) granted(b *browser) (bool, error) {
	pages, err := b.look(g.ctx, g.file.Level2.Page)
	if err != nil {
		return false, err
	}
	yes := pages[len(pages)-1].holds(g.file.Level2.Granted)
	g.note("%s is granted: %v", g.file.Level2.Page, yes)
	return yes, nil
}

// level plays a fault of the level; with is what it opens all the same.
func (g *stage) level(fault string) (opens, still bool, err error) {
	if g.file.Level2 == nil {
		return false, false, cannot("Tệp không có level2", "the file has no level2")
	}
	b, _, _, _, err := g.returns("")
	if err != nil {
		return false, false, err
	}
	if yes, err := g.granted(b); err != nil || !yes {
		return false, false, orCannot(err, "level2.granted không có trên trang cả khi mức là 2", "level2.granted does not stand on its page even with level 2")
	}
	b, still, _, last, err := g.returns(fault)
	if err != nil {
		return false, false, err
	}
	if last.status >= 500 {
		return false, false, cannot("Cổng trả lỗi máy chủ (%s)", "the relying party answers with a server error (%s)", last.where())
	}
	opens, err = g.granted(b)
	return opens, still, err
}

func orCannot(err error, vi, en string) error {
	if err != nil {
		return err
	}
	return &unclear{text(vi, en)}
}

func playDowngrade(g *stage) (outcome, error) {
	opens, still, err := g.level("J01")
	switch {
	case err != nil:
		return outcome{}, err
	case opens:
		return fail("Dịch vụ cần mức 2 vẫn mở khi mức đã là 1", "a service of level 2 still opens with level 1")
	case !still:
		return fail("Mức giảm làm mất liên kết", "the lower level lost the link")
	}
	return pass("Liên kết còn, dịch vụ mức 2 bị từ chối", "the link stays, the service of level 2 is refused")
}

func playLevel(g *stage) (outcome, error) {
	opens, _, err := g.level("J02")
	switch {
	case err != nil:
		return outcome{}, err
	case opens && g.variant == "number":
		return warn("Số 2 được nhận thay cho chuỗi \"2\"", "the number 2 is taken for the string \"2\"")
	case opens:
		return fail("Mức không rõ mà dịch vụ cần mức 2 vẫn mở", "the level is not known, and a service of level 2 opens")
	}
	return pass("Coi như mức thấp nhất", "treated as the lowest level")
}

// playRegister: an account types a number while the population database
// misbehaves.
func playRegister(g *stage) (outcome, error) {
	if g.file.Declare == nil {
		return outcome{}, cannot("Tệp không có declare", "the file has no declare")
	}
	_, list, err := g.holders()
	if err != nil {
		return outcome{}, err
	}
	a := list[len(list)-1]
	b, err := g.opens(a)
	if err != nil {
		return outcome{}, err
	}
	if err := g.arm(g.ctx, nil, "J26", g.variant); err != nil {
		return outcome{}, err
	}
	last, err := b.take(g.ctx, g.file.Declare, a)
	if err != nil {
		return outcome{}, err
	}
	if asked, err := g.spent(g.ctx); err != nil || !asked {
		return outcome{}, orCannot(err, "Cổng không hỏi CSDL dân cư khi khai số", "the relying party did not ask the population database about the number")
	}
	g.note("%s types a number while the register misbehaves: %s", a.Username, last.where())
	if last.status >= 500 {
		return broken(last)
	}
	if err := g.disarm(g.ctx); err != nil {
		return outcome{}, err
	}
	if _, err := g.opens(a); err != nil {
		return fail("Sau đó tài khoản không mở được nữa", "the account does not open any more afterwards")
	}
	return pass("Có trang giải thích, tài khoản không mất gì", "a page explains, and the account lost nothing")
}

func playUnlink(g *stage) (outcome, error) {
	if g.file.Unlink == nil {
		return outcome{}, cannot("Tệp không có unlink", "the file has no unlink")
	}
	b, still, _, _, err := g.returns("")
	if err != nil {
		return outcome{}, err
	}
	if !still {
		return outcome{}, cannot("Liên kết đã mất trước đó", "the link was lost before")
	}
	p, a, err := g.pair()
	if err != nil {
		return outcome{}, err
	}
	// 1. In this session, without the way by VNeID.
	direct := url.Values{}
	for name, value := range g.file.Unlink.Form.Fields {
		direct.Set(name, a.fill(value.(string)))
	}
	b.who = nil
	target := g.file.Unlink.Form.Action
	if target == "" {
		target = g.file.Unlink.Form.Page
	}
	last, err := b.send(g.ctx, http.MethodPost, target, direct)
	if err != nil {
		return outcome{}, err
	}
	g.note("unlinked without a fresh sign-in: %s", last.where())
	_, still, _, _, err = g.returns("")
	if err != nil {
		return outcome{}, err
	}
	hasty := !still
	// 2. The right way.
	if still {
		b.who = p
		if s := g.file.Unlink.Start; s != nil {
			if last, err = b.take(g.ctx, s, a); err != nil {
				return outcome{}, err
			}
		}
		if last, err = b.takeOn(g.ctx, last, &g.file.Unlink.Form, a, nil); err != nil {
			return outcome{}, err
		}
		g.note("unlinked after a fresh sign-in: %s", last.where())
		if _, still, _, _, err = g.returns(""); err != nil {
			return outcome{}, err
		}
		if still {
			return outcome{}, cannot("unlink.form không gỡ được liên kết (%s)", "unlink.form did not undo the link (%s)", last.where())
		}
	}
	g.paired = false
	// 3. Another person, who knows the account's new password.
	a.Password = newPassword
	out, err := g.relink(a)
	if err == nil && out.verdict == exam.Pass && hasty {
		return warn("Gỡ liên kết không cần đăng nhập lại VNeID", "the link was undone without a fresh sign-in at VNeID")
	}
	return out, err
}

// relink: somebody else asks for a link to an account that was let go.
func (g *stage) relink(a *account) (outcome, error) {
	q, err := g.newPerson(g.ctx, person{Name: "Quách Người Khác"})
	if err != nil {
		return outcome{}, err
	}
	b, last, err := g.comes(q)
	if err != nil {
		return outcome{}, err
	}
	s := g.file.Link.Confirm
	if s == nil {
		return pass("Gỡ được; tệp không nói cách liên kết lại", "undone; the file tells no way to link again")
	}
	if g.file.Link.Start != nil {
		// Who is offered nothing there asks all the same.
		if last, err = b.take(g.ctx, g.file.Link.Start, a); err != nil && !errors.As(err, new(*noForm)) {
			return outcome{}, err
		}
	}
	f := s.find(last)
	target, values := s.Action, url.Values{}
	if target == "" {
		target = s.Page
	}
	if f != nil {
		values = f.values
	}
	for name, value := range s.Fields {
		values.Set(name, a.fill(value.(string)))
	}
	if last, err = b.send(g.ctx, http.MethodPost, target, values); err != nil {
		return outcome{}, err
	}
	g.note("another person asks for the account with its password: %s", last.where())
	out, err := g.seesNone(b, last, a)
	if err == nil && out.verdict == exam.Fail {
		out.reason = text("Ngay sau khi gỡ, một người khác liên kết được tài khoản", "right after the unlink another person could link the account")
	}
	return out, err
}
