package vneid

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"
)

// Activating the app on a phone: number and password, a one-time password by
// SMS, a passcode of one's own. From then on this phone is the person's, and
// the former one is told that it is not.

// BeginActivation checks number and password and sends the one-time password.
// The limits are those of the sign-in page, and counted together with them.
func (s *Service) BeginActivation(ctx context.Context, number, password string, key ed25519.PublicKey, name string) (a *Activation, to PhoneNumber, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	g, err := s.guessPassword(ctx, "", number, password, func(Tx) error { return nil })
	if err != nil {
		return nil, "", err
	}
	var sms SMS
	var refusal error
	err = s.Store.Update(ctx, w.ID, func(tx Tx) error {
		sms, refusal, a = SMS{}, nil, nil
		account, why, err := g.settle(tx, w, now)
		if refusal = why; why != nil || err != nil {
			return err
		}
		if refusal = admitPhone(account); refusal != nil {
			return nil
		}
		if account.Phone == "" {
			refusal = Errorf(CodeForbidden, "account_no_phone", "the account has no phone number for the one-time password")
			return nil
		}
		to = account.Phone
		a = &Activation{ID: NewID(s.Rand), CCCD: g.cccd, PublicKey: key, Name: name, ExpiresAt: now.Add(w.Policy.LoginLifetime)}
		sms, err = s.activationOTP(ctx, tx, a, to, now)
		if err != nil {
			return err
		}
		return tx.PutActivation(a)
	})
	if err == nil && sms.To != "" {
		s.sent(ctx, sms)
	}
	if err == nil {
		err = refusal
	}
	return a, to, err
}

func (s *Service) activationOTP(ctx context.Context, tx Tx, a *Activation, to PhoneNumber, now time.Time) (SMS, error) {
	w := WorldFrom(ctx)
	digits := newOTPDigits(s.Rand, w.Policy.OTPDigits)
	a.OTP = OTP{Channel: OTPBySMS, Hash: otpHash(w.Salt, a.ID, digits), SentAt: now, ExpiresAt: now.Add(w.Policy.OTPLifetime), Tries: a.OTP.Tries}
	return s.message(ctx, tx, a.CCCD, to, a.ID, digits, "kích hoạt ứng dụng", now)
}

// activation runs fn for an activation that is under way. Whoever holds its id
// and signs with its key is the phone that began it; op/phoneapi checked that.
func (s *Service) activation(ctx context.Context, id string, fn func(tx Tx, a *Activation) (refusal, err error)) error {
	w := WorldFrom(ctx)
	var refusal error
	err := s.Store.Update(ctx, w.ID, func(tx Tx) error {
		refusal = nil
		a, err := tx.Activation(id)
		if errors.Is(err, ErrNotFound) || err == nil && w.Clock.Now().After(a.ExpiresAt) {
			return activationOver()
		}
		if err != nil {
			return err
		}
		refusal, err = fn(tx, a)
		return err
	})
	if err == nil {
		err = refusal
	}
	return err
}

func activationOver() error {
	return Errorf(CodeExpired, "activation_over", "no such activation, or its time is over; begin with number and password")
}

// ActivationKey finds the key that an activation's calls are signed with.
func (s *Service) ActivationKey(ctx context.Context, id string) (key ed25519.PublicKey, err error) {
	w := WorldFrom(ctx)
	err = s.Store.View(ctx, w.ID, func(tx Tx) error {
		a, err := tx.Activation(id)
		if errors.Is(err, ErrNotFound) || err == nil && w.Clock.Now().After(a.ExpiresAt) {
			return activationOver()
		}
		if err == nil {
			key = a.PublicKey
		}
		return err
	})
	return key, err
}

// ResendActivationOTP sends another one-time password; the older one is void.
func (s *Service) ResendActivationOTP(ctx context.Context, id string) (err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	var sms SMS
	err = s.activation(ctx, id, func(tx Tx, a *Activation) (refusal, err error) {
		sms = SMS{}
		if wait := a.OTP.SentAt.Add(w.Policy.OTPResendAfter).Sub(now); wait > 0 {
			e := Errorf(CodeExhausted, "otp_too_soon", "asked again %s too early", wait)
			e.Args = []any{int((wait + time.Second - 1) / time.Second)}
			return e, nil
		}
		account, err := tx.Account(a.CCCD)
		if err != nil {
			return nil, err
		}
		if sms, err = s.activationOTP(ctx, tx, a, account.Phone, now); err != nil {
			return nil, err
		}
		return nil, tx.PutActivation(a)
	})
	if err == nil {
		s.sent(ctx, sms)
	}
	return err
}

// ProveActivation checks the one-time password.
func (s *Service) ProveActivation(ctx context.Context, id, entry string) error {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	return s.activation(ctx, id, func(tx Tx, a *Activation) (refusal, err error) {
		if a.Proved {
			return nil, nil
		}
		refusal, right := a.OTP.try(w.Salt, a.ID, entry, w.Policy, now)
		switch {
		case right:
			a.Proved, a.ExpiresAt = true, now.Add(w.Policy.LoginLifetime)
		case refusal != nil && IsCode(refusal, CodeExhausted):
			return refusal, tx.DeleteActivation(a.ID)
		case refusal != nil && !IsCode(refusal, CodeForbidden):
			return refusal, nil // a slip, or too late: nothing to count
		}
		return refusal, tx.PutActivation(a)
	})
}

// try checks an entry. A wrong one counts; the last allowed one is
// CodeExhausted.
func (o *OTP) try(salt []byte, id, entry string, p Policy, now time.Time) (refusal error, right bool) {
	digits, err := plainDigits(entry)
	if err != nil || len(digits) != p.OTPDigits {
		e := Errorf(CodeInvalid, "otp_malformed", "not %d digits", p.OTPDigits)
		e.Args = []any{p.OTPDigits}
		return e, false
	}
	if now.After(o.ExpiresAt) {
		return Errorf(CodeExpired, "otp_expired", "the one-time password was valid until %s", o.ExpiresAt.UTC().Format(time.RFC3339)), false
	}
	if constantTimeEqual(o.Hash, otpHash(salt, id, digits)) {
		o.Hash = "" // used once
		return nil, true
	}
	if o.Tries++; o.Tries >= p.OTPTries {
		o.Hash = ""
		return Errorf(CodeExhausted, "too_many_otps", "%d wrong one-time passwords", o.Tries), false
	}
	left := p.OTPTries - o.Tries
	e := Errorf(CodeForbidden, "otp_wrong", "wrong one-time password, %d tries left", left)
	e.Args = []any{left}
	return e, false
}

// FinishActivation makes the phone the person's: with its passcode, unlocked,
// and instead of any other.
func (s *Service) FinishActivation(ctx context.Context, id, passcode string) (d *Device, session string, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	if !ValidPasscode(passcode) {
		return nil, "", Errorf(CodeInvalid, "passcode_format", "a passcode has 6 digits")
	}
	hash, err := s.Hasher.Hash(ctx, passcode)
	if err != nil {
		return nil, "", err
	}
	err = s.activation(ctx, id, func(tx Tx, a *Activation) (refusal, err error) {
		d, session = nil, ""
		if !a.Proved {
			return Errorf(CodeConflict, "activation_unproved", "the one-time password comes first"), nil
		}
		account, err := tx.Account(a.CCCD)
		if err != nil {
			return nil, err
		}
		if refusal := admitPhone(account); refusal != nil {
			return refusal, nil
		}
		if account.Status == AccountNotActivated {
			account.Status, account.UpdatedAt = AccountActive, now // this is how one activates it
			if err := tx.PutAccount(account); err != nil {
				return nil, err
			}
		}
		session = NewSecret(s.Rand)
		d = &Device{CCCD: a.CCCD, ID: NewID(s.Rand), PublicKey: a.PublicKey, PasscodeHash: hash, Name: a.Name, ActivatedAt: now,
			SessionHash: SecretHash(session), SessionExpires: now.Add(w.Policy.AppSession), UnlockedAt: now}
		if err := tx.PutDevice(d); err != nil {
			return nil, err
		}
		t, err := tx.Throttle(passcodeKey(w, a.CCCD))
		if err != nil {
			return nil, err
		}
		if len(t.Times) > 0 || !t.LockedUntil.IsZero() { // a new passcode begins anew
			if err := tx.PutThrottle(&Throttle{Key: t.Key}); err != nil {
				return nil, err
			}
		}
		return nil, tx.DeleteActivation(a.ID)
	})
	return d, session, err
}
