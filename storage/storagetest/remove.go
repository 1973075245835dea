package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const (
	an   vneid.CCCD = "038198000001"
	binh vneid.CCCD = "038198000002"
)

func sessionsAreListed(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(
			tx.InsertSession(&vneid.Session{ID: "first", CCCD: an, CreatedAt: noon}),
			tx.InsertSession(&vneid.Session{ID: "second", CCCD: an, CreatedAt: noon.Add(time.Minute)}),
			tx.InsertSession(&vneid.Session{ID: "ended", CCCD: an, CreatedAt: noon, EndedAt: noon}),
			tx.InsertSession(&vneid.Session{ID: "hers", CCCD: binh, CreatedAt: noon.Add(time.Second)}))
	})
	if err := s.Update(context.Background(), other, func(tx vneid.Tx) error {
		return tx.InsertSession(&vneid.Session{ID: "elsewhere", CCCD: an, CreatedAt: noon})
	}); err != nil {
		t.Fatal(err)
	}
	ids := func(c vneid.CCCD, limit int) (ids []string) {
		for _, se := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Session, error) { return tx.Sessions(c, limit) }) {
			ids = append(ids, se.ID)
		}
		return ids
	}
	equal(t, "of everybody", ids("", 9), []string{"second", "hers", "first"})
	equal(t, "of a person", ids(an, 9), []string{"second", "first"})
	equal(t, "the newest", ids(an, 1), []string{"second"})
	equal(t, "none", ids("", 0), []string(nil))
	equal(t, "of nobody", ids("x\x00", 9), []string(nil))
}

func tokensOfSomebodyAreRevoked(t *testing.T, s vneid.Store) {
	insertToken(t, s, vneid.Token{Hash: "an shop", CCCD: an, ClientID: "shop"})
	insertToken(t, s, vneid.Token{Hash: "an bank", CCCD: an, ClientID: "bank"})
	insertToken(t, s, vneid.Token{Hash: "binh shop", CCCD: binh, ClientID: "shop"})
	insertToken(t, s, vneid.Token{Hash: "shop's own", ClientID: "shop"})
	revoked := func() (list []bool) {
		for _, hash := range []string{"an shop", "an bank", "binh shop", "shop's own"} {
			list = append(list, !tokenOf(t, s, hash).RevokedAt.IsZero())
		}
		return list
	}
	update(t, s, func(tx vneid.Tx) error { return tx.RevokeTokensOf("", "", noon) })
	equal(t, "of nobody", revoked(), []bool{false, false, false, false})
	update(t, s, func(tx vneid.Tx) error { return tx.RevokeTokensOf(an, "", noon) })
	equal(t, "of a person", revoked(), []bool{true, true, false, false})
	update(t, s, func(tx vneid.Tx) error { return tx.RevokeTokensOf("", "shop", noon) })
	equal(t, "of a client", revoked(), []bool{true, true, true, true})
}

func accountIsDeletedWithWhatIsTheirs(t *testing.T, s vneid.Store) {
	for _, c := range []vneid.CCCD{an, binh} {
		id := string(c)
		update(t, s, func(tx vneid.Tx) error {
			return errors.Join(tx.PutAccount(person(c, "Nguyễn Văn An", "0950000001")), tx.PutDevice(&vneid.Device{CCCD: c, ID: id}),
				tx.PutActivation(&vneid.Activation{ID: id, CCCD: c}), tx.PutHandset(&vneid.Handset{ID: id, CCCD: c, DeviceID: id}),
				tx.PutConsent(&vneid.Consent{CCCD: c, ClientID: "shop"}))
		})
	}
	update(t, s, func(tx vneid.Tx) error { return tx.DeleteAccount(an) })
	there := func(c vneid.CCCD) (list []bool) {
		view(t, s, func(tx vneid.Tx) error {
			_, e1 := tx.Account(c)
			_, e2 := tx.DeviceOf(c)
			_, e3 := tx.Activation(string(c))
			_, e4 := tx.Handset(string(c))
			_, e5 := tx.Consent(c, "shop")
			list = nil
			for _, err := range []error{e1, e2, e3, e4, e5} {
				if err != nil && !errors.Is(err, vneid.ErrNotFound) {
					return err
				}
				list = append(list, err == nil)
			}
			return nil
		})
		return list
	}
	equal(t, "of the deleted", there(an), []bool{false, false, false, false, false})
	equal(t, "of the other", there(binh), []bool{true, true, true, true, true})
	equal(t, "found by name", search(t, s, "nguyen", 9), []string{"2"})
	is(t, "again", s.Update(context.Background(), world, func(tx vneid.Tx) error { return tx.DeleteAccount(an) }), vneid.ErrNotFound)
	is(t, "with NUL", s.Update(context.Background(), world, func(tx vneid.Tx) error { return tx.DeleteAccount("\x00") }), vneid.ErrNotFound)
}

func clientIsDeletedWithWhatItWasGiven(t *testing.T, s vneid.Store) {
	for _, id := range []string{"shop", "bank"} {
		update(t, s, func(tx vneid.Tx) error {
			return errors.Join(tx.PutClient(&vneid.Client{ClientMetadata: vneid.ClientMetadata{ClientID: id}}),
				tx.PutConsent(&vneid.Consent{CCCD: an, ClientID: id}), tx.PutLogoutNotice(&vneid.LogoutNotice{ClientID: id, SessionID: "s", DueAt: noon}))
		})
	}
	update(t, s, func(tx vneid.Tx) error { return tx.DeleteClient("shop") })
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.Client("shop")
		is(t, "Client", err, vneid.ErrNotFound)
		_, err = tx.Consent(an, "shop")
		is(t, "Consent", err, vneid.ErrNotFound)
		if _, err := tx.Client("bank"); err != nil {
			t.Errorf("the other client: %v", err)
		}
		_, err = tx.Consent(an, "bank")
		return err
	})
	notices := get(t, s, world, func(tx vneid.Tx) ([]vneid.LogoutNotice, error) { return tx.LogoutNotices(9) })
	if len(notices) != 1 || notices[0].ClientID != "bank" {
		t.Errorf("notices that are left: %v", notices)
	}
	is(t, "again", s.Update(context.Background(), world, func(tx vneid.Tx) error { return tx.DeleteClient("shop") }), vneid.ErrNotFound)
}
