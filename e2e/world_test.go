//go:build e2e || browser

// Package e2e_test looks at the programs from outside, as a citizen, a portal developer, a CI job or an attacker would:
// it builds the two binaries, starts them on free loopback ports with a database in a temporary folder, and talks HTTP.
// What it expects is the published contract (names, texts, ports, status codes). It imports nothing of this module.
package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is one running provider with its sandbox and, when asked for, the portal.
type world struct {
	Issuer, Sandbox, Portal string

	dir               string
	listener          string // the provider's own address; another than the issuer's behind a proxy
	path              string // of a world that was made, below every address: /w/abc
	tls, ca           string // what --tls says, "" = plain http, and a PEM file with whom to trust for it
	log               *output
	provider, portal  *process
	providerArgs, env []string
	portalEnv         []string
	program           string   // the portal's, when it is another build
	portalSays        []string // environment of that build
	http              *http.Client

	mu      sync.Mutex
	secrets map[string]string   // what must never be logged → what it is
	flagged map[string]struct{} // complaints about pages already made
}

type option func(*setup)

type setup struct {
	portal   bool
	program  string
	says     []string
	tls, ca  string // what --tls says, and who vouches for it
	database string
	issuer   string
	log      *output
	args     []string
	env      []string
}

func withPortal(s *setup) { s.portal = true }
func withBuild(program string, env ...string) option {
	return func(s *setup) { s.portal, s.program, s.says = true, program, env }
}
func withArgs(args ...string) option { return func(s *setup) { s.args = append(s.args, args...) } }
func withEnv(env ...string) option   { return func(s *setup) { s.env = append(s.env, env...) } }

// newWorld starts a world and stops it when the test ends: SIGTERM, exit code 0, and nothing secret in the logs.
func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	var s setup
	for _, o := range options {
		o(&s)
	}
	listen, sandboxListen := fmt.Sprintf("localhost:%d", freePort(t)), fmt.Sprintf("localhost:%d", freePort(t))
	scheme, dir := "http://", t.TempDir()
	if s.tls != "" {
		scheme = "https://"
		s.args = append(s.args, "--tls", s.tls)
		s.ca = cmp.Or(s.ca, filepath.Join(dir, "ca.pem"))
	}
	w := &world{
		Issuer:     cmp.Or(s.issuer, scheme+listen),
		Sandbox:    scheme + sandboxListen,
		dir:        dir,
		listener:   scheme + listen,
		tls:        s.tls,
		ca:         s.ca,
		log:        cmp.Or(s.log, &output{}),
		env:        s.env,
		program:    s.program,
		portalSays: s.says,
		http: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 8},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       90 * time.Second,
		},
		secrets: map[string]string{},
		flagged: map[string]struct{}{},
	}
	w.providerArgs = append([]string{
		"serve", "--listen", listen, "--issuer", w.Issuer,
		"--sandbox-listen", sandboxListen, "--sandbox-url", w.Sandbox,
		"--database", cmp.Or(s.database, "sqlite:"+filepath.Join(w.dir, "sandbox.db")), "--seed", "default", "--data", w.dir,
	}, s.args...)
	w.secret("the personas' password", password)
	w.secret("the client's secret", "thanhhoa-portal-secret")
	w.secret("the client's secret", "my-portal-secret")
	for _, p := range personas {
		w.secret("a whole CCCD", p.CCCD)
	}
	t.Cleanup(func() { w.stop(t) })
	w.startProvider(t)
	if s.portal {
		w.startPortal(t)
	}
	return w
}

func (w *world) startProvider(t *testing.T) {
	t.Helper()
	w.provider = startProcess(t, w.log, w.dir, sandboxBin, w.env, w.providerArgs...)
	if w.tls != "" {
		w.trust(t, w.provider, w.ca)
	}
	w.waitReady(t, w.provider, w.listener+"/ready")
	w.waitReady(t, w.provider, w.Sandbox+"/sms")
}

// startPortal tells the provider where the portal lives in this world, then starts it.
func (w *world) startPortal(t *testing.T) {
	t.Helper()
	listen := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	w.Portal = "http://" + listen
	if w.tls != "" {
		w.Portal = "https://" + listen
	}
	w.admitPortal(t)
	w.portalEnv = []string{
		"PORTAL_LISTEN=" + listen, "PORTAL_URL=" + w.Portal, "PORTAL_ISSUER=" + w.Issuer,
		"PORTAL_DANCU_URL=" + w.Sandbox + "/dancu", "PORTAL_DATABASE=sqlite:" + filepath.Join(w.dir, "portal.db"),
	}
	if w.tls != "" {
		w.portalEnv = append(w.portalEnv, "PORTAL_TLS="+w.tls, "PORTAL_CA="+w.ca)
	}
	w.portalEnv = append(w.portalEnv, w.portalSays...)
	w.portal = startProcess(t, w.log, w.dir, cmp.Or(w.program, portalBin), w.portalEnv)
	if w.tls == "auto" {
		w.trust(t, w.portal, filepath.Join(w.dir, "portal-cert.pem"))
	}
	w.waitReady(t, w.portal, w.Portal+"/")
}

// admitPortal: the seeded client knows port 9999 only, which stories that play the portal themselves use on.
func (w *world) admitPortal(t *testing.T) {
	t.Helper()
	w.api(t, http.StatusOK, "PATCH", "/clients/thanhhoa-portal", map[string]any{
		"redirect_uris":             []string{w.Portal + "/callback", seededPortal.Redirect},
		"post_logout_redirect_uris": []string{w.Portal + "/"},
	}, nil)
}

func (w *world) waitReady(t *testing.T, p *process, url string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(15 * time.Millisecond) {
		if p.ended() {
			t.Fatalf("%s ended before it was ready: %v\n%s", p.name, p.cmd.ProcessState, w.log)
		}
		if res, err := w.http.Get(url); err == nil {
			res.Body.Close()
			if res.StatusCode < 500 {
				return
			}
		}
	}
	t.Fatalf("%s is not ready after 30 s: %s does not answer\n%s", p.name, url, w.log)
}

// stop ends the world; a failed story prints what the programs said.
func (w *world) stop(t *testing.T) {
	for _, p := range []*process{w.portal, w.provider} {
		if p != nil {
			p.terminate(t)
		}
	}
	w.http.CloseIdleConnections()
	w.checkLogs(t)
	if t.Failed() {
		t.Logf("what the programs of this world printed:\n%s", w.log)
	}
}

// secret remembers a value that no log of this world may contain.
func (w *world) secret(what, value string) string {
	if value != "" {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.secrets[value] = what
	}
	return value
}

// checkLogs is the canary: passwords, OTPs, codes, tokens, secrets and whole CCCDs stay out of the logs.
func (w *world) checkLogs(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log.Log()
	for value, what := range w.secrets {
		if line := lineWith(log, value); line != "" {
			t.Errorf("the log holds %s (%q): %s", what, value, line)
		}
	}
}

func lineWith(log, secret string) string {
	found := strings.Index(log, secret)
	if found < 0 {
		return ""
	}
	if len(secret) <= 6 {
		// An OTP is only six digits: not every run of six digits (a fraction of a second, a port) is one.
		loc := regexp.MustCompile(`(^|[^0-9.])` + secret + `($|[^0-9.])`).FindStringIndex(log)
		if loc == nil {
			return ""
		}
		found = loc[0] + 1
	}
	from := strings.LastIndexByte(log[:found], '\n') + 1
	to := len(log)
	if i := strings.IndexByte(log[found:], '\n'); i >= 0 {
		to = found + i
	}
	return log[from:to]
}

// api calls the automation API, wants the given status, and decodes the answer into out unless it is nil.
func (w *world) api(t *testing.T, want int, method, path string, body, out any) []byte {
	t.Helper()
	status, raw := w.apiRaw(t, method, path, body, nil)
	if status != want {
		t.Fatalf("%s /api/v1%s answered %d, want %d: %s", method, path, status, want, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			t.Fatalf("%s /api/v1%s: %v in %s", method, path, err, raw)
		}
	}
	return raw
}

func (w *world) apiRaw(t *testing.T, method, path string, body any, header http.Header) (int, []byte) {
	t.Helper()
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, strings.TrimSuffix(w.Sandbox, w.path)+"/api/v1"+w.path+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header[k] = v
	}
	res, raw := w.do(t, req)
	return res.StatusCode, raw
}

// do sends one request and reads the whole answer, of at most 4 MiB.
func (w *world) do(t *testing.T, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	res, err := w.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	return res, raw
}

// advance moves the clock of this world.
func (w *world) advance(t *testing.T, d string) {
	t.Helper()
	w.api(t, http.StatusOK, "POST", "/clock", map[string]string{"advance": d}, nil)
}

// now is what the world takes the time to be.
func (w *world) now(t *testing.T) time.Time {
	t.Helper()
	var answer struct {
		Now time.Time `json:"now"`
	}
	w.api(t, http.StatusOK, "GET", "/clock", nil, &answer)
	return answer.Now
}

// sms is one message in the inbox.
type sms struct {
	ID     any       `json:"id"`
	To     string    `json:"to"`
	Text   string    `json:"text"`
	OTP    string    `json:"otp"`
	SentAt time.Time `json:"sent_at"`
}

// inbox lists what a number received, newest first.
func (w *world) inbox(t *testing.T, phone string) []sms {
	t.Helper()
	var list []sms
	w.api(t, http.StatusOK, "GET", "/sms?to="+phone, nil, &list)
	for _, m := range list {
		w.secret("an OTP", m.OTP)
	}
	return list
}

// awaitSMS waits until a number has received more than so many messages and returns the newest.
func (w *world) awaitSMS(t *testing.T, phone string, moreThan int) sms {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if list := w.inbox(t, phone); len(list) > moreThan {
			if len(list[0].OTP) != 6 {
				t.Fatalf("the SMS has the OTP %q, want six digits", list[0].OTP)
			}
			return list[0]
		}
	}
	t.Fatalf("%s received no new SMS within 10 s", phone)
	return sms{}
}
