package op

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const maxBackChannelBody = 64 << 10

// backChannel checks what the library does not before it may parse a request
// to the token, introspection or revocation endpoint (the mux lets only POST
// through): size, media type, no parameters in the URL, none twice, client
// authentication that can be read. Its answers are never cached.
func (p *Provider) backChannel(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Cache-Control"], h["Pragma"] = noStore, noCache
		if err := p.checkBackChannel(w, r); err != nil {
			p.logRefusal(r.Context(), err.code, err.text, err.hint, err.args, slog.String("path", r.URL.Path))
			status := http.StatusBadRequest
			var domain *vneid.Error
			switch {
			case err.code == "invalid_client":
				challenge(w, basicChallenge)
				status = http.StatusUnauthorized
			case errors.As(err.cause, &domain) && domain.MsgKey == "too_large":
				status = http.StatusRequestEntityTooLarge
			}
			writeOAuthError(w, status, err.code, err.text)
			return
		}
		if t := vneid.TrailFrom(r.Context()); t != nil {
			w = &errorReader{ResponseWriter: w, trail: t}
		}
		next.ServeHTTP(&challengeWriter{ResponseWriter: w}, r)
	}
}

const basicChallenge = `Basic realm="vneid-sandbox", charset="UTF-8"`

type formRefusal struct {
	code, text string
	hint       string // of the table of hints
	args       []string
	cause      error
}

func (e *formRefusal) Error() string { return e.code + ": " + e.text }

func (p *Provider) checkBackChannel(w http.ResponseWriter, r *http.Request) *formRefusal {
	invalid := func(hint, text string, args ...string) *formRefusal {
		return &formRefusal{code: "invalid_request", text: text, hint: hint, args: args}
	}
	unauthenticated := func(hint, text string, args ...string) *formRefusal {
		return &formRefusal{code: "invalid_client", text: text, hint: hint, args: args}
	}
	trail := vneid.TrailFrom(r.Context())
	trailAuthorization(trail, r)
	if r.URL.RawQuery != "" {
		// They would end up in logs of every machine on the way.
		trail.Params(vneid.InQuery, r.URL.Query())
		trail.Client(r.URL.Query().Get("client_id"))
		return invalid("client.parameters_in_url", "parameters belong into the body, never into the URL (RFC 6749, 2.3.1)")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return invalid("client.media_type", "the body must be application/x-www-form-urlencoded", r.Header.Get("Content-Type"))
	}
	if err := login.ReadForm(w, r, maxBackChannelBody); err != nil {
		refused := invalid("client.unreadable_form", "the form cannot be read")
		refused.cause = err
		return refused
	}
	trail.Client(r.PostForm.Get("client_id"))
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return invalid("request.repeated_parameter", "parameter "+printable(name)+" is there more than once", printable(name))
		}
	}
	if grant := r.PostForm.Get("grant_type"); r.URL.Path == pathToken && grant != "" && !slices.Contains(vneid.GrantTypes(), grant) {
		// The library would quote it, and error_description holds no quotes.
		return &formRefusal{code: "unsupported_grant_type", text: "grant_type is none of " + strings.Join(vneid.GrantTypes(), ", "), hint: "client.grant_type_unknown", args: []string{printable(grant), strings.Join(vneid.GrantTypes(), ", ")}}
	}
	header := r.Header.Get("Authorization")
	asserts := r.PostForm.Has("client_assertion") || r.PostForm.Has("client_assertion_type")
	switch {
	case asserts && (header != "" || r.PostForm.Has("client_secret")):
		return invalid("client.two_authentications", "more than one way of client authentication (RFC 6749, 2.3)")
	case asserts && (r.PostForm.Get("client_assertion") == "" || r.PostForm.Get("client_assertion_type") != oidc.ClientAssertionTypeJWTAssertion):
		return invalid("client.assertion_type", "client_assertion needs client_assertion_type "+oidc.ClientAssertionTypeJWTAssertion+", and the other way round")
	case asserts:
	case header == "" && (!r.PostForm.Has("client_id") || r.URL.Path == pathIntrospect && !r.PostForm.Has("client_secret")):
		return unauthenticated("client.no_authentication", "no client authentication: send the client_id, and the secret by the registered method")
	case header != "":
		id, secret, ok := r.BasicAuth()
		if _, err1 := url.QueryUnescape(id); !ok || err1 != nil {
			return unauthenticated("client.basic_unreadable", "the Authorization header is not readable as Basic")
		}
		if _, err := url.QueryUnescape(secret); err != nil {
			return unauthenticated("client.basic_not_encoded", "the Authorization header is not readable as Basic: client_id and secret are form-encoded first (RFC 6749, 2.3.1)")
		}
		if r.PostForm.Has("client_secret") {
			return invalid("client.two_authentications", "more than one way of client authentication (RFC 6749, 2.3)")
		}
		if form := r.PostForm.Get("client_id"); form != "" && form != unescaped(id) {
			return invalid("client.ids_differ", "client_id in the body and in the Authorization header differ", printable(form), printable(unescaped(id)))
		}
	}
	return nil
}

func unescaped(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return ""
	}
	return plain
}

// challengeWriter adds what RFC 6749 §5.2 wants beside a 401, and Retry-After
// beside a 503; the library's errors cannot carry headers.
type challengeWriter struct{ http.ResponseWriter }

func (w *challengeWriter) WriteHeader(status int) {
	switch status {
	case http.StatusUnauthorized:
		challenge(w, basicChallenge)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	w.ResponseWriter.WriteHeader(status)
}

// backChannelServer is what the library calls with parsed requests. Whatever
// it does not implement is answered by the library as unsupported.
type backChannelServer struct {
	zitadel.UnimplementedServer
	p *Provider
}

// libraryClient shows a client to the library, which only asks for the ID, the
// way of authentication and the grant types; the rest belongs to machinery of
// the library that is not used.
type libraryClient struct{ c *vneid.Client }

func (l libraryClient) GetID() string { return l.c.ClientID }
func (l libraryClient) AuthMethod() oidc.AuthMethod {
	return oidc.AuthMethod(l.c.TokenEndpointAuthMethod)
}
func (l libraryClient) RedirectURIs() []string                   { return l.c.RedirectURIs }
func (l libraryClient) PostLogoutRedirectURIs() []string         { return l.c.PostLogoutRedirectURIs }
func (l libraryClient) IsScopeAllowed(scope string) bool         { return l.c.AllowsScope(scope) }
func (l libraryClient) ApplicationType() zitadel.ApplicationType { return zitadel.ApplicationTypeWeb }
func (l libraryClient) AccessTokenType() zitadel.AccessTokenType {
	return zitadel.AccessTokenTypeBearer
}
func (l libraryClient) LoginURL(string) string               { return "" }
func (l libraryClient) IDTokenLifetime() time.Duration       { return 0 }
func (l libraryClient) ClockSkew() time.Duration             { return 0 }
func (l libraryClient) DevMode() bool                        { return false }
func (l libraryClient) IDTokenUserinfoClaimsAssertion() bool { return false }

func (l libraryClient) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func([]string) []string { return nil }
}

func (l libraryClient) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func([]string) []string { return nil }
}

func (l libraryClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

func (l libraryClient) GrantTypes() (list []oidc.GrantType) {
	for _, g := range l.c.GrantTypes {
		list = append(list, oidc.GrantType(g))
	}
	return list
}

// CodeExchange redeems an authorization code.
func (s *backChannelServer) CodeExchange(ctx context.Context, r *zitadel.ClientRequest[oidc.AccessTokenRequest]) (*zitadel.Response, error) {
	client := r.Client.(libraryClient).c
	// A code works once: whoever redeems it must get the signature too.
	place, err := s.p.keys.Enter()
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	defer place.Leave()
	grant, err := s.p.service.Redeem(ctx, client, r.Data.Code, r.Data.RedirectURI, r.Data.CodeVerifier)
	if err != nil {
		return nil, s.grantError(ctx, client, err)
	}
	return s.tokens(ctx, place, client, grant, grant.AccessToken.Nonce)
}

// RefreshToken rotates a refresh token. The new ID token has no nonce
// (OIDC Core §12.2).
func (s *backChannelServer) RefreshToken(ctx context.Context, r *zitadel.ClientRequest[oidc.RefreshTokenRequest]) (*zitadel.Response, error) {
	client := r.Client.(libraryClient).c
	vneid.TrailFrom(ctx).Kind(vneid.StepRefresh)
	place, err := s.p.keys.Enter() // before the old refresh token is used up
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	defer place.Leave()
	grant, err := s.p.service.Refresh(ctx, client, r.Data.RefreshToken, r.Data.Scopes)
	if err != nil {
		return nil, s.grantError(ctx, client, err)
	}
	return s.tokens(ctx, place, client, grant, "")
}

func (s *backChannelServer) tokens(ctx context.Context, place *queue.Place, c *vneid.Client, g *vneid.Grant, nonce string) (*zitadel.Response, error) {
	s.p.metrics.GetOrCreateCounter("vneid_token_responses_total").Inc()
	if c.AccessTokenFormat == vneid.AccessJWT {
		var err error
		if g.Access, err = s.p.accessJWT(ctx, place, c, g); err != nil { // before the ID token, which has its hash
			return nil, s.internal(ctx, err)
		}
	}
	idToken, err := s.p.idToken(ctx, place, c, g, nonce)
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	trailTokens(ctx, g)
	return zitadel.NewResponse(&oidc.AccessTokenResponse{
		AccessToken: g.Access, TokenType: oidc.BearerToken, RefreshToken: g.Refresh,
		ExpiresIn: uint64(g.ExpiresIn.Seconds()), IDToken: idToken, Scope: g.AccessToken.Scopes,
	}), nil
}

// ClientCredentialsExchange gives a client a token for itself.
func (s *backChannelServer) ClientCredentialsExchange(ctx context.Context, r *zitadel.ClientRequest[oidc.ClientCredentialsRequest]) (*zitadel.Response, error) {
	client := r.Client.(libraryClient).c
	place, err := s.p.keys.Enter()
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	defer place.Leave()
	grant, err := s.p.service.ClientCredentials(ctx, client, r.Data.Scope)
	if err != nil {
		return nil, s.grantError(ctx, client, err)
	}
	return s.tokens(ctx, place, client, grant, "")
}

// introspection is the answer of RFC 7662 §2.2. (The library's type encodes
// twice when it has a member that the library does not know.)
type introspection struct {
	Active    bool                     `json:"active"`
	Scope     oidc.SpaceDelimitedArray `json:"scope,omitempty"`
	ClientID  string                   `json:"client_id,omitempty"`
	TokenType string                   `json:"token_type,omitempty"`
	Expires   int64                    `json:"exp,omitempty"`
	IssuedAt  int64                    `json:"iat,omitempty"`
	AuthTime  int64                    `json:"auth_time,omitempty"`
	Subject   string                   `json:"sub,omitempty"`
	Audience  []string                 `json:"aud,omitempty"`
	AMR       []string                 `json:"amr,omitempty"`
	ACR       string                   `json:"acr,omitempty"`
	Issuer    string                   `json:"iss,omitempty"`
	Sandbox   bool                     `json:"sandbox,omitempty"`
}

// Introspect tells a client about its own tokens, RFC 7662.
func (s *backChannelServer) Introspect(ctx context.Context, r *zitadel.Request[zitadel.IntrospectionRequest]) (*zitadel.Response, error) {
	credentials := &zitadel.Request[zitadel.ClientCredentials]{URL: r.URL, Header: r.Header, Form: r.Form, Data: r.Data.ClientCredentials}
	asserted, err := s.assertedClient(ctx, credentials)
	if err != nil {
		return nil, err
	}
	token, err := s.p.inspectable(ctx, r.Data.Token)
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	var t *vneid.Token
	var issuer string
	var client zitadel.Client
	err = s.read(ctx, s.p.service.Store.Peek, func(tx vneid.Tx) (err error) {
		client, err = s.verify(ctx, tx, credentials, asserted)
		if err != nil {
			return err
		}
		t, _, err = vneid.InspectIn(ctx, tx, vneid.WorldFrom(ctx), token)
		if errors.Is(err, vneid.ErrNotFound) {
			return nil
		}
		if err == nil {
			issuer, err = vneid.IssuerOf(tx, vneid.WorldFrom(ctx), t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	trail := vneid.TrailFrom(ctx)
	trail.Answer("active", strconv.FormatBool(t != nil && t.ClientID == client.GetID()))
	if t != nil && t.ClientID != client.GetID() {
		trail.Hint("token.other_client", t.ClientID, client.GetID())
	}
	if t == nil || t.ClientID != client.GetID() {
		return zitadel.NewResponse(&introspection{}), nil
	}
	answer := &introspection{
		Active: true, Scope: t.Scopes, ClientID: t.ClientID, TokenType: oidc.BearerToken, Issuer: issuer,
		Subject: t.Subject, Audience: []string{t.ClientID}, Expires: t.ExpiresAt.Unix(), IssuedAt: t.IssuedAt.Unix(),
		AMR: t.Auth.AMR, ACR: t.Auth.ACR, Sandbox: true,
	}
	if !t.Auth.Time.IsZero() {
		answer.AuthTime = t.Auth.Time.Unix()
	}
	return zitadel.NewResponse(answer), nil
}

// Revocation ends a token, RFC 7009.
func (s *backChannelServer) Revocation(ctx context.Context, r *zitadel.ClientRequest[oidc.RevocationRequest]) (*zitadel.Response, error) {
	token, err := s.p.inspectable(ctx, r.Data.Token)
	if err == nil {
		err = s.p.service.Revoke(ctx, r.Client.(libraryClient).c, token)
	}
	if err != nil {
		return nil, s.internal(ctx, err)
	}
	return zitadel.NewResponse(struct{}{}), nil
}

// grantError turns a refusal of the domain into its OAuth error.
func (s *backChannelServer) grantError(ctx context.Context, c *vneid.Client, err error) error {
	var refused *vneid.Error
	if errors.As(err, &refused) {
		hint, args := refused.HintID()
		s.p.logRefusal(ctx, refused.MsgKey, refused.Hint, hint, args, slog.String("client_id", c.ClientID))
	}
	if answer := deviceError(err); answer != nil {
		return answer
	}
	switch {
	case vneid.IsCode(err, vneid.CodeInvalidGrant), vneid.IsCode(err, vneid.CodeExpired), vneid.IsCode(err, vneid.CodeConflict):
		return oidc.ErrInvalidGrant().
			WithDescription("the code or refresh token is unknown, expired, used, revoked, or belongs to another client, redirect_uri or code_verifier; the server's log says which")
	case vneid.IsCode(err, vneid.CodeInvalidScope):
		return oidc.ErrInvalidScope().WithDescription("a scope was asked for that the sign-in did not grant, or that is about a person when there is none")
	}
	return s.internal(ctx, err)
}

// internal hides a failure of ours: its text goes to the log only.
func (s *backChannelServer) internal(ctx context.Context, err error) error {
	vneid.TrailFrom(ctx).Refuse(err)
	s.p.logger.ErrorContext(ctx, "request failed", slog.String("cause", err.Error()))
	if unavailable(err) {
		e := oidc.ErrServerError().WithDescription("the server cannot answer just now; try again")
		e.ErrorType = "temporarily_unavailable"
		return zitadel.NewStatusError(e, http.StatusServiceUnavailable)
	}
	return zitadel.NewStatusError(oidc.ErrServerError().WithDescription("the server failed; its log says why"), http.StatusInternalServerError)
}

func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}
