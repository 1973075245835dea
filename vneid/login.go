package vneid

import (
	"bytes"
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
	EventPasswordSuffices LoginEvent = "password_suffices" // policy second_factor: none
	EventQRConfirmed      LoginEvent = "qr_confirmed"
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
		EventQRConfirmed:      StateSecondFactorOK,
		EventSessionReused:    StateSessionReused,
		EventRefused:          StateRefused,
		EventExpired:          StateExpired,
	},
	StatePasswordOK: {
		EventOTPSent:          StateOTPSent,
		EventPasswordSuffices: StateSecondFactorOK,
		EventRefused:          StateRefused, // no phone, level too low, or the citizen turned back
		EventExpired:          StateExpired,
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
	Device        bool     `json:"device,omitempty"`       // no browser asked, but a device (RFC 8628)

	// From the claims parameter, OIDC Core §5.5.1.
	Claims       *ClaimsRequest `json:"claims,omitempty"`        // about the person
	Subjects     [][]string     `json:"subjects,omitempty"`      // the sub must be in each of these
	EssentialACR []string       `json:"essential_acr,omitempty"` // the acr must be one of these
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

// How a one-time password reaches its person.
const (
	OTPBySMS = "sms"
	OTPByApp = "app" // shown in the phone app
)

// OTP is the one-time password of a login that counts now.
type OTP struct {
	Channel   string // OTPBySMS, OTPByApp
	Hash      string
	SentAt    time.Time
	ExpiresAt time.Time
	Tries     int // wrong entries in this login, over all its passwords
}

// Origin is where a login began, as the person is shown it on the phone.
type Origin struct {
	Browser string `json:"browser,omitempty"` // "Chrome (Windows)"
	IP      string `json:"ip,omitempty"`      // of the connection, never of a header
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
	Origin      Origin
	OTP         OTP
	QR          QR
	Auth        Authentication
	SessionID   string // sid
	Refusal     string // the OAuth error of a refused login; "" = access_denied
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
func (l *Login) sendOTP(r Rand, salt []byte, p Policy, channel string, now time.Time) (digits string, err error) {
	if err := l.Apply(EventOTPSent, now); err != nil {
		return "", err
	}
	l.OTP = OTP{Channel: channel, SentAt: now, ExpiresAt: now.Add(p.OTPLifetime), Tries: l.OTP.Tries}
	if channel == OTPByApp {
		digits = l.appCode(salt, p)
	} else {
		digits = newOTPDigits(r, p.OTPDigits)
	}
	l.OTP.Hash = otpHash(salt, l.ID, digits)
	return digits, nil
}

// appCode is the one-time password that the phone app shows. It is computed
// from the login, so that it can be shown though only its hash rests in the
// store.
func (l *Login) appCode(salt []byte, p Policy) string {
	mac := qrMAC(salt, "app-code", l.ID, int(l.OTP.SentAt.UnixMilli()))
	return newOTPDigits(bytes.NewReader(bytes.Repeat(mac, 8)), p.OTPDigits)
}

// sufficePassword records a sign-in for which the policy asks no second factor.
func (l *Login) sufficePassword(now time.Time) error {
	if err := l.Apply(EventPasswordSuffices, now); err != nil {
		return err
	}
	l.Auth = Authentication{Time: now, ACR: "LoA1", AMR: []string{"pwd"}}
	return nil
}

// scanQR records that a phone scanned the live code. Another phone that comes
// later is refused.
func (l *Login) scanQR(d *Device, match int, now time.Time) error {
	if l.State != StateStarted {
		return Errorf(CodeConflict, "qr_used", "the login is %s", l.State)
	}
	if now.After(l.ExpiresAt) {
		return Errorf(CodeExpired, "qr_expired", "the login was valid until %s", l.ExpiresAt.UTC().Format(time.RFC3339))
	}
	if l.QR.State == QRScanned && l.QR.DeviceID != d.ID && !l.QR.Expired(now) {
		return Errorf(CodeConflict, "qr_taken", "another phone scanned the code first")
	}
	first := l.QR.State == QRCreated
	if err := l.QR.Apply(QREventScanned, now); err != nil {
		return err
	}
	if first {
		l.QR.DeviceID, l.QR.CCCD, l.QR.ScannedAt, l.QR.Match = d.ID, d.CCCD, now, match
	}
	return nil
}

// confirmQR records that the person confirmed on the phone that scanned.
func (l *Login) confirmQR(d *Device, now time.Time) error {
	if err := l.ofPhone(d); err != nil {
		return err
	}
	if err := l.QR.Apply(QREventConfirmed, now); err != nil {
		return err
	}
	if err := l.Apply(EventQRConfirmed, now); err != nil {
		return err
	}
	l.CCCD = d.CCCD
	l.Auth = Authentication{Time: now, ACR: "LoA2", AMR: []string{"swk", "pin", "mfa"}}
	return nil
}

// refuseQR records that the person refused on the phone: the login is over.
func (l *Login) refuseQR(d *Device, now time.Time) error {
	if err := l.ofPhone(d); err != nil {
		return err
	}
	if err := l.QR.Apply(QREventRefused, now); err != nil {
		return err
	}
	return l.Apply(EventRefused, now)
}

// ofPhone says whether a phone may settle the code: only the one that scanned.
func (l *Login) ofPhone(d *Device) error {
	if l.State != StateStarted {
		return Errorf(CodeConflict, "qr_used", "the login is %s, its QR code %s", l.State, l.QR.State)
	}
	if l.QR.DeviceID != d.ID || l.QR.CCCD != d.CCCD {
		return Errorf(CodeForbidden, "qr_other_phone", "another phone scanned the code, or nobody scanned this generation of it")
	}
	return nil
}

// tryOTP checks an entry. A wrong one counts; the last allowed wrong one ends
// the login. The error says which.
func (l *Login) tryOTP(salt []byte, entry string, p Policy, now time.Time) error {
	if l.State != StateOTPSent {
		return l.Apply(EventOTPAccepted, now) // explains why not
	}
	refusal, right := l.OTP.try(salt, l.ID, entry, p, now)
	switch {
	case right:
		if err := l.Apply(EventOTPAccepted, now); err != nil {
			return err
		}
		l.Auth = Authentication{Time: now, ACR: "LoA2", AMR: []string{"pwd", "otp", "sms", "mfa"}}
		if l.OTP.Channel == OTPByApp {
			l.Auth.AMR = []string{"pwd", "otp", "swk", "mfa"}
		}
	case IsCode(refusal, CodeExhausted):
		if err := l.Apply(EventTriesExhausted, now); err != nil {
			return err
		}
	case IsCode(refusal, CodeForbidden):
		if err := l.Apply(EventOTPRejected, now); err != nil {
			return err
		}
	}
	return refusal // also of a typing slip or a late entry, which do not count
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

// Method is how the person signed in, by what was recorded: qr, app_code, otp
// or password.
func (l *Login) Method() string {
	switch {
	case l.QR.State == QRConfirmed:
		return "qr"
	case l.OTP.Channel == OTPByApp:
		return "app_code"
	case l.OTP.Channel == OTPBySMS:
		return "otp"
	}
	return "password"
}
