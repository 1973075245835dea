package record

import (
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestPollingDoesNotFillARecord(t *testing.T) {
	r := &Recorder{}
	part := func(id string, kind vneid.StepKind) *vneid.Record {
		return &vneid.Record{ID: id, Steps: []vneid.RecordStep{{Kind: kind}}}
	}
	kept, said := 0, 0
	for range 3 * mostLooks {
		p := part("a", vneid.StepUserinfo)
		if !r.seenEnough("w", p) {
			kept++
		}
		said += len(p.Steps[0].Hints)
	}
	if kept != mostLooks || said != 1 {
		t.Errorf("%d looks are kept, and it is said %d times", kept, said)
	}
	if r.seenEnough("w", part("a", vneid.StepRefresh)) || r.seenEnough("w", part("b", vneid.StepUserinfo)) || r.seenEnough("x", part("a", vneid.StepUserinfo)) {
		t.Error("another step, login or world is left out too")
	}
}
