package stories

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestASessionSparesTheNextPasswordAndSaysWhenItWasGiven(t *testing.T) {
	c := newTown(t)
	first, b := c.signIn(ask("portal"), an)
	c.advance(time.Hour)
	calls := c.hasher.calls.Load()
	step := c.again(ask("strict"), b)
	wantState(t, step.Login, vneid.StateCodeIssued)
	if c.hasher.calls.Load() != calls || len(c.inbox.all()) != 1 || step.NewSession != "" {
		t.Errorf("single sign-on asked again: %+v", step)
	}
	tok, _, err := c.Inspect(c.ctx, c.redeem(step).Access)
	if err != nil {
		t.Fatal(err)
	}
	if !tok.Auth.Time.Equal(noon) || tok.Auth.ACR != "LoA2" || tok.SessionID != first.Login.SessionID || tok.ClientID != "strict" || tok.CCCD != an {
		t.Errorf("%+v", tok)
	}
}

func TestWhatASessionIsGoodFor(t *testing.T) {
	c := newTown(t)
	_, b := c.signIn(ask("portal"), an)
	sub := func(client string, who vneid.CCCD) string {
		return c.client(client).Subject(c.world.Salt, vneid.AccountID(c.world.Salt, who))
	}
	for _, tc := range []struct {
		name  string
		after time.Duration
		req   vneid.AuthRequest
		want  bool
	}{
		{"at once", 0, ask("portal"), true},
		{"just before its end", 8*time.Hour - time.Millisecond, ask("portal"), true},
		{"at its end", 8 * time.Hour, ask("portal"), false},
		{"prompt=login", 0, ask("portal", prompt("login")), false},
		{"prompt=login consent", 0, ask("portal", prompt("login", "consent")), false},
		{"prompt=select_account", 0, ask("portal", prompt("select_account")), false},
		{"max_age=0 in the same instant", 0, ask("portal", maxAge(0)), false},
		{"max_age=0 later", time.Second, ask("portal", maxAge(0)), false},
		{"max_age=-1", 0, ask("portal", maxAge(-1)), false},
		{"max_age=1 after 1 s", time.Second, ask("portal", maxAge(1)), true},
		{"max_age=1 after 1.001 s", 1001 * time.Millisecond, ask("portal", maxAge(1)), false},
		{"max_age=10000 after 10000 s", 10000 * time.Second, ask("portal", maxAge(10000)), true},
		{"max_age=10000 after 10001 s", 10001 * time.Second, ask("portal", maxAge(10000)), false},
		{"max_age longer than a Duration", time.Hour, ask("portal", maxAge(math.MaxInt)), true},
		{"max_age that would wrap to a negative", time.Hour, ask("portal", maxAge(9223372037)), true},
		{"max_age that would wrap to 0.29 s", time.Hour, ask("portal", maxAge(18446744074)), true},
		{"login_hint of the same person", 0, ask("portal", loginHint("038 090 000 001")), true},
		{"login_hint of somebody else", 0, ask("portal", loginHint(string(binh))), false},
		{"login_hint that is no number", 0, ask("portal", loginHint("an@vidu.test")), true},
		{"id_token_hint of the same person", 0, ask("portal", idTokenHint(sub("portal", an))), true},
		{"id_token_hint of somebody else", 0, ask("portal", idTokenHint(sub("portal", binh))), false},
		{"id_token_hint with the sub of another client", 0, ask("portal", idTokenHint(sub("strict", an))), false},
		{"id_token_hint with the account id", 0, ask("portal", idTokenHint(vneid.AccountID(c.world.Salt, an))), false},
		{"acr_values=LoA1", 0, ask("portal", acr("LoA1")), true},
		{"acr_values=LoA2", 0, ask("portal", acr("LoA2")), true},
		{"acr_values=LoA4, which nobody reaches", 0, ask("portal", acr("LoA4")), true},
		{"acr_values of others", 0, ask("portal", acr("0", "", "urn:x")), true},
	} {
		c.clock.SetOffset(tc.after)
		step := c.again(tc.req, b)
		if got := step.Login.State == vneid.StateCodeIssued; got != tc.want {
			t.Errorf("%s: %s", tc.name, step.Login.State)
		}
		if !tc.want && (step.Code != "" || step.Account != nil || step.Login.CCCD != "") {
			t.Errorf("%s: the password page knows %+v", tc.name, step)
		}
	}
}

func TestASessionIsNothingWithoutItsCookieOrAfterItsEnd(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("portal"), an)
	for name, session := range map[string]string{"none": "", "a guess": vneid.NewSecret(c.Rand), "the sid": step.Login.SessionID, "the hash": vneid.SecretHash(b.Session)} {
		b := b
		b.Session = session
		wantState(t, c.again(ask("portal"), b).Login, vneid.StateStarted)
		if s, a, err := c.SessionOf(c.ctx, b); s != nil || a != nil || err != nil {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if _, err := c.SignOut(c.ctx, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateCodeIssued)
	for range 2 { // twice is no error
		if _, err := c.SignOut(c.ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateStarted)
	if s, _, err := c.SessionOf(c.ctx, b); s != nil || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestWhatHappenedToTheAccountEndsSingleSignOn(t *testing.T) {
	c := newTown(t)
	_, b := c.signIn(ask("portal"), an)
	for _, status := range []vneid.AccountStatus{vneid.AccountLocked, vneid.AccountNotActivated} {
		c.setStatus(an, status)
		step := c.again(ask("portal"), b)
		wantState(t, step.Login, vneid.StateStarted)
		if step := c.again(ask("portal", prompt("none")), b); step.Refusal != vneid.RefusalInteractionRequired {
			t.Errorf("%s: %q", status, step.Refusal)
		}
	}
	c.setStatus(an, vneid.AccountActive)
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateCodeIssued)

	_, b = c.signIn(ask("portal"), cuong)
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateCodeIssued)
	wantState(t, c.again(ask("strict"), b).Login, vneid.StateStarted) // level 1 is too low there
}

func TestSigningInAgainRenewsTheSecretAndKeepsTheSid(t *testing.T) {
	c := newTown(t)
	first, b := c.signIn(ask("portal"), an)
	c.advance(7 * time.Hour)
	second, renewed := c.signIn(ask("portal", prompt("login")), an, b)
	if renewed.Session == b.Session {
		t.Error("the secret of the session stayed: fixation")
	}
	if first.Login.SessionID == "" || first.Login.SessionID != second.Login.SessionID {
		t.Errorf("sid %q became %q", first.Login.SessionID, second.Login.SessionID)
	}
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateStarted) // the old cookie is worth nothing
	c.advance(7 * time.Hour)                                          // 14 h after the first sign-in
	step := c.again(ask("portal", maxAge(7*3600)), renewed)
	wantState(t, step.Login, vneid.StateCodeIssued)
	if !step.Login.Auth.Time.Equal(noon.Add(7 * time.Hour)) {
		t.Errorf("auth_time %s", step.Login.Auth.Time)
	}
}

func TestAnotherPersonEndsTheSessionAndItsAccessTokens(t *testing.T) {
	c := newTown(t)
	first, b := c.signIn(ask("portal"), an)
	tokens := c.redeem(first)
	second, b2 := c.signIn(ask("portal", prompt("login")), binh, b)
	if second.Login.SessionID == first.Login.SessionID {
		t.Error("two people share a sid")
	}
	if c.alive(tokens.Access) {
		t.Error("the access token of the person before still works")
	}
	if !c.alive(tokens.Refresh) {
		t.Error("the refresh token was asked for to outlive the session")
	}
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateStarted)
	step := c.again(ask("portal"), b2)
	if step.Login.CCCD != binh {
		t.Errorf("signed in as %s", step.Login.CCCD)
	}
}

func TestAPlantedSessionCookieDoesNotSurviveASignIn(t *testing.T) {
	c := newTown(t)
	_, attacker := c.signIn(ask("portal"), binh)
	victim := vneid.Browser{Secret: "the victim's", Session: attacker.Session}
	step, after := c.signIn(ask("portal", prompt("login")), an, victim)
	if s, _, _ := c.SessionOf(c.ctx, attacker); s != nil {
		t.Errorf("the planted cookie names the session of %s", s.CCCD)
	}
	if s, a, _ := c.SessionOf(c.ctx, after); s == nil || a.CCCD != an || s.ID != step.Login.SessionID {
		t.Errorf("%+v", s)
	}
	// The same with the victim's own session: whoever knew the secret before does not know it after.
	planted := after
	_, after = c.signIn(ask("portal", prompt("login")), an, after)
	if s, _, _ := c.SessionOf(c.ctx, planted); s != nil || after.Session == planted.Session {
		t.Error("the secret of the session was not renewed")
	}
}

func TestSomebodyElseThanTheHintIsRefusedThoughSignedIn(t *testing.T) {
	c := newTown(t)
	sub := c.client("once").Subject(c.world.Salt, vneid.AccountID(c.world.Salt, an))
	step, b := c.signIn(ask("once", idTokenHint(sub)), binh)
	if step.Refusal != vneid.RefusalLoginRequired || step.Code != "" {
		t.Errorf("%+v", step)
	}
	wantState(t, c.login(step.Login.ID), vneid.StateRefused)
	wantState(t, c.again(ask("portal"), b).Login, vneid.StateCodeIssued) // Bình is signed in all the same
	step, _ = c.signIn(ask("once", idTokenHint(sub)), an)
	wantState(t, step.Login, vneid.StateConsentPending)

	step, _ = c.signIn(ask("portal", loginHint(string(an))), binh) // only a hint
	wantState(t, step.Login, vneid.StateCodeIssued)
}

func TestASessionMayEndWhileALoginGoesOn(t *testing.T) {
	c := newTown(t)
	_, b := c.signIn(ask("portal"), an)
	// Two tabs renew the same session with the same old cookie: the slower one
	// gets a session of its own, and never the person of the faster one.
	id1, _, otp1 := c.toOTP(ask("portal", prompt("login")), an, b)
	id2, _, otp2 := c.toOTP(ask("portal", prompt("login")), binh, b)
	one, err := c.SubmitOTP(c.ctx, id1, b, otp1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := c.SubmitOTP(c.ctx, id2, b, otp2)
	if err != nil {
		t.Fatal(err)
	}
	if one.Login.SessionID == two.Login.SessionID || one.Login.CCCD != an || two.Login.CCCD != binh {
		t.Errorf("sessions %s of %s and %s of %s", one.Login.SessionID, one.Login.CCCD, two.Login.SessionID, two.Login.CCCD)
	}
}

func TestTwentyTabsWithOneSessionAllSignIn(t *testing.T) {
	c := newTown(t)
	_, b := c.signIn(ask("portal"), an)
	n := keysOf(parallel(20, func(int) error {
		l, _, err := c.Begin(c.ctx, ask("portal"), b.Secret, vneid.Origin{})
		if err != nil {
			return err
		}
		step, err := c.Resume(c.ctx, l.ID, b)
		if err == nil && step.Code == "" {
			err = errors.New("no code")
		}
		return err
	}))
	if n["fine"] != 20 {
		t.Error(n)
	}
}

func TestSignOutRevokesTheAccessTokensOfTheSessionOnly(t *testing.T) {
	c := newTown(t)
	first, b := c.signIn(ask("portal"), an)
	mine := c.redeem(first)
	sso := c.redeem(c.again(ask("strict"), b))
	elsewhere, _ := c.signIn(ask("portal"), an) // the same person in another browser
	other := c.redeem(elsewhere)
	if _, err := c.SignOut(c.ctx, b); err != nil {
		t.Fatal(err)
	}
	if c.alive(mine.Access) || c.alive(sso.Access) {
		t.Error("an access token outlives its session")
	}
	if !c.alive(mine.Refresh) || !c.alive(sso.Refresh) || !c.alive(other.Access) || !c.alive(other.Refresh) {
		t.Error("signing out revoked too much")
	}
	g, err := c.Refresh(c.ctx, c.client("portal"), mine.Refresh, nil)
	if err != nil || !c.alive(g.Access) {
		t.Errorf("offline access ended with the session: %v", err)
	}
}

func TestSigningOutEndsEverySessionThatTheBrowserBegan(t *testing.T) {
	c := newTown(t)
	// Two tabs of one browser, without a session so far, and both one-time
	// passwords arrive before either answer does.
	b := vneid.Browser{Secret: vneid.NewSecret(c.Rand)}
	ids, otps := [2]string{}, [2]string{}
	for i, who := range []vneid.CCCD{an, binh} {
		ids[i], _, otps[i] = c.toOTP(ask("portal"), who, b)
	}
	steps := [2]vneid.Step{}
	for _, err := range parallel(2, func(i int) (err error) {
		steps[i], err = c.SubmitOTP(c.ctx, ids[i], b, otps[i])
		return err
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	tabs := [2]vneid.Browser{{Secret: b.Secret, Session: steps[0].NewSession}, {Secret: b.Secret, Session: steps[1].NewSession}}
	one, two := c.redeem(steps[0]), c.redeem(steps[1])
	elsewhere, other := c.signIn(ask("portal"), an)
	theirs := c.redeem(elsewhere)

	if _, err := c.SignOut(c.ctx, tabs[1]); err != nil { // the cookie that the browser kept
		t.Fatal(err)
	}
	for i, tab := range tabs {
		if s, _, err := c.SessionOf(c.ctx, tab); s != nil || err != nil {
			t.Errorf("the session of tab %d goes on: %+v, %v", i, s, err)
		}
	}
	if c.alive(one.Access) || c.alive(two.Access) {
		t.Error("an access token outlives the sign-out")
	}
	if !c.alive(one.Refresh) || !c.alive(two.Refresh) {
		t.Error("refresh tokens were asked for to outlive it")
	}
	if s, _, _ := c.SessionOf(c.ctx, other); s == nil || !c.alive(theirs.Access) {
		t.Error("another browser of the same person was signed out too")
	}
}

func TestAnotherPersonEndsEverySessionThatTheBrowserBegan(t *testing.T) {
	c := newTown(t)
	b := vneid.Browser{Secret: vneid.NewSecret(c.Rand)}
	id1, _, otp1 := c.toOTP(ask("portal"), an, b)
	id2, _, otp2 := c.toOTP(ask("portal"), an, b)
	lost, err := c.SubmitOTP(c.ctx, id1, b, otp1)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := c.SubmitOTP(c.ctx, id2, b, otp2)
	if err != nil {
		t.Fatal(err)
	}
	tokens := c.redeem(lost)
	b.Session = kept.NewSession
	c.signIn(ask("portal", prompt("login")), binh, b)
	if c.alive(tokens.Access) {
		t.Error("an access token of the person before still works")
	}
}

func TestASignInThatRenewsASessionMakesItOneOfItsBrowser(t *testing.T) {
	c := newTown(t)
	_, b := c.signIn(ask("portal"), an)
	// The person lost the browser's own cookie and kept the session's.
	b.Secret = vneid.NewSecret(c.Rand)
	_, b = c.signIn(ask("portal", prompt("login")), an, b)
	var list []vneid.Session
	c.put(func(tx vneid.Tx) (err error) {
		list, err = tx.SessionsOfBrowser(vneid.SecretHash(b.Secret))
		return err
	})
	if len(list) != 1 || list[0].SecretHash != vneid.SecretHash(b.Session) {
		t.Errorf("%+v", list)
	}
}
