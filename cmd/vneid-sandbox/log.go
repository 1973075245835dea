package main

import (
	"io"
	"sync"
	"time"
)

const (
	logLater = 10 * time.Millisecond // how long a line may wait
	logAhead = 64 << 10              // bytes that do not wait
)

// lateLog gathers the lines of the log for a moment: writing each by itself took
// as long as answering a request from memory. What has not been written when the
// process is killed is lost.
type lateLog struct {
	to io.Writer

	mu    sync.Mutex
	lines []byte
	due   bool
}

func (l *lateLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line...)
	switch {
	case len(l.lines) >= logAhead:
		l.flush()
	case !l.due:
		l.due = true
		time.AfterFunc(logLater, l.Flush)
	}
	return len(line), nil
}

// Flush writes what waits.
func (l *lateLog) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = false
	l.flush()
}

func (l *lateLog) flush() {
	if len(l.lines) > 0 {
		_, _ = l.to.Write(l.lines) // nobody hears of a log that cannot be written
		l.lines = l.lines[:0]
	}
}
