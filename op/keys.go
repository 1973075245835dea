package op

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// keyRing holds the signing keys of each world in memory; the store keeps them.
type keyRing struct {
	store  vneid.Store
	mu     sync.Mutex
	worlds map[string]*worldKeys
}

// worldKeys are the keys of one world, ready to sign.
type worldKeys struct {
	signers map[string]jose.Signer // by algorithm: the active key
	public  jose.JSONWebKeySet     // all that are not retired
	jwks    []byte                 // the same, encoded once
}

// world returns the keys of the request's world, made at first use.
func (k *keyRing) world(ctx context.Context) (*worldKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := vneid.WorldFrom(ctx).ID
	if keys := k.worlds[id]; keys != nil {
		return keys, nil
	}
	stored, err := k.ensure(ctx, id)
	if err != nil {
		return nil, err
	}
	keys, err := loadKeys(stored)
	if err != nil {
		return nil, err
	}
	if k.worlds == nil {
		k.worlds = map[string]*worldKeys{}
	}
	k.worlds[id] = keys
	return keys, nil
}

// ensure reads the keys of a world and makes an active one for each algorithm
// that has none.
func (k *keyRing) ensure(ctx context.Context, world string) (keys []vneid.SigningKey, err error) {
	err = k.store.View(ctx, world, func(tx vneid.Tx) error { keys, err = tx.SigningKeys(); return err })
	if err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(vneid.SigningAlgs(), func(alg string) bool {
		return slices.ContainsFunc(keys, func(key vneid.SigningKey) bool { return key.Alg == alg && key.State == vneid.KeyActive })
	})
	if len(missing) == 0 {
		return keys, nil
	}
	var made []vneid.SigningKey
	for _, alg := range missing {
		key, err := newSigningKey(alg)
		if err != nil {
			return nil, err
		}
		key.CreatedAt = vneid.WorldFrom(ctx).Clock.Now()
		made = append(made, key)
	}
	err = k.store.Update(ctx, world, func(tx vneid.Tx) error {
		// Another process may have been faster: its keys count.
		if keys, err = tx.SigningKeys(); err != nil {
			return err
		}
		for i, key := range made {
			if slices.ContainsFunc(keys, func(have vneid.SigningKey) bool { return have.Alg == key.Alg && have.State == vneid.KeyActive }) {
				continue
			}
			if err := tx.PutSigningKey(&made[i]); err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

func newSigningKey(alg string) (vneid.SigningKey, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case "RS256", "PS256":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("no such signing algorithm %q", alg)
	}
	if err != nil {
		return vneid.SigningKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return vneid.SigningKey{}, err
	}
	return vneid.SigningKey{KID: vneid.NewID(rand.Reader), Alg: alg, State: vneid.KeyActive, PKCS8: der}, nil
}

func loadKeys(stored []vneid.SigningKey) (*worldKeys, error) {
	keys := &worldKeys{signers: map[string]jose.Signer{}}
	for _, s := range stored {
		if s.State == vneid.KeyRetired {
			continue
		}
		private, err := x509.ParsePKCS8PrivateKey(s.PKCS8)
		if err != nil {
			return nil, fmt.Errorf("signing key %s: %w", s.KID, err)
		}
		alg := jose.SignatureAlgorithm(s.Alg)
		jwk := jose.JSONWebKey{Key: private, KeyID: s.KID, Algorithm: s.Alg, Use: "sig"}
		keys.public.Keys = append(keys.public.Keys, jwk.Public())
		if s.State != vneid.KeyActive {
			continue
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jwk}, (&jose.SignerOptions{}).WithType("JWT"))
		if err != nil {
			return nil, fmt.Errorf("signing key %s: %w", s.KID, err)
		}
		keys.signers[s.Alg] = signer
	}
	var err error
	keys.jwks, err = json.Marshal(keys.public)
	return keys, err
}

// sign makes a JWT of the claims with the active key of an algorithm.
func (k *keyRing) sign(ctx context.Context, alg string, claims any) (string, error) {
	keys, err := k.world(ctx)
	if err != nil {
		return "", err
	}
	signer := keys.signers[alg]
	if signer == nil {
		return "", fmt.Errorf("no active key for %s", alg)
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// hintClaims is what an id_token_hint tells.
type hintClaims struct {
	Issuer    string       `json:"iss"`
	Subject   string       `json:"sub"`
	Audience  jwt.Audience `json:"aud"`
	SessionID string       `json:"sid"`
}

func (c *hintClaims) isFor(clientID string) bool { return c.Audience.Contains(clientID) }

var errHint = errors.New("not an ID token of this provider")

// verifyHint checks the signature and issuer of an ID token that comes back to
// us; an expired one is welcome (OIDC RP-Initiated Logout §2).
func (k *keyRing) verifyHint(ctx context.Context, token string) (*hintClaims, error) {
	keys, err := k.world(ctx)
	if err != nil {
		return nil, err
	}
	if strings.Count(token, ".") != 2 || len(token) > 16<<10 {
		return nil, errHint
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA})
	if err != nil {
		return nil, errHint
	}
	for _, key := range keys.public.Key(parsed.Headers[0].KeyID) {
		var claims hintClaims
		if key.Algorithm == parsed.Headers[0].Algorithm && parsed.Claims(key, &claims) == nil &&
			claims.Issuer == vneid.WorldFrom(ctx).Issuer && claims.Subject != "" {
			return &claims, nil
		}
	}
	return nil, errHint
}

// jwks is the key set, RFC 7517.
func (p *Provider) jwks(w http.ResponseWriter, r *http.Request) {
	keys, err := p.keys.world(r.Context())
	if err != nil {
		p.serverError(w, r, err)
		return
	}
	// Short, so that a rotation is seen soon by those who heed it.
	w.Header().Set("Cache-Control", "public, max-age=60")
	writeJSONBytes(w, http.StatusOK, keys.jwks)
}
