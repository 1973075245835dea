//go:build careless

package main

// Mistake iss-param-ignored.
//
// Real code: the callback does not know of RFC 9207.
//
// Gain: with a second provider, mix-up: the code of one is carried to the
// token endpoint of the other.
//
// Found by: A07 A08
//
// Right: callback.go: step 2 of callback, before code and error alike.

func init() {
	mistakes = append(mistakes, mistake{
		name: "iss-param-ignored", faults: "A07 A08",
		does: text{"bỏ qua tham số iss của câu trả lời", "the iss parameter of the answer is ignored"},
		make: func(p *portal, c *changes) {
			c.wrap("/callback", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					setQuery(v.r, "iss", p.cfg.Issuer)
					return do(v)
				}
			})
		},
	})
}
