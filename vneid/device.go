package vneid

import (
	"crypto/ed25519"
	"slices"
	"time"
)

// Device is the phone on which a person activated the app. There is one at a
// time for each person; activating another one replaces it.
type Device struct {
	CCCD         CCCD
	ID           string // random and public: the kid of its calls
	PublicKey    ed25519.PublicKey
	PasscodeHash string // argon2id
	Name         string // how the person recognises it: "Chrome (Android)"
	ActivatedAt  time.Time

	// The app's session: a phone that was unlocked with its passcode.
	SessionHash    string // of its secret, "" = signed out
	SessionExpires time.Time
	UnlockedAt     time.Time

	Calls []DeviceCall // of the last minutes: no call counts twice
}

// DeviceCall is a signed call that was accepted.
type DeviceCall struct {
	JTI string `json:"j"`
	At  int64  `json:"t"` // Unix seconds
}

// callSkew is how far the time in a call may be from ours.
const callSkew = time.Minute

// accept remembers a call, or says why it cannot count: too old, from the
// future, or seen before.
func (d *Device) accept(c DeviceCall, now time.Time) error {
	if at := time.Unix(c.At, 0); c.JTI == "" || len(c.JTI) > 64 || at.Before(now.Add(-callSkew)) || at.After(now.Add(callSkew)) {
		return Errorf(CodeForbidden, "call_stale", "the call's iat is %ds from now", int(time.Unix(c.At, 0).Sub(now).Seconds()))
	}
	d.Calls = slices.DeleteFunc(d.Calls, func(old DeviceCall) bool { return time.Unix(old.At, 0).Before(now.Add(-callSkew)) })
	if slices.ContainsFunc(d.Calls, func(old DeviceCall) bool { return old.JTI == c.JTI }) {
		return Errorf(CodeForbidden, "call_replayed", "the call's jti was used before")
	}
	const most = 200 // a person taps a few times a minute
	if len(d.Calls) >= most {
		return Errorf(CodeExhausted, "too_many_calls", "%d calls within a minute", len(d.Calls))
	}
	d.Calls = append(d.Calls, c)
	return nil
}

// unlocked reports whether the app's session stands and belongs to this secret.
func (d *Device) unlocked(session string, now time.Time) bool {
	return d.SessionHash != "" && session != "" && constantTimeEqual(d.SessionHash, SecretHash(session)) && now.Before(d.SessionExpires)
}

// signOut ends the app's session.
func (d *Device) signOut() {
	d.SessionHash, d.SessionExpires, d.UnlockedAt = "", time.Time{}, time.Time{}
}

// Activation is a phone on its way to become somebody's: number and password
// were right, the one-time password and the passcode are to come.
type Activation struct {
	ID        string
	CCCD      CCCD
	PublicKey ed25519.PublicKey
	Name      string
	OTP       OTP
	Proved    bool // the one-time password was right
	ExpiresAt time.Time
}

// Handset is a pretend phone as the sandbox keeps it. The provider never reads
// it: to the provider a phone is a key that signs.
type Handset struct {
	ID       string // hash of the secret in the cookie of the browser that shows it, or its persona's name
	CCCD     CCCD   // whose app is on it, "" = nobody's yet
	DeviceID string
	Data     []byte // JSON of sandbox/phone, its private key among it
	SeenAt   time.Time
}
