package keyring

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// runs starts the schedule of each ring, until the test ends.
func runs(t *testing.T, h *house, rings ...*Ring) {
	t.Helper()
	ctx, stop := context.WithCancel(h.ctx)
	var all sync.WaitGroup
	for _, r := range rings {
		all.Go(func() { r.Run(ctx) })
	}
	t.Cleanup(func() { stop(); all.Wait() })
}

func monthly(c *Config) { c.Rotation = 30 * 24 * time.Hour }

// until waits for the states of the ES256 keys.
func (h *house) until(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		got = h.states(t, "ES256")
		if slices.Sort(got); slices.Equal(got, want) {
			return
		}
	}
	t.Fatalf("states %v, want %v", got, want)
}

// never checks that the states stay as they are for a while.
func (h *house) never(t *testing.T, want ...string) {
	t.Helper()
	time.Sleep(150 * time.Millisecond)
	got := h.states(t, "ES256")
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Fatalf("states %v, want %v", got, want)
	}
}

func (h *house) pass(d time.Duration) { h.clock.SetOffset(h.clock.Offset() + d) }

func TestTheScheduleWaitsBeforeEveryStageAndTwoProcessesRotateOnce(t *testing.T) {
	h := newHouse(t)
	runs(t, h, h.opened(t, monthly), h.opened(t, monthly))
	h.pass(30*24*time.Hour - time.Minute)
	h.never(t, "active")
	h.pass(time.Minute)
	h.until(t, "active", "next")
	h.pass(publishLead - time.Minute)
	h.never(t, "active", "next")
	h.pass(time.Minute)
	h.until(t, "active", "former")
	h.pass(h.world.Policy.IDTokenLifetime + retireSlack - time.Minute)
	h.never(t, "active", "former")
	h.pass(time.Minute)
	h.until(t, "active", "retired")
	h.pass(20 * 24 * time.Hour)
	h.never(t, "active", "retired")
	if n := len(h.rows(t)); n != 8 {
		t.Errorf("%d keys for four algorithms after one rotation", n)
	}
}

func TestAClockThatLeapsYearsTakesOneStageAtATime(t *testing.T) {
	h := newHouse(t)
	runs(t, h, h.opened(t, monthly))
	h.pass(10 * 365 * 24 * time.Hour)
	h.until(t, "active", "next")
	h.never(t, "active", "next")
	h.pass(10 * 365 * 24 * time.Hour)
	h.until(t, "active", "former") // not retired, and no successor: both waits begin now
	h.never(t, "active", "former")
	h.clock.SetOffset(0)
	h.never(t, "active", "former")
}

func TestAFormerKeyStaysAsLongAsTheLongestTokenOfAnyClient(t *testing.T) {
	h := newHouse(t)
	slow := vneid.Client{ClientMetadata: vneid.ClientMetadata{ClientID: "slow", IDTokenLifetime: 3600}}
	if err := h.store.Update(h.ctx, h.world.ID, func(tx vneid.Tx) error { return tx.PutClient(&slow) }); err != nil {
		t.Fatal(err)
	}
	r := h.opened(t, monthly)
	runs(t, h, r)
	for _, stage := range []string{StagePublish, StageUse} {
		if err := r.Rotate(h.ctx, "ES256", stage); err != nil {
			t.Fatal(err)
		}
	}
	h.pass(time.Hour)
	h.never(t, "active", "former")
	h.pass(retireSlack)
	h.until(t, "active", "retired")
}

func TestWithoutAScheduleNothingRotates(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	r.Run(h.ctx) // returns at once
	h.pass(100 * 365 * 24 * time.Hour)
	mustSign(t, h.ctx, r, "ES256")
	h.never(t, "active")
}
