package phoneapi

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type activateAnswer struct {
	Activation    string `json:"activation"`
	Phone         string `json:"phone"` // masked
	OTPSeconds    int    `json:"otp_seconds"`
	ResendSeconds int    `json:"resend_seconds"`
}

func (a *API) activate(ctx context.Context, c *call) (answer, error) {
	act, to, err := a.Service.BeginActivation(ctx, c.Username, c.Password, c.key, deviceName(c.Name))
	if err != nil {
		return nil, err
	}
	p := vneid.WorldFrom(ctx).Policy
	return activateAnswer{act.ID, to.Mask(), seconds(p.OTPLifetime), seconds(p.OTPResendAfter)}, nil
}

// deviceName is how a phone calls itself, cut down to what a page can show.
func deviceName(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	for utf8.RuneCountInString(s) > 60 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

func (a *API) activateOTP(ctx context.Context, c *call) (answer, error) {
	return nil, a.Service.ProveActivation(ctx, c.Activation, c.OTP)
}

func (a *API) activateResend(ctx context.Context, c *call) (answer, error) {
	if err := a.Service.ResendActivationOTP(ctx, c.Activation); err != nil {
		return nil, err
	}
	p := vneid.WorldFrom(ctx).Policy
	return struct {
		OTPSeconds    int `json:"otp_seconds"`
		ResendSeconds int `json:"resend_seconds"`
	}{seconds(p.OTPLifetime), seconds(p.OTPResendAfter)}, nil
}

type finishAnswer struct {
	Device string     `json:"device"`
	CCCD   vneid.CCCD `json:"cccd"`
	sessionAnswer
}

type sessionAnswer struct {
	Session        string `json:"session"`
	SessionSeconds int    `json:"session_seconds"`
}

func (a *API) activateFinish(ctx context.Context, c *call) (answer, error) {
	d, session, err := a.Service.FinishActivation(ctx, c.Activation, c.Passcode)
	if err != nil {
		return nil, err
	}
	return finishAnswer{d.ID, d.CCCD, sessionAnswer{session, seconds(vneid.WorldFrom(ctx).Policy.AppSession)}}, nil
}

func (a *API) unlock(ctx context.Context, c *call) (answer, error) {
	session, _, err := a.Service.Unlock(ctx, c.phone(), c.Passcode)
	if err != nil {
		return nil, err
	}
	return sessionAnswer{session, seconds(vneid.WorldFrom(ctx).Policy.AppSession)}, nil
}

func (a *API) signOut(ctx context.Context, c *call) (answer, error) {
	return nil, a.Service.SignOutApp(ctx, c.phone())
}

// place is where a sign-in happens: what a person compares with what they see.
type place struct {
	Login      string `json:"login"`
	ClientID   string `json:"client_id"`
	ClientName string `json:"client_name"`
	Host       string `json:"host"`
	Browser    string `json:"browser"`
	IP         string `json:"ip"`
	Device     bool   `json:"device,omitempty"` // no browser, but a kiosk or the like: it has no host
}

func placeOf(l *vneid.Login, clientName string) place {
	return place{l.ID, l.Request.ClientID, clientName, login.HostOf(l.Request.RedirectURI), l.Origin.Browser, l.Origin.IP, l.Request.Device}
}

type scanAnswer struct {
	place
	At             string `json:"at"` // when the login began, RFC 3339
	Seconds        int    `json:"seconds"`
	Allowed        bool   `json:"allowed"`
	Message        string `json:"message,omitempty"`
	Choices        []int  `json:"choices,omitempty"`
	PasscodeNeeded bool   `json:"passcode_needed"`
	// Of a device, RFC 8628: what confirming shares with the client, the names
	// of docs/phoneapi.md. Absent when a browser waits, which asks by itself.
	Shares []string `json:"shares,omitempty"`
}

func (a *API) scan(ctx context.Context, c *call) (answer, error) {
	code, err := vneid.ParseQR(a.CodeURL(vneid.WorldFrom(ctx)), c.Code)
	if err != nil {
		return nil, err
	}
	s, err := a.Service.ScanQR(ctx, c.phone(), code)
	if err != nil {
		return nil, err
	}
	return scanAnswer{placeOf(s.Login, s.Client.ClientName), rfc3339(s.Login.CreatedAt),
		seconds(s.Login.QR.ExpiresAt.Sub(vneid.WorldFrom(ctx).Clock.Now())), s.Allowed, s.Message, s.Choices, s.Ask, s.Shares}, nil
}

func (a *API) confirm(ctx context.Context, c *call) (answer, error) {
	return nil, a.Service.ConfirmQR(ctx, c.phone(), c.Login, c.Passcode, c.Number)
}

func (a *API) refuse(ctx context.Context, c *call) (answer, error) {
	return nil, a.Service.RefuseQR(ctx, c.phone(), c.Login)
}

func (a *API) webLogin(ctx context.Context, c *call) (answer, error) {
	return nil, a.Service.SetWebLogin(ctx, c.phone(), c.On, c.Passcode)
}

func (a *API) disown(ctx context.Context, c *call) (answer, error) {
	return nil, a.Service.Disown(ctx, c.phone(), c.Login)
}

type homeAnswer struct {
	CCCD         vneid.CCCD `json:"cccd"` // whole: it is their card
	Name         string     `json:"name"`
	Birthdate    string     `json:"birthdate"`
	Gender       string     `json:"gender"`
	Phone        string     `json:"phone"` // masked
	Address      string     `json:"address"`
	AccountLevel int        `json:"account_level"`
	Status       string     `json:"status"`
	WebLogin     bool       `json:"web_login"`
	DeviceName   string     `json:"device_name"`
	ActivatedAt  string     `json:"activated_at"`
	Codes        []codeRow  `json:"codes"`
	Recent       []signIn   `json:"recent"`
}

type codeRow struct {
	place
	Code    string `json:"code"`
	Seconds int    `json:"seconds"`
}

type signIn struct {
	place
	At     string `json:"at"`
	Method string `json:"method"` // qr, otp, app_code, password
	Open   bool   `json:"open"`
}

func (a *API) home(ctx context.Context, c *call) (answer, error) {
	h, err := a.Service.Home(ctx, c.phone())
	if err != nil {
		return nil, err
	}
	p := h.Account
	body := homeAnswer{CCCD: p.CCCD, Name: p.Name, Birthdate: p.Birthdate, Gender: p.Gender, AccountLevel: p.AccountLevel,
		Status: string(p.Status), WebLogin: p.WebLogin, DeviceName: h.Device.Name, ActivatedAt: rfc3339(h.Device.ActivatedAt),
		Codes: []codeRow{}, Recent: []signIn{}}
	if p.Phone != "" {
		body.Phone = p.Phone.Mask()
	}
	if p.Address != nil {
		body.Address = p.Address.Line()
	}
	now := vneid.WorldFrom(ctx).Clock.Now()
	for _, code := range h.Codes {
		body.Codes = append(body.Codes, codeRow{placeOf(code.Login, code.ClientName), code.Digits, seconds(code.Login.OTP.ExpiresAt.Sub(now))})
	}
	for _, s := range h.Recent {
		body.Recent = append(body.Recent, signIn{placeOf(s.Login, s.ClientName), rfc3339(s.Login.Auth.Time), s.Login.Method(), s.Open})
	}
	return body, nil
}

func seconds(d time.Duration) int { return max(0, int(d/time.Second)) }

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
