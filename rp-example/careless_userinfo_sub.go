//go:build careless

package main

// Mistake userinfo-sub.
//
// Real code: the ID token is checked, then the profile is read from userinfo,
// whoever it is about.
//
// Gain: with another person's access token in the answer, one person's data
// stands in another's session (OIDC Core 5.3.2).
//
// Found by: F01 F02 F03
//
// Right: oidc.go: redeem.

func init() {
	mistakes = append(mistakes, mistake{
		name: "userinfo-sub", faults: "F01 F02 F03",
		does: text{"không so sub của userinfo với ID token", "sub of userinfo is not compared with the ID token's"},
		make: func(p *portal, c *changes) {
			c.userinfo = append(c.userinfo, func(t *traffic, o map[string]any) {
				if t.signed {
					o["sub"] = t.idSub // so they are never found unequal
				}
			})
		},
	})
}
