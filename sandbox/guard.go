package sandbox

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/console"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/dancu"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// guard decides who may call. Whoever reads the SMS inbox can sign in as
// anybody, and this program runs on machines whose browser visits the whole
// web: so the doors are closed to foreign pages (by Host against DNS
// rebinding, by Fetch metadata and content type against cross-site requests),
// to other machines, and, off loopback, to everybody without the token.
type guard struct {
	hosts []string // configured ones, lower case, without port
	door  *door    // nil = no token
	pages *pages
}

func newGuard(c *Config, d *door, p *pages) *guard {
	g := &guard{door: d, pages: p, hosts: slices.Clone(c.AllowHosts)}
	for _, raw := range []string{c.Issuer, c.SandboxURL} {
		if u, err := url.Parse(raw); err == nil {
			g.hosts = append(g.hosts, u.Hostname())
		}
	}
	return g
}

// A refusal is why a request was turned away; the technical line is for
// developers.
type refusal struct {
	status    int
	code      string // names the page's texts: templates error.<code>.*
	technical string
	retry     bool // opening the page again from here is allowed
}

// knownHosts refuses requests by a host name nobody configured: a foreign page
// whose name was rebound to 127.0.0.1 shows its own name here.
func (g *guard) knownHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		if !g.knows(host) {
			g.refuse(w, r, refusal{http.StatusMisdirectedRequest, "host_refused",
				"Host is neither a loopback name nor configured; use localhost, or name the host under allow_hosts (--allow-hosts)", false})
			return
		}
		if headSize(r) > maxHead {
			g.refuse(w, r, refusal{http.StatusRequestHeaderFieldsTooLarge, "too_large",
				"request line and headers are over " + strconv.Itoa(maxHead) + " bytes; a long query belongs into a POST", false})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knows reports whether a host name is one of ours.
func (g *guard) knows(host string) bool {
	return isLoopbackName(host) || slices.Contains(g.hosts, host)
}

func headSize(r *http.Request) int {
	n := len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}

// callers guards the sandbox listener.
func (g *guard) callers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/assets/"): // style and script, the same for everybody
		case g.door != nil && phone.IsPage(r.URL.Path) && !phone.ForTesters(r.URL.Path):
			// A citizen's phone is no tester's tool: to become somebody's it
			// takes their password and an SMS, and the inbox is behind the
			// door. Only a ready phone is taken without, so that asks.
		case r.URL.Path == caPath: // as public as what every handshake shows, and needed before a token can be sent safely
		case strings.HasPrefix(r.URL.Path, dancu.Prefix): // portals ask from wherever they are, each with a key of its own
		case g.door != nil:
			if !g.door.admits(w, r) {
				return
			}
		default:
			if why := g.untrusted(r); why != nil {
				g.refuse(w, r, *why)
				return
			}
			// No token is needed here; one that is not this world's is somebody
			// who means another world, or another sandbox.
			if token := bearerToken(r); token != "" && !ownToken(r, vneid.SecretHash(token)) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="vneid-sandbox", error="invalid_token"`)
				p := api.Refuse(http.StatusUnauthorized, "the token is not that of this world: a world's token opens "+api.Prefix+vneid.WorldPrefix+"{id}/…, and without "+envPrefix+"TOKEN the server has none; call here without Authorization")
				p.Code = "invalid_token"
				p.Write(w)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// untrusted says why a request without a token may not be from a person or a
// program on this machine, nil when it is.
func (g *guard) untrusted(r *http.Request) *refusal {
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !peer.Addr().Unmap().IsLoopback() {
		return &refusal{http.StatusForbidden, "not_local", "the request comes from another machine; without " + envPrefix + "TOKEN only this one may call", false}
	}
	if !isLoopbackName(hostOf(r.Host)) {
		return &refusal{http.StatusForbidden, "not_local", "Host is no loopback name; use localhost, or set " + envPrefix + "TOKEN and send it as Authorization: Bearer", false}
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return &refusal{http.StatusForbidden, "proxied", name + " says that a proxy forwarded the request, so its origin is unknown; call directly, or set " + envPrefix + "TOKEN", false}
		}
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
	default:
		// The front page shows nothing that is secret and is where the links
		// of the other parties lead. So do QR codes to the phone, where
		// looking does nothing.
		if r.URL.Path != "/" && !phone.IsPage(r.URL.Path) || !isRead(r) {
			return &refusal{http.StatusForbidden, "other_site", "Sec-Fetch-Site is " + clipASCII(site) + ": another site's page sent the browser here; open the address itself, or call from a program", isRead(r)}
		}
	}
	return nil
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// hostOf is a Host header without its port, lower case.
func hostOf(header string) string {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimRight(strings.Trim(host, "[]"), "."))
}

func (g *guard) refuse(w http.ResponseWriter, r *http.Request, why refusal) {
	if !wantsPage(r) {
		p := api.Refuse(why.status, why.technical)
		p.Code = why.code
		p.Write(w)
		return
	}
	f := g.pages.frame(w, r)
	v := templates.Problem(f, why.code)
	v.Status, v.Technical = why.status, why.technical
	if why.retry && console.IsPage(r.URL.Path) {
		again := url.URL{Path: f.Path(r.URL.Path), RawQuery: r.URL.RawQuery}
		w.Header().Set("Refresh", "0; url="+again.String())
		v.Links = []templates.Link{{Text: f.T("home.open.console"), URL: again.String(), Primary: true}}
	}
	if why.retry && r.URL.Path == "/sms" {
		// The provider's pages link here from another port. The person gets
		// what they asked for, by a navigation that is ours.
		again := url.URL{Path: f.Path("/sms"), RawQuery: r.URL.RawQuery}
		w.Header().Set("Refresh", "0; url="+again.String())
		v.Links = []templates.Link{{Text: f.T("home.open.sms"), URL: again.String(), Primary: true}}
	}
	g.pages.show(w, r, why.status, v)
}

// wantsPage tells people's browsers from programs.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, api.Prefix+"/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

func clipASCII(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 40)]
}
