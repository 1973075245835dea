//go:build careless

package main

// Mistake cookie-flags.
//
// Real code: response.addCookie(new Cookie(name, value)).
//
// Gain: any script of the page reads the session and takes it along; forms of
// other sites carry it.
//
// Found by: G16
//
// Right: session.go: setCookie, cookieName.

import (
	"net/http"
	"strings"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "cookie-flags", faults: "G16",
		does: text{"cookie phiên không có HttpOnly, SameSite", "the session cookie has neither HttpOnly nor SameSite"},
		make: func(p *portal, c *changes) {
			c.after = append(c.after, func(_ *http.Request, d *draft) {
				for i, line := range d.header["Set-Cookie"] {
					d.header["Set-Cookie"][i] = strings.NewReplacer("; HttpOnly", "", "; SameSite=Lax", "").Replace(line)
				}
			})
		},
	})
}
