package stories

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestFiveWrongPasscodesLockTheAppWhereverTheyAreTyped(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an)
	code, l, _ := c.show(ask("portal"))
	if _, err := p.scan(code); err != nil {
		t.Fatal(err)
	}
	wrong := "000000"
	tries := []func() error{
		func() error { _, _, err := c.Unlock(c.ctx, p.call(), wrong); return err },
		func() error { return c.ConfirmQR(c.ctx, p.call(), l.ID, wrong, 0) },
		func() error { return c.SetWebLogin(c.ctx, p.call(), true, wrong) },
		func() error { _, _, err := c.Unlock(c.ctx, p.call(), wrong); return err },
	}
	for i, try := range tries {
		err := try()
		wantKey(t, err, "passcode_wrong")
		var e *vneid.Error
		if errors.As(err, &e); e.Args[0] != 4-i {
			t.Errorf("try %d: %v left", i, e.Args[0])
		}
	}
	wantKey(t, tries[1](), "passcode_locked")
	_, _, err := c.Unlock(c.ctx, p.call(), passcode)
	wantKey(t, err, "passcode_locked")
	wantKey(t, c.ConfirmQR(c.ctx, p.call(), l.ID, passcode, 0), "passcode_locked")
	c.advance(15 * time.Minute)
	p.unlock()
}

func TestManyPasscodesAtOnceAreCountedOneByOne(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an)
	got := keysOf(parallel(50, func(int) error { _, _, err := c.Unlock(c.ctx, p.call(), "999999"); return err }))
	if got["passcode_wrong"] != 4 || got["passcode_locked"] != 46 {
		t.Errorf("%v", got)
	}
}

func TestALockedAppConfirmsWithThePasscodeOnly(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an)
	code, l, _ := c.show(ask("portal"))
	if scan, err := p.scan(code); err != nil || !scan.Ask {
		t.Fatalf("%+v, %v", scan, err)
	}
	wantKey(t, p.confirm(l.ID), "passcode_needed")
	wantKey(t, c.ConfirmQR(c.ctx, p.call(), l.ID, "12345", 0), "passcode_format")
	if err := c.ConfirmQR(c.ctx, p.call(), l.ID, passcode, 0); err != nil {
		t.Fatal(err)
	}
}

func TestAnAppUnlockedLongAgoAsksAgain(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	c.advance(6 * time.Minute)
	code, l, _ := c.show(ask("portal"))
	if scan, err := p.scan(code); err != nil || !scan.Ask {
		t.Fatalf("%+v, %v", scan, err)
	}
	wantKey(t, p.confirm(l.ID), "passcode_needed")
	if _, err := c.Home(c.ctx, p.call()); err != nil {
		t.Fatalf("yet the app is open: %v", err)
	}
	c.advance(5 * time.Minute)
	_, err := c.Home(c.ctx, p.call())
	wantKey(t, err, "app_locked")
}

func TestNotMeEndsTheSessionAndItsTokensAtOnce(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an)
	step, b := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	p.unlock()
	home, err := c.Home(c.ctx, p.call())
	if err != nil || len(home.Recent) != 1 || !home.Recent[0].Open || home.Recent[0].ClientName != "portal" {
		t.Fatalf("%+v, %v", home, err)
	}
	theirs := c.newPhone(binh).unlock()
	wantKey(t, c.Disown(c.ctx, theirs.call(), step.Login.ID), "sign_in_unknown")
	if err := c.Disown(c.ctx, p.call(), step.Login.ID); err != nil {
		t.Fatal(err)
	}
	if c.alive(g.Access) {
		t.Error("the access token lives")
	}
	_, err = c.Refresh(c.ctx, step.Client, g.Refresh, nil)
	wantKey(t, err, "invalid_grant")
	if session, _, err := c.SessionOf(c.ctx, b); err != nil || session != nil {
		t.Errorf("the session stands: %+v, %v", session, err)
	}
	if home, err = c.Home(c.ctx, p.call()); err != nil || home.Recent[0].Open {
		t.Errorf("%+v, %v", home, err)
	}
}

func TestNotMeLeavesNothingToRedeem(t *testing.T) {
	c := newTown(t)
	p := c.newPhone(an).unlock()
	step, _ := c.signIn(ask("portal"), an)
	if err := c.Disown(c.ctx, p.call(), step.Login.ID); err != nil {
		t.Fatal(err)
	}
	_, err := c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	wantKey(t, err, "invalid_grant")
}

func TestTheAppShowsTheCodeInsteadOfAnSMS(t *testing.T) {
	c := newTown(t)
	c.world.Policy.SecondFactor = vneid.SecondFactorAppCode
	id, b := c.start(ask("portal"))
	_, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
	wantKey(t, err, "account_no_app")
	p := c.newPhone(an).unlock()
	id, b = c.start(ask("portal"))
	if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); err != nil || len(c.inbox.all()) != 0 {
		t.Fatalf("%v, %v", err, c.inbox.all())
	}
	home, err := c.Home(c.ctx, p.call())
	if err != nil || len(home.Codes) != 1 {
		t.Fatalf("%+v, %v", home, err)
	}
	step, err := c.SubmitOTP(c.ctx, id, b, home.Codes[0].Digits)
	if err != nil || step.Login.Auth.ACR != "LoA2" || !slices.Equal(step.Login.Auth.AMR, []string{"pwd", "otp", "swk", "mfa"}) {
		t.Fatalf("%+v, %v", step.Login, err)
	}
	if home, err = c.Home(c.ctx, p.call()); err != nil || len(home.Codes) != 0 {
		t.Errorf("a used code is still shown: %+v, %v", home.Codes, err)
	}
}

func TestWithoutASecondFactorTheLevelIsOne(t *testing.T) {
	c := newTown(t)
	c.world.Policy.SecondFactor = vneid.SecondFactorNone
	id, b := c.start(ask("portal"))
	step, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
	if err != nil || step.Code == "" || step.NewSession == "" || step.Login.Auth.ACR != "LoA1" || !slices.Equal(step.Login.Auth.AMR, []string{"pwd"}) {
		t.Fatalf("%+v, %v", step, err)
	}
	b.Session = step.NewSession
	c.world.Policy.SecondFactor = vneid.SecondFactorSMS
	if step := c.again(ask("portal", acr("LoA2")), b); step.Code != "" {
		t.Error("a session of one factor passed for two")
	}
}

func TestActivatingAPhone(t *testing.T) {
	c := newTown(t)
	old := c.newPhone(an).unlock()
	key := ed25519.PublicKey("the new phone's key")
	_, _, err := c.BeginActivation(c.ctx, string(an), "wrong", key, "x")
	wantKey(t, err, "wrong_credentials")
	a, to, err := c.BeginActivation(c.ctx, string(an), theirPW, key, "Điện thoại mới")
	if err != nil || to != "0950000001" {
		t.Fatalf("%+v, %v, %v", a, to, err)
	}
	sms := c.inbox.last()
	if sms.Login != a.ID {
		t.Errorf("%+v", sms)
	}
	_, _, err = c.FinishActivation(c.ctx, a.ID, passcode)
	wantKey(t, err, "activation_unproved")
	wantKey(t, c.ProveActivation(c.ctx, a.ID, wrongOTP(sms.OTP)), "otp_wrong")
	wantKey(t, c.ProveActivation(c.ctx, a.ID, "12"), "otp_malformed")
	if err := c.ProveActivation(c.ctx, a.ID, sms.OTP); err != nil {
		t.Fatal(err)
	}
	_, _, err = c.FinishActivation(c.ctx, a.ID, "12345a")
	wantKey(t, err, "passcode_format")
	d, session, err := c.FinishActivation(c.ctx, a.ID, "654321")
	if err != nil || string(d.PublicKey) != string(key) || d.Name != "Điện thoại mới" {
		t.Fatalf("%+v, %v", d, err)
	}
	now := &phone{c: c, id: d.ID, session: session}
	if _, err := c.Home(c.ctx, now.call()); err != nil {
		t.Fatal(err)
	}
	_, err = c.Home(c.ctx, old.call()) // one device at a time
	wantKey(t, err, "device_replaced")
	_, _, err = c.Unlock(c.ctx, old.call(), passcode)
	wantKey(t, err, "device_replaced")
	_, _, err = c.FinishActivation(c.ctx, a.ID, "654321")
	wantKey(t, err, "activation_over")
}

func TestAnActivationEndsAfterFiveWrongOneTimePasswords(t *testing.T) {
	c := newTown(t)
	a, _, err := c.BeginActivation(c.ctx, string(an), theirPW, ed25519.PublicKey("k"), "")
	if err != nil {
		t.Fatal(err)
	}
	otp := c.inbox.last().OTP
	got := keysOf(parallel(30, func(int) error { return c.ProveActivation(c.ctx, a.ID, wrongOTP(otp)) }))
	if got["otp_wrong"] != 4 || got["too_many_otps"] != 1 || got["activation_over"] != 25 {
		t.Errorf("%v", got)
	}
	wantKey(t, c.ProveActivation(c.ctx, a.ID, otp), "activation_over")
}

func TestActivatingIsHowAnAccountBecomesActive(t *testing.T) {
	c := newTown(t)
	a, _, err := c.BeginActivation(c.ctx, string(quang), theirPW, ed25519.PublicKey("k"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ProveActivation(c.ctx, a.ID, c.inbox.last().OTP); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.FinishActivation(c.ctx, a.ID, passcode); err != nil {
		t.Fatal(err)
	}
	if step, _ := c.signIn(ask("portal"), quang); step.Code == "" {
		t.Error("not active")
	}
}

func TestALockedPersonActivatesNoPhone(t *testing.T) {
	c := newTown(t)
	for who, want := range map[vneid.CCCD]string{dung: "account_locked", nguyet: "account_no_phone", nobody: "wrong_credentials"} {
		_, _, err := c.BeginActivation(c.ctx, string(who), theirPW, ed25519.PublicKey("k"), "")
		wantKey(t, err, want)
	}
}

func TestPasswordsOfThePageAndOfTheAppAreCountedTogether(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("portal"))
	for i := range 4 {
		var err error
		if i%2 == 0 {
			_, err = c.SubmitPassword(c.ctx, id, b, string(an), "wrong")
		} else {
			_, _, err = c.BeginActivation(c.ctx, string(an), "wrong", ed25519.PublicKey("k"), "")
		}
		wantKey(t, err, "wrong_credentials")
	}
	_, _, err := c.BeginActivation(c.ctx, string(an), "wrong", ed25519.PublicKey("k"), "")
	wantKey(t, err, "too_many_passwords")
	_, err = c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
	wantKey(t, err, "too_many_passwords")
}
