package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// neighboursDoNotHurtEachOther lets many Updates run at the same time, of
// which some fail, panic or are cancelled. A backend may commit several
// together, and nobody may notice.
func neighboursDoNotHurtEachOther(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "counter")
	mine := errors.New("mine")
	const n = 120
	err := together(n, func(i int) (err error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		defer func() {
			if r := recover(); r != nil && r != "ouch" {
				err = fmt.Errorf("%d: panic %v", i, r)
			}
		}()
		got := s.Update(ctx, world, func(tx vneid.Tx) error {
			if err := errors.Join(tx.InsertLogin(&vneid.Login{ID: fmt.Sprint(i)}), countUp("counter")(tx)); err != nil {
				return err
			}
			switch i % 5 {
			case 1:
				return mine
			case 2:
				panic("ouch")
			case 3:
				cancel()
				_, err := tx.Login("counter")
				return err
			}
			return nil
		})
		if want := map[int]error{1: mine, 3: context.Canceled}[i%5]; !errors.Is(got, want) {
			return fmt.Errorf("%d: got error %v, want %v", i, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		err := s.View(context.Background(), world, func(tx vneid.Tx) error { _, err := tx.Login(fmt.Sprint(i)); return err })
		if acknowledged := i%5 == 0 || i%5 == 4; (err == nil) != acknowledged {
			t.Errorf("login %d: %v, acknowledged: %v", i, err, acknowledged)
		}
	}
	equal(t, "counted", tries(t, s, "counter"), n/5*2)
}

// throttleCountsEveryone lets many count one key that did not exist: a limit
// on guesses must not be outrun by guessing at the same time.
func throttleCountsEveryone(t *testing.T, s vneid.Store) {
	const n, limit = 50, 5
	var refused atomic.Int32
	err := together(n, func(int) error {
		over := false
		err := s.Update(context.Background(), world, func(tx vneid.Tx) error {
			th, err := tx.Throttle("k")
			if err != nil {
				return err
			}
			if over = len(th.Times) >= limit; over {
				return nil
			}
			th.Times = append(th.Times, noon)
			return tx.PutThrottle(th)
		})
		if over {
			refused.Add(1)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := get(t, s, world, func(tx vneid.Tx) (*vneid.Throttle, error) { return tx.Throttle("k") })
	equal(t, "counted, refused", []int{len(got.Times), int(refused.Load())}, []int{limit, n - limit})
}

// revokedFamilyStaysRevoked lets a thief use an old refresh token while the
// client rotates the new one: whoever comes first, no token of the family may
// be alive in the end (RFC 9700 §4.14.2).
func revokedFamilyStaysRevoked(t *testing.T, s vneid.Store) {
	for round := range 20 {
		grant := fmt.Sprint("g", round)
		name := func(i int) string { return fmt.Sprint(grant, " ", i) }
		update(t, s, func(tx vneid.Tx) error {
			return tx.InsertTokens(
				&vneid.Token{Hash: name(0), GrantID: grant, UsedAt: noon, ExpiresAt: noon.Add(time.Hour)},
				&vneid.Token{Hash: name(1), GrantID: grant, ExpiresAt: noon.Add(time.Hour)})
		})
		rotated := 1
		err := together(2, func(i int) error {
			if i == 0 { // the thief
				return s.Update(context.Background(), world, func(tx vneid.Tx) error {
					first, err := tx.UseToken(name(0), noon)
					if err != nil || first {
						return errors.Join(err, errors.New("a used token was used again"))
					}
					return tx.RevokeGrant(grant, noon)
				})
			}
			for ; rotated < 4; rotated++ {
				ok := false
				err := s.Update(context.Background(), world, func(tx vneid.Tx) (err error) {
					if ok, err = tx.UseToken(name(rotated), noon); err != nil || !ok {
						return err
					}
					return tx.InsertTokens(&vneid.Token{Hash: name(rotated + 1), GrantID: grant, ExpiresAt: noon.Add(time.Hour)})
				})
				if err != nil || !ok {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range rotated + 1 {
			if tokenOf(t, s, name(i)).RevokedAt.IsZero() {
				t.Errorf("round %d: token %d of %d is not revoked", round, i, rotated)
			}
		}
	}
}

// opposingOrdersEnd lets Updates write two rows in opposite orders, which
// waits in a circle where rows are locked one by one.
func opposingOrdersEnd(t *testing.T, s vneid.Store) {
	insertLogin(t, s, "a")
	insertLogin(t, s, "b")
	err := together(8, func(i int) error {
		first, second := "a", "b"
		if i%2 == 1 {
			first, second = second, first
		}
		for range 5 {
			err := s.Update(context.Background(), world, func(tx vneid.Tx) error {
				if err := countUp(first)(tx); err != nil {
					return err
				}
				return countUp(second)(tx)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "tries", []int{tries(t, s, "a"), tries(t, s, "b")}, []int{40, 40})
}
