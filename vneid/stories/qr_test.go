package stories

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const (
	app      = "http://localhost:9997/Q"
	passcode = "123456"
)

// phone is a person's activated phone.
type phone struct {
	c       *town
	id      string
	session string
}

// newPhone puts an activated phone into the store.
func (c *town) newPhone(who vneid.CCCD) *phone {
	c.t.Helper()
	p := &phone{c: c, id: "phone of " + string(who) + vneid.NewID(c.Rand)}
	hash, _ := c.hasher.Hash(c.ctx, passcode)
	c.put(func(tx vneid.Tx) error {
		a, err := tx.Account(who)
		if err != nil {
			return err
		}
		a.WebLogin = true
		return errors.Join(tx.PutAccount(a), tx.PutDevice(&vneid.Device{CCCD: who, ID: p.id, PublicKey: ed25519.PublicKey("key"), PasscodeHash: hash, ActivatedAt: c.now()}))
	})
	return p
}

func (p *phone) call() vneid.PhoneCall {
	return vneid.PhoneCall{DeviceID: p.id, Session: p.session, Call: vneid.DeviceCall{JTI: vneid.NewID(p.c.Rand), At: p.c.now().Unix()}}
}

func (p *phone) unlock() *phone {
	p.c.t.Helper()
	session, _, err := p.c.Unlock(p.c.ctx, p.call(), passcode)
	if err != nil {
		p.c.t.Fatal(err)
	}
	p.session = session
	return p
}

func (p *phone) scan(code string) (vneid.Scan, error) {
	scan, err := vneid.ParseQR(app, code)
	if err != nil {
		return vneid.Scan{}, err
	}
	return p.c.ScanQR(p.c.ctx, p.call(), scan)
}

func (p *phone) confirm(login string) error {
	return p.c.ConfirmQR(p.c.ctx, p.call(), login, "", 0)
}

// show begins a login in a browser that shows its QR code.
func (c *town) show(req vneid.AuthRequest) (code string, l *vneid.Login, b vneid.Browser) {
	c.t.Helper()
	b = vneid.Browser{Secret: vneid.NewSecret(c.Rand)}
	l, waiting, err := c.Begin(c.ctx, req, b.Secret, vneid.Origin{Browser: "Chrome (Windows)", IP: "127.0.0.1"})
	if err != nil {
		c.t.Fatal(err)
	}
	b.Waiting = waiting
	return l.QRCode(app, c.world.Salt), l, b
}

func TestACitizenSignsInByScanning(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, b := c.show(ask("portal"))
	scan, err := p.scan(code)
	if err != nil || !scan.Allowed || scan.Login.ID != l.ID || scan.Client.ClientID != "portal" || scan.Ask || scan.Login.Origin.Browser != "Chrome (Windows)" {
		t.Fatalf("%+v, %v", scan, err)
	}
	if step, err := c.Resume(c.ctx, l.ID, b); err != nil || step.Code != "" {
		t.Fatalf("scanning alone signs nobody in: %+v, %v", step, err)
	}
	if err := p.confirm(l.ID); err != nil {
		t.Fatal(err)
	}
	step, err := c.Resume(c.ctx, l.ID, b)
	if err != nil || step.Code == "" || step.NewSession == "" {
		t.Fatalf("%+v, %v", step, err)
	}
	g := c.redeem(step)
	if g.AccessToken.Auth.ACR != "LoA2" || !slices.Equal(g.AccessToken.Auth.AMR, []string{"swk", "pin", "mfa"}) || g.AccessToken.CCCD != an {
		t.Errorf("%+v", g.AccessToken)
	}
	if _, err := c.Home(c.ctx, p.call()); vneid.MsgKey(err) != "app_locked" {
		t.Errorf("seed 001: after a confirmation the app signs itself out, got %v", err)
	}
}

func TestTheShortCodeDoesTheSame(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	_, l, _ := c.show(ask("portal"))
	if scan, err := p.scan(l.QRShort(c.world.Salt)); err != nil || scan.Login.ID != l.ID {
		t.Fatalf("%+v, %v", scan, err)
	}
}

func TestOnlyTheBrowserThatShowsTheCodeGoesOn(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, b := c.show(ask("portal"))
	if _, err := p.scan(code); err != nil {
		t.Fatal(err)
	}
	if err := p.confirm(l.ID); err != nil {
		t.Fatal(err)
	}
	planted := b // an attacker planted the browser's cookie, and began the login with it
	planted.Waiting = ""
	for _, foreign := range []vneid.Browser{planted, {Secret: b.Secret, Waiting: vneid.NewSecret(c.Rand)}} {
		_, err := c.Resume(c.ctx, l.ID, foreign)
		wantKey(t, err, "qr_other_browser")
	}
	_, err := c.Resume(c.ctx, l.ID, vneid.Browser{Secret: vneid.NewSecret(c.Rand), Waiting: b.Waiting})
	wantKey(t, err, "other_browser")
	if step, err := c.Resume(c.ctx, l.ID, b); err != nil || step.Code == "" {
		t.Fatalf("%+v, %v", step, err)
	}
}

func TestANewCodeBelongsToTheBrowserThatAskedForIt(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	old, l, b := c.show(ask("portal"))
	step, err := c.RefreshQR(c.ctx, l.ID, vneid.Browser{Secret: b.Secret})
	if err != nil || step.NewWaiting == "" || step.NewWaiting == b.Waiting {
		t.Fatalf("%+v, %v", step, err)
	}
	_, err = p.scan(old)
	wantKey(t, err, "qr_replaced")
	if _, err := p.scan(step.Login.QRCode(app, c.world.Salt)); err != nil {
		t.Fatal(err)
	}
	if err := p.confirm(l.ID); err != nil {
		t.Fatal(err)
	}
	_, err = c.Resume(c.ctx, l.ID, b) // it showed the former one
	wantKey(t, err, "qr_other_browser")
	if step, err = c.Resume(c.ctx, l.ID, vneid.Browser{Secret: b.Secret, Waiting: step.NewWaiting}); err != nil || step.Code == "" {
		t.Fatalf("%+v, %v", step, err)
	}
}

func TestACodeThatWasScannedAndThenReplacedSettlesNothing(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, b := c.show(ask("portal"))
	if _, err := p.scan(code); err != nil {
		t.Fatal(err)
	}
	if _, err := c.RefreshQR(c.ctx, l.ID, b); err != nil {
		t.Fatal(err)
	}
	wantKey(t, p.confirm(l.ID), "qr_other_phone")
}

func TestTheNumberOfCodesOfOneLoginIsLimited(t *testing.T) {
	c := newTown(t)
	_, l, b := c.show(ask("portal"))
	for range c.world.Policy.QRPerLogin - 1 {
		step, err := c.RefreshQR(c.ctx, l.ID, b)
		if err != nil {
			t.Fatal(err)
		}
		b.Waiting = step.NewWaiting
	}
	_, err := c.RefreshQR(c.ctx, l.ID, b)
	wantKey(t, err, "qr_too_many")
}

func TestAnExpiredCodeIsDeadAndANewOneIsNot(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an)
	code, l, b := c.show(ask("portal"))
	c.advance(c.world.Policy.QRLifetime)
	p.unlock()
	_, err := p.scan(code)
	wantKey(t, err, "qr_expired")
	step, err := c.RefreshQR(c.ctx, l.ID, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.scan(step.Login.QRCode(app, c.world.Salt)); err != nil {
		t.Fatal(err)
	}
	c.advance(c.world.Policy.QRLifetime)
	wantKey(t, p.confirm(l.ID), "qr_expired")
}

func TestRefusingEndsTheLogin(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, b := c.show(ask("portal"))
	if _, err := p.scan(code); err != nil {
		t.Fatal(err)
	}
	if err := c.RefuseQR(c.ctx, p.call(), l.ID); err != nil {
		t.Fatal(err)
	}
	step, err := c.Look(c.ctx, l.ID, b)
	if err != nil || step.Refusal != vneid.RefusalAccessDenied {
		t.Fatalf("%+v, %v", step, err)
	}
	wantKey(t, p.confirm(l.ID), "qr_used")
	_, err = p.scan(code)
	wantKey(t, err, "qr_used")
	_, err = c.RefreshQR(c.ctx, l.ID, b)
	wantKey(t, err, "login_done")
}

func TestTheSecondPhoneIsToldThatItCameLate(t *testing.T) {
	c := newTown(t)
	first, second := c.newPhone(an).unlock(), c.newPhone(binh).unlock()
	code, l, _ := c.show(ask("portal"))
	if _, err := first.scan(code); err != nil {
		t.Fatal(err)
	}
	if _, err := first.scan(code); err != nil {
		t.Fatalf("the same phone may scan again: %v", err)
	}
	_, err := second.scan(code)
	wantKey(t, err, "qr_taken")
	wantKey(t, second.confirm(l.ID), "qr_other_phone")
	wantKey(t, c.RefuseQR(c.ctx, second.call(), l.ID), "qr_other_phone")
	if err := first.confirm(l.ID); err != nil {
		t.Fatal(err)
	}
}

func TestOfManyPhonesAtOnceOneSettles(t *testing.T) {
	c := newTown(t)
	phones := []*phone{c.newPhone(an).unlock(), c.newPhone(binh).unlock()}
	code, l, _ := c.show(ask("portal"))
	got := keysOf(parallel(20, func(i int) error { _, err := phones[i%2].scan(code); return err }))
	if got["fine"] != 10 || got["qr_taken"] != 10 {
		t.Fatalf("scans: %v", got)
	}
	got = keysOf(parallel(20, func(i int) error { return phones[i%2].confirm(l.ID) }))
	if got["fine"] != 1 {
		t.Fatalf("confirmations: %v", got)
	}
}

func TestLevelOneNeverSignsInByQRCode(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(cuong).unlock()
	code, l, _ := c.show(ask("portal"))
	_, err := p.scan(code)
	wantKey(t, err, "qr_level")
	if c.login(l.ID).QR.State != vneid.QRCreated {
		t.Error("a phone that may not confirm took the code away from one that may")
	}
}

func TestALockedPersonDoesNothingWithThePhone(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, _ := c.show(ask("portal"))
	if _, err := p.scan(code); err != nil {
		t.Fatal(err)
	}
	c.setStatus(an, vneid.AccountLocked)
	wantKey(t, p.confirm(l.ID), "account_locked")
	_, err := p.scan(code)
	wantKey(t, err, "account_locked")
	_, _, err = c.Unlock(c.ctx, p.call(), passcode)
	wantKey(t, err, "account_locked")
}

func TestThePermissionIsGivenWithThePasscodeAndTheSameScanGoesOn(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(binh).unlock()
	if err := c.SetWebLogin(c.ctx, p.call(), false, passcode); err != nil {
		t.Fatal(err)
	}
	code, l, b := c.show(ask("portal"))
	scan, err := p.scan(code)
	if err != nil || scan.Allowed || scan.Message != "web_login_off" {
		t.Fatalf("%+v, %v", scan, err)
	}
	wantKey(t, p.confirm(l.ID), "web_login_off")
	wantKey(t, c.SetWebLogin(c.ctx, p.call(), true, ""), "passcode_needed")
	wantKey(t, c.SetWebLogin(c.ctx, p.call(), true, "000000"), "passcode_wrong")
	p.unlock() // the wrong one signed the app out
	if err := c.SetWebLogin(c.ctx, p.call(), true, passcode); err != nil {
		t.Fatal(err)
	}
	if err := p.confirm(l.ID); err != nil {
		t.Fatal(err)
	}
	if step, err := c.Resume(c.ctx, l.ID, b); err != nil || step.Code == "" {
		t.Fatalf("%+v, %v", step, err)
	}
}

func TestUnknownCodesAreLimited(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	for range 10 {
		_, err := p.scan("AAAA-AAAA")
		wantKey(t, err, "qr_unknown")
	}
	code, _, _ := c.show(ask("portal"))
	_, err := p.scan(code)
	wantKey(t, err, "too_many_codes")
	c.advance(10 * time.Minute)
	code, _, _ = c.show(ask("portal"))
	if _, err := p.scan(code); err != nil {
		t.Fatal(err)
	}
}

func TestACallIsAcceptedOnce(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, _ := c.show(ask("portal"))
	scan, _ := vneid.ParseQR(app, code)
	call := p.call()
	if _, err := c.ScanQR(c.ctx, call, scan); err != nil {
		t.Fatal(err)
	}
	wantKey(t, c.ConfirmQR(c.ctx, call, l.ID, "", 0), "call_replayed")
}

func TestNumberMatchingStopsWhoDoesNotSeeThePage(t *testing.T) {
	c := newTown(t)
	c.world.Policy.NumberMatching = true
	p := c.newPhone(an).unlock()
	code, l, b := c.show(ask("portal"))
	scan, err := p.scan(code)
	if err != nil || len(scan.Choices) != 3 {
		t.Fatalf("%+v, %v", scan, err)
	}
	step, err := c.Look(c.ctx, l.ID, b)
	if err != nil || !slices.Contains(scan.Choices, step.Login.QR.Match) {
		t.Fatalf("the page shows %d, the phone offers %v", step.Login.QR.Match, scan.Choices)
	}
	wantKey(t, p.confirm(l.ID), "match_needed")
	// A mailed picture of a code: who scans it sees no digits and guesses.
	wrong := scan.Choices[(slices.Index(scan.Choices, step.Login.QR.Match)+1)%3]
	wantKey(t, c.ConfirmQR(c.ctx, p.call(), l.ID, "", wrong), "match_wrong")
	wantKey(t, c.ConfirmQR(c.ctx, p.call(), l.ID, "", step.Login.QR.Match), "qr_used")
	if step, err = c.Look(c.ctx, l.ID, b); err != nil || step.Refusal != vneid.RefusalAccessDenied {
		t.Fatalf("%+v, %v", step, err)
	}
}

// What number matching does not stop: whoever shows the victim the code can
// show them the digits too.
func TestNumberMatchingDoesNotStopALiveRelay(t *testing.T) {
	c := newTown(t)
	c.world.Policy.NumberMatching = true
	victim := c.newPhone(an).unlock()
	code, l, attacker := c.show(ask("portal"))
	if _, err := victim.scan(code); err != nil {
		t.Fatal(err)
	}
	step, err := c.Look(c.ctx, l.ID, attacker)
	if err != nil {
		t.Fatal(err)
	}
	digits := step.Login.QR.Match // read out on the telephone
	if err := c.ConfirmQR(c.ctx, victim.call(), l.ID, "", digits); err != nil {
		t.Fatal(err)
	}
	if step, err := c.Resume(c.ctx, l.ID, attacker); err != nil || step.Code == "" {
		t.Fatalf("the relay was stopped, and docs/provider.md says it is not: %+v, %v", step, err)
	}
}

func TestThePasswordOnThePageMakesTheCodeDead(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, b := c.show(ask("portal"))
	if _, err := p.scan(code); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SubmitPassword(c.ctx, l.ID, b, string(binh), theirPW); err != nil {
		t.Fatal(err)
	}
	wantKey(t, p.confirm(l.ID), "qr_used")
	if step, err := c.SubmitOTP(c.ctx, l.ID, b, c.inbox.last().OTP); err != nil || step.Login.CCCD != binh {
		t.Fatalf("%+v, %v", step, err)
	}
}

func TestWhoWaitsIsWoken(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	code, l, b := c.show(ask("portal"))
	woken := make(chan string, 10)
	defer c.Store.Watch(func(_, login string) { woken <- login })()
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"a scan", func() error { _, err := p.scan(code); return err }},
		{"another code", func() error {
			step, err := c.RefreshQR(c.ctx, l.ID, b)
			code = step.Login.QRCode(app, c.world.Salt)
			return err
		}},
		{"another scan", func() error { _, err := p.scan(code); return err }},
		{"the confirmation", func() error { return p.confirm(l.ID) }},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		select {
		case id := <-woken:
			if id != l.ID {
				t.Errorf("%s woke %s", step.what, id)
			}
		case <-time.After(time.Second):
			t.Errorf("%s woke nobody", step.what)
		}
	}
}
