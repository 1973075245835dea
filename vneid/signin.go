package vneid

import (
	"context"
	"errors"
	"time"
)

// Service is what the provider can do: the use cases of signing in
// (signin.go), of tokens (grant.go) and of signing out (signout.go). Each step
// that changes something is one transaction.
type Service struct {
	Store  Store
	Hasher Hasher
	SMS    SMSGateway
	Rand   Rand
	// Machine is the clock of the machine, for what protects this process and
	// is no matter of a world.
	Machine Clock

	pace  pace
	decoy string // hash that a password of nobody is compared with
}

// NewService prepares the use cases.
func NewService(store Store, hasher Hasher, sms SMSGateway, r Rand) *Service {
	return &Service{Store: store, Hasher: hasher, SMS: sms, Rand: r, Machine: SystemClock{}, decoy: hasher.Decoy()}
}

// Browser is what the cookies of a request say. Empty = no such cookie.
type Browser struct {
	Secret  string // names the browser; a login finishes only where it began
	Session string // single sign-on
	Waiting string // it shows the live QR code of this login, and may go on when a phone confirms
}

// Step is where a login stands after something was done.
type Step struct {
	Login   *Login
	Client  *Client
	Account *Account // once the password was right; nil before

	// Known is whom this browser's session belongs to, when the citizen has to
	// choose between them and another person (prompt=select_account).
	Known *Account

	// Code is the authorization code, when this step finished the login.
	Code string
	// Refusal is the OAuth error for the client, when this step (or an earlier
	// one) refused the login. OIDC Core §3.1.2.6.
	Refusal string
	// NewSession is the secret of the session this step began: a cookie.
	NewSession string
	// ShowsQR: this browser, and no other, waits for a phone.
	ShowsQR bool
	// ScannedBy is the shortened name of whose phone scanned the code that this
	// browser shows, "" = nobody's yet.
	ScannedBy string
	// NewWaiting is the secret of the browser that shows the QR code this step
	// began: a cookie.
	NewWaiting string
}

// OAuth errors of a refused login that come from here.
const (
	RefusalAccessDenied    = "access_denied"
	RefusalLoginRequired   = "login_required"
	RefusalConsentRequired = "consent_required"
	// A live session is there, and a page has to explain why it will not do.
	RefusalInteractionRequired = "interaction_required"
	// A live session is there, of another person than login_hint names.
	RefusalAccountSelectionRequired = "account_selection_required"
	// OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
	RefusalUnmetRequirements = "unmet_authentication_requirements"
)

// Begin stores a validated authorization request. Without a browser secret
// (a cross-site POST brings no cookies) the first browser that opens the login
// becomes its browser. waiting is the secret of the browser that will show the
// QR code.
func (s *Service) Begin(ctx context.Context, req AuthRequest, browserSecret string, origin Origin) (l *Login, waiting string, err error) {
	w := WorldFrom(ctx)
	if err := s.pace.take(w.ID, w.Policy.LoginsPerMinute, s.Machine.Now()); err != nil {
		return nil, "", err
	}
	now := w.Clock.Now()
	l = &Login{
		ID: newIDAt(s.Rand, now), State: StateStarted, Issuer: w.Issuer, Request: req, Origin: origin,
		CreatedAt: now, ExpiresAt: now.Add(w.Policy.LoginLifetime),
	}
	if browserSecret != "" {
		l.BrowserHash = SecretHash(browserSecret)
	}
	waiting = l.newQR(s.Rand, w.Salt, w.Policy, now)
	if err := s.Store.Update(ctx, w.ID, func(tx Tx) error { return tx.InsertLogin(l) }); err != nil {
		return nil, "", err
	}
	TrailFrom(ctx).Login(l)
	return l, waiting, nil
}

// Look reads where a login stands, for this browser only.
func (s *Service) Look(ctx context.Context, id string, b Browser) (step Step, err error) {
	err = s.Store.Peek(ctx, WorldFrom(ctx).ID, func(tx Tx) error {
		step, err = s.load(ctx, tx, id, b)
		return err
	})
	return step, err
}

// LookAtQR reads a login for the browsers that wait for a phone, and the
// shortened name of who scanned its code. Whether a browser may hear of it was
// decided when it began to wait.
func (s *Service) LookAtQR(ctx context.Context, id string) (l *Login, by string, err error) {
	err = s.Store.View(ctx, WorldFrom(ctx).ID, func(tx Tx) error {
		if l, err = tx.Login(id); err != nil {
			return err
		}
		by, err = scannedBy(tx, l)
		return err
	})
	return l, by, err
}

// Resume takes a login as far as it goes without asking the citizen anything:
// it binds the browser, reuses a session, goes on after a phone confirmed, and
// gives out a code again whose delivery failed.
func (s *Service) Resume(ctx context.Context, id string, b Browser) (step Step, err error) {
	now := WorldFrom(ctx).Clock.Now()
	err = s.update(ctx, &step, id, b, func(tx Tx, step *Step) error {
		l := step.Login
		switch l.State {
		case StateStarted:
			session, account, refusal, err := s.usableSession(ctx, tx, step, b)
			switch {
			case err != nil:
				return err
			case session != nil && l.Request.HasPrompt("select_account"):
				step.Known = account
				return nil
			case session != nil:
				return s.reuse(ctx, tx, step, session, account)
			case l.Request.HasPrompt("none"):
				return refuse(step, refusal, now)
			}
			return nil
		case StateSecondFactorOK:
			if !step.ShowsQR {
				return Errorf(CodeForbidden, "qr_other_browser", "a phone confirmed the code, and this browser does not show it")
			}
			return s.enter(ctx, tx, step, b)
		case StateCodeIssued:
			step.Code, err = l.issueCode(s.Rand, WorldFrom(ctx).Policy, now)
			return err
		}
		return nil
	})
	return step, err
}

// reuse takes a login on by the session of its browser.
func (s *Service) reuse(ctx context.Context, tx Tx, step *Step, session *Session, account *Account) error {
	if err := step.Login.reuseSession(session, WorldFrom(ctx).Clock.Now()); err != nil {
		return err
	}
	step.Account = account
	return s.settle(ctx, tx, step)
}

// KeepAccount goes on as the person of the browser's session, whom the citizen
// chose on the page that prompt=select_account shows. When the session will not
// do any more, the login stays where it is.
func (s *Service) KeepAccount(ctx context.Context, id string, b Browser) (step Step, err error) {
	err = s.update(ctx, &step, id, b, func(tx Tx, step *Step) error {
		if step.Login.State != StateStarted {
			return step.Login.Apply(EventSessionReused, WorldFrom(ctx).Clock.Now()) // explains why not
		}
		session, account, _, err := s.usableSession(ctx, tx, step, b)
		if err != nil || session == nil {
			return err
		}
		return s.reuse(ctx, tx, step, session, account)
	})
	return step, err
}

// enter begins the session of a person who just proved who they are and takes
// the login on.
func (s *Service) enter(ctx context.Context, tx Tx, step *Step, b Browser) (err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	if step.NewSession, err = s.beginSession(tx, step.Login, b, w, now); err != nil {
		return err
	}
	return s.settle(ctx, tx, step)
}

// SubmitPassword checks number and password and, when right, sends the
// one-time password.
func (s *Service) SubmitPassword(ctx context.Context, id string, b Browser, number, password string) (step Step, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	g, err := s.guessPassword(ctx, id, number, password, func(tx Tx) error {
		if step, err = s.load(ctx, tx, id, b); err != nil {
			return err
		}
		if step.Login.State != StateStarted || step.Login.Expired(now) {
			return step.Login.Apply(EventPasswordAccepted, now) // explains why not
		}
		return nil
	})
	if err != nil {
		return step, err
	}
	cccd := g.cccd
	var sms SMS
	var refusal error
	err = s.updateAhead(ctx, &step, g.ahead, id, b, func(tx Tx, step *Step) error {
		sms, refusal = SMS{}, nil
		account, why, err := g.settle(tx, w, now)
		if refusal = why; why != nil || err != nil {
			return err
		}
		l := step.Login
		if err := l.acceptPassword(cccd, now); err != nil {
			return err
		}
		step.Account = account
		if refusal = admit(account, step.Client); refusal != nil {
			return refuse(step, RefusalAccessDenied, now)
		}
		second := step.Client.secondFactor(w.Policy)
		if second == SecondFactorNone && !l.Request.meets("LoA1") {
			second = SecondFactorSMS // the client insists on more, OIDC Core §5.5.1.1
		}
		switch {
		case second == SecondFactorNone:
			if err := l.sufficePassword(now); err != nil {
				return err
			}
			return s.enter(ctx, tx, step, b)
		case second == SecondFactorAppCode:
			_, err := tx.DeviceOf(cccd)
			if err == nil {
				_, err = l.sendOTP(s.Rand, w.Salt, w.Policy, OTPByApp, now)
				return err
			}
			if !errors.Is(err, ErrNotFound) {
				return err
			}
			refusal = Errorf(CodeForbidden, "account_no_app", "the person activated the app on no phone")
		case account.Phone == "":
			refusal = Errorf(CodeForbidden, "account_no_phone", "the account has no phone number for the one-time password")
		default:
			sms, err = s.sendOTP(ctx, tx, step, now)
			return err
		}
		return refuse(step, RefusalAccessDenied, now)
	})
	if err == nil && sms.To != "" {
		s.sent(ctx, sms)
	}
	if err == nil {
		err = refusal
	}
	return step, err
}

// sent comes after the commit of what made a message.
func (s *Service) sent(ctx context.Context, sms SMS) {
	TrailFrom(ctx).Beside(PartyProvider, PartySMS, StepSMS, "", "to", sms.To.Mask(), "otp", sms.OTP)
	s.SMS.Taken(ctx, sms)
}

// ResendOTP sends another one-time password for the same login; the older one
// is void.
func (s *Service) ResendOTP(ctx context.Context, id string, b Browser) (step Step, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	var sms SMS
	err = s.update(ctx, &step, id, b, func(tx Tx, step *Step) error {
		sms = SMS{}
		if wait := step.Login.OTP.SentAt.Add(w.Policy.OTPResendAfter).Sub(now); step.Login.State == StateOTPSent && wait > 0 {
			e := Errorf(CodeExhausted, "otp_too_soon", "asked again %s too early", wait)
			e.Args = []any{int((wait + time.Second - 1) / time.Second)}
			return e
		}
		if step.Login.OTP.Channel == OTPByApp {
			_, err = step.Login.sendOTP(s.Rand, w.Salt, w.Policy, OTPByApp, now)
			return err
		}
		sms, err = s.sendOTP(ctx, tx, step, now)
		return err
	})
	if err == nil && sms.To != "" {
		s.sent(ctx, sms)
	}
	return step, err
}

// RefreshQR shows a new QR code in this browser; the former one of the login
// is dead, wherever it was shown.
func (s *Service) RefreshQR(ctx context.Context, id string, b Browser) (step Step, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	err = s.update(ctx, &step, id, b, func(tx Tx, step *Step) error {
		l := step.Login
		switch {
		case l.State != StateStarted:
			return l.Apply(EventQRConfirmed, now) // explains why not
		case l.Expired(now):
			return l.Apply(EventExpired, now)
		case l.QR.Generation >= w.Policy.QRPerLogin:
			return Errorf(CodeExhausted, "qr_too_many", "%d codes in one login", l.QR.Generation)
		}
		if err := l.QR.Apply(QREventReplaced, now); err != nil {
			return err
		}
		step.NewWaiting, step.ShowsQR = l.newQR(s.Rand, w.Salt, w.Policy, now), true
		return tx.Wake(l.ID)
	})
	return step, err
}

// SubmitOTP checks the one-time password. The right one begins a session and,
// unless the citizen has to agree to the sharing first, finishes the login.
func (s *Service) SubmitOTP(ctx context.Context, id string, b Browser, entry string) (step Step, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	var refusal error
	err = s.update(ctx, &step, id, b, func(tx Tx, step *Step) error {
		refusal = nil
		l := step.Login
		if refusal = l.tryOTP(w.Salt, entry, w.Policy, now); refusal != nil {
			if l.State == StateLocked {
				step.Refusal = RefusalAccessDenied
			}
			return nil // the counted try is kept
		}
		if refusal = admit(step.Account, step.Client); refusal != nil {
			return refuse(step, RefusalAccessDenied, now) // locked by an officer meanwhile
		}
		return s.enter(ctx, tx, step, b)
	})
	if err == nil {
		err = refusal
	}
	return step, err
}

// DecideSharing is the citizen's answer on the sharing page.
func (s *Service) DecideSharing(ctx context.Context, id string, b Browser, agree bool) (step Step, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	err = s.update(ctx, &step, id, b, func(tx Tx, step *Step) error {
		l := step.Login
		if l.State != StateConsentPending {
			return l.Apply(EventConsentSettled, now) // explains why not
		}
		if !agree {
			return refuse(step, RefusalAccessDenied, now)
		}
		if err := admit(step.Account, step.Client); err != nil {
			return err
		}
		if err := s.finish(ctx, step); err != nil {
			return err // first: an answer that comes too late is no consent
		}
		return tx.PutConsent(&Consent{CCCD: l.CCCD, ClientID: l.Request.ClientID, Scopes: l.Request.Shared(),
			TextVersion: ConsentTextVersion, GivenAt: now})
	})
	return step, err
}

// Cancel is the citizen turning back before the end.
func (s *Service) Cancel(ctx context.Context, id string, b Browser) (step Step, err error) {
	now := WorldFrom(ctx).Clock.Now()
	err = s.update(ctx, &step, id, b, func(tx Tx, step *Step) error {
		if step.Refusal != "" {
			return nil // refused before: the way back stays open
		}
		return refuse(step, RefusalAccessDenied, now)
	})
	return step, err
}
