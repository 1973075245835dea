package chromium

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// end says that a trip has come to rest.
func (tr *trip) end(err error) {
	if !tr.resting {
		tr.resting, tr.err = true, err
		close(tr.rest)
	}
}

// paused decides about a page that is asked for, or has been answered. What a
// page does between two trips, or after it was left, leads nowhere.
func (t *Tab) paused(e *fetch.EventRequestPaused) {
	tr := t.trip
	switch answered := e.ResponseStatusCode != 0 || e.ResponseErrorReason != ""; {
	case e.FrameID != t.frame: // a frame within the page
		t.goOn(e)
	case tr == nil || tr.resting:
		t.refuse(e)
	case answered:
		t.answered(tr, e)
	default:
		t.asked(tr, e)
	}
}

func (t *Tab) asked(tr *trip, e *fetch.EventRequestPaused) {
	tr.leaving = true
	address := withForm(e.Request)
	switch {
	case tr.springboard != "":
		body := tr.springboard
		tr.springboard = ""
		tell(t, fetch.FulfillRequest, fetch.FulfillRequestParams{RequestID: e.RequestID, ResponseCode: http.StatusOK, Body: []byte(body),
			ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: "text/html; charset=utf-8"}, {Name: "Cache-Control", Value: "no-store"}}})
	case tr.hops > 0 && tr.Stop != nil && tr.Stop(address):
		tr.page.To = address
		t.refuse(e)
		tr.end(nil)
	case tr.hops == mostHops:
		t.refuse(e)
		tr.end(fmt.Errorf("more than %d pages, one after the other", mostHops))
	default:
		tr.hops++
		t.goOn(e)
	}
}

// withForm is the address of a request, with the form that was posted there:
// what may be asked by GET and by POST is the same question.
func withForm(r *network.Request) string {
	address := r.URL + r.URLFragment
	if r.Method != http.MethodPost || strings.Contains(address, "?") {
		return address
	}
	var form strings.Builder
	for _, part := range r.PostDataEntries {
		form.Write(part.Bytes)
	}
	if form.Len() == 0 {
		return address
	}
	return address + "?" + form.String()
}

func (t *Tab) answered(tr *trip, e *fetch.EventRequestPaused) {
	if e.ResponseErrorReason != "" {
		t.goOn(e)
		if tr.hops > 0 { // not the springboard
			tr.page.URL = e.Request.URL
			tr.end(errors.New("no page: " + string(e.ResponseErrorReason)))
		}
		return
	}
	if tr.hops == 0 {
		t.goOn(e)
		return
	}
	header := http.Header{}
	for _, h := range e.ResponseHeaders {
		for line := range strings.SplitSeq(h.Value, "\n") { // several of one name come as one
			header.Add(h.Name, line)
		}
	}
	tr.page = Page{URL: e.Request.URL, Status: int(e.ResponseStatusCode), Header: header}
	if tr.Seen != nil {
		tr.Seen(Hop{e.Request.Method, e.Request.URL, tr.page.Status, header})
	}
	t.goOn(e)
	if tr.page.Status == http.StatusNoContent || tr.page.Status == http.StatusResetContent || strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		tr.end(nil) // the window keeps the page it had
	}
}

func (t *Tab) goOn(e *fetch.EventRequestPaused) {
	tell(t, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
}

func (t *Tab) refuse(e *fetch.EventRequestPaused) {
	tell(t, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonAborted})
}

// lived hears how far a page has come.
func (t *Tab) lived(e *page.EventLifecycleEvent) {
	tr := t.trip
	if tr == nil || tr.resting || e.FrameID != t.frame {
		return
	}
	switch e.Name {
	case "init":
		if e.LoaderID != tr.loader {
			tr.loader, tr.leaving, tr.shown, tr.asking = e.LoaderID, false, false, map[network.RequestID]bool{}
		}
	case "load":
		if e.LoaderID != tr.loader || tr.hops == 0 {
			return
		}
		tr.shown = true
		select {
		case tr.loaded <- struct{}{}:
		default:
		}
		t.later(restless, restlessness{e.LoaderID})
		t.moved(tr)
	}
}

// quiet says that nothing moved for a while, since the beat; restlessness, that
// a page was given time enough.
type (
	quiet struct {
		trip *trip
		beat int
	}
	restlessness struct{ loader cdp.LoaderID }
)

func (t *Tab) later(d time.Duration, event any) { time.AfterFunc(d, func() { t.hear(event) }) }

// moved begins the wait for quiet anew.
func (t *Tab) moved(tr *trip) {
	tr.beat++
	if tr.shown && len(tr.asking) == 0 {
		t.later(calm, quiet{tr, tr.beat})
	}
}

// asksFor hears what a page's scripts ask for. A stream has no end to wait for.
func (t *Tab) asksFor(id network.RequestID, kind network.ResourceType, over bool) {
	tr := t.trip
	switch {
	case tr == nil || tr.resting || tr.asking == nil || kind == network.ResourceTypeEventSource || kind == network.ResourceTypePing:
		return
	case over:
		delete(tr.asking, id)
	case kind != network.ResourceTypeDocument:
		tr.asking[id] = true
	}
	t.moved(tr)
}

// rested ends a trip whose page has nothing more to do.
func (t *Tab) rested(event any) {
	tr := t.trip
	if tr == nil || tr.resting || tr.leaving {
		return
	}
	switch e := event.(type) {
	case quiet:
		if e.trip == tr && e.beat == tr.beat {
			tr.end(nil)
		}
	case restlessness:
		if e.loader == tr.loader {
			tr.end(nil)
		}
	}
}

// inert says whether nothing on the page can lead on by itself. A page that is
// about to be left may not answer.
func (t *Tab) inert(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.scripts.length === 0 && !document.querySelector('meta[http-equiv="refresh" i], iframe, frame, object, embed, [onload], [onerror]')`))
	return err == nil && yes
}

// tell sends a command that Chromium answers at once; when it does not, the page
// it is about is gone.
func tell[P, R any](t *Tab, command cdp.Command[P, R], p P) {
	ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
	defer cancel()
	_, _ = chromedp.Call(ctx, command, p)
}
