package attacker

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestTheBookForgetsTheOldestAndKeepsWorldsApart(t *testing.T) {
	b := &Book{}
	for i := range mostHits + 10 {
		b.add(Hit{world: []string{"a", "b"}[i%2], ClientID: []string{"mine", "mine", "", "", "other", "other"}[i%6]})
	}
	all := b.List("a", "", 0)
	if len(all) != mostHits/2 || all[0].ID != 11 || len(b.hits) != mostHits {
		t.Errorf("%d hits, from %d", len(all), all[0].ID)
	}
	for _, h := range b.List("a", "mine", 0) {
		if h.ClientID == "other" {
			t.Error("another client's hit is shown")
		}
	}
	last := all[len(all)-1].ID
	if list := b.List("a", "", last-2); len(list) != 1 || list[0].ID != last {
		t.Errorf("after the last but one: %+v", list)
	}
	b.Forget("a")
	if len(b.List("a", "", 0)) != 0 || len(b.List("b", "", 0)) != mostHits/2 {
		t.Error("it forgets the wrong world")
	}
}

func FuzzAttacker(f *testing.F) {
	f.Add("POST", "/canary/E03/token?client_id=%ff", "code=secret-value&client_secret=secret-value", "Basic c2VjcmV0LXZhbHVlOnNlY3JldC12YWx1ZQ==")
	f.Add("GET", "/mix-up/authorize?redirect_uri=javascript:x&client_id=a", "", "Bearer secret-value")
	f.Add("GET", "/confused/authorize?client_id=a&redirect_uri=//elsewhere", "", "")
	f.Add("POST", "/confused/oauth/token", "code=eyJjIjoieCJ9", "")
	f.Add("GET", "/relay/.well-known/openid-configuration", "", "")
	store, err := storage.Open(context.Background(), "sqlite::memory:", storage.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { store.Close() })
	book := &Book{}
	h := New(Config{Scheme: "http", Store: store, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Rand: zero{}, Book: book,
		Key: Key{Set: func() []byte { return nil }, PEM: func() []byte { return nil }, Sign: func([]byte) []byte { return nil }}})
	world := &vneid.World{Issuer: "http://localhost:9998", Clock: vneid.SystemClock{}}
	f.Fuzz(func(t *testing.T, method, target, body, authorization string) {
		r, err := http.NewRequest(method, "http://localhost:9996"+target, strings.NewReader(body))
		if err != nil || !strings.HasPrefix(target, "/") || r.URL.Host != "localhost:9996" {
			return
		}
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(vneid.WithWorld(r.Context(), world)))
		// There is no client, so nobody is sent anywhere but to the provider.
		if to := w.Header().Get("Location"); to != "" && !strings.HasPrefix(to, "http://localhost:9998/authorize?") && (to[0] != '/' || strings.HasPrefix(to, "//")) {
			t.Errorf("%s %s leads to %s", method, target, to)
		}
		for _, hit := range book.List("", "", 0) {
			for _, said := range append([]string{hit.UserAgent}, hit.Carried...) {
				if strings.Contains(said, "secret-value") {
					t.Errorf("a secret was kept: %+v", hit)
				}
			}
			if len(hit.ClientID) > 200 || len(hit.Fault) > 8 || len(hit.What) > 40 {
				t.Errorf("unbounded: %+v", hit)
			}
		}
		book.Forget("")
	})
}

type zero struct{}

func (zero) Read(b []byte) (int, error) { return len(b), nil }

func TestWhatIsCarriedIsNamedAndItsValueIsGone(t *testing.T) {
	r := httptest.NewRequest("POST", "/canary/E03/token", strings.NewReader(url.Values{"code": {"v"}, "client_secret": {"v"}, "code_verifier": {"v"}, "refresh_token": {""}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("a%20portal", "v")
	r.Header.Set("Cookie", "session=v")
	h := hitOf(r.WithContext(vneid.WithWorld(r.Context(), &vneid.World{Clock: vneid.SystemClock{}})), "E03", "token")
	if got := strings.Join(h.Carried, " "); got != "client_secret code code_verifier cookie" || h.ClientID != "a portal" || h.Browser {
		t.Errorf("%+v", h)
	}
}
