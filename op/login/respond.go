package login

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Response modes (OAuth 2.0 Multiple Response Types, Form Post Response Mode).
const (
	ModeQuery    = "query"
	ModeFragment = "fragment"
	ModeFormPost = "form_post"
)

// Respond is the authorization response: it takes the browser back to the
// client's validated redirect URI, in the mode the client asked for, success
// and error alike. It always says who answers (RFC 9207): the issuer under
// which the request came, which the ID token will name too.
func (p *Pages) Respond(w http.ResponseWriter, r *http.Request, issuer string, req *vneid.AuthRequest, params url.Values) error {
	result := params.Get("error")
	if result == "" {
		result = "code"
	}
	p.Metrics.GetOrCreateCounter(`vneid_authorization_responses_total{result="` + result + `"}`).Inc()
	if req.State != "" {
		params.Set("state", req.State)
	}
	params.Set("iss", issuer)
	vneid.TrailFrom(r.Context()).Beside(vneid.PartyProvider, vneid.PartyRP, vneid.StepAnswer, req.RedirectURI, "response_mode", req.ResponseMode,
		"code", params.Get("code"), "error", params.Get("error"), "error_description", params.Get("error_description"), "state", req.State, "iss", issuer)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if req.ResponseMode == ModeFormPost {
		return p.formPost(w, r, req, params)
	}
	target := req.RedirectURI
	switch {
	case req.ResponseMode == ModeFragment:
		target += "#" + params.Encode()
	case strings.Contains(target, "?"):
		target += "&" + params.Encode() // RFC 6749 §3.1.2: a registered query stays
	default:
		target += "?" + params.Encode()
	}
	// 303: a browser that posted a form must not post it to the client
	// (RFC 9700 §4.12).
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

func (p *Pages) formPost(w http.ResponseWriter, r *http.Request, req *vneid.AuthRequest, params url.Values) error {
	v := templates.FormPostView{Frame: p.Frame(w, r), Action: req.RedirectURI, ClientName: HostOf(req.RedirectURI)}
	v.SwitchURL = "" // the page is there for a moment
	for _, name := range []string{"code", "error", "error_description", "state", "iss"} {
		if value := params.Get(name); value != "" {
			v.Fields = append(v.Fields, templates.Field{Name: name, Value: value})
		}
	}
	return p.Render(w, r, http.StatusOK, v, originOf(req.RedirectURI))
}
