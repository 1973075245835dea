package vneid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What the steps of signing in (signin.go) have in common: which browser may
// take a login further, who may sign in at all, when a session will do, and
// what follows once a person is known.

// update loads a login for its browser, runs fn and saves what changed. An
// expiry that fn met is saved too.
func (s *Service) update(ctx context.Context, out *Step, id string, b Browser, fn func(Tx, *Step) error) error {
	return s.updateAhead(ctx, out, Ahead{}, id, b, fn)
}

// updateAhead is update for an fn that will read more.
func (s *Service) updateAhead(ctx context.Context, out *Step, next Ahead, id string, b Browser, fn func(Tx, *Step) error) error {
	var expired error
	err := s.Store.Update(ctx, WorldFrom(ctx).ID, func(tx Tx) error {
		expired = nil
		tx.Ahead(next)
		step, err := s.load(ctx, tx, id, b)
		if err != nil {
			return err
		}
		before := *step.Login
		if before.BrowserHash == "" {
			step.Login.BrowserHash = SecretHash(b.Secret)
		}
		if err := fn(tx, &step); err != nil {
			if step.Login.State == StateExpired && before.State != StateExpired {
				expired = err
				before.State = StateExpired
				step.Login = &before
				*out = step
				return tx.SaveLogin(step.Login)
			}
			return err
		}
		*out = step
		if sameLogin(&before, step.Login) {
			return nil
		}
		return tx.SaveLogin(step.Login)
	})
	if err == nil {
		err = expired
	}
	return err
}

func sameLogin(a, b *Login) bool {
	return a.State == b.State && a.BrowserHash == b.BrowserHash && a.OTP == b.OTP && a.QR == b.QR && a.CodeHash == b.CodeHash
}

// load reads a login with its client and person, and refuses foreign browsers.
func (s *Service) load(ctx context.Context, tx Tx, id string, b Browser) (Step, error) {
	l, client, account, err := tx.LoginWith(id)
	if errors.Is(err, ErrNotFound) || err == nil && l.Request.Device { // that one is no browser's
		return Step{}, Errorf(CodeNotFound, "login_not_found", "no login of a browser has this id in world %s", WorldFrom(ctx).ID)
	}
	if err != nil {
		return Step{}, err
	}
	TrailFrom(ctx).Login(l)
	if b.Secret == "" {
		return Step{}, Errorf(CodeForbidden, "cookies_disabled", "the browser sent no cookie of its own")
	}
	if l.BrowserHash != "" && !constantTimeEqual(l.BrowserHash, SecretHash(b.Secret)) {
		return Step{}, Errorf(CodeForbidden, "other_browser", "the login began in another browser")
	}
	step := Step{Login: l, Client: client, Account: account, ShowsQR: b.Waiting != "" && constantTimeEqual(l.QR.BrowserHash, SecretHash(b.Waiting))}
	if client == nil || account == nil && l.CCCD != "" {
		return Step{}, Errorf(CodeNotFound, "login_not_found", "the login's client or person was deleted meanwhile")
	}
	if step.ShowsQR {
		if step.ScannedBy, err = scannedBy(tx, l); err != nil {
			return Step{}, err
		}
	}
	if !step.Client.MatchRedirectURI(l.Request.RedirectURI) {
		return Step{}, Errorf(CodeForbidden, "redirect_uri_invalid", "client %s lost redirect_uri %.300q while the login was under way", step.Client.ClientID, l.Request.RedirectURI)
	}
	if l.State == StateConsentPending || l.State == StateCodeIssued {
		// From here on the login is worth a code. The browser's cookie could
		// have been planted over plain http by whoever began the login; the
		// session's was given only to the browser that proved who it is.
		session, err := tx.SessionByID(l.SessionID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Step{}, err
		}
		if err != nil || !session.Alive(WorldFrom(ctx).Clock.Now()) || !constantTimeEqual(session.SecretHash, SecretHash(b.Session)) {
			return Step{}, Errorf(CodeConflict, "login_done", "the login is past its second factor, and this browser has not its session")
		}
	}
	if l.State == StateRefused || l.State == StateLocked {
		step.Refusal = cmp.Or(l.Refusal, RefusalAccessDenied)
	}
	return step, nil
}

func refuse(step *Step, refusal string, now time.Time) error {
	step.Refusal, step.Login.Refusal = refusal, refusal
	return step.Login.Apply(EventRefused, now)
}

// admit says why a person may not sign in here, nil when they may. Only
// somebody who proved to know the password is told.
func admit(a *Account, c *Client) error {
	switch {
	case a.Status == AccountLocked:
		return Errorf(CodeForbidden, "account_locked", "account %s is locked", a.CCCD.Mask())
	case a.Status == AccountNotActivated:
		return Errorf(CodeForbidden, "account_not_activated", "account %s is not activated", a.CCCD.Mask())
	case a.AccountLevel < c.MinAccountLevel:
		e := Errorf(CodeForbidden, "account_level_too_low", "account %s has level %d, client %s wants %d", a.CCCD.Mask(), a.AccountLevel, c.ClientID, c.MinAccountLevel)
		e.Args = []any{a.AccountLevel, c.MinAccountLevel}
		return e
	}
	return nil
}

func lockedError(t *Throttle, now time.Time) error {
	if !now.Before(t.LockedUntil) {
		return nil
	}
	e := Errorf(CodeExhausted, "too_many_passwords", "the number is locked until %s", t.LockedUntil.UTC().Format(time.RFC3339))
	e.Args = []any{minutesUp(t.LockedUntil.Sub(now))}
	return e
}

// minutesUp rounds up, so that "try again in 3 minutes" is never too early.
func minutesUp(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }

// sendOTP makes a one-time password and its message, within the quota of the
// phone.
func (s *Service) sendOTP(ctx context.Context, tx Tx, step *Step, now time.Time) (SMS, error) {
	w := WorldFrom(ctx)
	digits, err := step.Login.sendOTP(s.Rand, w.Salt, w.Policy, OTPBySMS, now)
	if err != nil {
		return SMS{}, err
	}
	return s.message(ctx, tx, step.Account.CCCD, step.Account.Phone, step.Login.ID, digits, "đăng nhập "+step.Client.ClientName, now)
}

// quotaKey counts the messages to a phone.
func quotaKey(w *World, to PhoneNumber) string {
	return keyedID(w.Salt, "throttle", "sms", string(to))
}

// message is the SMS that brings a one-time password, within the quota of the
// phone.
func (s *Service) message(ctx context.Context, tx Tx, c CCCD, to PhoneNumber, login, digits, what string, now time.Time) (SMS, error) {
	w := WorldFrom(ctx)
	quota, err := tx.Throttle(quotaKey(w, to))
	if err != nil {
		return SMS{}, err
	}
	quota.recent(w.Policy.SMSWindow, now)
	if len(quota.Times) >= w.Policy.SMSPerNumber {
		wait := quota.Times[0].Add(w.Policy.SMSWindow).Sub(now)
		e := Errorf(CodeExhausted, "too_many_sms", "%d messages to %s within %s", len(quota.Times), to.Mask(), w.Policy.SMSWindow)
		e.Args = []any{minutesUp(wait)}
		return SMS{}, e
	}
	quota.Times = append(quota.Times, now)
	if err := tx.PutThrottle(quota); err != nil {
		return SMS{}, err
	}
	sms := SMS{ID: newIDAt(s.Rand, now), To: to, OTP: digits, Login: login, SentAt: now,
		Text: fmt.Sprintf("[THỬ NGHIỆM] Mã OTP %s của bạn là %s, có hiệu lực trong %.0f giây. Không đưa mã này cho bất kỳ ai.",
			what, digits, w.Policy.OTPLifetime.Seconds())}
	return sms, s.SMS.Take(ctx, tx, c, sms)
}

// beginSession replaces whatever session the browser had: a new secret at
// every sign-in (no fixation), the same sid when the same person proved
// themselves again.
func (s *Service) beginSession(tx Tx, l *Login, b Browser, w *World, now time.Time) (secret string, err error) {
	secret = NewSecret(s.Rand)
	if b.Session != "" {
		old, err := tx.Session(SecretHash(b.Session))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return "", err
		}
		if err == nil && old.Alive(now) {
			if old.CCCD == l.CCCD {
				old.SecretHash, old.BrowserHash = SecretHash(secret), l.BrowserHash
				old.Auth, old.ExpiresAt = l.Auth, now.Add(w.Policy.SessionLifetime)
				l.SessionID = old.ID
				return secret, tx.SaveSession(old)
			}
			if _, err := endSessions(tx, old, now); err != nil {
				return "", err
			}
		}
	}
	l.SessionID = newIDAt(s.Rand, now)
	return secret, tx.InsertSession(&Session{ID: l.SessionID, SecretHash: SecretHash(secret), BrowserHash: l.BrowserHash, CCCD: l.CCCD,
		Auth: l.Auth, CreatedAt: now, ExpiresAt: now.Add(w.Policy.SessionLifetime)})
}

// usableSession is the session of the browser when it satisfies everything the
// request asks for, and its person; else nil, and what prompt=none hears of it.
// OIDC Core §3.1.2.3, §3.1.2.6.
func (s *Service) usableSession(ctx context.Context, tx Tx, step *Step, b Browser) (session *Session, account *Account, refusal string, err error) {
	req, now := &step.Login.Request, WorldFrom(ctx).Clock.Now()
	if b.Session == "" || req.HasPrompt("login") {
		return nil, nil, RefusalLoginRequired, nil
	}
	if session, err = tx.Session(SecretHash(b.Session)); err == nil && session.Alive(now) {
		account, err = tx.Account(session.CCCD)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, nil, "", err
	}
	switch {
	case err != nil || account == nil || !s.expects(ctx, step, account):
		return nil, nil, RefusalLoginRequired, nil
	case !acrSuffices(session.Auth.ACR, req.ACRValues) || !req.meets(session.Auth.ACR):
		return nil, nil, RefusalLoginRequired, nil
	// In float seconds, since any number of a request fits there. 0 means
	// prompt=login even within the same instant (OIDC Core §3.1.2.1).
	case req.MaxAge != nil && (*req.MaxAge <= 0 || now.Sub(session.Auth.Time).Seconds() > float64(*req.MaxAge)):
		return nil, nil, RefusalLoginRequired, nil
	case admit(account, step.Client) != nil:
		return nil, nil, RefusalInteractionRequired, nil // a page has to say why
	}
	if hint, err := ParseCCCD(req.LoginHint, now.Year()); err == nil && hint != session.CCCD {
		return nil, nil, RefusalAccountSelectionRequired, nil // somebody else may be meant
	}
	return session, account, "", nil
}

// reachableACR is the highest level this provider can perform.
const reachableACR = "LoA2"

// acrSuffices reports whether what a session proved meets one of the asked
// levels. A level nobody can reach here does not force another sign-in: the
// values are voluntary, and the ID token reports what was performed
// (OIDC Core §3.1.2.1).
func acrSuffices(have string, asked []string) bool {
	return len(asked) == 0 || have >= reachableACR || slices.ContainsFunc(asked, func(a string) bool {
		return len(a) == len(have) && strings.HasPrefix(a, "LoA") && a <= have
	})
}

// meets reports whether a level is, or includes, one that the request insists
// on; true when it insists on none. OIDC Core §5.5.1.1.
func (r *AuthRequest) meets(acr string) bool {
	return r.EssentialACR == nil || r.reportedACR(acr) != ""
}

// Reachable reports whether any sign-in here could meet the request.
func (r *AuthRequest) Reachable() bool { return r.meets(reachableACR) }

// reportedACR is what the tokens say: the level performed or, where the request
// insists on others, the highest of those that it includes.
func (r *AuthRequest) reportedACR(performed string) (best string) {
	if r.EssentialACR == nil {
		return performed
	}
	for _, asked := range r.EssentialACR {
		if len(asked) == len(performed) && strings.HasPrefix(asked, "LoA") && asked >= "LoA1" && asked <= performed {
			best = max(best, asked)
		}
	}
	return best
}

// expects reports whether a person is the one whom the request is about, by
// its id_token_hint and by the sub that its claims insist on.
func (s *Service) expects(ctx context.Context, step *Step, a *Account) bool {
	req := &step.Login.Request
	if req.HintSubject == "" && req.Subjects == nil {
		return true
	}
	sub := step.Client.Subject(WorldFrom(ctx).Salt, a.ID)
	return (req.HintSubject == "" || req.HintSubject == sub) &&
		!slices.ContainsFunc(req.Subjects, func(list []string) bool { return !slices.Contains(list, sub) })
}

// settle decides about the sharing page and, when none is needed, finishes.
func (s *Service) settle(ctx context.Context, tx Tx, step *Step) error {
	l, now := step.Login, WorldFrom(ctx).Clock.Now()
	switch {
	case !s.expects(ctx, step, step.Account):
		// The client expects somebody else. OIDC Core §3.1.2.1, id_token_hint;
		// §5.5.1, sub.
		return refuse(step, RefusalLoginRequired, now)
	case !l.Request.meets(l.Auth.ACR):
		return refuse(step, RefusalUnmetRequirements, now)
	}
	ask := l.Request.HasPrompt("consent") || step.Client.Consent == ConsentAlways
	if !ask && step.Client.Consent == ConsentOnce {
		given, err := tx.Consent(l.CCCD, step.Client.ClientID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		ask = err != nil || !given.Covers(l.Request.Shared())
	}
	switch {
	case ask && l.Request.HasPrompt("none"):
		return refuse(step, RefusalConsentRequired, now)
	case ask:
		return l.Apply(EventConsentNeeded, now)
	}
	return s.finish(ctx, step)
}

func (s *Service) finish(ctx context.Context, step *Step) (err error) {
	w := WorldFrom(ctx)
	if err := step.Login.Apply(EventConsentSettled, w.Clock.Now()); err != nil {
		return err
	}
	step.Code, err = step.Login.issueCode(s.Rand, w.Policy, w.Clock.Now())
	return err
}
