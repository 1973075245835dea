package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/console"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// requestID is the header with the id of a request: on the answer, and on the
// request as handlers see it, so that pages and log lines can show it.
const requestID = "X-Request-Id"

// Headers of every answer, written without Header.Set, which makes a list for
// each. A ninth header makes the map of an answer a larger and slower one: what
// machines ask for thousands of times has eight.
var (
	noindex    = []string{"noindex"}
	nosniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
)

func newLogger(c *Config, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(c.LogOutput, options))
	}
	return slog.New(slog.NewTextHandler(c.LogOutput, options))
}

// LibraryLogger is for slog.SetDefault: libraries log there, in the format of
// the rest, and only failures. A refused request of a client is a warning to
// zitadel/oidc; op has logged it already, with its hint.
func (c *Config) LibraryLogger() *slog.Logger { return newLogger(c, slog.LevelError) }

// observer sees every request of a listener: it names it, counts it, logs one
// line at its end, and turns a panic into an answer. It logs no query, no
// header and no body: that is where the secrets are.
type observer struct {
	listener string // "provider", "sandbox"
	log      *slog.Logger
	metrics  *metrics.Set
	rand     vneid.Rand
	clock    vneid.Clock // of the machine: how long something took is no matter of a world
	pages    *pages
	series   sync.Map // seriesKey → *series
}

func (o *observer) around(next http.Handler) http.Handler {
	lines := o.log.Handler().WithAttrs([]slog.Attr{slog.String("listener", o.listener)})
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := o.clock.Now()
		w := &answer{ResponseWriter: rw}
		id := vneid.NewID(o.rand)
		named := []string{id}
		r.Header[requestID] = named // never the caller's: it would forge log lines
		h := w.Header()
		h[requestID] = named
		h["X-Robots-Tag"] = noindex
		h["X-Content-Type-Options"] = nosniff
		h["Referrer-Policy"] = noReferrer
		defer func() {
			broken := recover()
			if broken != nil {
				o.recovered(w, r, broken)
			}
			end := o.clock.Now()
			took := end.Sub(start)
			class := routeClass(r.URL.Path, w.status)
			s := o.seriesOf(class, w.status)
			s.requests.Inc()
			s.seconds.Update(took.Seconds())
			level := slog.LevelInfo
			switch {
			case w.status >= 500:
				level = slog.LevelError
			case class == "/healthz" || class == "/ready" || class == "/metrics" || class == "/assets":
				level = slog.LevelDebug // machines ask every second
			}
			what := "request"
			if w.taken {
				what = "stream begun" // and nothing is known of its end
			}
			if lines.Enabled(r.Context(), level) {
				line := slog.NewRecord(end, level, what, 0) // by itself a logger looks up who called, which nobody prints
				line.AddAttrs(slog.String("method", plainMethod(r.Method)),
					slog.String("path", maskPath(r.URL.Path)), slog.Int("status", w.status), slog.Float64("ms", float64(took.Microseconds())/1000),
					slog.Int64("bytes", w.bytes), slog.String("request_id", id))
				_ = lines.Handle(r.Context(), line) // as a logger does
			}
			if broken != nil && w.aborted {
				panic(http.ErrAbortHandler) // the rest of the answer can only be cut off
			}
		}()
		next.ServeHTTP(w, r)
		if w.status == 0 {
			w.status = http.StatusOK // what net/http sends for a handler that wrote nothing
		}
	})
}

// series are the metrics of one kind of answer.
type series struct {
	requests *metrics.Counter
	seconds  *metrics.Summary
}

type seriesKey struct {
	class  string
	status int
}

// seriesOf finds them without building their names each time, which would cost
// as much as answering from memory does.
func (o *observer) seriesOf(class string, status int) *series {
	key := seriesKey{class, status}
	if s, ok := o.series.Load(key); ok {
		return s.(*series)
	}
	s, _ := o.series.LoadOrStore(key, &series{
		requests: o.metrics.GetOrCreateCounter(fmt.Sprintf(`vneid_http_requests_total{listener=%q,route=%q,status="%d"}`, o.listener, class, status)),
		seconds:  o.metrics.GetOrCreateSummary(fmt.Sprintf(`vneid_http_request_seconds{listener=%q,route=%q}`, o.listener, class)),
	})
	return s.(*series)
}

// recovered answers for a handler that panicked.
func (o *observer) recovered(w *answer, r *http.Request, broken any) {
	w.aborted = w.status != 0
	if err, ok := broken.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		w.aborted = true
		return
	}
	o.log.ErrorContext(r.Context(), "panic", "request_id", r.Header.Get(requestID), "panic", fmt.Sprint(broken), "stack", string(debug.Stack()))
	if w.aborted {
		return
	}
	if !wantsPage(r) {
		p := api.Refuse(http.StatusInternalServerError, "a mistake of the sandbox, not of the request; its log says more under this request_id")
		p.RequestID = r.Header.Get(requestID)
		p.Write(w)
		return
	}
	v := templates.Problem(o.pages.frame(w, r), "internal")
	v.Status, v.RequestID = http.StatusInternalServerError, r.Header.Get(requestID)
	o.pages.show(w, r, v.Status, v)
}

// answer counts what goes out.
type answer struct {
	http.ResponseWriter
	status  int
	bytes   int64
	aborted bool
	taken   bool // the handler took the connection: the answer goes on behind our back
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Hijack notes that the answer is beyond us from now on.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil {
		a.taken, a.status = true, http.StatusOK // what the only one who does this answers: a stream of events
	}
	return conn, buffers, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// plainSegment reports whether a path segment is one that somebody chose, not a
// random one, and names nobody.
func plainSegment(s string) bool {
	name := strings.TrimPrefix(s, ".")
	for _, ending := range []string{".css", ".js", ".svg", ".html", ".pem"} {
		if before, ok := strings.CutSuffix(name, ending); ok {
			name = before
			break
		}
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return s == "v1"
		}
	}
	return name != "" && len(name) <= 24
}

// maskPath is a path without what may be an id, a number or a secret.
func maskPath(path string) string {
	if id, rest := splitWorld(path); id != vneid.DefaultWorld {
		return vneid.WorldPrefix + "{id}" + maskPath(rest)
	}
	if slices.Contains(routeClasses, path) {
		return path
	}
	if len(path) > 200 {
		path = path[:200]
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s != "" && !plainSegment(s) {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}

// routeClasses keep the number of time series small, whatever is asked for.
var routeClasses = []string{
	"/.well-known/openid-configuration", "/authorize", "/oauth/token", "/oauth/introspect", "/userinfo", "/keys", "/revoke",
	"/end_session", "/login", "/healthz", "/ready", "/metrics", "/assets", "/sms", "/phoneapi", "/dancu", phone.Prefix, phone.CodePath, console.Prefix, caPath, signInPath,
	"/api/v1/personas", "/api/v1/sms", "/api/v1/clients", "/api/v1/phones", "/api/v1/clock", "/api/v1/reset", "/api/v1/logins", "/api/v1/lint", "/api/v1/worlds",
}

func routeClass(path string, status int) string {
	_, path = splitWorld(path) // worlds share their series
	if path == "/" {
		return "/"
	}
	if strings.HasPrefix(path, "/login/") && strings.HasSuffix(path, "/events") && status == http.StatusOK {
		return "/login/events" // over TLS they last as long as somebody waits: not to be mixed with pages
	}
	if status != http.StatusNotFound || strings.HasPrefix(path, "/api/v1/") {
		for _, class := range routeClasses {
			if rest, ok := strings.CutPrefix(path, class); ok && (rest == "" || rest[0] == '/') {
				return class
			}
		}
	}
	return "other"
}

func plainMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// health serves the three routes for machines; the rest goes to next with its
// path untouched (a mux around it would clean and redirect paths).
func health(store vneid.Store, set *metrics.Set, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { plainText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		if err := store.Ping(r.Context()); err != nil {
			w.Header().Set("Retry-After", "1")
			plainText(w, http.StatusServiceUnavailable, "the database does not answer\n")
			return
		}
		plainText(w, http.StatusOK, "ready\n")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		set.WritePrometheus(&text)
		metrics.WriteProcessMetrics(&text)
		plainText(w, http.StatusOK, text.String())
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz", "/ready", "/metrics":
			mux.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func plainText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
