package stories

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestRefreshTokensRotate(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	seen := map[string]bool{g.Access: true, g.Refresh: true}
	for i := range 5 {
		c.advance(time.Hour)
		next, err := c.Refresh(c.ctx, step.Client, g.Refresh, nil)
		if err != nil {
			t.Fatal(err)
		}
		if seen[next.Access] || seen[next.Refresh] || next.Access == next.Refresh {
			t.Fatalf("rotation %d gives a token twice", i)
		}
		seen[next.Access], seen[next.Refresh] = true, true
		if c.alive(g.Refresh) {
			t.Fatalf("rotation %d: the old refresh token still counts", i)
		}
		tok, _, err := c.Inspect(c.ctx, next.Access)
		if err != nil {
			t.Fatal(err)
		}
		// auth_time, acr, nonce and sub are those of the sign-in, OIDC Core §12.2.
		if !tok.Auth.Time.Equal(noon) || tok.Auth.ACR != "LoA2" || tok.Subject != g.AccessToken.Subject || tok.SessionID != g.AccessToken.SessionID ||
			tok.GrantID != step.Login.ID || !tok.IssuedAt.Equal(c.now()) || next.ExpiresIn != 30*time.Minute || next.Account.CCCD != an {
			t.Errorf("rotation %d: %+v", i, tok)
		}
		g = next
	}
}

func TestUsingAnOldRefreshTokenRevokesTheFamily(t *testing.T) {
	c := newTown(t)
	step, b := c.signIn(ask("portal"), an)
	other := c.redeem(c.again(ask("portal"), b))
	g1 := c.redeem(step)
	g2, err := c.Refresh(c.ctx, step.Client, g1.Refresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Refresh(c.ctx, step.Client, g1.Refresh, nil)
	refused(t, err, "used before")
	for _, token := range []string{g1.Access, g2.Access, g2.Refresh} {
		if c.alive(token) {
			t.Error("a token of the family still works")
		}
	}
	_, err = c.Refresh(c.ctx, step.Client, g2.Refresh, nil)
	refused(t, err, "was revoked")
	if !c.alive(other.Refresh) {
		t.Error("another family was revoked")
	}
}

func TestSixtyFourRefreshesAtOnceHaveOneWinnerAndEndTheFamily(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	grants := make([]*vneid.Grant, 64)
	n := 0
	for _, err := range parallel(len(grants), func(i int) (err error) {
		grants[i], err = c.Refresh(c.ctx, step.Client, g.Refresh, nil)
		return err
	}) {
		if err == nil {
			n++
		} else if !vneid.IsCode(err, vneid.CodeInvalidGrant) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d winners", n)
	}
	for _, g := range grants {
		if g != nil && (c.alive(g.Access) || c.alive(g.Refresh)) {
			t.Error("the winner keeps its tokens though 63 others used the same one")
		}
	}
}

func TestScopesNarrowForOneAccessTokenAndNeverWiden(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	for _, wide := range [][]string{{"cccd"}, {"openid", "cccd"}, {"Openid"}, {""}} {
		_, err := c.Refresh(c.ctx, step.Client, g.Refresh, wide)
		if !vneid.IsCode(err, vneid.CodeInvalidScope) {
			t.Errorf("%q: %v", wide, err)
		}
	}
	if !c.alive(g.Refresh) {
		t.Fatal("a refused scope used the token up")
	}
	narrow, err := c.Refresh(c.ctx, step.Client, g.Refresh, []string{"openid"})
	if err != nil || !reflect.DeepEqual(narrow.AccessToken.Scopes, []string{"openid"}) {
		t.Fatalf("%+v, %v", narrow, err)
	}
	tok, _, err := c.Inspect(c.ctx, narrow.Access)
	if err != nil || !reflect.DeepEqual(tok.Scopes, []string{"openid"}) {
		t.Errorf("%+v, %v", tok, err)
	}
	// RFC 6749 §6: the refresh token keeps the scope of the sign-in.
	wide, err := c.Refresh(c.ctx, step.Client, narrow.Refresh, nil)
	if err != nil || !reflect.DeepEqual(wide.AccessToken.Scopes, ask("portal").Scopes) {
		t.Errorf("%+v, %v", wide, err)
	}
	if _, err := c.Refresh(c.ctx, step.Client, wide.Refresh, []string{"openid", "cccd"}); !vneid.IsCode(err, vneid.CodeInvalidScope) {
		t.Errorf("widened: %v", err)
	}
}

func TestTokensOfTheWrongKindOrClientAreNoRefreshTokens(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	_, err := c.Refresh(c.ctx, c.client("strict"), g.Refresh, nil)
	refused(t, err, "belongs to client portal")
	for _, token := range []string{"", "x", g.Access, vneid.SecretHash(g.Refresh), step.Code} {
		_, err := c.Refresh(c.ctx, step.Client, token, nil)
		refused(t, err, "no such refresh token")
	}
	if !c.alive(g.Access) || !c.alive(g.Refresh) {
		t.Error("these tries revoked something")
	}
	// The foreign client learns nothing from an old one, and harms nobody.
	if _, err := c.Refresh(c.ctx, step.Client, g.Refresh, nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.Refresh(c.ctx, c.client("strict"), g.Refresh, nil)
	refused(t, err, "belongs to client portal")
	if !c.alive(g.Access) {
		t.Error("a foreign client revoked the family")
	}
}

func TestAFamilyEndsThirtyDaysAfterTheSignInHoweverOftenItRotates(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	for range 29 {
		c.advance(24 * time.Hour)
		next, err := c.Refresh(c.ctx, step.Client, g.Refresh, nil)
		if err != nil {
			t.Fatal(err)
		}
		g = next
	}
	c.clock.SetOffset(30*24*time.Hour - time.Millisecond)
	g, err := c.Refresh(c.ctx, step.Client, g.Refresh, nil)
	if err != nil {
		t.Fatalf("in the last instant: %v", err)
	}
	c.clock.SetOffset(30 * 24 * time.Hour)
	_, err = c.Refresh(c.ctx, step.Client, g.Refresh, nil)
	refused(t, err, "valid until")
}

func TestALockedAccountRefreshesAndShowsNothing(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	for _, status := range []vneid.AccountStatus{vneid.AccountLocked, vneid.AccountNotActivated} {
		c.setStatus(an, status)
		_, err := c.Refresh(c.ctx, step.Client, g.Refresh, nil)
		refused(t, err, "cannot sign in")
		if _, _, err := c.Inspect(c.ctx, g.Access); !errors.Is(err, vneid.ErrNotFound) {
			t.Errorf("%s: userinfo says %v", status, err)
		}
	}
	c.setStatus(an, vneid.AccountActive)
	if _, err := c.Refresh(c.ctx, step.Client, g.Refresh, nil); err != nil {
		t.Errorf("unlocked again: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	for _, tc := range []struct {
		name            string
		client          string
		token           func(*vneid.Grant) string
		access, refresh bool // what is alive afterwards
	}{
		{"an access token", "portal", func(g *vneid.Grant) string { return g.Access }, false, true},
		{"a refresh token takes its family along", "portal", func(g *vneid.Grant) string { return g.Refresh }, false, false},
		{"the access token of another client", "strict", func(g *vneid.Grant) string { return g.Access }, true, true},
		{"the refresh token of another client", "strict", func(g *vneid.Grant) string { return g.Refresh }, true, true},
		{"nonsense", "portal", func(*vneid.Grant) string { return "nonsense" }, true, true},
	} {
		c := newTown(t)
		step, _ := c.signIn(ask("portal"), an)
		g := c.redeem(step)
		for range 2 { // RFC 7009 §2.2: a second time is no error either
			if err := c.Revoke(c.ctx, c.client(tc.client), tc.token(g)); err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
		if c.alive(g.Access) != tc.access || c.alive(g.Refresh) != tc.refresh {
			t.Errorf("%s: access %v, refresh %v", tc.name, c.alive(g.Access), c.alive(g.Refresh))
		}
	}
}

func TestRevokingAnOldRefreshTokenEndsTheFamilyToo(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	old := c.redeem(step)
	g, err := c.Refresh(c.ctx, step.Client, old.Refresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Revoke(c.ctx, step.Client, old.Refresh); err != nil {
		t.Fatal(err)
	}
	if c.alive(g.Access) || c.alive(g.Refresh) {
		t.Error("the family lives on")
	}
}

func TestInspectTellsTheKindsApartAndTheDeadFromTheLiving(t *testing.T) {
	c := newTown(t)
	step, _ := c.signIn(ask("portal"), an)
	g := c.redeem(step)
	for token, kind := range map[string]vneid.TokenKind{g.Access: vneid.AccessToken, g.Refresh: vneid.RefreshToken} {
		tok, a, err := c.Inspect(c.ctx, token)
		if err != nil || tok.Kind != kind || a.CCCD != an {
			t.Errorf("%s: %+v, %v", kind, tok, err)
		}
	}
	c.clock.SetOffset(30*time.Minute - time.Millisecond)
	if !c.alive(g.Access) {
		t.Error("over too early")
	}
	c.clock.SetOffset(30 * time.Minute)
	for _, token := range []string{g.Access, "", "x", vneid.SecretHash(g.Access), step.Code} {
		tok, a, err := c.Inspect(c.ctx, token)
		if !errors.Is(err, vneid.ErrNotFound) || tok != nil || a != nil {
			t.Errorf("%q: %+v, %v", token, tok, err)
		}
	}
}

func TestSubjectsDifferByClientAndStayForAPerson(t *testing.T) {
	c := newTown(t)
	first, b := c.signIn(ask("portal"), an)
	portal := c.redeem(first).AccessToken.Subject
	strict := c.redeem(c.again(ask("strict"), b)).AccessToken.Subject
	again, _ := c.signIn(ask("portal"), an)
	other, _ := c.signIn(ask("portal"), binh)
	if portal == strict || portal != c.redeem(again).AccessToken.Subject || portal == c.redeem(other).AccessToken.Subject {
		t.Error("subjects are mixed up")
	}
}
