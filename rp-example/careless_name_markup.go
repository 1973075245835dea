//go:build careless

package main

// Mistake name-markup.
//
// Real code: '<b>' + user.name + '</b>', or an HTML page that writes the
// profile into localStorage by string concatenation.
//
// Gain: a name with markup runs the attacker's script in every page that shows
// it, an officer's included.
//
// Found by: J15
//
// Right: html/template escapes by context; a Content-Security-Policy stands
// behind (server.go).

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "name-markup", faults: "J15",
		does: text{"in họ tên ra trang mà không mã hóa", "the name is printed unescaped"},
		make: func(p *portal, c *changes) {
			c.wrap("", func(do func(*visit) error) func(*visit) error {
				return func(v *visit) error {
					if v.account != nil && strings.ContainsAny(v.account.Name, "<>&\"'") {
						v.w.Header().Del("Content-Security-Policy")
						escaped := strings.ReplaceAll(template.HTMLEscapeString(v.account.Name), "+", "&#43;")
						v.w = &unescaping{v.w, escaped, v.account.Name}
					}
					return do(v)
				}
			})
		},
	})
}

type unescaping struct {
	http.ResponseWriter
	escaped, raw string
}

func (u *unescaping) Write(b []byte) (int, error) {
	if _, err := u.ResponseWriter.Write(bytes.ReplaceAll(b, []byte(u.escaped), []byte(u.raw))); err != nil {
		return 0, err
	}
	return len(b), nil
}
