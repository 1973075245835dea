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
		LoginsPerMinute: 30_000, LoginLifetime: 10 * time.Minute, CodeLifetime: 60 * time.Second,
		AccessLifetime: 30 * time.Minute, IDTokenLifetime: 5 * time.Minute,
		RefreshLifetime: 30 * 24 * time.Hour, SessionLifetime: 8 * time.Hour,
	}
}
