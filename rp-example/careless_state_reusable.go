//go:build careless

package main

// Mistake state-reusable.
//
// Real code: state is compared with the session's and stays there.
//
// Gain: a callback from the history or a log is delivered again, and the code
// with it; of two in a race both are redeemed.
//
// Found by: A04 I05
//
// Right: store.go: claimAttempt uses a state up, once for any number of
// callers.

func init() {
	mistakes = append(mistakes, mistake{
		name: "state-reusable", faults: "A04 I05",
		does: text{"state dùng được nhiều lần", "a state can be used again"},
		make: func(p *portal, c *changes) {
			c.wrap("/callback", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					a, found, err := p.store.attempt(v.r.Context(), v.r.URL.Query().Get("state"))
					if err != nil {
						return err
					}
					if found && v.session != nil && a.session == v.session.id && !a.used && a.expires > p.store.ms() {
						if err := adopt(v, a); err != nil { // a copy is used up, never the original
							return err
						}
					}
					return do(v)
				}
			})
		},
	})
}
