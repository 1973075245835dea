//go:build careless

package main

// Mistake userinfo-only.
//
// Real code: access token, userinfo, done: plain OAuth 2.0 as a sign-in. Most
// public portal code does just this.
//
// Gain: an access token issued to any other client signs its owner in here
// (RFC 9700 §4.6): it has no audience that anybody looks at.
//
// Found by: B05 B06
//
// Right: oidc.go: redeem refuses an answer without id_token (OIDC Core
// 3.1.3.3).

import (
	"context"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "userinfo-only", faults: "B05 B06",
		does: text{"không có ID token thì đăng nhập bằng userinfo", "without an ID token, userinfo alone signs in"},
		make: func(p *portal, c *changes) {
			redeem := p.redeem
			p.redeem = func(ctx context.Context, m *metadata, code string, a attempt) (*signedInPerson, error) {
				who, err := redeem(ctx, m, code, a)
				t, _ := ctx.Value(trafficKey{}).(*traffic)
				if err == nil || t == nil || t.signed || t.access == "" {
					return who, err
				}
				info, err := m.op.UserInfo(oidc.ClientContext(ctx, p.op.client), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: t.access}))
				if err != nil {
					return nil, &problem{kind: "userinfo_failed", err: userinfoReason(err)}
				}
				var all map[string]any
				if err := info.Claims(&all); err != nil {
					return nil, &problem{kind: "userinfo_failed", err: userinfoReason(err)}
				}
				return &signedInPerson{Iss: p.cfg.Issuer, Sub: info.Subject, Who: readPerson(all)}, nil
			}
		},
	})
}
