package stories

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestASignInEndsWithTokensForThePerson(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("portal"))

	step, err := c.Resume(c.ctx, id, b)
	if err != nil || step.Code != "" || step.Refusal != "" {
		t.Fatalf("resumed: %+v, %v", step, err)
	}
	wantState(t, step.Login, vneid.StateStarted)

	step, err = c.SubmitPassword(c.ctx, id, b, "038 090 000 001", theirPW)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, step.Login, vneid.StateOTPSent)
	if step.Account.CCCD != an || step.Code != "" || step.NewSession != "" || step.Login.Auth.ACR != "" {
		t.Errorf("after the password: %+v", step)
	}
	sms := c.inbox.last()
	if sms.To != "0950000001" || sms.Login != id || len(sms.OTP) != 6 || !strings.Contains(sms.Text, sms.OTP) || !strings.Contains(sms.Text, "120 giây") ||
		!strings.Contains(sms.Text, "portal") || !sms.SentAt.Equal(noon) {
		t.Errorf("the message is %+v", sms)
	}

	c.advance(10 * time.Second)
	step, err = c.SubmitOTP(c.ctx, id, b, sms.OTP[:3]+" "+sms.OTP[3:])
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, step.Login, vneid.StateCodeIssued)
	if step.Code == "" || step.NewSession == "" || step.Refusal != "" {
		t.Errorf("after the one-time password: %+v", step)
	}

	g := c.redeem(step)
	wantState(t, c.login(id), vneid.StateRedeemed)
	tok, account, err := c.Inspect(c.ctx, g.Access)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Kind != vneid.AccessToken || tok.CCCD != an || account.Name != "Nguyễn Văn An" || tok.ClientID != "portal" || tok.Nonce != "n" ||
		tok.Subject != step.Client.Subject(c.world.Salt, account.ID) || tok.Auth.ACR != "LoA2" || !reflect.DeepEqual(tok.Auth.AMR, []string{"pwd", "otp", "sms", "mfa"}) ||
		!tok.Auth.Time.Equal(c.now()) || tok.SessionID == "" || g.ExpiresIn != 30*time.Minute || !reflect.DeepEqual(tok.Scopes, ask("portal").Scopes) {
		t.Errorf("the token is %+v", tok)
	}
	b.Session = step.NewSession
	session, who, err := c.SessionOf(c.ctx, b)
	if err != nil || session == nil || session.ID != tok.SessionID || who.CCCD != an {
		t.Errorf("the session is %+v, %v", session, err)
	}
}

func TestNothingSecretRestsInALogin(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("portal"), an)
	text := fmt.Sprintf("%+v", *c.login(step.Login.ID))
	for what, secret := range map[string]string{"code": step.Code, "browser": b.Secret, "session": step.NewSession, "one-time password": c.inbox.last().OTP, "password": theirPW} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s stands in the store: %s", what, text)
		}
	}
}

// Code, key and arguments are everything a page shows of an error.
func shown(err error) string {
	var e *vneid.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(e.Code, e.MsgKey, e.Args)
}

func TestAnUnknownNumberLooksLikeAWrongPassword(t *testing.T) {
	c := newTown(t)
	type answer struct {
		shown string
		calls int64
		sms   int
		state vneid.LoginState
		known bool
	}
	try := func(who vneid.CCCD) (list []answer) {
		for i := range 8 {
			id, b := c.start(ask("portal"))
			calls := c.hasher.calls.Load()
			step, err := c.SubmitPassword(c.ctx, id, b, string(who), fmt.Sprintf("wrong %d", i))
			list = append(list, answer{shown(err), c.hasher.calls.Load() - calls, len(c.inbox.all()), c.login(id).State, step.Account != nil})
			if step.Login.CCCD != "" || c.login(id).CCCD != "" {
				t.Errorf("%s: the login has a person after a wrong password", who)
			}
		}
		return list
	}
	unknown := try(nobody)
	for _, who := range []vneid.CCCD{an, dung, quang, nguyet, cuong} {
		if got := try(who); !reflect.DeepEqual(got, unknown) {
			t.Errorf("%s can be told from nobody:\n%v\n%v", who, got, unknown)
		}
	}
	for i, a := range unknown {
		wantCalls, wantShown := int64(1), "forbiddenwrong_credentials[]"
		if i >= 4 {
			wantShown = "exhaustedtoo_many_passwords[15]"
		}
		if i >= 5 {
			wantCalls = 0
		}
		if strings.ReplaceAll(a.shown, " ", "") != wantShown || a.calls != wantCalls || a.sms != 0 || a.state != vneid.StateStarted || a.known {
			t.Errorf("try %d: %+v", i+1, a)
		}
	}
}

func TestFiveWrongPasswordsLockTheNumberForFifteenMinutes(t *testing.T) {
	c := newTown(t)
	// However the number is written, it is one number.
	forms := []string{"038090000001", "038 090 000 001", "038.090.000.001", "０３８０９００００００１", "\u00a0038-090-000001 "}
	for i, form := range forms {
		id, b := c.start(ask("portal"))
		_, err := c.SubmitPassword(c.ctx, id, b, form, "wrong")
		if i < 4 {
			wantKey(t, err, "wrong_credentials")
		} else {
			wantKey(t, err, "too_many_passwords")
		}
		c.advance(time.Second)
	}
	id, b := c.start(ask("portal"))
	calls := c.hasher.calls.Load()
	_, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
	wantKey(t, err, "too_many_passwords")
	if c.hasher.calls.Load() != calls || len(c.inbox.all()) != 0 {
		t.Error("a locked number still has its password checked")
	}
	if _, err := c.SubmitPassword(c.ctx, id, b, string(binh), "wrong"); vneid.MsgKey(err) != "wrong_credentials" {
		t.Errorf("another number: %v", err)
	}
	c.advance(15*time.Minute - 2*time.Second)
	id, b = c.start(ask("portal"))
	want := shown(&vneid.Error{Code: vneid.CodeExhausted, MsgKey: "too_many_passwords", Args: []any{1}})
	if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); shown(err) != want {
		t.Errorf("a second before the end: %v", err)
	}
	c.advance(time.Second)
	if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); err != nil {
		t.Errorf("after 15 minutes: %v", err)
	}
}

func TestTryingALockedNumberDoesNotProlongTheLock(t *testing.T) {
	c := newTown(t)
	for range 5 {
		id, b := c.start(ask("portal"))
		_, _ = c.SubmitPassword(c.ctx, id, b, string(an), "wrong")
	}
	for range 14 {
		c.advance(time.Minute)
		id, b := c.start(ask("portal"))
		_, err := c.SubmitPassword(c.ctx, id, b, string(an), "wrong")
		wantKey(t, err, "too_many_passwords")
	}
	c.advance(time.Minute)
	c.toOTP(ask("portal"), an)
}

func TestFailuresAreForgottenAfterTheRightPasswordAndAfterTheWindow(t *testing.T) {
	c := newTown(t)
	fail := func(n int) {
		t.Helper()
		for range n {
			id, b := c.start(ask("portal"))
			_, err := c.SubmitPassword(c.ctx, id, b, string(an), "wrong")
			wantKey(t, err, "wrong_credentials")
		}
	}
	fail(4)
	c.toOTP(ask("portal"), an)
	fail(4)
	c.advance(15 * time.Minute)
	fail(4)
}

func TestFiftyParallelPasswordsRevealAtMostFiveAnswers(t *testing.T) {
	for _, who := range []vneid.CCCD{an, nobody} {
		c := newTown(t)
		errs := parallel(50, func(int) error {
			id, b := c.start(ask("portal"))
			_, err := c.SubmitPassword(c.ctx, id, b, string(who), "wrong")
			return err
		})
		if n := keysOf(errs); n["wrong_credentials"] != 4 || n["too_many_passwords"] != 46 {
			t.Errorf("%s: %v", who, n)
		}
	}
}

func TestTheRightPasswordAmongParallelGuessesIsRefusedOnceTheNumberIsLocked(t *testing.T) {
	c := newTown(t)
	const guesses = 20
	arrived, others := make(chan struct{}, guesses), make(chan struct{})
	c.hasher.pause = func(password string) {
		arrived <- struct{}{}
		if password == theirPW {
			<-others // its hash is ready when the number is locked already
		}
	}
	id, b := c.start(ask("portal"))
	result := make(chan error)
	go func() {
		_, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
		result <- err
	}()
	<-arrived // it has passed the first look at the lock
	errs := parallel(guesses-1, func(i int) error {
		id, b := c.start(ask("portal"))
		_, err := c.SubmitPassword(c.ctx, id, b, string(an), fmt.Sprint("wrong", i))
		return err
	})
	if n := keysOf(errs); n["wrong_credentials"] != 4 {
		t.Fatal(n)
	}
	close(others)
	wantKey(t, <-result, "too_many_passwords")
	wantState(t, c.login(id), vneid.StateStarted)
	if len(c.inbox.all()) != 0 {
		t.Error("a message went out: the guess was confirmed")
	}
}

func TestAPasswordChangedDuringTheCheckDoesNotCount(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("portal"))
	var once sync.Once
	c.hasher.pause = func(string) {
		once.Do(func() {
			c.put(func(tx vneid.Tx) error {
				a, err := tx.Account(an)
				if err != nil {
					return err
				}
				a.PasswordHash, err = c.hasher.Hash(c.ctx, "another")
				return errors.Join(err, tx.PutAccount(a))
			})
		})
	}
	_, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
	wantKey(t, err, "wrong_credentials")
}

func TestTheSecretOfTheDecoyOpensNothing(t *testing.T) {
	c := newTown(t)
	c.put(func(tx vneid.Tx) error {
		a, err := tx.Account(an)
		if err != nil {
			return err
		}
		a.PasswordHash = "" // an account without a password, as a careless seed would make it
		return tx.PutAccount(a)
	})
	for _, pw := range []string{theirPW, "x"} {
		id, b := c.start(ask("portal"))
		_, err := c.SubmitPassword(c.ctx, id, b, string(an), pw)
		wantKey(t, err, "wrong_credentials")
	}
}

func TestWhatIsWrongWithAnAccountIsToldOnlyAfterTheRightPassword(t *testing.T) {
	for _, tc := range []struct {
		who    vneid.CCCD
		client string
		key    string
		args   []any
	}{
		{dung, "portal", "account_locked", nil},
		{quang, "portal", "account_not_activated", nil},
		{nguyet, "portal", "account_no_phone", nil},
		{cuong, "strict", "account_level_too_low", []any{1, 2}},
	} {
		c := newTown(t)
		id, b := c.start(ask(tc.client))
		_, err := c.SubmitPassword(c.ctx, id, b, string(tc.who), "wrong")
		wantKey(t, err, "wrong_credentials")
		step, err := c.SubmitPassword(c.ctx, id, b, string(tc.who), theirPW)
		wantKey(t, err, tc.key)
		var e *vneid.Error
		if errors.As(err, &e); !reflect.DeepEqual(e.Args, tc.args) {
			t.Errorf("%s: args %v", tc.key, e.Args)
		}
		if step.Refusal != vneid.RefusalAccessDenied || len(c.inbox.all()) != 0 {
			t.Errorf("%s: refusal %q, %d messages", tc.key, step.Refusal, len(c.inbox.all()))
		}
		wantState(t, c.login(id), vneid.StateRefused)
		_, err = c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
		wantKey(t, err, "login_done")
		if step, err := c.Look(c.ctx, id, b); err != nil || step.Refusal == "" {
			t.Errorf("%s: the way back to the portal is lost: %v", tc.key, err)
		}
	}
	c := newTown(t)
	c.toOTP(ask("portal"), cuong) // level 1 is enough where the client allows it
}

func TestMalformedEntriesAreNoTries(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("portal"))
	for _, tc := range []struct{ number, password, key string }{
		{"", theirPW, "cccd.empty"}, {"171234567", theirPW, "cccd.cmnd"}, {"38090000001", theirPW, "cccd.lost_zero"},
		{string(an), "", "password_empty"}, {string(an), strings.Repeat("x", 1025), "password_empty"},
	} {
		for range 6 {
			_, err := c.SubmitPassword(c.ctx, id, b, tc.number, tc.password)
			wantKey(t, err, tc.key)
		}
	}
	if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); err != nil {
		t.Error(err)
	}
}

func TestALoginBelongsToOneBrowser(t *testing.T) {
	c := newTown(t)
	c.world.Policy.PasswordTries = 100
	for _, state := range []vneid.LoginState{vneid.StateStarted, vneid.StateOTPSent, vneid.StateConsentPending, vneid.StateCodeIssued} {
		id, b := c.start(ask("always"))
		if state != vneid.StateStarted {
			if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); err != nil {
				t.Fatal(err)
			}
		}
		if state == vneid.StateConsentPending || state == vneid.StateCodeIssued {
			step, err := c.SubmitOTP(c.ctx, id, b, c.inbox.last().OTP)
			if err != nil {
				t.Fatal(err)
			}
			b.Session = step.NewSession
		}
		if state == vneid.StateCodeIssued {
			if _, err := c.DecideSharing(c.ctx, id, b, true); err != nil {
				t.Fatal(err)
			}
		}
		before := c.login(id)
		wantState(t, before, state)
		for key, foreign := range map[string]vneid.Browser{
			"other_browser":    {Secret: "another", Session: b.Session},
			"cookies_disabled": {Session: b.Session},
			"login_not_found":  b,
		} {
			id := id
			if key == "login_not_found" {
				id = vneid.NewID(c.Rand)
			}
			for name, use := range c.useCases(id, foreign) {
				step, err := use()
				wantKey(t, err, key)
				if step.Login != nil || step.Code != "" || step.Account != nil || step.NewSession != "" {
					t.Errorf("%s of %s tells a foreign browser %+v", name, state, step)
				}
			}
		}
		if after := c.login(id); !reflect.DeepEqual(before, after) {
			t.Errorf("%s: a foreign browser changed the login: %+v", state, after)
		}
		c.advance(10 * time.Minute) // the quota of messages
	}
	if c.hasher.calls.Load() != 3 {
		t.Errorf("%d passwords were checked, 3 of them in the browser of the login", c.hasher.calls.Load())
	}
}

// useCases are all that a browser can ask for with the id of a login.
func (c *town) useCases(id string, b vneid.Browser) map[string]func() (vneid.Step, error) {
	return map[string]func() (vneid.Step, error){
		"Look":           func() (vneid.Step, error) { return c.Look(c.ctx, id, b) },
		"Resume":         func() (vneid.Step, error) { return c.Resume(c.ctx, id, b) },
		"SubmitPassword": func() (vneid.Step, error) { return c.SubmitPassword(c.ctx, id, b, string(an), theirPW) },
		"ResendOTP":      func() (vneid.Step, error) { return c.ResendOTP(c.ctx, id, b) },
		"SubmitOTP":      func() (vneid.Step, error) { return c.SubmitOTP(c.ctx, id, b, "123456") },
		"DecideSharing":  func() (vneid.Step, error) { return c.DecideSharing(c.ctx, id, b, true) },
		"Cancel":         func() (vneid.Step, error) { return c.Cancel(c.ctx, id, b) },
	}
}

func TestALoginWithoutABrowserBelongsToTheFirstThatOpensIt(t *testing.T) {
	c := newTown(t)
	l, _, err := c.Begin(c.ctx, ask("portal"), "", vneid.Origin{}) // a cross-site POST
	if err != nil {
		t.Fatal(err)
	}
	n := keysOf(parallel(20, func(i int) error {
		_, err := c.Resume(c.ctx, l.ID, vneid.Browser{Secret: fmt.Sprint("browser ", i)})
		return err
	}))
	if n["fine"] != 1 || n["other_browser"] != 19 {
		t.Error(n)
	}
	// A wrong password binds as well: the next page is for the same browser.
	l, _, err = c.Begin(c.ctx, ask("portal"), "", vneid.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.SubmitPassword(c.ctx, l.ID, vneid.Browser{Secret: "first"}, string(an), "wrong")
	wantKey(t, err, "wrong_credentials")
	_, err = c.Look(c.ctx, l.ID, vneid.Browser{Secret: "second"})
	wantKey(t, err, "other_browser")
}

func TestALoginOfAnotherWorldIsNotFound(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("portal"))
	other := *c.world
	other.ID = "other"
	if err := c.Store.PutWorld(c.ctx, vneid.WorldRecord{ID: "other", Salt: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Look(vneid.WithWorld(c.ctx, &other), id, b)
	wantKey(t, err, "login_not_found")
}

func TestTheDatabaseFailingIsNoAnswerAboutThePassword(t *testing.T) {
	c := newTown(t)
	id, b := c.start(ask("portal"))
	if err := c.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, use := range c.useCases(id, b) {
		if _, err := use(); err == nil || vneid.MsgKey(err) != "internal" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
