package login

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// deaf is a store whose wake-ups are all lost.
type deaf struct{ vneid.Store }

func (deaf) Watch(func(world, login string)) (stop func()) { return func() {} }

// ear is a pipe that remembers.
type ear struct {
	mu     sync.Mutex
	heard  []string
	closed bool
	broken error
}

func (e *ear) send(text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if text != "" {
		e.heard = append(e.heard, text)
	}
	return e.broken
}

func (e *ear) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
}

func (e *ear) now() (text string, closed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.heard, ""), e.closed
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for range 500 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

type hubWorld struct {
	t     testing.TB
	hub   *Hub
	store vneid.Store
	world *vneid.World
	clock *vneid.OffsetClock
	set   *metrics.Set
}

// newHubWorld is a hub over a real store, with wake-ups or without.
func newHubWorld(t testing.TB, wrap func(vneid.Store) vneid.Store) *hubWorld {
	t.Helper()
	store, err := storage.Open(t.Context(), "sqlite::memory:", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &hubWorld{t: t, store: store, clock: &vneid.OffsetClock{Base: vneid.SystemClock{}}, set: metrics.NewSet()}
	w.world = &vneid.World{ID: "default", Issuer: "http://localhost:1", Clock: w.clock, Policy: vneid.DefaultPolicy(), Salt: []byte("salt")}
	if err := store.PutWorld(t.Context(), vneid.WorldRecord{ID: "default", Salt: w.world.Salt}); err != nil {
		t.Fatal(err)
	}
	service := &vneid.Service{Store: wrap(store), Rand: rand.Reader, Machine: vneid.SystemClock{}}
	w.hub = NewHub(service, slog.New(slog.DiscardHandler), w.set, 0)
	t.Cleanup(w.hub.Close)
	return w
}

func (w *hubWorld) login() *vneid.Login {
	w.t.Helper()
	l, _, err := w.hub.service.Begin(vneid.WithWorld(w.t.Context(), w.world),
		vneid.AuthRequest{ClientID: "c"}, "", vneid.Origin{})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *hubWorld) wait(l *vneid.Login) *ear {
	w.t.Helper()
	if err := w.hub.reserve(); err != nil {
		w.t.Fatal(err)
	}
	e := &ear{}
	s := &stream{generation: 1, pipe: e}
	w.hub.add(w.world, l, s)
	w.hub.opened(s)
	return e
}

func TestAStreamThatGaveWayBeforeItWasOpenIsToldSo(t *testing.T) {
	w := newHubWorld(t, func(s vneid.Store) vneid.Store { return s })
	l := w.login()
	if err := w.hub.reserve(); err != nil {
		t.Fatal(err)
	}
	slow := &ear{}
	s := &stream{generation: 1, pipe: slow}
	w.hub.add(w.world, l, s) // its answer has not begun
	for range mostPerLogin {
		w.wait(l)
	}
	if _, closed := slow.now(); closed {
		t.Fatal("closed before its browser could be told why")
	}
	w.hub.opened(s)
	if heard, closed := slow.now(); !strings.Contains(heard, "event: crowded") || !closed {
		t.Errorf("heard %q, closed %v", heard, closed)
	}
}

// change moves a login behind everybody's back.
func (w *hubWorld) change(l *vneid.Login, how func(*vneid.Login)) {
	w.t.Helper()
	err := w.store.Update(context.Background(), "default", func(tx vneid.Tx) error {
		now, err := tx.Login(l.ID)
		if err != nil {
			return err
		}
		how(now)
		return tx.SaveLogin(now)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *hubWorld) settled() {
	w.t.Helper()
	eventually(w.t, "every login was looked at", func() bool {
		w.hub.mu.Lock()
		defer w.hub.mu.Unlock()
		for _, wd := range w.hub.logins {
			if wd.busy || wd.version < 0 {
				return false
			}
		}
		return true
	})
}

func TestALostWakeUpIsFoundByTheNextReread(t *testing.T) {
	w := newHubWorld(t, func(s vneid.Store) vneid.Store { return deaf{s} })
	changed, quiet, removed := w.login(), w.login(), w.login()
	a, b, c := w.wait(changed), w.wait(quiet), w.wait(removed)
	w.settled()
	w.change(changed, func(l *vneid.Login) { l.State = vneid.StateSecondFactorOK })
	w.hub.reread()
	eventually(t, "the browser hears", func() bool { text, closed := a.now(); return text == "event: go\ndata: {}\n\n" && closed })
	if text, closed := b.now(); text != "" || closed {
		t.Errorf("a login that nobody touched: %q", text)
	}
	if err := w.store.ClearWorld(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	w.hub.reread()
	eventually(t, "a reset is heard", func() bool { text, closed := c.now(); return strings.Contains(text, "go") && closed })
	eventually(t, "nobody waits", func() bool {
		w.hub.mu.Lock()
		defer w.hub.mu.Unlock()
		return w.hub.streams == 0 && len(w.hub.logins) == 0
	})
}

func TestALookThatFailsIsRepeated(t *testing.T) {
	sick := &sickStore{}
	w := newHubWorld(t, func(s vneid.Store) vneid.Store { sick.Store = s; return sick })
	l := w.login()
	w.change(l, func(l *vneid.Login) { l.State = vneid.StateRefused })
	sick.set(true)
	e := w.wait(l)
	time.Sleep(50 * time.Millisecond)
	if text, closed := e.now(); text != "" || closed {
		t.Fatalf("told %q by a database that does not answer", text)
	}
	w.hub.reread()
	sick.set(false)
	w.hub.reread()
	eventually(t, "the state is told", func() bool { text, _ := e.now(); return strings.Contains(text, "go") })
}

// sickStore fails to read while it is sick.
type sickStore struct {
	vneid.Store
	mu   sync.Mutex
	sick bool
}

func (s *sickStore) set(sick bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sick = sick
}

func (s *sickStore) View(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	s.mu.Lock()
	sick := s.sick
	s.mu.Unlock()
	if sick {
		return vneid.ErrUnavailable
	}
	return s.Store.View(ctx, world, fn)
}

func TestABrowserThatLeftIsForgottenAtTheNextHeartbeat(t *testing.T) {
	w := newHubWorld(t, func(s vneid.Store) vneid.Store { return s })
	l := w.login()
	stays, left := w.wait(l), w.wait(l)
	w.settled()
	left.mu.Lock()
	left.broken = errSlow
	left.mu.Unlock()
	w.hub.mu.Lock()
	for _, s := range w.hub.logins[hubKey{"default", l.ID}].streams {
		s.beat = s.beat.Add(-heartbeat)
	}
	w.hub.mu.Unlock()
	w.hub.tick()
	if _, closed := left.now(); !closed {
		t.Error("still there")
	}
	if text, closed := stays.now(); text != ":\n\n" || closed {
		t.Errorf("the other hears %q", text)
	}
	var text strings.Builder
	w.set.WritePrometheus(&text)
	if !strings.Contains(text.String(), "vneid_waiting_browsers 1\n") {
		t.Errorf("%s", &text)
	}
}

func TestMoreBrowsersThanThereArePlacesAreTurnedAway(t *testing.T) {
	w := newHubWorld(t, func(s vneid.Store) vneid.Store { return s })
	for range mostStreams {
		if err := w.hub.reserve(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.hub.reserve(); vneid.MsgKey(err) != "overloaded" || !vneid.IsCode(err, vneid.CodeUnavailable) {
		t.Errorf("%v", err)
	}
}

// Wake-ups, comers, leavers and the end all at once: the race detector and the
// count at the end have the say.
func TestManyWakeUpsAtOnceTellEachNewsOnce(t *testing.T) {
	w := newHubWorld(t, func(s vneid.Store) vneid.Store { return s })
	var logins []*vneid.Login
	var ears []*ear
	for range 20 {
		l := w.login()
		logins = append(logins, l)
		for range 2 {
			ears = append(ears, w.wait(l))
		}
	}
	var all sync.WaitGroup
	for _, l := range logins {
		all.Go(func() {
			for range 50 {
				w.hub.wake("default", l.ID)
			}
			w.change(l, func(l *vneid.Login) { l.QR.State, l.QR.ScannedAt, l.QR.Match = vneid.QRScanned, w.clock.Now(), 42 })
			for range 50 {
				w.hub.wake("default", l.ID)
			}
		})
	}
	all.Wait()
	for _, e := range ears {
		eventually(t, "the scan is told", func() bool { text, _ := e.now(); return strings.Contains(text, `"digits":"42"`) })
	}
	w.settled()
	for _, e := range ears {
		if text, _ := e.now(); strings.Count(text, "event:") != 1 {
			t.Errorf("told %q", text)
		}
	}
	w.hub.Close()
	for _, e := range ears {
		if _, closed := e.now(); !closed {
			t.Error("open after the end")
		}
	}
}

func TestAStreamThatComesAfterTheEndIsClosedAndForgotten(t *testing.T) {
	w := newHubWorld(t, func(s vneid.Store) vneid.Store { return s })
	l := w.login()
	if err := w.hub.reserve(); err != nil {
		t.Fatal(err)
	}
	w.hub.Close()
	e := &ear{}
	s := &stream{generation: 1, pipe: e}
	w.hub.add(w.world, l, s)
	w.hub.opened(s)
	w.hub.leave(s)
	if text, closed := e.now(); text != "" || !closed {
		t.Errorf("%q, closed %v", text, closed)
	}
}

func TestThePictureIsBounded(t *testing.T) {
	if _, err := drawQR(strings.Repeat("x", longestQR+1)); err == nil {
		t.Error("too long a text was drawn")
	}
	svg, err := drawQR(strings.Repeat("x", longestQR))
	if err != nil || len(svg) > 32<<10 {
		t.Errorf("%v, %d bytes", err, len(svg))
	}
}

// How long one reread of ten thousand logins takes.
func BenchmarkReread10000(b *testing.B) {
	w := newHubWorld(b, func(s vneid.Store) vneid.Store { return s })
	w.world.Policy.LoginsPerMinute = 0
	for range 10_000 {
		w.wait(w.login())
	}
	w.settled()
	for b.Loop() {
		w.hub.reread()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/reread")
}

func BenchmarkTick10000(b *testing.B) {
	w := newHubWorld(b, func(s vneid.Store) vneid.Store { return s })
	w.world.Policy.LoginsPerMinute = 0
	for range 10_000 {
		w.wait(w.login())
	}
	w.settled()
	for b.Loop() {
		w.hub.tick()
	}
}
