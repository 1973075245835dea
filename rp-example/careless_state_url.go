//go:build careless

package main

// Mistake state-url.
//
// Real code: state = base64(state@url), and after the sign-in the browser is
// sent to url. Two public portals do this.
//
// Gain: a link that begins at the portal and ends, signed in, at the
// attacker's page; state can be read and altered by everybody on the way.
//
// Found by: A05 I13 I15
//
// Right: callback.go: leave keeps the wanted page on the server; wantedPage
// lets pages of this portal through only.

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "state-url", faults: "A05 I13 I15",
		does: text{"state chứa địa chỉ quay về (base64)", "the return address travels in state, in base64"},
		make: func(p *portal, c *changes) {
			c.leaving = append(c.leaving, func(r *http.Request, q url.Values) {
				back := r.URL.Query().Get("next")
				if back == "" || localPath(back) == back {
					back = p.cfg.URL + localPath(back)
				}
				q.Set("state", base64.StdEncoding.EncodeToString([]byte(q.Get("state")+"@"+back)))
			})
			c.wrap("/callback", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					b, err := base64.StdEncoding.DecodeString(v.r.URL.Query().Get("state"))
					state, back, ok := strings.Cut(string(b), "@")
					if err != nil || !ok {
						return do(v)
					}
					setQuery(v.r, "state", state)
					err = do(v)
					if to := v.w.Header().Get("Location"); err == nil && to != "" && !slices.Contains([]string{"/link", "/who", "/login/vneid"}, to) {
						v.w.Header().Set("Location", strings.TrimPrefix(back, p.cfg.URL))
					}
					return err
				}
			})
		},
	})
}
