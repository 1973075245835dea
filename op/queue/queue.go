// Package queue bounds work that fills a core: signatures and slow hashes. So
// many run at a time, so many wait, first come, first served, and whoever comes
// then is told at once to come later. It knows nothing of the work.
package queue

import (
	"context"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Queue is a number of workers and a waiting room before them.
type Queue struct {
	what    string
	places  chan struct{}
	workers chan struct{}
}

// New makes a queue for what: at most so many workers at a time, and so many
// who wait for them.
func New(what string, workers, waiting int) *Queue {
	workers = max(1, workers)
	return &Queue{what: what, places: make(chan struct{}, workers+max(0, waiting)), workers: make(chan struct{}, workers)}
}

// Enter takes a place without waiting. When none is left the error is a
// [vneid.Error] of CodeUnavailable: nothing was done, and the same request may
// succeed in a few seconds. Take the place before something that cannot be
// repeated, so that its work will be done.
func (q *Queue) Enter() (*Place, error) {
	select {
	case q.places <- struct{}{}:
		return &Place{q: q}, nil
	default:
		return nil, vneid.Errorf(vneid.CodeUnavailable, "overloaded", "%s: %d run and %d wait already", q.what, cap(q.workers), cap(q.places)-cap(q.workers))
	}
}

// Len is how many run or wait now, and how many may.
func (q *Queue) Len() (now, most int) { return len(q.places), cap(q.places) }

// Place is one who entered. It belongs to one goroutine.
type Place struct {
	q       *Queue
	working bool
	left    bool
}

// Wait returns when it is this place's turn, which lasts until Leave, or with
// the error of ctx. Go hands a channel to those who wait for it in the order
// in which they came, so nobody overtakes. In its turn it returns at once.
func (p *Place) Wait(ctx context.Context) error {
	if p.working {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err // select alone might still pick a free worker
	}
	select {
	case p.q.workers <- struct{}{}:
		p.working = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave gives turn and place back. Leaving again does nothing.
func (p *Place) Leave() {
	if p.left {
		return
	}
	p.left = true
	if p.working {
		<-p.q.workers
	}
	<-p.q.places
}
