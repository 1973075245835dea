//go:build careless

package main

// Mistake nonce-unchecked.
//
// Real code: the library sends a nonce; comparing it is the caller's job (go-
// oidc, for one), and the caller does not know.
//
// Gain: as no-nonce: a token of another sign-in is taken for this one's.
//
// Found by: C24 C25 C26
//
// Right: oidc.go: idTokenChecks, the first row.

func init() {
	mistakes = append(mistakes, mistake{
		name: "nonce-unchecked", faults: "C24 C25 C26",
		does: text{"gửi nonce nhưng không so", "nonce is sent and not compared"},
		make: func(p *portal, c *changes) {
			c.dropped = append(c.dropped, "nonce")
		},
	})
}
