//go:build careless

package main

// Mistake token-storm.
//
// Real code: a generic retry around every HTTP call, without looking at method
// or status.
//
// Gain: a code is for one use: the second call makes the provider revoke what
// the first one got (RFC 6749 §4.1.2), and a provider that is down is kept
// down.
//
// Found by: B01 B02 H06
//
// Right: oidc.go: redeem calls once; tokenProblem makes a page of the answer.

import (
	"context"
	"errors"
	"slices"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "token-storm", faults: "B01 B02 H06",
		does: text{"điểm token báo lỗi thì gọi lại ngay, nhiều lần", "a token error is answered by calling again, at once, ten times"},
		make: func(p *portal, c *changes) {
			redeem := p.redeem
			p.redeem = func(ctx context.Context, m *metadata, code string, a attempt) (who *signedInPerson, err error) {
				for range 10 {
					who, err = redeem(ctx, m, code, a)
					var pr *problem
					if err == nil || !errors.As(err, &pr) || !slices.Contains([]string{"token_refused", "token_unusable", "portal_misconfigured", "provider_silent"}, pr.kind) {
						break
					}
				}
				return who, err
			}
		},
	})
}
