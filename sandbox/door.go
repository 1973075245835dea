package sandbox

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/console"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// door asks for the token: programs send it as a bearer token (RFC 6750), people
// type it once on the sign-in page and get a cookie.
type door struct {
	tokenHash string // SHA-256
	pages     *pages
	sameSite  *http.CrossOriginProtection
}

const (
	tokenCookie = "token"
	signInPath  = "/sign-in"
)

func newDoor(token string, p *pages) *door {
	return &door{tokenHash: vneid.SecretHash(token), pages: p, sameSite: http.NewCrossOriginProtection()}
}

// cookieFor is the value of the cookie of whoever showed a token: derived from
// it, and not it.
func cookieFor(tokenHash string) string { return vneid.SecretHash("cookie\x00" + tokenHash) }

// opens reports whether a token opens the world of the request: the server's
// opens all, a world's own opens that one.
func (d *door) opens(r *http.Request, token string) bool {
	hash := vneid.SecretHash(token)
	return token != "" && (equal(hash, d.tokenHash) || ownToken(r, hash))
}

// knows reports whether a cookie is that of such a token.
func (d *door) knows(r *http.Request, cookie string) bool {
	if equal(cookie, cookieFor(d.tokenHash)) {
		return true
	}
	own := worldOf(r).tokenHash
	return own != "" && equal(cookie, cookieFor(own))
}

// ownToken reports whether the token with this hash is that of the request's
// world.
func ownToken(r *http.Request, hash string) bool {
	own := worldOf(r).tokenHash
	return own != "" && equal(hash, own)
}

// bearerToken is the token of the Authorization header, "" = none.
func bearerToken(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// admits lets a request through, or answers it.
func (d *door) admits(w http.ResponseWriter, r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, api.Prefix+"/") {
		if d.opens(r, bearerToken(r)) {
			return true
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="vneid-sandbox"`)
		p := api.Refuse(http.StatusUnauthorized, "this sandbox asks for its token: send Authorization: Bearer with the value of "+envPrefix+"TOKEN, or in a world with the world's own token")
		p.Code = "invalid_token"
		p.Write(w)
		return false
	}
	if r.URL.Path == signInPath {
		d.signIn(w, r)
		return false
	}
	if c, err := r.Cookie(d.pages.cookieName(r, tokenCookie)); err == nil && d.knows(r, c.Value) {
		return true
	}
	d.ask(w, r, http.StatusUnauthorized, backTo(r.URL.RequestURI()), "")
	return false
}

func (d *door) signIn(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		d.ask(w, r, http.StatusOK, "/", "")
		return
	}
	if err := d.sameSite.Check(r); err != nil {
		api.Refuse(http.StatusForbidden, "the form was sent by another site's page; open "+d.pages.sandboxURL+" and sign in there").Write(w)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	back := backTo(r.PostFormValue("back"))
	token := strings.TrimSpace(r.PostFormValue("token"))
	if !d.opens(r, token) {
		f := d.pages.frame(w, r)
		d.ask(w, r, http.StatusUnauthorized, back, f.T("token.wrong"))
		return
	}
	d.pages.setCookie(w, r, tokenCookie, cookieFor(vneid.SecretHash(token)), 0)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, vneid.WorldFrom(r.Context()).Path+back, http.StatusSeeOther)
}

// backTo keeps the way back on the pages that there are.
func backTo(uri string) string {
	path, _, _ := strings.Cut(uri, "?")
	switch {
	case path == "/sms" || path == phone.Prefix+"/people" || console.IsPage(path):
		return uri
	case path == phone.Prefix+"/take":
		return phone.Prefix + "/people"
	}
	return "/"
}

func (d *door) ask(w http.ResponseWriter, r *http.Request, status int, back, problem string) {
	f := d.pages.frame(w, r)
	if !wantsPage(r) && r.Method != http.MethodPost {
		api.Refuse(http.StatusUnauthorized, "this sandbox asks for its token: open "+d.pages.sandboxURL+" in a browser and sign in").Write(w)
		return
	}
	d.pages.show(w, r, status, templates.TokenView{Frame: f, Action: f.Path(signInPath), Back: back, Error: problem})
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
