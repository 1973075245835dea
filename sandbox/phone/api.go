package phone

import (
	"context"
	"errors"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What the automation API does with a person's phone: the same calls to the
// provider as the screens make, with the same phone. A screen that shows this
// phone follows. Whoever has no phone gets a ready one by the first call.

// State is a phone as the API shows it.
type State struct {
	CCCD        vneid.CCCD `json:"cccd"`
	Device      string     `json:"device"` // id of the device at the provider
	Name        string     `json:"device_name"`
	ActivatedAt string     `json:"activated_at"`
	Ready       bool       `json:"ready"`    // made for testing; its passcode is 123456
	Unlocked    bool       `json:"unlocked"` // the app is signed in
	WebLogin    bool       `json:"web_login"`
	Scanned     string     `json:"scanned"` // the login that the app asks about, "" = none
	Codes       []Code     `json:"codes"`
	Recent      []SignIn   `json:"recent"`
}

// Scanned is what a scan brought.
type Scanned struct {
	Scan
	Text string // for people, in Vietnamese: why it is not allowed; "" = it is
}

// ScanFor scans a code with somebody's phone.
func (p *Phones) ScanFor(ctx context.Context, cccd vneid.CCCD, code string) (Scanned, error) {
	var s Scanned
	err := p.with(ctx, cccd, func(ph *phone) error {
		scan, err := p.scanCode(ctx, ph, code)
		if err != nil {
			return err
		}
		s = Scanned{Scan: scan}
		if !s.Allowed {
			s.Text = templates.Text(templates.Vi, "error."+s.Message+".what")
		}
		return nil
	})
	return s, err
}

// ConfirmFor confirms a scanned login. number is that of number matching, 0 =
// none.
func (p *Phones) ConfirmFor(ctx context.Context, cccd vneid.CCCD, login, passcode string, number int) error {
	return p.with(ctx, cccd, func(ph *phone) error {
		return p.confirmLogin(ctx, ph, login, passcode, number, nil)
	})
}

// RefuseFor refuses a scanned login.
func (p *Phones) RefuseFor(ctx context.Context, cccd vneid.CCCD, login string) error {
	return p.with(ctx, cccd, func(ph *phone) error { return p.refuseLogin(ctx, ph, login, nil) })
}

// StateOf tells about somebody's phone. To see what the app shows, a ready
// phone that is locked is unlocked for a moment; of another one, which only its
// owner can unlock, codes and sign-ins stay empty until it is.
func (p *Phones) StateOf(ctx context.Context, cccd vneid.CCCD) (*State, error) {
	w := vneid.WorldFrom(ctx)
	state := &State{CCCD: cccd, Codes: []Code{}, Recent: []SignIn{}}
	err := p.with(ctx, cccd, func(ph *phone) error {
		var account *vneid.Account
		err := p.Store.View(ctx, w.ID, func(tx vneid.Tx) (err error) {
			account, err = tx.Account(cccd)
			return err
		})
		if err != nil {
			return err
		}
		state.Device, state.Ready, state.WebLogin = ph.row.DeviceID, ph.app.Ready, account.WebLogin
		state.Unlocked = ph.app.unlocked(w.Clock.Now())
		if ph.app.Scan != nil && w.Clock.Now().Before(ph.app.Expires) {
			state.Scanned = ph.app.Scan.Login
		}
		device, err := p.device(ctx, ph.row.DeviceID)
		if err != nil {
			return err
		}
		state.Name, state.ActivatedAt = device.Name, device.ActivatedAt.UTC().Format("2006-01-02T15:04:05.000Z07:00")
		if !state.Unlocked && (!ph.app.Ready || account.Status != vneid.AccountActive) {
			return nil
		}
		home, err := p.peek(ctx, ph, ReadyPasscode)
		if err != nil {
			return err
		}
		state.Codes, state.Recent = append(state.Codes, home.Codes...), append(state.Recent, home.Recent...)
		return nil
	})
	if vneid.MsgKey(err) == "app_locked" { // it was, since a moment ago
		state.Unlocked, err = false, nil
	}
	return state, err
}

// peek looks at what the app shows. An app that is locked is unlocked for the
// moment.
func (p *Phones) peek(ctx context.Context, ph *phone, passcode string) (home Home, err error) {
	session, now := *ph, vneid.WorldFrom(ctx).Clock.Now()
	if !ph.app.unlocked(now) {
		var s unlocked
		if err := p.ask(ctx, ph, "unlock", members{"passcode": passcode}, &s); err != nil {
			return home, err
		}
		session.app.signIn(s, now)
		defer func() { _ = p.ask(ctx, &session, "sign_out", nil, nil) }()
	}
	return home, p.ask(ctx, &session, "home", nil, &home)
}

// CodeFor is the one-time password that somebody's app shows for a login
// (second_factor: app_code), "" = none.
func (p *Phones) CodeFor(ctx context.Context, cccd vneid.CCCD, login, passcode string) (code string, err error) {
	err = p.with(ctx, cccd, func(ph *phone) error {
		home, err := p.peek(ctx, ph, passcode)
		for _, c := range home.Codes {
			if c.Login == login {
				code = c.Code
			}
		}
		return err
	})
	return code, err
}

func (p *Phones) device(ctx context.Context, id string) (d *vneid.Device, err error) {
	err = p.Store.View(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) error {
		d, err = tx.Device(id)
		return err
	})
	return d, err
}

// SetWebLoginOf moves the switch "Đăng nhập trên website" of an account. It is
// the tester's hand, not the citizen's: it takes no passcode and no phone.
func (p *Phones) SetWebLoginOf(ctx context.Context, cccd vneid.CCCD, on bool) error {
	w := vneid.WorldFrom(ctx)
	return p.Store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		a, err := tx.Account(cccd)
		if err != nil {
			return err
		}
		if a.WebLogin == on {
			return nil
		}
		a.WebLogin, a.UpdatedAt = on, w.Clock.Now()
		return tx.PutAccount(a)
	})
}

// with runs a call with somebody's phone and keeps what a refusal means for it.
func (p *Phones) with(ctx context.Context, cccd vneid.CCCD, call func(*phone) error) error {
	ph, err := p.phoneFor(ctx, cccd)
	if err != nil {
		return err
	}
	refused := call(ph)
	var e *vneid.Error
	if !errors.As(refused, &e) {
		return refused
	}
	if err := p.change(ctx, ph, func(_ *vneid.Handset, a *app) { a.learn(refused) }); err != nil {
		return err
	}
	return refused
}
