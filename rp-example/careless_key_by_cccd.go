//go:build careless

package main

// Mistake key-by-cccd.
//
// Real code: SELECT * FROM users WHERE cccd = ?. Every public portal we read
// does this.
//
// Gain: whoever gets another person's number into a sign-in – a mistake at the
// provider, a second provider, a number issued anew – gets the account.
//
// Found by: J08
//
// Right: arrival.go: keepIdentity; a number that is taken opens an account of
// its own (linking.go).

func init() {
	mistakes = append(mistakes, mistake{
		name: "key-by-cccd", faults: "J08",
		does: text{"nhận người bằng số CCCD, không bằng iss + sub", "a person is known by the CCCD, not by iss and sub"},
		make: func(p *portal, c *changes) {
			p.takeOver("cccd", func(w person) string { return w.CCCD })
		},
	})
}
