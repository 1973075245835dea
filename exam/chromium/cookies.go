package chromium

import (
	"net/http"
	"net/url"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

var sameSite = map[network.CookieSameSite]http.SameSite{
	network.CookieSameSiteStrict: http.SameSiteStrictMode, network.CookieSameSiteLax: http.SameSiteLaxMode, network.CookieSameSiteNone: http.SameSiteNoneMode,
}

// Cookies are those that go with a request to the address, with their flags.
func (t *Tab) Cookies(u *url.URL) (list []*http.Cookie) {
	kept, err := chromedp.Call(t.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{u.String()}})
	if err != nil {
		return nil
	}
	for _, c := range kept.Cookies {
		list = append(list, &http.Cookie{Name: c.Name, Value: c.Value, Path: c.Path, Domain: c.Domain, Secure: c.Secure, HttpOnly: c.HTTPOnly, SameSite: sameSite[c.SameSite]})
	}
	return list
}

// SetCookies keeps cookies as if they had come from the address.
func (t *Tab) SetCookies(u *url.URL, list []*http.Cookie) {
	for _, c := range list {
		p := network.SetCookieParams{Name: c.Name, Value: c.Value, URL: u.String(), Path: c.Path, Secure: &c.Secure, HTTPOnly: &c.HttpOnly}
		_, _ = chromedp.Call(t.ctx, network.SetCookie, p) // one that it does not take is not there
	}
}
