package sandbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Expired rows leave every minute; one collection takes no longer than that.
const collectEvery = time.Minute

// collectExpired removes from the store what expired in these worlds, until
// ctx ends. A failure is not ours to repair: the next round tries again.
func collectExpired(ctx context.Context, store vneid.Store, log *slog.Logger, every time.Duration, worlds ...*vneid.World) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(ctx, every)
		for _, w := range worlds {
			removed, err := store.Collect(ctx, w)
			log.DebugContext(ctx, "expired rows collected", "world", w.ID, "removed", removed, "error", err)
		}
		cancel()
	}
}
