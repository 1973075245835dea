// Package record keeps what happened in each login, for the developer of the
// relying party: it takes the trails of requests (vneid.Trail), writes them to
// the store behind their back, and explains them: the table of hints, the
// request as curl, the whole record as Markdown.
//
// It never makes a login wait or fail. Its queue is bounded, and what does not
// fit is dropped and counted; what was not written yet is lost with the process.
// It sees no secret: a trail has replaced them before (vneid/trail.go).
package record

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const (
	flushAfter  = 100 * time.Millisecond // of the first part that waits
	mostQueued  = 8192                   // parts that wait for the writer
	flushAt     = 512                    // parts that do not wait any longer
	partsAtOnce = 16                     // in one transaction: logins wait no longer than that takes
	pruneEvery  = 200                    // parts of records, or rows of traffic
	writeWithin = 10 * time.Second       // for one transaction, or its parts are dropped
)

// Recorder writes parts of records. Start [Recorder.Run] beside the server.
type Recorder struct {
	store vneid.Store
	log   *slog.Logger
	clock vneid.Clock // of the machine

	inbox   inbox
	flushes chan chan struct{}
	over    chan struct{}
	written *metrics.Counter
	dropped *metrics.Counter

	lookedAt sync.Mutex
	looks    map[string]int // of a record: how often somebody asked by its tokens

	mu   sync.Mutex
	wake chan struct{} // closed and replaced after each flush
}

// New makes a recorder that writes to store.
func New(store vneid.Store, log *slog.Logger, set *metrics.Set) *Recorder {
	return &Recorder{store: store, log: log, clock: vneid.SystemClock{},
		inbox: inbox{news: make(chan struct{}, 1)}, flushes: make(chan chan struct{}), over: make(chan struct{}), wake: make(chan struct{}),
		written: set.GetOrCreateCounter("vneid_record_parts_written_total"), dropped: set.GetOrCreateCounter("vneid_record_parts_dropped_total")}
}

// Around records the requests to next, which find their world in the context.
// Those of which fetched knows the kind belong to no login and are merely counted.
// A nil recorder records nothing.
func (r *Recorder) Around(next http.Handler, fetched func(*http.Request) vneid.StepKind) http.Handler {
	if r == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		peer, _, err := net.SplitHostPort(req.RemoteAddr)
		if err != nil {
			peer = req.RemoteAddr
		}
		world := vneid.WorldFrom(req.Context())
		if kind := fetched(req); kind != "" {
			r.count(fetch{world.ID, kind, peer, vneid.ClipAgent(req.UserAgent())}, world.Clock.Now())
			next.ServeHTTP(w, req)
			return
		}
		trail := r.Begin(world, req.Header.Get("X-Request-Id"))
		trail.Peer(peer, req.UserAgent())
		a := &answer{ResponseWriter: w, status: http.StatusInternalServerError} // of a handler that panics
		defer func() { r.End(trail, a.status) }()
		next.ServeHTTP(a, req.WithContext(vneid.WithTrail(req.Context(), trail)))
		if !a.begun {
			a.status = http.StatusOK
		}
	})
}

// Begin opens the trail of something that is no request of ours. A nil recorder
// opens none.
func (r *Recorder) Begin(w *vneid.World, id string) *vneid.Trail {
	if r == nil {
		return nil
	}
	return vneid.NewTrail(w, id, r.clock.Now())
}

// End closes a trail and takes what it says. It never waits.
func (r *Recorder) End(t *vneid.Trail, status int) {
	if r == nil || t == nil {
		return
	}
	if id := t.RecordID(); id != "" && t.Looks() && r.seenEnough(t, id) {
		return
	}
	part, traffic := t.End(status, r.clock.Now())
	switch {
	case part != nil:
		if !r.inbox.take(t.World(), part) {
			r.dropped.Inc()
		}
	case traffic != nil:
		r.count(fetch{t.World(), traffic.Kind, traffic.Peer, traffic.Agent}, traffic.At)
	}
}

func (r *Recorder) count(who fetch, at time.Time) {
	if !r.inbox.count(who, at) {
		r.dropped.Inc()
	}
}

// mostLooks bounds the steps of a record that come of polling: who asks for
// userinfo every second would fill the database. Other steps are never left out.
const mostLooks = 100

// mostLookedAt bounds what is remembered for that.
const mostLookedAt = 10_000

// seenEnough counts a look at a record and reports whether there were enough.
func (r *Recorder) seenEnough(t *vneid.Trail, id string) bool {
	r.lookedAt.Lock()
	defer r.lookedAt.Unlock()
	if r.looks == nil || len(r.looks) >= mostLookedAt {
		r.looks = map[string]int{}
	}
	key := t.World() + " " + id
	r.looks[key]++
	if r.looks[key] == mostLooks {
		t.Hint("advice.polling", strconv.Itoa(mostLooks))
	}
	return r.looks[key] > mostLooks
}

// answer learns the status.
type answer struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (a *answer) WriteHeader(status int) {
	if !a.begun && status >= 200 {
		a.status, a.begun = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if !a.begun {
		a.status, a.begun = http.StatusOK, true
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController flush, hijack and set deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Run writes what comes until ctx ends, then what is left.
func (r *Recorder) Run(ctx context.Context) {
	defer close(r.over)
	w := &writer{r: r, rows: map[string]int{}}
	var due <-chan time.Time
	for {
		select {
		case <-r.inbox.news:
			if due == nil {
				due = time.After(flushAfter)
			}
			if r.inbox.waiting() < flushAt {
				continue
			}
		case done := <-r.flushes:
			w.flush(ctx)
			close(done)
			due = nil
			continue
		case <-due:
		case <-ctx.Done():
			w.flush(context.WithoutCancel(ctx))
			return
		}
		w.flush(ctx)
		due = nil
	}
}

// Flush returns when everything that came before is written, or was dropped.
func (r *Recorder) Flush(ctx context.Context) {
	if r == nil {
		return
	}
	done := make(chan struct{})
	select {
	case r.flushes <- done:
		<-done
	case <-ctx.Done():
	case <-r.over:
	}
}

// News is closed when this process has written something more; never by a nil
// recorder.
func (r *Recorder) News() <-chan struct{} {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wake
}

func (r *Recorder) tell() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.wake)
	r.wake = make(chan struct{})
}
