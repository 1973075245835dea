package op

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/op/keyring"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// MinKeyRotation is the least Config.KeyRotation that makes sense.
const MinKeyRotation = keyring.MinRotation

// OpenKeys reads or makes the signing keys of the world in ctx, and encrypts
// them when there is a sealing key. A server calls it before it listens;
// without, the first request does that.
func (p *Provider) OpenKeys(ctx context.Context) error { return p.keys.Open(ctx) }

// SealKeys encrypts the keys that a world has already, as the sealing key wants
// it, without loading them.
func (p *Provider) SealKeys(ctx context.Context) error { return p.keys.Seal(ctx) }

// PrepareKeys makes signing keys ahead for worlds that will be made.
func (p *Provider) PrepareKeys() { p.keys.Prepare() }

// ForgetWorld drops what is remembered of a world that is gone or unused, and
// tells browsers that wait there when it is gone.
func (p *Provider) ForgetWorld(id string) {
	p.keys.Forget(id)
	p.pages.Hub.WakeWorld(id)
}

// RotateKey takes the rotation of an algorithm's key one stage on: "publish",
// "use", "retire". See [keyring.Ring.Rotate].
func (p *Provider) RotateKey(ctx context.Context, alg, stage string) error {
	return p.keys.Rotate(ctx, alg, stage)
}

// SignAs signs bytes with a key of the world, whatever they say; KeySet is the
// JWKS. Both are for tools that take messages of the provider apart.
func (p *Provider) SignAs(ctx context.Context, kid string, input []byte) ([]byte, error) {
	return p.keys.SignAs(ctx, kid, input)
}

// KeySet is the JWKS of the world.
func (p *Provider) KeySet(ctx context.Context) ([]byte, error) { return p.keys.JWKS(ctx) }

// RunKeys rotates the keys by the schedule of the configuration until ctx ends.
func (p *Provider) RunKeys(ctx context.Context) { p.keys.Run(ctx) }

// hintClaims is what an id_token_hint tells.
type hintClaims struct {
	Issuer    string       `json:"iss"`
	Subject   string       `json:"sub"`
	Audience  jwt.Audience `json:"aud"`
	SessionID string       `json:"sid"`
	Expires   int64        `json:"exp"` // what a signed answer of userinfo lacks
}

func (c *hintClaims) isFor(clientID string) bool { return c.Audience.Contains(clientID) }

var errHint = errors.New("not an ID token of this provider")

// verifyHint checks the signature and issuer of an ID token that comes back to
// us; an expired one is welcome (OIDC RP-Initiated Logout §2).
func (p *Provider) verifyHint(ctx context.Context, token string) (*hintClaims, error) {
	var claims hintClaims
	err := p.keys.Verify(ctx, token, keyring.TypeJWT, &claims)
	if errors.Is(err, keyring.ErrToken) {
		return nil, errHint
	}
	if err != nil {
		return nil, err
	}
	if claims.Issuer != vneid.WorldFrom(ctx).Issuer || claims.Subject == "" || claims.Expires == 0 {
		return nil, errHint
	}
	return &claims, nil
}

// jwks is the key set, RFC 7517.
func (p *Provider) jwks(w http.ResponseWriter, r *http.Request) {
	set, err := p.keys.JWKS(r.Context())
	if err != nil {
		p.serverError(w, r, err)
		return
	}
	// Short, so that a rotation is seen soon by those who heed it.
	w.Header()["Cache-Control"] = forAMinute
	writeJSONBytes(w, http.StatusOK, set)
}
