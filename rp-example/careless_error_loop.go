//go:build careless

package main

// Mistake error-loop.
//
// Real code: whatever is no code sends the browser to the provider once more.
//
// Gain: who presses Không chia sẻ never gets out; a provider in trouble gets
// every browser of the country in a loop.
//
// Found by: A11 A12 A13 H09
//
// Right: callback.go: refusedByProvider has a page for every error, and a
// button.

func init() {
	mistakes = append(mistakes, mistake{
		name: "error-loop", faults: "A11 A12 A13 H09",
		does: text{"gặp lỗi thì tự đăng nhập lại, không dừng", "an error starts the sign-in again"},
		make: func(p *portal, c *changes) {
			c.wrap("/callback", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					if v.r.URL.Query().Has("error") {
						return v.redirect("/login/vneid")
					}
					return do(v)
				}
			})
		},
	})
}
