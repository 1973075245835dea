//go:build careless

package main

// Mistake token-in-browser.
//
// Real code: localStorage.setItem('token', …), or a cookie for the single-page
// application.
//
// Gain: one script from anywhere, and the token with number, name and birthday
// leaves the house; it works elsewhere too.
//
// Found by: G16
//
// Right: arrival.go: letIn keeps it in the session, on the server.

import (
	"net/http"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "token-in-browser", faults: "G16",
		does: text{"ID token nằm trong cookie mà script đọc được", "the ID token is kept where scripts can read it"},
		make: func(p *portal, c *changes) {
			p.arriving(func(v *visit, in arrival, next func() (arrived, error)) (arrived, error) {
				http.SetCookie(v.w, &http.Cookie{Name: "vneid_token", Value: in.proved.IDToken, Path: "/"})
				return next()
			})
		},
	})
}
