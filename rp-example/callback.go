package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// signInVNeID is seed 003 step 2→3: the browser leaves for the provider.
func (p *portal) signInVNeID(v *visit) error {
	wanted := wantedPage(v.r.URL.Query().Get("next"))
	if v.account != nil {
		return v.redirect(wanted)
	}
	return p.leave(v, attempt{purpose: forSignIn, wanted: wanted, maxAge: -1})
}

// leave sends the browser to the provider. What it comes back for stays here.
func (p *portal) leave(v *visit, a attempt) error {
	m, err := p.op.metadata(v.r.Context())
	if err != nil {
		return &problem{kind: "unreachable", wanted: a.wanted, err: err}
	}
	a.issuer, a.nonce, a.verifier = p.cfg.Issuer, secret(), secret()
	// The attempt belongs to this browser: its session cookie is the other half
	// of `state`. A callback that arrives in another browser finds no match, so
	// nobody can be signed in with somebody else's code (RFC 6749 §10.12).
	if err := p.ensureSession(v); err != nil {
		return err
	}
	a.session = v.session.id
	// state is random and nothing else. Portals that put the return address
	// into it (base64 of a URL) let anybody choose both: no protection against
	// forged callbacks, and an open redirect as well.
	state := secret()
	if err := p.store.addAttempt(v.r.Context(), state, a); err != nil {
		return err
	}
	return v.redirect(m.signInURL(state, a, v.lang))
}

// ensureSession gives a browser that has none an anonymous session.
func (p *portal) ensureSession(v *visit) error {
	if v.session != nil {
		return p.store.keepSession(v.r.Context(), v.session.id)
	}
	cookie, err := p.store.startSession(v.r.Context())
	if err != nil {
		return err
	}
	v.session = &session{id: hashed(cookie)}
	p.setCookie(v.w, "session", cookie, 0)
	return nil
}

// callback is where the provider sends the browser back (seed 003 step 5).
// The order matters: first whose answer it is, then who answered, and only
// then what was answered.
func (p *portal) callback(v *visit) error {
	ctx := v.r.Context()
	answer, err := readAnswer(v.r.URL.RawQuery)
	if err != nil {
		return &problem{kind: "answer_malformed", err: err}
	}

	// 1. state: ours, of this browser, still valid, not used yet.
	if answer.state == "" {
		return &problem{kind: "state_missing", detail: tidy(answer.errorCode, 60), err: errors.New("callback without state")}
	}
	a, found, err := p.store.attempt(ctx, answer.state)
	switch {
	case err != nil:
		return fmt.Errorf("find the sign-in of a state: %w", err)
	case !found:
		return &problem{kind: "state_unknown", err: errors.New("a state we never gave out, or long ago")}
	case v.session == nil || v.session.id != a.session:
		// Not used up here: a stranger must not be able to end somebody's sign-in.
		return &problem{kind: "state_other_browser", err: errors.New("the state belongs to another browser session")}
	case a.used:
		return &problem{kind: "state_used", wanted: a.wanted, err: errors.New("the state was used before")}
	case a.expires <= p.store.ms() || a.issuer != p.cfg.Issuer:
		return &problem{kind: "state_expired", wanted: a.wanted, err: errors.New("the sign-in took too long, or the issuer has changed")}
	}
	m, err := p.op.metadata(ctx)
	if err != nil {
		return &problem{kind: "unreachable", wanted: a.wanted, err: err}
	}
	if mine, err := p.store.claimAttempt(ctx, answer.state, a.session); err != nil {
		return err
	} else if !mine {
		return &problem{kind: "state_used", wanted: a.wanted, err: errors.New("the state was used at the same moment")}
	}

	// 2. iss: an error can be forged as well as a code, so before both
	// (RFC 9207 §2.4). Compared byte for byte; required once promised.
	if answer.hasIss && answer.iss != p.cfg.Issuer {
		return &problem{kind: "issuer_wrong", wanted: a.wanted, err: fmt.Errorf("iss is %q", tidy(answer.iss, 80))}
	}
	if !answer.hasIss && m.sendsIss {
		return &problem{kind: "issuer_missing", wanted: a.wanted, err: errors.New("no iss, though discovery promises it")}
	}

	// 3. the answer: either an error or a code.
	switch {
	case answer.code != "" && answer.errorCode != "":
		return &problem{kind: "answer_malformed", wanted: a.wanted, err: errors.New("both code and error")}
	case answer.errorCode != "":
		return refusedByProvider(answer, a.wanted)
	case answer.code == "":
		return &problem{kind: "answer_malformed", wanted: a.wanted, err: errors.New("neither code nor error")}
	}
	proved, err := p.redeem(ctx, m, answer.code, a)
	if err != nil {
		var pr *problem
		if errors.As(err, &pr) {
			pr.wanted = a.wanted
		}
		return err
	}
	// 4. who it is, and what that means here: linking.go.
	return p.arrived(v, a, proved)
}

// arrived lets the person in who came back, or asks what has to be asked first.
func (p *portal) arrived(v *visit, a attempt, proved *signedInPerson) error {
	in := arrival{proved: proved, wanted: a.wanted, visitor: visitorOf(v.r)}
	elapsed := time.Duration(p.store.ms()-a.started) * time.Millisecond
	if a.purpose == forUnlink {
		// A provider that ignores max_age and prompt would let whoever sits at
		// this computer let go: checked, not believed (Core 3.1.2.1).
		if !proved.isFresh(elapsed) {
			return &problem{kind: "not_fresh", wanted: a.wanted, err: errors.New("asked for a fresh sign-in, auth_time says otherwise")}
		}
		in.fresh = true
	}
	out, err := p.arrive(v, in)
	if err != nil {
		return err
	}
	return p.goOn(v, out, in.wanted)
}

// goOn follows what the table decided about an arrival.
func (p *portal) goOn(v *visit, out arrived, wanted string) error {
	if out.cookie != "" {
		p.setCookie(v.w, "session", out.cookie, 0)
	}
	switch out.did {
	case doAskWho:
		return v.redirect("/who")
	case noReassigned:
		return &problem{kind: "identity_reassigned", err: errors.New("the same iss and sub, but two of number, name and date of birth are new")}
	case doAskLink:
		return v.redirect("/link")
	}
	return v.redirect(wanted)
}

// answer is the authorization response (RFC 6749 §4.1.2, RFC 9207 §2).
type answer struct {
	state, code            string
	iss                    string
	hasIss                 bool
	errorCode, description string
}

func readAnswer(rawQuery string) (answer, error) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return answer{}, errors.New("the query is malformed")
	}
	// A parameter given twice is refused, not picked from: the next program in
	// the chain might pick the other one (RFC 6749 §3.1).
	for _, name := range []string{"state", "code", "iss", "error", "error_description", "error_uri"} {
		if len(q[name]) > 1 {
			return answer{}, fmt.Errorf("parameter %s came %d times", name, len(q[name]))
		}
	}
	return answer{
		state: q.Get("state"), code: q.Get("code"), iss: q.Get("iss"), hasIss: q.Has("iss"),
		errorCode: q.Get("error"), description: q.Get("error_description"),
	}, nil
}

// refusals gives each OAuth error its page. Unknown codes share one (RFC 6749 §8.5).
var refusals = map[string]string{
	"access_denied":                     "denied",
	"login_required":                    "needs_you",
	"interaction_required":              "needs_you",
	"consent_required":                  "needs_you",
	"account_selection_required":        "needs_you",
	"temporarily_unavailable":           "provider_busy",
	"server_error":                      "provider_error",
	"invalid_scope":                     "scope_refused",
	"unmet_authentication_requirements": "level_unmet",
	"invalid_request":                   "portal_misconfigured",
	"unauthorized_client":               "portal_misconfigured",
	"unsupported_response_type":         "portal_misconfigured",
	"invalid_client":                    "portal_misconfigured",
}

func refusedByProvider(a answer, wanted string) *problem {
	code := tidy(a.errorCode, 60)
	pr := &problem{kind: refusals[a.errorCode], detail: code, wanted: wanted, err: fmt.Errorf("the provider answered %s", code)}
	if pr.kind == "" {
		pr.kind = "other_error"
	}
	if d := tidy(a.description, 200); d != "" {
		pr.detail += ": " + d
	}
	return pr
}

// signOut ends the portal's session first, whatever happens afterwards, and
// then lets the provider end its own: otherwise the next person at a shared
// computer presses "Đăng nhập" and is the last one.
func (p *portal) signOut(v *visit) error {
	s := v.session
	if s == nil || s.accountID == "" {
		return v.redirect("/")
	}
	if err := p.store.endSession(v.r.Context(), s.id); err != nil {
		return err
	}
	state := secret()
	p.setCookie(v.w, "session", "", -time.Second)
	p.setCookie(v.w, "signedout", state, attemptLife)
	if s.method != "vneid" {
		return v.redirect("/")
	}
	m, err := p.op.metadata(v.r.Context())
	if err != nil {
		v.session, v.account = nil, nil
		return &problem{kind: "signed_out_here_only", err: err}
	}
	if there := m.signOutURL(s.idToken, p.cfg.ClientID, p.cfg.URL+"/", state); there != "" {
		return v.redirect(there)
	}
	return v.redirect("/")
}

// signedOutNotice tells, once, how a sign-out ended. Only the state we gave
// proves that the provider was asked and sent this browser back.
func (p *portal) signedOutNotice(v *visit) string {
	given := p.cookie(v.r, "signedout")
	if given == "" || v.account != nil {
		return ""
	}
	p.setCookie(v.w, "signedout", "", -time.Second)
	if v.r.URL.Query().Get("state") == given {
		return "home.signedOutBoth"
	}
	return "home.signedOut"
}

// wantedPage lets a page of this portal through and nothing else: the address
// came in from a link anybody can write. Pages that take part in signing in
// are no destination, they would make a loop.
func wantedPage(s string) string {
	s = localPath(s)
	for _, no := range []string{"/login", "/logout", "/callback", "/language", "/problem", "/who", "/link", "/identity", "/step-up", "/backchannel-logout"} {
		if rest, ok := strings.CutPrefix(s, no); ok && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			return "/"
		}
	}
	return s
}

// localPath returns s when it is a plain path (with query) on this host, "/" otherwise.
func localPath(s string) string {
	if len(s) == 0 || len(s) > 300 || s[0] != '/' || strings.Contains(s, "//") || strings.ContainsAny(s, "\\#") {
		return "/"
	}
	for _, r := range s {
		if r <= ' ' || r >= 0x7f { // browsers drop tabs and newlines: "/\t/evil" would become "//evil"
			return "/"
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return "/"
	}
	for _, part := range strings.Split(u.Path, "/") {
		if part == ".." || part == "." || strings.ContainsAny(part, "\\") {
			return "/"
		}
	}
	return s
}

func (v *visit) redirect(to string) error {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}
