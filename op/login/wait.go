package login

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Hub tells the browsers that wait for a phone what happens to their logins.
// The rows in the store are the truth: a wake-up only says "look", it may be
// lost or come twice, and a slow look at the versions of all logins that
// somebody waits for finds what it lost. A browser that waits costs no
// goroutine (stream.go) and no question to the database.
type Hub struct {
	service *vneid.Service
	logger  *slog.Logger
	clock   vneid.Clock // of the machine: when to look is no matter of a world
	ctx     context.Context
	cancel  context.CancelFunc
	unwatch func()
	work    sync.WaitGroup
	jobs    chan *watched
	most    int // streams

	mu      sync.Mutex
	logins  map[hubKey]*watched
	streams int
	closed  bool
}

type hubKey struct{ world, login string }

// watched is a login that somebody waits for.
type watched struct {
	key      hubKey
	world    *vneid.World
	version  int       // as last seen, -1 = not yet
	deadline time.Time // by the world's clock: then something is to be told
	streams  []*stream // oldest first
	busy     bool      // a worker looks, or will
	again    bool      // it was woken meanwhile
}

// Limits and paces.
const (
	mostPerLogin  = 4      // streams; the oldest gives way
	mostStreams   = 15_000 // of this process, which may have 20,000 files open
	lookers       = 4      // look into the store at a time
	heartbeat     = 25 * time.Second
	tickEvery     = time.Second
	rereadEvery   = 10 * time.Second
	rereadAtOnce  = 500 // logins in one transaction
	comeAgainSecs = "10"
)

// NewHub makes a hub that works until [Hub.Close], with so many streams at most;
// 0 = 15,000.
func NewHub(service *vneid.Service, logger *slog.Logger, set *metrics.Set, most int) *Hub {
	if most <= 0 || most > mostStreams {
		most = mostStreams
	}
	h := &Hub{service: service, logger: logger, clock: vneid.SystemClock{}, most: most, jobs: make(chan *watched, most), logins: map[hubKey]*watched{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	set.GetOrCreateGauge("vneid_waiting_browsers", func() float64 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return float64(h.streams)
	})
	h.unwatch = service.Store.Watch(h.wake)
	for range lookers {
		h.work.Go(h.looker)
	}
	h.work.Go(func() { h.every(tickEvery, h.tick) })
	h.work.Go(func() { h.every(rereadEvery, h.reread) })
	return h
}

// Close ends all streams at once and lets nobody in any more.
func (h *Hub) Close() {
	h.unwatch()
	h.cancel()
	h.mu.Lock()
	h.closed = true
	var all []*stream
	for _, wd := range h.logins {
		all = append(all, wd.streams...)
	}
	h.logins, h.streams = map[hubKey]*watched{}, 0
	h.mu.Unlock()
	for _, s := range all {
		s.pipe.close()
	}
	h.work.Wait()
}

// reserve takes a place for a stream, or says that there is none.
func (h *Hub) reserve() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.streams >= h.most {
		return vneid.Errorf(vneid.CodeUnavailable, "overloaded", "%d browsers wait already, or the program stops", h.streams)
	}
	h.streams++
	return nil
}

// add enters a stream of a reserved place; from opened on it hears of its
// login, the present state first. Who is entered before the look misses
// nothing, and who is entered before its answer begins is older than whoever
// comes after that.
func (h *Hub) add(world *vneid.World, l *vneid.Login, s *stream) {
	var old *stream
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		s.pipe.close()
		return
	}
	key := hubKey{world.ID, l.ID}
	wd := h.logins[key]
	if wd == nil {
		wd = &watched{key: key, world: world, version: -1, deadline: qrEnds(l)}
		h.logins[key] = wd
	}
	if len(wd.streams) >= mostPerLogin {
		old = wd.streams[0]
		h.drop(old)
		if !old.open {
			old.crowded, old = true, nil // whoever opens it tells it
		}
	}
	s.of, s.beat = wd, h.clock.Now()
	wd.streams = append(wd.streams, s)
	h.mu.Unlock()
	if old != nil {
		old.giveWay()
	}
}

// giveWay ends a stream for a younger one of the same login.
func (s *stream) giveWay() {
	_ = s.pipe.send("event: crowded\ndata: {}\n\n") // it ends in any case
	s.pipe.close()
}

// opened lets a stream hear of its login.
func (h *Hub) opened(s *stream) {
	h.mu.Lock()
	s.open = true
	crowded := s.crowded
	if s.of != nil && !crowded {
		h.push(s.of)
	}
	h.mu.Unlock()
	if crowded {
		s.giveWay()
	}
}

// drop forgets a stream; its pipe is the caller's to close. The caller holds
// the lock.
func (h *Hub) drop(s *stream) {
	if s.of == nil || h.closed {
		return // it never was in, or all are out
	}
	i := slices.Index(s.of.streams, s)
	if i < 0 {
		return
	}
	s.of.streams = slices.Delete(s.of.streams, i, i+1)
	h.streams--
	if len(s.of.streams) == 0 {
		delete(h.logins, s.of.key)
	}
}

// leave forgets and closes a stream.
func (h *Hub) leave(s *stream) {
	h.mu.Lock()
	h.drop(s)
	h.mu.Unlock()
	s.pipe.close()
}

// wake is what the store calls after a commit. It must not wait.
func (h *Hub) wake(world, login string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if wd := h.logins[hubKey{world, login}]; wd != nil {
		h.push(wd)
	}
}

// WakeWorld has every login of a world looked at: after it was deleted there is
// nothing to wait for.
func (h *Hub) WakeWorld(world string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, wd := range h.logins {
		if key.world == world {
			h.push(wd)
		}
	}
}

// push has a login looked at; wake-ups that come meanwhile make one more look.
// The caller holds the lock.
func (h *Hub) push(wd *watched) {
	if wd.busy {
		wd.again = true
		return
	}
	select {
	case h.jobs <- wd:
		wd.busy = true
	default: // more work than there are browsers: the next reread finds it
		wd.version = -1
	}
}

func (h *Hub) looker() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case wd := <-h.jobs:
			for more := true; more; {
				h.look(wd)
				h.mu.Lock()
				more, wd.again = wd.again && !h.closed, false
				wd.busy = more
				h.mu.Unlock()
			}
		}
	}
}

// look reads a login and tells its streams what is new to them. One worker at
// a time looks at one login, so news keep their order.
func (h *Hub) look(wd *watched) {
	l, by, err := h.service.LookAtQR(vneid.WithWorld(h.ctx, wd.world), wd.key.login)
	gone := errors.Is(err, vneid.ErrNotFound)
	if err != nil && !gone {
		if h.ctx.Err() == nil {
			h.logger.Warn("look at a login that somebody waits for", "error", err)
		}
		h.mu.Lock()
		wd.version = -1 // the next reread tries again
		h.mu.Unlock()
		return
	}
	h.mu.Lock()
	if !gone {
		wd.version, wd.deadline = l.Version, qrEnds(l)
	}
	streams := slices.DeleteFunc(slices.Clone(wd.streams), func(s *stream) bool { return !s.open })
	h.mu.Unlock()
	now := wd.world.Clock.Now()
	for _, s := range streams {
		news, last := "event: go\ndata: {}\n\n", true
		if !gone {
			news, last = newsOf(l, by, s.generation, now)
		}
		if news == s.told {
			continue
		}
		s.told = news
		if err := s.pipe.send(news); err != nil || last {
			h.leave(s)
		}
	}
}

// newsOf is the present state as an event for a browser that shows that
// generation of the code, "" when nothing happened yet. After the last one
// there is nothing to wait for.
func newsOf(l *vneid.Login, by string, generation int, now time.Time) (event string, last bool) {
	switch {
	case generation != l.QR.Generation:
		return "event: replaced\ndata: {}\n\n", true
	case l.State != vneid.StateStarted || l.Expired(now):
		return "event: go\ndata: {}\n\n", true
	case l.QR.Expired(now):
		return "event: expired\ndata: {}\n\n", true
	case l.QR.State == vneid.QRScanned:
		data, err := json.Marshal(struct {
			By     string `json:"by"`
			At     string `json:"at"`
			Digits string `json:"digits,omitempty"`
		}{by, scannedAt(l), matchDigits(l)})
		if err != nil {
			return "", false // three strings: it cannot
		}
		return "event: scanned\ndata: " + string(data) + "\n\n", false
	}
	return "", false
}

// serve is the whole life of a stream's request.
func (h *Hub) serve(w http.ResponseWriter, r *http.Request, l *vneid.Login, generation int) error {
	if err := h.reserve(); err != nil {
		w.Header().Set("Retry-After", comeAgainSecs)
		return err
	}
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Accel-Buffering", "no") // a proxy that gathers would tell too late
	s := &stream{generation: generation}
	world := vneid.WorldFrom(r.Context())
	if r.TLS == nil && r.ProtoMajor == 1 {
		if taken, ok := take(w, h.clock); ok {
			s.pipe = taken
			h.add(world, l, s)
			taken.begin(head)
			h.opened(s)
			return nil
		}
	}
	held := newHeld()
	s.pipe = held
	h.add(world, l, s)
	h.opened(s)
	held.serve(w, r, h.clock)
	h.leave(s)
	return nil
}
