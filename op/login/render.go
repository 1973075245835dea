package login

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (p *Pages) renderLogin(w http.ResponseWriter, r *http.Request, step *vneid.Step, status int, v templates.LoginView) error {
	base := p.url(r, "/login/"+step.Login.ID)
	v.Frame = p.Frame(w, r)
	v.Action, v.CancelAction, v.HelpURL = base+"/password", base+"/cancel", p.Help.In(vneid.WorldFrom(r.Context()))
	v.ClientName, v.ClientHost = step.Client.ClientName, HostOf(step.Login.Request.RedirectURI)
	v.QR = p.qrView(r, step)
	return p.Render(w, r, status, v, FormActions(step.Client)...)
}

func (p *Pages) renderOTP(w http.ResponseWriter, r *http.Request, step *vneid.Step, status int, err error) error {
	world := vneid.WorldFrom(r.Context())
	now, l := world.Clock.Now(), step.Login
	base := p.url(r, "/login/"+l.ID)
	v := templates.OTPView{
		Frame: p.Frame(w, r), Action: base + "/otp", ResendAction: base + "/resend", CancelAction: base + "/cancel",
		ClientName: step.Client.ClientName, ClientHost: HostOf(l.Request.RedirectURI), MaskedPhone: step.Account.Phone.Mask(),
		SecondsLeft: secondsUntil(l.OTP.ExpiresAt, now), ResendIn: secondsUntil(l.OTP.SentAt.Add(world.Policy.OTPResendAfter), now),
	}
	if r.Method == http.MethodGet && r.URL.Query().Has("resent") {
		v.Notice = v.T("otp.resent")
	}
	if help := p.Help.In(world); help != "" {
		v.HelpURL = help + "/sms"
	}
	if err != nil {
		p.log(w, r, step, err)
		v.Error = problemText(v.Frame, err)
		if vneid.MsgKey(err) == "otp_wrong" {
			v.TriesLeft = world.Policy.OTPTries - l.OTP.Tries
		}
	}
	return p.Render(w, r, status, v, FormActions(step.Client)...)
}

// problemText is the one sentence of a problem that fits beside a field.
func problemText(f templates.Frame, err error) string {
	problem := templates.Problem(f, vneid.MsgKey(err), argsOf(err)...)
	return strings.TrimSpace(problem.What + " " + problem.Next)
}

func (p *Pages) renderSharing(w http.ResponseWriter, r *http.Request, step *vneid.Step, status int, problem string) error {
	f := p.Frame(w, r)
	v := templates.SharingView{
		Frame: f, Action: p.url(r, "/login/"+step.Login.ID+"/sharing"),
		ClientName: step.Client.ClientName, ClientHost: HostOf(step.Login.Request.RedirectURI),
		PersonName: step.Account.Name, Items: sharedItems(f, step.Account, &step.Login.Request),
		Offline: slices.Contains(step.Login.Request.Scopes, vneid.ScopeOfflineAccess), Error: problem,
	}
	return p.Render(w, r, status, v, FormActions(step.Client)...)
}

// renderAccount shows the choice of prompt=select_account.
func (p *Pages) renderAccount(w http.ResponseWriter, r *http.Request, step *vneid.Step) error {
	base := p.url(r, "/login/"+step.Login.ID)
	v := templates.AccountView{Frame: p.Frame(w, r), Action: base + "/account", OtherURL: base + "?other=1",
		ClientName: step.Client.ClientName, ClientHost: HostOf(step.Login.Request.RedirectURI), PersonName: step.Known.Name}
	return p.Render(w, r, http.StatusOK, v, FormActions(step.Client)...)
}

// sharedItems lists what the client will learn, with the values as it will get
// them: nobody agrees to what they cannot see.
func sharedItems(f templates.Frame, a *vneid.Account, req *vneid.AuthRequest) (items []templates.SharedItem) {
	for _, key := range vneid.SharedData(a, req) {
		var value string
		switch key {
		case "cccd":
			value = a.CCCD.Mask()
		case "cmnd":
			value = a.CMND
		case "account_type":
			value = f.T("share.account_type." + a.AccountType)
		case "account_level":
			value = itoa(a.AccountLevel)
		case "name":
			value = a.Name
		case "birthdate":
			value = vietnameseDate(a.Birthdate)
		case "gender":
			value = f.T("share.gender." + a.Gender)
		case "phone":
			value = string(a.Phone)
		case "email":
			value = a.Email
		case "address":
			value = a.Address.Line()
		}
		if value != "" {
			items = append(items, templates.SharedItem{Label: f.T("share." + key), Value: value, Why: f.T("share." + key + ".why")})
		}
	}
	return items
}

// vietnameseDate turns 1990-03-15 into 15/03/1990; a year alone stays.
func vietnameseDate(iso string) string {
	parts := strings.Split(iso, "-")
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// Fail turns an error into its page. It is the only place where pages of the
// provider log.
func (p *Pages) Fail(w http.ResponseWriter, r *http.Request, err error) {
	step, _ := r.Context().Value(stepKey{}).(*vneid.Step)
	if step == nil && r.PathValue("id") != "" {
		// For the way back to the portal, when this browser may know it.
		if s, lookErr := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r)); lookErr == nil {
			step = &s
		}
	}
	if err := p.failStep(w, r, step, err); err != nil {
		http.Error(w, "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT\n\nLỗi nội bộ. / Internal error.", http.StatusInternalServerError)
	}
}

func (p *Pages) failStep(w http.ResponseWriter, r *http.Request, step *vneid.Step, err error) error {
	p.log(w, r, step, err)
	key, status := vneid.MsgKey(err), StatusOf(err)
	if errors.Is(err, vneid.ErrUnavailable) {
		key, status = "unavailable", http.StatusServiceUnavailable
		w.Header().Set(ErrorCode, key)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	f := p.Frame(w, r)
	v := templates.Problem(f, key, argsOf(err)...)
	v.Status, v.RequestID = status, w.Header().Get("X-Request-Id")
	v.RecordURL = p.recordURL(r)
	if e := asError(err); e != nil && status != http.StatusInternalServerError {
		v.Technical = e.Hint
	}
	if step != nil && step.Login != nil {
		v.Links = p.waysOn(r, f, step, key)
	}
	return p.Render(w, r, status, v)
}

// recordURL is the record of a refused request, for a developer: whoever sits at
// this machine. Citizens elsewhere are shown none, nor who comes by a proxy.
func (p *Pages) recordURL(r *http.Request) string {
	id := vneid.TrailFrom(r.Context()).RecordID()
	if p.Help.URL == "" || p.Help.Record == "" || id == "" {
		return ""
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return ""
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return ""
		}
	}
	return p.Help.In(vneid.WorldFrom(r.Context())) + p.Help.Record + id
}

// waysOn are the links under an error: back to the portal, where the browser
// may know it.
func (p *Pages) waysOn(r *http.Request, f templates.Frame, step *vneid.Step, key string) []templates.Link {
	back := f.T("message.back", step.Client.ClientName)
	l := step.Login
	switch {
	case l.State == vneid.StateRefused || l.State == vneid.StateLocked || key == "login_expired":
		return []templates.Link{{Text: back, URL: p.url(r, "/login/"+l.ID+"/return"), Primary: true}}
	case l.State == vneid.StateRedeemed || key == "qr_other_browser":
		return []templates.Link{{Text: back, URL: originOf(l.Request.RedirectURI) + "/", Primary: true}}
	}
	return []templates.Link{{Text: f.T("message.again"), URL: p.url(r, "/login/"+l.ID), Primary: true}}
}

// ErrorCode is a header of every page that refuses something: the key of its
// text. Tests and scripts tell pages apart by it, in either language.
const ErrorCode = "X-Error-Code"

// log says why a page was refused, in the log and to the developer.
func (p *Pages) log(w http.ResponseWriter, r *http.Request, step *vneid.Step, err error) {
	vneid.TrailFrom(r.Context()).Refuse(err)
	w.Header().Set(ErrorCode, vneid.MsgKey(err))
	attrs := []any{slog.String("error", vneid.MsgKey(err)), slog.String("world", vneid.WorldFrom(r.Context()).ID)}
	if step != nil && step.Client != nil {
		attrs = append(attrs, slog.String("client_id", step.Client.ClientID))
	}
	level := slog.LevelInfo
	if e := asError(err); e != nil {
		attrs = append(attrs, slog.String("hint", e.Hint))
	} else {
		level = slog.LevelError
		attrs = append(attrs, slog.String("cause", err.Error()))
	}
	p.Logger.Log(r.Context(), level, "page refused", attrs...)
}

func asError(err error) *vneid.Error {
	var e *vneid.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// StatusOf is the HTTP status of a refusal; 500 for an error without a code.
func StatusOf(err error) int {
	e := asError(err)
	if e == nil {
		return http.StatusInternalServerError
	}
	if e.MsgKey == "too_large" {
		return http.StatusRequestEntityTooLarge
	}
	switch e.Code {
	case vneid.CodeInvalid:
		return http.StatusBadRequest
	case vneid.CodeNotFound:
		return http.StatusNotFound
	case vneid.CodeForbidden:
		return http.StatusForbidden
	case vneid.CodeConflict:
		return http.StatusConflict
	case vneid.CodeExpired:
		return http.StatusGone
	case vneid.CodeExhausted:
		return http.StatusTooManyRequests
	case vneid.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// HostOf is the host that a validated URI names, as people are shown it.
func HostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Host
}

func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// FormActions lists where the answer to a form may lead. Chrome holds
// form-action against every redirect that follows, so the client's own hosts
// belong to it; a client on loopback often goes on to another port (an API
// that answers to a page server), so its ports are free.
func FormActions(c *vneid.Client) []string {
	if c == nil {
		return nil
	}
	var list []string
	for _, uri := range append(slices.Clone(c.RedirectURIs), c.PostLogoutRedirectURIs...) {
		u, err := url.Parse(uri)
		if err != nil {
			continue
		}
		source := u.Scheme + "://" + u.Host
		if h := u.Hostname(); h == "localhost" || h == "127.0.0.1" {
			source = u.Scheme + "://" + h + ":*"
		}
		if !slices.Contains(list, source) {
			list = append(list, source)
		}
	}
	return list
}
