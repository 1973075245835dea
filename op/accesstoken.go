package op

import (
	"context"
	"errors"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/op/keyring"
	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// An access token is a random text, or for clients that ask for it a JWT
// (RFC 9068). The JWT is a way of writing it only: what it opens, and whether
// it still lives, stands in the store as for any other.

// accessJWT writes the access token of a grant as a JWT. Its audience is the
// provider, whose userinfo it opens.
func (p *Provider) accessJWT(ctx context.Context, place *queue.Place, c *vneid.Client, g *vneid.Grant) (string, error) {
	t := g.AccessToken
	claims := map[string]any{
		"iss": g.Issuer, "aud": g.Issuer, "sub": t.Subject, "client_id": t.ClientID, "jti": g.Access,
		"iat": t.IssuedAt.Unix(), "exp": t.ExpiresAt.Unix(), "sandbox": true,
	}
	if len(t.Scopes) > 0 {
		claims["scope"] = strings.Join(t.Scopes, " ")
	}
	if !t.Auth.Time.IsZero() { // §2.2.1; a client's own token has nobody who signed in
		claims["auth_time"], claims["acr"], claims["amr"] = t.Auth.Time.Unix(), t.Auth.ACR, t.Auth.AMR
	}
	return p.keys.Sign(ctx, place, keyring.TypeAccess, c.IDTokenSignedAlg, claims)
}

// inspectable is what a token that somebody sent is looked up by: the token
// itself, or the handle of a JWT that we signed. What can be no token becomes
// "", which nothing is found by.
func (p *Provider) inspectable(ctx context.Context, token string) (string, error) {
	if vneid.IsJWTHandle(token) {
		return "", nil
	}
	if strings.Count(token, ".") != 2 {
		return token, nil
	}
	var claims struct {
		ID string `json:"jti"`
	}
	err := p.keys.Verify(ctx, token, keyring.TypeAccess, &claims)
	switch {
	case errors.Is(err, keyring.ErrToken):
		return "", nil
	case err != nil:
		return "", err
	}
	// Whose it is, the world's keys and store say: its issuer may be another
	// name of this world than the one of the request.
	return vneid.JWTHandle(claims.ID), nil
}
