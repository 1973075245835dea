// Package headless signs people in by itself: it begins a login as a relying
// party would, fills in the provider's pages as a browser without script would,
// reads the one-time password from the inbox and scans with the person's phone.
//
// It goes over HTTP and sees what a browser sees; nothing is shortened in the
// provider, so whatever stops a person stops it too, and it says at which step
// and what to do. It decides nothing, and it keeps nothing: every login is a
// new browser.
package headless

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Methods of signing in.
const (
	ByOTP = "otp" // password and one-time password
	ByQR  = "qr"  // the person's phone
)

// MostAtOnce is how many logins run together; the next ones wait a little.
const MostAtOnce = 32

// longest bounds a login in real time, besides what it waits for a message.
const longest = 30 * time.Second

// Config is what logins are driven with.
type Config struct {
	Store  vneid.Store
	Inbox  *sms.Network
	Phones *phone.Phones
	Rand   vneid.Rand
	Client *http.Client // reaches the provider, and follows no redirect
}

// Driver drives logins.
type Driver struct {
	Config
	places chan struct{}
}

// New makes a driver.
func New(c Config) *Driver { return &Driver{c, make(chan struct{}, MostAtOnce)} }

// Order is a login to drive.
type Order struct {
	ClientID string
	CCCD     vneid.CCCD
	Method   string
	Params   map[string]string // of the authorization request; what is absent has a default
	Password string            // "" = that of the seed
	Passcode string            // "" = that of ready phones
	Refuse   bool              // says no on the sharing page
	Number   int               // number matching: 0 = the one on the page
	Wait     time.Duration     // for a message that is late, in real time
}

// Done is a login that came back to the client with a code.
type Done struct {
	Callback string
	Login    string
	Form     map[string]string // response_mode=form_post: what is posted to Callback
	// What was made for the request because Params had none of it.
	State, Nonce, CodeVerifier string
}

// Stopped is a login that ended without a code.
type Stopped struct {
	Step     string // at which: authorize, password, otp, qr, scan, confirm, sharing
	Code     string // of the page, of the phone, or the OAuth error
	Why      string // for developers
	Advice   string // what to do, "" = nothing is known
	Login    string // "" = there is none
	Callback string // the way back to the client, if there is one
}

func (s *Stopped) Error() string { return "login stopped at " + s.Step + ": " + s.Code }

// Errors of an order that is none.
var (
	ErrNoClient = errors.New("headless: no such client")
	ErrNobody   = errors.New("headless: nobody has the number")
	// ErrNoRedirectURI: the client has none, and the order names none.
	ErrNoRedirectURI = errors.New("headless: the client has no redirect URI")
	ErrBusy          = errors.New("headless: too many logins at once")
)

// SignIn drives a login to its end. An error is one of those above, or a
// *Stopped; anything else is a failure of ours.
func (d *Driver) SignIn(ctx context.Context, o Order) (*Done, error) {
	ctx, cancel := context.WithTimeout(ctx, longest+o.Wait)
	defer cancel()
	full := time.NewTimer(longest / 3)
	defer full.Stop()
	select {
	case d.places <- struct{}{}:
		defer func() { <-d.places }()
	case <-full.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	o.Password, o.Passcode = cmp.Or(o.Password, people.Password), cmp.Or(o.Passcode, phone.ReadyPasscode)
	v, err := d.begin(ctx, o)
	if err != nil {
		return nil, err
	}
	err = v.signIn(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = v.stopped("timeout", "the login took longer than "+(longest+o.Wait).String())
	}
	if err != nil {
		return nil, err
	}
	return &v.done, nil
}

// begin composes the authorization request.
func (d *Driver) begin(ctx context.Context, o Order) (*visit, error) {
	w := vneid.WorldFrom(ctx)
	var client *vneid.Client
	var account *vneid.Account
	err := d.Store.View(ctx, w.ID, func(tx vneid.Tx) (err error) {
		if client, err = tx.Client(o.ClientID); errors.Is(err, vneid.ErrNotFound) {
			return ErrNoClient
		}
		if err == nil {
			account, err = tx.Account(o.CCCD)
		}
		if errors.Is(err, vneid.ErrNotFound) {
			return ErrNobody
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	v := &visit{Driver: d, order: o, account: account, step: "authorize", browser: newBrowser(d.Client, w.Issuer)}
	v.appCode = cmp.Or(client.SecondFactor, w.Policy.SecondFactor) == vneid.SecondFactorAppCode
	q := url.Values{"client_id": {o.ClientID}}
	for name, value := range o.Params {
		q.Set(name, value)
	}
	fill := func(name string, value func() string) (made string) {
		if !q.Has(name) {
			made = value()
			q.Set(name, made)
		}
		return made
	}
	secret := func() string { return vneid.NewSecret(d.Rand) }
	if !q.Has("redirect_uri") && len(client.RedirectURIs) == 0 {
		return nil, ErrNoRedirectURI
	}
	fill("redirect_uri", func() string { return client.RedirectURIs[0] })
	fill("response_type", func() string { return "code" })
	fill("scope", func() string { return vneid.ScopeOpenID })
	v.done.State, v.done.Nonce = fill("state", secret), fill("nonce", secret)
	if client.RequirePKCE != nil && *client.RequirePKCE && !q.Has("code_challenge") {
		v.done.CodeVerifier = secret()
		q.Set("code_challenge", vneid.SecretHash(v.done.CodeVerifier)) // RFC 7636 §4.2: the base64url of a SHA-256
		q.Set("code_challenge_method", "S256")
	}
	v.browser.back = q.Get("redirect_uri")
	v.query = q
	return v, nil
}

// visit is one login under way.
type visit struct {
	*Driver
	order   Order
	query   url.Values
	account *vneid.Account
	appCode bool // the one-time password stands in the app
	step    string
	browser *browser
	done    Done
}

// signIn goes from page to page until the browser is led back to the client.
func (v *visit) signIn(ctx context.Context) error {
	if err := v.move(ctx, "authorize", "/authorize", nil, v.query); err != nil {
		return err
	}
	if v.order.Method == ByQR {
		if err := v.byPhone(ctx); err != nil {
			return err
		}
	} else if err := v.byPassword(ctx); err != nil {
		return err
	}
	if v.browser.led == nil && v.browser.has(`name="agree"`) {
		form := url.Values{"decision": {"share"}, "agree": {"yes"}}
		if v.order.Refuse {
			form = url.Values{"decision": {"refuse"}}
		}
		if err := v.move(ctx, "sharing", v.path("/sharing"), form, nil); err != nil {
			return err
		}
	}
	if v.browser.led == nil {
		return v.stopped("unexpected_page", "the page is none that this driver knows: "+v.browser.heading())
	}
	v.done.Callback, v.done.Form = v.browser.led.address, v.browser.led.form
	return nil
}

func (v *visit) path(below string) string { return "/login/" + v.done.Login + below }

// move takes a step and ends the login where the answer refuses something.
func (v *visit) move(ctx context.Context, step, path string, form, query url.Values) error {
	if v.browser.led != nil {
		return nil
	}
	v.step = step
	if err := v.browser.open(ctx, path, form, query); err != nil {
		return err
	}
	if id, ok := strings.CutPrefix(v.browser.at, "/login/"); ok {
		v.done.Login, _, _ = strings.Cut(id, "/")
	}
	if v.browser.code != "" || v.browser.status >= http.StatusBadRequest {
		code := cmp.Or(v.browser.code, "unexpected_status")
		why := v.browser.heading()
		if technical := v.browser.technical(); technical != "" {
			why += ": " + technical
		}
		// A login that ended leads back to the client, who learns so.
		if v.done.Login != "" && v.browser.has(v.path("/return")) {
			if err := v.browser.open(ctx, v.path("/return"), nil, nil); err != nil {
				return err
			}
		}
		return v.stopped(code, why)
	}
	if v.browser.led == nil {
		return nil
	}
	switch refused := v.browser.led.params.Get("error"); {
	case refused != "" && step == "sharing" && v.order.Refuse:
		return v.stopped("consent_refused", "the person does not agree to the sharing, as the order says")
	case refused != "":
		return v.stopped(refused, v.browser.led.params.Get("error_description"))
	}
	return nil
}

func (v *visit) stopped(code, why string) error {
	s := &Stopped{Step: v.step, Code: code, Why: why, Advice: advice[code], Login: v.done.Login}
	if v.browser.led != nil {
		s.Callback = v.browser.led.address
	}
	return s
}

func (v *visit) byPassword(ctx context.Context) error {
	form := url.Values{"username": {string(v.order.CCCD)}, "password": {v.order.Password}}
	if err := v.move(ctx, "password", v.path("/password"), form, nil); err != nil || !v.browser.has(`id="otp"`) {
		return err
	}
	v.step = "otp"
	otp, err := v.otp(ctx)
	if err != nil {
		return err
	}
	return v.move(ctx, "otp", v.path("/otp"), url.Values{"otp": {otp}}, nil)
}

// otp reads the one-time password where the person would.
func (v *visit) otp(ctx context.Context) (string, error) {
	if v.appCode {
		code, err := v.Phones.CodeFor(ctx, v.order.CCCD, v.done.Login, v.order.Passcode)
		if err == nil && code == "" {
			err = v.stopped("app_shows_no_code", "the phone app shows no code for this login")
		}
		return code, v.refused(err)
	}
	q := sms.Query{To: v.account.Phone, Login: v.done.Login}
	messages, err := v.Inbox.Wait(ctx, q, v.order.Wait)
	if err != nil {
		return "", err
	}
	if len(messages) > 0 {
		return messages[0].OTP, nil
	}
	next, err := v.Inbox.Next(ctx, q)
	switch {
	case err != nil:
		return "", err
	case next == nil:
		return "", v.stopped("sms_never", "the message is lost: none will arrive on this phone")
	}
	return "", v.stopped("sms_late", "the message arrives at "+next.VisibleAt.UTC().Format(time.RFC3339)+" by the world's clock")
}

func (v *visit) byPhone(ctx context.Context) error {
	v.step = "qr"
	code := v.browser.shortCode()
	if code == "" && v.browser.led == nil {
		return v.stopped("no_qr", "the page shows no QR code")
	}
	v.step = "scan"
	scan, err := v.Phones.ScanFor(ctx, v.order.CCCD, code)
	if err != nil {
		return v.refused(err)
	}
	if !scan.Allowed {
		return v.stopped(scan.Message, "the phone says: "+scan.Text)
	}
	number := v.order.Number
	if number == 0 && len(scan.Choices) > 0 {
		if err := v.move(ctx, "qr", v.path(""), nil, nil); err != nil {
			return err
		}
		number = v.browser.digits()
	}
	v.step = "confirm"
	if err := v.Phones.ConfirmFor(ctx, v.order.CCCD, v.done.Login, v.order.Passcode, number); err != nil {
		return v.refused(err)
	}
	return v.move(ctx, "confirm", v.path(""), nil, nil)
}

// refused tells a refusal of the provider to a phone from a failure.
func (v *visit) refused(err error) error {
	var e *vneid.Error
	if errors.As(err, &e) && e.Code != vneid.CodeUnavailable {
		return v.stopped(e.MsgKey, e.Hint)
	}
	return err
}
