//go:build e2e && postgres

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"
)

// withIssuer tells a provider that browsers and portals know it by another address than the one it listens on.
func withIssuer(issuer string) option { return func(s *setup) { s.issuer = issuer } }

// withLogOf lets a world print where another prints, so that one canary looks at both.
func withLogOf(w *world) option { return func(s *setup) { s.log = w.log } }

// roundRobin is what stands before several servers: every request goes to the next one. Requests of each method take turns
// by themselves, or forms would always meet one server and the pages that follow them the other.
type roundRobin struct {
	URL string

	mu      sync.Mutex
	servers []string
	down    map[string]time.Time // when a server failed last; it gets a second's rest
	turns   map[string]int
	trail   []string // METHOD PATH SERVER of what was answered
	lost    []string // METHOD PATH of what a server died over
}

func newRoundRobin(t *testing.T) *roundRobin {
	t.Helper()
	rr := &roundRobin{turns: map[string]int{}, down: map[string]time.Time{}}
	listener, err := net.Listen("tcp", fmt.Sprintf("localhost:%d", freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	rr.URL = "http://localhost:" + fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: &httputil.ReverseProxy{
		Transport: rr,
		Rewrite:   func(*httputil.ProxyRequest) {}, // the host stays, RoundTrip chooses the address
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	}}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return rr
}

func (rr *roundRobin) put(servers ...string) {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	for _, s := range servers {
		rr.servers = append(rr.servers, strings.TrimPrefix(s, "http://"))
	}
}

func (rr *roundRobin) next(method string) string {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	for range rr.servers {
		server := rr.servers[rr.turns[method]%len(rr.servers)]
		rr.turns[method]++
		if time.Since(rr.down[server]) > time.Second {
			return server
		}
	}
	return rr.servers[0]
}

func (rr *roundRobin) failed(server string) {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	rr.down[server] = time.Now()
}

// oneShot keeps no connections: where nobody listens any more, that shows before anything was sent.
var oneShot = &http.Transport{DisableKeepAlives: true, DisableCompression: true}

// RoundTrip goes on to the next server where nobody listens. What a server died over is not sent again: nobody but the
// caller knows whether that is safe.
func (rr *roundRobin) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	var err error
	for range 2 * len(rr.servers) {
		out := req.Clone(req.Context())
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if len(body) == 0 {
			out.Body = http.NoBody
		}
		out.URL.Scheme, out.URL.Host = "http", rr.next(req.Method)
		var res *http.Response
		if res, err = oneShot.RoundTrip(out); err == nil {
			var raw []byte
			if raw, err = io.ReadAll(res.Body); err == nil {
				res.Body.Close()
				res.Body = io.NopCloser(bytes.NewReader(raw))
				rr.note(&rr.trail, req.Method+" "+req.URL.Path+" "+out.URL.Host)
				return res, nil
			}
		}
		rr.failed(out.URL.Host)
		var dial *net.OpError
		if !errors.As(err, &dial) || dial.Op != "dial" {
			break
		}
	}
	rr.note(&rr.lost, req.Method+" "+req.URL.Path)
	return nil, err
}

func (rr *roundRobin) note(list *[]string, line string) {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	*list = append(*list, line)
}

// walked returns what was answered since the last call.
func (rr *roundRobin) walked() []string {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	trail := rr.trail
	rr.trail = nil
	return trail
}

// patient is a transport that sends a request once more when the answer to it was lost: a person who presses reload, a
// program that retries.
type patient struct{ http.RoundTripper }

func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	for try := 0; ; try++ {
		out := req.Clone(req.Context())
		if req.Body != nil {
			out.Body = io.NopCloser(bytes.NewReader(body))
		}
		res, err := p.RoundTripper.RoundTrip(out)
		if err != nil || res.StatusCode != http.StatusBadGateway || try == 1 {
			return res, err
		}
		res.Body.Close()
		time.Sleep(50 * time.Millisecond)
	}
}
