package vneid

import (
	"crypto/rand"
	"testing"
	"time"
)

func TestIDsOfOneMomentBeginAlikeAndAreDifferent(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	seen := map[string]bool{}
	for range 10_000 {
		id := newIDAt(rand.Reader, now)
		if seen[id] || len(id) != len(NewID(rand.Reader)) || id[:2] != newIDAt(rand.Reader, now)[:2] {
			t.Fatalf("%q after %d", id, len(seen))
		}
		seen[id] = true
	}
	begins := map[string]bool{}
	for step := range 1 << 12 {
		begins[newIDAt(rand.Reader, now.Add(time.Duration(step)*64*time.Millisecond))[:2]] = true
	}
	if len(begins) != 1<<12 {
		t.Errorf("%d moments of %d are told apart", len(begins), 1<<12)
	}
}
