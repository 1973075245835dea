package stories

import (
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// refused fails unless err is an invalid_grant; the hint is for developers.
func refused(t *testing.T, err error, hint string) {
	t.Helper()
	if !vneid.IsCode(err, vneid.CodeInvalidGrant) || !strings.Contains(err.Error(), hint) {
		t.Fatalf("got %v, want invalid_grant … %s", err, hint)
	}
}

func TestACodeIsExchangedOnceHoweverManyTry(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	grants := make([]*vneid.Grant, 100)
	n := 0
	for _, err := range parallel(len(grants), func(i int) (err error) {
		grants[i], err = c.Redeem(c.ctx, step.Client, step.Code, redir, "")
		return err
	}) {
		if err == nil {
			n++
		} else if !vneid.IsCode(err, vneid.CodeInvalidGrant) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Fatalf("%d of 100 succeeded", n)
	}
	for _, g := range grants {
		if g != nil && (c.alive(g.Access) || c.alive(g.Refresh)) {
			t.Error("99 replays, and the tokens still work")
		}
	}
	wantState(t, c.login(step.Login.ID), vneid.StateRedeemed)
}

func TestAReplayedCodeRevokesEverythingIssuedForIt(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	next, err := c.Refresh(c.ctx, step.Client, g.Refresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := c.redeem(c.again(ask("portal"), b)) // another grant of the same client and person
	c.advance(30 * time.Second)
	_, err = c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	refused(t, err, "redeemed before")
	for _, token := range []string{g.Access, next.Access, next.Refresh} {
		if c.alive(token) {
			t.Error("a token of a replayed code still works")
		}
	}
	if !c.alive(other.Access) || !c.alive(other.Refresh) {
		t.Error("the replay revoked another grant")
	}
	_, err = c.Refresh(c.ctx, step.Client, next.Refresh, nil)
	refused(t, err, "revoked")
	c.advance(time.Hour) // long after the code's end it is still a replay
	_, err = c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	refused(t, err, "redeemed before")
}

func TestACodeIsForItsClientAndItsRedirectURI(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	_, err := c.Redeem(c.ctx, c.client("strict"), step.Code, redir, "")
	refused(t, err, "belongs to client portal")
	for uri, hint := range map[string]string{
		"": "character 1", redir + "/": "character 31", "http://127.0.0.1:9999/Callback": "character 23", "http://localhost:9999/callback": "character 8",
	} {
		_, err = c.Redeem(c.ctx, step.Client, step.Code, uri, "")
		refused(t, err, hint)
	}
	for _, code := range []string{"", "x", step.Code + "x", vneid.SecretHash(step.Code)} {
		_, err = c.Redeem(c.ctx, step.Client, code, redir, "")
		refused(t, err, "no such code")
	}
	g := c.redeem(step) // none of these used it up

	_, err = c.Redeem(c.ctx, c.client("strict"), step.Code, redir, "")
	refused(t, err, "belongs to client portal")
	if !c.alive(g.Access) {
		t.Error("another client revoked the tokens")
	}
}

func TestPKCE(t *testing.T) {
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	for _, tc := range []struct{ name, challenge, verifier, hint string }{
		{"right", vneid.SecretHash(verifier), verifier, ""},
		{"neither", "", "", ""},
		{"missing", vneid.SecretHash(verifier), "", "code_verifier is missing"},
		{"wrong", vneid.SecretHash(verifier), strings.Repeat("a", 43), "does not belong"},
		{"the challenge itself", vneid.SecretHash(verifier), vneid.SecretHash(verifier), "does not belong"},
		{"too short", vneid.SecretHash("short"), "short", "does not belong"},
		{"unasked", "", verifier, "no code_challenge"},
	} {
		c := newTown(t)
		step, _ := c.signIn(ask("portal", challenge(tc.challenge)), an)
		g, err := c.Redeem(c.ctx, step.Client, step.Code, redir, tc.verifier)
		if tc.hint == "" {
			if err != nil || !c.alive(g.Access) {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		refused(t, err, tc.hint)
		wantState(t, c.login(step.Login.ID), vneid.StateCodeIssued) // the client may try again, nobody else can
	}
}

func TestACodeCountsForSixtySeconds(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	c.advance(60*time.Second + time.Millisecond)
	_, err := c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	refused(t, err, "valid until")
	c.advance(-time.Millisecond)
	c.redeem(step)
}

func TestACodeGivenOutAgainVoidsTheFirst(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("portal"), an)
	c.advance(20 * time.Second)
	again, err := c.Resume(c.ctx, step.Login.ID, b)
	if err != nil || again.Code == "" || again.Code == step.Code {
		t.Fatalf("%q, %v", again.Code, err)
	}
	_, err = c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	refused(t, err, "no such code")
	c.advance(40 * time.Second)
	third, err := c.Resume(c.ctx, step.Login.ID, b)
	if err != nil {
		t.Fatal(err)
	}
	g := c.redeem(third)
	after, err := c.Resume(c.ctx, step.Login.ID, b)
	if err != nil || after.Code != "" {
		t.Errorf("a code after the exchange: %q, %v", after.Code, err)
	}
	if !c.alive(g.Access) {
		t.Error("opening the page again revoked the tokens")
	}

	step, b = c.signIn(ask("portal"), binh)
	c.advance(60*time.Second + time.Millisecond)
	late, err := c.Resume(c.ctx, step.Login.ID, b)
	wantKey(t, err, "login_expired")
	if late.Code != "" {
		t.Error("a code after the end of the first")
	}
	wantState(t, c.login(step.Login.ID), vneid.StateExpired)
}

func TestReloadingAndRedeemingAtOnceGiveOneGrant(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("portal"), an)
	var grants [40]*vneid.Grant
	for _, err := range parallel(len(grants), func(i int) error {
		s, err := step, error(nil)
		if i%2 == 1 {
			if s, err = c.Resume(c.ctx, step.Login.ID, b); err != nil || s.Code == "" {
				return err
			}
		}
		grants[i], err = c.Redeem(c.ctx, step.Client, s.Code, redir, "")
		return err
	}) {
		if err != nil && !vneid.IsCode(err, vneid.CodeInvalidGrant) {
			t.Error(err)
		}
	}
	n := 0
	for _, g := range grants {
		if g != nil {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d grants", n)
	}
}

func TestALockedOrDeletedAccountGetsNoTokens(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	c.setStatus(an, vneid.AccountLocked)
	_, err := c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	refused(t, err, "cannot sign in")
	if err := c.Store.ClearWorld(c.ctx, c.world.ID); err != nil {
		t.Fatal(err)
	}
	_, err = c.Redeem(c.ctx, step.Client, step.Code, redir, "")
	refused(t, err, "no such code")
}

func TestLifetimesOfTheClientReplaceThoseOfThePolicy(t *testing.T) {
	c := newTown(t)
	cl := c.client("portal")
	cl.AccessTokenLifetime, cl.RefreshTokenLifetime = 10, 20
	c.put(func(tx vneid.Tx) error { return tx.PutClient(cl) })
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	if g.ExpiresIn != 10*time.Second {
		t.Errorf("expires in %s", g.ExpiresIn)
	}
	c.advance(10 * time.Second)
	if c.alive(g.Access) || !c.alive(g.Refresh) {
		t.Error("after 10 s the access token should be over, the refresh token not")
	}
	c.advance(10 * time.Second)
	if c.alive(g.Refresh) {
		t.Error("after 20 s the refresh token should be over")
	}
}

func TestARefreshTokenIsGivenOnlyWhenAskedForAndAllowed(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("portal", scopes("openid", "profile")), an)
	if g := c.redeem(step); g.Refresh != "" {
		t.Error("without offline_access")
	}
	cl := c.client("portal")
	cl.GrantTypes = []string{"authorization_code"}
	c.put(func(tx vneid.Tx) error { return tx.PutClient(cl) })
	if g := c.redeem(c.again(ask("portal"), b)); g.Refresh != "" {
		t.Error("to a client without the grant type")
	}
}
