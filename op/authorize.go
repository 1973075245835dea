package op

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const (
	maxAuthorizeBody = 32 << 10
	maxParameter     = 4096 // bytes of one parameter, state and nonce included
)

// refusal is an error that goes back to the client by its redirect URI.
// RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6.
type refusal struct {
	code, text string
	hint       string // of the table of hints
	args       []string
}

func (e *refusal) Error() string { return e.code + ": " + e.text }

func refuse(code, text, hint string, args ...string) error { return &refusal{code, text, hint, args} }

// authorize is the authorization endpoint. Until client and redirect URI are
// beyond doubt every error is a page here; after that it goes to the client.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	if err := p.authorizeRequest(w, r); err != nil {
		p.pages.Fail(w, r, err)
	}
}

func (p *Provider) authorizeRequest(w http.ResponseWriter, r *http.Request) error {
	trail := vneid.TrailFrom(r.Context())
	trailQuery(trail, r)
	if err := login.ReadForm(w, r, maxAuthorizeBody); err != nil {
		return err
	}
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		form = r.PostForm
	}
	client, err := p.trustedClient(r.Context(), form)
	trail.Client(form.Get("client_id"))
	if err != nil {
		return err
	}
	trail.Check("client_id", true, "")
	trail.Check("redirect_uri", true, "registered")
	req, err := p.readAuthRequest(r, client, form)
	var toClient *refusal
	if errors.As(err, &toClient) {
		p.logRefusal(r.Context(), toClient.code, toClient.text, toClient.hint, toClient.args, slog.String("client_id", client.ClientID))
		return p.pages.Respond(w, r, vneid.WorldFrom(r.Context()).Issuer, &req, url.Values{"error": {toClient.code}, "error_description": {toClient.text}})
	}
	if err != nil {
		return err
	}
	advise(trail, &req, form)
	b := p.pages.Browser(r)
	if r.Method == http.MethodGet || b.Secret != "" {
		b = p.pages.EnsureBrowser(w, r)
	}
	// A cross-site POST brings no Lax cookies: the login stays unbound until
	// the browser follows the redirect to its first page.
	l, waiting, err := p.service.Begin(r.Context(), req, b.Secret, login.OriginOf(r))
	if err != nil {
		return err
	}
	p.pages.SetWaiting(w, r, l.ID, waiting)
	return p.pages.Enter(w, r, l, b)
}

// trustedClient settles the two things every other answer depends on.
func (p *Provider) trustedClient(ctx context.Context, form url.Values) (client *vneid.Client, err error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(form[name]) > 1 {
			return nil, vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "%s is there %d times", name, len(form[name])).Explained("request.repeated_parameter", name)
		}
	}
	id, uri := form.Get("client_id"), form.Get("redirect_uri")
	if id == "" {
		return nil, vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "client_id is missing").Explained("request.client_id_missing")
	}
	err = p.service.Store.Peek(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) error {
		client, err = tx.Client(id)
		return err
	})
	if errors.Is(err, vneid.ErrNotFound) {
		return nil, vneid.Errorf(vneid.CodeInvalid, "unknown_client", "no client %.128q in world %s", id, vneid.WorldFrom(ctx).ID).
			Explained("client.unknown", p.nearestClient(ctx, id)...)
	}
	if err != nil {
		return nil, err
	}
	if uri == "" {
		return nil, vneid.Errorf(vneid.CodeInvalid, "redirect_uri_missing", "client %s sent no redirect_uri", id)
	}
	if !client.MatchRedirectURI(uri) {
		return nil, vneid.Errorf(vneid.CodeInvalid, "redirect_uri_invalid", "client %s sent redirect_uri %.300q, registered are %s", id, uri, strings.Join(client.RedirectURIs, " ")).
			Explained("redirect_uri_invalid", client.ExplainRedirectURI(client.RedirectURIs, uri)...)
	}
	return client, nil
}

// readAuthRequest validates the rest of the request. Even with an error the
// returned request says how to answer: redirect URI, mode and state.
func (p *Provider) readAuthRequest(r *http.Request, c *vneid.Client, form url.Values) (req vneid.AuthRequest, err error) {
	req = vneid.AuthRequest{ClientID: c.ClientID, RedirectURI: form.Get("redirect_uri"), ResponseMode: login.ModeQuery}
	if len(form["state"]) == 1 && len(form.Get("state")) <= maxParameter {
		req.State = form.Get("state")
	}
	if mode := form["response_mode"]; len(mode) == 1 && slices.Contains(responseModes, mode[0]) {
		req.ResponseMode = mode[0]
	}
	// Refused, never ignored: what they carry could contradict the query.
	for _, name := range []string{"request", "request_uri", "registration"} {
		if form.Has(name) {
			return req, refuse(name+"_not_supported", name+" is not supported", "request.unsupported_parameter", name)
		}
	}
	for name, values := range form {
		// RFC 6749 §3.1: parameters must not be repeated.
		if len(values) > 1 {
			return req, refuse("invalid_request", "parameter "+printable(name)+" is there more than once", "request.repeated_parameter", printable(name))
		}
		if len(values[0]) > maxParameter {
			return req, refuse("invalid_request", "parameter "+printable(name)+" is longer than "+strconv.Itoa(maxParameter)+" bytes", "request.long_parameter", printable(name), strconv.Itoa(maxParameter))
		}
	}
	if mode := form.Get("response_mode"); mode != "" && mode != req.ResponseMode {
		return req, refuse("invalid_request", "response_mode is none of "+strings.Join(responseModes, ", "), "request.response_mode", printable(mode))
	}
	switch form.Get("response_type") {
	case "code":
	case "":
		return req, refuse("invalid_request", "response_type is missing", "request.response_type_missing")
	default:
		return req, refuse("unsupported_response_type", "only response_type=code is supported", "request.response_type", printable(form.Get("response_type")))
	}
	if !c.AllowsGrant("authorization_code") {
		return req, refuse("unauthorized_client", "the client is not registered for authorization_code", "client.grant_type", "authorization_code", strings.Join(c.GrantTypes, " "))
	}
	if err := readScopes(&req, c, form.Get("scope")); err != nil {
		return req, err
	}
	if err := readPKCE(&req, c, form); err != nil {
		return req, err
	}
	if err := readPrompt(&req, form); err != nil {
		return req, err
	}
	req.Nonce = form.Get("nonce")
	if hint := form.Get("login_hint"); len(hint) <= 64 {
		req.LoginHint = hint
	}
	req.ACRValues = firstFields(form.Get("acr_values"))
	req.UILocales = firstFields(form.Get("ui_locales"))
	if hint := form.Get("id_token_hint"); hint != "" {
		claims, err := p.verifyHint(r.Context(), hint)
		if err != nil && !errors.Is(err, errHint) {
			return req, err
		}
		if err != nil || !claims.isFor(c.ClientID) {
			return req, refuse("invalid_request", "id_token_hint is no ID token of this provider for this client", "request.id_token_hint")
		}
		req.HintSubject = claims.Subject
	}
	return req, readClaims(&req, c, form.Get("claims"))
}

// readClaims is OIDC Core §5.5. display and claims_locales are read by nobody:
// every page fits every window, and people have one name each.
func readClaims(req *vneid.AuthRequest, c *vneid.Client, text string) error {
	if text == "" {
		return nil
	}
	claims, err := vneid.ParseClaims(text)
	if err != nil {
		return refuse("invalid_request", err.Error(), "request.claims_malformed", err.Error())
	}
	req.Ask(c, claims)
	if !req.Reachable() {
		return refuse(vneid.RefusalUnmetRequirements, "no sign-in here reaches any acr that the claims parameter insists on", "request.acr_unreachable", strings.Join(req.EssentialACR, " "))
	}
	return nil
}

var responseModes = []string{login.ModeQuery, login.ModeFragment, login.ModeFormPost}

func readScopes(req *vneid.AuthRequest, c *vneid.Client, scope string) error {
	for _, s := range strings.Fields(scope) {
		switch {
		case !slices.Contains(vneid.SupportedScopes(), s) || slices.Contains(req.Scopes, s):
			// Unknown scopes are ignored, OIDC Core §3.1.2.1.
		case !c.AllowsScope(s):
			return refuse("invalid_scope", "the client is not registered for scope "+s, "request.scope_not_registered", s, c.Scope)
		default:
			req.Scopes = append(req.Scopes, s)
		}
	}
	if len(req.Scopes) == 0 {
		return refuse("invalid_scope", "scope names nothing this provider knows; OpenID Connect needs openid", "request.scope_unknown")
	}
	return nil
}

func readPKCE(req *vneid.AuthRequest, c *vneid.Client, form url.Values) error {
	challenge, method := form.Get("code_challenge"), form.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "":
		if c.RequirePKCE != nil && *c.RequirePKCE {
			return refuse("invalid_request", "code_challenge is required for this client (PKCE, RFC 7636)", "pkce.required")
		}
		return nil
	case challenge == "":
		return refuse("invalid_request", "code_challenge_method without code_challenge", "pkce.challenge_missing")
	case method != "S256":
		// Absent means plain (RFC 7636 §4.3), which protects nothing here.
		return refuse("invalid_request", "code_challenge_method must be S256", "pkce.method", printable(method))
	case !vneid.ValidChallenge(challenge):
		return refuse("invalid_request", "code_challenge is not the base64url of a SHA-256", "pkce.challenge_malformed", strconv.Itoa(len(challenge)))
	}
	req.CodeChallenge = challenge
	return nil
}

func readPrompt(req *vneid.AuthRequest, form url.Values) error {
	req.Prompt = firstFields(form.Get("prompt"))
	for _, prompt := range req.Prompt {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, prompt) {
			// prompt=create among them: Initiating User Registration 1.0 wants
			// this answer of a provider that registers nobody.
			return refuse("invalid_request", "prompt is none of none, login, consent, select_account", "request.prompt_unknown", printable(prompt))
		}
	}
	if req.HasPrompt("none") && len(req.Prompt) > 1 {
		return refuse("invalid_request", "prompt=none stands alone (OIDC Core 3.1.2.1)", "request.prompt_none_alone")
	}
	if !form.Has("max_age") || form.Get("max_age") == "" {
		return nil
	}
	// Ten years are as good as any longer time, and cannot overflow.
	const longest = 10 * 365 * 24 * 3600
	age, err := strconv.ParseUint(form.Get("max_age"), 10, 63)
	if err != nil {
		return refuse("invalid_request", "max_age is no number of seconds", "request.max_age", printable(form.Get("max_age")))
	}
	seconds := int(min(age, longest))
	req.MaxAge = &seconds
	return nil
}

// firstFields splits a space-delimited list; nobody sends more than eight.
func firstFields(s string) []string {
	fields := strings.Fields(s)
	return fields[:min(len(fields), 8)]
}

// printable keeps a parameter's name within the characters that
// error_description may hold (RFC 6749 §4.1.2.1).
func printable(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, name)
	return clean[:min(len(clean), 40)]
}
