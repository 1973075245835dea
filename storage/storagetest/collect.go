package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// frozen is a clock that stands.
type frozen time.Time

func (f frozen) Now() time.Time { return time.Time(f) }

// collect removes what has expired at that time, and returns how much.
func collect(t *testing.T, s vneid.Store, at time.Time) int {
	t.Helper()
	n, err := s.Collect(context.Background(), &vneid.World{ID: world, Clock: frozen(at), Policy: vneid.DefaultPolicy()})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// left lists which of the rows that expired and lasting write are there.
func left(t *testing.T, s vneid.Store, in string) (names []string) {
	t.Helper()
	err := s.View(context.Background(), in, func(tx vneid.Tx) error {
		for _, name := range []string{"expired", "lasting"} {
			_, login := tx.Login(name)
			_, session := tx.SessionByID(name)
			_, token := tx.Token(name)
			throttle, err := tx.Throttle(name)
			if err != nil {
				return err
			}
			if len(throttle.Times) == 0 && throttle.LockedUntil.IsZero() {
				err = vneid.ErrNotFound
			}
			for what, err := range map[string]error{"login": login, "session": session, "token": token, "throttle": err} {
				if err == nil {
					names = append(names, name+" "+what)
				} else if !errors.Is(err, vneid.ErrNotFound) {
					return err
				}
			}
		}
		list, err := tx.SMSTo("", noon.Add(1000*time.Hour), 9)
		for _, m := range list {
			names = append(names, m.ID+" sms")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// oneOfEach writes a row of each kind that ends at that time.
func oneOfEach(name string, end time.Time) func(vneid.Tx) error {
	return func(tx vneid.Tx) error {
		return errors.Join(
			tx.InsertLogin(&vneid.Login{ID: name, CCCD: "1", CodeHash: "code " + name, ExpiresAt: end}),
			tx.InsertSession(&vneid.Session{ID: name, SecretHash: name, ExpiresAt: end}),
			tx.InsertTokens(&vneid.Token{Hash: name, GrantID: "another login", ExpiresAt: end}),
			tx.PutThrottle(&vneid.Throttle{Key: name, Times: []time.Time{end.Add(-time.Hour), end}}),
			tx.InsertSMS(&vneid.SMS{ID: name, To: "0950000001", SentAt: end, VisibleAt: end}))
	}
}

func expiredRowsLeave(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	const day = 24 * time.Hour
	err := errors.Join(s.Update(ctx, world, oneOfEach("expired", noon)), s.Update(ctx, world, oneOfEach("lasting", noon.Add(time.Hour))),
		s.Update(ctx, other, oneOfEach("expired", noon)))
	if err != nil {
		t.Fatal(err)
	}
	everything := filled("k") // rows that do not expire are not touched
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.PutAccount(&everything.account), tx.PutClient(&everything.client), tx.PutConsent(&everything.consent), tx.PutSigningKey(&everything.key))
	})
	var all []string
	for _, name := range []string{"expired", "lasting"} {
		all = append(all, name+" login", name+" session", name+" sms", name+" throttle", name+" token")
	}
	equal(t, "removed within a day", collect(t, s, noon.Add(day)), 0)
	equal(t, "left after a day", left(t, s, world), all)
	equal(t, "removed after a day", collect(t, s, noon.Add(day+time.Millisecond)), 5)
	equal(t, "left later", left(t, s, world), all[5:])
	equal(t, "left in another world", left(t, s, other), all[:5])
	equal(t, "removed later", collect(t, s, noon.Add(day+2*time.Hour)), 5)
	equal(t, "left in the end", left(t, s, world), []string(nil))
	view(t, s, func(tx vneid.Tx) error {
		_, err1 := tx.Account("k")
		_, err2 := tx.Client("k")
		_, err3 := tx.Consent("k", "k")
		keys, err4 := tx.SigningKeys()
		equal(t, "keys", len(keys), 1)
		return errors.Join(err1, err2, err3, err4)
	})
}

func tombstonesOutliveTheirTokens(t *testing.T, s vneid.Store) {
	const day = 24 * time.Hour
	update(t, s, func(tx vneid.Tx) error {
		l := &vneid.Login{ID: "l", CCCD: "1", State: vneid.StateRedeemed, CodeHash: "code", ExpiresAt: noon}
		return errors.Join(tx.InsertLogin(l),
			tx.InsertTokens(&vneid.Token{Hash: "used", GrantID: "l", Kind: vneid.RefreshToken, UsedAt: noon, ExpiresAt: noon.Add(30 * day)},
				&vneid.Token{Hash: "access", GrantID: "l", Kind: vneid.AccessToken, ExpiresAt: noon.Add(time.Hour)}))
	})
	there := func(wantLogin, wantUsed bool) {
		t.Helper()
		view(t, s, func(tx vneid.Tx) error {
			_, err1 := tx.LoginByCode("code")
			_, err2 := tx.Token("used")
			equal(t, "login and used refresh token are there", []bool{err1 == nil, err2 == nil}, []bool{wantLogin, wantUsed})
			return nil
		})
	}
	equal(t, "removed after two days", collect(t, s, noon.Add(2*day)), 1) // the access token
	there(true, true)
	equal(t, "removed after 31 days", collect(t, s, noon.Add(31*day)), 0)
	there(true, true)
	equal(t, "removed then", collect(t, s, noon.Add(31*day+time.Hour)), 2)
	there(false, false)
}

func loginsOfNobodyLeaveSoon(t *testing.T, s vneid.Store) {
	known := &vneid.Login{ID: "known later", ExpiresAt: noon}
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.InsertLogin(&vneid.Login{ID: "nobody", ExpiresAt: noon}), tx.InsertLogin(known))
	})
	update(t, s, func(tx vneid.Tx) error {
		known.CCCD = "1"
		return tx.SaveLogin(known)
	})
	equal(t, "removed within an hour", collect(t, s, noon.Add(time.Hour)), 0)
	equal(t, "removed after an hour", collect(t, s, noon.Add(time.Hour+time.Millisecond)), 1)
	notThere(t, s, "nobody")
	equal(t, "removed within a day", collect(t, s, noon.Add(24*time.Hour)), 0)
	equal(t, "removed after a day", collect(t, s, noon.Add(24*time.Hour+time.Millisecond)), 1)
}

func throttlesStayWhileTheyCount(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.PutThrottle(&vneid.Throttle{Key: "locked", Times: []time.Time{noon}, LockedUntil: noon.Add(48 * time.Hour)}),
			tx.PutThrottle(&vneid.Throttle{Key: "counts", Times: []time.Time{noon}}))
	})
	w := &vneid.World{ID: world, Clock: frozen(noon.Add(47 * time.Hour)), Policy: vneid.DefaultPolicy()}
	w.Policy.SMSWindow = 48 * time.Hour
	for _, c := range []struct {
		after   time.Duration
		removed int
	}{{47 * time.Hour, 0}, {49 * time.Hour, 1}, {97 * time.Hour, 1}} {
		w.Clock = frozen(noon.Add(c.after))
		n, err := s.Collect(context.Background(), w)
		if err != nil || n != c.removed {
			t.Errorf("after %v Collect removed %d, %v, want %d", c.after, n, err, c.removed)
		}
	}
}

func manyExpiredRowsLeave(t *testing.T, s vneid.Store) {
	const n = 1003 // several transactions
	update(t, s, func(tx vneid.Tx) error {
		for i := range n {
			end := noon.Add(time.Duration(i) * time.Millisecond)
			l := &vneid.Login{ID: fmt.Sprint(i), CCCD: "1", ExpiresAt: end}
			if err := errors.Join(tx.InsertLogin(l), tx.InsertTokens(&vneid.Token{Hash: fmt.Sprint(i), GrantID: l.ID, ExpiresAt: end})); err != nil {
				return err
			}
		}
		return nil
	})
	// Writers get their turn meanwhile.
	err := together(2, func(i int) error {
		if i == 0 {
			w := &vneid.World{ID: world, Clock: frozen(noon.Add(24*time.Hour + (n-3)*time.Millisecond))}
			_, err := s.Collect(context.Background(), w)
			return err
		}
		for k := range 20 {
			if err := s.Update(context.Background(), world, func(tx vneid.Tx) error {
				return tx.InsertLogin(&vneid.Login{ID: fmt.Sprint("new ", k), CCCD: "1", ExpiresAt: noon.Add(time.Hour)})
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "removed last", collect(t, s, noon.Add(24*time.Hour+n*time.Millisecond)), 6)
	notThere(t, s, "0")
	view(t, s, func(tx vneid.Tx) error { _, err := tx.Login("new 19"); return err })

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Collect(ctx, &vneid.World{ID: world, Clock: frozen(noon)})
	is(t, "Collect", err, context.Canceled)
}
