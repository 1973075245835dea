//go:build careless

package main

// Mistake aud-unchecked.
//
// Real code: verify_aud: false, because the first test token had another
// audience.
//
// Gain: a token that any other portal received for a person opens this portal
// in the person's name.
//
// Found by: B16 C10 C11 C13 C14 C15
//
// Right: oidc.go: verifyIDToken (aud), idTokenChecks (several audiences, azp).

func init() {
	mistakes = append(mistakes, mistake{
		name: "aud-unchecked", faults: "B16 C10 C11 C13 C14 C15",
		does: text{"không kiểm tra aud, azp", "aud and azp are not checked"},
		make: func(p *portal, c *changes) {
			c.tokens.SkipClientIDCheck = true
			c.dropped = append(c.dropped, "audiences", "azp")
		},
	})
}
