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
	"sandbox"}, vneid.PersonClaims()...)

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
	// them for its ID tokens, and then within the granted scopes; or asked for
	// them there.
	var asked map[string]vneid.ClaimRequest
	if t.Claims != nil {
		asked = t.Claims.IDToken
	}
	if len(c.IDTokenClaims)+len(asked) > 0 {
		for name, value := range released(w, g.Account, t.Scopes, asked) {
			how, wanted := asked[name]
			if slices.Contains(c.IDTokenClaims, name) || wanted && how.Takes(value) {
				claims[name] = value
			}
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

// released are the claims about a person that the scopes give out, and those
// asked for one by one. One that was asked for with a value is released when it
// has that value (OIDC Core §5.5.1). What an account does not have is absent,
// never empty (§5.3.2).
func released(w *vneid.World, a *vneid.Account, scopes []string, asked map[string]vneid.ClaimRequest) map[string]any {
	claims := make(map[string]any, 24)
	granted := func(name string) bool { return slices.Contains(scopes, vneid.ScopeOfClaim(name)) }
	put := func(name string, value any) {
		how, ok := asked[name]
		if value != "" && (granted(name) || ok && how.Takes(value)) {
			claims[name] = value
		}
	}
	family, middle, given := vneid.SplitName(a.Name)
	put("name", a.Name)
	put("family_name", family)
	put("middle_name", middle)
	put("given_name", given)
	put("nickname", given) // how Vietnamese people are called
	put("birthdate", a.Birthdate)
	put("gender", a.Gender)
	put("zoneinfo", "Asia/Ho_Chi_Minh")
	put("locale", "vi-VN")
	if _, ok := asked["preferred_username"]; ok || granted("preferred_username") { // it takes a while to make
		put("preferred_username", a.Username())
	}
	// Pages of ours, the same for everybody: an invented person has no others.
	put("profile", w.Front()+pathPerson)
	put("picture", w.Front()+pathPicture)
	put("website", w.Front()+"/")
	put("updated_at", a.UpdatedAt.Unix())
	if a.Phone != "" {
		put("phone_number", a.Phone.E164())
		put("phone_number_verified", true) // one-time passwords reach it
	}
	if a.Email != "" {
		put("email", a.Email)
		put("email_verified", false) // nobody ever wrote to it
	}
	if a.Address != nil {
		address := map[string]string{"formatted": a.Address.Line(), "country": "VN"}
		for name, value := range map[string]string{"street_address": a.Address.Street,
			"locality": a.Address.Commune, "region": a.Address.Province} {
			if value != "" {
				address[name] = value
			}
		}
		put("address", address)
	}
	put("cccd", string(a.CCCD))
	put("cmnd", a.CMND)
	put("account_type", a.AccountType)
	if a.AccountLevel > 0 {
		put("account_level", strconv.Itoa(a.AccountLevel))
	}
	return claims
}
