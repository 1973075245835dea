package op

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op/keyring"
	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

var supportedClaims = append([]string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
	"locale", "updated_at", "preferred_username", "sandbox"}, vneid.IDTokenClaimNames()...)

// idToken mints the ID token of a grant, on the clock of its world and with a
// place among the signatures; "" when the scope openid was not granted.
func (p *Provider) idToken(ctx context.Context, place *queue.Place, c *vneid.Client, g *vneid.Grant, nonce string) (string, error) {
	t := g.AccessToken
	if !slices.Contains(t.Scopes, vneid.ScopeOpenID) {
		return "", nil
	}
	w := vneid.WorldFrom(ctx)
	life := w.Policy.IDTokenLifetime
	if c.IDTokenLifetime > 0 {
		life = time.Duration(c.IDTokenLifetime) * time.Second
	}
	claims := map[string]any{
		"iss": g.Issuer, "sub": t.Subject, "aud": c.ClientID,
		"iat": t.IssuedAt.Unix(), "exp": t.IssuedAt.Add(life).Unix(), "auth_time": t.Auth.Time.Unix(),
		"acr": t.Auth.ACR, "amr": t.Auth.AMR, "sid": t.SessionID,
		"at_hash": leftHalfHash(c.IDTokenSignedAlg, g.Access), "sandbox": true,
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	// Claims about the person stay at userinfo unless the client registered
	// them for its ID tokens; and only within the granted scopes.
	all := personClaims(g.Account, t.Scopes)
	for _, name := range c.IDTokenClaims {
		if value, ok := all[name]; ok {
			claims[name] = value
		}
	}
	token, err := p.keys.Sign(ctx, place, keyring.TypeJWT, c.IDTokenSignedAlg, claims)
	trailJWT(ctx, "id_token", token, claims)
	return token, err
}

// leftHalfHash is at_hash, OIDC Core §3.1.3.6; Ed25519 hashes with SHA-512.
func leftHalfHash(alg, value string) string {
	if alg == "EdDSA" {
		sum := sha512.Sum512([]byte(value))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	}
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// personClaims are the claims about a person that scopes give out. What an
// account does not have is absent, never empty (OIDC Core §5.3.2).
func personClaims(a *vneid.Account, scopes []string) map[string]any {
	claims := map[string]any{}
	put := func(name, value string) {
		if value != "" {
			claims[name] = value
		}
	}
	if slices.Contains(scopes, vneid.ScopeProfile) {
		family, middle, given := vneid.SplitName(a.Name)
		put("name", a.Name)
		put("family_name", family)
		put("middle_name", middle)
		put("given_name", given)
		put("birthdate", a.Birthdate)
		put("gender", a.Gender)
		put("locale", "vi-VN")
		put("preferred_username", a.Username())
		claims["updated_at"] = a.UpdatedAt.Unix()
	}
	if slices.Contains(scopes, vneid.ScopePhone) && a.Phone != "" {
		claims["phone_number"] = a.Phone.E164()
		claims["phone_number_verified"] = true // one-time passwords reach it
	}
	if slices.Contains(scopes, vneid.ScopeEmail) && a.Email != "" {
		claims["email"] = a.Email
		claims["email_verified"] = false // nobody ever wrote to it
	}
	if slices.Contains(scopes, vneid.ScopeAddress) && a.Address != nil {
		address := map[string]string{"formatted": a.Address.Line(), "country": "VN"}
		for name, value := range map[string]string{"street_address": a.Address.Street,
			"locality": a.Address.Commune, "region": a.Address.Province} {
			if value != "" {
				address[name] = value
			}
		}
		claims["address"] = address
	}
	if slices.Contains(scopes, vneid.ScopeCCCD) {
		put("cccd", string(a.CCCD))
		put("cmnd", a.CMND)
		put("account_type", a.AccountType)
		if a.AccountLevel > 0 {
			claims["account_level"] = strconv.Itoa(a.AccountLevel)
		}
	}
	return claims
}
