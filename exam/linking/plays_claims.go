package linking

import (
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
)

// playOddNumber: nobody is joined by a number that is none, and it is not kept
// as it came.
func playOddNumber(g *stage) (outcome, error) {
	p, list, err := g.holders()
	if err != nil {
		return outcome{}, err
	}
	for _, a := range list {
		if _, err := g.opens(a); err != nil {
			return outcome{}, err
		}
	}
	if err := g.arms(p, g.scenario.ID); err != nil {
		return outcome{}, err
	}
	b, last, err := g.comes(p)
	if err != nil {
		return outcome{}, err
	}
	if err := g.hit(g.scenario.ID); err != nil {
		return outcome{}, err
	}
	out, err := g.seesNone(b, last, list...)
	if err != nil || out.verdict != exam.Pass {
		return out, err
	}
	pages, err := b.look(g.ctx)
	if err != nil {
		return outcome{}, err
	}
	if odd, where := find(pages, spelt(p.CCCD, g.scenario.ID+g.variant)); odd != "" {
		g.note("the number stands on %s as it came", where)
		return fail("Cổng giữ số CCCD đúng như đã nhận, không chuẩn hoá và không kiểm tra 12 chữ số", "the relying party keeps the CCCD as it came, neither normalised nor held to 12 digits")
	}
	if g.scenario.ID != "J10" {
		return out, nil // put right and held to 12 digits: it may be that number
	}
	more := []string{}
	if s := g.file.Link.Confirm; s != nil {
		more = append(more, s.Page)
	}
	if pages, err = b.look(g.ctx, more...); err != nil {
		return outcome{}, err
	}
	for _, a := range list {
		if name, where := find(pages, a.Username); name != "" {
			g.note("account %q of the number with zeros is offered on %s", name, where)
			return fail("Chữ O được đọc thành số 0: cổng mời liên kết tài khoản của số đó", "letters O are read as zeros: the account of that number is offered")
		}
	}
	return out, nil
}

// spelt is the number as the fault writes it (sandbox/fault, catalogue_j.go).
func spelt(c, how string) string {
	shift := func(zero rune) string {
		return strings.Map(func(r rune) rune { return zero + r - '0' }, c)
	}
	switch how {
	case "J09spaces":
		return c[:3] + " " + c[3:6] + " " + c[6:]
	case "J09dots":
		return c[:3] + "." + c[3:6] + "." + c[6:]
	case "J09full-width":
		return shift('０')
	case "J09arabic-indic":
		return shift('٠')
	case "J09number":
		return ">" + strings.TrimLeft(c, "0") // not the tail of the right number
	}
	return strings.ReplaceAll(c, "0", "O")
}

// playFlagOnly: an odd number alone shuts nobody out.
func playFlagOnly(g *stage) (outcome, error) {
	b, last, err := g.newcomer(person{Name: "Lâm Số Lạ"})
	if err != nil {
		return outcome{}, err
	}
	if last.status >= 500 {
		return broken(last)
	}
	in, err := b.signedIn(g.ctx)
	if err != nil {
		return outcome{}, err
	}
	if !in {
		return warn("Người dân bị chặn chỉ vì số CCCD có vẻ lạ", "the person is shut out for an odd number alone")
	}
	return pass("Vào được", "let in")
}

// newcomer is somebody new, changed by the fault of the scenario.
func (g *stage) newcomer(who person) (*browser, *page, error) {
	p, err := g.newPerson(g.ctx, who)
	if err != nil {
		return nil, nil, err
	}
	if err := g.arms(p, g.scenario.ID); err != nil {
		return nil, nil, err
	}
	b, last, err := g.comes(p)
	if err == nil {
		err = g.hit(g.scenario.ID)
	}
	return b, last, err
}

func playHostileName(g *stage) (outcome, error) {
	b, last, err := g.newcomer(person{Name: "Dương Tên Lạ"})
	if err != nil {
		return outcome{}, err
	}
	if last.status >= 500 {
		return broken(last)
	}
	pages, err := b.look(g.ctx)
	if err != nil {
		return outcome{}, err
	}
	pages = append(pages, last)
	for _, p := range pages {
		switch {
		case strings.Contains(p.body, `<b id="canary">`):
			g.note("<b id=\"canary\"> stands unescaped on %s", p.at.Path)
			return fail("Mã HTML trong họ tên thành một phần của trang", "markup of the name becomes part of the page")
		case strings.Contains(p.text(), strings.TrimSpace(strings.Repeat("Nguyễn ", 43))):
			g.note("all 300 characters stand on %s", p.at.Path)
			return warn("Họ tên dài 300 ký tự không bị giới hạn", "a name of 300 characters is not bounded")
		case strings.Contains(p.body, "\u202e"):
			g.note("U+202E stands on %s", p.at.Path)
			return warn("Dấu đảo chiều trong họ tên đến được trang", "the right-to-left mark of the name reaches the page")
		case p.status >= 500:
			return broken(p)
		}
	}
	return pass("Họ tên được mã hoá và giới hạn, hoặc bị từ chối", "the name is encoded and bounded, or refused")
}

// guesses are dates that nobody told, and days that never were.
var guesses = map[string][]string{
	"year":       {"01/01/1991", "1991-01-01", "1/1/1991", "31/12/1991", "1991-12-31"},
	"impossible": {"30/02/1991", "1991-02-30", "02/03/1991", "1991-03-02", "01/03/1991", "1991-03-01"},
	"two-digit":  {"15/03/2091", "2091-03-15", "15/03/0091", "0091-03-15"},
	"compact":    {"19/91/0719", "1991-00-00"},
}

func playBirthdate(g *stage) (outcome, error) {
	b, last, err := g.newcomer(person{Name: "Đinh Ngày Lạ", Birthdate: "1991-07-19", Gender: "male"})
	if err != nil {
		return outcome{}, err
	}
	if last.status >= 500 {
		return broken(last)
	}
	pages, err := b.look(g.ctx)
	if err != nil {
		return outcome{}, err
	}
	for _, p := range pages {
		if p.status >= 500 {
			return broken(p)
		}
	}
	if date, where := find(pages, guesses[g.variant]...); date != "" {
		g.note("%q stands on %s", date, where)
		return fail("Cổng hiện một ngày sinh không ai gửi, hoặc không có thật", "a birth date stands there that nobody sent, or that never was")
	}
	return pass("Không đoán, không lỗi", "nothing guessed, nothing broken")
}
