package exam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// how a sign-in differs from the usual one.
type how struct {
	refuse   bool // the person refuses on the phone
	phone    bool // the provider does not know the person yet
	stop     bool // before the browser opens the relying party's callback
	persona  string
	loginURL string
}

// evidence is what a sign-in left behind.
type evidence struct {
	issuer, clientID, login, callback string
	authorize                         url.Values // of the authorization request
	back                              string     // the authorization response, not opened when the sign-in was to stop there
	backForm                          url.Values // of form_post

	endedAt       string
	status        int // of the relying party's last page; 0 = there was none
	last          page
	whoami        int // status
	whoamiTitle   string
	whoamiBody    string
	took          time.Duration // from the response to the last page
	needle        bool
	cookies       []string // that come with a session
	authorizeHits int      // how often the browser was sent to the provider
	struck        bool
	lured         []hit // what came to the attacker
	record        *record
	err           error // the sign-in could not be driven to its end
}

// signIn signs the persona in as a browser would, and asks who is signed in.
func (e *examiner) signIn(ctx context.Context, b *browser) *evidence {
	return e.signInHow(ctx, b, how{})
}

func (e *examiner) signInHow(ctx context.Context, b *browser, h how) *evidence {
	ev := &evidence{}
	if err := e.drive(ctx, b, h, ev); err != nil {
		ev.err = err
	}
	if h.stop {
		return ev
	}
	e.look(ctx, b, ev)
	return ev
}

// look asks the relying party who is signed in, and the sandbox what came.
func (e *examiner) look(ctx context.Context, b *browser, ev *evidence) {
	ev.cookies = nil
	for _, name := range b.cookieNames(e.WhoamiURL) {
		for _, s := range e.session {
			if s == name {
				ev.cookies = append(ev.cookies, name)
			}
		}
	}
	e.ask(ctx, b, ev)
	// The relying party has answered: its calls are over, and records wait no
	// longer than what it takes to write them.
	var err error
	if ev.record, err = nil, nil; ev.login != "" {
		ev.record, err = e.record(ctx, ev.login, nil)
	}
	if err != nil || ev.login == "" && codeOf(ev) != "" {
		e.unseen = &Text{"không đọc được bản ghi của lần đăng nhập này", "there is no record of this sign-in to be read"}
	}
}

// ask opens the who-am-I page. One that sends whoever is not signed in to the
// provider says no: going there would sign the person in.
func (e *examiner) ask(ctx context.Context, b *browser, ev *evidence) {
	who := b.openUntil(ctx, http.MethodGet, e.WhoamiURL, nil, isAuthorize)
	ev.whoami, ev.whoamiTitle, ev.whoamiBody = who.status, who.heading(), who.body
	ev.needle = who.err == nil && strings.Contains(who.body, e.Needle)
	if who.err != nil || who.status >= http.StatusInternalServerError {
		e.unseen = &Text{fmt.Sprintf("trang who-am-I không trả lời được (%d)", who.status), fmt.Sprintf("the who-am-I page does not answer (%d)", who.status)}
	}
}

var errNotHere = errors.New("the login URL does not lead to an authorization request")

// drive goes from the login URL through the provider's pages to the end.
func (e *examiner) drive(ctx context.Context, b *browser, h how, ev *evidence) error {
	start := cmp.Or(h.loginURL, e.LoginURL)
	p := page{to: start}
	if !isAuthorize(start) {
		p = b.openUntil(ctx, http.MethodGet, start, nil, isAuthorize)
	}
	if p.err != nil {
		return fmt.Errorf("open %s: %w", start, p.err)
	}
	if p.to == "" {
		ev.end(p)
		return fmt.Errorf("%w: it ends at %s with status %d (%s)%s", errNotHere, bare(p.url), p.status, p.heading(), p.needsScript(b))
	}
	if h.refuse || h.phone {
		e.provider = newJar()
		b.forgetProvider(e.provider)
	}
	u, err := url.Parse(p.to)
	if err != nil {
		return err
	}
	ev.authorize, ev.clientID = u.Query(), u.Query().Get("client_id")
	ev.issuer, _, _ = strings.Cut(p.to, "/authorize?")
	e.issuer = ev.issuer
	ev.callback = ev.authorize.Get("redirect_uri")
	if ev.clientID != otherClient {
		e.report.seen = append(e.report.seen, seen{ev.authorize.Get("state"), ev.authorize.Get("nonce"), ev.authorize.Get("code_challenge")})
	}
	ev.authorizeHits = 1
	leads := func(address string) bool { return leadsTo(address, ev.callback) }
	p = b.openUntil(ctx, http.MethodGet, p.to, nil, leads)
	if p.err == nil && p.to == "" && strings.HasPrefix(p.url, ev.issuer+"/login/") {
		ev.login, _, _ = strings.Cut(strings.TrimPrefix(p.url, ev.issuer+"/login/"), "/")
		p, err = e.onThePhone(ctx, b, h, ev, p, leads)
		if err != nil {
			return err
		}
	} else if p.err == nil {
		ev.login = e.newest(ctx, ev) // the provider knew the person
	}
	return e.arrive(ctx, b, h, ev, p)
}

// newest is the login that began with this authorization request.
func (e *examiner) newest(ctx context.Context, ev *evidence) string {
	var list []struct{ ID string }
	if err := e.api.get(ctx, "/logins?limit=3&client_id="+url.QueryEscape(ev.clientID), &list); err != nil {
		return ""
	}
	for _, one := range list {
		if r, err := e.record(ctx, one.ID, nil); err == nil && r.param("authorize", "state") == ev.authorize.Get("state") && r.param("authorize", "nonce") == ev.authorize.Get("nonce") {
			return one.ID
		}
	}
	return ""
}

// onThePhone confirms on the persona's phone and shares what is asked.
func (e *examiner) onThePhone(ctx context.Context, b *browser, h how, ev *evidence, p page, leads func(string) bool) (page, error) {
	m := shortCode.FindStringSubmatch(p.body)
	if m == nil {
		return p, fmt.Errorf("the provider's page shows no QR code: %s", p.heading())
	}
	phone := "/phones/" + url.PathEscape(cmp.Or(h.persona, e.Persona))
	var scan struct {
		Allowed bool
		Message string
		Choices []int
	}
	if err := e.api.send(ctx, http.MethodPost, phone+"/scan", map[string]string{"code": m[1]}, &scan); err != nil {
		return p, fmt.Errorf("scan: %w", err)
	}
	if !scan.Allowed {
		return p, fmt.Errorf("scan: the phone says %s", scan.Message)
	}
	login := ev.issuer + "/login/" + ev.login
	if h.refuse {
		if err := e.api.send(ctx, http.MethodPost, phone+"/refuse", map[string]string{"login": ev.login}, nil); err != nil {
			return p, fmt.Errorf("refuse: %w", err)
		}
		return b.openUntil(ctx, http.MethodGet, login+"/return", nil, leads), nil
	}
	confirm := map[string]any{"login": ev.login, "passcode": e.Passcode}
	if len(scan.Choices) > 0 {
		shown := b.open(ctx, http.MethodGet, login, nil)
		if d := matching.FindStringSubmatch(shown.body); d != nil {
			confirm["number"], _ = strconv.Atoi(d[1]) // digits only
		}
	}
	if err := e.api.send(ctx, http.MethodPost, phone+"/confirm", confirm, nil); err != nil {
		return p, fmt.Errorf("confirm: %w", err)
	}
	p = b.openUntil(ctx, http.MethodGet, login, nil, leads)
	if p.err == nil && p.to == "" && strings.Contains(p.body, `name="agree"`) {
		p = b.openUntil(ctx, http.MethodPost, login+"/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}}, leads)
	}
	return p, nil
}

// arrive opens the authorization response at the relying party.
func (e *examiner) arrive(ctx context.Context, b *browser, h how, ev *evidence, p page) error {
	if p.err != nil {
		return fmt.Errorf("at the provider: %w", p.err)
	}
	switch action, fields := p.form(); {
	case p.to != "":
		ev.back = p.to
	case action != "" && leadsTo(action, ev.callback):
		ev.back, ev.backForm = action, fields
	default:
		ev.end(p)
		return nil // the provider kept the person: a fault may have wanted that
	}
	if h.stop {
		return nil
	}
	e.finish(ctx, b, ev, p.status)
	return ev.last.err
}

// finish opens a response that waits, as a browser does which came there by a
// redirect of that status.
func (e *examiner) finish(ctx context.Context, b *browser, ev *evidence, status int) {
	address := ev.back
	if b.script == nil {
		address, _, _ = strings.Cut(ev.back, "#") // no browser sends a fragment
	}
	b.at = ev.issuer + "/" // whoever opens it was led here
	method, form := http.MethodGet, url.Values(nil)
	if ev.backForm != nil || status == http.StatusTemporaryRedirect {
		method, form = http.MethodPost, ev.backForm
	}
	before, begun := len(b.hops), e.now()
	// The provider's login page ends the way too: who is sent there again and
	// again is in a loop.
	last := b.openUntil(ctx, method, address, form, func(to string) bool { return isAuthorize(to) && len(b.hops)-before > 12 })
	for _, hop := range b.hops[before:] {
		if isAuthorize(hop.url) {
			ev.authorizeHits++
		}
	}
	if isAuthorize(last.to) {
		ev.authorizeHits++
	}
	ev.took = e.now().Sub(begun)
	ev.end(last)
}

// needsScript says what to try with a page that a browser without script opened.
func (p page) needsScript(b *browser) string {
	if b.script == nil && strings.Contains(p.body, "<script") {
		return "; the page has a script: try --browser"
	}
	return ""
}

func (ev *evidence) end(p page) {
	ev.last, ev.endedAt, ev.status = p, p.url, p.status
	if u, err := url.Parse(p.url); err == nil {
		ev.endedAt = u.Scheme + "://" + u.Host + u.Path // no codes
	}
}

func isAuthorize(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(u.Path, "/authorize") && u.Query().Has("client_id")
}

// leadsTo says whether an address is the redirect URI, with whatever answer.
func leadsTo(address, redirectURI string) bool {
	rest, ok := strings.CutPrefix(address, redirectURI)
	return ok && redirectURI != "" && (rest == "" || strings.ContainsAny(rest[:1], "?&#"))
}

// steps are the kinds of what reached the provider.
func (ev *evidence) steps() (list []string) {
	if ev.record != nil {
		for _, s := range ev.record.Steps {
			list = append(list, s.Kind)
		}
	}
	return list
}

// signedIn says whether a session was gained, and how that is seen.
func (ev *evidence) signedIn() (how string, yes bool) {
	switch {
	case ev.needle:
		return "the needle stands on the who-am-I page", true
	case len(ev.cookies) > 0:
		return "the session cookie " + strings.Join(ev.cookies, ", ") + " was set", true
	}
	return "", false
}
