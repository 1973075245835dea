//go:build careless

package main

// Mistake link-by-email.
//
// Real code: the account with the same e-mail is the user's (Trust Email).
//
// Gain: the attacker gives the provider the victim's address, unverified, and
// receives the account; or makes an account with it beforehand and waits.
//
// Found by: J18
//
// Right: arrival.go: keepIdentity looks at nothing but iss and sub.

func init() {
	mistakes = append(mistakes, mistake{
		name: "link-by-email", faults: "J18",
		does: text{"liên kết bằng e-mail, dù chưa xác minh", "accounts are joined by the e-mail address, verified or not"},
		make: func(p *portal, c *changes) {
			p.takeOver("json_extract(claims, '$.email')", func(w person) string { return w.Email })
		},
	})
}
