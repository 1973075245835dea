//go:build careless

package main

// Mistake link-by-phone.
//
// Real code: the number is verified by SMS, so it must be the same person.
//
// Gain: numbers are given to other people after some months; the next owner
// receives the account.
//
// Found by: J17
//
// Right: arrival.go: keepIdentity looks at nothing but iss and sub.

func init() {
	mistakes = append(mistakes, mistake{
		name: "link-by-phone", faults: "J17",
		does: text{"liên kết bằng số điện thoại", "accounts are joined by the phone number"},
		make: func(p *portal, c *changes) {
			p.takeOver("json_extract(claims, '$.phone')", func(w person) string { return w.Phone })
		},
	})
}
