//go:build careless

package main

// Mistake cccd-loose.
//
// Real code: parseInt, or replace(/\D/g, '') after replace('O', '0'); the
// leading zero comes back by padding.
//
// Gain: values that are different become equal, so one person's number is
// another's; a number that should have been refused finds an account.
//
// Found by: J10
//
// Right: person.go: readPerson takes twelve ASCII digits as they came or none;
// cccd.go: readCCCD for what people type, and it refuses letters.

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "cccd-loose", faults: "J10",
		does: text{"so CCCD như một con số: bỏ mọi thứ lạ, O thành 0", "a CCCD is read as a number: odd characters go, O becomes 0"},
		make: func(p *portal, c *changes) {
			c.userinfo = append(c.userinfo, func(_ *traffic, o map[string]any) {
				if o["cccd"] == nil {
					return
				}
				var digits strings.Builder
				for _, r := range norm.NFKC.String(fmt.Sprint(o["cccd"])) {
					switch {
					case r == 'O' || r == 'o' || r == 'О': // the last one is Cyrillic
						r = '0'
					case r == 'l' || r == 'I':
						r = '1'
					case unicode.Is(unicode.Nd, r):
						r = rune('0' + decimal(r))
					}
					if r >= '0' && r <= '9' {
						digits.WriteRune(r)
					}
				}
				s := strings.TrimLeft(digits.String(), "0")
				o["cccd"] = strings.Repeat("0", max(0, 12-len(s))) + s
			})
		},
	})
}
