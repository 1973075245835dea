package storagetest

import (
	"errors"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func clientsOfASession(t *testing.T, s vneid.Store) {
	insertToken(t, s, vneid.Token{Hash: "1", SessionID: "s", ClientID: "b", Subject: "sub b", Kind: vneid.AccessToken})
	insertToken(t, s, vneid.Token{Hash: "2", SessionID: "s", ClientID: "a", Subject: "sub a", Kind: vneid.AccessToken})
	insertToken(t, s, vneid.Token{Hash: "3", SessionID: "s", ClientID: "a", Subject: "sub a", Kind: vneid.RefreshToken})
	insertToken(t, s, vneid.Token{Hash: "4", SessionID: "other", ClientID: "c", Subject: "sub c", Kind: vneid.AccessToken})
	insertToken(t, s, vneid.Token{Hash: "5", ClientID: "d", Subject: "sub d", Kind: vneid.AccessToken})
	list := func(sid string) []vneid.SessionClient {
		return get(t, s, world, func(tx vneid.Tx) ([]vneid.SessionClient, error) { return tx.ClientsOfSession(sid) })
	}
	equal(t, "clients", list("s"), []vneid.SessionClient{{ClientID: "a", Subject: "sub a"}, {ClientID: "b", Subject: "sub b"}})
	update(t, s, func(tx vneid.Tx) error { return tx.InsertLogin(&vneid.Login{ID: "l", Issuer: "http://vneid:9998"}) })
	insertToken(t, s, vneid.Token{Hash: "6", SessionID: "known", GrantID: "l", ClientID: "e", Subject: "sub e", Kind: vneid.AccessToken})
	equal(t, "the issuer they know", list("known"), []vneid.SessionClient{{ClientID: "e", Subject: "sub e", Issuer: "http://vneid:9998"}})
	if got := list(""); len(got) > 0 {
		t.Errorf("of no session: %v", got)
	}
}

func noticesComeWhenDue(t *testing.T, s vneid.Store) {
	notice := func(client string, due time.Time) *vneid.LogoutNotice {
		return &vneid.LogoutNotice{ClientID: client, SessionID: "s", Issuer: "http://vneid:9998", CreatedAt: noon, DueAt: due}
	}
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.PutLogoutNotice(notice("late", noon.Add(time.Hour))), tx.PutLogoutNotice(notice("soon", noon)),
			tx.PutLogoutNotice(notice("twice", noon)), tx.PutLogoutNotice(notice("twice", noon.Add(time.Minute))))
	})
	names := func(limit int) (list []string) {
		for _, n := range get(t, s, world, func(tx vneid.Tx) ([]vneid.LogoutNotice, error) { return tx.LogoutNotices(limit) }) {
			list = append(list, n.ClientID)
		}
		return list
	}
	equal(t, "in order", names(9), []string{"soon", "twice", "late"})
	equal(t, "some", names(1), []string{"soon"})
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.DeleteLogoutNotice("soon", "s"), tx.DeleteLogoutNotice("soon", "s"), tx.DeleteLogoutNotice("late", "another"))
	})
	equal(t, "left", names(9), []string{"twice", "late"})
}
