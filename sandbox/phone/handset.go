package phone

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// A browser shows a phone; several may show the same one. So there are two
// kinds of rows: that of a browser, named by the hash of its cookie's secret,
// and that of a phone, which holds the key and where the app stands.

// holder is the row of a browser.
type holder struct {
	Shows string `json:"shows,omitempty"` // id of the phone's row
	Code  string `json:"code,omitempty"`  // scanned before there was a phone
}

// app is where an app stands: the data of a phone's row.
type app struct {
	Seed       []byte      `json:"seed"` // of the Ed25519 key
	Name       string      `json:"name,omitempty"`
	Ready      bool        `json:"ready,omitempty"` // made for testers; its passcode is ReadyPasscode
	Activation *activating `json:"activation,omitempty"`

	Session string    `json:"session,omitempty"`
	Until   time.Time `json:"until,omitzero"`

	Code    string    `json:"code,omitempty"`    // scanned, and not yet told to the provider
	Scan    *Scan     `json:"scan,omitempty"`    // the provider told what it asks for
	Expires time.Time `json:"expires,omitzero"`  // the scanned code
	Switch  bool      `json:"switch,omitempty"`  // the screen of "Đăng nhập trên website" is open
	Want    *bool     `json:"want,omitempty"`    // its new position, waiting for the passcode
	Slip    *refusal  `json:"slip,omitempty"`    // what was wrong with the last form, shown beside its field
	Notice  *refusal  `json:"notice,omitempty"`  // a screen of its own, until it is closed
	Removed bool      `json:"removed,omitempty"` // another phone took this one's place
}

// activating is an activation under way.
type activating struct {
	ID       string    `json:"id"`
	CCCD     string    `json:"cccd"`
	Phone    string    `json:"phone"` // masked
	Until    time.Time `json:"until"`
	ResendAt time.Time `json:"resend_at"`
	Proved   bool      `json:"proved,omitempty"`
}

// refusal is something to say: a message key and its numbers.
type refusal struct {
	Key  string `json:"key"`
	Args []any  `json:"args,omitempty"`
	Good bool   `json:"good,omitempty"` // it went well
}

func refusalFor(err error) *refusal { return &refusal{Key: vneid.MsgKey(err), Args: argsOf(err)} }

func (r *refusal) args() []any {
	if r == nil {
		return nil
	}
	args := make([]any, len(r.Args))
	for i, a := range r.Args {
		if f, ok := a.(float64); ok { // back from JSON
			a = int(f)
		}
		args[i] = a
	}
	return args
}

// phone is a phone as one request knows it.
type phone struct {
	row *vneid.Handset
	app app
}

func publicKey(ph *phone) ed25519.PublicKey { return ph.key().Public().(ed25519.PublicKey) }

func (ph *phone) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(ph.app.Seed) }

// unlocked reports whether the app believes to be signed in. The provider
// knows better; it says app_locked.
func (a *app) unlocked(now time.Time) bool { return a.Session != "" && now.Before(a.Until) }

func (a *app) signOut() { a.Session, a.Until = "", time.Time{} }

func (a *app) signIn(s unlocked, now time.Time) {
	a.Session, a.Until = s.Session, now.Add(time.Duration(s.SessionSeconds)*time.Second)
}

// home takes the app back to its first screen.
func (a *app) home() {
	a.Code, a.Scan, a.Expires, a.Switch, a.Want, a.Slip, a.Notice = "", nil, time.Time{}, false, nil, nil, nil
}

const handsetCookie = "handset"

// cookieName carries party and world, since ports of one host share cookies.
func (p *Phones) cookieName(r *http.Request, kind string) string {
	name := "phone_" + vneid.WorldFrom(r.Context()).ID + "_" + kind
	if p.Secure {
		return "__Host-" + name
	}
	return name
}

func (p *Phones) setCookie(w http.ResponseWriter, r *http.Request, kind, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(r, kind), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.Secure})
}

const secretLen = 43 // 256 bits in base64url

// holderID is the row of the browser, "" when it has none. A browser with two
// cookies of the name got one from elsewhere: it counts as none.
func (p *Phones) holderID(r *http.Request) string {
	found := r.CookiesNamed(p.cookieName(r, handsetCookie))
	if len(found) != 1 || len(found[0].Value) != secretLen {
		return ""
	}
	return vneid.SecretHash(found[0].Value)
}

// keepFor is how long a browser remembers its phone.
const keepFor = 30 * 24 * time.Hour

// touchAfter is how old a browser's row may be before a look at it keeps it:
// the store drops those that nobody showed for a day.
const touchAfter = time.Hour

// current is the phone that the request's browser shows, nil = none.
func (p *Phones) current(r *http.Request) (ph *phone, h holder, err error) {
	id := p.holderID(r)
	if id == "" {
		return nil, h, nil
	}
	w := vneid.WorldFrom(r.Context())
	var row *vneid.Handset
	err = p.Store.View(r.Context(), w.ID, func(tx vneid.Tx) error {
		ph, h, row = nil, holder{}, nil
		if row, err = tx.Handset(id); err != nil {
			return ignoreNotFound(err)
		}
		if err := json.Unmarshal(row.Data, &h); err != nil {
			return fmt.Errorf("read a browser's handset: %w", err)
		}
		if h.Shows == "" {
			return nil
		}
		ph, err = readPhone(tx, h.Shows)
		return ignoreNotFound(err)
	})
	if now := w.Clock.Now(); err == nil && row != nil && now.Sub(row.SeenAt).Abs() > touchAfter {
		row.SeenAt = now
		err = p.Store.Update(r.Context(), w.ID, func(tx vneid.Tx) error { return tx.PutHandset(row) })
	}
	return ph, h, err
}

func ignoreNotFound(err error) error {
	if errors.Is(err, vneid.ErrNotFound) {
		return nil
	}
	return err
}

func readPhone(tx vneid.Tx, id string) (*phone, error) {
	row, err := tx.Handset(id)
	if err != nil {
		return nil, err
	}
	return phoneOf(row)
}

func phoneOf(row *vneid.Handset) (*phone, error) {
	ph := &phone{row: row}
	if err := json.Unmarshal(row.Data, &ph.app); err != nil {
		return nil, fmt.Errorf("read a phone: %w", err)
	}
	if len(ph.app.Seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("read a phone: its key has %d bytes", len(ph.app.Seed))
	}
	return ph, nil
}

// change keeps what a call brought, in the row as it is now: another browser
// may show the same phone. ph is what became of it.
func (p *Phones) change(ctx context.Context, ph *phone, fn func(*vneid.Handset, *app)) error {
	w := vneid.WorldFrom(ctx)
	var fresh *phone
	err := p.Store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		var err error
		if fresh, err = readPhone(tx, ph.row.ID); err != nil {
			return err
		}
		fn(fresh.row, &fresh.app)
		return putPhone(tx, fresh, w.Clock.Now())
	})
	if errors.Is(err, vneid.ErrNotFound) {
		return nil // the world was reset: the next screen says so
	}
	if err == nil {
		*ph = *fresh
	}
	return err
}

func putPhone(tx vneid.Tx, ph *phone, now time.Time) error {
	raw, err := json.Marshal(ph.app)
	if err != nil {
		return err
	}
	ph.row.Data, ph.row.SeenAt = raw, now
	return tx.PutHandset(ph.row)
}

// hold makes the browser show a phone ("" = none), and gives a browser without
// a name one.
func (p *Phones) hold(w http.ResponseWriter, r *http.Request, h holder) error {
	id, secret := p.holderID(r), ""
	if id == "" {
		secret = vneid.NewSecret(p.Rand)
		id = vneid.SecretHash(secret)
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	world := vneid.WorldFrom(r.Context())
	err = p.Store.Update(r.Context(), world.ID, func(tx vneid.Tx) error {
		return tx.PutHandset(&vneid.Handset{ID: id, Data: raw, SeenAt: world.Clock.Now()})
	})
	if err == nil && secret != "" {
		p.setCookie(w, r, handsetCookie, secret, int(keepFor.Seconds()))
	}
	return err
}

// newPhone is a phone with a key of its own, in nobody's name yet.
func (p *Phones) newPhone() (*phone, error) {
	_, key, err := ed25519.GenerateKey(p.Rand)
	if err != nil {
		return nil, fmt.Errorf("make a phone's key: %w", err)
	}
	return &phone{row: &vneid.Handset{ID: "phone:" + vneid.NewID(p.Rand)}, app: app{Seed: key.Seed()}}, nil
}
