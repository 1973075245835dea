package password

import (
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestWhoComesToAFullQueueIsToldToComeLater(t *testing.T) {
	h := New(Cheap(), 1)
	hash, err := h.Hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	h.queue = queue.New("password hashes", 1, 0)
	busy, err := h.queue.Enter()
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.Verify(t.Context(), "x", hash); ok || !vneid.IsCode(err, vneid.CodeUnavailable) {
		t.Errorf("Verify: %v, %v", ok, err)
	}
	if _, err := h.Hash(t.Context(), "x"); !vneid.IsCode(err, vneid.CodeUnavailable) {
		t.Errorf("Hash: %v", err)
	}
	busy.Leave()
	if ok, err := h.Verify(t.Context(), "x", hash); !ok || err != nil {
		t.Errorf("after the queue emptied: %v, %v", ok, err)
	}
}
