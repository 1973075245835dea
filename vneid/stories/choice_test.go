package stories

import (
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestWhoIsAskedWhichAccountMayKeepTheirOwn(t *testing.T) {
	c := newTown(t)
	first, b := c.signIn(ask("portal"), an)
	step := c.again(ask("portal", prompt("select_account")), b)
	wantState(t, step.Login, vneid.StateStarted)
	if step.Known == nil || step.Known.CCCD != an || step.Account != nil {
		t.Fatalf("offered is %+v", step.Known)
	}
	kept, err := c.KeepAccount(c.ctx, step.Login.ID, b)
	if err != nil || kept.Code == "" || kept.Login.SessionID != first.Login.SessionID {
		t.Fatalf("%+v, %v", kept, err)
	}
	if _, err := c.KeepAccount(c.ctx, step.Login.ID, b); err == nil {
		t.Error("twice")
	}
}

func TestAnAccountIsOfferedOnlyWhereItWouldDo(t *testing.T) {
	c := newTown(t)
	_, b := c.signIn(ask("portal"), an)
	for name, req := range map[string]vneid.AuthRequest{
		"prompt=select_account login": ask("portal", prompt("select_account", "login")),
		"somebody else is expected":   ask("portal", prompt("select_account"), loginHint(string(binh))),
		"the session is too old":      ask("portal", prompt("select_account"), maxAge(0)),
	} {
		step := c.again(req, b)
		if step.Known != nil || step.Login.State != vneid.StateStarted {
			t.Errorf("%s: %+v", name, step.Known)
		}
		if step, err := c.KeepAccount(c.ctx, step.Login.ID, b); err != nil || step.Login.State != vneid.StateStarted || step.Code != "" {
			t.Errorf("%s, chosen all the same: %+v, %v", name, step.Login, err)
		}
	}
}

func TestAnotherAccountIsChosenBySigningIn(t *testing.T) {
	c := newTown(t)
	first, b := c.signIn(ask("portal"), an)
	step, b := c.signIn(ask("portal", prompt("select_account")), binh, b)
	if step.Login.CCCD != binh || step.Login.SessionID == first.Login.SessionID {
		t.Errorf("%+v", step.Login)
	}
	if s, a, err := c.SessionOf(c.ctx, b); err != nil || s == nil || a.CCCD != binh {
		t.Errorf("%+v, %v", a, err)
	}
}

// OIDC Core §5.5.1.1.
func TestAClientThatInsistsOnALevelGetsItOrAnError(t *testing.T) {
	insist := func(levels ...string) func(*vneid.AuthRequest) {
		return func(r *vneid.AuthRequest) { r.EssentialACR = levels }
	}
	c := newTown(t)
	c.world.Policy.SecondFactor = vneid.SecondFactorNone
	id, b := c.start(ask("portal"))
	step, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW)
	if err != nil || step.Login.Auth.ACR != "LoA1" {
		t.Fatalf("%+v, %v", step.Login, err)
	}
	b.Session = step.NewSession
	if step := c.again(ask("portal", insist("LoA2"), prompt("none")), b); step.Refusal != vneid.RefusalLoginRequired {
		t.Errorf("a session of LoA1 for LoA2: %q", step.Refusal)
	}
	step, b = c.signIn(ask("portal", insist("LoA2")), an, b) // the policy asks no second factor, the client does
	if g := c.redeem(step); g.AccessToken.Auth.ACR != "LoA2" {
		t.Errorf("acr %q", g.AccessToken.Auth.ACR)
	}
	if g := c.redeem(c.again(ask("portal", insist("LoA1"), prompt("none")), b)); g.AccessToken.Auth.ACR != "LoA1" {
		t.Errorf("acr %q, though LoA1 was insisted on", g.AccessToken.Auth.ACR)
	}
	c.world.Policy.SecondFactor = vneid.SecondFactorSMS
	c.advance(time.Second)
	id, in, otp := c.toOTP(ask("portal", insist("LoA4")), an)
	if step, err = c.SubmitOTP(c.ctx, id, in, otp); err != nil || step.Refusal != vneid.RefusalUnmetRequirements || step.Code != "" {
		t.Errorf("%q, %v", step.Refusal, err)
	}
	if step, err := c.Look(c.ctx, id, in); err != nil || step.Refusal != vneid.RefusalUnmetRequirements {
		t.Errorf("later: %q, %v", step.Refusal, err)
	}
}

func TestWhoAgreedToAScopeIsAskedAgainForAClaimBeyondIt(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("once"), an)
	c.decide(step, b, true)
	email := func(r *vneid.AuthRequest) {
		r.Claims = &vneid.ClaimsRequest{Userinfo: map[string]vneid.ClaimRequest{"email": {}, "name": {}}}
	}
	if step := c.again(ask("once", email, prompt("none")), b); step.Refusal != vneid.RefusalConsentRequired {
		t.Fatalf("refusal %q", step.Refusal)
	}
	c.decide(c.again(ask("once", email), b), b, true)
	step = c.again(ask("once", email, prompt("none")), b)
	if step.Code == "" {
		t.Fatalf("agreed, and asked again: %q", step.Refusal)
	}
	g := c.redeem(step)
	if g.AccessToken.Claims == nil || len(g.AccessToken.Claims.Userinfo) != 2 {
		t.Errorf("%+v", g.AccessToken.Claims)
	}
}

func TestASignOutNamesTheFramesOfWhoHasTokens(t *testing.T) {
	c := newTown(t)
	for id, uri := range map[string]string{"portal": "http://127.0.0.1:9999/front?a=1", "strict": "http://127.0.0.1:9999/front", "once": "http://127.0.0.1:9999/never"} {
		cl := c.client(id)
		cl.FrontchannelLogoutURI = uri
		c.put(func(tx vneid.Tx) error { return tx.PutClient(cl) })
	}
	step, b := c.signIn(ask("portal"), an)
	c.redeem(step)
	c.redeem(c.again(ask("strict"), b))
	frames, err := c.SignOut(c.ctx, b)
	if err != nil || len(frames) != 2 {
		t.Fatalf("%q, %v", frames, err)
	}
	for i, begin := range []string{"http://127.0.0.1:9999/front?a=1&iss=", "http://127.0.0.1:9999/front?iss="} {
		if !strings.HasPrefix(frames[i], begin) || !strings.HasSuffix(frames[i], "&sid="+step.Login.SessionID) {
			t.Errorf("%s", frames[i])
		}
	}
	if again, err := c.SignOut(c.ctx, b); err != nil || again != nil {
		t.Errorf("twice: %q, %v", again, err)
	}
}
