package login

import (
	"net/http"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The provider's cookies. Ports of one host share cookies, so the names carry
// the party and the world; under TLS __Host- keeps other hosts from planting
// them.
const (
	browserCookie = "browser"
	sessionCookie = "session"
	langCookie    = "lang"
)

func cookieName(r *http.Request, kind string) string {
	w := vneid.WorldFrom(r.Context())
	name := "idp_" + w.ID + "_" + kind
	if secure(w) {
		return "__Host-" + name
	}
	return name
}

func secure(w *vneid.World) bool { return strings.HasPrefix(w.Issuer, "https://") }

// readCookie returns a cookie's value; a browser that sends two of one name
// (one planted from elsewhere) is treated as if it had none.
func readCookie(r *http.Request, kind string) string {
	found := r.CookiesNamed(cookieName(r, kind))
	if len(found) != 1 || len(found[0].Value) > 128 {
		return ""
	}
	return found[0].Value
}

func setCookie(w http.ResponseWriter, r *http.Request, kind, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r, kind), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure(vneid.WorldFrom(r.Context())),
	})
}

// Browser is what the cookies of the request say.
func (p *Pages) Browser(r *http.Request) vneid.Browser {
	b := vneid.Browser{Secret: readCookie(r, browserCookie), Session: readCookie(r, sessionCookie)}
	if len(b.Secret) != secretLen { // not ours
		b.Secret = ""
	}
	return b
}

const secretLen = 43 // 256 bits in base64url

// EnsureBrowser gives a browser without a name of its own one.
func (p *Pages) EnsureBrowser(w http.ResponseWriter, r *http.Request) vneid.Browser {
	b := p.Browser(r)
	if b.Secret == "" {
		b.Secret = vneid.NewSecret(p.Service.Rand)
		setCookie(w, r, browserCookie, b.Secret, 0)
	}
	return b
}

func (p *Pages) setSession(w http.ResponseWriter, r *http.Request, secret string) {
	setCookie(w, r, sessionCookie, secret, int(vneid.WorldFrom(r.Context()).Policy.SessionLifetime.Seconds()))
}

// DropSession removes the session's cookie.
func (p *Pages) DropSession(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, sessionCookie, "", -1)
}
