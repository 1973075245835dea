package exam

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// hit is a request that came to the sandbox's attacker.
type hit struct {
	ID                  int64
	Fault, What, Method string
	ClientID            string `json:"client_id"`
	Carried             []string
	Browser             bool
}

// hits are those after the one of that number, of the client or of nobody that
// is named.
func (e *examiner) hits(ctx context.Context, after int64) (list []hit, err error) {
	err = e.api.get(ctx, fmt.Sprintf("/canaries?client_id=%s&after=%d", url.QueryEscape(e.ClientID), after), &list)
	return list, err
}

// lastHit is the number of the newest, for those that follow.
func (e *examiner) lastHit(ctx context.Context) int64 {
	list, err := e.hits(ctx, 0)
	if err != nil || len(list) == 0 {
		return 0
	}
	return list[len(list)-1].ID
}

// lured keeps what a fault led to the attacker.
func (e *examiner) lured(ctx context.Context, f *Fault, after int64, ev *evidence) {
	list, err := e.hits(ctx, after)
	if err != nil {
		e.unseen = &Text{"không hỏi được ai đã tới kẻ tấn công", "who came to the attacker cannot be asked"}
	}
	for _, h := range list {
		if h.Fault == f.ID && !h.Browser {
			ev.lured = append(ev.lured, h)
		}
	}
}

// judgeCanary says what came to where nothing may come.
func judgeCanary(ev *evidence, say func(slight bool, vi, en string)) {
	if len(ev.lured) == 0 {
		return
	}
	what, carried := ev.lured[0].What, "–"
	for _, h := range ev.lured {
		if len(h.Carried) > 0 {
			what, carried = h.What, strings.Join(h.Carried, ", ")
		}
	}
	say(false, fmt.Sprintf("máy chủ của cổng đã tới địa chỉ của kẻ tấn công (%s), mang theo: %s", what, carried),
		fmt.Sprintf("its server went to the attacker's address (%s) and carried: %s", what, carried))
}

const otherClient = "exam-another-client"

// playOtherClient puts a code of another client into a response.
func (e *examiner) playOtherClient(ctx context.Context, f *Finding) {
	const back = "http://localhost/exam"
	err := e.api.send(ctx, http.MethodPost, "/clients", map[string]any{"client_id": otherClient, "client_name": "Ứng dụng khác của bài kiểm tra", "redirect_uris": []string{back}}, nil)
	if err != nil {
		*f = f.broken(err)
		return
	}
	defer func() {
		_ = e.api.send(context.WithoutCancel(ctx), http.MethodDelete, "/clients/"+otherClient, nil, nil) // a reset removes it too
	}()
	b := e.newBrowser()
	own, err := e.answer(ctx, b)
	if err != nil {
		*f = f.broken(err)
		return
	}
	q := url.Values{"client_id": {otherClient}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {back}, "state": {own.login}, "nonce": {own.login}}
	other := e.signInHow(ctx, e.newBrowser(), how{stop: true, phone: true, loginURL: own.issuer + "/authorize?" + q.Encode()})
	code := codeOf(other)
	if other.err != nil || code == "" || !setCode(own, code) {
		*f = f.inconclusive("không lấy được mã của ứng dụng khác", "there was no code of another client to be had")
		return
	}
	e.finish(ctx, b, own, http.StatusSeeOther)
	own.login = other.login // the code's record
	e.look(ctx, b, own)
	e.describe(own, f)
	switch session, yes := own.signedIn(); {
	case yes:
		f.against("mã của ứng dụng khác đăng nhập được", "a code of another client signs somebody in: "+session)
	case own.status == 0 || own.status == http.StatusInternalServerError:
		f.set(Warn, "không ai được đăng nhập, nhưng không có trang nào dễ hiểu", "nobody is signed in, but no page came that helps")
	default:
		f.set(Pass, "Nhà cung cấp từ chối mã, và cổng không đăng nhập ai.", "The provider refuses the code, and the portal signs nobody in.")
	}
}

// playTwoIssuers says what an exam with one provider cannot.
func (e *examiner) playTwoIssuers(_ context.Context, f *Finding) {
	*f = f.inconclusive("cần một cổng có hai nhà cung cấp: khai báo issuer của kẻ tấn công làm nhà cung cấp thứ hai và thử tay (docs/attacker.md)", "it takes a portal with two providers: enter the attacker's issuer as the second, and try by hand (docs/attacker.md)")
}

func (e *examiner) playForgedLink(_ context.Context, f *Finding) {
	*f = f.inconclusive("cần tài khoản cục bộ: dùng bài kiểm tra liên kết", "it takes local accounts: the linking exam plays this")
}

// notArmed says why a fault could not be armed.
func (f Finding) notArmed(fault *Fault, err error) Finding {
	if fault.Attacker {
		return f.inconclusive("cần kẻ tấn công của sandbox: serve --attack-listen localhost:9996", "it needs the sandbox's attacker: serve --attack-listen localhost:9996")
	}
	return f.broken(err)
}
