package vneid

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Grant is what a client gets for a code or a refresh token.
type Grant struct {
	Access      string // the token's text, given out once
	Refresh     string // "" = none
	AccessToken *Token
	Issuer      string // under which the sign-in began; that of all its ID tokens (OIDC Core §12.2)
	Account     *Account
	ExpiresIn   time.Duration // of the access token

	refreshToken Token
}

func (g *Grant) tokens() []*Token {
	if g.Refresh == "" {
		return []*Token{g.AccessToken}
	}
	return []*Token{g.AccessToken, &g.refreshToken}
}

// Redeem exchanges an authorization code, once. A second try by the same
// client means that the code leaked or that the client is broken: everything
// issued for it is revoked (RFC 6749 §4.1.2, RFC 9700 §4.5).
func (s *Service) Redeem(ctx context.Context, c *Client, code, redirectURI, verifier string) (g *Grant, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	var refusal error
	err = s.Store.Update(ctx, w.ID, func(tx Tx) error {
		g, refusal = nil, nil
		l, account, session, err := tx.LoginByCodeWith(SecretHash(code))
		if errors.Is(err, ErrNotFound) || err == nil && l.Request.Device {
			return invalidGrant("no such code").Explained("code.unknown")
		}
		if err != nil {
			return err
		}
		TrailFrom(ctx).Login(l)
		switch {
		case l.Request.ClientID != c.ClientID:
			return invalidGrant("the code belongs to client "+l.Request.ClientID).Explained("code.other_client", l.Request.ClientID, c.ClientID)
		case l.State == StateRedeemed:
			refusal = invalidGrant("the code was redeemed before: everything issued for it is revoked now").Explained("code.redeemed_twice")
			return tx.RevokeGrant(l.ID, now)
		case l.Expired(now):
			return invalidGrant("the code was valid until "+l.CodeExpires.UTC().Format(time.RFC3339)).Explained("code.expired", secondsSince(l.CodeExpires, now))
		case l.Request.RedirectURI != redirectURI:
			return invalidGrant(firstDifference(l.Request.RedirectURI, redirectURI)).Explained("code.redirect_uri_differs", ExplainURI([]string{l.Request.RedirectURI}, redirectURI)...)
		case !c.MatchRedirectURI(redirectURI):
			return invalidGrant("the redirect_uri is not registered any more").Explained("code.redirect_uri_gone", redirectURI)
		case l.Request.CodeChallenge == "" && c.RequirePKCE != nil && *c.RequirePKCE:
			return invalidGrant("the client requires PKCE by now, and the authorization request had no code_challenge").Explained("pkce.required_by_now")
		case l.Request.CodeChallenge == "" && verifier != "":
			// RFC 9700 §4.8.2: otherwise an attacker could strip the challenge.
			return invalidGrant("a code_verifier was sent, but the authorization request had no code_challenge").Explained("pkce.verifier_without_challenge")
		case l.Request.CodeChallenge != "" && verifier == "":
			return invalidGrant("code_verifier is missing").Explained("pkce.verifier_missing")
		case l.Request.CodeChallenge != "" && !CheckVerifier(l.Request.CodeChallenge, verifier):
			return invalidGrant("the code_verifier does not belong to the code_challenge").Explained("pkce.verifier_wrong")
		}
		g, err = s.redeem(tx, w, c, l, account, session, now)
		return err
	})
	if err == nil && refusal != nil {
		return nil, refusal
	}
	return g, err
}

// redeem makes the tokens of a login that came to its end. Person and session
// are nil when they are gone.
func (s *Service) redeem(tx Tx, w *World, c *Client, l *Login, account *Account, session *Session, now time.Time) (*Grant, error) {
	if account == nil || account.Status != AccountActive {
		return nil, invalidGrant("the account cannot sign in any more").Explained("grant.account_gone")
	}
	if session == nil || !session.EndedAt.IsZero() {
		return nil, invalidGrant("the person signed out before the code was redeemed").Explained("code.signed_out")
	}
	// Written though unchanged: a sign-out at this very moment then collides
	// with it, instead of missing the tokens that are made here.
	if err := tx.SaveSession(session); err != nil {
		return nil, err
	}
	if err := l.Apply(EventRedeemed, now); err != nil {
		return nil, err
	}
	base := Token{GrantID: l.ID, ClientID: c.ClientID, CCCD: l.CCCD, Subject: c.Subject(w.Salt, account.ID),
		Scopes: stillAllowed(c, l.Request.Scopes), SessionID: l.SessionID, Auth: l.Auth, Nonce: l.Request.Nonce,
		Claims: l.Request.Claims.openTo(c), IssuedAt: now}
	base.Auth.ACR = l.Request.reportedACR(l.Auth.ACR)
	withRefresh := slices.Contains(base.Scopes, ScopeOfflineAccess) && c.AllowsGrant("refresh_token")
	until := now.Add(lifetime(c.RefreshTokenLifetime, w.Policy.RefreshLifetime))
	g := s.newGrant(c, w, account, base, base.Scopes, withRefresh, until)
	g.Issuer = l.Issuer
	if err := tx.InsertTokens(g.tokens()...); err != nil {
		return nil, err
	}
	return g, tx.SaveLogin(l)
}

// Refresh rotates a refresh token. Using an old one again revokes the family
// (RFC 9700 §4.14.2).
func (s *Service) Refresh(ctx context.Context, c *Client, refresh string, scopes []string) (g *Grant, err error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	var refusal error
	err = s.Store.Update(ctx, w.ID, func(tx Tx) error {
		g, refusal = nil, nil
		old, account, err := tx.TokenWith(SecretHash(refresh))
		if errors.Is(err, ErrNotFound) || err == nil && old.Kind != RefreshToken {
			return invalidGrant("no such refresh token").Explained("refresh.unknown")
		}
		if err != nil {
			return err
		}
		TrailFrom(ctx).Token(old)
		switch {
		case old.ClientID != c.ClientID:
			return invalidGrant("the refresh token belongs to client "+old.ClientID).Explained("refresh.other_client", old.ClientID, c.ClientID)
		case !old.RevokedAt.IsZero():
			return invalidGrant("the refresh token was revoked").Explained("refresh.revoked", secondsSince(old.RevokedAt, now))
		case !now.Before(old.ExpiresAt):
			return invalidGrant("the refresh token was valid until "+old.ExpiresAt.UTC().Format(time.RFC3339)).Explained("refresh.expired", secondsSince(old.ExpiresAt, now))
		}
		for _, scope := range scopes {
			if !slices.Contains(old.Scopes, scope) {
				return Errorf(CodeInvalidScope, "invalid_scope", "scope %q was not granted at sign-in", scope).Explained("refresh.scope", scope, strings.Join(old.Scopes, " "))
			}
		}
		if account == nil || account.Status != AccountActive {
			return invalidGrant("the account cannot sign in any more").Explained("grant.account_gone")
		}
		first, err := tx.UseToken(old.Hash, now)
		if err != nil {
			return err
		}
		if !first {
			refusal = invalidGrant("the refresh token was used before: the whole family is revoked now").Explained("refresh.reused", secondsSince(old.UsedAt, now))
			return tx.RevokeGrant(old.GrantID, now)
		}
		granted := old.Scopes
		if len(scopes) > 0 {
			granted = scopes
		}
		base := *old
		base.Scopes, granted = stillAllowed(c, old.Scopes), stillAllowed(c, granted)
		base.Claims = old.Claims.openTo(c)
		base.IssuedAt, base.UsedAt = now, time.Time{}
		g = s.newGrant(c, w, account, base, granted, true, old.ExpiresAt)
		if g.Issuer, err = IssuerOf(tx, w, old); err != nil {
			return err
		}
		return tx.InsertTokens(g.tokens()...)
	})
	if err == nil && refusal != nil {
		return nil, refusal
	}
	return g, err
}

// newGrant makes the tokens of a grant. base.Scopes is what was granted at the
// sign-in and stays with the refresh token; the access token has granted.
func (s *Service) newGrant(c *Client, w *World, a *Account, base Token, granted []string, withRefresh bool, until time.Time) *Grant {
	access := base
	access.Kind, access.Scopes, access.Userinfo = AccessToken, granted, c.UserinfoSignedAlg
	access.ExpiresAt = base.IssuedAt.Add(lifetime(c.AccessTokenLifetime, w.Policy.AccessLifetime))
	g := &Grant{Access: NewSecret(s.Rand), AccessToken: &access, Account: a, ExpiresIn: access.ExpiresAt.Sub(base.IssuedAt)}
	access.Hash = SecretHash(g.Access)
	if c.AccessTokenFormat == AccessJWT {
		access.Hash = SecretHash(JWTHandle(g.Access))
	}
	if withRefresh {
		g.Refresh = NewSecret(s.Rand)
		g.refreshToken = base
		g.refreshToken.Kind, g.refreshToken.Hash, g.refreshToken.ExpiresAt = RefreshToken, SecretHash(g.Refresh), until
	}
	return g
}

// ClientCredentials gives a client a token for itself, RFC 6749 §4.4. It opens
// nobody's data: what we have is people's, so no scope of theirs goes with it.
func (s *Service) ClientCredentials(ctx context.Context, c *Client, scopes []string) (*Grant, error) {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	for _, scope := range scopes {
		if slices.Contains(SupportedScopes(), scope) {
			return nil, Errorf(CodeInvalidScope, "invalid_scope", "scope %q is about a person, and client_credentials has none", scope).Explained("client.scope_of_person", scope)
		}
	}
	base := Token{GrantID: newIDAt(s.Rand, now), ClientID: c.ClientID, Subject: c.ClientID, IssuedAt: now}
	g := s.newGrant(c, w, nil, base, nil, false, time.Time{})
	g.Issuer = w.Issuer
	return g, s.Store.Update(ctx, w.ID, func(tx Tx) error { return tx.InsertTokens(g.tokens()...) })
}

// Revoke ends a token of this client; a refresh token takes its family with
// it. An unknown or foreign token is no error (RFC 7009 §2.2).
func (s *Service) Revoke(ctx context.Context, c *Client, token string) error {
	w := WorldFrom(ctx)
	now := w.Clock.Now()
	return s.Store.Update(ctx, w.ID, func(tx Tx) error {
		t, err := tx.Token(SecretHash(token))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		TrailFrom(ctx).Token(t)
		if t.ClientID != c.ClientID {
			return nil
		}
		if t.Kind == RefreshToken {
			return tx.RevokeGrant(t.GrantID, now)
		}
		return tx.RevokeToken(t.Hash, now)
	})
}

// Inspect returns a live token and its person, or ErrNotFound: expired,
// revoked, used and unknown look the same from outside. A token that a client
// got for itself has no person.
func (s *Service) Inspect(ctx context.Context, token string) (t *Token, a *Account, err error) {
	w := WorldFrom(ctx)
	err = s.Store.Peek(ctx, w.ID, func(tx Tx) error {
		t, a, err = InspectIn(ctx, tx, w, token)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return t, a, nil
}

// InspectIn is Inspect within a transaction that reads more.
func InspectIn(ctx context.Context, tx Tx, w *World, token string) (*Token, *Account, error) {
	t, a, err := tx.TokenWith(SecretHash(token))
	trail := TrailFrom(ctx)
	if errors.Is(err, ErrNotFound) {
		trail.Hint("token.unknown")
	}
	if err != nil {
		return nil, nil, err
	}
	trail.Token(t)
	if now := w.Clock.Now(); !t.Alive(now) {
		switch {
		case !t.RevokedAt.IsZero():
			trail.Hint("token.revoked", secondsSince(t.RevokedAt, now))
		case !t.UsedAt.IsZero():
			trail.Hint("refresh.reused", secondsSince(t.UsedAt, now))
		default:
			trail.Hint("token.expired", secondsSince(t.ExpiresAt, now))
		}
		return nil, nil, ErrNotFound
	}
	if t.CCCD == "" {
		return t, nil, nil
	}
	if a == nil {
		return nil, nil, ErrNotFound
	}
	if a.Status != AccountActive {
		trail.Hint("grant.account_gone")
		return nil, nil, ErrNotFound
	}
	return t, a, nil
}

// IssuerOf is the issuer under which the sign-in of a token began. One world
// may answer under several (see World.ManyIssuers), and what a client holds names
// the one it knows, whichever address it now uses.
func IssuerOf(tx Tx, w *World, t *Token) (string, error) {
	if !w.ManyIssuers {
		return w.Issuer, nil // without a look at the login
	}
	l, err := tx.Login(t.GrantID)
	if errors.Is(err, ErrNotFound) {
		return w.Issuer, nil
	}
	if err != nil {
		return "", err
	}
	return l.Issuer, nil
}

// stillAllowed drops scopes that the client lost since it got them.
func stillAllowed(c *Client, scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return !c.AllowsScope(s) })
}

func invalidGrant(hint string) *Error {
	return &Error{Code: CodeInvalidGrant, MsgKey: "invalid_grant", Hint: hint}
}

// firstDifference tells a developer where two URIs part.
func firstDifference(registered, sent string) string {
	n := 0
	for n < len(registered) && n < len(sent) && registered[n] == sent[n] {
		n++
	}
	return "redirect_uri differs from the one of the authorization request at character " + strconv.Itoa(n+1)
}
