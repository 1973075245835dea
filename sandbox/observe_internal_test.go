package sandbox

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestPathsAreLoggedWithoutIdsAndNumbers(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/authorize": "/authorize", "/oauth/token": "/oauth/token", "/end_session": "/end_session",
		"/.well-known/openid-configuration": "/.well-known/openid-configuration",
		"/login/Jk3_x-9qVbE2Lr0aZt7Pyw/otp": "/login/{id}/otp",
		"/api/v1/personas/038090000001":     "/api/v1/personas/{id}",
		"/api/v1/clients/thanhhoa-portal":   "/api/v1/clients/thanhhoa-portal",
		"/assets/style.0123456789ab.css":    "/assets/{id}",
		"/Sandbox@2024":                     "/{id}",
		"/Q/SSC6VLDDYPAXKLT5N6C2M":          "/{id}/{id}",
		"/a\nb":                             "/{id}",
		"//x":                               "//x",
		"/" + strings.Repeat("a", 25):       "/{id}",
		"/w/abc/authorize":                  "/w/{id}/authorize",
		"/api/v1/w/abc/sms":                 "/w/{id}/api/v1/sms",
		"/" + strings.Repeat("a/", 500):     "/" + strings.Repeat("a/", 99) + "a",
		"/đăng-nhập":                        "/{id}",
	} {
		if got := maskPath(path); got != want {
			t.Errorf("maskPath(%.40q) = %.60q, want %.60q", path, got, want)
		}
	}
}

func TestTheNumberOfTimeSeriesDoesNotGrowWithWhatIsAsked(t *testing.T) {
	for path, want := range map[string]string{
		"/login/abc/otp": "/login", "/api/v1/personas/038090000001": "/api/v1/personas", "/": "/",
		"/xyz": "other", "/loginx": "other", "/api/v1/xyz": "other",
		"/w/abc/authorize": "/authorize", "/api/v1/w/abc/sms": "/api/v1/sms", "/w/abc": "/",
	} {
		if got := routeClass(path, http.StatusOK); got != want {
			t.Errorf("%s counts as %s, want %s", path, got, want)
		}
	}
	if got := routeClass("/login/xyz", http.StatusNotFound); got != "other" {
		t.Errorf("a page that is not there counts as %s", got)
	}
}

func TestAPanicBecomesAnAnswerWithTheRequestIdOfTheLog(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	o := &observer{listener: "sandbox", log: logger, metrics: metrics.NewSet(), rand: rand.Reader, clock: vneid.SystemClock{}, pages: &pages{log: logger}}
	h := o.around(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") }))
	for accept, wantType := range map[string]string{"text/html": "text/html; charset=utf-8", "*/*": "application/problem+json"} {
		r := httptest.NewRequest("GET", "/x", nil)
		r = r.WithContext(vneid.WithWorld(r.Context(), &vneid.World{ID: vneid.DefaultWorld}))
		r.Header.Set("Accept", accept)
		r.Header.Set("X-Request-Id", "forged")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		id := w.Header().Get("X-Request-Id")
		if w.Code != 500 || w.Header().Get("Content-Type") != wantType || !strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "broken") {
			t.Errorf("%s: %d %v\n%.300s", accept, w.Code, w.Header(), w.Body)
		}
		if strings.Count(log.String(), id) != 2 || strings.Contains(log.String(), "forged") {
			t.Errorf("%s: the log does not know %s:\n%s", accept, id, &log)
		}
	}
}

func TestAPanicAfterTheFirstByteCutsTheAnswerOff(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	o := &observer{listener: "sandbox", log: logger, metrics: metrics.NewSet(), rand: rand.Reader, clock: vneid.SystemClock{}, pages: &pages{log: logger}}
	s := httptest.NewServer(o.around(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("half"))
		panic("broken")
	})))
	defer s.Close()
	resp, err := s.Client().Get(s.URL)
	if err == nil {
		defer resp.Body.Close()
		var rest bytes.Buffer
		_, err = rest.ReadFrom(resp.Body)
	}
	if err == nil {
		t.Error("half an answer looks like a whole one")
	}
}

func TestOtherMachinesAreRefusedWithoutAToken(t *testing.T) {
	g := newGuard(&Config{}, nil, nil)
	for peer, refused := range map[string]bool{
		"127.0.0.1:1000": false, "[::1]:1000": false, "[::ffff:127.0.0.1]:1000": false,
		"192.168.1.5:1000": true, "[fe80::1%eth0]:1000": true, "[2001:db8::1]:1": true, "": true, "pipe": true,
	} {
		r := httptest.NewRequest("GET", "http://localhost:9997/api/v1/sms", nil)
		r.RemoteAddr = peer
		why := g.untrusted(r)
		if (why != nil) != refused {
			t.Errorf("peer %q: refused %v, want %v", peer, why != nil, refused)
		}
		if why != nil && (why.status != 403 || !strings.Contains(why.technical, "VNEID_SANDBOX_TOKEN")) {
			t.Errorf("peer %q: %+v", peer, why)
		}
	}
}
