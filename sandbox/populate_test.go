package sandbox_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const somebody vneid.CCCD = "038890000001" // Nguyễn Bá Long

// town is a populated store, what lies under it, and a world in a context.
type town struct {
	t          testing.TB
	ctx        context.Context
	world      string
	store, raw vneid.Store
}

func newTown(t testing.TB) *town {
	t.Helper()
	raw, err := storage.Open(t.Context(), "sqlite::memory:", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	return townIn(t, raw, "default")
}

func townIn(t testing.TB, raw vneid.Store, world string) *town {
	w := &vneid.World{ID: world, Salt: []byte("salt of " + world), Clock: vneid.SystemClock{}}
	return &town{t, vneid.WithWorld(t.Context(), w), world, people.Populate(raw, "the hash"), raw}
}

func (o *town) view(fn func(vneid.Tx) error) {
	o.t.Helper()
	if err := o.store.View(o.ctx, o.world, fn); err != nil {
		o.t.Fatal(err)
	}
}

func (o *town) update(fn func(vneid.Tx) error) {
	o.t.Helper()
	if err := o.store.Update(o.ctx, o.world, fn); err != nil {
		o.t.Fatal(err)
	}
}

func (o *town) account(c vneid.CCCD) (a *vneid.Account, err error) {
	err = o.store.Peek(o.ctx, o.world, func(tx vneid.Tx) error { a, err = tx.Account(c); return err })
	return a, err
}

// rows are the numbers that the store really holds.
func (o *town) rows() (list []vneid.CCCD) {
	o.t.Helper()
	err := o.raw.View(o.ctx, o.world, func(tx vneid.Tx) error {
		accounts, err := tx.Accounts("", 1000)
		for _, a := range accounts {
			list = append(list, a.CCCD)
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return list
}

func TestReadingSomebodyOfThePopulationLeavesNoRow(t *testing.T) {
	o := newTown(t)
	a, err := o.account(somebody)
	if err != nil {
		t.Fatal(err)
	}
	if a.Name != "Nguyễn Bá Long" || a.PasswordHash != "the hash" || a.ID != vneid.AccountID([]byte("salt of default"), somebody) {
		t.Errorf("%+v", a)
	}
	for query, want := range map[string]int{string(somebody): 1, "038 890 000 001": 1, "0388900000": 0, "Nguyễn Bá Long": 0, "": 0, string(a.Phone): 0} {
		o.view(func(tx vneid.Tx) error {
			list, err := tx.Accounts(query, 10)
			if len(list) != want {
				t.Errorf("%q finds %d people, want %d", query, len(list), want)
			}
			if none, _ := tx.Accounts(query, 0); len(none) != 0 {
				t.Errorf("%q finds people below the limit", query)
			}
			return err
		})
	}
	for c, want := range map[vneid.CCCD]error{"038090000001": vneid.ErrNotFound, "038790000001": vneid.ErrNotFound, "000890000001": vneid.ErrNotFound} {
		if _, err := o.account(c); !errors.Is(err, want) {
			t.Errorf("%s: %v", c, err)
		}
	}
	if list := o.rows(); len(list) != 0 {
		t.Errorf("rows of %v", list)
	}
}

func TestTheFirstThingWrittenAboutSomebodyMakesTheirRow(t *testing.T) {
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	for name, write := range map[string]func(vneid.Tx, *vneid.Account) error{
		"a login": func(tx vneid.Tx, a *vneid.Account) error {
			l := &vneid.Login{ID: "l", State: vneid.StateStarted, CreatedAt: now, ExpiresAt: now}
			if err := tx.InsertLogin(l); err != nil {
				return err
			}
			l.CCCD = a.CCCD
			return tx.SaveLogin(l)
		},
		"an activation": func(tx vneid.Tx, a *vneid.Account) error {
			return tx.PutActivation(&vneid.Activation{ID: "a", CCCD: a.CCCD, ExpiresAt: now})
		},
		"a phone": func(tx vneid.Tx, a *vneid.Account) error {
			return tx.PutDevice(&vneid.Device{ID: "d", CCCD: a.CCCD, ActivatedAt: now})
		},
		"a change": func(tx vneid.Tx, a *vneid.Account) error {
			a.Status = vneid.AccountLocked
			return tx.PutAccount(a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newTown(t)
			before, _ := o.account(somebody)
			boom := errors.New("rolled back")
			try := func(end error) error {
				return o.store.Update(o.ctx, o.world, func(tx vneid.Tx) error {
					a, err := tx.Account(somebody)
					if err != nil {
						return err
					}
					if err := write(tx, a); err != nil {
						return err
					}
					return end
				})
			}
			if err := try(boom); !errors.Is(err, boom) || len(o.rows()) != 0 {
				t.Fatalf("%v, rows of %v", err, o.rows())
			}
			if err := try(nil); err != nil {
				t.Fatal(err)
			}
			if list := o.rows(); len(list) != 1 || list[0] != somebody {
				t.Fatalf("rows of %v", list)
			}
			after, err := o.account(somebody)
			if err != nil || after.ID != before.ID || after.PasswordHash != before.PasswordHash || !after.UpdatedAt.Equal(before.UpdatedAt) {
				t.Errorf("%+v became %+v, %v", before, after, err)
			}
			if want := name == "a change"; (after.Status == vneid.AccountLocked) != want {
				t.Errorf("the row says %s", after.Status)
			}
			o.view(func(tx vneid.Tx) error { // by name and phone too, now
				for _, query := range []string{"ba long", string(before.Phone), string(somebody)} {
					if list, err := tx.Accounts(query, 10); err != nil || len(list) != 1 {
						t.Errorf("%q finds %v, %v", query, list, err)
					}
				}
				return nil
			})
		})
	}
}

func TestWhatTheRowSaysIsTrueAndAResetForgetsIt(t *testing.T) {
	o := newTown(t)
	o.update(func(tx vneid.Tx) error {
		a, err := tx.Account(somebody)
		if err != nil {
			return err
		}
		a.Name, a.CMND = "Người Khác", ""
		return tx.PutAccount(a)
	})
	if a, err := o.account(somebody); err != nil || a.Name != "Người Khác" {
		t.Errorf("%+v, %v", a, err)
	}
	if err := o.store.ClearWorld(o.ctx, o.world); err != nil {
		t.Fatal(err)
	}
	if a, err := o.account(somebody); err != nil || a.Name != "Nguyễn Bá Long" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAnOldNumberFindsItsPersonWithAndWithoutARow(t *testing.T) {
	const c, cmnd = vneid.CCCD("038860124901"), "993886012"
	o := newTown(t)
	find := func(cmnd string) (list []vneid.Account) {
		o.view(func(tx vneid.Tx) (err error) { list, err = tx.AccountsByCMND(cmnd, 2); return err })
		return list
	}
	if list := find(cmnd); len(list) != 1 || list[0].CCCD != c || list[0].CMND != cmnd {
		t.Fatalf("%+v", list)
	}
	o.update(func(tx vneid.Tx) error { // another person with the same old number
		return tx.PutAccount(&vneid.Account{ID: "x", Persona: vneid.Persona{CCCD: "038060000007", Name: "Hai", CMND: cmnd}})
	})
	if list := find(cmnd); len(list) != 2 || list[0].CCCD != "038060000007" || list[1].CCCD != c {
		t.Errorf("%+v", list)
	}
	o.update(func(tx vneid.Tx) error {
		a, err := tx.Account(c)
		if err != nil {
			return err
		}
		a.CMND = ""
		return tx.PutAccount(a)
	})
	if list := find(cmnd); len(list) != 1 || list[0].CCCD != "038060000007" {
		t.Errorf("after the number was taken away: %+v", list)
	}
	if list := find("993000000"); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestThePopulationDatabaseKnowsThePopulation(t *testing.T) {
	o := newTown(t)
	entry := func(c vneid.CCCD) (e *vneid.RegisterEntry, err error) {
		err = o.store.Peek(o.ctx, o.world, func(tx vneid.Tx) error { e, err = tx.RegisterEntry(c); return err })
		return e, err
	}
	if e, err := entry("038890000404"); err != nil || !e.Absent {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := entry(somebody); !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("%+v, %v", e, err)
	}
	o.update(func(tx vneid.Tx) error { return tx.PutRegisterEntry(&vneid.RegisterEntry{CCCD: "038890000404"}) })
	if e, err := entry("038890000404"); err != nil || e.Absent {
		t.Errorf("the row does not count: %+v, %v", e, err)
	}
}

func TestManyMayWriteTheFirstThingAboutSomebodyAtOnce(t *testing.T) {
	manyWriteTheFirstThing(t, newTown(t))
}

func manyWriteTheFirstThing(t *testing.T, o *town) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			err := o.store.Update(o.ctx, o.world, func(tx vneid.Tx) error {
				if _, err := tx.Account(somebody); err != nil {
					return err
				}
				return tx.PutActivation(&vneid.Activation{ID: fmt.Sprint("a", i), CCCD: somebody})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list := o.rows(); len(list) != 1 || list[0] != somebody {
		t.Errorf("rows of %v", list)
	}
	o.view(func(tx vneid.Tx) error {
		for i := range 20 {
			if _, err := tx.Activation(fmt.Sprint("a", i)); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
}

func TestEveryWorldHasTheSamePeopleWithSubjectsOfItsOwn(t *testing.T) {
	o := newTown(t)
	other := townIn(t, o.raw, "other")
	a, err1 := o.account(somebody)
	b, err2 := other.account(somebody)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if a.Persona.Name != b.Persona.Name || a.Phone != b.Phone || a.ID == b.ID {
		t.Errorf("%+v\n%+v", a, b)
	}
	o.update(func(tx vneid.Tx) error { a.Status = vneid.AccountLocked; return tx.PutAccount(a) })
	if b, err := other.account(somebody); err != nil || b.Status != vneid.AccountActive {
		t.Errorf("locked in one world, %+v, %v in the other", b, err)
	}
	err := o.store.View(o.ctx, "other", func(tx vneid.Tx) error { _, err := tx.Account(somebody); return err })
	if err == nil || errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("a world's people were read from another: %v", err)
	}
}

func TestWhoWasDeletedStaysAwayFromEverySearch(t *testing.T) {
	const withCMND vneid.CCCD = "038860124901"
	o := newTown(t)
	number := func(i int) vneid.CCCD { return vneid.CCCD(fmt.Sprintf("03889000000%d", i)) }
	o.update(func(tx vneid.Tx) error {
		for i := range 10 {
			a, err := tx.Account(number(i))
			if err != nil {
				return err
			}
			if err := tx.PutAccount(a); err != nil {
				return err
			}
			if i%3 != 2 {
				if err := tx.DeleteAccount(a.CCCD); err != nil {
					return err
				}
			}
		}
		return tx.DeleteAccount(withCMND)
	})
	for limit, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 2, 3: 3, 9: 3, 100: 3} {
		o.view(func(tx vneid.Tx) error {
			list, err := tx.Accounts("", limit)
			if len(list) != want || want > 0 && list[0].CCCD != number(2) {
				t.Errorf("limit %d: %v", limit, list)
			}
			return err
		})
	}
	o.view(func(tx vneid.Tx) error {
		for _, query := range []string{string(number(0)), string(withCMND)} {
			if list, err := tx.Accounts(query, 5); err != nil || len(list) != 0 {
				t.Errorf("%s: %v, %v", query, list, err)
			}
		}
		if list, err := tx.AccountsByCMND("993886012", 5); err != nil || len(list) != 0 {
			t.Errorf("by CMND: %v, %v", list, err)
		}
		return nil
	})
	for _, c := range []vneid.CCCD{number(0), withCMND} {
		if _, err := o.account(c); !errors.Is(err, vneid.ErrNotFound) {
			t.Errorf("%s: %v", c, err)
		}
	}
	err := o.store.Update(o.ctx, o.world, func(tx vneid.Tx) error { return tx.DeleteAccount("038090000001") })
	if !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("nobody was deleted: %v", err)
	}
}

// BenchmarkAccount compares somebody without a row, somebody with one and a
// seeded person, among 10,000 rows.
func BenchmarkAccount(b *testing.B) {
	raw, err := storage.Open(b.Context(), "sqlite::memory:", storage.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	ctx := vneid.WithWorld(b.Context(), &vneid.World{ID: "default", Salt: []byte("salt"), Clock: vneid.SystemClock{}})
	store := people.Populate(raw, "the hash")
	number := func(century, i int) vneid.CCCD { return vneid.CCCD(fmt.Sprintf("038%d90%06d", century, i)) }
	const rows = 10_000
	err = store.Update(ctx, "default", func(tx vneid.Tx) error {
		for i := range rows {
			seeded, _ := people.Somebody(number(8, i))
			seeded.CCCD = number(0, i)
			if err := tx.PutAccount(&seeded); err != nil {
				return err
			}
			if a, err := tx.Account(number(8, i)); err != nil || tx.PutAccount(a) != nil {
				return fmt.Errorf("put %s: %w", number(8, i), err)
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]func(int) vneid.CCCD{
		"seeded":      func(i int) vneid.CCCD { return number(0, i%rows) },
		"with_row":    func(i int) vneid.CCCD { return number(8, i%rows) },
		"without_row": func(i int) vneid.CCCD { return number(9, i%rows) },
	} {
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				if err := store.Peek(ctx, "default", func(tx vneid.Tx) error { _, err := tx.Account(c(i)); return err }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// freeHasher costs nothing, so that what is measured is the rest.
type freeHasher struct{}

func (freeHasher) Hash(context.Context, string) (string, error)         { return "the hash", nil }
func (freeHasher) Verify(context.Context, string, string) (bool, error) { return true, nil }
func (freeHasher) Decoy() string                                        { return "nobody's hash" }

// caught is a telephone network that keeps the last message.
type caught struct{ sms vneid.SMS }

func (c *caught) Take(_ context.Context, _ vneid.Tx, _ vneid.CCCD, m vneid.SMS) error {
	c.sms = m
	return nil
}

func (c *caught) Taken(context.Context, vneid.SMS) {}

// BenchmarkSignIn compares the first sign-in of ten thousand people of a seed
// with that of ten thousand of the population, without the password's hash.
func BenchmarkSignIn(b *testing.B) {
	const seeded = 10_000
	for name, century := range map[string]int{"seeded": 0, "population": 8} {
		b.Run(name, func(b *testing.B) {
			raw, err := storage.Open(b.Context(), "sqlite:"+b.TempDir()+"/sandbox.db?synchronous=normal", storage.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer raw.Close()
			policy := vneid.DefaultPolicy()
			policy.LoginsPerMinute = 1 << 30
			w := &vneid.World{ID: "default", Issuer: "http://localhost:9998", Salt: []byte("salt"), Clock: vneid.SystemClock{}, Policy: policy}
			ctx := vneid.WithWorld(b.Context(), w)
			store := people.Populate(raw, "the hash")
			number := func(century, i int) vneid.CCCD {
				return vneid.CCCD(fmt.Sprintf("038%d%02d%06d", century, 10+i/1_000_000, i%1_000_000))
			}
			d := people.Default("http")
			for i := range seeded {
				p, _ := people.Somebody(number(8, i))
				p.CCCD = number(0, i)
				d.Personas = append(d.Personas, p.Persona)
			}
			if err := people.Seed(ctx, store, w, "the hash", d); err != nil {
				b.Fatal(err)
			}
			network := &caught{}
			s := vneid.NewService(store, freeHasher{}, network, rand.Reader)
			browser := vneid.Browser{Secret: "a browser"}
			req := vneid.AuthRequest{ClientID: "thanhhoa-portal", RedirectURI: "http://127.0.0.1:9999/callback", Scopes: []string{"openid"}}
			next := 0
			b.ResetTimer()
			for range b.N {
				l, _, err := s.Begin(ctx, req, browser.Secret, vneid.Origin{})
				if err != nil {
					b.Fatal(err)
				}
				for { // some of the population are locked or have no phone
					next++
					if c := number(8, next%seeded); len(c) == 12 && plain(c) {
						break
					}
				}
				if _, err := s.SubmitPassword(ctx, l.ID, browser, string(number(century, next%seeded)), "x"); err != nil {
					b.Fatal(err)
				}
				if _, err := s.SubmitOTP(ctx, l.ID, browser, network.sms.OTP); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// plain reports whether nothing is special about somebody.
func plain(c vneid.CCCD) bool {
	a, ok := people.Somebody(c)
	return ok && a.Status == vneid.AccountActive && a.Phone != ""
}
