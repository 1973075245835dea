package vneid

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// LoginState is where a login stands.
type LoginState string

const (
	StateStarted        LoginState = "started"
	StatePasswordOK     LoginState = "password_ok"
	StateOTPSent        LoginState = "otp_sent"
	StateSecondFactorOK LoginState = "second_factor_ok"
	StateSessionReused  LoginState = "session_reused"
	StateConsentPending LoginState = "consent_pending"
	StateDone           LoginState = "done"
	StateCodeIssued     LoginState = "code_issued"
	StateRedeemed       LoginState = "redeemed"
	StateLocked         LoginState = "locked"
	StateRefused        LoginState = "refused"
	StateExpired        LoginState = "expired"
)

// LoginEvent is what can happen to a login.
type LoginEvent string

const (
	EventPasswordAccepted LoginEvent = "password_accepted"
	EventOTPSent          LoginEvent = "otp_sent"
	EventOTPRejected      LoginEvent = "otp_rejected"
	EventOTPAccepted      LoginEvent = "otp_accepted"
	EventTriesExhausted   LoginEvent = "tries_exhausted"
	EventSessionReused    LoginEvent = "session_reused"
	EventConsentNeeded    LoginEvent = "consent_needed"
	EventConsentSettled   LoginEvent = "consent_settled" // given now, remembered, or not needed
	EventCodeIssued       LoginEvent = "code_issued"
	EventRedeemed         LoginEvent = "redeemed"
	EventRefused          LoginEvent = "refused"
	EventExpired          LoginEvent = "expired"
)

// loginTable is the whole machine: nothing else decides what may follow what.
// A state without a row is final.
var loginTable = map[LoginState]map[LoginEvent]LoginState{
	StateStarted: {
		EventPasswordAccepted: StatePasswordOK,
		EventSessionReused:    StateSessionReused,
		EventRefused:          StateRefused,
		EventExpired:          StateExpired,
	},
	StatePasswordOK: {
		EventOTPSent: StateOTPSent,
		EventRefused: StateRefused, // no phone, level too low, or the citizen turned back
		EventExpired: StateExpired,
	},
	StateOTPSent: {
		EventOTPSent:        StateOTPSent, // sent again
		EventOTPRejected:    StateOTPSent,
		EventOTPAccepted:    StateSecondFactorOK,
		EventTriesExhausted: StateLocked,
		EventRefused:        StateRefused,
		EventExpired:        StateExpired,
	},
	StateSecondFactorOK: {
		EventConsentNeeded:  StateConsentPending,
		EventConsentSettled: StateDone,
		EventRefused:        StateRefused,
		EventExpired:        StateExpired,
	},
	StateSessionReused: {
		EventConsentNeeded:  StateConsentPending,
		EventConsentSettled: StateDone,
		EventRefused:        StateRefused,
		EventExpired:        StateExpired,
	},
	StateConsentPending: {
		EventConsentSettled: StateDone,
		EventRefused:        StateRefused,
		EventExpired:        StateExpired,
	},
	StateDone: {
		EventCodeIssued: StateCodeIssued,
		EventExpired:    StateExpired,
	},
	StateCodeIssued: {
		// The answer got lost on its way (a double click, a reload): the same
		// browser gets another code, the first is void.
		EventCodeIssued: StateCodeIssued,
		EventRedeemed:   StateRedeemed,
		EventExpired:    StateExpired,
	},
}

// Final reports whether nothing can follow a state.
func (s LoginState) Final() bool { return len(loginTable[s]) == 0 }

// LoginTransitions lists the machine for documentation and tests.
func LoginTransitions() (list [][3]string) {
	for from, row := range loginTable {
		for event, to := range row {
			list = append(list, [3]string{string(from), string(event), string(to)})
		}
	}
	slices.SortFunc(list, func(a, b [3]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	return list
}

// AuthRequest is a validated authorization request, OIDC Core §3.1.2.1.
type AuthRequest struct {
	ClientID      string   `json:"client_id"`
	RedirectURI   string   `json:"redirect_uri"`
	ResponseMode  string   `json:"response_mode"` // query, fragment, form_post
	Scopes        []string `json:"scopes"`
	State         string   `json:"state,omitempty"`
	Nonce         string   `json:"nonce,omitempty"`
	CodeChallenge string   `json:"code_challenge,omitempty"` // always S256
	Prompt        []string `json:"prompt,omitempty"`
	MaxAge        *int     `json:"max_age,omitempty"` // seconds
	LoginHint     string   `json:"login_hint,omitempty"`
	ACRValues     []string `json:"acr_values,omitempty"`
	UILocales     []string `json:"ui_locales,omitempty"`
	HintSubject   string   `json:"hint_subject,omitempty"` // sub of a verified id_token_hint
}

// HasPrompt reports whether the client asked for that prompt.
func (r *AuthRequest) HasPrompt(p string) bool { return slices.Contains(r.Prompt, p) }

// Authentication is what was proved, when and how. It is written by the
// transitions below and by nothing else.
type Authentication struct {
	Time time.Time
	ACR  string   // LoA1 … LoA4, Nghị định 69/2024: what was performed, never more
	AMR  []string // RFC 8176
}

// OTP is the one-time password of a login that counts now.
type OTP struct {
	Hash      string
	SentAt    time.Time
	ExpiresAt time.Time
	Tries     int // wrong entries in this login, over all its passwords
}

// Login is one authorization request on its way to a code.
type Login struct {
	ID          string
	Version     int
	State       LoginState
	Issuer      string // fixed at /authorize so that front and back channel agree
	BrowserHash string // of the secret in the cookie of the browser that began; "" until it is known
	Request     AuthRequest
	CCCD        CCCD // of the person whose password or session was accepted
	OTP         OTP
	Auth        Authentication
	SessionID   string // sid
	CodeHash    string
	CodeExpires time.Time
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// Apply moves the login, or says why it cannot move. A login past its time
// becomes expired whatever was asked.
func (l *Login) Apply(e LoginEvent, now time.Time) error {
	if l.State.Final() {
		return Errorf(CodeConflict, "login_done", "%s in final state %s", e, l.State)
	}
	if now.After(l.deadline()) && e != EventExpired {
		l.State = StateExpired
		return Errorf(CodeExpired, "login_expired", "%s after the end of the login", e)
	}
	to, ok := loginTable[l.State][e]
	if !ok {
		return Errorf(CodeConflict, "login_done", "%s is not possible in state %s", e, l.State)
	}
	l.State = to
	return nil
}

func (l *Login) deadline() time.Time {
	if l.State == StateCodeIssued {
		return l.CodeExpires
	}
	return l.ExpiresAt
}

// Expired reports whether the login's time is over though nobody moved it.
func (l *Login) Expired(now time.Time) bool {
	return l.State == StateExpired || !l.State.Final() && now.After(l.deadline())
}

// acceptPassword records that the password of a person was right.
func (l *Login) acceptPassword(c CCCD, now time.Time) error {
	if err := l.Apply(EventPasswordAccepted, now); err != nil {
		return err
	}
	l.CCCD = c
	return nil
}

// sendOTP makes a new one-time password; the older one of this login is void.
func (l *Login) sendOTP(r Rand, salt []byte, p Policy, now time.Time) (digits string, err error) {
	if err := l.Apply(EventOTPSent, now); err != nil {
		return "", err
	}
	digits = newOTPDigits(r, p.OTPDigits)
	l.OTP = OTP{Hash: otpHash(salt, l.ID, digits), SentAt: now, ExpiresAt: now.Add(p.OTPLifetime), Tries: l.OTP.Tries}
	return digits, nil
}

// tryOTP checks an entry. A wrong one counts; the last allowed wrong one ends
// the login. The error says which.
func (l *Login) tryOTP(salt []byte, entry string, p Policy, now time.Time) error {
	if l.State != StateOTPSent {
		return l.Apply(EventOTPAccepted, now) // explains why not
	}
	digits, err := plainDigits(entry)
	if err != nil || len(digits) != p.OTPDigits {
		e := Errorf(CodeInvalid, "otp_malformed", "not %d digits", p.OTPDigits)
		e.Args = []any{p.OTPDigits}
		return e // a typing slip, not a guess: it does not count
	}
	if now.After(l.OTP.ExpiresAt) {
		return Errorf(CodeExpired, "otp_expired", "the one-time password was valid until %s", l.OTP.ExpiresAt.UTC().Format(time.RFC3339))
	}
	if constantTimeEqual(l.OTP.Hash, otpHash(salt, l.ID, digits)) {
		if err := l.Apply(EventOTPAccepted, now); err != nil {
			return err
		}
		l.Auth = Authentication{Time: now, ACR: "LoA2", AMR: []string{"pwd", "otp", "sms", "mfa"}}
		l.OTP.Hash = "" // used once
		return nil
	}
	l.OTP.Tries++
	if l.OTP.Tries >= p.OTPTries {
		if err := l.Apply(EventTriesExhausted, now); err != nil {
			return err
		}
		l.OTP.Hash = ""
		return Errorf(CodeExhausted, "too_many_otps", "%d wrong one-time passwords", l.OTP.Tries)
	}
	if err := l.Apply(EventOTPRejected, now); err != nil {
		return err
	}
	left := p.OTPTries - l.OTP.Tries
	e := Errorf(CodeForbidden, "otp_wrong", "wrong one-time password, %d tries left", left)
	e.Args = []any{left}
	return e
}

// reuseSession records that a session of this browser stands for the person.
func (l *Login) reuseSession(s *Session, now time.Time) error {
	if err := l.Apply(EventSessionReused, now); err != nil {
		return err
	}
	l.CCCD, l.SessionID, l.Auth = s.CCCD, s.ID, s.Auth
	return nil
}

// issueCode makes the authorization code. It replaces one whose delivery
// failed, within the lifetime of the first.
func (l *Login) issueCode(r Rand, p Policy, now time.Time) (code string, err error) {
	first := l.State == StateDone
	if err := l.Apply(EventCodeIssued, now); err != nil {
		return "", err
	}
	code = NewSecret(r)
	l.CodeHash = SecretHash(code)
	if first {
		l.CodeExpires = now.Add(p.CodeLifetime)
	}
	return code, nil
}

func otpHash(salt []byte, loginID, digits string) string {
	m := hmac.New(sha256.New, salt)
	m.Write([]byte("otp\x00" + loginID + "\x00" + digits))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func constantTimeEqual(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
