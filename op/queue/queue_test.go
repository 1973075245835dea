package queue_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func enter(t *testing.T, q *queue.Queue) *queue.Place {
	t.Helper()
	p, err := q.Enter()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNoMoreRunThanThereAreWorkers(t *testing.T) {
	q := queue.New("work", 3, 200)
	var running, most atomic.Int32
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			p, err := q.Enter()
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Leave()
			if err := p.Wait(t.Context()); err != nil {
				t.Error(err)
				return
			}
			n := running.Add(1)
			for {
				m := most.Load()
				if n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			running.Add(-1)
		})
	}
	all.Wait()
	if most.Load() > 3 || most.Load() == 0 {
		t.Errorf("%d ran at a time", most.Load())
	}
}

func TestTheWaitingAreServedInTheOrderInWhichTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue.New("work", 1, 100)
		first := enter(t, q)
		if err := first.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		var served []int
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				p := enter(t, q)
				defer p.Leave()
				if err := p.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				served = append(served, i)
			})
			synctest.Wait() // until it waits
		}
		first.Leave()
		all.Wait()
		if len(served) != 50 || !slices.IsSorted(served) {
			t.Errorf("served %v", served)
		}
	})
}

func TestAFullQueueSaysSoAtOnceAndTakesTheNextAfterSomebodyLeft(t *testing.T) {
	q := queue.New("work", 1, 1)
	a, b := enter(t, q), enter(t, q)
	if _, err := q.Enter(); !vneid.IsCode(err, vneid.CodeUnavailable) || vneid.MsgKey(err) != "overloaded" {
		t.Fatalf("a third entered: %v", err)
	}
	a.Leave()
	a.Leave()
	c := enter(t, q)
	if _, err := q.Enter(); err == nil {
		t.Fatal("leaving twice made two places")
	}
	b.Leave()
	c.Leave()
}

func TestWhoWaitsCanGiveUpAndLosesNothingForOthers(t *testing.T) {
	q := queue.New("work", 1, 1)
	a := enter(t, q)
	if err := a.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b := enter(t, q)
	cancel()
	if err := b.Wait(ctx); err != context.Canceled {
		t.Fatalf("waited with an ended request: %v", err)
	}
	b.Leave()
	a.Leave()
	c := enter(t, q)
	defer c.Leave()
	if err := c.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}
