package sandbox

import (
	"log/slog"
	"sync"
	"time"
)

// sayEvery is after how long, and how often from then on, something slow says
// that it goes on. What is quicker says nothing.
const sayEvery = time.Second

// saySlow logs that something goes on, until stop is called.
func saySlow(log *slog.Logger, every time.Duration, what string, about ...any) (stop func()) {
	done := make(chan struct{})
	var once sync.Once
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-tick.C:
				log.Info(what, append([]any{"seconds", n * int(every/time.Second)}, about...)...)
			}
		}
	}()
	return func() { once.Do(func() { close(done) }) }
}
