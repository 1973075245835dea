//go:build careless

package main

// Mistake iat-unchecked.
//
// Real code: iat is decoded and never looked at.
//
// Gain: tokens minted ahead for later use are not noticed; nor is a provider
// whose clock is wrong.
//
// Found by: C19 C20
//
// Right: oidc.go: idTokenChecks, missing or in the future.

func init() {
	mistakes = append(mistakes, mistake{
		name: "iat-unchecked", faults: "C19 C20",
		does: text{"không kiểm tra iat", "iat is not checked"},
		make: func(p *portal, c *changes) {
			c.dropped = append(c.dropped, "iat")
		},
	})
}
