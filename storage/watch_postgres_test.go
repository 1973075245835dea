//go:build postgres

package storage

import (
	"context"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// A phone talks to one process, the browser waits at another.
func TestAProcessHearsWhatAnotherWoke(t *testing.T) {
	url := shared(t).Database(t)
	a, b := open(t, url), open(t, url)
	heard := make(chan string, 100)
	defer b.Watch(func(world, login string) { heard <- world + " " + login })()
	ctx := context.Background()
	deadline := time.After(10 * time.Second)
	for { // b's connection may not listen yet
		if err := a.Update(ctx, "w", func(tx vneid.Tx) error { return tx.Wake("l") }); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-heard:
			if got != "w l" {
				t.Fatalf("heard %q", got)
			}
			return
		case <-time.After(100 * time.Millisecond):
		case <-deadline:
			t.Fatal("b never heard of it")
		}
	}
}

func TestOnesOwnWakeUpIsHeardOnce(t *testing.T) {
	s := open(t, shared(t).Database(t))
	heard := make(chan string, 100)
	defer s.Watch(func(_, login string) { heard <- login })()
	time.Sleep(300 * time.Millisecond) // until it listens
	if err := s.Update(context.Background(), "w", func(tx vneid.Tx) error { return tx.Wake("l") }); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if n := len(heard); n != 1 {
		t.Errorf("heard %d times", n)
	}
}
