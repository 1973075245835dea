//go:build careless

package main

// Mistake no-nonce.
//
// Real code: the authorization request has client_id, redirect_uri, scope and
// state. No public portal we read sends a nonce.
//
// Gain: an ID token or code from another sign-in, caught anywhere, can be put
// into the attacker's own (OIDC Core 15.5.2).
//
// Found by: nonce.missing (lint)
//
// Right: oidc.go: signInURL sends one per attempt, idTokenChecks compare it.

import (
	"net/http"
	"net/url"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "no-nonce", faults: "nonce.missing (lint)",
		does: text{"không gửi nonce", "no nonce is sent"},
		make: func(p *portal, c *changes) {
			c.leaving = append(c.leaving, func(_ *http.Request, q url.Values) { q.Del("nonce") })
			c.dropped = append(c.dropped, "nonce")
		},
	})
}
