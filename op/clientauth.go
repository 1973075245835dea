package op

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// VerifyClient authenticates a client for the library.
func (s *backChannelServer) VerifyClient(ctx context.Context, r *zitadel.Request[zitadel.ClientCredentials]) (client zitadel.Client, err error) {
	asserted, err := s.assertedClient(ctx, r)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, s.p.service.Store.Peek, func(tx vneid.Tx) error {
		client, err = s.verify(ctx, tx, r, asserted)
		return err
	})
	return client, err
}

// read is a View or a Peek. What fn refuses is an answer already; a failure of
// the store, which may run fn again first, becomes one here.
func (s *backChannelServer) read(ctx context.Context, look func(context.Context, string, func(vneid.Tx) error) error, fn func(vneid.Tx) error) error {
	err := look(ctx, vneid.WorldFrom(ctx).ID, fn)
	var status zitadel.StatusError
	var refused *oidc.Error
	if err == nil || errors.As(err, &status) || errors.As(err, &refused) {
		return err
	}
	return s.internal(ctx, err)
}

// verify authenticates a client by its registered method and no other.
// asserted is the client that an assertion proved, "" = there was none.
func (s *backChannelServer) verify(ctx context.Context, tx vneid.Tx, r *zitadel.Request[zitadel.ClientCredentials], asserted string) (zitadel.Client, error) {
	id, used := r.Data.ClientID, vneid.AuthNone
	switch {
	case asserted != "":
		id, used = asserted, vneid.AuthPrivateKeyJWT
	case r.Header.Get("Authorization") != "":
		used = vneid.AuthBasic
	case r.Form.Has("client_secret"):
		used = vneid.AuthPost
	}
	client, err := tx.Client(id)
	switch {
	case errors.Is(err, vneid.ErrNotFound):
		return nil, s.invalidClient(ctx, id, "no client with this id", "client.unknown", printable(id), nearestClient(tx, id))
	case err != nil:
		return nil, err
	case client.TokenEndpointAuthMethod != used:
		return nil, s.invalidClient(ctx, id, "used "+used+", registered "+client.TokenEndpointAuthMethod, "client.wrong_method", used, client.TokenEndpointAuthMethod)
	case (used == vneid.AuthBasic || used == vneid.AuthPost) && !client.CheckSecret(r.Data.ClientSecret):
		return nil, s.invalidClient(ctx, id, "the secret is wrong", "client.wrong_secret")
	}
	if grant := r.Form.Get("grant_type"); grant != "" && !client.AllowsGrant(grant) {
		s.p.logRefusal(ctx, "unauthorized_client", "not registered for grant_type "+printable(grant), "client.grant_type", []string{printable(grant), strings.Join(client.GrantTypes, " ")}, slog.String("client_id", client.ClientID))
		return nil, oidc.ErrUnauthorizedClient().WithDescription("the client is not registered for this grant_type")
	}
	trail := vneid.TrailFrom(ctx)
	trail.Client(client.ClientID)
	trail.Check("client_authentication", true, used)
	return libraryClient{client}, nil
}

// invalidClient tells everybody the same and the log the reason.
func (s *backChannelServer) invalidClient(ctx context.Context, id, why, hint string, args ...string) error {
	trail := vneid.TrailFrom(ctx)
	trail.Client(printable(id))
	trail.Check("client_authentication", false, why)
	s.p.logRefusal(ctx, "invalid_client", why, hint, args, slog.String("client_id", printable(id)))
	return zitadel.NewStatusError(oidc.ErrInvalidClient().
		WithDescription("client authentication failed: unknown client, wrong secret or assertion, or another method than the registered one"), http.StatusUnauthorized)
}

// assertionClaims are what an assertion says, RFC 7523 §3.
type assertionClaims struct {
	jwt.Claims
}

// assertedClient is the client that the assertion of a request proves, "" when
// there is none. It stands before any transaction: the client's keys may have
// to be fetched first.
func (s *backChannelServer) assertedClient(ctx context.Context, r *zitadel.Request[zitadel.ClientCredentials]) (string, error) {
	token := r.Form.Get("client_assertion")
	if token == "" {
		return "", nil
	}
	id, parsed := claimant(token)
	switch {
	case parsed == nil:
		return "", s.invalidClient(ctx, r.Data.ClientID, "client_assertion is no JWT signed with one of the algorithms in discovery", "client.assertion_unreadable")
	case r.Data.ClientID != "" && r.Data.ClientID != id:
		return "", s.invalidClient(ctx, r.Data.ClientID, "client_id is not the sub of client_assertion", "client.ids_differ", printable(r.Data.ClientID), printable(id))
	}
	var client *vneid.Client
	err := s.read(ctx, s.p.service.Store.Peek, func(tx vneid.Tx) (err error) {
		client, err = tx.Client(id)
		if errors.Is(err, vneid.ErrNotFound) {
			return s.invalidClient(ctx, id, "no client with the sub of client_assertion", "client.unknown", printable(id), nearestClient(tx, id))
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if client.TokenEndpointAuthMethod != vneid.AuthPrivateKeyJWT {
		return "", s.invalidClient(ctx, id, "used private_key_jwt, registered "+client.TokenEndpointAuthMethod, "client.wrong_method", vneid.AuthPrivateKeyJWT, client.TokenEndpointAuthMethod)
	}
	claims, hint := s.p.checkAssertion(ctx, client, parsed)
	if hint != "" {
		return "", s.invalidClient(ctx, id, "client_assertion: "+hint, "client.assertion_refused", hint)
	}
	issuer := vneid.WorldFrom(ctx).Issuer
	audiences := []string{issuer, issuer + pathToken}
	if r.URL.Path != pathToken {
		audiences = append(audiences, issuer+r.URL.Path)
	}
	if hint := claims.Check(id, audiences, vneid.WorldFrom(ctx).Clock.Now()); hint != "" {
		return "", s.invalidClient(ctx, id, "client_assertion: "+hint, "client.assertion_refused", hint)
	}
	first, err := s.p.service.UseAssertion(ctx, id, claims)
	if err != nil {
		return "", s.internal(ctx, err)
	}
	if !first {
		return "", s.invalidClient(ctx, id, "client_assertion: its jti was used before", "client.assertion_replayed")
	}
	return id, nil
}

// maxAssertion bounds an assertion, in bytes.
const maxAssertion = 16 << 10

// claimant reads whose assertion a token claims to be; nil when it is none.
func claimant(token string) (id string, parsed *jwt.JSONWebToken) {
	if len(token) > maxAssertion {
		return "", nil
	}
	parsed, err := jwt.ParseSigned(token, signatureAlgorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return "", nil
	}
	var claims assertionClaims
	if parsed.UnsafeClaimsWithoutVerification(&claims) != nil {
		return "", nil
	}
	return claims.Subject, parsed
}

var signatureAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}

// checkAssertion checks type and signature, or says what is wrong.
func (p *Provider) checkAssertion(ctx context.Context, c *vneid.Client, parsed *jwt.JSONWebToken) (*vneid.Assertion, string) {
	header := parsed.Headers[0]
	if c.AuthSigningAlg != "" && header.Algorithm != c.AuthSigningAlg {
		return nil, "alg is " + header.Algorithm + ", registered is " + c.AuthSigningAlg
	}
	// One kind of token is not another (RFC 8725 §3.11): what the client signs
	// for others, such as a logout token, does not authenticate it here.
	switch typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ {
	case "", "JWT", "client-authentication+jwt":
	default:
		return nil, "typ is neither absent nor JWT nor client-authentication+jwt"
	}
	keys, hint := p.clientKeys.find(ctx, c, header.KeyID, header.Algorithm)
	if hint != "" {
		return nil, hint
	}
	for _, key := range keys {
		var claims assertionClaims
		if parsed.Claims(key.Key, &claims) == nil {
			return claims.assertion(), ""
		}
	}
	return nil, "the signature is not that of a registered key"
}

func (c *assertionClaims) assertion() *vneid.Assertion {
	at := func(d *jwt.NumericDate) time.Time {
		if d == nil {
			return time.Time{}
		}
		return d.Time()
	}
	return &vneid.Assertion{Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, ID: c.ID,
		Expires: at(c.Expiry), IssuedAt: at(c.IssuedAt), NotBefore: at(c.NotBefore)}
}
