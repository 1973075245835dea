//go:build browser

package chromium_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/exam/chromium"
)

func start(t *testing.T, keys ...[]byte) *chromium.Browser {
	t.Helper()
	b, err := chromium.Start(t.Context(), os.Getenv("CHROMIUM"), keys)
	if errors.Is(err, chromium.ErrNone) {
		t.Fatalf("%v; install what the tests need with: make test-tools", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func window(t *testing.T, b *chromium.Browser, beside *chromium.Tab) *chromium.Tab {
	t.Helper()
	w, err := b.NewTab(beside)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// site serves pages by path and remembers who asked how.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]*http.Request
}

func newSite(t *testing.T, pages map[string]http.HandlerFunc) *site {
	t.Helper()
	s := &site{asked: map[string]*http.Request{}}
	s.Server = httptest.NewServer(s.serve(pages))
	t.Cleanup(s.Close)
	return s
}

func (s *site) serve(pages map[string]http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // a bad form shows in what the page makes of it
		s.mu.Lock()
		s.asked[r.URL.Path] = r
		s.mu.Unlock()
		if page := pages[r.URL.Path]; page != nil {
			page(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

func (s *site) request(path string) *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func shows(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>x</title>"+body)
	}
}

func open(t *testing.T, w *chromium.Tab, r chromium.Request) chromium.Page {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, err := w.Open(ctx, r)
	if err != nil {
		t.Fatalf("open %s: %v", r.URL, err)
	}
	return p
}

func TestScriptsLeadOnAndRedirectsAreSeen(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/start": shows(`<script>fetch('/where').then(r => r.text()).then(to => location.assign(to))</script>`),
		"/where": func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(400 * time.Millisecond)
			fmt.Fprint(w, "/hop")
		},
		"/hop": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "c", Value: "1", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.Redirect(w, r, "/end", http.StatusSeeOther)
		},
		"/end": shows(`<h1 id=h></h1><script>setTimeout(() => { h.textContent = 'drawn' }, 50); history.replaceState(null, '', '/clean')</script>`),
	})
	w := window(t, start(t), nil)
	var hops []string
	p := open(t, w, chromium.Request{URL: s.URL + "/start?a=1", Seen: func(h chromium.Hop) {
		hops = append(hops, fmt.Sprint(h.Method, " ", strings.TrimPrefix(h.URL, s.URL), " ", h.Status))
	}})
	if p.URL != s.URL+"/clean" || p.Status != http.StatusOK || !strings.Contains(p.Body, ">drawn</h1>") || p.To != "" {
		t.Errorf("it ends at %s, %d: %s", p.URL, p.Status, p.Body)
	}
	if got := strings.Join(hops, ", "); got != "GET /start?a=1 200, GET /hop 303, GET /end 200" {
		t.Errorf("hops: %s", got)
	}
	u, _ := url.Parse(s.URL + "/")
	if c := w.Cookies(u); len(c) != 1 || c[0].Name != "c" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", c)
	}
}

func TestNothingIsAskedWhereItStops(t *testing.T) {
	elsewhere := newSite(t, map[string]http.HandlerFunc{"/authorize": shows("")})
	s := newSite(t, map[string]http.HandlerFunc{
		"/script": shows(`<script>location = '` + elsewhere.URL + `/authorize?x=1'</script>`),
		"/form":   shows(`<form method=post action="` + elsewhere.URL + `/authorize"><input name=x value=1></form><script>document.forms[0].submit()</script>`),
		"/redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/authorize?x=1", http.StatusFound)
		},
		"/refresh": shows(`<meta http-equiv=refresh content="0; url=` + elsewhere.URL + `/authorize?x=1">`),
		"/late":    shows(`<script>setTimeout(() => location = '` + elsewhere.URL + `/authorize?x=1', 600)</script>`),
	})
	b := start(t)
	stop := func(to string) bool { return strings.HasPrefix(to, elsewhere.URL) }
	for _, path := range []string{"/script", "/form", "/redirect", "/refresh"} {
		p := open(t, window(t, b, nil), chromium.Request{URL: s.URL + path, Stop: stop})
		if p.To != elsewhere.URL+"/authorize?x=1" {
			t.Errorf("%s leads to %q", path, p.To)
		}
	}
	w := window(t, b, nil) // comes to rest before, and is held where it is
	if p := open(t, w, chromium.Request{URL: s.URL + "/late", Stop: stop}); p.To != "" {
		t.Errorf("/late leads to %q", p.To)
	}
	time.Sleep(time.Second)
	if elsewhere.request("/authorize") != nil {
		t.Error("the other site was asked")
	}
}

func TestWhoeverIsLedThereSendsWhatABrowserSends(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/set": func(w http.ResponseWriter, _ *http.Request) {
			for name, mode := range map[string]http.SameSite{"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode} {
				http.SetCookie(w, &http.Cookie{Name: name, Value: "1", Path: "/", SameSite: mode})
			}
		},
		"/callback": shows("here"),
	})
	w := window(t, start(t), nil)
	open(t, w, chromium.Request{URL: s.URL + "/set"})
	from := "http://provider.localhost:1/login" // another site; nothing listens there
	names := func() (list string) {
		for _, c := range s.request("/callback").Cookies() {
			list += c.Name + " "
		}
		return list
	}
	open(t, w, chromium.Request{URL: s.URL + "/callback?code=1#x", From: from})
	if got := names(); got != "lax " {
		t.Errorf("a link from another site sends the cookies %q", got)
	}
	hostile := url.Values{"code": {`"><script>alert(1)</script>`, "ă\r\n&=+"}, "submit": {"1"}}
	open(t, w, chromium.Request{URL: s.URL + "/callback", From: from, Form: hostile})
	r := s.request("/callback")
	if got := r.PostForm.Encode(); got != hostile.Encode() {
		t.Errorf("the form arrives as %q", got)
	}
	if got := names(); got != "" || r.Header.Get("Origin") != "http://provider.localhost:1" {
		t.Errorf("a form from another site sends the cookies %q, origin %q", got, r.Header.Get("Origin"))
	}
	open(t, w, chromium.Request{URL: s.URL + "/callback", Form: url.Values{}})
	if got := s.request("/callback").Header.Get("Origin"); got != s.URL {
		t.Errorf("a form of its own has the origin %q", got)
	}
	open(t, w, chromium.Request{URL: s.URL + "/callback"})
	if got := len(s.request("/callback").Cookies()); got != 2 {
		t.Errorf("whoever types the address sends %d cookies", got)
	}
}

func TestPagesThatGoWrongEnd(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/loop": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/loop?"+r.URL.RawQuery+"x", http.StatusFound)
		},
		"/reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"/none":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"/file": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Disposition", "attachment; filename=x.bin")
			fmt.Fprint(w, "x")
		},
		"/alert":  shows(`<script>alert('x'); document.title = 'after'</script>`),
		"/stream": shows(`<script>new EventSource('/events'); fetch('/never')</script>`),
		"/events": func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); <-r.Context().Done() },
		"/never":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"/slow":   func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"/spin":   shows(`<script>for (;;);</script>`),
		"/error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<h1>sorry</h1>")
		},
	})
	b := start(t)
	w := window(t, b, nil)
	for path, status := range map[string]int{"/none": 204, "/file": 200, "/alert": 200, "/stream": 200, "/error": 502} {
		if p := open(t, w, chromium.Request{URL: s.URL + path}); p.Status != status {
			t.Errorf("%s: status %d", path, p.Status)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	for _, address := range []string{s.URL + "/loop", s.URL + "/reset", "http://localhost:1/", s.URL + "/slow"} {
		if p, err := w.Open(ctx, chromium.Request{URL: address}); err == nil {
			t.Errorf("%s: no error, status %d", address, p.Status)
		}
	}
	if p := open(t, w, chromium.Request{URL: s.URL + "/error"}); !strings.Contains(p.Body, "sorry") {
		t.Errorf("after all that: %s", p.Body)
	}

	ctx, cancel = context.WithTimeout(t.Context(), 3*time.Second) // a script that never lets go
	defer cancel()
	if p, err := w.Open(ctx, chromium.Request{URL: s.URL + "/spin"}); err == nil {
		t.Errorf("/spin: no error, status %d", p.Status)
	}
	u, _ := url.Parse(s.URL + "/")
	w.SetCookies(u, []*http.Cookie{{Name: "c", Value: "1", Path: "/"}})
	if c := w.Cookies(u); len(c) != 1 {
		t.Errorf("cookies beside a page that spins: %v", c)
	}
	if p := open(t, window(t, b, nil), chromium.Request{URL: s.URL + "/error"}); !strings.Contains(p.Body, "sorry") {
		t.Errorf("another browser beside a page that spins: %s", p.Body)
	}
}

func TestWindowsBesideEachOtherShareCookiesAndOthersDoNot(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/set": shows(`<script>document.cookie = 'c=1; path=/'; sessionStorage.setItem('s', '1')</script>`),
		"/see": shows(`<script>document.title = document.cookie + '|' + sessionStorage.getItem('s')</script>`),
	})
	b := start(t)
	one := window(t, b, nil)
	open(t, one, chromium.Request{URL: s.URL + "/set"})
	for _, c := range []struct {
		who  string
		w    *chromium.Tab
		want string
	}{{"itself", one, "c=1|1"}, {"another window", window(t, b, one), "c=1|null"}, {"another browser", window(t, b, nil), "|null"}} {
		if p := open(t, c.w, chromium.Request{URL: s.URL + "/see"}); !strings.Contains(p.Body, "<title>"+c.want+"</title>") {
			t.Errorf("%s sees %s", c.who, p.Body)
		}
	}
	u, _ := url.Parse(s.URL + "/")
	planted := window(t, b, nil)
	planted.SetCookies(u, []*http.Cookie{{Name: "c", Value: "planted", Path: "/"}})
	if p := open(t, planted, chromium.Request{URL: s.URL + "/see"}); !strings.Contains(p.Body, "c=planted|") {
		t.Errorf("a planted cookie: %s", p.Body)
	}
	b.CloseTabs()
	if _, err := one.Open(t.Context(), chromium.Request{URL: s.URL + "/see"}); err == nil {
		t.Error("a closed window opens pages")
	}
}

// A portal may keep its pages in a service worker: what the server answers is looked at all the same.
func TestServiceWorkersAnswerNothing(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/install": shows(`<script>navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => { document.title = 'ready' })</script>`),
		"/sw.js": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, `addEventListener('activate', e => e.waitUntil(clients.claim())); addEventListener('fetch', e => e.respondWith(new Response('<h1>from the worker</h1>', {headers: {'Content-Type': 'text/html'}})))`)
		},
		"/page": shows("<h1>from the server</h1>"),
	})
	w := window(t, start(t), nil)
	open(t, w, chromium.Request{URL: s.URL + "/install"})
	for range 20 { // until it is installed
		if p := open(t, w, chromium.Request{URL: s.URL + "/install"}); strings.Contains(p.Body, "<title>ready") {
			break
		}
	}
	p := open(t, w, chromium.Request{URL: s.URL + "/page"})
	if !strings.Contains(p.Body, "from the server") || p.Status != http.StatusOK {
		t.Errorf("status %d: %s", p.Status, p.Body)
	}
}

func TestABrowserThatIsGoneIsNotAlive(t *testing.T) {
	b := start(t)
	w := window(t, b, nil)
	if !b.Alive() {
		t.Fatal("it is not alive")
	}
	b.Close()
	if b.Alive() {
		t.Error("it is alive although it ended")
	}
	if _, err := w.Open(t.Context(), chromium.Request{URL: "http://localhost:1/"}); err == nil {
		t.Error("its window opens pages")
	}
}

func TestCertificatesAreBelievedByTheirKeyOnly(t *testing.T) {
	s := &site{asked: map[string]*http.Request{}}
	s.Server = httptest.NewTLSServer(s.serve(map[string]http.HandlerFunc{"/": shows("hello")}))
	t.Cleanup(s.Close)
	if p := open(t, window(t, start(t, s.Certificate().RawSubjectPublicKeyInfo), nil), chromium.Request{URL: s.URL + "/"}); !strings.Contains(p.Body, "hello") {
		t.Errorf("with the key: %s", p.Body)
	}
	if _, err := window(t, start(t), nil).Open(t.Context(), chromium.Request{URL: s.URL + "/"}); err == nil {
		t.Error("without it, the page opens")
	}
}
