package vneid

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func begun(p *pace, world string, perMinute, tries int, now time.Time) (n int) {
	for range tries {
		if err := p.take(world, perMinute, now); err == nil {
			n++
		} else if !IsCode(err, CodeUnavailable) || MsgKey(err) != "overloaded" {
			panic(err)
		}
	}
	return n
}

func TestAMinutesWorthOfLoginsMayBeginAtOnceAndThenAsManyAsTimePasses(t *testing.T) {
	var p pace
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{
		{0, 60}, {0, 0}, {500 * time.Millisecond, 0}, {time.Second, 1}, {11 * time.Second, 10},
		{time.Hour, 60},                 // a pause saves no more than a minute
		{time.Hour - time.Minute, 0},    // the clock was put back: nothing is given
		{time.Hour - 59*time.Second, 1}, // and nothing taken
	} {
		if got := begun(&p, "w", 60, 100, noon.Add(c.after)); got != c.want {
			t.Errorf("after %s: %d began, want %d", c.after, got, c.want)
		}
	}
	if got := begun(&p, "another", 60, 100, noon); got != 60 {
		t.Errorf("another world: %d", got)
	}
	if got := begun(&p, "w", 0, 100000, noon); got != 100000 {
		t.Errorf("without a bound: %d", got)
	}
}

func TestABoundOnLoginsCountsExactlyHoweverManyCome(t *testing.T) {
	var p pace
	var n atomic.Int64
	var all sync.WaitGroup
	now := time.Unix(0, 0)
	for range 16 {
		all.Go(func() { n.Add(int64(begun(&p, "w", 1000, 200, now))) })
	}
	all.Wait()
	if n.Load() != 1000 {
		t.Errorf("%d began, want 1000", n.Load())
	}
}

func TestWorldsThatBeganNothingForAMinuteAreForgotten(t *testing.T) {
	var p pace
	now := time.Unix(0, 0)
	for i := range 5000 {
		now = now.Add(time.Second)
		begun(&p, fmt.Sprint(i), 10, 1, now)
	}
	if len(p.buckets) > fullBuckets {
		t.Errorf("%d worlds are remembered", len(p.buckets))
	}
}
