package main

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// scopes: what a dossier's first page needs, and no more.
var scopes = []string{oidc.ScopeOpenID, "profile", "phone", "email", "address", "cccd"}

const (
	signInTime    = 25 * time.Second // code → token → keys → userinfo, all together
	callTime      = 8 * time.Second  // one call to the provider
	discoveryTime = 4 * time.Second  // a person is looking at an empty page meanwhile
	discoveryLife = 5 * time.Minute
	bodyLimit     = 1 << 20
)

// provider is the portal's view of the OpenID provider. It is asked for
// nothing until somebody wants to sign in, so the portal starts without it and
// recovers by itself.
type provider struct {
	keysAt *atomic.Pointer[string] // the address of the key set
	cfg    config
	client *http.Client
	now    func() time.Time

	// What a token has to pass: go-oidc, then the rest of OIDC Core 3.1.3.7.
	verify func(context.Context, *metadata, string) (*oidc.IDToken, error)
	checks []tokenCheck

	known atomic.Pointer[metadata] // read by every page, so never behind the lock

	mu       sync.Mutex // one discovery at a time
	failure  error
	failedAt time.Time
}

// metadata is a discovery document, checked and made ready for use.
type metadata struct {
	oauth      oauth2.Config
	op         *oidc.Provider
	verifier   *oidc.IDTokenVerifier
	endSession string
	sendsIss   bool // authorization_response_iss_parameter_supported, RFC 9207 §3
	at         time.Time
}

func newProvider(cfg config, now func() time.Time) *provider {
	keysAt := &atomic.Pointer[string]{}
	return &provider{cfg: cfg, now: now, keysAt: keysAt, verify: verifyIDToken, checks: idTokenChecks, client: &http.Client{
		Timeout: callTime,
		Transport: limitedTransport{keysAt: keysAt, next: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.roots, Time: now}, ForceAttemptHTTP2: true,
		}},
		// None of these calls has a reason to be redirected, and following one
		// would carry the code, the secret or the access token elsewhere.
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			return errors.New("the provider redirected a call that must be answered directly")
		},
	}}
}

// limitedTransport ends a body after bodyLimit, whoever reads it. From the key
// set it takes what is not for signatures.
type limitedTransport struct {
	next   http.RoundTripper
	keysAt *atomic.Pointer[string]
}

func (t limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, bodyLimit)
	if at := t.keysAt.Load(); at != nil && r.URL.String() == *at && resp.StatusCode == http.StatusOK {
		err = onlySigningKeys(resp)
	}
	return resp, err
}

// onlySigningKeys drops keys that are said to be for something else (RFC 7517
// 4.2): go-oidc would verify with them.
func onlySigningKeys(resp *http.Response) error {
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if json.Unmarshal(raw, &set) == nil { // else go-oidc says what is wrong with it
		set.Keys = slices.DeleteFunc(set.Keys, func(k map[string]any) bool { return k["use"] != nil && k["use"] != "sig" })
		if raw, err = json.Marshal(set); err != nil {
			return err
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return nil
}

// metadata returns the discovery document, fetching it when there is none or
// it is old. A stale one serves while the provider is down.
func (o *provider) metadata(ctx context.Context) (*metadata, error) {
	if m := o.fresh(); m != nil {
		return m, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if m := o.fresh(); m != nil { // fetched while we waited for the lock
		return m, nil
	}
	stale, now := o.known.Load(), o.now()
	pause := time.Second // people who press again and again wait for one answer
	if stale != nil {
		pause = 30 * time.Second
	}
	if o.failure == nil || now.Sub(o.failedAt) >= pause {
		// One person closing the tab must not fail the others who wait here.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discoveryTime)
		defer cancel()
		o.failure = o.discover(ctx)
		if o.failure != nil { // one second chance: the provider may be just starting
			select {
			case <-time.After(200 * time.Millisecond):
				o.failure = o.discover(ctx)
			case <-ctx.Done():
			}
		}
		o.failedAt = now
	}
	if m := o.known.Load(); m != nil {
		return m, nil
	}
	return nil, o.failure
}

func (o *provider) fresh() *metadata {
	if m := o.known.Load(); m != nil && o.now().Sub(m.at) < discoveryLife {
		return m
	}
	return nil
}

func (o *provider) discover(ctx context.Context) error {
	// go-oidc compares the document's issuer with ours (OIDC Discovery 4.3).
	op, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client), o.cfg.Issuer)
	if err != nil {
		return fmt.Errorf("discovery: %w", trustHint(err))
	}
	var doc struct {
		JWKS        string   `json:"jwks_uri"`
		EndSession  string   `json:"end_session_endpoint"`
		SendsIss    bool     `json:"authorization_response_iss_parameter_supported"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := op.Claims(&doc); err != nil {
		return fmt.Errorf("discovery: read the document: %w", err)
	}
	endpoint := op.Endpoint()
	for name, addr := range map[string]string{"authorization_endpoint": endpoint.AuthURL, "token_endpoint": endpoint.TokenURL, "jwks_uri": doc.JWKS, "userinfo_endpoint": op.UserInfoEndpoint()} {
		if err := o.mayCall(addr); err != nil {
			return fmt.Errorf("discovery: %s: %w", name, err)
		}
	}
	if doc.EndSession != "" {
		if err := o.mayCall(doc.EndSession); err != nil {
			return fmt.Errorf("discovery: end_session_endpoint: %w", err)
		}
	}
	// Named, not probed: probing would send the one-time code twice.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(doc.AuthMethods) > 0 && !slices.Contains(doc.AuthMethods, "client_secret_basic") && slices.Contains(doc.AuthMethods, "client_secret_post") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	o.keysAt.Store(&doc.JWKS)
	rules := &oidc.Config{ClientID: o.cfg.ClientID, Now: o.now}
	if o.cfg.IDTokenAlg != "" { // Core 3.1.3.7 (7): as registered, not as the token says
		rules.SupportedSigningAlgs = []string{o.cfg.IDTokenAlg}
	}
	o.known.Store(&metadata{
		oauth:      oauth2.Config{ClientID: o.cfg.ClientID, ClientSecret: o.cfg.ClientSecret, Endpoint: endpoint, RedirectURL: o.cfg.URL + "/callback", Scopes: scopes},
		op:         op,
		verifier:   op.Verifier(rules),
		endSession: doc.EndSession, sendsIss: doc.SendsIss, at: o.now(),
	})
	return nil
}

// mayCall keeps a discovery document from sending us, and the secret, to plain
// http when the issuer is https, or to a real state system.
func (o *provider) mayCall(addr string) error {
	u, err := url.Parse(addr)
	if err != nil {
		return fmt.Errorf("%q is not an address", addr)
	}
	u.RawQuery = "" // an endpoint may have a query (RFC 6749 §3.1)
	if _, err := webAddress(u.String()); err != nil {
		return err
	}
	if strings.HasPrefix(o.cfg.Issuer, "https://") && u.Scheme != "https" {
		return fmt.Errorf("%q is not https though the issuer is", addr)
	}
	return nil
}

// origins are where a form of ours may end up, for the Content-Security-Policy.
func (o *provider) origins() []string {
	list := []string{origin(o.cfg.Issuer)}
	if m := o.known.Load(); m != nil && m.endSession != "" && origin(m.endSession) != list[0] {
		list = append(list, origin(m.endSession))
	}
	return list
}

func origin(addr string) string {
	u, err := url.Parse(addr)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// signInURL sends the browser off. What it takes along is random or public:
// state only points to the attempt, nonce comes back inside the signed ID
// token, and of the PKCE verifier only its hash travels.
func (m *metadata) signInURL(state string, a attempt, lang string) string {
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier), oauth2.SetAuthURLParam("ui_locales", lang)}
	if a.acr != "" {
		options = append(options, oauth2.SetAuthURLParam("acr_values", a.acr))
	}
	if a.maxAge >= 0 {
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(a.maxAge)))
	}
	if a.purpose == forUnlink { // max_age=0 says the same; not every provider listens to it
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	return m.oauth.AuthCodeURL(state, options...)
}

// signedInPerson is what a finished sign-in proved. It stays on the server.
type signedInPerson struct {
	Iss, Sub, SID string
	IDToken       string
	ACR           string
	AMR           []string
	AuthTime      time.Time
	IssuedAt      time.Time
	Who           person
}

// redeem turns the code into a person, or into the reason why not.
func (o *provider) redeem(ctx context.Context, m *metadata, code string, a attempt) (*signedInPerson, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, o.client), signInTime)
	defer cancel()

	token, err := m.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.verifier)) // PKCE: RFC 7636 §4.5
	if err != nil {
		return nil, tokenProblem(err)
	}
	if !strings.EqualFold(token.TokenType, "Bearer") { // RFC 6749 §7.1: an unknown type must not be used
		return nil, &problem{kind: "token_unusable", err: fmt.Errorf("token_type is %.40q", token.TokenType)}
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" { // userinfo alone would do for OAuth; it is no sign-in (Core 3.1.3.3)
		return nil, &problem{kind: "token_unusable", err: errors.New("no id_token in the token response")}
	}
	signed, claims, err := o.checkIDToken(ctx, m, raw, token.AccessToken, a.nonce)
	if err != nil {
		return nil, err
	}
	info, err := m.op.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, &problem{kind: "userinfo_failed", err: userinfoReason(err)}
	}
	if info.Subject != signed.Subject { // Core 5.3.2: MUST NOT be used
		return nil, &problem{kind: "userinfo_other_person", err: errors.New("sub of userinfo is not the sub of the ID token")}
	}
	var all map[string]any
	if err := info.Claims(&all); err != nil {
		return nil, &problem{kind: "userinfo_failed", err: errors.New("userinfo is not a JSON object")}
	}
	p := &signedInPerson{Iss: signed.Issuer, Sub: signed.Subject, SID: claims.SID, IDToken: raw, ACR: tidy(claims.ACR, 40), IssuedAt: signed.IssuedAt, Who: readPerson(all)}
	for _, m := range claims.AMR[:min(len(claims.AMR), 10)] {
		p.AMR = append(p.AMR, tidy(m, 20))
	}
	if claims.AuthTime > 0 && claims.AuthTime < 1<<36 { // before the year 4147: a date, not a trick
		p.AuthTime = time.Unix(int64(claims.AuthTime), 0)
	}
	return p, nil
}

type idClaims struct {
	AuthorizedParty string   `json:"azp"`
	ACR             string   `json:"acr"`
	AMR             []string `json:"amr"`
	AuthTime        float64  `json:"auth_time"`
	SID             string   `json:"sid"`
}

// clockSlack is how far in the future iat may lie. Replay is stopped by exp
// and nonce; this only notices a provider whose calendar is wrong. It is wide
// because a test provider's clock may be moved by hours on purpose.
const clockSlack = 12 * time.Hour

// verifyIDToken: signature by a key from the issuer's JWKS with an asymmetric
// algorithm it lists, iss, aud and exp.
func verifyIDToken(ctx context.Context, m *metadata, raw string) (*oidc.IDToken, error) {
	return m.verifier.Verify(ctx, raw)
}

// presented is an ID token that passed go-oidc, with what it has to fit.
type presented struct {
	*oidc.IDToken
	claims      idClaims
	nonce       string
	accessToken string
	raw         []string // header, payload, signature
	header      map[string]any
	dates       struct{ Exp, Iat any }
}

// tokenCheck is a check that go-oidc leaves to us. Some are about tokens that
// verify, and that libraries let pass all the same.
type tokenCheck struct {
	name, kind, why string
	fails           func(*provider, presented) bool
}

var idTokenChecks = []tokenCheck{
	// Keys come from the issuer's JWKS alone, and what is critical has to be
	// understood (RFC 7515 4.1.11); a JWT has an encoded payload (RFC 7797 7).
	{"header", "id_token_rejected", "the header of the ID token has a member that is none of alg, kid and typ", func(_ *provider, t presented) bool {
		for name := range t.header {
			if name != "alg" && name != "kid" && name != "typ" {
				return true
			}
		}
		return false
	}},
	{"typ", "id_token_rejected", "typ is that of another kind of token", func(_ *provider, t presented) bool { // RFC 8725 3.11
		typ, _ := t.header["typ"].(string)
		return t.header["typ"] != nil && !strings.EqualFold(typ, "JWT")
	}},
	{"exp", "id_token_rejected", "exp is no number, or years ahead", func(o *provider, t presented) bool { // RFC 7519 2, NumericDate
		_, number := t.dates.Exp.(float64)
		return !number || t.Expiry.After(o.now().AddDate(1, 0, 0))
	}},
	{"iat", "id_token_rejected", "iat is missing or no number", func(_ *provider, t presented) bool {
		_, number := t.dates.Iat.(float64)
		return !number || t.IssuedAt.Unix() <= 0
	}},
	{"key-size", "id_token_rejected", "the RSA key is too short", func(_ *provider, t presented) bool { // RFC 7518 3.3: 2048 bits at least
		alg, _ := t.header["alg"].(string)
		signature, err := base64.RawURLEncoding.DecodeString(t.raw[2])
		return (strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")) && (err != nil || len(signature) < 256)
	}},
	// The nonce ties the token to the sign-in this browser started. Without it
	// a token issued for another sign-in could be slipped in (Core 3.1.3.7 (11)).
	{"nonce", "nonce_wrong", "nonce is missing or not ours", func(_ *provider, t presented) bool {
		return subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(t.nonce)) != 1
	}},
	{"sub", "id_token_rejected", "sub is empty, too long or not ASCII", func(_ *provider, t presented) bool { // Core 2
		return t.Subject == "" || len(t.Subject) > 255 || strings.IndexFunc(t.Subject, func(r rune) bool { return r > unicode.MaxASCII }) >= 0
	}},
	{"audiences", "id_token_rejected", "several audiences and no azp", func(_ *provider, t presented) bool { // Core 3.1.3.7 (3): one we do not trust
		return len(t.Audience) > 1 && t.claims.AuthorizedParty == ""
	}},
	{"azp", "id_token_rejected", "azp is another client", func(o *provider, t presented) bool {
		return t.claims.AuthorizedParty != "" && t.claims.AuthorizedParty != o.cfg.ClientID
	}},
	{"iat", "id_token_expired", "iat lies in the future", func(o *provider, t presented) bool {
		return t.IssuedAt.After(o.now().Add(clockSlack))
	}},
	{"at_hash", "id_token_rejected", "at_hash does not fit the access token", func(_ *provider, t presented) bool { // Core 3.1.3.8
		return t.AccessTokenHash != "" && t.VerifyAccessToken(t.accessToken) != nil
	}},
}

// checkIDToken does what OIDC Core 3.1.3.7 asks for.
func (o *provider) checkIDToken(ctx context.Context, m *metadata, raw, accessToken, nonce string) (*oidc.IDToken, idClaims, error) {
	var c idClaims
	refuse := func(kind, why string) (*oidc.IDToken, idClaims, error) {
		return nil, c, &problem{kind: kind, err: errors.New(why)}
	}
	t, err := o.verify(ctx, m, raw)
	if err != nil {
		var late *oidc.TokenExpiredError
		if errors.As(err, &late) {
			return refuse("id_token_expired", "the ID token had expired")
		}
		// go-oidc has no type for it: keys that can not be fetched are a
		// provider in trouble, not a forged token. Nobody gets in either way.
		if strings.Contains(err.Error(), "fetching keys") {
			return refuse("keys_unreachable", trimmed(err))
		}
		return refuse("id_token_rejected", trimmed(err))
	}
	if err := t.Claims(&c); err != nil {
		return refuse("id_token_rejected", "claims of the ID token have wrong types")
	}
	shown := presented{IDToken: t, claims: c, nonce: nonce, accessToken: accessToken, raw: strings.Split(raw, ".")}
	if len(shown.raw) != 3 || decodePart(shown.raw[0], &shown.header) != nil || decodePart(shown.raw[1], &shown.dates) != nil {
		return refuse("id_token_rejected", "the ID token is no compact JWT")
	}
	for _, check := range o.checks {
		if check.fails(o, shown) {
			return refuse(check.kind, check.why)
		}
	}
	return t, c, nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// tokenProblem keeps the error code and drops the body, which may hold secrets.
func tokenProblem(err error) *problem {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		code := tidy(refused.ErrorCode, 60)
		if refused.Response != nil && code == "" {
			code = refused.Response.Status
		}
		pr := &problem{kind: "token_refused", detail: code, err: fmt.Errorf("token endpoint: %s", code)}
		switch refused.ErrorCode {
		case "invalid_client", "unauthorized_client", "unsupported_grant_type":
			pr.kind = "portal_misconfigured"
		case "":
			pr.kind = "token_unusable"
		}
		return pr
	}
	var network *url.Error
	if errors.As(err, &network) {
		return &problem{kind: "provider_silent", err: network}
	}
	return &problem{kind: "token_unusable", err: errors.New("the token response could not be read")}
}

var statusLine = regexp.MustCompile(`^\d{3} [A-Za-z' -]{1,40}`)

// userinfoReason: go-oidc's error carries the body, and the body a person.
func userinfoReason(err error) error {
	var network *url.Error
	if errors.As(err, &network) {
		return network
	}
	if s := statusLine.FindString(err.Error()); s != "" {
		return errors.New("userinfo: " + s)
	}
	return errors.New("the userinfo response could not be read")
}

func trimmed(err error) string { return tidy(err.Error(), 200) }

// signOutURL asks the provider to end its session too (RP-Initiated Logout 1.0 §2).
func (m *metadata) signOutURL(idToken, clientID, back, state string) string {
	u, err := url.Parse(m.endSession)
	if m.endSession == "" || err != nil {
		return ""
	}
	q := u.Query()
	q.Set("id_token_hint", idToken)
	q.Set("client_id", clientID)
	q.Set("post_logout_redirect_uri", back)
	q.Set("state", state)
	u.RawQuery = q.Encode()
	return u.String()
}
