//go:build careless

package main

// Mistake identity-from-browser.
//
// Real code: an anonymous endpoint takes the userinfo that the page fetched,
// sometimes "encrypted" in base64, and signs in whoever it names.
//
// Gain: curl -d '{"cccd": …}': anybody is anybody.
//
// Found by: J31
//
// Right: callback.go: nothing about a person comes through the browser; code
// for token, server to server.

import (
	"database/sql"
	"encoding/json"
	"errors"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "identity-from-browser", faults: "J31",
		does: text{"nhận danh tính do trình duyệt gửi lên (JSON userinfo)", "the identity comes from the browser, as userinfo JSON"},
		make: func(p *portal, c *changes) {
			c.added = append(c.added, route{"POST", "/sso/userinfo", func(v *visit) error {
				form, err := v.form()
				if err != nil {
					return err
				}
				var claims map[string]any
				if json.Unmarshal([]byte(form.Get("user")), &claims) != nil {
					return &problem{kind: "bad_form", err: errors.New("user is no JSON object")}
				}
				sub, _ := claims["sub"].(string)
				who := readPerson(claims)
				err = p.store.tx(v.r.Context(), func(tx *sql.Tx) error { // whoever has the number, else a new one
					var known string
					err := tx.QueryRowContext(v.r.Context(), "SELECT sub FROM identities WHERE cccd = ? AND iss = ?", who.CCCD, p.cfg.Issuer).Scan(&known)
					if err == nil {
						sub = known
					} else if !errors.Is(err, sql.ErrNoRows) {
						return err
					}
					return nil
				})
				if err != nil {
					return err
				}
				out, err := p.arrive(v, arrival{proved: &signedInPerson{Iss: p.cfg.Issuer, Sub: or(sub, secret()), Who: who}, wanted: "/", visitor: visitorOf(v.r)})
				if err != nil {
					return err
				}
				return p.goOn(v, out, "/")
			}})
		},
	})
}
