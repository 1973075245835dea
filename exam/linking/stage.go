package linking

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
)

// stage is where one scenario is played.
type stage struct {
	*run
	ctx      context.Context
	scenario *Scenario
	variant  string
	evidence []string
}

type outcome struct {
	verdict Verdict
	reason  Text
}

func text(vi, en string) Text { return Text{Vi: vi, En: en} }

func pass(vi, en string) (outcome, error) { return outcome{exam.Pass, text(vi, en)}, nil }
func fail(vi, en string) (outcome, error) { return outcome{exam.Fail, text(vi, en)}, nil }
func warn(vi, en string) (outcome, error) { return outcome{exam.Warn, text(vi, en)}, nil }

// unclear ends a scenario that can show nothing.
type unclear struct{ why Text }

func (e *unclear) Error() string { return e.why.En }

func cannot(vi, en string, args ...any) error {
	return &unclear{text(fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...))}
}

func (g *stage) note(format string, args ...any) {
	g.evidence = append(g.evidence, fmt.Sprintf(format, args...))
}

// account is a local account during the exam.
type account struct {
	Account
	joinedIn string // the scenario that joined it to somebody
}

// newPassword is fit to be one wherever letters, digits and a sign are asked for.
const newPassword = "Lien-Ket@2026x"

// fill puts the values of an account for the placeholders.
func (a *account) fill(text string) string {
	if a == nil {
		return text
	}
	return strings.NewReplacer("{username}", a.Username, "{password}", a.Password, "{new_password}", newPassword, "{name}", a.Name, "{birthdate}", a.Birthdate,
		"{gender}", a.Gender, "{cccd}", a.CCCD, "{cmnd}", a.CMND, "{phone}", a.Phone, "{email}", a.Email).Replace(text)
}

// look opens every page where data stand, as the browser is now.
func (b *browser) look(ctx context.Context, more ...string) ([]*page, error) {
	idle := *b
	idle.who = nil // looking signs nobody in
	var list []*page
	for _, path := range append(append([]string{b.run.file.Who.Page}, b.run.file.Pages...), more...) {
		p, err := idle.open(ctx, path)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (b *browser) signedIn(ctx context.Context) (bool, error) {
	idle := *b
	idle.who = nil
	p, err := idle.open(ctx, b.run.file.Who.Page)
	return err == nil && p.leaves == nil && p.holds(b.run.file.Who.SignedIn), err
}

// holds: the text stands on the page as it was sent, or as it is read.
func (p *page) holds(text string) bool {
	return strings.Contains(p.body, text) || strings.Contains(p.text(), text)
}

// find is the first of the texts that stands on a page, and on which.
func find(pages []*page, texts ...string) (text, where string) {
	for _, p := range pages {
		for _, t := range texts {
			if p.holds(t) {
				return t, p.at.Path
			}
		}
	}
	return "", ""
}

// sees is a mark of the account on the pages of the browser, "" for none.
func (b *browser) sees(ctx context.Context, a *account) (mark, where string, err error) {
	pages, err := b.look(ctx, a.Pages...)
	if err != nil {
		return "", "", err
	}
	mark, where = find(pages, a.Marks...)
	return mark, where, nil
}

// comes is somebody in a new browser who signs in by VNeID.
func (g *stage) comes(p *person) (*browser, *page, error) {
	b := g.browser(p)
	last, err := b.take(g.ctx, &g.file.Login, nil)
	if err != nil {
		return nil, nil, err
	}
	g.note("%s (%s) by VNeID: %s", p.Name, masked(p.CCCD), last.where())
	return b, last, nil
}

// opens signs in to a local account with its password. It has to show its
// marks: only then their absence elsewhere means anything.
func (g *stage) opens(a *account) (*browser, error) {
	if a.joinedIn != "" {
		return nil, cannot("Tài khoản %s đã bị liên kết trong kịch bản %s, nên kịch bản này không chơi được", "account %s was joined in scenario %s: this one cannot be played", a.Username, a.joinedIn)
	}
	b := g.browser(nil)
	if _, err := b.take(g.ctx, &g.file.Local, a); err != nil {
		return nil, err
	}
	mark, where, err := b.sees(g.ctx, a)
	if err != nil {
		return nil, err
	}
	if mark == "" {
		return nil, cannot("Tài khoản %s không mở được bằng mật khẩu, hoặc dấu hiệu của nó không có trên trang nào", "account %s does not open with its password, or none of its marks stands on a page", a.Username)
	}
	g.note("%s opens with its password; %q stands on %s", a.Username, mark, where)
	return b, nil
}

// arms arms the fault of the scenario, or another, for one person.
func (g *stage) arms(p *person, id string) error {
	g.note("fault %s %s armed for %s", id, g.variant, masked(p.CCCD))
	return g.arm(g.ctx, p, id, g.variant)
}

// hit: the fault has to have reached the relying party.
func (g *stage) hit(id string) error {
	struck, err := g.spent(g.ctx)
	if err == nil && !struck {
		err = cannot("Lỗi %s không đến được cổng: cổng không hỏi nơi lỗi này nằm (UserInfo, scope)", "fault %s did not reach the relying party: it does not ask where the fault stands (UserInfo, scopes)", id)
	}
	return err
}

// untouched: somebody comes, with a fault armed or without, and must see none
// of the accounts, whose passwords were not asked for.
func (g *stage) untouched(p *person, fault string, accounts ...*account) (outcome, error) {
	if len(accounts) == 0 {
		return outcome{}, cannot("Tệp không có tài khoản nào cho kịch bản này", "the file has no account for this scenario")
	}
	for _, a := range accounts {
		if _, err := g.opens(a); err != nil {
			return outcome{}, err
		}
	}
	if fault != "" {
		if err := g.arms(p, fault); err != nil {
			return outcome{}, err
		}
	}
	b, last, err := g.comes(p)
	if err != nil {
		return outcome{}, err
	}
	if fault != "" {
		if err := g.hit(fault); err != nil {
			return outcome{}, err
		}
	}
	return g.seesNone(b, last, accounts...)
}

// seesNone is the verdict on a browser that came by VNeID.
func (g *stage) seesNone(b *browser, last *page, accounts ...*account) (outcome, error) {
	if last.status >= 500 {
		return broken(last)
	}
	for _, a := range accounts {
		mark, where, err := b.sees(g.ctx, a)
		if err != nil {
			return outcome{}, err
		}
		if mark != "" {
			a.joinedIn = g.scenario.ID
			g.note("%q of %s stands on %s", mark, a.Username, where)
			return fail("Người đến từ VNeID thấy dữ liệu của tài khoản "+a.Username+" dù không ai hỏi mật khẩu của tài khoản này", "the person from VNeID sees what belongs to account "+a.Username+", though nobody asked for its password")
		}
	}
	in, err := b.signedIn(g.ctx)
	if err != nil {
		return outcome{}, err
	}
	if in {
		return pass("Vào được, không thấy dữ liệu của tài khoản nào khác", "let in, without anything of another account")
	}
	return pass("Không cho vào, và không lỗi máy chủ", "not let in, without a server error")
}

func broken(p *page) (outcome, error) {
	return fail("Cổng trả lỗi máy chủ ("+p.where()+") thay vì giải thích", "the relying party answers with a server error ("+p.where()+") where it has to explain")
}

// of are the accounts of a kind, made by the registration form where the file
// lists none. holds is the number that a made account is given.
func (g *stage) of(kind string, holds *person) ([]*account, error) {
	var list []*account
	for _, a := range g.accounts {
		if a.Kind == kind {
			list = append(list, a)
		}
	}
	want := 1
	if kind == own {
		want = 2
	}
	for len(list) < want && g.file.Register != nil && holds != nil {
		a := &account{Account: Account{Kind: kind, Username: "kt" + strings.ToLower(rand.Text()[:10]), Password: newPassword, Name: holds.Name,
			Birthdate: holds.Birthdate, Gender: holds.Gender, CCCD: holds.CCCD, CMND: holds.CMND, Phone: holds.Phone, Email: holds.Email}}
		if kind == stranger {
			a.Name = "Lý Gian Dối"
		}
		a.Marks = []string{a.Username}
		if kind == byCMND {
			a.CCCD = ""
		}
		last, err := g.browser(nil).take(g.ctx, g.file.Register, a)
		if err != nil {
			return nil, err
		}
		if last.status >= 400 {
			return nil, cannot("Không đăng ký được tài khoản (%s)", "an account could not be registered (%s)", last.where())
		}
		g.accounts, list = append(g.accounts, a), append(list, a)
	}
	return list, nil
}

// holders are the citizen and the citizen's own accounts, which hold the number.
func (g *stage) holders() (*person, []*account, error) {
	if g.citizen == nil {
		p := person{Name: "Nguyễn Văn Kiểm", Email: unverified, Phone: newPhone()}
		for _, a := range g.accounts {
			if a.Kind == own {
				p.Name, p.Birthdate, p.Gender = a.Name, a.Birthdate, a.Gender
				if a.CCCD != "" {
					p.CCCD = a.CCCD
				}
				break
			}
		}
		var err error
		if p.CCCD != "" {
			g.citizen, err = g.seeded(g.ctx, p.CCCD)
		} else {
			g.citizen, err = g.newPerson(g.ctx, p)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	list, err := g.of(own, g.citizen)
	if err != nil {
		return nil, nil, err
	}
	var holding []*account
	for _, a := range list {
		if a.CCCD == "" && g.file.Declare != nil && a.joinedIn == "" {
			if err := g.declares(a, g.citizen.CCCD); err != nil {
				return nil, nil, err
			}
		}
		if a.CCCD == g.citizen.CCCD {
			holding = append(holding, a)
		}
	}
	if len(holding) == 0 {
		return nil, nil, cannot("Không tài khoản nào của tệp mang được số CCCD của người thử (own, declare, register)", "no account of the file can hold the test person's CCCD (own, declare, register)")
	}
	return g.citizen, holding, nil
}

// declares types a number into an account, as its owner.
func (g *stage) declares(a *account, cccd string) error {
	b, err := g.opens(a)
	if err != nil {
		return err
	}
	typed := *a
	typed.CCCD = cccd
	last, err := b.take(g.ctx, g.file.Declare, &typed)
	if err != nil {
		return err
	}
	g.note("%s types %s: %s", a.Username, masked(cccd), last.where())
	if last.status >= 400 {
		return cannot("Cổng không nhận số CCCD mà tài khoản %s khai (%s)", "the relying party did not take the CCCD that account %s typed (%s)", a.Username, last.where())
	}
	a.CCCD = cccd
	return nil
}

// pair joins the citizen to the first own account, by password: the control
// without which no lost link would mean anything.
func (g *stage) pair() (*person, *account, error) {
	p, list, err := g.holders()
	if err != nil {
		return nil, nil, err
	}
	a := list[0]
	if g.paired && a.joinedIn == "" {
		return p, a, nil
	}
	for _, one := range list {
		if one.joinedIn != "" {
			return nil, nil, cannot("Tài khoản %s đã bị liên kết sai trong kịch bản %s", "account %s was joined wrongly in scenario %s", one.Username, one.joinedIn)
		}
	}
	switch {
	case g.file.Link.Confirm != nil:
		b, last, err := g.comes(p)
		if err != nil {
			return nil, nil, err
		}
		_, err = b.takeOn(g.ctx, last, g.file.Link.Confirm, a, nil)
		if errors.As(err, new(*noForm)) && g.file.Link.Start != nil { // somebody who skipped it before
			if last, err = b.take(g.ctx, g.file.Link.Start, a); err == nil {
				_, err = b.takeOn(g.ctx, last, g.file.Link.Confirm, a, nil)
			}
		}
		if err != nil {
			return nil, nil, err
		}
	case g.file.Link.Start != nil:
		b, err := g.opens(a)
		if err != nil {
			return nil, nil, err
		}
		b.who = p
		if _, err := b.take(g.ctx, g.file.Link.Start, a); err != nil {
			return nil, nil, err
		}
	default:
		return nil, nil, cannot("Tệp không nói cách liên kết (link.confirm, link.start)", "the file does not say how to link (link.confirm, link.start)")
	}
	b, _, err := g.comes(p)
	if err != nil {
		return nil, nil, err
	}
	mark, where, err := b.sees(g.ctx, a)
	if err != nil {
		return nil, nil, err
	}
	if mark == "" {
		return nil, nil, cannot("Liên kết đúng cách (đúng người, đúng mật khẩu) không thành, nên không thấy được liên kết bị mất", "linking the right way (the right person, the right password) did not work: a lost link could not be seen")
	}
	g.note("linked: %q of %s stands on %s for %s", mark, a.Username, where, p.Name)
	g.paired = true
	return p, a, nil
}
