//go:build careless

package main

// Mistake logout-unchecked.
//
// Real code: the payload is decoded, its sub or sid is signed out, the answer
// is 200.
//
// Gain: anybody on the network signs out whom he wants, or everybody.
//
// Found by: G01 G02 G03 G04 G05 G06 G08 G09
//
// Right: backchannel.go: checkLogoutToken.

func init() {
	mistakes = append(mistakes, mistake{
		name: "logout-unchecked", faults: "G01 G02 G03 G04 G05 G06 G08 G09",
		does: text{"không kiểm tra logout token", "the logout token is not verified"},
		make: func(p *portal, c *changes) {
			c.wrap("/backchannel-logout", func(func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					form, err := v.form()
					if err != nil {
						return err
					}
					claims := payloadOf(form.Get("logout_token"))
					sub, _ := claims["sub"].(string)
					sid, _ := claims["sid"].(string)
					_, _, err = p.store.endFromAfar(v.r.Context(), &logoutToken{iss: p.cfg.Issuer, Sub: sub, SID: sid, JTI: secret()})
					return err
				}
			})
		},
	})
}
