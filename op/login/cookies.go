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
	waitingCookie = "qr"
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
	if id := r.PathValue("id"); id != "" {
		for _, w := range readWaiting(r) {
			if w.login == waitingName(id) {
				b.Waiting = w.secret
			}
		}
	}
	return b
}

// A browser may show the QR codes of several logins, one in each tab: the
// cookie lists them, newest first.
type waiting struct{ login, secret string }

const mostWaiting = 8

// waitingName is enough of a login's id to tell a browser's logins apart.
func waitingName(id string) string { return id[:min(8, len(id))] }

func readWaiting(r *http.Request) (list []waiting) {
	found := r.CookiesNamed(cookieName(r, waitingCookie))
	if len(found) != 1 || len(found[0].Value) > mostWaiting*(8+1+secretLen+1) {
		return nil
	}
	for _, entry := range strings.Split(found[0].Value, ".") {
		if login, secret, ok := strings.Cut(entry, ":"); ok && len(secret) == secretLen {
			list = append(list, waiting{login, secret})
		}
	}
	return list
}

// SetWaiting lets this browser, and no other, go on when a phone confirms the
// code of that login.
func (p *Pages) SetWaiting(w http.ResponseWriter, r *http.Request, login, secret string) {
	entries := []string{waitingName(login) + ":" + secret}
	for _, old := range readWaiting(r) {
		if old.login != waitingName(login) && len(entries) < mostWaiting {
			entries = append(entries, old.login+":"+old.secret)
		}
	}
	setCookie(w, r, waitingCookie, strings.Join(entries, "."), int(vneid.WorldFrom(r.Context()).Policy.LoginLifetime.Seconds()))
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
