package phone

import (
	"context"
	"errors"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// A ready phone is one that a tester takes in hand instead of activating it:
// it belongs to somebody already and has a passcode everybody knows.

// WhyNotReady says why somebody has no ready phone, "" when they have:
// a message key below phone.people.
func WhyNotReady(a *vneid.Account) string {
	switch a.Status {
	case vneid.AccountLocked:
		return "locked"
	case vneid.AccountNotActivated:
		return "not_activated"
	}
	return ""
}

// readyName is how the provider and the person see such a phone.
const readyName = "Điện thoại thử nghiệm"

// phoneFor is somebody's phone: the one on which they activated the app, or a
// ready one made now.
func (p *Phones) phoneFor(ctx context.Context, cccd vneid.CCCD) (ph *phone, err error) {
	w := vneid.WorldFrom(ctx)
	hash, err := p.passcodeHash(ctx)
	if err != nil {
		return nil, err
	}
	err = p.Store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		ph = nil
		account, err := tx.Account(cccd)
		if err != nil {
			return err
		}
		if existing, err := activePhone(tx, cccd); err == nil {
			ph = existing
			return nil
		} else if !errors.Is(err, vneid.ErrNotFound) {
			return err
		}
		switch WhyNotReady(account) {
		case "locked":
			return vneid.Errorf(vneid.CodeForbidden, "account_locked", "account %s is locked", cccd.Mask())
		case "not_activated":
			return vneid.Errorf(vneid.CodeForbidden, "account_not_activated", "account %s is not activated; activate it at %s", cccd.Mask(), Prefix)
		}
		ph, err = p.makePhone(tx, account, hash, w.Clock.Now())
		if err != nil {
			return err
		}
		ph.app.Ready = true
		return putPhone(tx, ph, w.Clock.Now())
	})
	return ph, err
}

// makePhone makes a phone and its device at the provider, as if the person had
// activated it. The phone is not kept yet.
func (p *Phones) makePhone(tx vneid.Tx, a *vneid.Account, passcodeHash string, now time.Time) (*phone, error) {
	ph, err := p.newPhone()
	if err != nil {
		return nil, err
	}
	ph.row.CCCD, ph.row.DeviceID, ph.app.Name = a.CCCD, vneid.NewID(p.Rand), a.Name
	return ph, tx.PutDevice(&vneid.Device{CCCD: a.CCCD, ID: ph.row.DeviceID, PublicKey: publicKey(ph), PasscodeHash: passcodeHash,
		Name: readyName, ActivatedAt: now})
}

// SetPasscode is the tester's hand at somebody's passcode: on the phone that
// they have, or on one made now. Nobody but them is to know it, so the phone is
// none that everybody may unlock; its app is signed out.
func (p *Phones) SetPasscode(tx vneid.Tx, a *vneid.Account, passcodeHash string, now time.Time) error {
	device, err := tx.DeviceOf(a.CCCD)
	if errors.Is(err, vneid.ErrNotFound) {
		ph, err := p.makePhone(tx, a, passcodeHash, now)
		if err != nil {
			return err
		}
		return putPhone(tx, ph, now)
	}
	if err != nil {
		return err
	}
	device.PasscodeHash = passcodeHash
	device.SessionHash, device.SessionExpires, device.UnlockedAt = "", time.Time{}, time.Time{}
	if err := tx.PutDevice(device); err != nil {
		return err
	}
	ph, err := activePhone(tx, a.CCCD)
	if errors.Is(err, vneid.ErrNotFound) {
		return nil // a phone of somebody's own, that calls the provider by itself
	}
	if err != nil {
		return err
	}
	ph.app.Ready = false
	ph.app.signOut()
	return putPhone(tx, ph, now)
}

// activePhone is the phone of the person's device.
func activePhone(tx vneid.Tx, cccd vneid.CCCD) (*phone, error) {
	device, err := tx.DeviceOf(cccd)
	if err != nil {
		return nil, err
	}
	row, err := tx.HandsetOf(device.ID)
	if err != nil {
		return nil, err
	}
	return phoneOf(row)
}

// passcodeHash is that of ReadyPasscode. Copies of one hash are fine where
// everybody knows the passcode.
func (p *Phones) passcodeHash(ctx context.Context) (string, error) {
	p.ready.Lock()
	defer p.ready.Unlock()
	if p.readyHash == "" {
		hash, err := p.Hasher.Hash(ctx, ReadyPasscode)
		if err != nil {
			return "", err
		}
		p.readyHash = hash
	}
	return p.readyHash, nil
}

// Held is what the sandbox knows of the phone behind a device.
type Held struct {
	Ready, Unlocked bool
	Scanned         string // the login that the app asks about, "" = none
}

// Look tells of a phone without asking it, or making one. A phone of somebody's
// own, that calls the provider by itself, tells nothing.
func Look(tx vneid.Tx, device *vneid.Device, now time.Time) (h Held, err error) {
	row, err := tx.HandsetOf(device.ID)
	if errors.Is(err, vneid.ErrNotFound) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	ph, err := phoneOf(row)
	if err != nil {
		return h, err
	}
	h = Held{Ready: ph.app.Ready, Unlocked: ph.app.unlocked(now)}
	if ph.app.Scan != nil && now.Before(ph.app.Expires) {
		h.Scanned = ph.app.Scan.Login
	}
	return h, nil
}

// MakeReady gives somebody a ready phone, unless they have a phone.
func (p *Phones) MakeReady(ctx context.Context, cccd vneid.CCCD) error {
	_, err := p.phoneFor(ctx, cccd)
	return err
}
