package storagetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func person(cccd vneid.CCCD, name string, phone vneid.PhoneNumber) *vneid.Account {
	return &vneid.Account{Persona: vneid.Persona{CCCD: cccd, Name: name, Phone: phone}}
}

func search(t *testing.T, s vneid.Store, query string, limit int) (found []string) {
	t.Helper()
	for _, a := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Account, error) { return tx.Accounts(query, limit) }) {
		found = append(found, string(a.CCCD[len(a.CCCD)-1:]))
	}
	return found
}

func accountsAreFound(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(
			tx.PutAccount(person("038198000003", "Đặng Thế Sơn", "0950000013")),
			tx.PutAccount(person("038198000001", "Nguyễn Văn An", "0950000001")),
			tx.PutAccount(person("001198000002", "NGUYỄN THỊ ÁNH", "")),
			tx.PutAccount(person("001198000004", "Nguyen Van Anh", "0860000004")))
	})
	for _, c := range []struct {
		query string
		limit int
		want  string // last digits, in order
	}{
		{"", 9, "2 4 1 3"},
		{"", 2, "2 4"},
		{"", 0, ""},
		{"", -1, ""},
		{"038198000001", 9, "1"},
		{"038 198 000 001", 9, "1"},
		{"0381", 9, "1 3"},
		{"0381", 1, "1"},
		{"0950000013", 9, "3"},
		{"+84 950.000.013", 9, "3"},
		{"08600", 9, "4"},
		{"Nguyễn Văn An", 9, "4 1"},
		{"nguyen van an", 9, "4 1"},
		{"NGUYỄN  văn  An", 9, "4 1"},
		{"Nguye\u0302\u0303n", 9, "2 4 1"},
		{"nguyễn thị", 9, "2"},
		{"ánh", 9, "2 4"},
		{"dang", 9, "3"},
		{"Đặng", 9, "3"},
		{"thế sơn", 9, "3"},
		{"văn nguyễn", 9, ""},
		{"%", 9, ""},
		{"_guyen", 9, ""},
		{"Trần", 9, ""},
	} {
		want := []string(nil)
		for _, d := range c.want {
			if d != ' ' {
				want = append(want, string(d))
			}
		}
		if got := search(t, s, c.query, c.limit); !slices.Equal(got, want) {
			t.Errorf("Accounts(%q, %d) found %v, want %v", c.query, c.limit, got, want)
		}
	}
}

func renamedAccountIsFound(t *testing.T, s vneid.Store) {
	for _, a := range []*vneid.Account{
		person("038198000001", "Lê Thị Hoa", "0950000001"),
		person("038198000001", "Lê Thị Huệ", "0950000001"), // the same words but one
		person("038198000001", "Phạm Huệ", "0950000009"),
	} {
		update(t, s, func(tx vneid.Tx) error { return tx.PutAccount(a) })
	}
	for query, want := range map[string]int{"le thi": 0, "hoa": 0, "0950000001": 0, "pham hue": 1, "hue": 1, "0950000009": 1, "038198000001": 1} {
		if got := search(t, s, query, 9); len(got) != want {
			t.Errorf("Accounts(%q) found %d, want %d", query, len(got), want)
		}
	}
}

func clientsAreListed(t *testing.T, s vneid.Store) {
	for _, id := range []string{"portal", "admin", "bank"} {
		update(t, s, func(tx vneid.Tx) error {
			return tx.PutClient(&vneid.Client{ClientMetadata: vneid.ClientMetadata{ClientID: id}})
		})
	}
	var ids []string
	for _, c := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Client, error) { return tx.Clients() }) {
		ids = append(ids, c.ClientID)
	}
	equal(t, "Clients", ids, []string{"admin", "bank", "portal"})
}

func codesAndSecretsAreUnique(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	update(t, s, func(tx vneid.Tx) error { // many may have none
		return errors.Join(tx.InsertLogin(&vneid.Login{ID: "a"}), tx.InsertLogin(&vneid.Login{ID: "b"}),
			tx.InsertSession(&vneid.Session{ID: "a"}), tx.InsertSession(&vneid.Session{ID: "b"}))
	})
	give := func(id, code, secret string) error {
		return s.Update(ctx, world, func(tx vneid.Tx) error {
			l, err1 := tx.Login(id)
			se, err2 := tx.SessionByID(id)
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			l.CodeHash, se.SecretHash = code, secret
			if err := tx.SaveLogin(l); err != nil {
				return err
			}
			return tx.SaveSession(se)
		})
	}
	if err := give("a", "c1", "s1"); err != nil {
		t.Fatal(err)
	}
	is(t, "a taken code", give("b", "c1", "s2"), vneid.ErrExists)
	is(t, "a taken secret", give("b", "c2", "s1"), vneid.ErrExists)
	// A new code or secret makes the old one void.
	if err := give("a", "c3", "s3"); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.LoginByCode("c1")
		is(t, "LoginByCode", err, vneid.ErrNotFound)
		_, err = tx.Session("s1")
		is(t, "Session", err, vneid.ErrNotFound)
		l, err1 := tx.LoginByCode("c3")
		se, err2 := tx.Session("s3")
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		equal(t, "ids", []string{l.ID, se.ID}, []string{"a", "a"})
		return nil
	})
}

func throttleBeginsEmpty(t *testing.T, s vneid.Store) {
	got := get(t, s, world, func(tx vneid.Tx) (*vneid.Throttle, error) { return tx.Throttle("pw:x") })
	equal(t, "Throttle", got, &vneid.Throttle{Key: "pw:x"})
}

func messagesShowInTime(t *testing.T, s vneid.Store) {
	send := func(id string, to vneid.PhoneNumber, sent, visible time.Time) {
		update(t, s, func(tx vneid.Tx) error {
			return tx.InsertSMS(&vneid.SMS{ID: id, To: to, SentAt: sent, VisibleAt: visible})
		})
	}
	const an, binh = "0950000001", "0950000002"
	send("late", an, noon, noon.Add(vneid.SMSLateBy))
	send("first", an, noon, noon)
	send("never", an, noon, time.Time{})
	send("second", an, noon, noon) // the same millisecond
	send("theirs", binh, noon, noon.Add(time.Second))

	for _, c := range []struct {
		to    vneid.PhoneNumber
		after time.Duration
		limit int
		want  []string
	}{
		{an, -time.Millisecond, 9, nil},
		{an, 0, 9, []string{"second", "first"}},
		{an, 0, 1, []string{"second"}},
		{an, 0, 0, nil},
		{an, vneid.SMSLateBy, 9, []string{"late", "second", "first"}},
		{binh, time.Hour, 9, []string{"theirs"}},
		{"", time.Hour, 9, []string{"late", "theirs", "second", "first"}},
		{"", time.Hour, 2, []string{"late", "theirs"}},
		{"0950000003", time.Hour, 9, nil},
	} {
		var ids []string
		for _, m := range get(t, s, world, func(tx vneid.Tx) ([]vneid.SMS, error) { return tx.SMSTo(c.to, noon.Add(c.after), c.limit) }) {
			ids = append(ids, m.ID)
		}
		if !slices.Equal(ids, c.want) {
			t.Errorf("SMSTo(%q, noon+%v, %d) lists %v, want %v", c.to, c.after, c.limit, ids, c.want)
		}
	}
}

func keysAreListed(t *testing.T, s vneid.Store) {
	for i, kid := range []string{"c", "a", "b"} {
		update(t, s, func(tx vneid.Tx) error {
			return tx.PutSigningKey(&vneid.SigningKey{KID: kid, State: vneid.KeyActive, CreatedAt: noon.Add(time.Duration(i) * time.Minute)})
		})
	}
	var kids []string
	for _, k := range get(t, s, world, func(tx vneid.Tx) ([]vneid.SigningKey, error) { return tx.SigningKeys() }) {
		kids = append(kids, k.KID)
	}
	equal(t, "SigningKeys", kids, []string{"c", "a", "b"})
}

func tokenOf(t *testing.T, s vneid.Store, hash string) *vneid.Token {
	t.Helper()
	return get(t, s, world, func(tx vneid.Tx) (*vneid.Token, error) { return tx.Token(hash) })
}

func tokenIsUsedOnce(t *testing.T, s vneid.Store) {
	insertToken(t, s, vneid.Token{Hash: "fresh"})
	insertToken(t, s, vneid.Token{Hash: "revoked"})
	update(t, s, func(tx vneid.Tx) error { return tx.RevokeToken("revoked", noon) })
	use := func(hash string, at time.Time) (won bool) {
		update(t, s, func(tx vneid.Tx) (err error) {
			won, err = tx.UseToken(hash, at)
			return err
		})
		return won
	}
	got := []bool{use("fresh", noon), use("fresh", noon.Add(time.Hour)), use("revoked", noon), use("unknown", noon)}
	equal(t, "UseToken of a fresh, a used, a revoked and an unknown token", got, []bool{true, false, false, false})
	equal(t, "UsedAt", tokenOf(t, s, "fresh").UsedAt, noon)

	err := s.Update(context.Background(), world, func(tx vneid.Tx) error {
		_, err := tx.UseToken("revoked", time.Time{})
		return err
	})
	if err == nil {
		t.Error("UseToken took the zero time, which means unused")
	}
	// Used and then revoked: both times are kept, and the first revocation counts.
	for i := range 2 {
		update(t, s, func(tx vneid.Tx) error { return tx.RevokeToken("fresh", noon.Add(time.Duration(i+1)*time.Minute)) })
	}
	equal(t, "RevokedAt", tokenOf(t, s, "fresh").RevokedAt, noon.Add(time.Minute))
	equal(t, "UsedAt", tokenOf(t, s, "fresh").UsedAt, noon)
	update(t, s, func(tx vneid.Tx) error { return tx.RevokeToken("unknown", noon) })
}

func revoked(t *testing.T, s vneid.Store, hashes ...string) (list []string) {
	t.Helper()
	for _, h := range hashes {
		if !tokenOf(t, s, h).RevokedAt.IsZero() {
			list = append(list, h)
		}
	}
	return list
}

func grantIsRevoked(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		return tx.InsertTokens(&vneid.Token{Hash: "a1", GrantID: "g1", Kind: vneid.AccessToken},
			&vneid.Token{Hash: "r1", GrantID: "g1", Kind: vneid.RefreshToken, UsedAt: noon}, &vneid.Token{Hash: "a2", GrantID: "g2"})
	})
	update(t, s, func(tx vneid.Tx) error { return errors.Join(tx.RevokeGrant("g1", noon), tx.RevokeGrant("none", noon)) })
	equal(t, "revoked", revoked(t, s, "a1", "r1", "a2"), []string{"a1", "r1"})
}

func sessionTokensAreRevoked(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		return tx.InsertTokens(&vneid.Token{Hash: "access", SessionID: "s1", Kind: vneid.AccessToken},
			&vneid.Token{Hash: "refresh", SessionID: "s1", Kind: vneid.RefreshToken},
			&vneid.Token{Hash: "elsewhere", SessionID: "s2", Kind: vneid.AccessToken},
			&vneid.Token{Hash: "nowhere", Kind: vneid.AccessToken})
	})
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.RevokeSessionTokens("s1", noon), tx.RevokeSessionTokens("", noon))
	})
	equal(t, "revoked", revoked(t, s, "access", "refresh", "elsewhere", "nowhere"), []string{"access"})
}

func sessionsOfBrowserAreFound(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.InsertSession(&vneid.Session{ID: "1", BrowserHash: "b"}), tx.InsertSession(&vneid.Session{ID: "2", BrowserHash: "b"}),
			tx.InsertSession(&vneid.Session{ID: "ended", BrowserHash: "b", EndedAt: noon}),
			tx.InsertSession(&vneid.Session{ID: "elsewhere", BrowserHash: "c"}), tx.InsertSession(&vneid.Session{ID: "unknown"}))
	})
	if err := s.Update(context.Background(), other, func(tx vneid.Tx) error {
		return tx.InsertSession(&vneid.Session{ID: "3", BrowserHash: "b"})
	}); err != nil {
		t.Fatal(err)
	}
	found := func(browser string) (ids []string) {
		for _, se := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Session, error) { return tx.SessionsOfBrowser(browser) }) {
			ids = append(ids, se.ID)
		}
		slices.Sort(ids)
		return ids
	}
	equal(t, "of the browser", found("b"), []string{"1", "2"})
	equal(t, "of none", found(""), []string(nil))
	equal(t, "of a name with NUL", found("b\x00"), []string(nil))
	// What was read is saved like any other session, and no longer found once it ended.
	update(t, s, func(tx vneid.Tx) error {
		list, err := tx.SessionsOfBrowser("b")
		for i := range list {
			list[i].EndedAt = noon
			err = errors.Join(err, tx.SaveSession(&list[i]))
		}
		return err
	})
	equal(t, "after their end", found("b"), []string(nil))
}
