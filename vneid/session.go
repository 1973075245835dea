package vneid

import (
	"slices"
	"time"
)

// Session is a browser in which somebody signed in (single sign-on).
type Session struct {
	ID          string // sid of ID tokens; public
	SecretHash  string // of the cookie
	BrowserHash string // of the secret of the browser that signed in last, as in its logins
	Version     int
	CCCD        CCCD
	Auth        Authentication
	CreatedAt   time.Time
	ExpiresAt   time.Time
	EndedAt     time.Time // zero while it lives
}

// Alive reports whether the session still stands.
func (s *Session) Alive(now time.Time) bool { return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) }

// Consent is what a citizen agreed to share with a client, once; Luật 91/2025
// Điều 9 asks for who, what and which text.
type Consent struct {
	CCCD        CCCD
	ClientID    string
	Scopes      []string
	TextVersion string
	GivenAt     time.Time
	WithdrawnAt time.Time // zero while it stands
}

// ConsentTextVersion names the wording on the sharing page.
const ConsentTextVersion = "2026-11"

// Covers reports whether the consent stands and includes all these scopes.
func (c *Consent) Covers(scopes []string) bool {
	if c == nil || !c.WithdrawnAt.IsZero() {
		return false
	}
	for _, s := range scopes {
		if !slices.Contains(c.Scopes, s) {
			return false
		}
	}
	return true
}

// TokenKind tells the two kinds of opaque tokens apart.
type TokenKind string

const (
	AccessToken  TokenKind = "access"
	RefreshToken TokenKind = "refresh"
)

// Token is an issued access or refresh token; its text rests as a hash.
type Token struct {
	Hash      string
	Kind      TokenKind
	GrantID   string // the login it comes from: revoking the grant revokes all of its tokens
	ClientID  string
	CCCD      CCCD
	Subject   string // sub for the client
	Scopes    []string
	SessionID string
	Auth      Authentication
	Nonce     string
	Claims    *ClaimsRequest // asked for beside the scopes, nil = none
	Userinfo  string         // the alg that userinfo is signed with for this token, "" = not signed
	IssuedAt  time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // refresh tokens rotate: when this one was exchanged
	RevokedAt time.Time
}

// Alive reports whether the token may be used.
func (t *Token) Alive(now time.Time) bool {
	return t.RevokedAt.IsZero() && t.UsedAt.IsZero() && now.Before(t.ExpiresAt)
}

// Throttle counts recent events of one key, such as wrong passwords of a
// number or messages to a phone.
type Throttle struct {
	Key         string // hashed where it would name a person
	Times       []time.Time
	LockedUntil time.Time
}

// recent drops what lies outside the window.
func (t *Throttle) recent(window time.Duration, now time.Time) {
	t.Times = slices.DeleteFunc(t.Times, func(at time.Time) bool { return now.Sub(at) >= window })
}

// fail counts a failure. It returns how many there are, or 0 when that was the
// last allowed one and the key is locked now.
func (t *Throttle) fail(tries int, lock time.Duration, now time.Time) int {
	t.recent(lock, now)
	t.Times = append(t.Times, now)
	if len(t.Times) >= tries {
		t.Times, t.LockedUntil = nil, now.Add(lock)
		return 0
	}
	return len(t.Times)
}

// KeyState is where a signing key stands in its life.
type KeyState string

const (
	KeyNext    KeyState = "next"    // published, not yet used
	KeyActive  KeyState = "active"  // signs
	KeyFormer  KeyState = "former"  // signs no more, still published
	KeyRetired KeyState = "retired" // gone from the JWKS
)

// SigningKey is a key of the provider as it rests in the store. What PKCS8
// holds, plain or encrypted, is up to the key ring (op/keyring).
type SigningKey struct {
	KID       string
	Alg       string
	State     KeyState
	PKCS8     []byte
	CreatedAt time.Time
}

// SMS is a message on its way to a phone.
type SMS struct {
	ID     string
	To     PhoneNumber
	Text   string
	OTP    string
	Login  string // the login it belongs to
	SentAt time.Time
	// VisibleAt is when the phone shows it; zero = never.
	VisibleAt time.Time
}
