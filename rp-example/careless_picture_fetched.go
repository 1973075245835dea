//go:build careless

package main

// Mistake picture-fetched.
//
// Real code: the avatar is downloaded and kept at the sign-in, from whatever
// address the claim has.
//
// Gain: requests from inside the portal's network, to addresses of the
// attacker's choice (CWE-918).
//
// Found by: F12
//
// Right: person.go: readPerson takes no addresses.

import (
	"context"
	"io"
	"net/http"
	"time"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "picture-fetched", faults: "F12",
		does: text{"máy chủ tự tải ảnh theo địa chỉ trong claim", "the server fetches the address in the picture claim"},
		make: func(p *portal, c *changes) {
			p.trafficAround(func(ctx context.Context, t *traffic, next func() (*signedInPerson, error)) (*signedInPerson, error) {
				who, err := next()
				if err != nil || t == nil {
					return who, err
				}
				if picture, _ := t.userinfo["picture"].(string); picture != "" {
					ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
					defer cancel()
					if r, err := http.NewRequestWithContext(ctx, http.MethodGet, picture, nil); err == nil {
						if resp, err := (&http.Client{Transport: p.op.client.Transport}).Do(r); err == nil {
							io.Copy(io.Discard, io.LimitReader(resp.Body, bodyLimit))
							resp.Body.Close()
						}
					}
				}
				return who, nil
			})
		},
	})
}
