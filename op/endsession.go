package op

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// signOutRequest is a checked request of OIDC RP-Initiated Logout §2.
type signOutRequest struct {
	client *vneid.Client // nil when nobody known asks
	hint   *hintClaims   // nil without a valid id_token_hint
	back   string        // registered post_logout_redirect_uri, "" = none
	state  string
}

var signOutParameters = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales", "logout_hint"}

func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	if err := p.endSessionRequest(w, r); err != nil {
		p.pages.Fail(w, r, err)
	}
}

func (p *Provider) endSessionRequest(w http.ResponseWriter, r *http.Request) error {
	if err := login.ReadForm(w, r, maxAuthorizeBody); err != nil {
		return err
	}
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		form = r.PostForm
	}
	req, err := p.readSignOut(r.Context(), form)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		// A form of another site brings no Lax cookies: the same request
		// comes again from a page of ours, and then it brings them.
		return p.bounce(w, r, form)
	}
	b := p.pages.Browser(r)
	session, account, err := p.service.SessionOf(r.Context(), b)
	if err != nil {
		return err
	}
	switch {
	case session == nil:
		if b.Session != "" {
			p.pages.DropSession(w, r)
		}
		return p.signedOut(w, r, req, ended{goBack: req.hint != nil})
	case req.hint != nil && req.hint.SessionID == session.ID:
		// The client names this very session: nothing is left to ask.
		return p.signOut(w, r, req, b)
	}
	// Anybody can send a browser here; without proof the person decides.
	v := templates.SignOutConfirmView{Frame: p.pages.Frame(w, r), Action: login.BasePath(r) + pathSignOut, PersonName: account.Name}
	for _, name := range []string{"client_id", "post_logout_redirect_uri", "state", "ui_locales"} {
		if value := form.Get(name); value != "" {
			v.Fields = append(v.Fields, templates.Field{Name: name, Value: value})
		}
	}
	if req.client != nil {
		v.ClientName = req.client.ClientName
		if !form.Has("client_id") {
			v.Fields = append(v.Fields, templates.Field{Name: "client_id", Value: req.client.ClientID})
		}
	}
	return p.pages.Render(w, r, http.StatusOK, v, login.FormActions(req.client)...)
}

// confirmSignOut is the answer to that page.
func (p *Provider) confirmSignOut(w http.ResponseWriter, r *http.Request) {
	err := func() error {
		if err := login.CheckForm(w, r); err != nil {
			return err
		}
		req, err := p.readSignOut(r.Context(), r.PostForm)
		if err != nil {
			return err
		}
		if r.PostForm.Get("decision") != "sign_out" {
			f := p.pages.Frame(w, r)
			v := templates.MessageView{Frame: f, Kind: "info", Title: f.T("signout.stayed.title"), What: f.T("signout.stayed.what"), Status: http.StatusOK}
			return p.pages.Render(w, r, http.StatusOK, v)
		}
		return p.signOut(w, r, req, p.pages.Browser(r))
	}()
	if err != nil {
		p.pages.Fail(w, r, err)
	}
}

func (p *Provider) signOut(w http.ResponseWriter, r *http.Request, req *signOutRequest, b vneid.Browser) error {
	frames, err := p.service.SignOut(r.Context(), b)
	if err != nil {
		return err
	}
	p.pages.DropSession(w, r)
	return p.signedOut(w, r, req, ended{wasSignedIn: true, goBack: true, frames: frames})
}

// ended is what a sign-out came to.
type ended struct {
	wasSignedIn bool
	goBack      bool     // the person agreed, or the client proved itself by an ID token
	frames      []string // by which the browser tells other clients
}

// signedOut goes back to the client when it may, else shows the page that says
// so. Clients that listen in the browser are told by that page, which then
// goes back by itself (OIDC Front-Channel Logout §2).
func (p *Provider) signedOut(w http.ResponseWriter, r *http.Request, req *signOutRequest, e ended) error {
	w.Header().Set("Cache-Control", "no-store")
	back := req.back
	if back != "" && req.state != "" {
		separator := "?"
		if strings.Contains(back, "?") {
			separator = "&"
		}
		back += separator + url.Values{"state": {req.state}}.Encode()
	}
	if back != "" && e.goBack && len(e.frames) == 0 {
		w.Header().Set("Location", back)
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	v := templates.SignedOutView{Frame: p.pages.Frame(w, r), BackURL: back, WasSignedIn: e.wasSignedIn, Frames: e.frames, GoesBack: e.goBack}
	if r.Method == http.MethodGet && e.wasSignedIn {
		v.SwitchURL = "" // asking again would say "you were not signed in"
	}
	if req.client != nil {
		v.ClientName = req.client.ClientName
	}
	return p.pages.Render(w, r, http.StatusOK, v)
}

// bounce sends a cross-site form once more, from our own page.
func (p *Provider) bounce(w http.ResponseWriter, r *http.Request, form url.Values) error {
	// Where it came to, since the hint names the issuer of that address.
	v := templates.FormPostView{Frame: p.pages.Frame(w, r), Action: login.FrontPath(r) + pathEndSession}
	v.SwitchURL, v.ClientName = "", v.T("frame.brand")
	for _, name := range signOutParameters {
		if value := form.Get(name); value != "" {
			v.Fields = append(v.Fields, templates.Field{Name: name, Value: value})
		}
	}
	return p.pages.Render(w, r, http.StatusOK, v)
}

func (p *Provider) readSignOut(ctx context.Context, form url.Values) (*signOutRequest, error) {
	for _, name := range signOutParameters {
		if len(form[name]) > 1 {
			return nil, vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "%s is there %d times", name, len(form[name])).Explained("request.repeated_parameter", name)
		}
		if len(form.Get(name)) > 16<<10 {
			return nil, vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "%s is too long", name).Explained("request.long_parameter", name, "16384")
		}
	}
	req := &signOutRequest{state: form.Get("state")}
	clientID := form.Get("client_id")
	if hint := form.Get("id_token_hint"); hint != "" {
		claims, err := p.verifyHint(ctx, hint)
		if err != nil && !errors.Is(err, errHint) {
			return nil, err
		}
		if err != nil || len(claims.Audience) != 1 || clientID != "" && !claims.isFor(clientID) {
			return nil, vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "id_token_hint is no ID token of this provider for this client").Explained("request.id_token_hint")
		}
		req.hint, clientID = claims, claims.Audience[0]
	}
	back := form.Get("post_logout_redirect_uri")
	if clientID != "" {
		vneid.TrailFrom(ctx).Client(clientID)
		err := p.service.Store.Peek(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) (err error) {
			req.client, err = tx.Client(clientID)
			return err
		})
		if errors.Is(err, vneid.ErrNotFound) {
			return nil, vneid.Errorf(vneid.CodeInvalid, "unknown_client", "no client %.128q", clientID).Explained("client.unknown", p.nearestClient(ctx, clientID)...)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case back == "":
	case req.client == nil:
		// Nobody vouches for the address: it is not followed.
	case !req.client.MatchPostLogoutURI(back):
		return nil, vneid.Errorf(vneid.CodeInvalid, "logout_redirect_invalid", "post_logout_redirect_uri %.300q is not registered for client %s", back, clientID).
			Explained("logout_redirect_invalid", req.client.ExplainRedirectURI(req.client.PostLogoutRedirectURIs, back)...)
	default:
		req.back = back
	}
	if req.hint != nil {
		vneid.TrailFrom(ctx).Session(req.hint.SessionID) // over or not: the client did sign out
	}
	return req, nil
}
