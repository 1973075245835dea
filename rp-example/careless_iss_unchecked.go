//go:build careless

package main

// Mistake iss-unchecked.
//
// Real code: the issuer is not configured, only three addresses; the library
// has nothing to compare with.
//
// Gain: a token of another provider, whose subs somebody else chooses, signs
// in here.
//
// Found by: C01 C02 C03 C04
//
// Right: oidc.go: verifyIDToken compares it byte for byte with PORTAL_ISSUER.

func init() {
	mistakes = append(mistakes, mistake{
		name: "iss-unchecked", faults: "C01 C02 C03 C04",
		does: text{"không kiểm tra iss của ID token", "iss of the ID token is not checked"},
		make: func(p *portal, c *changes) {
			c.tokens.SkipIssuerCheck = true
		},
	})
}
