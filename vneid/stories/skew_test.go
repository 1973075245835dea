//go:build postgres

package stories

import (
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// hookRand calls hook before it gives the n-th bytes.
type hookRand struct {
	io.Reader
	hook func()
}

func (h *hookRand) Read(b []byte) (int, error) {
	if f := h.hook; f != nil {
		h.hook = nil
		f()
	}
	return h.Reader.Read(b)
}

// On PostgreSQL two transactions run at once. A sign-out that falls between a
// redemption's look at the session and its commit must not miss the token.
func TestOnPostgreSQLARedemptionAndASignOutAtOnceLeaveNoToken(t *testing.T) {
	c := newTown(t)
	server := pgtest.New(t, "fsync=off")
	pg, err := storage.Open(c.ctx, server.Database(t), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Close()
	from := c.Store
	if err := pg.PutWorld(c.ctx, vneid.WorldRecord{ID: c.world.ID, Salt: c.world.Salt}); err != nil {
		t.Fatal(err)
	}
	var a *vneid.Account
	var cl *vneid.Client
	from.View(c.ctx, c.world.ID, func(tx vneid.Tx) error { a, _ = tx.Account(an); cl, _ = tx.Client("portal"); return nil })
	pg.Update(c.ctx, c.world.ID, func(tx vneid.Tx) error { tx.PutAccount(a); return tx.PutClient(cl) })
	c.Service = vneid.NewService(pg, c.hasher, c.inbox, &lockedRand{r: rand.NewChaCha8([32]byte{1})})
	id, b := c.start(ask("portal"))
	if _, err := c.SubmitPassword(c.ctx, id, b, string(an), theirPW); err != nil {
		t.Fatal(err)
	}
	step, err := c.SubmitOTP(c.ctx, id, b, c.inbox.last().OTP)
	if err != nil {
		t.Fatal(err)
	}
	b.Session = step.NewSession
	signedOut := make(chan error, 1)
	slow := vneid.NewService(pg, c.hasher, c.inbox, &hookRand{Reader: rand.NewChaCha8([32]byte{2}), hook: func() {
		go func() {
			_, err := c.SignOut(c.ctx, b)
			signedOut <- err
		}()
		time.Sleep(100 * time.Millisecond) // it commits now, or waits for the redemption
	}})
	g, err := slow.Redeem(c.ctx, cl, step.Code, redir, "")
	if err := <-signedOut; err != nil {
		t.Error("sign-out:", err)
	}
	if err != nil {
		t.Log("redeem refused:", err)
		return
	}
	if _, _, err := c.Inspect(c.ctx, g.Access); err == nil {
		t.Error("the access token lives though its session has ended")
	}
}
