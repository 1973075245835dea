package login

import (
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What the hub (wait.go) does by the clock, whether it was woken or not.

func (h *Hub) every(pause time.Duration, do func()) {
	t := time.NewTicker(pause)
	defer t.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-t.C:
			do()
		}
	}
}

// tick looks at logins whose time is over by the clock of their world, which a
// test may have moved, and finds browsers that left.
func (h *Hub) tick() {
	var silent []*stream
	clocks := map[*vneid.World]time.Time{}
	machine := h.clock.Now()
	h.mu.Lock()
	for _, wd := range h.logins {
		now, ok := clocks[wd.world]
		if !ok {
			now = wd.world.Clock.Now()
			clocks[wd.world] = now
		}
		if !now.Before(wd.deadline) {
			h.push(wd)
		}
		for _, s := range wd.streams {
			if s.open && machine.Sub(s.beat) >= heartbeat {
				s.beat = machine
				silent = append(silent, s)
			}
		}
	}
	h.mu.Unlock()
	for _, s := range silent {
		if s.pipe.send(":\n\n") != nil {
			h.leave(s)
		}
	}
}

// reread looks for logins that changed though no wake-up came.
func (h *Hub) reread() {
	ids := map[*vneid.World][]string{}
	h.mu.Lock()
	for _, wd := range h.logins {
		ids[wd.world] = append(ids[wd.world], wd.key.login)
	}
	h.mu.Unlock()
	for world, all := range ids {
		for some := range slices.Chunk(all, rereadAtOnce) {
			var versions map[string]int
			err := h.service.Store.View(vneid.WithWorld(h.ctx, world), world.ID, func(tx vneid.Tx) (err error) {
				versions, err = tx.LoginVersions(some)
				return err
			})
			if err != nil {
				if h.ctx.Err() == nil {
					h.logger.Warn("look again at logins that somebody waits for", "error", err)
				}
				return
			}
			h.mu.Lock()
			for _, id := range some {
				version, there := versions[id]
				if wd := h.logins[hubKey{world.ID, id}]; wd != nil && (!there || wd.version != version) {
					h.push(wd)
				}
			}
			h.mu.Unlock()
		}
	}
}
