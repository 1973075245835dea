package vneid

import "time"

// Policy holds every number that nobody publishes. The defaults are ours, the
// reasons stand in docs; all are configurable.
type Policy struct {
	OTPDigits      int           // digits of a one-time password
	OTPLifetime    time.Duration // from sending to last acceptance
	OTPTries       int           // wrong entries before the login ends
	OTPResendAfter time.Duration // wait before another SMS of the same login
	SMSPerNumber   int           // messages to one number in SMSWindow
	SMSWindow      time.Duration

	PasswordTries int           // wrong passwords before the number is locked
	PasswordLock  time.Duration // how long, and how long failures count

	SecondFactor    string        // after the password: SecondFactorSMS, …AppCode, …None; clients may differ
	QRLifetime      time.Duration // of one QR code, from its showing to the confirmation
	QRPerLogin      int           // codes of one login, "Tải lại" included
	NumberMatching  bool          // the page shows two digits that the phone asks for; clients may differ
	CodeTries       int           // unknown codes of one phone within CodeWindow
	CodeWindow      time.Duration
	PasscodeTries   int           // wrong passcodes before the app is locked
	PasscodeLock    time.Duration // how long, and how long failures count
	AppSession      time.Duration // the phone app stays unlocked
	AppFresh        time.Duration // an app unlocked longer ago asks for the passcode when confirming
	ConfirmPasscode bool          // it always does

	LoginsPerMinute int           // begun in one process, more get 503; 0 = no bound
	LoginLifetime   time.Duration // from /authorize to the code
	CodeLifetime    time.Duration
	AccessLifetime  time.Duration
	IDTokenLifetime time.Duration
	RefreshLifetime time.Duration // of the whole family, from the sign-in
	SessionLifetime time.Duration
}

// DefaultPolicy is what the documentation promises.
func DefaultPolicy() Policy {
	return Policy{
		OTPDigits: 6, OTPLifetime: 120 * time.Second, OTPTries: 5, OTPResendAfter: 30 * time.Second,
		SMSPerNumber: 5, SMSWindow: 10 * time.Minute,
		PasswordTries: 5, PasswordLock: 15 * time.Minute,
		SecondFactor: SecondFactorSMS, QRLifetime: 120 * time.Second, QRPerLogin: 20, CodeTries: 10, CodeWindow: 10 * time.Minute,
		PasscodeTries: 5, PasscodeLock: 15 * time.Minute, AppSession: 10 * time.Minute, AppFresh: 5 * time.Minute,
		LoginsPerMinute: 30_000, LoginLifetime: 10 * time.Minute, CodeLifetime: 60 * time.Second,
		AccessLifetime: 30 * time.Minute, IDTokenLifetime: 5 * time.Minute,
		RefreshLifetime: 30 * 24 * time.Hour, SessionLifetime: 8 * time.Hour,
	}
}

// What has to follow the password.
const (
	SecondFactorSMS     = "sms"      // a one-time password by SMS
	SecondFactorAppCode = "app_code" // one that the phone app shows
	SecondFactorNone    = "none"     // nothing: LoA1
)

// SecondFactors lists them.
func SecondFactors() []string {
	return []string{SecondFactorSMS, SecondFactorAppCode, SecondFactorNone}
}
