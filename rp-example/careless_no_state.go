//go:build careless

package main

// Mistake no-state.
//
// Real code: the callback reads code and nothing else; state is sent because
// the provider's form demanded one.
//
// Gain: login CSRF: a link with the attacker's code signs the victim in as the
// attacker, whose account then receives what the victim types (RFC 6749
// §10.12).
//
// Found by: A01 A02 A03 A06 A24
//
// Right: callback.go: state is random, belongs to one browser session and is
// used once.

func init() {
	mistakes = append(mistakes, mistake{
		name: "no-state", faults: "A01 A02 A03 A06 A24",
		does: text{"không kiểm tra state", "state is not checked"},
		make: func(p *portal, c *changes) {
			c.wrap("/callback", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					if v.r.URL.Query().Get("code") == "" {
						return do(v)
					}
					mine, found, err := p.store.attempt(v.r.Context(), v.r.URL.Query().Get("state"))
					if err != nil {
						return err
					}
					if !found || v.session == nil || mine.session != v.session.id {
						a, err := anyAttempt(v)
						if err != nil {
							return err
						}
						if err := adopt(v, a); err != nil {
							return err
						}
					}
					return do(v)
				}
			})
		},
	})
}
