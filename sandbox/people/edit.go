package people

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Draft is a person as a tester enters them: by the API or in the console.
type Draft struct {
	vneid.Persona
	Password string // "" = it stays; that of somebody new is [Password]
	Passcode string // of their phone; "" = it stays
}

// NewDraft is a person with whom nothing is special, and who has no name yet.
func NewDraft() Draft { return Draft{Persona: citizen("", "", "", "", "", "")} }

// Invalid says what is wrong with a draft, field by field.
type Invalid map[string]string

func (bad Invalid) Error() string {
	return "invalid: " + strings.Join(slices.Sorted(maps.Keys(bad)), ", ")
}

// Editor enters, changes and removes people, in the world of the context.
// Mistakes are [Invalid], somebody who has the number already is
// vneid.ErrExists, nobody with it vneid.ErrNotFound.
type Editor struct {
	Store        vneid.Store
	Hasher       vneid.Hasher
	PasswordHash string // of Password
	// SetPasscode gives somebody's phone another passcode, and a phone to who
	// has none.
	SetPasscode func(tx vneid.Tx, a *vneid.Account, passcodeHash string, now time.Time) error
}

// Add enters a person.
func (e *Editor) Add(ctx context.Context, d Draft) (a *vneid.Account, err error) {
	w := vneid.WorldFrom(ctx)
	if bad := d.Check(w.Clock.Now().Year()); len(bad) > 0 {
		return nil, bad
	}
	s, err := e.hash(ctx, &d)
	if err != nil {
		return nil, err
	}
	if s.password == "" {
		s.password = e.PasswordHash
	}
	err = e.Store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		switch _, err := tx.Account(d.CCCD); {
		case err == nil:
			return vneid.ErrExists
		case !errors.Is(err, vneid.ErrNotFound):
			return err
		}
		a = &vneid.Account{Persona: d.Persona, ID: vneid.AccountID(w.Salt, d.CCCD)}
		return e.put(tx, w, a, s)
	})
	return a, err
}

// Change lets change work on the person as they are, and keeps the result. It
// may run more than once. What it changes holds at once: whoever is locked is
// signed in nowhere, as long as they are locked.
func (e *Editor) Change(ctx context.Context, c vneid.CCCD, change func(*Draft) error) (a *vneid.Account, err error) {
	w := vneid.WorldFrom(ctx)
	var d Draft
	draft := func(tx vneid.Tx) error {
		if a, err = tx.Account(c); err != nil {
			return err
		}
		d = Draft{Persona: a.Persona}
		if err := change(&d); err != nil {
			return err
		}
		bad := d.Check(w.Clock.Now().Year())
		if bad["cccd"] == "" && d.CCCD != c {
			bad["cccd"] = "cannot be changed; enter somebody with that number"
		}
		if len(bad) > 0 {
			return bad
		}
		return nil
	}
	// Once ahead, for the secrets: hashing waits in a queue, and a transaction
	// waits for nobody.
	if err = e.Store.View(ctx, w.ID, draft); err != nil {
		return nil, err
	}
	s, err := e.hash(ctx, &d)
	if err != nil {
		return nil, err
	}
	err = e.Store.Update(ctx, w.ID, func(tx vneid.Tx) error {
		if err := draft(tx); err != nil {
			return err
		}
		if s.password != "" || s.passcode != "" || d.Status != a.Status {
			if err := vneid.ForgetFailures(tx, w, c); err != nil {
				return err
			}
		}
		a.Persona = d.Persona
		return e.put(tx, w, a, s)
	})
	return a, err
}

// Remove removes a person. One of the population stays away too, until somebody
// is entered with the number or the world is reset.
func (e *Editor) Remove(ctx context.Context, c vneid.CCCD) error {
	w := vneid.WorldFrom(ctx)
	return e.Store.Update(ctx, w.ID, func(tx vneid.Tx) error { return vneid.RemoveAccount(tx, c, w.Clock.Now()) })
}

// secrets are hashes, "" = not given.
type secrets struct{ password, passcode string }

func (e *Editor) hash(ctx context.Context, d *Draft) (s secrets, err error) {
	if d.Password != "" {
		if s.password, err = e.Hasher.Hash(ctx, d.Password); err != nil {
			return s, err
		}
	}
	if d.Passcode != "" {
		s.passcode, err = e.Hasher.Hash(ctx, d.Passcode)
	}
	return s, err
}

// Check finds every mistake of a draft, and tidies what people type.
func (d *Draft) Check(nowYear int) Invalid {
	bad := Invalid(d.Validate(nowYear))
	if d.Password != "" && !vneid.ValidPassword(d.Password) {
		bad["password"] = "at most 1024 bytes"
	}
	switch {
	case d.Passcode == "":
	case !vneid.ValidPasscode(d.Passcode):
		bad["passcode"] = "6 digits"
	case d.Status == vneid.AccountNotActivated:
		bad["passcode"] = "an account that is not activated has no phone yet"
	}
	return bad
}

func (e *Editor) put(tx vneid.Tx, w *vneid.World, a *vneid.Account, s secrets) error {
	a.UpdatedAt = w.Clock.Now()
	if s.password != "" {
		a.PasswordHash = s.password
	}
	if err := tx.PutAccount(a); err != nil {
		return err
	}
	if s.passcode == "" {
		return nil
	}
	return e.SetPasscode(tx, a, s.passcode, w.Clock.Now())
}
