package record

import (
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// inbox is what waits for the writer, who looks into it now and then: waking
// somebody for each part would cost more than taking it. Who only fetched
// something is counted here, by caller.
type inbox struct {
	mu      sync.Mutex
	parts   []queued
	fetches map[fetch]*vneid.Traffic
	news    chan struct{} // something came into an empty inbox, or flushAt are in it
}

type queued struct {
	world string
	part  *vneid.Record
}

// fetch is who fetches what.
type fetch struct {
	world       string
	kind        vneid.StepKind
	peer, agent string
}

// take reports whether there was room.
func (i *inbox) take(world string, part *vneid.Record) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.parts) >= mostQueued {
		return false
	}
	i.parts = append(i.parts, queued{world, part})
	i.tell()
	return true
}

// count adds a fetch to those of the same caller, and reports whether there was
// room.
func (i *inbox) count(who fetch, at time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if known := i.fetches[who]; known != nil {
		known.Count++
		known.LastAt = at
		return true
	}
	if len(i.fetches) >= mostQueued {
		return false
	}
	if i.fetches == nil {
		i.fetches = map[fetch]*vneid.Traffic{}
	}
	i.fetches[who] = &vneid.Traffic{Kind: who.kind, Peer: who.peer, Agent: who.agent, At: at, LastAt: at, Count: 1}
	i.tell()
	return true
}

func (i *inbox) tell() {
	if n := len(i.parts) + len(i.fetches); n != 1 && n != flushAt {
		return
	}
	select {
	case i.news <- struct{}{}:
	default: // it is told already
	}
}

// waiting is how many wait.
func (i *inbox) waiting() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.parts) + len(i.fetches)
}

// empty takes everything out, the parts in the order in which they came.
func (i *inbox) empty() ([]queued, map[fetch]*vneid.Traffic) {
	i.mu.Lock()
	defer i.mu.Unlock()
	parts, fetches := i.parts, i.fetches
	i.parts, i.fetches = nil, nil
	return parts, fetches
}
