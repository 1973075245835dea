package phone

import (
	"context"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What an app does, for the pages and for the API alike: call the provider,
// then keep what came of it.

// ask makes a call of an activated phone.
func (p *Phones) ask(ctx context.Context, ph *phone, name string, m members, answer any) error {
	if m == nil {
		m = members{}
	}
	if ph.app.Session != "" {
		m["session"] = ph.app.Session
	}
	if answer == nil {
		answer = &struct{}{}
	}
	return p.call(ctx, ph.key(), ph.row.DeviceID, name, m, answer)
}

func (p *Phones) signInApp(ctx context.Context, ph *phone, passcode string) error {
	var s unlocked
	if err := p.ask(ctx, ph, "unlock", members{"passcode": passcode}, &s); err != nil {
		return err
	}
	now := vneid.WorldFrom(ctx).Clock.Now()
	return p.change(ctx, ph, func(_ *vneid.Handset, a *app) {
		a.signIn(s, now)
		a.Slip = nil
	})
}

func (p *Phones) signOutApp(ctx context.Context, ph *phone) error {
	if err := p.ask(ctx, ph, "sign_out", nil, nil); err != nil {
		return err
	}
	return p.change(ctx, ph, func(_ *vneid.Handset, a *app) {
		a.signOut()
		a.home()
	})
}

// scanCode tells the provider what the phone scanned.
func (p *Phones) scanCode(ctx context.Context, ph *phone, code string) (s Scan, err error) {
	if err := p.ask(ctx, ph, "scan", members{"code": code}, &s); err != nil {
		return s, err
	}
	expires := vneid.WorldFrom(ctx).Clock.Now().Add(time.Duration(s.Seconds) * time.Second)
	return s, p.change(ctx, ph, func(_ *vneid.Handset, a *app) {
		a.home()
		a.Scan, a.Expires = &s, expires
	})
}

// confirmLogin signs the waiting browser in, and this app out.
func (p *Phones) confirmLogin(ctx context.Context, ph *phone, login, passcode string, number int, done *refusal) error {
	m := members{"login": login}
	if passcode != "" {
		m["passcode"] = passcode
	}
	if number != 0 {
		m["number"] = number
	}
	if err := p.ask(ctx, ph, "confirm", m, nil); err != nil {
		return err
	}
	return p.change(ctx, ph, func(_ *vneid.Handset, a *app) {
		a.home()
		a.signOut()
		a.Notice = done
	})
}

func (p *Phones) refuseLogin(ctx context.Context, ph *phone, login string, done *refusal) error {
	if err := p.ask(ctx, ph, "refuse", members{"login": login}, nil); err != nil {
		return err
	}
	return p.change(ctx, ph, func(_ *vneid.Handset, a *app) {
		a.home()
		a.Notice = done
	})
}

// What a refusal does to an app besides being shown.
var (
	// slips stand beside the field that they are about.
	slips = []string{"passcode_wrong", "passcode_format", "passcode_needed", "match_needed",
		"otp_wrong", "otp_malformed", "otp_expired", "otp_too_soon", "too_many_sms"}
	// transient ones say nothing about the app: the same form may work later.
	transient = []string{"unavailable", "overloaded", "internal", "call_stale", "call_replayed", "too_many_calls"}
)

// learn changes what the app believes, after the provider refused a call.
func (a *app) learn(err error) {
	switch key := vneid.MsgKey(err); key {
	case "app_locked", "passcode_wrong", "passcode_locked":
		a.signOut()
	case "device_replaced":
		a.home()
		a.signOut()
		a.Removed = true
	case "web_login_off":
		if a.Scan != nil {
			a.Scan.Allowed, a.Scan.Message = false, key
		}
	case "passcode_needed":
		if a.Scan != nil {
			a.Scan.PasscodeNeeded = true
		}
	case "too_many_otps", "activation_over":
		a.Activation = nil
	}
}

// show makes the app say why the provider refused. It reports false when that
// is nothing an app shows, but a page of an error.
func (a *app) show(err error) bool {
	key := vneid.MsgKey(err)
	switch {
	case slices.Contains(transient, key) || !templates.HasText("error."+key+".title"):
		return false
	case key == "app_locked" || key == "device_replaced" || key == "web_login_off" && a.Scan != nil:
		// The screen where the app now stands says it.
	case slices.Contains(slips, key):
		a.Slip = refusalFor(err)
	default:
		a.home()
		a.Notice = refusalFor(err)
	}
	return true
}

// advance goes on with a scan that waited for the app to be unlocked.
func (p *Phones) advance(ctx context.Context, ph *phone) error {
	if ph.app.Code == "" || !ph.app.unlocked(vneid.WorldFrom(ctx).Clock.Now()) {
		return nil
	}
	_, err := p.scanCode(ctx, ph, ph.app.Code)
	return err
}
