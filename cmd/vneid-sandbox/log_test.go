package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// written is a stream that tells how often it was written to.
type written struct {
	mu    sync.Mutex
	text  strings.Builder
	times int
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times++
	return w.text.Write(b)
}

func (w *written) all() (string, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String(), w.times
}

func TestLinesOfTheLogComeTogetherInOrderAndWithoutBeingAskedFor(t *testing.T) {
	w := &written{}
	l := &lateLog{to: w}
	want := ""
	for i := range 100 {
		line := fmt.Sprintln("line", i)
		want += line
		if n, err := fmt.Fprint(l, line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	text, times := w.all()
	for ; text != want && time.Now().Before(deadline); text, times = w.all() {
		time.Sleep(logLater)
	}
	if text != want || times > 50 {
		t.Errorf("written %d times: %q", times, text)
	}
}

func TestALogThatFillsIsWrittenAtOnceAndFlushWritesTheRest(t *testing.T) {
	w := &written{}
	l := &lateLog{to: w, due: true} // nobody will come for it
	l.Write(make([]byte, logAhead))
	if text, _ := w.all(); len(text) != logAhead {
		t.Errorf("%d bytes are written", len(text))
	}
	fmt.Fprintln(l, "the last line")
	l.Flush()
	if text, _ := w.all(); !strings.HasSuffix(text, "the last line\n") {
		t.Error("the last line is lost")
	}
}
