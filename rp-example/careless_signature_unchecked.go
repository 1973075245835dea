//go:build careless

package main

// Mistake signature-unchecked.
//
// Real code: JSON.parse(atob(token.split('.')[1])). It came over TLS from the
// token endpoint, says the comment.
//
// Gain: whoever stands between (a proxy, a wrong DNS answer, TLS checks
// switched off) writes the name of whom he wants to be; and the function is
// soon used for tokens from elsewhere.
//
// Found by: D01 D02 D03 D04 D05 D06 D07 D08 D11 D14 D26 D27 D28 D29 D32
//
// Right: oidc.go: verifyIDToken, with a key from the issuer's JWKS.

import (
	"context"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "signature-unchecked", faults: "D01 D02 D03 D04 D05 D06 D07 D08 D11 D14 D26 D27 D28 D29 D32",
		does: text{"không kiểm tra chữ ký ID token", "the ID token's signature is not verified"},
		make: func(p *portal, c *changes) {
			// The header is not even looked at; at_hash goes by the signature's algorithm.
			c.dropped = append(c.dropped, "header", "typ", "key-size", "at_hash")
			c.trusts = append(c.trusts, func(context.Context, *metadata, string) bool { return true })
		},
	})
}
