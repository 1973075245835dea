//go:build careless

package main

// Mistake level-unchecked.
//
// Real code: acr_values=LoA2 is sent; what came back is not looked at.
//
// Gain: a level 1 account, or a password alone, files what needs an identity
// proved in person.
//
// Found by: J01 J02
//
// Right: levels.go: shortfallOf, asked again when the application comes in.

func init() {
	mistakes = append(mistakes, mistake{
		name: "level-unchecked", faults: "J01 J02",
		does: text{"không kiểm tra mức tài khoản, mức đăng nhập", "neither the account's level nor the sign-in's is checked"},
		make: func(p *portal, c *changes) {
			c.wrap("/procedures/{code}/apply", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					if v.session != nil && v.session.method == "vneid" {
						v.account.Claims.Level, v.session.acr, v.session.provedMS = "2", "LoA2", p.store.ms()
					}
					return do(v)
				}
			})
		},
	})
}
