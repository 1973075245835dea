package keyring

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Enter takes a place among those who wait for a signature, for [Ring.Sign].
// Its error is of CodeUnavailable: the queue is full. Call it before something
// that happens only once, such as the redemption of a code.
func (r *Ring) Enter() (*queue.Place, error) { return r.queue.Enter() }

// Types of what we sign. They tell one kind of token from another (RFC 8725
// §3.11): a logout token is no ID token.
const (
	TypeJWT    = "JWT"
	TypeLogout = "logout+jwt" // OIDC Back-Channel Logout §2.4
	TypeAccess = "at+jwt"     // RFC 9068 §2.1
)

// Sign makes a JWT of that type with the active key of an algorithm, when it
// is the place's turn. The place may sign more; it is left by whoever entered.
func (r *Ring) Sign(ctx context.Context, place *queue.Place, typ, alg string, claims any) (string, error) {
	if err := place.Wait(ctx); err != nil {
		return "", fmt.Errorf("wait for a signature: %w", err)
	}
	s, err := r.knowledge(ctx) // after waiting: it may have been long
	if err != nil {
		return "", err
	}
	by, ok := s.signers[kind{alg, typ}]
	if !ok {
		return "", fmt.Errorf("no active key for %q", alg)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode the claims: %w", err)
	}
	// JWS Compact Serialization, RFC 7515 §7.1. (The library would parse what it
	// encoded and encode it again.)
	input := by.head + "." + base64.RawURLEncoding.EncodeToString(body)
	sig, err := signature(&by.key, []byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// SignAs signs bytes with the key of that id, which may be any that is not
// retired: what they say is up to the caller.
func (r *Ring) SignAs(ctx context.Context, kid string, input []byte) ([]byte, error) {
	s, err := r.knowledge(ctx)
	if err != nil {
		return nil, err
	}
	k := s.find(kid)
	if k == nil || k.private == nil {
		return nil, fmt.Errorf("no key %.40q that signs", kid)
	}
	return signature(k, input)
}

// signature makes a JWS signature, RFC 7518 §3.
func signature(k *key, input []byte) ([]byte, error) {
	if k.Alg == "EdDSA" {
		return k.private.Sign(rand.Reader, input, crypto.Hash(0))
	}
	digest := sha256.Sum256(input)
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			return nil, err
		}
		raw := make([]byte, 64)
		r.FillBytes(raw[:32])
		s.FillBytes(raw[32:])
		return raw, nil
	case *rsa.PrivateKey:
		if k.Alg == "PS256" {
			return private.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
		}
		return private.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	return nil, fmt.Errorf("no way to sign by %s", k.Alg)
}

// ErrToken says that a text is no JWT that a key of this world signed.
var ErrToken = errors.New("not a token of this provider")

// maxToken bounds the tokens that Verify reads, in bytes.
const maxToken = 16 << 10

// Verify reads the claims of a JWT of that type that we signed ourselves,
// however old. Keys that sign no more will do, even retired ones for as long as a session lasts:
// a citizen who signed in before the rotation must still be able to sign out.
func (r *Ring) Verify(ctx context.Context, token, typ string, claims any) error {
	if strings.Count(token, ".") != 2 || len(token) > maxToken {
		return ErrToken
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA})
	if err != nil {
		return ErrToken
	}
	s, err := r.knowledge(ctx)
	if err != nil {
		return err
	}
	header := parsed.Headers[0]
	if is, _ := header.ExtraHeaders[jose.HeaderType].(string); is != typ {
		return ErrToken
	}
	k := s.find(header.KeyID)
	if k == nil || k.Alg != header.Algorithm || k.State == vneid.KeyRetired && !hintable(k, vneid.WorldFrom(ctx)) ||
		parsed.Claims(k.public, claims) != nil {
		return ErrToken
	}
	return nil
}

// hintable reports whether tokens of a retired key may still name a session
// that lives.
func hintable(k *key, w *vneid.World) bool {
	return w.Clock.Now().Sub(k.since) < w.Policy.SessionLifetime
}
