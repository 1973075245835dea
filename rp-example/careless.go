//go:build careless

package main

// The careless portal: the good one, with a man in the middle who takes checks
// away. It is built for teaching and for showing that an exam fails a portal
// exactly where it is careless; nobody copies this build. Each mistake has a
// file of its own, careless_<name>.go, which says what real portals do, what an
// attacker gains, which faults of the catalogue find it and what the good code
// does. The honest files know only the five methods of edition.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// mistake is one that a portal can make.
type mistake struct {
	name   string // as PORTAL_MISTAKES has it; its file is careless_<name>.go
	does   text   // one line
	faults string // ids of the catalogue that find it
	make   func(*portal, *changes)
}

// mistakes fill themselves in, file by file in the order of their names; later
// ones stand before earlier ones on a request's way.
var mistakes []mistake

func named(name string) *mistake {
	i := slices.IndexFunc(mistakes, func(m mistake) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return &mistakes[i]
}

// edition is the teaching build's; careful.go has the other one.
type edition struct {
	chosen []string
	said   string
	*changes
}

func (e edition) String() string {
	if e.said == "" {
		return " (CỔNG CẨU THẢ, cố ý sai · careless on purpose)"
	}
	return fmt.Sprintf(" (CỔNG CẨU THẢ, cố ý sai · careless on purpose; PORTAL_MISTAKES=%s)", e.said)
}

func (e edition) help() string {
	var b strings.Builder
	b.WriteString("\nThis is the careless build. PORTAL_MISTAKES is all (default), none, or a list of:\n")
	for _, m := range mistakes {
		fmt.Fprintf(&b, "  %-22s %s (%s)\n", m.name, m.does.EN, m.faults)
	}
	return b.String()
}

// read chooses the mistakes. Every mistake of the settings at once, as config.check.
func (edition) read(cfg config, env lookup) (edition, error) {
	e := edition{said: "all"}
	if v, ok := env("PORTAL_MISTAKES"); ok && strings.TrimSpace(v) != "" {
		e.said = strings.TrimSpace(v)
	}
	var wrong []error
	switch e.said {
	case "none":
	case "all":
		for _, m := range mistakes {
			e.chosen = append(e.chosen, m.name)
		}
	default:
		for name := range strings.SplitSeq(e.said, ",") {
			name = strings.TrimSpace(name)
			if named(name) == nil {
				wrong = append(wrong, fmt.Errorf("PORTAL_MISTAKES: no mistake is named %q", tidy(name, 40)))
			}
			e.chosen = append(e.chosen, name)
		}
	}
	if len(wrong) > 0 {
		var all []string
		for _, m := range mistakes {
			all = append(all, m.name)
		}
		wrong = append(wrong, fmt.Errorf("PORTAL_MISTAKES is all, none, or a list of: %s", strings.Join(all, " ")))
	}
	// Whoever reaches this portal can become anybody in it.
	if host, _, err := net.SplitHostPort(cfg.Listen); err == nil && !loopback(host) {
		wrong = append(wrong, fmt.Errorf("PORTAL_LISTEN (--portal-listen): the careless portal listens on loopback only, not on %q", cfg.Listen))
	}
	if u, err := url.Parse(cfg.URL); cfg.URL != "" && err == nil && !loopback(u.Hostname()) {
		wrong = append(wrong, fmt.Errorf("PORTAL_URL (--portal-url): the careless portal has a loopback address only, not %q", cfg.URL))
	}
	return e, errors.Join(wrong...)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// changes is what the chosen mistakes want changed, joint by joint.
type changes struct {
	wire     *http.Transport                                             // to the provider
	around   map[string][]func(do func(*visit) error) func(*visit) error // by path; "" is every one
	added    []route
	leaving  []func(*http.Request, url.Values)               // the request that goes to the provider
	after    []func(*http.Request, *draft)                   // any answer to a browser
	doors    []func(http.Handler) http.Handler               // in front of everything
	trusts   []func(context.Context, *metadata, string) bool // whose "yes" replaces a right signature
	tokens   oidc.Config                                     // go-oidc's rules
	dropped  []string                                        // names of idTokenChecks
	metadata []func(map[string]any)                          // the discovery document
	answers  []func(*traffic, map[string]any)                // of the token endpoint
	userinfo []func(*traffic, map[string]any)
	calls    []func(*http.Request, url.Values) // forms to the token endpoint
}

func (c *changes) wrap(path string, w func(do func(*visit) error) func(*visit) error) {
	c.around[path] = append(c.around[path], w)
}

func (e edition) prepare(p *portal) {
	c := &changes{around: map[string][]func(func(*visit) error) func(*visit) error{}, wire: p.op.client.Transport.(limitedTransport).next.(*http.Transport), tokens: oidc.Config{ClientID: p.cfg.ClientID, Now: p.now}}
	if alg := p.cfg.IDTokenAlg; alg != "" {
		c.tokens.SupportedSigningAlgs = []string{alg}
	}
	p.cfg.edition.changes = c
	for _, m := range mistakes {
		if slices.Contains(e.chosen, m.name) {
			m.make(p, c)
		}
	}
	if len(e.chosen) == 0 {
		return
	}
	p.op.verify = c.verify
	p.op.checks = slices.DeleteFunc(slices.Clone(p.op.checks), func(t tokenCheck) bool { return slices.Contains(c.dropped, t.name) })
	p.op.client.Transport = &middleman{next: p.op.client.Transport, p: p, c: c}
	redeem := p.redeem
	p.redeem = func(ctx context.Context, m *metadata, code string, a attempt) (*signedInPerson, error) {
		return redeem(context.WithValue(ctx, trafficKey{}, &traffic{}), m, code, a)
	}
	c.leaveBy(p)
}

// verify is go-oidc's with the rules that are left.
func (c *changes) verify(ctx context.Context, m *metadata, raw string) (*oidc.IDToken, error) {
	rules := c.tokens
	for _, trusts := range c.trusts {
		if trusts(ctx, m, raw) {
			rules.InsecureSkipSignatureCheck = true
			raw = unsignedForm(raw)
			break
		}
	}
	return m.op.Verifier(&rules).Verify(ctx, raw)
}

// unsignedForm is the same payload in a form that needs no signature.
func unsignedForm(raw string) string {
	part := strings.Split(raw, ".")
	if len(part) < 2 {
		return raw
	}
	return "eyJhbGciOiJub25lIn0." + part[1] + "." // {"alg":"none"}
}

func (e edition) routes(list []route) []route {
	list = append(list, e.added...)
	for i, rt := range list {
		for _, path := range []string{rt.path, ""} {
			for _, w := range e.around[path] {
				list[i].do = w(list[i].do)
			}
		}
	}
	return list
}

// outside is where an answer is a draft still: a banner of its own comes in,
// and what mistakes change of it.
func (e edition) outside(honest http.Handler) http.Handler {
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := drafted(honest, r)
		for _, change := range e.after {
			change(r, d)
		}
		d.sign()
		d.send(w)
	}))
	for _, door := range e.doors {
		h = door(h)
	}
	return h
}

// draft is an answer that has not left yet.
type draft struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func drafted(h http.Handler, r *http.Request) *draft {
	d := &draft{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(d, r)
	return d
}

func (d *draft) Header() http.Header         { return d.header }
func (d *draft) WriteHeader(status int)      { d.status = status }
func (d *draft) Write(b []byte) (int, error) { return d.body.Write(b) }

const carelessBanner = `<p class="banner careless" lang="vi">CỔNG CẨU THẢ — CỐ Ý SAI ĐỂ DẠY HỌC<span lang="en"> · THE CARELESS PORTAL: WRONG ON PURPOSE, FOR TEACHING</span></p>`

func (d *draft) sign() {
	kind := d.header.Get("Content-Type")
	page := d.body.String()
	switch {
	case strings.HasPrefix(kind, "text/html") && strings.Contains(page, "<header>"):
		page = strings.Replace(page, "<header>", "<header>"+carelessBanner, 1)
	case strings.HasPrefix(kind, "text/html"):
		page = carelessBanner + page
	case strings.HasPrefix(page, "MÔI TRƯỜNG THỬ NGHIỆM"): // the last resort of fail
		page = "CỔNG CẨU THẢ — CỐ Ý SAI ĐỂ DẠY HỌC · THE CARELESS PORTAL\n" + page
	}
	d.body.Reset()
	d.body.WriteString(page)
}

func (d *draft) send(w http.ResponseWriter) {
	for k, v := range d.header {
		w.Header()[k] = v
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(d.status)
	w.Write(d.body.Bytes())
}
