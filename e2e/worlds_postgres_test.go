//go:build e2e && postgres

package e2e_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

// A world belongs to the database: whoever of two processes is asked makes, moves and deletes it for both.
func TestTwoServersServeTheWorldsOfOneDatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "fsync=off").Database(t)
	rr := newRoundRobin(t)
	a := newWorld(t, withDatabase(db), withIssuer(rr.URL))
	b := newWorld(t, withDatabase(db), withIssuer(rr.URL), withLogOf(a))
	rr.put(a.listener, b.listener)

	here := a.within(t, map[string]any{"id": "shared", "policy": map[string]any{"otp_digits": 8}})
	there := b.seen("shared")

	t.Run("it is found at once, with its policy", func(t *testing.T) {
		v := there.visitor(t)
		v.Open(there.request(myPortal).URL())
		v.PasswordStep(an.CCCD, password)
		if list := here.inbox(t, an.Phone); len(list) != 1 || len(list[0].OTP) != 8 {
			t.Errorf("messages: %+v", list)
		}
		if n := len(a.inbox(t, an.Phone)) + len(b.inbox(t, an.Phone)); n != 0 {
			t.Errorf("%d messages in the default world", n)
		}
	})

	t.Run("a clock moved at one is moved at the other", func(t *testing.T) {
		before := there.now(t)
		here.advance(t, "48h")
		deadline := time.Now().Add(5 * time.Second)
		for there.now(t).Sub(before) < 47*time.Hour {
			if time.Now().After(deadline) {
				t.Fatalf("five seconds later it is %s there, %s here", there.now(t), here.now(t))
			}
			time.Sleep(50 * time.Millisecond)
		}
		if moved := time.Until(a.now(t)); moved > time.Hour {
			t.Errorf("the default world's clock moved by %s", moved)
		}
	})

	t.Run("deleted at one it is gone at the other", func(t *testing.T) {
		b.api(t, http.StatusNoContent, "DELETE", "/worlds/shared", struct{}{}, nil)
		deadline := time.Now().Add(5 * time.Second)
		for {
			status, _ := here.apiRaw(t, "GET", "/clock", nil, nil)
			if status == http.StatusNotFound {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("five seconds later GET /clock answers %d", status)
			}
			time.Sleep(50 * time.Millisecond)
		}
		var list []struct{ ID string }
		a.api(t, http.StatusOK, "GET", "/worlds", nil, &list)
		if len(list) != 1 {
			t.Errorf("worlds: %+v", list)
		}
	})

	t.Run("of thirty who make one world at both, one makes it", func(t *testing.T) {
		var made atomic.Int32
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				switch status, raw := []*world{a, b}[i%2].apiRaw(t, "POST", "/worlds", map[string]string{"id": "wanted"}, nil); status {
				case http.StatusCreated:
					made.Add(1)
				case http.StatusConflict:
				default:
					t.Errorf("POST /worlds: %d %s", status, raw)
				}
			})
		}
		all.Wait()
		if made.Load() != 1 {
			t.Errorf("%d made it", made.Load())
		}
		v := b.seen("wanted").visitor(t)
		r := b.seen("wanted").request(myPortal)
		v.SignIn(r, binh)
		r.Redeem(t, v.wantCode(r))
	})
}
