//go:build careless

package main

// Mistake no-pkce.
//
// Real code: the code is redeemed with the client's secret alone.
//
// Gain: a victim's code, caught on its way, can be put into the attacker's own
// browser session (code injection, RFC 9700 §4.5).
//
// Found by: I08
//
// Right: oidc.go: signInURL sends the hash, redeem the verifier.

import (
	"net/http"
	"net/url"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "no-pkce", faults: "I08",
		does: text{"không dùng PKCE", "no PKCE"},
		make: func(p *portal, c *changes) {
			c.leaving = append(c.leaving, func(_ *http.Request, q url.Values) {
				q.Del("code_challenge")
				q.Del("code_challenge_method")
			})
			c.calls = append(c.calls, func(_ *http.Request, form url.Values) { form.Del("code_verifier") })
		},
	})
}
