//go:build careless

package main

// Mistake role-from-claims.
//
// Real code: user = Object.assign(user, userinfo): every member of the answer
// becomes a member of the user.
//
// Gain: whoever can add role or is_admin to a profile at the provider, or to
// an answer on its way, is an officer.
//
// Found by: F11 J23
//
// Right: person.go: readPerson drops what it does not know; linkpages.go:
// linkRole, switchRole.

import (
	"context"
	"database/sql"
	"sync"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "role-from-claims", faults: "F11 J23",
		does: text{"vai trò cán bộ lấy từ claim", "an officer's role comes from a claim"},
		make: func(p *portal, c *changes) {
			var mu sync.Mutex
			officers := map[*signedInPerson]bool{}
			p.trafficAround(func(_ context.Context, t *traffic, next func() (*signedInPerson, error)) (*signedInPerson, error) {
				who, err := next()
				if err == nil && t != nil {
					admin, _ := t.userinfo["is_admin"].(bool)
					role, _ := t.userinfo["role"].(string)
					if admin || role == "admin" || role == "officer" {
						mu.Lock()
						officers[who] = true
						mu.Unlock()
					}
				}
				return who, err
			})
			p.arriving(func(v *visit, in arrival, next func() (arrived, error)) (arrived, error) {
				mu.Lock()
				promoted := officers[in.proved]
				delete(officers, in.proved)
				mu.Unlock()
				out, err := next()
				if err != nil || !promoted || out.cookie == "" {
					return out, err
				}
				ctx, role := v.r.Context(), "(SELECT min(username) FROM local_logins WHERE role = 'officer')"
				return out, p.store.tx(ctx, func(tx *sql.Tx) error {
					if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO officer_links (iss, sub, username, at_ms) VALUES (?, ?, "+role+", ?)", in.proved.Iss, in.proved.Sub, p.store.ms()); err != nil {
						return err
					}
					_, err := tx.ExecContext(ctx, "UPDATE sessions SET officer = "+role+" WHERE id = ?", hashed(out.cookie))
					return err
				})
			})
		},
	})
}
