package vneid

import (
	"context"
	"errors"
	"time"
)

// What the phone app can do. Each call is signed with the key of its device;
// op/phoneapi checked the signature before it comes here. A call that changes
// something counts once.

// PhoneCall is who calls, and which call it is.
type PhoneCall struct {
	DeviceID string
	Call     DeviceCall
	Session  string // of the app, when it was unlocked

	// Device is what the signature was checked with, a moment ago; nil = read it.
	// What a call decides it decides by what is there then.
	Device *Device
}

// owner is whose phone that is, as far as it is known.
func (c *PhoneCall) owner() CCCD {
	if c.Device == nil {
		return ""
	}
	return c.Device.CCCD
}

// Scan is what the phone learns from a QR code: who wants to sign in where.
type Scan struct {
	Login   *Login
	Client  *Client
	Allowed bool   // false: "Đăng nhập trên website" is off, and Message says so
	Message string // key of the text, "" = none
	Choices []int  // number matching: one of them stands on the page
	Ask     bool   // the confirmation needs the passcode again
	// Shares is what confirming gives the client of a device, which has no page
	// to ask on: as of SharedData. nil = no device.
	Shares []string
}

// DeviceKey finds a device, to check the signature of its call with.
func (s *Service) DeviceKey(ctx context.Context, id string) (d *Device, err error) {
	err = s.Store.Peek(ctx, WorldFrom(ctx).ID, func(tx Tx) error {
		d, err = deviceByID(tx, id)
		return err
	})
	return d, err
}

func deviceByID(tx Tx, id string) (*Device, error) {
	d, err := tx.Device(id)
	return d, deviceGone(err)
}

func deviceGone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return Errorf(CodeForbidden, "device_replaced", "no device has this id: the person activated another phone, or the world was reset")
	}
	return err
}

// call runs fn for a device and its person in one transaction and keeps the
// device. A refusal that fn returns as its first value is kept too: what was
// counted stays counted.
func (s *Service) call(ctx context.Context, c PhoneCall, fn func(tx Tx, d *Device, a *Account) (refusal, err error)) error {
	return s.callAhead(ctx, c, Ahead{}, fn)
}

// callAhead is call for an fn that reads more.
func (s *Service) callAhead(ctx context.Context, c PhoneCall, next Ahead, fn func(tx Tx, d *Device, a *Account) (refusal, err error)) error {
	w := WorldFrom(ctx)
	next.Device = c.DeviceID
	var refusal error
	err := s.Store.Update(ctx, w.ID, func(tx Tx) error {
		refusal = nil
		tx.Ahead(next)
		d, a, err := tx.DeviceWith(c.DeviceID)
		if err != nil {
			return deviceGone(err)
		}
		if err := d.accept(c.Call, w.Clock.Now()); err != nil {
			return err
		}
		if a == nil {
			return Errorf(CodeForbidden, "device_replaced", "the device's person was deleted")
		}
		if refusal, err = fn(tx, d, a); err != nil {
			return err
		}
		return tx.PutDevice(d)
	})
	if err == nil {
		err = refusal
	}
	return err
}

// passcodeKey counts wrong passcodes of a person, on whatever phone.
func passcodeKey(w *World, c CCCD) string {
	return keyedID(w.Salt, "throttle", "passcode", string(c))
}

// verdict is what became of a passcode that came with a call.
type verdict struct {
	given bool
	right bool
	hash  string // that it was compared with
}

// checkPasscode compares outside of any transaction, since it takes as long as
// a password. settlePasscode counts the outcome inside of one.
func (s *Service) checkPasscode(ctx context.Context, c PhoneCall, passcode string) (v verdict, err error) {
	if passcode == "" {
		return v, nil
	}
	if !ValidPasscode(passcode) {
		return v, Errorf(CodeInvalid, "passcode_format", "a passcode has 6 digits")
	}
	w := WorldFrom(ctx)
	err = s.Store.Peek(ctx, w.ID, func(tx Tx) error {
		d := c.Device
		if d == nil {
			if d, err = deviceByID(tx, c.DeviceID); err != nil {
				return err
			}
		}
		v = verdict{given: true, hash: d.PasscodeHash}
		t, err := tx.Throttle(passcodeKey(w, d.CCCD))
		if err != nil {
			return err
		}
		return passcodeLocked(t, w.Clock.Now())
	})
	if err != nil {
		return v, err
	}
	v.right, err = s.Hasher.Verify(ctx, passcode, v.hash)
	return v, err
}

// ValidPasscode holds a passcode against its form, 6 digits.
func ValidPasscode(s string) bool {
	if len(s) != 6 {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

func passcodeLocked(t *Throttle, now time.Time) error {
	if !now.Before(t.LockedUntil) {
		return nil
	}
	e := Errorf(CodeExhausted, "passcode_locked", "the passcode is locked until %s", t.LockedUntil.UTC().Format(time.RFC3339))
	e.Args = []any{minutesUp(t.LockedUntil.Sub(now))}
	return e
}

// settlePasscode says whether the passcode was right. A wrong one is counted,
// and signs the app out.
func settlePasscode(tx Tx, d *Device, v verdict, w *World) (refusal, err error) {
	now := w.Clock.Now()
	t, err := tx.Throttle(passcodeKey(w, d.CCCD))
	if err != nil {
		return nil, err
	}
	if refusal := passcodeLocked(t, now); refusal != nil {
		return refusal, nil // others failed meanwhile: this answer stays secret
	}
	if v.right && v.hash == d.PasscodeHash {
		if len(t.Times) == 0 {
			return nil, nil
		}
		t.Times = nil
		return nil, tx.PutThrottle(t)
	}
	d.signOut()
	if n := t.fail(w.Policy.PasscodeTries, w.Policy.PasscodeLock, now); n > 0 {
		left := w.Policy.PasscodeTries - n
		e := Errorf(CodeForbidden, "passcode_wrong", "wrong passcode, %d tries left", left)
		e.Args = []any{left}
		refusal = e
	} else {
		refusal = passcodeLocked(t, now)
	}
	return refusal, tx.PutThrottle(t)
}

// Unlock signs in to the app with the passcode. The session is what further
// calls show.
func (s *Service) Unlock(ctx context.Context, c PhoneCall, passcode string) (session string, until time.Time, err error) {
	w := WorldFrom(ctx)
	v, err := s.checkPasscode(ctx, c, passcode)
	if err != nil {
		return "", until, err
	}
	if !v.given {
		return "", until, Errorf(CodeInvalid, "passcode_format", "no passcode was given")
	}
	now := w.Clock.Now()
	next := Ahead{Throttles: []string{passcodeKey(w, c.owner())}}
	err = s.callAhead(ctx, c, next, func(tx Tx, d *Device, a *Account) (refusal, err error) {
		if refusal, err = settlePasscode(tx, d, v, w); refusal != nil || err != nil {
			return refusal, err
		}
		if refusal = admitPhone(a); refusal != nil {
			return refusal, nil
		}
		session, until = NewSecret(s.Rand), now.Add(w.Policy.AppSession)
		d.SessionHash, d.SessionExpires, d.UnlockedAt = SecretHash(session), until, now
		return nil, nil
	})
	return session, until, err
}

// admitPhone says why a person may not use the app.
func admitPhone(a *Account) error {
	if a.Status == AccountLocked {
		return Errorf(CodeForbidden, "account_locked", "account %s is locked", a.CCCD.Mask())
	}
	return nil
}

// SignOutApp ends the app's session.
func (s *Service) SignOutApp(ctx context.Context, c PhoneCall) error {
	return s.call(ctx, c, func(_ Tx, d *Device, _ *Account) (error, error) {
		d.signOut()
		return nil, nil
	})
}

func appLocked() error {
	return Errorf(CodeForbidden, "app_locked", "the app's session is over; unlock with the passcode")
}

// unknownCode counts codes that belong to nobody, so that nobody tries them
// out. The caller has found none.
func (s *Service) unknownCode(tx Tx, d *Device, w *World, why error) (refusal, err error) {
	t, err := tx.Throttle(codesKey(w, d.CCCD))
	if err != nil {
		return nil, err
	}
	t.fail(w.Policy.CodeTries, w.Policy.CodeWindow, w.Clock.Now())
	return why, tx.PutThrottle(t)
}

func codesKey(w *World, c CCCD) string { return keyedID(w.Salt, "throttle", "codes", string(c)) }

// ScanQR claims the QR code of a login for this phone and tells what it asks.
// Scanning by itself signs nobody in.
func (s *Service) ScanQR(ctx context.Context, c PhoneCall, code QRScan) (scan Scan, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	next := Ahead{LoginStart: code.Login, Throttles: []string{codesKey(w, c.owner())}}
	err = s.callAhead(ctx, c, next, func(tx Tx, d *Device, a *Account) (refusal, err error) {
		scan = Scan{}
		t, err := tx.Throttle(codesKey(w, d.CCCD))
		if err != nil {
			return nil, err
		}
		if now.Before(t.LockedUntil) {
			e := Errorf(CodeExhausted, "too_many_codes", "too many unknown codes, until %s", t.LockedUntil.UTC().Format(time.RFC3339))
			e.Args = []any{minutesUp(t.LockedUntil.Sub(now))}
			return e, nil
		}
		var l *Login
		var client *Client
		if code.Short != "" {
			if l, err = tx.LoginByQRShort(qrShortHash(w.Salt, code.Short)); err == nil {
				l, client, _, err = tx.LoginWith(l.ID)
			}
		} else {
			l, client, err = tx.LoginStarting(code.Login)
		}
		if errors.Is(err, ErrNotFound) {
			return s.unknownCode(tx, d, w, Errorf(CodeNotFound, "qr_unknown", "the code belongs to no login of this world"))
		}
		if err != nil {
			return nil, err
		}
		TrailFrom(ctx).Login(l)
		if why := l.checkQR(w.Salt, code); IsCode(why, CodeNotFound) {
			return s.unknownCode(tx, d, w, why)
		} else if why != nil {
			return why, nil
		}
		if client == nil {
			return Errorf(CodeNotFound, "qr_unknown", "the login's client was deleted meanwhile"), nil
		}
		if refusal := admitByPhone(a, client); refusal != nil {
			return refusal, nil
		}
		match := 0
		if client.numberMatching(w.Policy) && !l.Request.Device { // a kiosk need not show digits
			match = 10 + int(randomBelow(s.Rand, 90))
		}
		was := l.QR
		if refusal := l.scanQR(d, match, now); refusal != nil {
			return refusal, nil
		}
		scan = Scan{Login: l, Client: client, Allowed: a.WebLogin, Choices: l.MatchChoices(w.Salt), Ask: s.asksPasscode(d, c, w)}
		if !a.WebLogin {
			scan.Message = "web_login_off"
		}
		if l.Request.Device {
			scan.Shares = append([]string{}, SharedData(a, &l.Request)...)
		}
		if was == l.QR {
			return nil, nil
		}
		if err := tx.SaveLogin(l); err != nil {
			return nil, err
		}
		return nil, tx.Wake(l.ID)
	})
	return scan, err
}

// admitByPhone says why a person may not sign in with a QR code at all: seed
// 001 bước 3 wants level 2.
func admitByPhone(a *Account, c *Client) error {
	if err := admit(a, c); err != nil {
		return err
	}
	if a.AccountLevel < 2 {
		return Errorf(CodeForbidden, "qr_level", "account %s has level %d; signing in by QR needs level 2", a.CCCD.Mask(), a.AccountLevel)
	}
	return nil
}

// asksPasscode reports whether a confirmation of this call needs the passcode.
func (s *Service) asksPasscode(d *Device, c PhoneCall, w *World) bool {
	now := w.Clock.Now()
	return w.Policy.ConfirmPasscode || !d.unlocked(c.Session, now) || now.Sub(d.UnlockedAt) > w.Policy.AppFresh
}

// ConfirmQR signs the waiting browser in, and the app out (seed 001 bước 4).
// match is the number that the person chose, 0 = none was asked.
func (s *Service) ConfirmQR(ctx context.Context, c PhoneCall, login, passcode string, match int) error {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	v, err := s.checkPasscode(ctx, c, passcode)
	if err != nil {
		return err
	}
	return s.callAhead(ctx, c, Ahead{Login: login}, func(tx Tx, d *Device, a *Account) (refusal, err error) {
		if v.given {
			if refusal, err = settlePasscode(tx, d, v, w); refusal != nil || err != nil {
				return refusal, err
			}
		} else if s.asksPasscode(d, c, w) {
			return Errorf(CodeForbidden, "passcode_needed", "the app is locked, or was unlocked more than %s ago", w.Policy.AppFresh), nil
		}
		l, client, refusal, err := scanned(ctx, tx, d, login, now)
		if refusal != nil || err != nil {
			return refusal, err
		}
		if refusal := admitByPhone(a, client); refusal != nil {
			return refusal, nil
		}
		if !a.WebLogin {
			return Errorf(CodeForbidden, "web_login_off", "account %s may not sign in on websites", a.CCCD.Mask()), nil
		}
		if l.QR.Match != 0 && match != l.QR.Match {
			if match == 0 {
				return Errorf(CodeInvalid, "match_needed", "number matching is on, and no number was chosen"), nil
			}
			// One try: whoever guesses has one chance in three, once.
			if err := l.refuseQR(d, now); err != nil {
				return nil, err
			}
			refusal = Errorf(CodeForbidden, "match_wrong", "the chosen number is not the one on the page")
		} else {
			if err := l.confirmQR(d, now); err != nil {
				return nil, err
			}
			d.signOut()
		}
		if err := tx.SaveLogin(l); err != nil {
			return nil, err
		}
		return refusal, tx.Wake(l.ID)
	})
}

// scanned reads a login whose code this phone scanned.
func scanned(ctx context.Context, tx Tx, d *Device, login string, now time.Time) (l *Login, client *Client, refusal, err error) {
	l, client, _, err = tx.LoginWith(login)
	if errors.Is(err, ErrNotFound) || err == nil && client == nil {
		return nil, nil, Errorf(CodeNotFound, "qr_unknown", "no such login"), nil
	}
	if err != nil {
		return nil, nil, nil, err
	}
	TrailFrom(ctx).Login(l)
	if l.State == StateStarted && (l.QR.Expired(now) || now.After(l.ExpiresAt)) {
		return nil, nil, Errorf(CodeExpired, "qr_expired", "the QR code was valid until %s", l.QR.ExpiresAt.UTC().Format(time.RFC3339)), nil
	}
	return l, client, l.ofPhone(d), nil
}

// RefuseQR ends the login whose code this phone scanned.
func (s *Service) RefuseQR(ctx context.Context, c PhoneCall, login string) error {
	now := WorldFrom(ctx).Clock.Now()
	return s.call(ctx, c, func(tx Tx, d *Device, _ *Account) (refusal, err error) {
		l, _, refusal, err := scanned(ctx, tx, d, login, now)
		if refusal != nil || err != nil {
			return refusal, err
		}
		if err := l.refuseQR(d, now); err != nil {
			return nil, err
		}
		if err := tx.SaveLogin(l); err != nil {
			return nil, err
		}
		return nil, tx.Wake(l.ID)
	})
}

// SetWebLogin turns "Đăng nhập trên website" on or off; it takes the passcode
// (seed 001 bước 4).
func (s *Service) SetWebLogin(ctx context.Context, c PhoneCall, on bool, passcode string) error {
	w := WorldFrom(ctx)
	v, err := s.checkPasscode(ctx, c, passcode)
	if err != nil {
		return err
	}
	return s.call(ctx, c, func(tx Tx, d *Device, a *Account) (refusal, err error) {
		if !v.given {
			return Errorf(CodeForbidden, "passcode_needed", "changing the permission takes the passcode"), nil
		}
		if refusal, err = settlePasscode(tx, d, v, w); refusal != nil || err != nil {
			return refusal, err
		}
		a.WebLogin, a.UpdatedAt = on, w.Clock.Now()
		return nil, tx.PutAccount(a)
	})
}

// Home is what the app shows when it is unlocked.
type Home struct {
	Account *Account
	Device  *Device
	Codes   []AppCode
	Recent  []SignIn
}

// AppCode is a one-time password that the app shows (second_factor: app_code).
type AppCode struct {
	Login      *Login
	ClientName string
	Digits     string
}

// SignIn is a sign-in of the last day.
type SignIn struct {
	Login      *Login
	ClientName string
	Open       bool // its session stands
}

const (
	recentFor  = 24 * time.Hour // rows leave the store then
	mostRecent = 20
)

// Home reads what the unlocked app shows. It changes nothing, so a replay
// tells no more than the first call did to whoever holds the session.
func (s *Service) Home(ctx context.Context, c PhoneCall) (h Home, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	err = s.Store.View(ctx, w.ID, func(tx Tx) error {
		h = Home{}
		if h.Device, err = deviceByID(tx, c.DeviceID); err != nil {
			return err
		}
		if !h.Device.unlocked(c.Session, now) {
			return appLocked()
		}
		if h.Account, err = tx.Account(h.Device.CCCD); err != nil {
			return err
		}
		logins, err := tx.LoginsOf(h.Device.CCCD, now.Add(-recentFor), mostRecent)
		if err != nil {
			return err
		}
		for i := range logins {
			l := &logins[i]
			name := l.Request.ClientID
			if client, err := tx.Client(name); err == nil {
				name = client.ClientName
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
			switch {
			case l.State == StateOTPSent && l.OTP.Channel == OTPByApp && now.Before(l.OTP.ExpiresAt) && !l.Expired(now):
				h.Codes = append(h.Codes, AppCode{l, name, l.appCode(w.Salt, w.Policy)})
			case l.SessionID != "":
				session, err := tx.SessionByID(l.SessionID)
				if err != nil && !errors.Is(err, ErrNotFound) {
					return err
				}
				h.Recent = append(h.Recent, SignIn{l, name, err == nil && session.Alive(now)})
			}
		}
		return nil
	})
	return h, err
}

// Disown is "không phải tôi": it ends the session of a sign-in, all access
// tokens that hang on it, and every token that came from the login.
func (s *Service) Disown(ctx context.Context, c PhoneCall, login string) error {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	return s.call(ctx, c, func(tx Tx, d *Device, _ *Account) (refusal, err error) {
		if !d.unlocked(c.Session, now) {
			return appLocked(), nil
		}
		l, err := tx.Login(login)
		if err == nil && l.CCCD != d.CCCD {
			err = ErrNotFound
		}
		if errors.Is(err, ErrNotFound) {
			return Errorf(CodeNotFound, "sign_in_unknown", "no sign-in of this person has this id"), nil
		}
		if err != nil {
			return nil, err
		}
		TrailFrom(ctx).Login(l)
		if !l.State.Final() {
			// Not redeemed yet: there shall be nothing to redeem.
			if err := l.Apply(EventExpired, now); err != nil {
				return nil, err
			}
			if err := tx.SaveLogin(l); err != nil {
				return nil, err
			}
		}
		if err := tx.RevokeGrant(l.ID, now); err != nil {
			return nil, err
		}
		session, err := tx.SessionByID(l.SessionID)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return nil, err
		case session.EndedAt.IsZero():
			if _, err := endSessions(tx, session, now); err != nil {
				return nil, err
			}
		}
		return nil, tx.Wake(l.ID)
	})
}
