package exam

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Plays are for what needs an actor: a second browser, another order, a second
// phone. Each writes its verdict into the finding.
var plays map[string]func(*examiner, context.Context, *Finding)

func init() {
	plays = map[string]func(*examiner, context.Context, *Finding){
		"A03": (*examiner).playOtherSession,
		"A04": (*examiner).playReplay,
		"A22": (*examiner).playLate,
		"A23": (*examiner).playTwoTabs,
		"A24": (*examiner).playUnsolicited,
		"G10": (*examiner).playLogout,
		"I04": (*examiner).playInjection,
		"I01": (*examiner).playTwoIssuers,
		"I02": (*examiner).playTwoIssuers,
		"I03": (*examiner).playTwoIssuers,
		"I05": (*examiner).playReplay,
		"I06": (*examiner).playOtherClient,
		"I10": (*examiner).playForgedLink,
		"I09": (*examiner).playOverwriting,
		"K02": (*examiner).playQRTwice,
		"K07": (*examiner).playRefusal,
		"K10": (*examiner).playTwoPhones,
	}
}

func (f *Finding) set(v Verdict, vi, en string) { f.Verdict, f.Reason = v, Text{vi, en} }

// against says what a broken must or should comes to.
func (f *Finding) against(vi, en string) {
	v := Warn
	if f.Grade == "must" {
		v = Fail
	}
	f.set(v, vi, en)
}

// answer gets an authorization response and does not open it.
func (e *examiner) answer(ctx context.Context, b *browser) (*evidence, error) {
	ev := e.signInHow(ctx, b, how{stop: true})
	if ev.err == nil && ev.back == "" {
		ev.err = fmt.Errorf("the provider did not send the browser back")
	}
	return ev, ev.err
}

// opened opens somebody's response in a browser and says what came of it.
func (e *examiner) opened(ctx context.Context, b *browser, ev *evidence, f *Finding) (redeemed int, session string, yes bool) {
	e.finish(ctx, b, ev, http.StatusSeeOther)
	e.look(ctx, b, ev)
	e.describe(ev, f)
	session, yes = ev.signedIn()
	return ev.record.count("token"), session, yes
}

// foreign judges a response that the browser must not take.
func (e *examiner) foreign(ctx context.Context, b *browser, ev *evidence, f *Finding) {
	redeemed, session, yes := e.opened(ctx, b, ev, f)
	switch {
	case yes:
		f.against("trình duyệt này được đăng nhập bằng phản hồi của người khác", "this browser is signed in by somebody else's response: "+session)
	case redeemed > 0:
		f.against("cổng đổi code của người khác", "it redeemed somebody else's code")
	default:
		f.set(Pass, "Cổng từ chối, không gọi điểm cuối token.", "It refuses, without a call to the token endpoint.")
	}
}

func (e *examiner) playOtherSession(ctx context.Context, f *Finding) {
	attacker, err := e.answer(ctx, e.newBrowser())
	if err != nil {
		*f = f.broken(err)
		return
	}
	victim := e.newBrowser()
	if _, err := e.answer(ctx, victim); err != nil { // has begun a sign-in of its own
		*f = f.broken(err)
		return
	}
	e.foreign(ctx, victim, attacker, f)
}

func (e *examiner) playUnsolicited(ctx context.Context, f *Finding) {
	ev, err := e.answer(ctx, e.newBrowser())
	if err != nil {
		*f = f.broken(err)
		return
	}
	e.foreign(ctx, e.newBrowser(), ev, f)
}

// playInjection puts the victim's code into a response of the attacker's own.
func (e *examiner) playInjection(ctx context.Context, f *Finding) {
	victim, err := e.answer(ctx, e.newBrowser())
	if err != nil {
		*f = f.broken(err)
		return
	}
	b := e.newBrowser()
	own, err := e.answer(ctx, b)
	if err != nil {
		*f = f.broken(err)
		return
	}
	code := codeOf(victim)
	if code == "" || !setCode(own, code) {
		*f = f.inconclusive("phản hồi không có code", "the response has no code")
		return
	}
	e.finish(ctx, b, own, http.StatusSeeOther)
	own.login = victim.login // the code's record
	e.look(ctx, b, own)
	e.describe(own, f)
	if session, yes := own.signedIn(); yes {
		f.against("code của người khác được nhận trong phiên của kẻ tấn công", "somebody else's code is taken within the attacker's session: "+session)
		return
	}
	f.set(Pass, "Code của phiên khác không đăng nhập được ai (PKCE hoặc nonce).", "A code of another session signs nobody in (PKCE or nonce).")
}

func codeOf(ev *evidence) string {
	if ev.backForm != nil {
		return ev.backForm.Get("code")
	}
	u, err := url.Parse(ev.back)
	if err != nil {
		return ""
	}
	return u.Query().Get("code")
}

func setCode(ev *evidence, code string) bool {
	if ev.backForm != nil {
		ev.backForm.Set("code", code)
		return true
	}
	u, err := url.Parse(ev.back)
	if err != nil {
		return false
	}
	q := u.Query()
	q.Set("code", code)
	u.RawQuery = q.Encode()
	ev.back = u.String()
	return true
}

func (e *examiner) playReplay(ctx context.Context, f *Finding) {
	b := e.newBrowser()
	ev, err := e.answer(ctx, b)
	if err != nil {
		*f = f.broken(err)
		return
	}
	first, _, yes := e.opened(ctx, b, ev, f)
	if !yes || first == 0 {
		*f = f.inconclusive("lần đầu đã không đăng nhập được", "the first time did not sign in")
		return
	}
	again, _, _ := e.opened(ctx, b, ev, f)
	switch {
	case again > first:
		f.against(fmt.Sprintf("code được gửi %d lần", again), fmt.Sprintf("the code was sent %d times", again))
	case ev.status == http.StatusInternalServerError || ev.status == 0:
		f.set(Warn, "lần thứ hai không có trang nào dễ hiểu", "the second time no page came that helps")
	default:
		f.set(Pass, "Lần thứ hai không đổi code.", "The second time no code is redeemed.")
	}
}

func (e *examiner) playLate(_ context.Context, f *Finding) {
	*f = f.inconclusive("bài kiểm tra không dời được đồng hồ của cổng: hãy thử tay, đợi quá hạn đăng nhập ở cổng rồi quay về", "the exam cannot move the portal's clock: try by hand, wait until the portal's own sign-in has expired, then come back")
}

func (e *examiner) playTwoTabs(ctx context.Context, f *Finding) {
	b := e.newBrowser()
	one, err := e.answer(ctx, b)
	if err != nil {
		*f = f.broken(err)
		return
	}
	second := b.beside()
	other := e.signInHow(ctx, second, how{stop: true}) // the provider knows the person by now
	if other.err != nil || other.back == "" {
		*f = f.inconclusive("thẻ thứ hai không tới được phản hồi", "the second tab got no response")
		return
	}
	if _, _, yes := e.opened(ctx, second, other, f); !yes {
		f.against("thẻ thứ hai không đăng nhập được khi thẻ thứ nhất còn mở", "the second tab cannot sign in while the first is open")
		return
	}
	e.finish(ctx, b, one, http.StatusSeeOther)
	e.look(ctx, b, one)
	e.describe(one, f)
	switch {
	case one.status == 0 || one.status == http.StatusInternalServerError:
		f.against("thẻ thứ nhất nhận một trang hỏng", "the first tab gets a broken page")
	case !one.needle:
		f.against("sau thẻ thứ nhất không còn ai được đăng nhập", "after the first tab nobody is signed in any more")
	default:
		f.set(Pass, "Cả hai thẻ xong, vẫn là một người.", "Both tabs end, and it is still the one person.")
	}
}

// playOverwriting lets the response for another person arrive in a browser that
// is signed in.
func (e *examiner) playOverwriting(ctx context.Context, f *Finding) {
	attacker, err := e.answer(ctx, e.newBrowser())
	if err != nil {
		*f = f.broken(err)
		return
	}
	b := e.newBrowser()
	if ev := e.signIn(ctx, b); !ev.needle {
		*f = f.inconclusive("lần đăng nhập đầu không thành", "the first sign-in failed")
		return
	}
	redeemed, _, still := e.opened(ctx, b, attacker, f)
	switch {
	case redeemed > 0:
		f.against("phản hồi của phiên khác được nhận khi đang đăng nhập", "a response of another session is taken while somebody is signed in")
		return
	case !still:
		f.set(Warn, "phản hồi lạ bị từ chối, nhưng phiên đang có cũng mất", "the foreign response is refused, but the session is gone with it")
		return
	}
	f.set(Pass, "Phản hồi lạ bị từ chối, phiên đang có còn nguyên.", "The foreign response is refused, the session is as it was.")
}

func (e *examiner) playRefusal(ctx context.Context, f *Finding) {
	ev := e.signInHow(ctx, e.newBrowser(), how{refuse: true})
	ev.struck = true
	for i := range e.catalogue {
		if e.catalogue[i].ID == f.ID {
			e.judge(&e.catalogue[i], ev, f)
		}
	}
}

// playQRTwice confirms a code again, for another browser.
func (e *examiner) playQRTwice(ctx context.Context, f *Finding) {
	ev := e.signInHow(ctx, e.newBrowser(), how{phone: true})
	if ev.err != nil || !ev.needle {
		*f = f.inconclusive("lần đăng nhập đầu không thành", "the first sign-in failed")
		return
	}
	err := e.api.send(ctx, http.MethodPost, "/phones/"+url.PathEscape(e.Persona)+"/confirm", map[string]string{"login": ev.login, "passcode": e.Passcode}, nil)
	other := e.newBrowser()
	other.forgetProvider(newJar())
	p := other.open(ctx, http.MethodGet, ev.issuer+"/login/"+ev.login, nil)
	e.look(ctx, other, ev)
	e.describe(ev, f)
	if err == nil || strings.HasPrefix(p.url, ev.callback) || ev.needle {
		f.against("mã dùng lại mở được phiên", "a code that was used opens a session again")
		return
	}
	if !refused(err) {
		*f = f.broken(err)
		return
	}
	f.set(Pass, "Mã đã dùng không mở được gì nữa.", "A code that was used opens nothing any more.")
}

// playTwoPhones lets a second person confirm what the first one scanned.
func (e *examiner) playTwoPhones(ctx context.Context, f *Finding) {
	b := e.newBrowser()
	b.forgetProvider(newJar())
	p := b.open(ctx, http.MethodGet, e.LoginURL, nil)
	m := shortCode.FindStringSubmatch(p.body)
	_, login, ok := strings.Cut(p.url, "/login/")
	if m == nil || !ok {
		*f = f.inconclusive("trang đăng nhập không có mã QR", "the sign-in page shows no QR code")
		return
	}
	second := "038060000007"
	if e.Persona == second {
		second = "038090000001"
	}
	if err := e.api.send(ctx, http.MethodPost, "/phones/"+url.PathEscape(e.Persona)+"/scan", map[string]string{"code": m[1]}, nil); err != nil {
		*f = f.broken(err)
		return
	}
	scanned := e.api.send(ctx, http.MethodPost, "/phones/"+second+"/scan", map[string]string{"code": m[1]}, nil)
	confirmed := e.api.send(ctx, http.MethodPost, "/phones/"+second+"/confirm", map[string]string{"login": login, "passcode": "123456"}, nil)
	f.Evidence = append(f.Evidence, fmt.Sprintf("the second phone: scan %v, confirm %v", scanned, confirmed))
	if confirmed == nil {
		f.against("người quét thứ hai xác nhận được", "the second to scan could confirm")
		return
	}
	if !refused(confirmed) {
		*f = f.broken(confirmed)
		return
	}
	f.set(Pass, "Chỉ người quét đầu tiên xác nhận được.", "Only the first to scan may confirm.")
}
