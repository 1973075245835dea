//go:build careless

package main

// Mistake name-as-key.
//
// Real code: WHERE full_name = ? AND birthday = ?, and often without the
// birthday.
//
// Gain: namesakes share an account: there are some 30,000 people called Nguyễn
// Văn An.
//
// Found by: J13
//
// Right: cccd.go: matchForm compares names and never finds anybody by one.

func init() {
	mistakes = append(mistakes, mistake{
		name: "name-as-key", faults: "J13",
		does: text{"nhận người bằng họ tên", "a person is known by name"},
		make: func(p *portal, c *changes) {
			p.takeOver("name", func(w person) string { return w.Name })
		},
	})
}
