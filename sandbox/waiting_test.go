package sandbox_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// waits opens a login page's stream in a browser of its own. lines yields the
// names of its events and is closed when the stream ends.
func waits(t *testing.T, c *http.Client, r *sandbox.Running) (resp *http.Response, lines chan string) {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, Transport: c.Transport, CheckRedirect: client.CheckRedirect}
	get := func(u string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), "GET", u, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	q := url.Values{"client_id": {"my-portal"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "redirect_uri": {"http://127.0.0.1:9000/callback"}}
	first := get(r.Issuer + "/authorize?" + q.Encode())
	first.Body.Close()
	page := first.Header.Get("Location")
	if !strings.HasPrefix(page, "/login/") {
		t.Fatalf("%s %s", first.Status, page)
	}
	resp = get(r.Issuer + page + "/events")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Request-Id") == "" {
		t.Fatalf("%s %v", resp.Status, resp.Header)
	}
	lines = make(chan string, 16)
	go func() {
		defer close(lines)
		defer resp.Body.Close()
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			if name, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				lines <- name
			}
		}
	}()
	return resp, lines
}

func expectLine(t *testing.T, lines chan string, want string) {
	t.Helper()
	select {
	case got := <-lines: // "" = ended
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("nothing, want %q", want)
	}
}

func gauge(t *testing.T, c *http.Client, r *sandbox.Running) string {
	t.Helper()
	_, text := ask(t, c, r.Issuer+"/metrics")
	_, after, _ := strings.Cut(text, "vneid_waiting_browsers ")
	value, _, _ := strings.Cut(after, "\n")
	return value
}

func TestBrowsersThatWaitHearOfAMovedClockAndDoNotDelayStopping(t *testing.T) {
	for _, tls := range []string{"off", "auto"} {
		t.Run("TLS "+tls, func(t *testing.T) {
			data := t.TempDir()
			r, log := start(t, func(c *sandbox.Config) {
				c.TLS = tls
				if tls == "auto" {
					c.Data, c.Listen = data, "localhost:0"
				}
			})
			c := client
			if tls == "auto" {
				c = trusting(t, filepath.Join(data, "ca.pem"))
			}
			resp, first := waits(t, c, r)
			if want := map[string]int{"off": 1, "auto": 2}[tls]; resp.ProtoMajor != want {
				t.Errorf("over %s", resp.Proto)
			}
			if got := gauge(t, c, r); got != "1" {
				t.Errorf("%s browsers wait", got)
			}
			post, err := http.NewRequest("POST", r.SandboxURL+"/api/v1/clock", strings.NewReader(`{"advance":"125s"}`))
			if err != nil {
				t.Fatal(err)
			}
			post.Header.Set("Content-Type", "application/json")
			if resp, err := c.Do(post); err != nil || resp.StatusCode != 200 {
				t.Fatalf("move the clock: %v %v", resp, err)
			}
			expectLine(t, first, "expired")
			expectLine(t, first, "")

			_, second := waits(t, c, r)
			_, third := waits(t, c, r)
			begin := time.Now()
			if err := r.Close(context.Background()); err != nil {
				t.Error(err)
			}
			expectLine(t, second, "")
			expectLine(t, third, "")
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("stopping took %s", took)
			}
			if tls == "off" && !strings.Contains(log.String(), "stream begun") {
				t.Error("the log does not say that a stream began")
			}
		})
	}
}
