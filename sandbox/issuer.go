package sandbox

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// fromRequest is what --issuer says when each request names its issuer.
const fromRequest = "request"

// asPrefix begins the addresses to which browsers are sent for an issuer whose
// name means nothing to them: /as/vneid:9998/authorize at the browser's name
// for us is /authorize of http://vneid:9998.
const asPrefix = "/as/"

// issuers decides under which issuer a request is answered, when that is not
// always the same: a container calls this program by another name than the
// browser beside it, and each must find the issuer it asked (OIDC Discovery
// §4.3). The name comes from Host, which the guard knows, never from Forwarded
// or X-Forwarded-Host, which anybody can write.
//
// What a sign-in was begun under stays with it (vneid.Login.Issuer): its
// answer, its ID tokens and its logout token name that, by whatever name the
// token endpoint is called (docs/adr/0013-issuer-of-the-request.md).
type issuers struct {
	guard   *guard
	scheme  string // of the listener
	base    string // of phones, pages and everything that is no request of a relying party
	browser string // where browsers find the pages, "" = under every issuer's own name
}

// newIssuers returns nil when there is one issuer.
func newIssuers(c *Config, g *guard) *issuers {
	if !c.issuerFromRequest {
		return nil
	}
	return &issuers{guard: g, scheme: c.scheme(), base: c.Issuer, browser: c.BrowserURL}
}

type addressKey struct{}

// address is what a request says about its issuer.
type address struct{ root, front string }

// around finds the issuer of each request of the provider's listener.
func (i *issuers) around(next http.Handler) http.Handler {
	if i == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, path, named := frontDoor(r)
		if named {
			u := *r.URL
			u.Path, u.RawPath = path, ""
			r = r.WithContext(r.Context()) // ours to change
			r.URL = &u
		}
		authority, ok := canonicalAuthority(i.scheme, host)
		if !ok || !i.guard.knows(hostOf(host)) {
			i.guard.refuse(w, r, refusal{http.StatusMisdirectedRequest, "host_refused",
				"the host " + clipASCII(host) + " is neither a loopback name nor under allow_hosts", false})
			return
		}
		a := address{root: i.scheme + "://" + authority}
		if i.browser != "" && a.root != i.browser && (named || !isLoopbackName(hostOf(host))) {
			a.front = i.browser + asPrefix + authority
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), addressKey{}, a)))
	})
}

// frontDoor reads an address below asPrefix. Only the two endpoints to which
// relying parties send browsers have one: a discovery document there would
// stand at an address that its issuer does not name.
func frontDoor(r *http.Request) (host, path string, named bool) {
	if rest, ok := strings.CutPrefix(r.URL.Path, asPrefix); ok {
		host, path, _ = strings.Cut(rest, "/")
		if path = "/" + path; strings.HasSuffix(path, "/authorize") || strings.HasSuffix(path, "/end_session") {
			return host, path, true
		}
	}
	return r.Host, "", false
}

// see is the world as this request names it.
func (i *issuers) see(ctx context.Context, w *vneid.World) *vneid.World {
	a, ok := ctx.Value(addressKey{}).(address)
	if i == nil || !ok {
		return w
	}
	seen := *w
	below := strings.TrimPrefix(w.Issuer, i.base)
	seen.Issuer, seen.ManyIssuers = a.root+below, true
	if a.front != "" {
		seen.Browser = a.front + below
	}
	return &seen
}

// canonicalAuthority is a host with its port as an issuer writes it: lower
// case, without the scheme's own port.
func canonicalAuthority(scheme, host string) (string, bool) {
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || u.Host != host || u.Hostname() == "" || strings.HasSuffix(u.Hostname(), ".") {
		return "", false
	}
	name := strings.ToLower(u.Hostname())
	if strings.ContainsAny(name, "%/\\ ") {
		return "", false
	}
	port := u.Port()
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != port) {
		return "", false
	}
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		if strings.Contains(name, ":") {
			return "[" + name + "]", true
		}
		return name, true
	}
	return net.JoinHostPort(name, port), true
}
