package chromium

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Tab is a window of a person's browser. Nobody uses one twice at a time.
type Tab struct {
	ctx    context.Context
	cancel context.CancelFunc
	frame  cdp.FrameID

	mu     sync.Mutex
	events []any // in the order they came
	more   chan struct{}

	busy sync.Mutex // while an event is answered
	trip *trip      // nil between two of them
}

// Request is what a tab is to do.
type Request struct {
	URL  string
	Form url.Values                // what is posted there; nil = GET
	From string                    // the page that leads there; "" = the person types the address
	Stop func(address string) bool // says of an address whether it is not to be opened
	Seen func(Hop)                 // hears of each answer on the way
}

// Hop is an answer on the way.
type Hop struct {
	Method, URL string
	Status      int
	Header      http.Header
}

// Page is where a request led to.
type Page struct {
	URL    string
	Status int
	Header http.Header
	Body   string // as scripts made it
	To     string // where it was to lead, and was stopped
}

// trip is a request under way.
type trip struct {
	Request
	springboard string // the page that leads there, until it was handed out
	loader      cdp.LoaderID
	leaving     bool                       // another page was asked for
	shown       bool                       // the page has loaded
	asking      map[network.RequestID]bool // what its scripts wait for
	beat        int                        // of what moved on it
	hops        int
	page        Page
	err         error
	loaded      chan struct{} // tells that a page has
	rest        chan struct{} // closed when it has come to rest
	resting     bool
}

const (
	mostHops = 25
	mostPage = 4 << 20
	// calm is how long a page whose scripts are done asks for nothing.
	calm = 250 * time.Millisecond
	// restless is how long scripts that never rest are waited for, such as those
	// with a stream of news.
	restless = 5 * time.Second
	// aborted is what Chromium says of a page that was not let through, and of
	// one that is none, such as a download.
	aborted = "net::ERR_ABORTED"
)

// NewTab opens a window: of a browser of its own that knows nobody, or beside
// another of the same person.
func (b *Browser) NewTab(beside *Tab) (*Tab, error) {
	var t *Tab
	if beside == nil {
		t = newTab(chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext()))
	} else {
		t = newTab(chromedp.NewContext(beside.ctx))
	}
	if err := t.begin(); err != nil {
		t.cancel()
		return nil, fmt.Errorf("a window of Chromium: %w", err)
	}
	b.mu.Lock()
	b.tabs = append(b.tabs, t)
	b.mu.Unlock()
	return t, nil
}

func newTab(ctx context.Context, cancel context.CancelFunc) *Tab {
	return &Tab{ctx: ctx, cancel: cancel, more: make(chan struct{}, 1)}
}

func (t *Tab) begin() error {
	if err := chromedp.Listen(t.ctx, t.hear); err != nil {
		return err
	}
	t.frame = cdp.FrameID(chromedp.FromContext(t.ctx).Target.TargetID) // of the page in the window
	go t.work()
	// A page that a service worker keeps would be asked for without us.
	if _, err := chromedp.Call(t.ctx, network.SetBypassServiceWorker, network.SetBypassServiceWorkerParams{Bypass: true}); err != nil {
		return err
	}
	_, err := chromedp.Call(t.ctx, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{
		{ResourceType: network.ResourceTypeDocument, RequestStage: fetch.RequestStageRequest},
		{ResourceType: network.ResourceTypeDocument, RequestStage: fetch.RequestStageResponse},
	}})
	return err
}

// hear keeps what Chromium says until work can answer: here nothing may wait.
func (t *Tab) hear(event any) {
	switch event.(type) {
	case *fetch.EventRequestPaused, *page.EventLifecycleEvent, *page.EventJavascriptDialogOpening,
		*network.EventRequestWillBeSent, *network.EventLoadingFinished, *network.EventLoadingFailed, quiet, restlessness:
	default:
		return
	}
	t.mu.Lock()
	t.events = append(t.events, event)
	t.mu.Unlock()
	select {
	case t.more <- struct{}{}:
	default:
	}
}

func (t *Tab) work() {
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-t.more:
		}
		t.mu.Lock()
		events := t.events
		t.events = nil
		t.mu.Unlock()
		for _, event := range events {
			t.answer(event)
		}
	}
}

func (t *Tab) answer(event any) {
	t.busy.Lock()
	defer t.busy.Unlock()
	switch e := event.(type) {
	case *fetch.EventRequestPaused:
		t.paused(e)
	case *page.EventLifecycleEvent:
		t.lived(e)
	case *network.EventRequestWillBeSent:
		t.asksFor(e.RequestID, e.Type, false)
	case *network.EventLoadingFinished:
		t.asksFor(e.RequestID, "", true)
	case *network.EventLoadingFailed:
		t.asksFor(e.RequestID, e.Type, true)
	case quiet, restlessness:
		t.rested(e)
	case *page.EventJavascriptDialogOpening: // a person clicks it away
		tell(t, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
}

func (t *Tab) on(trip *trip) {
	t.busy.Lock()
	defer t.busy.Unlock()
	t.trip = trip
}

// Open goes to an address and waits until the page there rests.
func (t *Tab) Open(ctx context.Context, r Request) (Page, error) {
	ctx, done := t.within(ctx)
	defer done()
	trip := &trip{Request: r, loaded: make(chan struct{}, 1), rest: make(chan struct{})}
	address := r.URL
	if r.Form != nil || r.From != "" {
		if address = r.From; address == "" {
			address = r.URL // its own page sends the form
		}
		trip.springboard = springboard(r)
	}
	t.on(trip)
	went, err := chromedp.Call(ctx, page.Navigate, page.NavigateParams{URL: address})
	if err == nil && went.ErrorText != "" && went.ErrorText != aborted {
		err = errors.New(went.ErrorText)
	}
	if err == nil {
		err = t.await(ctx, trip)
	}
	t.on(nil)
	if err == nil {
		err = trip.err
	}
	if err != nil || trip.page.To != "" {
		return trip.page, err
	}
	return trip.page, t.read(ctx, &trip.page)
}

// await waits until a trip has come to rest.
func (t *Tab) await(ctx context.Context, tr *trip) error {
	for {
		select {
		case <-tr.rest:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tr.loaded:
			if !t.inert(ctx) {
				continue
			}
			t.busy.Lock()
			if !tr.leaving {
				tr.end(nil)
			}
			t.busy.Unlock()
		}
	}
}

// within is a context of the tab that ends with the other, too.
func (t *Tab) within(ctx context.Context) (context.Context, func()) {
	inner, cancel := context.WithCancelCause(t.ctx)
	stop := context.AfterFunc(ctx, func() { cancel(ctx.Err()) })
	return inner, func() { stop(); cancel(nil) }
}

// springboard is a page that leads on, by script as a person would by a button:
// whoever is led somewhere sends other cookies than who types the address.
func springboard(r Request) string {
	var b strings.Builder
	b.WriteString("<!doctype html><meta charset=utf-8><title>…</title>")
	if r.Form == nil {
		to, _ := json.Marshal(r.URL) // a string always can be; < is escaped in it
		fmt.Fprintf(&b, "<script>location.assign(%s)</script>", to)
		return b.String()
	}
	fmt.Fprintf(&b, `<form method=post action="%s">`, html.EscapeString(r.URL))
	for _, name := range slices.Sorted(maps.Keys(r.Form)) {
		for _, v := range r.Form[name] {
			fmt.Fprintf(&b, `<input type=hidden name="%s" value="%s">`, html.EscapeString(name), html.EscapeString(v))
		}
	}
	b.WriteString("</form><script>HTMLFormElement.prototype.submit.call(document.forms[0])</script>")
	return b.String()
}

// read is what stands on the page now.
func (t *Tab) read(ctx context.Context, p *Page) error {
	now, err := chromedp.Run(ctx, chromedp.Evaluate[[2]string](fmt.Sprintf(`[location.href, document.documentElement ? document.documentElement.outerHTML.slice(0, %d) : ""]`, mostPage)))
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	p.URL, p.Body = now[0], now[1]
	return nil
}
