package vneid

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A kiosk at a one-stop office has no browser that a citizen would trust with a
// password. It asks for a device authorization (RFC 8628), which is a login
// that no browser began: the QR code is its only way on, and what the browser
// would get by redirect the kiosk fetches with its device code, whose hash
// stands where that of a code does.

// DeviceGrant is the grant type of RFC 8628 §3.4.
const DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// DeviceInterval is how long a device waits between two questions, until it is
// told to slow down (RFC 8628 §3.2).
const DeviceInterval = 5 * time.Second

// BeginDevice stores a device authorization. It can be confirmed as long as its
// login lasts.
func (s *Service) BeginDevice(ctx context.Context, c *Client, scopes []string, origin Origin) (l *Login, deviceCode string, err error) {
	w := WorldFrom(ctx)
	if err := s.pace.take(w.ID, w.Policy.LoginsPerMinute, s.Machine.Now()); err != nil {
		return nil, "", err
	}
	now := w.Clock.Now()
	deviceCode = NewSecret(s.Rand)
	l = &Login{ID: newIDAt(s.Rand, now), State: StateStarted, Issuer: w.Issuer, Origin: origin, CodeHash: SecretHash(deviceCode),
		Request:   AuthRequest{ClientID: c.ClientID, Scopes: scopes, Device: true},
		CreatedAt: now, ExpiresAt: now.Add(w.Policy.LoginLifetime)}
	l.newQR(s.Rand, w.Salt, w.Policy, now) // no browser waits, so nobody gets the secret
	l.QR.ExpiresAt = l.ExpiresAt
	if err := s.Store.Update(ctx, w.ID, func(tx Tx) error { return tx.InsertLogin(l) }); err != nil {
		return nil, "", err
	}
	TrailFrom(ctx).Login(l)
	return l, deviceCode, nil
}

// RedeemDevice answers a device that asks whether somebody confirmed: with
// tokens, once, or with an error whose MsgKey is the code of RFC 8628 §3.5.
func (s *Service) RedeemDevice(ctx context.Context, c *Client, deviceCode string) (g *Grant, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	var refusal error
	err = s.Store.Update(ctx, w.ID, func(tx Tx) error {
		g, refusal = nil, nil
		l, account, _, err := tx.LoginByCodeWith(SecretHash(deviceCode))
		if errors.Is(err, ErrNotFound) || err == nil && !l.Request.Device {
			return invalidGrant("no such device code").Explained("device_code.unknown")
		}
		if err != nil {
			return err
		}
		TrailFrom(ctx).Login(l)
		switch {
		case l.Request.ClientID != c.ClientID:
			return invalidGrant("the device code belongs to client "+l.Request.ClientID).Explained("code.other_client", l.Request.ClientID, c.ClientID)
		case l.State == StateRedeemed:
			refusal = invalidGrant("the device code was redeemed before: everything issued for it is revoked now").Explained("code.redeemed_twice")
			return tx.RevokeGrant(l.ID, now)
		case l.State == StateRefused:
			return Errorf(CodeForbidden, "access_denied", "the person refused on the phone")
		case l.Expired(now):
			return Errorf(CodeExpired, "expired_token", "the device code was valid until %s", l.ExpiresAt.UTC().Format(time.RFC3339))
		}
		if refusal, err = paceDevice(tx, l, now); refusal != nil || err != nil {
			return err
		}
		if l.State != StateSecondFactorOK {
			refusal = Errorf(CodeConflict, "authorization_pending", "the login is %s, its QR code %s", l.State, l.QR.State)
			return nil // the question counts
		}
		if _, err := s.beginSession(tx, l, Browser{}, w, now); err != nil { // nobody holds its secret; it can be ended
			return err
		}
		l.CodeExpires = now
		for _, e := range []LoginEvent{EventConsentSettled, EventCodeIssued} {
			if err := l.Apply(e, now); err != nil {
				return err
			}
		}
		session, err := tx.SessionByID(l.SessionID)
		if err != nil {
			return err
		}
		g, err = s.redeem(tx, w, c, l, account, session, now)
		return err
	})
	if err == nil && refusal != nil {
		return nil, refusal
	}
	return g, err
}

// paceDevice refuses a device that asks before its interval is over, and makes
// that longer by five seconds, for this and all later questions (RFC 8628
// §3.5). The throttle's one time is that of the last question.
func paceDevice(tx Tx, l *Login, now time.Time) (refusal, err error) {
	t, err := tx.Throttle("device " + l.ID)
	if err != nil {
		return nil, err
	}
	interval := DeviceInterval
	if len(t.Times) == 1 {
		interval = t.LockedUntil.Sub(t.Times[0])
	}
	if now.Before(t.LockedUntil) {
		interval += DeviceInterval
		refusal = Errorf(CodeExhausted, "slow_down", "asked %s too early; wait %s between two questions", t.LockedUntil.Sub(now), interval)
	}
	t.Times, t.LockedUntil = []time.Time{now}, now.Add(interval)
	return refusal, tx.PutThrottle(t)
}

// SharedData are the kinds of data of an account that a request shares, by the
// names that pages have texts for.
func SharedData(a *Account, req *AuthRequest) (list []string) {
	shared := req.Shared()
	for _, kind := range []struct {
		name   string
		there  bool
		claims []string
	}{
		{"cccd", true, []string{"cccd"}},
		{"cmnd", a.CMND != "", []string{"cmnd"}},
		{"account_type", true, []string{"account_type"}},
		{"account_level", a.AccountLevel > 0, []string{"account_level"}},
		{"name", true, []string{"name", "family_name", "middle_name", "given_name", "nickname", "preferred_username"}},
		{"birthdate", true, []string{"birthdate"}},
		{"gender", true, []string{"gender"}},
		{"phone", a.Phone != "", []string{"phone_number", "phone_number_verified"}},
		{"email", a.Email != "", []string{"email", "email_verified"}},
		{"address", a.Address != nil, []string{"address"}},
	} {
		if kind.there && slices.ContainsFunc(kind.claims, func(claim string) bool { return shares(shared, claim) }) {
			list = append(list, kind.name)
		}
	}
	return list
}
