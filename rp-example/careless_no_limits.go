//go:build careless

package main

// Mistake no-limits.
//
// Real code: http.DefaultClient, new HttpClient(), requests.get(url).
//
// Gain: a provider that hangs holds every worker of the portal; one that never
// stops sending fills its memory; a redirect carries the secret elsewhere.
//
// Found by: E05 H02
//
// Right: oidc.go: newProvider, limitedTransport.

import (
	"context"
	"net/http"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "no-limits", faults: "E05 H02",
		does: text{"gọi nhà cung cấp không giới hạn thời gian, độ lớn, chuyển hướng", "calls to the provider have no limit of time or size, and follow redirects"},
		make: func(p *portal, c *changes) {
			c.asksEveryTime(p)
			p.op.client = &http.Client{Transport: endless{c.wire}}
		},
	})
}

// endless forgets when its caller wanted an answer.
type endless struct{ next http.RoundTripper }

func (t endless) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
}
