package vneid

import (
	"math"
	"sync"
	"time"
)

// pace bounds how many logins this process begins in a minute, a world at a
// time: a request to /authorize asks for no password and leaves a row behind.
// It is a bucket that holds a minute's worth, so that a burst is served at
// once. It counts on the machine's clock, which no test moves, and asks nobody
// who the caller is: behind a proxy all are one, and headers can be made up.
type pace struct {
	mu      sync.Mutex
	buckets map[string]*bucket // by world
}

type bucket struct {
	left float64 // logins that may begin at once
	at   time.Time
}

// fullBuckets is how many worlds it remembers before it forgets those that
// began nothing for a minute.
const fullBuckets = 1000

// take says whether one more may begin now. perMinute 0 bounds nothing.
func (p *pace) take(world string, perMinute int, now time.Time) error {
	if perMinute <= 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	full := float64(perMinute)
	b := p.buckets[world]
	if b == nil {
		if p.buckets == nil {
			p.buckets = map[string]*bucket{}
		}
		if len(p.buckets) >= fullBuckets {
			for id, old := range p.buckets {
				if now.Sub(old.at) >= time.Minute {
					delete(p.buckets, id)
				}
			}
		}
		b = &bucket{left: full, at: now}
		p.buckets[world] = b
	}
	// max: the machine's clock may be put back, and nobody pays for that.
	b.left = math.Min(full, b.left+full*max(0, now.Sub(b.at)).Minutes())
	b.at = now
	if b.left < 1 {
		return Errorf(CodeUnavailable, "overloaded", "%d logins per minute of world %s are begun; policy.logins_per_minute sets the bound", perMinute, world)
	}
	b.left--
	return nil
}
