//go:build careless

package main

// Mistake link-without-proof.
//
// Real code: GET /link/callback?code=…: whoever is signed in gets the VNeID of
// the code. With attributes['id'], which this provider does not send,
// everybody gets the same one.
//
// Gain: a link in a mail joins the attacker's VNeID to the victim's old
// account: from then on the attacker signs in to it.
//
// Found by: I10 J20
//
// Right: callback.go: state; linking.go: both proofs, and /who asks when two
// people meet in one browser.

func init() {
	mistakes = append(mistakes, mistake{
		name: "link-without-proof", faults: "I10 J20",
		does: text{"trang quay về của việc liên kết không kiểm gì", "the callback of linking checks nothing: neither state nor who it is"},
		make: func(p *portal, c *changes) {
			c.wrap("/callback", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					if v.session == nil || v.session.method != "local" {
						return do(v)
					}
					a, err := anyAttempt(v)
					if err != nil {
						return err
					}
					if err := adopt(v, a); err != nil {
						return err
					}
					return do(v)
				}
			})
			p.arriving(func(v *visit, in arrival, next func() (arrived, error)) (arrived, error) {
				if v.session == nil || v.session.method != "local" {
					return next()
				}
				in.instead = true
				out, err := p.store.arrive(v.r.Context(), v.session, in, p.cfg.IssuerBefore)
				if err != nil {
					return out, err
				}
				out.did = doOpen
				return out, p.mergeInto(v, out.cookie, v.session.username, in.proved.Iss, in.proved.Sub)
			})
		},
	})
}
