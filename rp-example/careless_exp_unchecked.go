//go:build careless

package main

// Mistake exp-unchecked.
//
// Real code: the clock of the server was wrong once, so the check was switched
// off.
//
// Gain: an old token, from a log or a backup, is as good as a new one.
//
// Found by: C16 C17 C18 C22
//
// Right: oidc.go: verifyIDToken; a token that is late has a page of its own
// (id_token_expired).

func init() {
	mistakes = append(mistakes, mistake{
		name: "exp-unchecked", faults: "C16 C17 C18 C22",
		does: text{"không kiểm tra exp, nbf", "exp and nbf are not checked"},
		make: func(p *portal, c *changes) {
			c.tokens.SkipExpiryCheck = true
			c.dropped = append(c.dropped, "exp")
		},
	})
}
