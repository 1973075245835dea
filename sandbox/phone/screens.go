package phone

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/form"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// show is the dispatcher: GET /phone is whatever screen the phone in the
// browser's hand stands at.
func (p *Phones) show(w http.ResponseWriter, r *http.Request) error {
	ph, h, err := p.current(r)
	if err != nil {
		return err
	}
	f := p.frame(w, r)
	if ph == nil {
		return p.render(w, http.StatusOK, templates.PhoneStartView{Frame: f, CodeWaits: h.Code != ""})
	}
	a, now := &ph.app, vneid.WorldFrom(r.Context()).Clock.Now()
	var v templates.View
	switch {
	case a.Notice != nil:
		v = noticeView(f, a, now)
	case a.Removed:
		v = removedView(f)
	case a.Activation != nil && a.Activation.Proved:
		v = passcodeView(f, a, "new", f.Path(Prefix+"/passcode"))
	case a.Activation != nil:
		v = otpView(f, a, now)
	case ph.row.DeviceID == "":
		v = templates.PhoneStartView{Frame: f, CodeWaits: a.Code != ""}
	case !a.unlocked(now):
		v = passcodeView(f, a, "unlock", f.Path(Prefix+"/unlock"))
	case a.Want != nil:
		purpose := map[bool]string{true: "on", false: "off"}[*a.Want]
		v = passcodeView(f, a, purpose, f.Path(Prefix+"/web-login/passcode"))
	case a.Scan != nil && !now.Before(a.Expires):
		v = scanNotice(templates.PhoneNotice(f, "qr_expired"))
	case a.Scan != nil && a.Switch:
		v = templates.PhoneSwitchView{Frame: f, On: a.Scan.Allowed, CodeWaits: true}
	case a.Scan != nil && !a.Scan.Allowed:
		v = templates.PhonePermissionView{Frame: f, Login: a.Scan.Login, ClientName: a.Scan.ClientName, Host: hostOr(f, a.Scan.Host, a.Scan.Device)}
	case a.Scan != nil:
		v = confirmView(f, a, now)
	default:
		return p.showHome(w, r, ph, f)
	}
	return p.render(w, http.StatusOK, v)
}

// showHome asks the provider what the app shows.
func (p *Phones) showHome(w http.ResponseWriter, r *http.Request, ph *phone, f templates.Frame) error {
	var home Home
	if err := p.ask(r.Context(), ph, "home", nil, &home); err != nil {
		if err := p.settle(r, ph, err); err != nil {
			return err
		}
		return done(w, r) // the app stands elsewhere now
	}
	if ph.app.Name != home.Name { // after the activation, or somebody renamed them
		if err := p.change(r.Context(), ph, func(_ *vneid.Handset, a *app) { a.Name = home.Name }); err != nil {
			return err
		}
	}
	if ph.app.Switch {
		return p.render(w, http.StatusOK, templates.PhoneSwitchView{Frame: f, On: home.WebLogin})
	}
	return p.render(w, http.StatusOK, homeView(f, &home))
}

func homeView(f templates.Frame, home *Home) templates.PhoneHomeView {
	v := templates.PhoneHomeView{Frame: f, Name: home.Name, CCCD: home.CCCD, Birthdate: vietnameseDate(home.Birthdate), Gender: f.T("share.gender." + home.Gender),
		Phone: home.Phone, DeviceName: home.DeviceName, Level: home.AccountLevel, WebLogin: home.WebLogin}
	for _, c := range home.Codes {
		v.Codes = append(v.Codes, templates.PhoneCode{Login: c.Login, ClientName: c.ClientName, Host: c.Host, Browser: c.Browser, IP: c.IP, Code: c.Code, SecondsLeft: c.Seconds})
	}
	for i := range home.Recent {
		v.Recent = append(v.Recent, signInRow(f, &home.Recent[i]))
	}
	return v
}

func signInRow(f templates.Frame, s *SignIn) templates.PhoneSignIn {
	method := ""
	if key := "phone.method." + s.Method; templates.HasText(key) {
		method = f.T(key)
	}
	return templates.PhoneSignIn{Login: s.Login, ClientName: s.ClientName, Host: hostOr(f, s.Host, s.Device), Browser: s.Browser, IP: s.IP, At: hanoiTime(s.At),
		Method: method, Open: s.Open, URL: f.Path(Prefix + "/sign-ins/" + url.PathEscape(s.Login))}
}

// signIn asks before a sign-in is disowned.
func (p *Phones) signIn(w http.ResponseWriter, r *http.Request) error {
	ph, _, err := p.current(r)
	if err != nil {
		return err
	}
	if ph == nil || !ph.atHome(vneid.WorldFrom(r.Context()).Clock.Now()) {
		return done(w, r)
	}
	var home Home
	if err := p.ask(r.Context(), ph, "home", nil, &home); err != nil {
		if err := p.settle(r, ph, err); err != nil {
			return err
		}
		return done(w, r)
	}
	i := slices.IndexFunc(home.Recent, func(s SignIn) bool { return s.Login == r.PathValue("login") && s.Open })
	if i < 0 {
		return done(w, r)
	}
	f := p.frame(w, r)
	return p.render(w, http.StatusOK, templates.PhoneSignInView{Frame: f, SignIn: signInRow(f, &home.Recent[i])})
}

// atHome reports whether the app is unlocked and nothing is in its way.
func (ph *phone) atHome(now time.Time) bool {
	return ph.row.DeviceID != "" && !ph.app.Removed && ph.app.unlocked(now)
}

// scanner is the screen of "Quét QR", and with ?code= what the address in a QR
// code shows. Opening it is no scan: previews and crawlers open addresses too.
func (p *Phones) scanner(w http.ResponseWriter, r *http.Request) error {
	if code := r.PathValue("code"); code != "" && len(code) <= maxCode {
		return p.render(w, http.StatusOK, templates.PhoneAskView{Frame: p.frame(w, r), Code: code})
	}
	ph, _, err := p.current(r)
	if err != nil {
		return err
	}
	if ph == nil || !ph.atHome(vneid.WorldFrom(r.Context()).Clock.Now()) {
		return done(w, r)
	}
	return p.render(w, http.StatusOK, templates.PhoneScanView{Frame: p.frame(w, r)})
}

// refuseScan shows the scanner again with what was wrong.
func (p *Phones) refuseScan(w http.ResponseWriter, r *http.Request, err error) error {
	key := vneid.MsgKey(err)
	var e *vneid.Error
	if !errors.As(err, &e) || e.Code == vneid.CodeUnavailable || !templates.HasText("error."+key+".what") {
		return err
	}
	p.logRefusal(r, e)
	f := p.frame(w, r)
	return p.render(w, http.StatusUnprocessableEntity, templates.PhoneScanView{Frame: f, Error: sentence(f, refusalFor(err)), CodeError: strings.HasPrefix(key, "qr_")})
}

// refuseStart shows the activation form again with what was wrong.
func (p *Phones) refuseStart(w http.ResponseWriter, r *http.Request, h holder, username string, err error) error {
	var e *vneid.Error
	if !errors.As(err, &e) || slices.Contains(transient, e.MsgKey) {
		return err
	}
	p.logRefusal(r, e)
	f := p.frame(w, r)
	v := templates.PhoneStartView{Frame: f, CodeWaits: h.Code != "", Username: clip(username)}
	status := http.StatusUnprocessableEntity
	switch {
	case strings.HasPrefix(e.MsgKey, "cccd.") && templates.HasText(e.MsgKey):
		v.FieldError = map[string]string{"username": f.T(e.MsgKey, e.Args...)}
	case e.MsgKey == "password_empty":
		v.FieldError = map[string]string{"password": f.T("login.password.empty")}
	case e.MsgKey == "wrong_credentials":
		status = http.StatusForbidden
		v.Error, v.Retry = f.T("login.wrong"), f.T("login.wrong.next")
	case e.MsgKey == "too_many_passwords":
		status = http.StatusTooManyRequests
		v.LockedMinutes = max(1, argOf(err))
	case templates.HasText("error." + e.MsgKey + ".what"):
		status = form.Status(e.Code)
		problem := templates.Problem(f, e.MsgKey, e.Args...)
		v.Error, v.Retry = problem.What, problem.Next
	default:
		return err
	}
	return p.render(w, status, v)
}

const (
	mostPeople   = 50
	searchBeyond = 15
)

// people lists whose phone a tester may take.
func (p *Phones) people(w http.ResponseWriter, r *http.Request) error {
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	query = clip(query)
	v := templates.PhonePeopleView{Frame: p.frame(w, r), Query: query}
	err := p.Store.View(r.Context(), vneid.WorldFrom(r.Context()).ID, func(tx vneid.Tx) error {
		v.People = nil
		accounts, err := tx.Accounts(query, mostPeople+1)
		if err != nil {
			return err
		}
		v.More = len(accounts) > mostPeople
		for i := range accounts[:min(len(accounts), mostPeople)] {
			a := &accounts[i]
			person := templates.PhonePerson{CCCD: string(a.CCCD), Name: a.Name, Note: a.Note}
			if ph, err := activePhone(tx, a.CCCD); err == nil {
				person.Own = !ph.app.Ready
			} else if !errors.Is(err, vneid.ErrNotFound) {
				return err
			} else {
				person.Why = WhyNotReady(a)
			}
			v.People = append(v.People, person)
		}
		return nil
	})
	v.Search = query != "" || len(v.People) > searchBeyond
	if err != nil {
		return err
	}
	return p.render(w, http.StatusOK, v)
}

func noticeView(f templates.Frame, a *app, now time.Time) templates.PhoneNoticeView {
	n := a.Notice
	if n.Good {
		v := templates.PhoneDone(f, n.Key, n.args()...)
		v.Locked = n.Key == "done"
		return v
	}
	v := templates.PhoneNotice(f, n.Key, n.args()...)
	if strings.HasPrefix(n.Key, "qr_") && n.Key != "qr_level" || n.Key == "match_wrong" {
		v = scanNotice(v)
		v.Again = a.unlocked(now)
	}
	return v
}

func scanNotice(v templates.PhoneNoticeView) templates.PhoneNoticeView {
	v.Again = true
	return v
}

func removedView(f templates.Frame) templates.PhoneNoticeView {
	v := templates.PhoneNotice(f, "device_replaced")
	v.Action, v.Button = f.Path(Prefix+"/leave"), f.T("phone.removed.button")
	return v
}

func otpView(f templates.Frame, a *app, now time.Time) templates.PhoneOTPView {
	v := templates.PhoneOTPView{Frame: f, MaskedPhone: a.Activation.Phone,
		SecondsLeft: secondsUntil(a.Activation.Until, now), ResendIn: secondsUntil(a.Activation.ResendAt, now)}
	if a.Slip != nil && a.Slip.Good {
		v.Notice = f.T("otp.resent")
	} else if a.Slip != nil {
		v.Error = sentence(f, a.Slip)
		if a.Slip.Key == "otp_wrong" {
			v.TriesLeft = a.Slip.number()
		}
	}
	return v
}

func passcodeView(f templates.Frame, a *app, purpose, action string) templates.PhonePasscodeView {
	v := templates.PhonePasscodeView{Frame: f, Action: action, Purpose: purpose, PersonName: a.Name, CodeWaits: a.Code != "" || a.Scan != nil}
	if a.Ready && purpose != "new" {
		v.Ready = ReadyPasscode
	}
	if a.Slip != nil && !a.Slip.Good {
		v.Error = sentence(f, a.Slip)
		if a.Slip.Key == "passcode_wrong" {
			v.TriesLeft = a.Slip.number()
		}
	}
	return v
}

func confirmView(f templates.Frame, a *app, now time.Time) templates.PhoneConfirmView {
	s := a.Scan
	v := templates.PhoneConfirmView{Frame: f, Login: s.Login, ClientName: s.ClientName, Host: hostOr(f, s.Host, s.Device), Device: s.Device, Browser: s.Browser, IP: s.IP, At: hanoiTime(s.At),
		SecondsLeft: secondsUntil(a.Expires, now), Choices: s.Choices, AskPasscode: s.PasscodeNeeded}
	for _, name := range s.Shares {
		if key := "share." + name; templates.HasText(key) {
			v.Shares = append(v.Shares, f.T(key))
		}
	}
	if a.Ready && v.AskPasscode {
		v.Ready = ReadyPasscode
	}
	if a.Slip != nil && !a.Slip.Good {
		v.Error, v.WrongNumber = sentence(f, a.Slip), a.Slip.Key == "match_needed"
	}
	return v
}

// hostOr is what stands beside a portal's name: its host, or that it is a
// device, which has none.
func hostOr(f templates.Frame, host string, device bool) string {
	if device {
		return f.T("phone.kiosk")
	}
	return host
}

func (r *refusal) number() int {
	for _, a := range r.args() {
		if n, ok := a.(int); ok {
			return n
		}
	}
	return 0
}

// sentence is a refusal beside a field.
func sentence(f templates.Frame, r *refusal) string {
	problem := templates.Problem(f, r.Key, r.args()...)
	return strings.TrimSpace(problem.What + " " + problem.Next)
}

// hanoi has had no summer time since 1975, so no zone database is needed.
var hanoi = time.FixedZone("+07", 7*60*60)

func hanoiTime(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.In(hanoi).Format(time.RFC3339)
}

// vietnameseDate turns 1990-03-15 into 15/03/1990; a year alone stays.
func vietnameseDate(iso string) string {
	parts := strings.Split(iso, "-")
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// secondsUntil rounds up, so that a countdown never promises too much.
func secondsUntil(at, now time.Time) int {
	return max(0, int((at.Sub(now)+time.Second-1)/time.Second))
}

// clip keeps a typed value that goes back into its field within reason.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }

const langCookie = "lang"

// frame is the frame of a page in the language that was chosen: by ?lang=,
// which is remembered, or before.
func (p *Phones) frame(w http.ResponseWriter, r *http.Request) templates.Frame {
	path := vneid.WorldFrom(r.Context()).Path
	f := templates.Frame{Lang: templates.Vi, HomeURL: path + "/", AssetBase: path}
	if c, err := r.Cookie(p.cookieName(r, langCookie)); err == nil {
		f.Lang, _ = templates.ParseLang(c.Value)
	}
	query := r.URL.Query()
	if lang, ok := templates.ParseLang(query.Get("lang")); ok {
		f.Lang = lang
		p.setCookie(w, r, langCookie, string(lang), 365*24*3600)
	}
	other := templates.En
	if f.Lang == templates.En {
		other = templates.Vi
	}
	switch r.Method {
	case http.MethodPost: // the answer to a refused form
		f.SwitchURL = f.Path(Prefix) + "?lang=" + string(other)
	default:
		again := url.Values{"lang": {string(other)}}
		for _, name := range []string{"code", "q"} {
			if value := query.Get(name); value != "" {
				again.Set(name, value)
			}
		}
		f.SwitchURL = "?" + again.Encode()
	}
	return f
}

// render builds the page before it sends anything.
func (p *Phones) render(w http.ResponseWriter, status int, v templates.View) error {
	html, err := templates.Render(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(html)))
	h.Set("Content-Security-Policy", templates.CSP())
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	// The address may hold a code. (no-referrer would make browsers send
	// Origin: null with our own forms, by which foreign ones are told.)
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(html)
	return nil
}

const requestID = "X-Request-Id"

func (p *Phones) logRefusal(r *http.Request, e *vneid.Error) {
	p.Logger.InfoContext(r.Context(), "phone refused", "request_id", r.Header.Get(requestID), "code", e.MsgKey, "hint", e.Hint)
}

// fail shows that something failed; the log says why.
func (p *Phones) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *vneid.Error
	key, status := "internal", http.StatusInternalServerError
	switch {
	case errors.Is(err, vneid.ErrUnavailable):
		key, status = "unavailable", http.StatusServiceUnavailable
	case errors.As(err, &e) && templates.HasText("error."+e.MsgKey+".title"):
		key, status = e.MsgKey, form.Status(e.Code)
	}
	f := p.frame(w, r)
	v := templates.Problem(f, key, argsOf(err)...)
	v.Status = status
	if status >= 500 {
		p.Logger.ErrorContext(r.Context(), "phone page failed", "request_id", r.Header.Get(requestID), "error", err)
		v.RequestID = r.Header.Get(requestID)
		w.Header().Set("Retry-After", "5")
	} else if e != nil {
		p.logRefusal(r, e)
	}
	v.Links = []templates.Link{{Text: f.T("phone.again"), URL: f.Path(Prefix), Primary: true}}
	if p.render(w, status, v) != nil {
		http.Error(w, "Lỗi nội bộ. / Internal error.", http.StatusInternalServerError)
	}
}
