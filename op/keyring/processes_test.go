package keyring

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Two processes sign and publish while somebody rotates through either of them: nobody ever signs with a key that was retired before, and every token
// is verified by a client that reads the JWKS of the other process again when
// it meets an unknown key.
func TestNoTokenFailsWhileTwoProcessesRotateUnderLoad(t *testing.T) {
	h := newHouse(t)
	rings := []*Ring{h.opened(t, nil), h.opened(t, h.another(t))}
	ctx, stop := context.WithCancel(h.ctx)
	defer stop()
	var retired atomic.Pointer[[]string]
	retired.Store(&[]string{})
	var leaving atomic.Pointer[[]string] // as retired, but before it happens
	leaving.Store(&[]string{})
	var signed atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			mine, other := rings[i%2], rings[(i+1)%2]
			alg := []string{"ES256", "EdDSA", "ES256", "RS256"}[i%4]
			var cache jose.JSONWebKeySet
			for ctx.Err() == nil {
				gone := *retired.Load()
				token, kid, err := sign(h.ctx, mine, alg)
				if err != nil {
					t.Error(err)
					return
				}
				if slices.Contains(gone, kid) {
					t.Errorf("%s signed with %s after it was retired", alg, kid)
					return
				}
				if len(cache.Key(kid)) == 0 {
					raw, err := other.JWKS(h.ctx)
					if err != nil {
						t.Error(err)
						return
					}
					cache = jose.JSONWebKeySet{}
					if err := json.Unmarshal(raw, &cache); err != nil {
						t.Error(err)
						return
					}
				}
				if len(cache.Key(kid)) == 0 && slices.Contains(*leaving.Load(), kid) {
					continue // signed long before, but this goroutine slept until now
				}
				parsed, _ := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
				if keys := cache.Key(kid); len(keys) != 1 || parsed.Claims(keys[0], &map[string]any{}) != nil {
					t.Errorf("%s: %s is not in the other process's JWKS, or does not verify", alg, kid)
					return
				}
				signed.Add(1)
			}
		})
	}
	for round := range 3 {
		for _, alg := range []string{"ES256", "EdDSA", "RS256"} {
			var former []string
			for i, stage := range []string{StagePublish, StageUse, StageRetire} {
				if stage == StageRetire {
					for _, row := range h.rows(t) {
						if row.State == vneid.KeyFormer {
							former = append(former, row.KID)
						}
					}
					former = append(former, *retired.Load()...)
					leaving.Store(&former)
				}
				if err := rings[(round+i)%2].Rotate(h.ctx, alg, stage); err != nil {
					t.Fatal(err)
				}
			}
			retired.Store(&former)
		}
	}
	stop()
	all.Wait()
	if n := len(*retired.Load()); n != 9 || signed.Load() < 500 {
		t.Errorf("%d keys were retired, %d tokens verified", n, signed.Load())
	}
}

func TestTwoProcessesThatStartAtOnceAgreeOnTheKeys(t *testing.T) {
	h := newHouse(t)
	kids := make([]string, 4)
	var all sync.WaitGroup
	for i := range kids {
		r := h.ring(t, h.another(t))
		all.Go(func() {
			var err error
			if _, kids[i], err = sign(h.ctx, r, "ES256"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(h.rows(t)) != 4 || len(slices.Compact(kids)) != 1 {
		t.Errorf("%d keys, signed with %v", len(h.rows(t)), kids)
	}
}
