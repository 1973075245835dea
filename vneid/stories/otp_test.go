package stories

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestAOneTimePasswordCountsFor120Seconds(t *testing.T) {
	c := newTown(t)
	id, b, otp := c.toOTP(ask("portal"), an)
	c.advance(120*time.Second + time.Millisecond)
	for range 10 {
		_, err := c.SubmitOTP(c.ctx, id, b, otp)
		wantKey(t, err, "otp_expired")
		_, err = c.SubmitOTP(c.ctx, id, b, wrongOTP(otp))
		wantKey(t, err, "otp_expired")
	}
	if tries := c.login(id).OTP.Tries; tries != 0 {
		t.Errorf("%d tries were counted: a late entry tells nothing", tries)
	}
	c.advance(-time.Millisecond)
	if _, err := c.SubmitOTP(c.ctx, id, b, otp); err != nil {
		t.Errorf("in the last instant: %v", err)
	}
}

func TestASecondMessageAfter30SecondsVoidsTheFirst(t *testing.T) {
	c := newTown(t)
	id, b, first := c.toOTP(ask("portal"), an)
	for wait, want := range map[time.Duration]int{0: 30, time.Second: 29, 29 * time.Second: 1, 30*time.Second - time.Millisecond: 1} {
		c.clock.SetOffset(wait)
		_, err := c.ResendOTP(c.ctx, id, b)
		wantKey(t, err, "otp_too_soon")
		var e *vneid.Error
		if errors.As(err, &e); !reflect.DeepEqual(e.Args, []any{want}) {
			t.Errorf("after %s the page says %v seconds, want %d", wait, e.Args, want)
		}
	}
	if len(c.inbox.all()) != 1 {
		t.Fatal("a message went out too early")
	}
	c.clock.SetOffset(30 * time.Second)
	step, err := c.ResendOTP(c.ctx, id, b)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, step.Login, vneid.StateOTPSent)
	second := c.inbox.last().OTP
	if len(c.inbox.all()) != 2 || second == first {
		t.Fatalf("messages: %v", c.inbox.all())
	}
	_, err = c.SubmitOTP(c.ctx, id, b, first)
	wantKey(t, err, "otp_wrong")
	c.clock.SetOffset(30*time.Second + 120*time.Second)
	if _, err := c.SubmitOTP(c.ctx, id, b, second); err != nil {
		t.Errorf("the second one, 120 s after it was sent: %v", err)
	}
}

func TestAOneTimePasswordFitsItsLoginOnly(t *testing.T) {
	c := newTown(t)
	id1, b1, otp1 := c.toOTP(ask("portal"), an)
	id2, b2, otp2 := c.toOTP(ask("portal"), an) // a newer message voids nothing of another login
	if otp1 == otp2 {
		t.Fatal("the seed of the tests gives the same digits twice: take another")
	}
	_, err := c.SubmitOTP(c.ctx, id2, b2, otp1)
	wantKey(t, err, "otp_wrong")
	_, err = c.SubmitOTP(c.ctx, id1, b1, otp2)
	wantKey(t, err, "otp_wrong")
	for id, try := range map[string]struct {
		b   vneid.Browser
		otp string
	}{id1: {b1, otp1}, id2: {b2, otp2}} {
		if _, err := c.SubmitOTP(c.ctx, id, try.b, try.otp); err != nil {
			t.Error(err)
		}
	}
}

func TestANumberGetsFiveMessagesInTenMinutes(t *testing.T) {
	c := newTown(t)
	c.put(func(tx vneid.Tx) error { // a couple sharing one phone
		a, err := tx.Account(binh)
		if err != nil {
			return err
		}
		a.Phone = "0950000001"
		return tx.PutAccount(a)
	})
	id, b, _ := c.toOTP(ask("portal"), an)
	c.advance(30 * time.Second)
	if _, err := c.ResendOTP(c.ctx, id, b); err != nil {
		t.Fatal(err)
	}
	otp := c.inbox.last().OTP
	for _, who := range []vneid.CCCD{an, binh, an} {
		c.toOTP(ask("portal"), who)
	}
	c.advance(30 * time.Second)
	_, err := c.ResendOTP(c.ctx, id, b)
	wantKey(t, err, "too_many_sms")
	var e *vneid.Error
	if errors.As(err, &e); !reflect.DeepEqual(e.Args, []any{9}) {
		t.Errorf("the page says %v minutes, want 9", e.Args)
	}
	id2, b2 := c.start(ask("portal"))
	_, err = c.SubmitPassword(c.ctx, id2, b2, string(binh), theirPW)
	wantKey(t, err, "too_many_sms")
	if l := c.login(id2); l.State != vneid.StateStarted || l.CCCD != "" {
		t.Errorf("the login moved: %+v", l)
	}
	if len(c.inbox.all()) != 5 {
		t.Errorf("%d messages", len(c.inbox.all()))
	}
	if _, err := c.SubmitOTP(c.ctx, id, b, otp); err != nil {
		t.Errorf("the refused message voided the one that had arrived: %v", err)
	}
	c.toOTP(ask("portal"), cuong) // another phone
	c.advance(9 * time.Minute)    // the first of five is ten minutes old now
	c.toOTP(ask("portal"), binh)
}

func TestFiftyParallelWrongOneTimePasswordsAreCountedFiveTimes(t *testing.T) {
	c := newTown(t)
	id, b, otp := c.toOTP(ask("portal"), an)
	var left [5]int
	errs := parallel(50, func(int) error {
		_, err := c.SubmitOTP(c.ctx, id, b, wrongOTP(otp))
		return err
	})
	for _, err := range errs {
		var e *vneid.Error
		if errors.As(err, &e) && e.MsgKey == "otp_wrong" {
			left[e.Args[0].(int)]++
		}
	}
	if left != [5]int{0, 1, 1, 1, 1} {
		t.Errorf("tries left were told %v times", left)
	}
	if n := keysOf(errs); n["otp_wrong"] != 4 || n["too_many_otps"] != 1 || n["login_done"] != 45 {
		t.Errorf("%v", n)
	}
	l := c.login(id)
	wantState(t, l, vneid.StateLocked)
	if l.OTP.Tries != 5 || l.OTP.Hash != "" || l.Auth.ACR != "" {
		t.Errorf("%+v", l)
	}
	step, err := c.SubmitOTP(c.ctx, id, b, otp)
	wantKey(t, err, "login_done")
	if step.Refusal != vneid.RefusalAccessDenied || step.Code != "" {
		t.Errorf("no way back to the portal: %+v", step)
	}
	_, err = c.ResendOTP(c.ctx, id, b)
	wantKey(t, err, "login_done")
}

func TestTheRightOneTimePasswordSignsInOnceHoweverManySendIt(t *testing.T) {
	c := newTown(t)
	id, b, otp := c.toOTP(ask("portal"), an)
	codes := make([]string, 30)
	n := keysOf(parallel(len(codes), func(i int) error {
		step, err := c.SubmitOTP(c.ctx, id, b, otp)
		codes[i] = step.Code
		return err
	}))
	if n["fine"] != 1 || n["login_done"] != 29 {
		t.Error(n)
	}
	given := 0
	for _, code := range codes {
		if code != "" {
			given++
		}
	}
	if given != 1 {
		t.Errorf("%d codes were given out", given)
	}
}

func TestAnAccountLockedBetweenPasswordAndOneTimePasswordIsRefused(t *testing.T) {
	c := newTown(t)
	id, b, otp := c.toOTP(ask("portal"), an)
	c.setStatus(an, vneid.AccountLocked)
	step, err := c.SubmitOTP(c.ctx, id, b, otp)
	wantKey(t, err, "account_locked")
	if step.NewSession != "" || step.Code != "" || step.Refusal != vneid.RefusalAccessDenied {
		t.Errorf("%+v", step)
	}
	wantState(t, c.login(id), vneid.StateRefused)
}

func TestANetworkThatIsDownLeavesALoginThatCanSendAgain(t *testing.T) {
	c := newTown(t)
	c.inbox.down = errors.New("no carrier")
	id, b := c.start(ask("portal"))
	if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); !errors.Is(err, c.inbox.down) {
		t.Fatal(err)
	}
	wantState(t, c.login(id), vneid.StateStarted) // nobody waits for a message that was never sent
	c.inbox.down = nil
	if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SubmitOTP(c.ctx, id, b, c.inbox.last().OTP); err != nil {
		t.Error(err)
	}
}

func TestAnExpiredLoginGoesNowhere(t *testing.T) {
	for _, until := range []vneid.LoginState{vneid.StateStarted, vneid.StateOTPSent, vneid.StateConsentPending} {
		for name := range (&town{}).useCases("", vneid.Browser{}) {
			c := newTown(t)
			_, b := c.signIn(ask("portal"), an) // a live session: the temptation
			c.advance(time.Minute)
			id, b := c.start(ask("always"), b)
			if until != vneid.StateStarted {
				if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); err != nil {
					t.Fatal(err)
				}
			}
			if until == vneid.StateConsentPending {
				step, err := c.SubmitOTP(c.ctx, id, b, c.inbox.last().OTP)
				if err != nil {
					t.Fatal(err)
				}
				b.Session = step.NewSession
			}
			wantState(t, c.login(id), until)
			c.advance(10*time.Minute + time.Millisecond)
			step, err := c.useCases(id, b)[name]()
			if step.Code != "" || step.NewSession != "" {
				t.Errorf("%s: %s of an expired login gave %+v", until, name, step)
			}
			if name != "Look" && name != "Resume" && err == nil {
				t.Errorf("%s: %s of an expired login is fine", until, name)
			}
			if l := c.login(id); l.State != until && l.State != vneid.StateExpired || !l.Expired(c.now()) {
				t.Errorf("%s: %s moved an expired login to %s", until, name, l.State)
			}
			c.put(func(tx vneid.Tx) error {
				if _, err := tx.Consent(an, "always"); !errors.Is(err, vneid.ErrNotFound) {
					return fmt.Errorf("%s: %s came too late and left a consent: %v", until, name, err)
				}
				return nil
			})
		}
	}
}

func TestTheClockGoingBackGivesNoMoreTriesAndNoMoreMessages(t *testing.T) {
	c := newTown(t)
	for range 5 {
		id, b := c.start(ask("portal"))
		_, _ = c.SubmitPassword(c.ctx, id, b, string(binh), "wrong")
		c.toOTP(ask("portal"), an)
	}
	c.advance(-24 * time.Hour)
	id, b := c.start(ask("portal"))
	_, err := c.SubmitPassword(c.ctx, id, b, string(binh), theirPW)
	wantKey(t, err, "too_many_passwords")
	_, err = c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
	wantKey(t, err, "too_many_sms")
}
