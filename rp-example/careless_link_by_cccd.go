//go:build careless

package main

// Mistake link-by-cccd.
//
// Real code: the local account whose CCCD equals VNeID's is opened; of several
// the first. Seed 000 describes it so.
//
// Gain: the attacker types the victim's number into his account and waits: the
// victim files into an account that the attacker also has, or receives an
// officer's.
//
// Found by: J06 J07 J19
//
// Right: linking.go: the table asks for the old account's password as well.

func init() {
	mistakes = append(mistakes, mistake{
		name: "link-by-cccd", faults: "J06 J07 J19",
		does: text{"tự liên kết tài khoản đã khai cùng số CCCD", "an old account that declared the same CCCD is joined, unasked"},
		make: func(p *portal, c *changes) {
			p.arriving(func(v *visit, in arrival, next func() (arrived, error)) (arrived, error) {
				out, err := next()
				if err != nil || out.did != doAskLink {
					return out, err
				}
				list, err := candidates(v.r.Context(), p.store.db, in.proved.Iss, in.proved.Sub, in.proved.Who)
				if err != nil || len(list) == 0 {
					return out, err
				}
				out.did = doOpen
				return out, p.mergeInto(v, out.cookie, list[0].Username, in.proved.Iss, in.proved.Sub)
			})
		},
	})
}
