package op_test

// Relying parties that are not ours, made of go-oidc and x/oauth2: every
// algorithm, response mode and way of client authentication, one with another.

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

var authStyles = map[string]oauth2.AuthStyle{
	vneid.AuthBasic: oauth2.AuthStyleInHeader, vneid.AuthPost: oauth2.AuthStyleInParams, vneid.AuthNone: oauth2.AuthStyleInParams,
}

func TestGoOIDCSignsInWithEveryAlgorithmModeAndAuthentication(t *testing.T) {
	w := newWorld(t)
	w.world.Policy.SMSPerNumber = 100
	provider, err := oidc.NewProvider(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	if provider.Endpoint().TokenURL == "" || provider.UserInfoEndpoint() == "" {
		t.Fatalf("discovery as go-oidc reads it: %+v", provider.Endpoint())
	}
	b := w.browser() // signs in once; then its session does
	for _, alg := range vneid.SigningAlgs() {
		for auth := range authStyles {
			id := strings.ToLower(alg) + "-" + auth
			w.client(vneid.ClientMetadata{ClientID: id, Consent: "never", IDTokenSignedAlg: alg, TokenEndpointAuthMethod: auth})
			for _, mode := range []string{"", "query", "fragment", "form_post"} {
				t.Run(id+"/"+mode, func(t *testing.T) { goOIDCStory(t, w, b, provider, id, alg, auth, mode) })
			}
		}
	}
}

func goOIDCStory(t *testing.T, w *testWorld, b *browser, provider *oidc.Provider, id, alg, auth, mode string) {
	ctx := oidc.ClientContext(t.Context(), &http.Client{Timeout: 10 * time.Second})
	rp := oauth2.Config{ClientID: id, ClientSecret: id + "-secret", RedirectURL: callback, Endpoint: provider.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "profile", "cccd", oidc.ScopeOfflineAccess}}
	rp.Endpoint.AuthStyle = authStyles[auth]
	if auth == vneid.AuthNone {
		rp.ClientSecret = ""
	}
	state, nonce, pkce := "state of "+t.Name(), "nonce of "+t.Name(), oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(pkce), oidc.Nonce(nonce)}
	if mode != "" {
		options = append(options, oauth2.SetAuthURLParam("response_mode", mode))
	}
	asked, err := url.Parse(rp.AuthCodeURL(state, options...))
	if err != nil {
		t.Fatal(err)
	}
	got := arrived(t, b.signIn(asked.Query(), an), mode)
	if got.Get("state") != state || got.Get("iss") != w.url || got.Get("code") == "" || got.Has("error") || len(got) != 3 {
		t.Fatalf("the answer: %v", got)
	}

	if _, err := rp.Exchange(ctx, "not "+got.Get("code"), oauth2.VerifierOption(pkce)); !isOAuthError(err, "invalid_grant") {
		t.Errorf("a wrong code: %v", err)
	}
	tokens, err := rp.Exchange(ctx, got.Get("code"), oauth2.VerifierOption(pkce))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: id, SupportedSigningAlgs: []string{alg}}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if idToken.Nonce != nonce || !slices.Equal(idToken.Audience, []string{id}) || time.Until(idToken.Expiry) > 6*time.Minute {
		t.Errorf("ID token: %+v", idToken)
	}
	if err := idToken.VerifyAccessToken(tokens.AccessToken); err != nil {
		t.Error(err)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		t.Fatal(err)
	}
	var who struct {
		Name, CCCD string
		Sandbox    bool
	}
	if err := info.Claims(&who); err != nil || info.Subject != idToken.Subject || who.Name != "Nguyễn Văn An" || who.CCCD != an || !who.Sandbox {
		t.Errorf("userinfo of %s: %+v, %v", info.Subject, who, err)
	}

	fresh := renewed(t, ctx, rp, tokens)
	again, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: id, SupportedSigningAlgs: []string{alg}}).Verify(ctx, fresh.Extra("id_token").(string))
	if err != nil {
		t.Fatal(err)
	}
	if again.Subject != idToken.Subject || again.Nonce != "" || fresh.RefreshToken == tokens.RefreshToken || fresh.AccessToken == tokens.AccessToken {
		t.Errorf("refreshed: %+v", again)
	}
	if _, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(fresh)); err != nil {
		t.Error(err)
	}
	if _, err := rp.TokenSource(ctx, expired(tokens)).Token(); !isOAuthError(err, "invalid_grant") {
		t.Errorf("the used refresh token: %v", err)
	}
	if _, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(fresh)); err == nil {
		t.Error("the family lives on after a refresh token was used twice")
	}
}

// renewed lets x/oauth2 refresh as it does by itself when a token ran out.
func renewed(t *testing.T, ctx context.Context, rp oauth2.Config, tokens *oauth2.Token) *oauth2.Token {
	t.Helper()
	fresh, err := rp.TokenSource(ctx, expired(tokens)).Token()
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func expired(tokens *oauth2.Token) *oauth2.Token {
	return &oauth2.Token{RefreshToken: tokens.RefreshToken, Expiry: time.Unix(1, 0)}
}

func isOAuthError(err error, code string) bool {
	e, ok := err.(*oauth2.RetrieveError)
	return ok && e.ErrorCode == code
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// arrived are the parameters of an authorization response, as the redirect URI
// gets them in each mode.
func arrived(t *testing.T, a answer, mode string) url.Values {
	t.Helper()
	if mode == "form_post" {
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `action="`+callback+`"`) || !strings.Contains(a.body, `method="post"`) {
			t.Fatalf("%s, no form to the callback: %s", a.Status, a.body)
		}
		values := url.Values{}
		for _, m := range hiddenField.FindAllStringSubmatch(a.body, -1) {
			values.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
		}
		return values
	}
	separator := map[string]string{"": "?", "query": "?", "fragment": "#"}[mode]
	raw, ok := strings.CutPrefix(a.Header.Get("Location"), callback+separator)
	if a.StatusCode != http.StatusSeeOther || !ok {
		t.Fatalf("%s to %q", a.Status, a.Header.Get("Location"))
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	return values
}
