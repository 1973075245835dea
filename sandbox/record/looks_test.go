package record

import (
	"log/slog"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestPollingDoesNotFillARecord(t *testing.T) {
	r := New(nil, slog.New(slog.DiscardHandler), metrics.NewSet())
	ask := func(world, grant string, kind vneid.StepKind) (kept bool, hints int) {
		trail := r.Begin(&vneid.World{ID: world, Clock: vneid.SystemClock{}}, "request")
		trail.Message(vneid.PartyRP, vneid.PartyProvider, kind, "GET", "/userinfo")
		trail.Token(&vneid.Token{GrantID: grant, CCCD: "038090000001", ExpiresAt: time.Now()})
		r.End(trail, 200)
		parts, _ := r.inbox.empty()
		for _, p := range parts {
			hints += len(p.part.Steps[0].Hints)
		}
		return len(parts) > 0, hints
	}
	kept, said := 0, 0
	for range 3 * mostLooks {
		k, hints := ask("w", "a", vneid.StepUserinfo)
		if k {
			kept++
		}
		said += hints
	}
	if kept != mostLooks || said != 1 {
		t.Errorf("%d looks are kept, and it is said %d times", kept, said)
	}
	for _, other := range [][3]string{{"w", "a", string(vneid.StepRefresh)}, {"w", "b", string(vneid.StepUserinfo)}, {"x", "a", string(vneid.StepUserinfo)}} {
		if k, _ := ask(other[0], other[1], vneid.StepKind(other[2])); !k {
			t.Errorf("another step, login or world is left out too: %v", other)
		}
	}
}

func TestFetchesAreCountedByCaller(t *testing.T) {
	r := New(nil, slog.New(slog.DiscardHandler), metrics.NewSet())
	for _, agent := range []string{"a", "b", "a", "a"} {
		trail := r.Begin(&vneid.World{ID: "w", Clock: vneid.SystemClock{}}, "request")
		trail.Message(vneid.PartyRP, vneid.PartyProvider, vneid.StepJWKS, "GET", "/keys")
		trail.Peer("127.0.0.1", agent)
		r.End(trail, 200)
	}
	_, fetches := r.inbox.empty()
	counts := map[string]int{}
	for who, f := range fetches {
		counts[who.agent] = f.Count
	}
	if len(counts) != 2 || counts["a"] != 3 || counts["b"] != 1 {
		t.Errorf("counted %v", counts)
	}
}

func TestWhatDoesNotFitIsDroppedAndCounted(t *testing.T) {
	r := New(nil, slog.New(slog.DiscardHandler), metrics.NewSet())
	const more = 3
	for range mostQueued + more {
		trail := r.Begin(&vneid.World{ID: "w", Clock: vneid.SystemClock{}}, "request")
		trail.Message(vneid.PartyRP, vneid.PartyProvider, vneid.StepToken, "POST", "/oauth/token")
		trail.Token(&vneid.Token{GrantID: "g", CCCD: "038090000001"})
		r.End(trail, 200)
	}
	if n := r.dropped.Get(); n != more {
		t.Errorf("%d are dropped instead of %d", n, more)
	}
	if parts, _ := r.inbox.empty(); len(parts) != mostQueued {
		t.Errorf("%d wait", len(parts))
	}
}
