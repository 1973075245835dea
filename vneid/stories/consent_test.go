package stories

import (
	"errors"
	"reflect"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (c *town) consent(who vneid.CCCD, client string) (k *vneid.Consent) {
	c.t.Helper()
	c.put(func(tx vneid.Tx) (err error) { k, err = tx.Consent(who, client); return err })
	return k
}

func (c *town) decide(step vneid.Step, b vneid.Browser, agree bool) vneid.Step {
	c.t.Helper()
	wantState(c.t, step.Login, vneid.StateConsentPending)
	if step.Code != "" {
		c.t.Fatal("a code before the citizen agreed")
	}
	step, err := c.DecideSharing(c.ctx, step.Login.ID, b, agree)
	if err != nil {
		c.t.Fatal(err)
	}
	return step
}

func TestConsentIsAskedOnceAndRemembered(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("once"), an)
	step = c.decide(step, b, true)
	wantState(t, step.Login, vneid.StateCodeIssued)
	c.redeem(step)
	k := c.consent(an, "once")
	if !reflect.DeepEqual(k.Scopes, ask("once").Scopes) || k.TextVersion != vneid.ConsentTextVersion || !k.GivenAt.Equal(c.now()) || !k.WithdrawnAt.IsZero() {
		t.Errorf("recorded: %+v", k)
	}
	wantState(t, c.again(ask("once"), b).Login, vneid.StateCodeIssued)
	wantState(t, c.again(ask("once", scopes("openid")), b).Login, vneid.StateCodeIssued) // less is covered
	wantState(t, c.again(ask("once", prompt("none")), b).Login, vneid.StateCodeIssued)
	wantState(t, c.again(ask("once", scopes("openid", "cccd")), b).Login, vneid.StateConsentPending) // more is not
	wantState(t, c.again(ask("always"), b).Login, vneid.StateConsentPending)                         // another client

	other, _ := c.signIn(ask("once"), binh) // another person
	wantState(t, other.Login, vneid.StateConsentPending)
}

func TestConsentAlwaysAndNever(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("always"), an)
	wantState(t, c.decide(step, b, true).Login, vneid.StateCodeIssued)
	wantState(t, c.again(ask("always"), b).Login, vneid.StateConsentPending)
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateCodeIssued)
	for _, client := range []string{"portal", "always", "once"} {
		wantState(t, c.again(ask(client, prompt("consent")), b).Login, vneid.StateConsentPending)
	}
}

func TestPromptNoneNeverShowsThePage(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("portal", prompt("none")))
	step, err := c.Resume(c.ctx, id, b)
	if err != nil || step.Refusal != vneid.RefusalLoginRequired || step.Login.State != vneid.StateRefused {
		t.Fatalf("nobody is signed in: %q, %v", step.Refusal, err)
	}
	_, b = c.signIn(ask("portal"), an)
	for client, want := range map[string]string{"portal": "", "once": vneid.RefusalConsentRequired, "always": vneid.RefusalConsentRequired} {
		step := c.again(ask(client, prompt("none")), b)
		if step.Refusal != want || (step.Code != "") != (want == "") {
			t.Errorf("%s: refusal %q, code %q", client, step.Refusal, step.Code)
		}
	}
	if step := c.again(ask("portal", prompt("none"), loginHint(string(binh))), b); step.Refusal != vneid.RefusalAccountSelectionRequired || step.Code != "" {
		t.Errorf("login_hint of Bình: refusal %q, code %q", step.Refusal, step.Code)
	}
	for name, req := range map[string]vneid.AuthRequest{
		"max_age=0":                ask("portal", prompt("none"), maxAge(0)),
		"id_token_hint of Bình":    ask("portal", prompt("none"), idTokenHint(c.client("portal").Subject(c.world.Salt, vneid.AccountID(c.world.Salt, binh)))),
		"the sub of Bình":          ask("portal", prompt("none"), subjects(c.client("portal").Subject(c.world.Salt, vneid.AccountID(c.world.Salt, binh)))),
		"none together with login": ask("portal", prompt("none", "login")),
	} {
		if step := c.again(req, b); step.Refusal != vneid.RefusalLoginRequired || step.Code != "" {
			t.Errorf("%s: refusal %q, code %q", name, step.Refusal, step.Code)
		}
	}
}

func TestRefusingToShareEndsTheLoginAndRecordsNothing(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("once"), an)
	step = c.decide(step, b, false)
	if step.Refusal != vneid.RefusalAccessDenied || step.Code != "" {
		t.Errorf("%+v", step)
	}
	wantState(t, c.login(step.Login.ID), vneid.StateRefused)
	_, err := c.DecideSharing(c.ctx, step.Login.ID, b, true)
	wantKey(t, err, "login_done")
	wantState(t, c.again(ask("once"), b).Login, vneid.StateConsentPending)
}

func TestWithdrawnAndNarrowerConsentIsAskedForAgain(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("once"), an)
	c.decide(step, b, true)
	k := c.consent(an, "once")
	k.WithdrawnAt = c.now()
	c.put(func(tx vneid.Tx) error { return tx.PutConsent(k) })
	step = c.again(ask("once", scopes("openid")), b)
	c.decide(step, b, true)
	if k := c.consent(an, "once"); !reflect.DeepEqual(k.Scopes, []string{"openid"}) || !k.WithdrawnAt.IsZero() {
		t.Errorf("given anew: %+v", k)
	}
	// What was withdrawn does not come back with the narrower consent.
	wantState(t, c.again(ask("once"), b).Login, vneid.StateConsentPending)
	wantState(t, c.again(ask("once", scopes("openid")), b).Login, vneid.StateCodeIssued)
}

func TestNobodyAgreesInAnothersName(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("once", scopes("openid")), an)
	// Meanwhile Bình signs in in the same browser, in another tab: An's session
	// is over, and with it the page that waited for An's answer.
	_, b2 := c.signIn(ask("portal"), binh, b)
	_, err := c.DecideSharing(c.ctx, step.Login.ID, b2, true)
	wantKey(t, err, "login_done")
	err = c.Store.View(c.ctx, c.world.ID, func(tx vneid.Tx) error { _, err := tx.Consent(an, "once"); return err })
	if !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("a consent of An: %v", err)
	}
	wantState(t, c.again(ask("once", scopes("openid")), b2).Login, vneid.StateConsentPending) // Bình agreed to nothing
}

func TestAnAccountLockedBeforeTheAnswerGetsNoCode(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("once"), an)
	c.setStatus(an, vneid.AccountLocked)
	step, err := c.DecideSharing(c.ctx, step.Login.ID, b, true)
	wantKey(t, err, "account_locked")
	if step.Code != "" {
		t.Error("a code for a locked account")
	}
}

func TestNobodyAnswersAPageThatIsNotShown(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("once"))
	_, err := c.DecideSharing(c.ctx, id, b, true)
	wantKey(t, err, "login_done")
	wantState(t, c.login(id), vneid.StateStarted)
	id, b, _ = c.toOTP(ask("once"), an)
	_, err = c.DecideSharing(c.ctx, id, b, true)
	wantKey(t, err, "login_done")
	wantState(t, c.login(id), vneid.StateOTPSent)
}

func TestTwentyAnswersAtOnceGiveOneCode(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("once"), an)
	n := keysOf(parallel(20, func(int) error {
		_, err := c.DecideSharing(c.ctx, step.Login.ID, b, true)
		return err
	}))
	if n["fine"] != 1 || n["login_done"] != 19 {
		t.Error(n)
	}
}

func TestTurningBackIsPossibleUntilTheCode(t *testing.T) {
	for _, until := range []vneid.LoginState{vneid.StateStarted, vneid.StateOTPSent, vneid.StateConsentPending, vneid.StateRefused, vneid.StateLocked} {
		c := newTown(t)
		id, b := c.start(ask("once"))
		switch until {
		case vneid.StateOTPSent:
			id, b, _ = c.toOTP(ask("once"), an)
		case vneid.StateConsentPending:
			var step vneid.Step
			step, b = c.signIn(ask("once"), an)
			id = step.Login.ID
		case vneid.StateRefused:
			if _, err := c.Cancel(c.ctx, id, b); err != nil {
				t.Fatal(err)
			}
		case vneid.StateLocked:
			var otp string
			id, b, otp = c.toOTP(ask("once"), an)
			for range 5 {
				_, _ = c.SubmitOTP(c.ctx, id, b, wrongOTP(otp))
			}
		}
		wantState(t, c.login(id), until)
		step, err := c.Cancel(c.ctx, id, b)
		if err != nil || step.Refusal != vneid.RefusalAccessDenied {
			t.Errorf("%s: %q, %v", until, step.Refusal, err)
		}
	}
	c := newTown(t)
	step, b := c.signIn(ask("portal"), an)
	_, err := c.Cancel(c.ctx, step.Login.ID, b)
	wantKey(t, err, "login_done")
	c.redeem(step) // turning back too late takes nothing back
}
