package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Populate puts the population into a store. To whoever asks for one of its
// numbers there is an account, and in the population database an entry,
// although no row says so. The row appears when the first thing is written
// about the person: from then on it is the truth, and lists and searches find
// it. Provider and portal notice nothing.
//
// passwordHash is that of [Password]: a copy for everybody, as in a seed.
//
// Somebody's public subject hangs on the world's salt, so whoever reads or
// writes one of them has the world in the context.
func Populate(store vneid.Store, passwordHash string) vneid.Store {
	return &populated{Store: store, hash: passwordHash}
}

type populated struct {
	vneid.Store
	hash string
}

func (s *populated) View(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	return s.Store.View(ctx, world, s.around(ctx, world, fn))
}

func (s *populated) Peek(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	return s.Store.Peek(ctx, world, s.around(ctx, world, fn))
}

func (s *populated) Update(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	return s.Store.Update(ctx, world, s.around(ctx, world, fn))
}

func (s *populated) around(ctx context.Context, world string, fn func(vneid.Tx) error) func(vneid.Tx) error {
	return func(tx vneid.Tx) error { return fn(&populatedTx{Tx: tx, store: s, ctx: ctx, world: world}) }
}

// populatedTx is a transaction in a world with the population.
type populatedTx struct {
	vneid.Tx
	store *populated
	ctx   context.Context
	world string

	rowless map[vneid.CCCD]*vneid.Account // read here, and without a row so far
}

// gone is the status of a row that says: nobody has this number any more. Who
// was deleted shall not come back from it; a reset, or somebody new with the
// number, ends that. No one outside of this file sees such a row.
const gone vneid.AccountStatus = "gone"

func (t *populatedTx) Account(c vneid.CCCD) (*vneid.Account, error) {
	a, err := t.Tx.Account(c)
	switch {
	case err == nil && a.Status == gone:
		return nil, vneid.ErrNotFound
	case !errors.Is(err, vneid.ErrNotFound) || !inPopulation(c):
		return a, err
	}
	w := vneid.WorldFrom(t.ctx)
	if w.ID != t.world {
		return nil, fmt.Errorf("people: account %s of world %s was asked for from world %s", c.Mask(), t.world, w.ID)
	}
	somebody, _ := Somebody(c)
	somebody.ID, somebody.PasswordHash = vneid.AccountID(w.Salt, c), t.store.hash
	if t.rowless == nil {
		t.rowless = map[vneid.CCCD]*vneid.Account{}
	}
	kept := somebody // the caller may change what it gets
	t.rowless[c] = &kept
	return &somebody, nil
}

// person completes what the store read together with another row.
func (t *populatedTx) person(c vneid.CCCD, a *vneid.Account) (*vneid.Account, error) {
	if a != nil && a.Status != gone {
		return a, nil
	}
	if a != nil || !inPopulation(c) {
		return nil, nil
	}
	a, err := t.Account(c)
	if errors.Is(err, vneid.ErrNotFound) {
		return nil, nil
	}
	return a, err
}

func (t *populatedTx) LoginWith(id string) (*vneid.Login, *vneid.Client, *vneid.Account, error) {
	l, c, a, err := t.Tx.LoginWith(id)
	if err == nil {
		a, err = t.person(l.CCCD, a)
	}
	return l, c, a, err
}

func (t *populatedTx) LoginByCodeWith(codeHash string) (*vneid.Login, *vneid.Account, *vneid.Session, error) {
	l, a, s, err := t.Tx.LoginByCodeWith(codeHash)
	if err == nil {
		a, err = t.person(l.CCCD, a)
	}
	return l, a, s, err
}

func (t *populatedTx) TokenWith(hash string) (*vneid.Token, *vneid.Account, error) {
	k, a, err := t.Tx.TokenWith(hash)
	if err == nil {
		a, err = t.person(k.CCCD, a)
	}
	return k, a, err
}

func (t *populatedTx) DeviceWith(id string) (*vneid.Device, *vneid.Account, error) {
	d, a, err := t.Tx.DeviceWith(id)
	if err == nil {
		a, err = t.person(d.CCCD, a)
	}
	return d, a, err
}

// Accounts finds those without a row by their whole number only.
func (t *populatedTx) Accounts(query string, limit int) ([]vneid.Account, error) {
	list, err := t.rows(query, limit)
	if err != nil || len(list) > 0 || limit < 1 {
		return list, err
	}
	c, err := vneid.ParseCCCD(query, 0)
	if err != nil || !inPopulation(c) {
		return nil, nil
	}
	a, err := t.Account(c)
	if errors.Is(err, vneid.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []vneid.Account{*a}, nil
}

// rows are the first rows of a search that are somebody.
func (t *populatedTx) rows(query string, limit int) ([]vneid.Account, error) {
	for ask := limit; ; {
		list, err := t.Tx.Accounts(query, ask)
		if err != nil {
			return nil, err
		}
		found := len(list)
		list = slices.DeleteFunc(list, func(a vneid.Account) bool { return a.Status == gone })
		if found < ask || len(list) >= limit {
			return list[:min(len(list), max(limit, 0))], nil
		}
		ask += found - len(list) // some were nobody: look as much further
	}
}

func (t *populatedTx) AccountsByCMND(cmnd string, limit int) ([]vneid.Account, error) {
	list, err := t.Tx.AccountsByCMND(cmnd, limit)
	c := cccdOfCMND(cmnd)
	if err != nil || c == "" || limit < 1 {
		return list, err
	}
	a, err := t.Account(c)
	if errors.Is(err, vneid.ErrNotFound) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	if t.rowless[c] == nil {
		return list, nil // found by the row, or it has another CMND there
	}
	list = append(list, *a)
	slices.SortFunc(list, func(a, b vneid.Account) int { return cmp.Compare(a.CCCD, b.CCCD) })
	return list[:min(len(list), limit)], nil
}

func (t *populatedTx) RegisterEntry(c vneid.CCCD) (*vneid.RegisterEntry, error) {
	entry, err := t.Tx.RegisterEntry(c)
	if !errors.Is(err, vneid.ErrNotFound) {
		return entry, err
	}
	if entry := entryOf(c); entry != nil {
		return entry, nil
	}
	return nil, err
}

func (t *populatedTx) PutAccount(a *vneid.Account) error {
	delete(t.rowless, a.CCCD)
	return t.Tx.PutAccount(a)
}

// DeleteAccount leaves a row behind that says so, for one of the population.
func (t *populatedTx) DeleteAccount(c vneid.CCCD) error {
	delete(t.rowless, c)
	err := t.Tx.DeleteAccount(c)
	if !inPopulation(c) || err != nil && !errors.Is(err, vneid.ErrNotFound) {
		return err
	}
	return t.Tx.PutAccount(&vneid.Account{Persona: vneid.Persona{CCCD: c, Status: gone}})
}

// The first things that are ever written of a person: a login in their name, a
// phone on its way to them, a phone of theirs.

func (t *populatedTx) SaveLogin(l *vneid.Login) error {
	if err := t.appear(l.CCCD); err != nil {
		return err
	}
	return t.Tx.SaveLogin(l)
}

func (t *populatedTx) PutActivation(a *vneid.Activation) error {
	if err := t.appear(a.CCCD); err != nil {
		return err
	}
	return t.Tx.PutActivation(a)
}

func (t *populatedTx) PutDevice(d *vneid.Device) error {
	if err := t.appear(d.CCCD); err != nil {
		return err
	}
	return t.Tx.PutDevice(d)
}

// appear writes the row of somebody who was read here without one.
func (t *populatedTx) appear(c vneid.CCCD) error {
	if a := t.rowless[c]; a != nil {
		return t.PutAccount(a)
	}
	return nil
}
