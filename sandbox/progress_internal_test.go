package sandbox

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type lockedText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func TestSlowWorkSaysThatItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text lockedText
		log := slog.New(slog.NewTextHandler(&text, nil))
		stop := saySlow(log, sayEvery, "seeding", "people", 5000)
		time.Sleep(sayEvery - time.Millisecond)
		synctest.Wait()
		if got := text.String(); got != "" {
			t.Errorf("within a second it said %s", got)
		}
		time.Sleep(2 * sayEvery)
		synctest.Wait()
		stop()
		stop()
		time.Sleep(5 * sayEvery)
		if got := text.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "msg=seeding seconds=2 people=5000") {
			t.Errorf("it said\n%s", got)
		}
	})
}
