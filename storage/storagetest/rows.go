package storagetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// everything is one filled value of each kind, all with keys of that name.
type everything struct {
	account vneid.Account
	client  vneid.Client
	login   vneid.Login
	session vneid.Session
	consent vneid.Consent
	tokens  [2]vneid.Token
	hits    vneid.Throttle
	key     vneid.SigningKey
	sms     vneid.SMS
	device  vneid.Device
	begun   vneid.Activation
	handset vneid.Handset
	entry   vneid.RegisterEntry
	asker   vneid.RegisterConsumer
	notice  vneid.LogoutNotice
	record  vneid.Record
	traffic vneid.Traffic
}

func filled(key string) *everything {
	e := &everything{}
	fill(&e.account, key)
	fill(&e.client, key)
	fill(&e.login, key)
	fill(&e.session, key)
	fill(&e.consent, key)
	fill(&e.tokens[0], key)
	fill(&e.tokens[1], key)
	fill(&e.hits, key)
	fill(&e.key, key)
	fill(&e.sms, key)
	fill(&e.device, key)
	fill(&e.begun, key)
	fill(&e.handset, key)
	fill(&e.entry, key)
	fill(&e.asker, key)
	fill(&e.notice, key)
	fill(&e.record, key)
	for i := range e.record.Steps {
		for j := range e.record.Steps[i].Tokens { // any JSON, and not base64
			e.record.Steps[i].Tokens[j].Header, e.record.Steps[i].Tokens[j].Claims = []byte(`{"alg":"none"}`), []byte(`{"name":"Đặng \""}`)
		}
	}
	fill(&e.traffic, key)
	e.rename(key)
	return e
}

// rename gives all values keys that the tests know.
func (e *everything) rename(key string) {
	e.account.CCCD, e.account.CMND = vneid.CCCD(key), "cmnd "+key
	e.notice.ClientID, e.notice.SessionID = key, key
	e.tokens[0].SessionID, e.tokens[1].SessionID = "session "+key, "session "+key
	e.entry.CCCD, e.asker.KeyHash = vneid.CCCD(key), key
	e.client.ClientID = key
	e.login.ID, e.login.CodeHash, e.login.CCCD, e.login.QR.ShortHash = key, "code "+key, vneid.CCCD(key), "short "+key
	e.session.ID, e.session.SecretHash = key, "secret "+key
	e.consent.CCCD, e.consent.ClientID = vneid.CCCD(key), key
	e.tokens[0].Hash, e.tokens[1].Hash = key+" 0", key+" 1"
	e.hits.Key = key
	e.record.ID, e.record.SessionID = key, "session "+key
	e.key.KID = key
	e.sms.ID, e.sms.To = key, vneid.PhoneNumber(key)
	e.device.CCCD, e.device.ID = vneid.CCCD(key), "device "+key
	e.begun.ID = key
	e.handset.ID, e.handset.DeviceID = key, "device "+key
}

func (e *everything) write(tx vneid.Tx) error {
	return errors.Join(
		tx.PutAccount(&e.account), tx.PutClient(&e.client), tx.InsertLogin(&e.login), tx.InsertSession(&e.session),
		tx.PutConsent(&e.consent), tx.InsertTokens(&e.tokens[0], &e.tokens[1]), tx.PutThrottle(&e.hits),
		tx.PutSigningKey(&e.key), tx.InsertSMS(&e.sms), tx.PutDevice(&e.device), tx.PutActivation(&e.begun), tx.PutHandset(&e.handset),
		tx.PutRegisterEntry(&e.entry), tx.PutRegisterConsumer(&e.asker), tx.PutLogoutNotice(&e.notice), e.writeRecord(tx))
}

// writeRecord writes a record and its steps once: they only grow.
func (e *everything) writeRecord(tx vneid.Tx) error {
	part := e.record
	if _, err := tx.Record(part.ID); err == nil {
		part.Steps = nil
	}
	return errors.Join(tx.AddToRecord(&part), tx.AddTraffic(&e.traffic))
}

// check reads everything back through every getter.
func (e *everything) check(t *testing.T, s vneid.Store, in, key string) {
	t.Helper()
	equal(t, "Account", get(t, s, in, func(tx vneid.Tx) (*vneid.Account, error) { return tx.Account(vneid.CCCD(key)) }), &e.account)
	equal(t, "Accounts", get(t, s, in, func(tx vneid.Tx) ([]vneid.Account, error) { return tx.Accounts("", 9) }), []vneid.Account{e.account})
	equal(t, "AccountsByCMND", get(t, s, in, func(tx vneid.Tx) ([]vneid.Account, error) { return tx.AccountsByCMND("cmnd "+key, 9) }), []vneid.Account{e.account})
	equal(t, "RegisterEntry", get(t, s, in, func(tx vneid.Tx) (*vneid.RegisterEntry, error) { return tx.RegisterEntry(vneid.CCCD(key)) }), &e.entry)
	equal(t, "RegisterConsumer", get(t, s, in, func(tx vneid.Tx) (*vneid.RegisterConsumer, error) { return tx.RegisterConsumer(key) }), &e.asker)
	equal(t, "LogoutNotices", get(t, s, in, func(tx vneid.Tx) ([]vneid.LogoutNotice, error) { return tx.LogoutNotices(9) }), []vneid.LogoutNotice{e.notice})
	equal(t, "Client", get(t, s, in, func(tx vneid.Tx) (*vneid.Client, error) { return tx.Client(key) }), &e.client)
	equal(t, "Clients", get(t, s, in, func(tx vneid.Tx) ([]vneid.Client, error) { return tx.Clients() }), []vneid.Client{e.client})
	equal(t, "Login", get(t, s, in, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login(key) }), &e.login)
	equal(t, "LoginByCode", get(t, s, in, func(tx vneid.Tx) (*vneid.Login, error) { return tx.LoginByCode("code " + key) }), &e.login)
	equal(t, "LoginByQRShort", get(t, s, in, func(tx vneid.Tx) (*vneid.Login, error) { return tx.LoginByQRShort("short " + key) }), &e.login)
	equal(t, "LoginsOf", get(t, s, in, func(tx vneid.Tx) ([]vneid.Login, error) { return tx.LoginsOf(vneid.CCCD(key), time.Time{}, 9) }), []vneid.Login{e.login})
	equal(t, "LoginVersions", get(t, s, in, func(tx vneid.Tx) (map[string]int, error) { return tx.LoginVersions([]string{key, "nobody's"}) }), map[string]int{key: e.login.Version})
	equal(t, "Device", get(t, s, in, func(tx vneid.Tx) (*vneid.Device, error) { return tx.Device("device " + key) }), &e.device)
	equal(t, "DeviceOf", get(t, s, in, func(tx vneid.Tx) (*vneid.Device, error) { return tx.DeviceOf(vneid.CCCD(key)) }), &e.device)
	equal(t, "Activation", get(t, s, in, func(tx vneid.Tx) (*vneid.Activation, error) { return tx.Activation(key) }), &e.begun)
	equal(t, "Handset", get(t, s, in, func(tx vneid.Tx) (*vneid.Handset, error) { return tx.Handset(key) }), &e.handset)
	equal(t, "HandsetOf", get(t, s, in, func(tx vneid.Tx) (*vneid.Handset, error) { return tx.HandsetOf("device " + key) }), &e.handset)
	equal(t, "Session", get(t, s, in, func(tx vneid.Tx) (*vneid.Session, error) { return tx.Session("secret " + key) }), &e.session)
	equal(t, "SessionByID", get(t, s, in, func(tx vneid.Tx) (*vneid.Session, error) { return tx.SessionByID(key) }), &e.session)
	equal(t, "Consent", get(t, s, in, func(tx vneid.Tx) (*vneid.Consent, error) { return tx.Consent(vneid.CCCD(key), key) }), &e.consent)
	equal(t, "Token", get(t, s, in, func(tx vneid.Tx) (*vneid.Token, error) { return tx.Token(key + " 1") }), &e.tokens[1])
	equal(t, "Throttle", get(t, s, in, func(tx vneid.Tx) (*vneid.Throttle, error) { return tx.Throttle(key) }), &e.hits)
	equal(t, "SigningKeys", get(t, s, in, func(tx vneid.Tx) ([]vneid.SigningKey, error) { return tx.SigningKeys() }), []vneid.SigningKey{e.key})
	equal(t, "Record", get(t, s, in, func(tx vneid.Tx) (*vneid.Record, error) { return tx.Record(key) }), &e.record)
	equal(t, "Traffic", get(t, s, in, func(tx vneid.Tx) ([]vneid.Traffic, error) {
		list, err := tx.Traffic(time.UnixMilli(-1), 9)
		return list[len(list)-1:], err
	}), []vneid.Traffic{e.traffic})
	for _, to := range []vneid.PhoneNumber{vneid.PhoneNumber(key), ""} {
		equal(t, "SMSTo", get(t, s, in, func(tx vneid.Tx) ([]vneid.SMS, error) { return tx.SMSTo(to, noon.Add(time.Hour), 9) }), []vneid.SMS{e.sms})
	}
}

func everyFieldComesBack(t *testing.T, s vneid.Store) {
	e := filled("k")
	update(t, s, e.write)
	e.check(t, s, world, "k")

	again := filled("other values") // every column differs, none may stay behind
	again.rename("k")
	again.login.Version, again.session.Version = e.login.Version, e.session.Version
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.PutAccount(&again.account), tx.PutClient(&again.client), tx.SaveLogin(&again.login),
			tx.SaveSession(&again.session), tx.PutConsent(&again.consent), tx.PutThrottle(&again.hits), tx.PutSigningKey(&again.key),
			tx.PutDevice(&again.device), tx.PutActivation(&again.begun), tx.PutHandset(&again.handset),
			tx.PutRegisterEntry(&again.entry), tx.PutRegisterConsumer(&again.asker), tx.PutLogoutNotice(&again.notice))
	})
	if again.login.Version != e.login.Version+1 || again.session.Version != e.session.Version+1 {
		t.Errorf("versions after saving: %d and %d, want %d and %d", again.login.Version, again.session.Version, e.login.Version+1, e.session.Version+1)
	}
	again.tokens, again.sms, again.record, again.traffic = e.tokens, e.sms, e.record, e.traffic // which are written once
	again.check(t, s, world, "k")
}

func zeroValuesComeBack(t *testing.T, s vneid.Store) {
	e := &everything{}
	e.rename("k")
	e.sms.VisibleAt = noon
	update(t, s, e.write)
	e.check(t, s, world, "k")
}

func timesComeBackInUTC(t *testing.T, s vneid.Store) {
	saigon := time.FixedZone("ICT", 7*3600)
	at := time.Date(2026, 11, 22, 12, 0, 0, 123_999_999, saigon)
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(
			tx.InsertLogin(&vneid.Login{ID: "l", CreatedAt: at, Auth: vneid.Authentication{Time: at}}),
			tx.PutThrottle(&vneid.Throttle{Key: "k", Times: []time.Time{at}, LockedUntil: at}))
	})
	l := get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login("l") })
	h := get(t, s, world, func(tx vneid.Tx) (*vneid.Throttle, error) { return tx.Throttle("k") })
	for name, got := range map[string]time.Time{"CreatedAt": l.CreatedAt, "Auth.Time": l.Auth.Time, "Times": h.Times[0], "LockedUntil": h.LockedUntil} {
		equal(t, name, got, noon)
	}
	if !l.ExpiresAt.IsZero() || !l.OTP.SentAt.IsZero() {
		t.Errorf("zero times came back as %v and %v", l.ExpiresAt, l.OTP.SentAt)
	}
}

func textsComeBackExactly(t *testing.T, s vneid.Store) {
	for name, text := range map[string]string{
		"composed":      "Nguyễn Thị Đượm",
		"decomposed":    "Nguye\u0302\u0303n",
		"quotes":        `'; DROP TABLE accounts; -- " ? $1 %`,
		"emoji":         "👩🏽‍💻",
		"replacement":   "\ufffd",
		"long":          strings.Repeat("ạ", 70_000),
		"NUL":           "a\x00b",
		"not UTF-8":     "a\xffb",
		"half a letter": "a\xe1\xba",
		"surrogate":     "a\xed\xa0\x80b",
		"spaces":        "  \t a \r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l := &vneid.Login{ID: "login " + name, Issuer: text}
			l.Request.State = text
			a := &vneid.Account{Persona: vneid.Persona{CCCD: vneid.CCCD(name), Note: text, Address: &vneid.Address{Street: text}}}
			ctx := context.Background()
			for what, write := range map[string]func(tx vneid.Tx) error{
				"login":   func(tx vneid.Tx) error { return tx.InsertLogin(l) },
				"account": func(tx vneid.Tx) error { return tx.PutAccount(a) },
			} {
				err := s.Update(ctx, world, write)
				switch {
				case err != nil && !vneid.IsCode(err, vneid.CodeInvalid):
					t.Errorf("%s: refused with %v, want a vneid.Error that says invalid", what, err)
				case err == nil && what == "login":
					equal(t, what, get(t, s, world, func(tx vneid.Tx) (*vneid.Login, error) { return tx.Login(l.ID) }), l)
				case err == nil:
					equal(t, what, get(t, s, world, func(tx vneid.Tx) (*vneid.Account, error) { return tx.Account(a.CCCD) }), a)
				}
			}
			// As a key it finds nothing, and breaks nothing.
			is(t, "Login", s.View(ctx, world, func(tx vneid.Tx) error { _, err := tx.Login(text); return err }), vneid.ErrNotFound)
			get(t, s, world, func(tx vneid.Tx) ([]vneid.Account, error) { return tx.Accounts(text, 9) })
		})
	}
}

func valuesReadAreCopies(t *testing.T, s vneid.Store) {
	e := filled("k")
	update(t, s, e.write)
	want := filled("k")
	// What was handed in, and what was handed out, belongs to the caller.
	e.account.Address.Street, e.login.Request.Scopes[0], e.key.PKCS8[0] = "x", "x", 0
	for range 2 {
		update(t, s, func(tx vneid.Tx) error {
			a, err1 := tx.Account("k")
			l, err2 := tx.Login("k")
			c, err3 := tx.Client("k")
			h, err4 := tx.Throttle("k")
			keys, err5 := tx.SigningKeys()
			if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
				return err
			}
			a.Address.Street, l.Request.Scopes[0], *c.RequirePKCE, keys[0].PKCS8[0] = "x", "x", false, 0
			h.Times[0] = time.Time{}
			return nil
		})
	}
	want.check(t, s, world, "k")
}

func absentIsNotFound(t *testing.T, s vneid.Store) {
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.Account("038198000001")
		is(t, "Account", err, vneid.ErrNotFound)
		_, err = tx.Client("c")
		is(t, "Client", err, vneid.ErrNotFound)
		_, err = tx.Login("l")
		is(t, "Login", err, vneid.ErrNotFound)
		_, err = tx.Session("s")
		is(t, "Session", err, vneid.ErrNotFound)
		_, err = tx.SessionByID("s")
		is(t, "SessionByID", err, vneid.ErrNotFound)
		_, err = tx.Consent("038198000001", "c")
		is(t, "Consent", err, vneid.ErrNotFound)
		_, err = tx.Token("t")
		is(t, "Token", err, vneid.ErrNotFound)
		return nil
	})
	// Logins without a code and sessions without a secret are not found by
	// the empty one.
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.InsertLogin(&vneid.Login{ID: "l"}), tx.InsertSession(&vneid.Session{ID: "s"}))
	})
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.LoginByCode("")
		is(t, "LoginByCode", err, vneid.ErrNotFound)
		_, err = tx.Session("")
		is(t, "Session", err, vneid.ErrNotFound)
		return nil
	})
	err := s.Update(context.Background(), world, func(tx vneid.Tx) error { return tx.SaveLogin(&vneid.Login{ID: "none"}) })
	is(t, "SaveLogin", err, vneid.ErrNotFound)
	err = s.Update(context.Background(), world, func(tx vneid.Tx) error { return tx.SaveSession(&vneid.Session{ID: "none"}) })
	is(t, "SaveSession", err, vneid.ErrNotFound)
}

func takenKeyExists(t *testing.T, s vneid.Store) {
	first, second := filled("k"), filled("k")
	update(t, s, first.write)
	second.login.Issuer, second.session.CCCD, second.sms.Text = "x", "x", "x"
	// The refusals do not spoil the transaction: what follows is committed.
	// They may come in a second run only.
	var got map[string]error
	update(t, s, func(tx vneid.Tx) error {
		got = map[string]error{
			"InsertLogin": tx.InsertLogin(&second.login), "InsertSession": tx.InsertSession(&second.session),
			"InsertSMS": tx.InsertSMS(&second.sms), "InsertTokens": tx.InsertTokens(&vneid.Token{Hash: "new"}, &second.tokens[0]),
		}
		return tx.InsertTokens(&vneid.Token{Hash: "after"})
	})
	for what, err := range got {
		is(t, what, err, vneid.ErrExists)
	}
	first.check(t, s, world, "k")
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.Token("new")
		is(t, "token inserted beside a taken one", err, vneid.ErrNotFound)
		_, err = tx.Token("after")
		return err
	})
}

func putReplaces(t *testing.T, s vneid.Store) {
	e := filled("k")
	update(t, s, e.write)
	empty := &everything{}
	empty.rename("k")
	update(t, s, func(tx vneid.Tx) error {
		return errors.Join(tx.PutAccount(&empty.account), tx.PutClient(&empty.client), tx.PutConsent(&empty.consent),
			tx.PutThrottle(&empty.hits), tx.PutSigningKey(&empty.key), tx.InsertTokens(),
			tx.PutDevice(&empty.device), tx.PutActivation(&empty.begun), tx.PutHandset(&empty.handset),
			tx.PutRegisterEntry(&empty.entry), tx.PutRegisterConsumer(&empty.asker), tx.PutLogoutNotice(&empty.notice))
	})
	empty.login, empty.session, empty.tokens, empty.sms = e.login, e.session, e.tokens, e.sms
	empty.record, empty.traffic = e.record, e.traffic
	empty.check(t, s, world, "k")
}
