package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func oneDeviceEach(t *testing.T, s vneid.Store) {
	put := func(id string, of vneid.CCCD) {
		t.Helper()
		update(t, s, func(tx vneid.Tx) error { return tx.PutDevice(&vneid.Device{CCCD: of, ID: id}) })
	}
	put("a", "1")
	put("b", "2")
	put("c", "1")
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.Device("a")
		is(t, "the former device", err, vneid.ErrNotFound)
		for of, want := range map[vneid.CCCD]string{"1": "c", "2": "b"} {
			d, err := tx.DeviceOf(of)
			if err != nil || d.ID != want {
				t.Errorf("device of %s: %+v, %v, want %s", of, d, err, want)
			}
		}
		return nil
	})
	// Many activate at once: one device is left, and it is one of theirs.
	err := together(20, func(i int) error {
		return s.Update(context.Background(), world, func(tx vneid.Tx) error {
			return tx.PutDevice(&vneid.Device{CCCD: "1", ID: fmt.Sprint("racer ", i)})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	view(t, s, func(tx vneid.Tx) error {
		for i := range 20 {
			if _, err := tx.Device(fmt.Sprint("racer ", i)); err == nil {
				n++
			} else {
				is(t, "a racer", err, vneid.ErrNotFound)
			}
		}
		return nil
	})
	equal(t, "devices left", n, 1)
}

func activationIsDeletedOnce(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error { return tx.PutActivation(&vneid.Activation{ID: "a"}) })
	var won, lost int
	results := make(chan error, 16)
	err := together(16, func(int) error {
		results <- s.Update(context.Background(), world, func(tx vneid.Tx) error { return tx.DeleteActivation("a") })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 16 {
		switch err := <-results; {
		case err == nil:
			won++
		case errors.Is(err, vneid.ErrNotFound):
			lost++
		default:
			t.Error(err)
		}
	}
	equal(t, "won, lost", []int{won, lost}, []int{1, 15})
}

func loginsOfAPerson(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		var errs []error
		for i := range 5 {
			errs = append(errs, tx.InsertLogin(&vneid.Login{ID: fmt.Sprint(i), CCCD: "1", CreatedAt: noon.Add(time.Duration(i) * time.Minute)}))
		}
		errs = append(errs, tx.InsertLogin(&vneid.Login{ID: "theirs", CCCD: "2", CreatedAt: noon}), tx.InsertLogin(&vneid.Login{ID: "nobody's", CreatedAt: noon}))
		return errors.Join(errs...)
	})
	ids := func(c vneid.CCCD, since time.Time, limit int) (list []string) {
		for _, l := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Login, error) { return tx.LoginsOf(c, since, limit) }) {
			list = append(list, l.ID)
		}
		return list
	}
	equal(t, "all", ids("1", time.Time{}, 9), []string{"4", "3", "2", "1", "0"})
	equal(t, "some", ids("1", noon.Add(2*time.Minute), 2), []string{"4", "3"})
	equal(t, "since", ids("1", noon.Add(3*time.Minute), 9), []string{"4", "3"})
	equal(t, "nobody's", ids("", time.Time{}, 9), []string(nil))
	equal(t, "none", ids("1", time.Time{}, 0), []string(nil))
}

func newestShortCode(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(
			tx.InsertLogin(&vneid.Login{ID: "old", CreatedAt: noon, QR: vneid.QR{ShortHash: "h"}}),
			tx.InsertLogin(&vneid.Login{ID: "new", CreatedAt: noon.Add(time.Second), QR: vneid.QR{ShortHash: "h"}}),
			tx.InsertLogin(&vneid.Login{ID: "none", CreatedAt: noon.Add(time.Minute)}))
	})
	l := get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.LoginByQRShort("h") })
	equal(t, "found", l.ID, "new")
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.LoginByQRShort("")
		is(t, "the empty code", err, vneid.ErrNotFound)
		return nil
	})
}

func wakesAfterCommit(t *testing.T, s vneid.Store) {
	heard := make(chan [2]string, 100)
	stop := s.Watch(func(world, login string) { heard <- [2]string{world, login} })
	insertLogin(t, s, "l")
	refused := errors.New("refused")
	err := s.Update(context.Background(), world, func(tx vneid.Tx) error { return errors.Join(tx.Wake("l"), refused) })
	is(t, "the failed Update", err, refused)
	select {
	case w := <-heard:
		t.Fatalf("woken by %v, which was never committed", w)
	case <-time.After(50 * time.Millisecond):
	}
	update(t, s, func(tx vneid.Tx) error {
		if err := tx.Wake("l"); err != nil {
			return err
		}
		select {
		case w := <-heard:
			return fmt.Errorf("woken by %v before the commit", w)
		default:
			return nil
		}
	})
	select {
	case w := <-heard:
		equal(t, "heard", w, [2]string{world, "l"})
	case <-time.After(5 * time.Second):
		t.Fatal("nobody was woken")
	}
	stop()
	update(t, s, func(tx vneid.Tx) error { return tx.Wake("l") })
	select {
	case w := <-heard:
		t.Fatalf("heard %v after stopping", w)
	case <-time.After(50 * time.Millisecond):
	}
}
