package op

import (
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"

	"github.com/vneid-sandbox/vneid-sandbox/op/keyring"
	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// userinfo is OIDC Core §5.3: GET or POST, the token in the Authorization
// header or in the body of a form, never in the URL (RFC 6750 §5.3).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	w.Header()["Cache-Control"] = noStore
	trail := vneid.TrailFrom(r.Context())
	trailAuthorization(trail, r)
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "" && media != formMedia {
		trail.Param(vneid.InHeader, "content_type", media)
	}
	token, problem, hint := accessToken(w, r)
	if problem != "" {
		p.trailURLToken(r)
		trail.RefuseOAuth("invalid_request", problem, hint)
		challenge(w, `Bearer error="invalid_request", error_description="`+problem+`"`)
		writeOAuthError(w, http.StatusBadRequest, "invalid_request", problem)
		return
	}
	if token == "" {
		// RFC 6750 §3.1: without any credentials no error code.
		trail.RefuseOAuth("invalid_token", "no access token", "token.missing")
		challenge(w, `Bearer realm="vneid-sandbox"`)
		writeOAuthError(w, http.StatusUnauthorized, "invalid_token", "send the access token as Authorization: Bearer")
		return
	}
	token, err := p.inspectable(r.Context(), token)
	if err != nil {
		p.serverError(w, r, err)
		return
	}
	t, account, err := p.service.Inspect(r.Context(), token)
	switch {
	case errors.Is(err, vneid.ErrNotFound), err == nil && t.Kind != vneid.AccessToken:
		const text = "the access token is unknown, expired or revoked"
		hint := "" // the look at it has said why
		if err == nil {
			hint = "token.not_access"
		}
		trail.RefuseOAuth("invalid_token", text, hint)
		challenge(w, `Bearer error="invalid_token", error_description="`+text+`"`)
		writeOAuthError(w, http.StatusUnauthorized, "invalid_token", text)
		return
	case err != nil:
		p.serverError(w, r, err)
		return
	case !slices.Contains(t.Scopes, vneid.ScopeOpenID):
		trail.RefuseOAuth("insufficient_scope", "userinfo needs the scope openid", "token.no_openid")
		challenge(w, `Bearer error="insufficient_scope", scope="openid"`)
		writeOAuthError(w, http.StatusForbidden, "insufficient_scope", "userinfo needs the scope openid")
		return
	}
	var asked map[string]vneid.ClaimRequest
	if t.Claims != nil {
		asked = t.Claims.Userinfo
	}
	claims := released(vneid.WorldFrom(r.Context()), account, t.Scopes, asked)
	claims["sub"] = t.Subject
	claims["sandbox"] = true
	trail.Claims(claims)
	if t.Userinfo == "" {
		writeJSON(w, http.StatusOK, claims)
		return
	}
	body, err := p.signedUserinfo(r.Context(), t, claims)
	if err != nil {
		p.serverError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, body) // a client that left needs no answer
}

// signedUserinfo is OIDC Core §5.3.2: it names who says it, and to whom.
func (p *Provider) signedUserinfo(ctx context.Context, t *vneid.Token, claims map[string]any) (string, error) {
	place, err := p.keys.Enter()
	if err != nil {
		return "", err
	}
	defer place.Leave()
	w := vneid.WorldFrom(ctx)
	claims = maps.Clone(claims) // the record has them
	err = p.service.Store.Peek(ctx, w.ID, func(tx vneid.Tx) error {
		claims["iss"], err = vneid.IssuerOf(tx, w, t)
		return err
	})
	if err != nil {
		return "", err
	}
	claims["aud"] = t.ClientID
	return p.keys.Sign(ctx, place, keyring.TypeJWT, t.Userinfo, claims)
}

// trailURLToken ties a refused request to the login of the token in its URL:
// for the developer alone, nobody is answered by it.
func (p *Provider) trailURLToken(r *http.Request) {
	trail := vneid.TrailFrom(r.Context())
	token := r.URL.Query().Get("access_token")
	if trail == nil || token == "" {
		return
	}
	token, err := p.inspectable(r.Context(), token)
	if err != nil {
		return // the record says less
	}
	_ = p.service.Store.Peek(r.Context(), vneid.WorldFrom(r.Context()).ID, func(tx vneid.Tx) error { // as above
		k, err := tx.Token(vneid.SecretHash(token))
		if err == nil {
			trail.Token(k)
		}
		return err
	})
}

const formMedia = "application/x-www-form-urlencoded"

// accessToken finds the token of a request, or says what is wrong with it.
func accessToken(w http.ResponseWriter, r *http.Request) (token, problem, hint string) {
	token, inHeader := bearer(r)
	if query := r.URL.Query(); query.Has("access_token") {
		vneid.TrailFrom(r.Context()).Params(vneid.InQuery, query)
		return "", "the access token must not stand in the URL", "token.in_url"
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || media != formMedia {
		return token, "", ""
	}
	if err := login.ReadForm(w, r, maxBackChannelBody); err != nil {
		return "", "the form cannot be read", "client.unreadable_form"
	}
	inBody := r.PostForm["access_token"]
	switch {
	case len(inBody) > 1 || inHeader && len(inBody) > 0:
		return "", "more than one access token", "token.twice"
	case len(inBody) == 1:
		return inBody[0], "", ""
	}
	return token, "", ""
}
