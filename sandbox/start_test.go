package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// logBuffer keeps what is logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a whole sandbox on free ports until the test ends.
func start(t *testing.T, change func(*sandbox.Config)) (*sandbox.Running, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	c := sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: "sqlite::memory:", CheapHashes: true, LogOutput: log}
	if change != nil {
		change(&c)
	}
	r, err := sandbox.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r, log
}

// client keeps cookies out and follows no redirect, so that each answer shows.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 30 * time.Second}

// send makes a request with headers "Name: value"; a header "Host" is the host.
func send(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		} else {
			req.Header.Set(name, value)
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestStartGivesDiscoveryPeopleAndAnInbox(t *testing.T) {
	r, _ := start(t, nil)
	_, discovery := send(t, "GET", r.Issuer+"/.well-known/openid-configuration", "")
	var d struct{ Issuer string }
	if err := json.Unmarshal([]byte(discovery), &d); err != nil || d.Issuer != r.Issuer {
		t.Errorf("discovery says issuer %q (%v), want %q", d.Issuer, err, r.Issuer)
	}
	for url, want := range map[string]string{
		r.SandboxURL + "/":                "Nguyễn Văn An",
		r.SandboxURL + "/?lang=en":        "Open the SMS inbox",
		r.SandboxURL + "/sms":             "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT",
		r.SandboxURL + "/api/v1/personas": `"cccd":"038090000001"`,
		r.SandboxURL + "/api/v1/sms":      "[]",
		r.Issuer + "/healthz":             "ok",
		r.Issuer + "/ready":               "ready",
		r.Issuer + "/metrics":             `vneid_http_requests_total{listener="sandbox",route="/sms",status="200"} 1`,
	} {
		if strings.HasSuffix(url, "/metrics") {
			continue // after the others, below
		}
		resp, body := send(t, "GET", url, "")
		if resp.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d without %q:\n%.300s", url, resp.StatusCode, want, body)
		}
		if resp.Header.Get("X-Robots-Tag") != "noindex" || resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: headers %v", url, resp.Header)
		}
	}
	if _, body := send(t, "GET", r.Issuer+"/metrics", ""); !strings.Contains(body, `vneid_http_requests_total{listener="sandbox",route="/sms",status="200"} 1`) || !strings.Contains(body, "process_resident_memory_bytes") {
		t.Errorf("metrics:\n%.2000s", body)
	}
	if r.Example == nil || r.Example.CCCD != "038090000001" || r.Password == "" {
		t.Errorf("example %+v", r.Example)
	}
}

func TestPagesCarryTheirHeadersAndErrorsArePages(t *testing.T) {
	r, _ := start(t, nil)
	for path, status := range map[string]int{"/": 200, "/sms": 200, "/sms?to=0950000001": 200, "/sms?to=%3Cscript%3E": 200, "/nothing": 404} {
		resp, body := send(t, "GET", r.SandboxURL+path, "", "Accept: text/html")
		if resp.StatusCode != status || !strings.Contains(body, "MÔI TRƯỜNG THỬ NGHIỆM") || strings.Contains(body, "<script>") {
			t.Errorf("%s: %d\n%.200s", path, resp.StatusCode, body)
		}
		if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", path, resp.Header)
		}
	}
	if resp, _ := send(t, "POST", r.SandboxURL+"/sms", "", "Content-Type: application/json"); resp.StatusCode != 405 || resp.Header.Get("Allow") == "" {
		t.Errorf("POST /sms: %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
	resp, body := send(t, "GET", r.SandboxURL+"/?lang=en", "")
	if c := resp.Header.Get("Set-Cookie"); !strings.HasPrefix(c, "console_default_lang=en;") || !strings.Contains(body, `lang="en"`) {
		t.Errorf("the language is not remembered: %q", c)
	}
}

func TestLocalhostAnswersOnBothAddressesWithOnePort(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.Listen = "localhost:0" })
	u, err := url.Parse(r.Issuer)
	if err != nil || u.Hostname() != "localhost" {
		t.Fatalf("issuer %s: %v", r.Issuer, err)
	}
	hosts := []string{"127.0.0.1", "localhost"}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		l.Close()
		hosts = append(hosts, "[::1]")
	}
	for _, host := range hosts {
		if resp, _ := send(t, "GET", "http://"+host+":"+u.Port()+"/healthz", ""); resp.StatusCode != 200 {
			t.Errorf("%s: %d", host, resp.StatusCode)
		}
	}
}

func TestATakenPortNamesTheFlagThatWantsIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = sandbox.Start(t.Context(), sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: l.Addr().String(), Database: "sqlite::memory:", CheapHashes: true, LogOutput: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "--sandbox-listen "+l.Addr().String()) || !strings.Contains(err.Error(), "VNEID_SANDBOX_SANDBOX_LISTEN") {
		t.Errorf("got %v", err)
	}
}

func TestARestartKeepsClockClientsAndSubjects(t *testing.T) {
	file := "sqlite:" + filepath.Join(t.TempDir(), "sandbox.db")
	run := func() (*sandbox.Running, func()) {
		r, err := sandbox.Start(t.Context(), sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: file, CheapHashes: true, LogOutput: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		return r, func() {
			if err := r.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, stop := run()
	const json = "Content-Type: application/json"
	send(t, "POST", r.SandboxURL+"/api/v1/clock", `{"set":"2031-01-01T00:00:00Z"}`, json)
	if resp, body := send(t, "POST", r.SandboxURL+"/api/v1/clients", `{"client_id":"kept","redirect_uris":["http://localhost/cb"]}`, json); resp.StatusCode != 201 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	stop()
	r, stop = run()
	defer stop()
	if _, body := send(t, "GET", r.SandboxURL+"/api/v1/clock", ""); !strings.Contains(body, `"2031-01-01T00:0`) {
		t.Errorf("the clock stands at %s", body)
	}
	if resp, _ := send(t, "GET", r.SandboxURL+"/api/v1/clients/kept", ""); resp.StatusCode != 200 {
		t.Errorf("the client is gone: %d", resp.StatusCode)
	}
}

func TestClientsOfTheConfigurationAreThereAfterAReset(t *testing.T) {
	c, err := sandbox.ParseServe([]string{"--config", write(t, "clients:\n- {client_id: shop, client_secret: a-long-secret, redirect_uris: [http://localhost/cb]}\n")}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := start(t, func(into *sandbox.Config) { into.Clients, into.Seed = c.Clients, "none" })
	for range 2 {
		_, body := send(t, "GET", r.SandboxURL+"/api/v1/clients", "")
		if !strings.Contains(body, `"client_id":"shop"`) || strings.Contains(body, "a-long-secret") || strings.Contains(body, "my-portal") {
			t.Errorf("clients %s", body)
		}
		if resp, body := send(t, "POST", r.SandboxURL+"/api/v1/reset", "", "Content-Type: application/json"); resp.StatusCode != 200 {
			t.Fatalf("reset: %d %s", resp.StatusCode, body)
		}
	}
}

func TestStoppingEndsWaitingRequestsFirst(t *testing.T) {
	r, _ := start(t, nil)
	answered := make(chan string, 1)
	go func() {
		resp, err := client.Get(r.SandboxURL + "/api/v1/sms?to=0950000001&wait=25s")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	time.Sleep(200 * time.Millisecond) // until it waits
	begin := time.Now()
	if err := r.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if got := strings.TrimSpace(<-answered); got != "[]" {
		t.Errorf("the waiting request got %q", got)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
}

func TestConnectionsThatBrowsersOpenAheadDoNotDelayStopping(t *testing.T) {
	r, _ := start(t, nil)
	ahead, err := net.Dial("tcp", strings.TrimPrefix(r.Issuer, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer ahead.Close()
	send(t, "GET", r.Issuer+"/healthz", "") // so that the other has been accepted
	begin := time.Now()
	if err := r.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
}

func TestTheEndOfTheContextStopsTheSandbox(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, err := sandbox.Start(ctx, sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: "sqlite::memory:", CheapHashes: true, LogOutput: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := r.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := client.Get(r.Issuer + "/healthz"); err == nil {
		t.Error("it still answers")
	}
}

func TestOversizedHeadersAndBodiesAreRefused(t *testing.T) {
	r, _ := start(t, nil)
	if resp, _ := send(t, "GET", r.Issuer+"/healthz", "", "X-Long: "+strings.Repeat("x", 64<<10)); resp.StatusCode != 431 {
		t.Errorf("64 KiB of headers: %d", resp.StatusCode)
	}
	if resp, _ := send(t, "POST", r.SandboxURL+"/api/v1/clients", `{"client_name":"`+strings.Repeat("x", 65<<10)+`"}`, "Content-Type: application/json"); resp.StatusCode != 413 {
		t.Errorf("65 KiB for the API: %d", resp.StatusCode)
	}
}

func TestNoSecretIsEverLogged(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			const token = "canary-token-0123456789"
			r, log := start(t, func(c *sandbox.Config) { c.Token, c.LogFormat = token, format })
			bearer, js := "Authorization: Bearer "+token, "Content-Type: application/json"
			_, body := send(t, "POST", r.SandboxURL+"/api/v1/clients", `{"client_name":"canary","redirect_uris":["http://localhost/cb"]}`, bearer, js)
			var made struct {
				ClientID     string `json:"client_id"`
				ClientSecret string `json:"client_secret"`
			}
			if err := json.Unmarshal([]byte(body), &made); err != nil || made.ClientSecret == "" {
				t.Fatalf("%v: %s", err, body)
			}
			// A sign-in up to the one-time password.
			resp, body := send(t, "GET", r.Issuer+"/authorize?response_type=code&scope=openid&state=canary-state&client_id="+made.ClientID+"&redirect_uri=http%3A%2F%2Flocalhost%2Fcb", "")
			if resp.StatusCode != http.StatusFound && resp.StatusCode != http.StatusSeeOther {
				t.Fatalf("authorize: %d %.300s", resp.StatusCode, body)
			}
			otp := signInUntilOTP(t, r, resp)
			send(t, "GET", r.SandboxURL+"/api/v1/personas/038090000001", "", bearer)
			send(t, "GET", r.SandboxURL+"/api/v1/personas?q=038090000001", "", bearer)
			send(t, "GET", r.SandboxURL+"/038090000001/"+made.ClientSecret, "", bearer)
			send(t, "POST", r.SandboxURL+"/sign-in", "token="+token, "Content-Type: application/x-www-form-urlencoded")
			send(t, "POST", r.Issuer+"/oauth/token", "grant_type=authorization_code&code=canary-code&client_id="+made.ClientID+"&client_secret="+made.ClientSecret, "Content-Type: application/x-www-form-urlencoded")
			if err := r.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			text := log.String()
			if strings.Count(text, "request_id") < 8 {
				t.Fatalf("hardly anything was logged:\n%s", text)
			}
			for what, secret := range map[string]string{"token": token, "client secret": made.ClientSecret, "number": "038090000001",
				"password": "Sandbox@2024", "code": "canary-code", "state": "canary-state", "one-time password": otp} {
				if i := strings.Index(text, secret); i >= 0 {
					t.Errorf("the %s stands in the log: …%s…", what, text[max(0, i-150):min(len(text), i+50)])
				}
			}
		})
	}
}

// signInUntilOTP follows a new login with An's password and returns the
// one-time password that arrived.
func signInUntilOTP(t *testing.T, r *sandbox.Running, authorize *http.Response) string {
	t.Helper()
	cookies := map[string]string{}
	keep := func(resp *http.Response) string {
		for _, c := range resp.Cookies() {
			cookies[c.Name] = c.Value
		}
		var list []string
		for name, value := range cookies {
			list = append(list, name+"="+value)
		}
		return "Cookie: " + strings.Join(list, "; ")
	}
	at, err := authorize.Location()
	if err != nil {
		t.Fatal(err)
	}
	resp, page := send(t, "GET", at.String(), "", keep(authorize))
	form := url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}}
	_, after, ok := strings.Cut(page, `action="`)
	action, _, _ := strings.Cut(after, `"`)
	if !ok {
		t.Fatalf("no form on the login page (%d):\n%.500s", resp.StatusCode, page)
	}
	target, err := at.Parse(strings.ReplaceAll(action, "&amp;", "&"))
	if err != nil {
		t.Fatal(err)
	}
	send(t, "POST", target.String(), form.Encode(), "Content-Type: application/x-www-form-urlencoded", keep(resp))
	_, body := send(t, "GET", r.SandboxURL+"/api/v1/sms?to=0950000001&wait=10s", "", "Authorization: Bearer canary-token-0123456789")
	var messages []struct{ OTP string }
	if err := json.Unmarshal([]byte(body), &messages); err != nil || len(messages) != 1 || len(messages[0].OTP) != 6 {
		t.Fatalf("no message: %v %s", err, body)
	}
	return messages[0].OTP
}
