package headless

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
)

func TestADriverThatIsFullSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Config{})
		for range MostAtOnce {
			d.places <- struct{}{}
		}
		if _, err := d.SignIn(t.Context(), Order{}); err != ErrBusy {
			t.Errorf("after a while: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.SignIn(ctx, Order{}); err != context.Canceled {
			t.Errorf("a caller that left: %v", err)
		}
	})
}

func TestOnlyAnAnswerLeadsBack(t *testing.T) {
	for back, addresses := range map[string]map[string]bool{
		"http://localhost/cb": {
			"http://localhost/cb?code=x&iss=i": true, "http://localhost/cb#code=x&iss=i": true, "http://localhost/cb?error=e&iss=i": true,
			"http://localhost/cb?code=x": false, "http://localhost/cb": false, "http://localhost/cbx?iss=i": false, "http://localhost/cb/?iss=i": false,
			"https://localhost/cb?iss=i": false, "http://localhost/cb?%zz": false,
		},
		"http://localhost/cb?a=b": {"http://localhost/cb?a=b&code=x&iss=i": true, "http://localhost/cb?a=bc&iss=i": false},
	} {
		for address, want := range addresses {
			if got, _ := (&browser{back: back}).leadsBack(address); got != want {
				t.Errorf("%s leads back to %s: %v", address, back, got)
			}
		}
	}
}

// provider answers with pages of the test.
func provider(t *testing.T, pages map[string]http.HandlerFunc) *browser {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pages[r.URL.Path](w, r) }))
	t.Cleanup(s.Close)
	b := newBrowser(s.Client(), s.URL+"/w/abc")
	b.back = "http://portal.test/cb"
	return b
}

func TestABrowserKeepsCookiesAndStopsAtTheClient(t *testing.T) {
	b := provider(t, map[string]http.HandlerFunc{
		"/w/abc/authorize": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "browser", Value: r.URL.Query().Get("state"), Path: "/"})
			http.Redirect(w, r, "/w/abc/login/1", http.StatusSeeOther)
		},
		"/w/abc/login/1": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Error-Code", "some_code")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<h1>Không &amp; được</h1>`)
		},
		"/w/abc/login/1/otp": func(w http.ResponseWriter, r *http.Request) {
			cookie, err := r.Cookie("browser")
			if err != nil || r.FormValue("otp") != "1 2" {
				t.Errorf("cookie %v, otp %q", cookie, r.FormValue("otp"))
			}
			http.Redirect(w, r, "http://portal.test/cb?code=c&iss=i", http.StatusSeeOther)
		},
		"/w/abc/elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/w/other/login", http.StatusSeeOther)
		},
		"/w/abc/circle": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/w/abc/circle", http.StatusSeeOther)
		},
	})
	if err := b.open(t.Context(), "/authorize", nil, url.Values{"state": {"s"}}); err != nil || b.at != "/login/1" || b.status != 403 || b.code != "some_code" || b.heading() != "Không & được" {
		t.Errorf("the page: %v %+v", err, b)
	}
	if err := b.open(t.Context(), "/login/1/otp", url.Values{"otp": {"1 2"}}, nil); err != nil || b.led == nil || b.led.params.Get("code") != "c" {
		t.Errorf("the end: %v %+v", err, b.led)
	}
	for path, says := range map[string]string{"/elsewhere": "leads elsewhere", "/circle": "too many redirects"} {
		if err := b.open(t.Context(), path, nil, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
