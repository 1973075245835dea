package phone

import (
	"context"
	"errors"

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
	fresh, err := p.newPhone()
	if err != nil {
		return nil, err
	}
	deviceID := vneid.NewID(p.Rand)
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
		now := w.Clock.Now()
		made := *fresh
		row := *fresh.row
		made.row = &row
		made.row.CCCD, made.row.DeviceID = cccd, deviceID
		made.app.Name, made.app.Ready = account.Name, true
		if err := tx.PutDevice(&vneid.Device{CCCD: cccd, ID: deviceID, PublicKey: publicKey(&made), PasscodeHash: hash,
			Name: readyName, ActivatedAt: now}); err != nil {
			return err
		}
		ph = &made
		return putPhone(tx, ph, now)
	})
	return ph, err
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
