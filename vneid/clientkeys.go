package vneid

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AuthMethods are the ways a client may authenticate.
func AuthMethods() []string { return []string{AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthNone} }

// HasSecret reports whether the client authenticates with a shared secret.
func (m *ClientMetadata) HasSecret() bool {
	return m.TokenEndpointAuthMethod == AuthBasic || m.TokenEndpointAuthMethod == AuthPost
}

// Formats of access tokens.
const (
	AccessOpaque = "opaque"
	AccessJWT    = "jwt" // RFC 9068
)

// jwtHandle begins what a JWT access token is looked up by. The colon keeps it
// apart from anything that a client can send as a token (RFC 6750 §2.1).
const jwtHandle = "at+jwt:"

// JWTHandle is what a JWT access token is looked up by once its signature was
// checked: its jti alone opens nothing.
func JWTHandle(jti string) string { return jwtHandle + jti }

// IsJWTHandle reports whether a text is such a handle, and so no token that
// somebody may send.
func IsJWTHandle(text string) bool { return strings.HasPrefix(text, jwtHandle) }

// JWKSet is the public keys of a client, RFC 7517 §5.
type JWKSet struct {
	Keys []map[string]any `json:"keys" yaml:"keys"`
}

const mostClientKeys = 20

// MinClientRSABits is the least size of an RSA key of a client, RFC 7518 §3.3.
const MinClientRSABits = 2048

// privateMembers of a JWK never leave whose key it is, RFC 7518 §6.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// check says why a set cannot be registered, "" when it can.
func (s *JWKSet) check() string {
	if len(s.Keys) == 0 || len(s.Keys) > mostClientKeys {
		return fmt.Sprintf("an object with keys, 1 to %d of them (RFC 7517 §5)", mostClientKeys)
	}
	for i, key := range s.Keys {
		kind, _ := key["kty"].(string)
		for _, private := range privateMembers {
			if _, there := key[private]; there {
				return fmt.Sprintf("keys[%d] has the member %s: register public keys only, and replace this pair, it is not secret any more", i, private)
			}
		}
		if !slices.Contains([]string{"RSA", "EC", "OKP"}, kind) {
			return fmt.Sprintf("keys[%d]: kty is none of RSA, EC, OKP", i)
		}
		modulus, _ := key["n"].(string)
		if n, err := base64.RawURLEncoding.DecodeString(modulus); kind == "RSA" && (err != nil || len(n)*8 < MinClientRSABits) {
			return fmt.Sprintf("keys[%d]: n is no modulus of at least %d bits", i, MinClientRSABits)
		}
	}
	return ""
}

// checkKeys says what is wrong with the keys and algorithms of a client.
func (m *ClientMetadata) checkKeys(bad map[string]string, allowHosts []string) {
	if m.JWKS != nil {
		if msg := m.JWKS.check(); msg != "" {
			bad["jwks"] = msg
		}
	}
	if m.JWKSURI != "" {
		if msg := CheckURI(m.JWKSURI, allowHosts); msg != "" {
			bad["jwks_uri"] = msg
		}
		if m.JWKS != nil {
			bad["jwks_uri"] = "jwks or jwks_uri, not both (RFC 7591 §2)"
		}
	}
	if m.TokenEndpointAuthMethod == AuthPrivateKeyJWT && m.JWKS == nil && m.JWKSURI == "" {
		bad["jwks"] = "private_key_jwt needs jwks or jwks_uri"
	}
	if m.AuthSigningAlg != "" {
		oneOf(bad, "token_endpoint_auth_signing_alg", m.AuthSigningAlg, SigningAlgs()...)
	}
	if m.UserinfoSignedAlg != "" {
		oneOf(bad, "userinfo_signed_response_alg", m.UserinfoSignedAlg, SigningAlgs()...)
	}
	if m.AccessTokenFormat != "" {
		oneOf(bad, "access_token_format", m.AccessTokenFormat, AccessOpaque, AccessJWT)
	}
	if m.TokenEndpointAuthMethod == AuthNone && slices.Contains(m.GrantTypes, GrantClientCredentials) {
		bad["grant_types"] = "client_credentials is for clients that authenticate (RFC 6749 §4.4)"
	}
}

// Assertion is what a JWT that authenticates a client claims, its signature
// checked. RFC 7523 §3.
type Assertion struct {
	Issuer, Subject     string
	Audience            []string
	ID                  string    // jti
	Expires             time.Time // zero = absent
	IssuedAt, NotBefore time.Time // zero = absent
}

const (
	assertionSkew = 10 * time.Second // between the clocks of client and provider
	assertionLife = time.Hour        // at most, and at most that old
	longestJTI    = 256              // bytes
)

// Check says what is wrong with the claims of an assertion of a client, ""
// when nothing is. audiences are our own names.
func (a *Assertion) Check(clientID string, audiences []string, now time.Time) string {
	switch {
	case a.Issuer != clientID:
		return "iss is not the client_id"
	case a.Subject != clientID:
		return "sub is not the client_id"
	case len(a.Audience) == 0:
		return "aud is missing"
	case slices.ContainsFunc(a.Audience, func(s string) bool { return !slices.Contains(audiences, s) }):
		// Somebody else who is meant too could use it here.
		return "aud is none of " + strings.Join(audiences, ", ") + ", or not only these"
	case a.Expires.IsZero():
		return "exp is missing"
	case !now.Before(a.Expires.Add(assertionSkew)):
		return "exp is past: it was " + a.Expires.UTC().Format(time.RFC3339)
	case a.Expires.After(now.Add(assertionLife + assertionSkew)):
		return "exp is more than an hour ahead"
	case !a.NotBefore.IsZero() && a.NotBefore.After(now.Add(assertionSkew)):
		return "nbf is in the future"
	case !a.IssuedAt.IsZero() && a.IssuedAt.After(now.Add(assertionSkew)):
		return "iat is in the future"
	case !a.IssuedAt.IsZero() && a.IssuedAt.Before(now.Add(-assertionLife)):
		return "iat is more than an hour ago"
	case a.ID == "" || len(a.ID) > longestJTI:
		return fmt.Sprintf("jti is missing or longer than %d bytes", longestJTI)
	}
	return ""
}

// UseAssertion claims the jti of an assertion: true for exactly one caller.
func (s *Service) UseAssertion(ctx context.Context, clientID string, a *Assertion) (first bool, err error) {
	err = s.Store.Update(ctx, WorldFrom(ctx).ID, func(tx Tx) error {
		err := tx.InsertAssertion(SecretHash(clientID+"\x00"+a.ID), a.Expires.Add(assertionSkew))
		first = err == nil
		if errors.Is(err, ErrExists) {
			return nil
		}
		return err
	})
	return first, err
}
