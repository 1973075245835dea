package sandbox_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const authorizeQuery = "/authorize?client_id=thanhhoa-portal&redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcallback&response_type=code&scope=openid"

func TestMoreLoginsThanAMinuteMaySeeAreAskedToComeLater(t *testing.T) {
	policy := vneid.DefaultPolicy()
	policy.LoginsPerMinute = 3
	r, _ := start(t, func(c *sandbox.Config) { c.Policy = policy })
	for i := range 5 {
		// Neither a moved clock nor what a header says about the caller helps.
		send(t, "POST", r.SandboxURL+"/api/v1/clock", `{"advance":"1h"}`, "Content-Type: application/json")
		resp, body := send(t, "GET", r.Issuer+authorizeQuery, "", "Accept: text/html", fmt.Sprint("X-Forwarded-For: 192.0.2.", i))
		switch {
		case i < 3:
			if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), "/login/") {
				t.Errorf("login %d: %s %s", i, resp.Status, resp.Header.Get("Location"))
			}
		case resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" ||
			!strings.Contains(body, "Hệ thống đang bận") || !strings.Contains(body, "MÔI TRƯỜNG THỬ NGHIỆM"):
			t.Errorf("login %d: %s, Retry-After %q: %.300s", i, resp.Status, resp.Header.Get("Retry-After"), body)
		}
	}
	if resp, _ := send(t, "GET", r.Issuer+authorizeQuery+"&prompt=none", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("prompt=none: %s", resp.Status) // it leaves a row too
	}
	if resp, _ := send(t, "GET", r.Issuer+strings.Replace(authorizeQuery, "scope=openid", "scope=", 1), ""); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a refusal that leaves nothing behind: %s", resp.Status)
	}
}

func TestWithoutABoundLoginsBeginAsFastAsTheyCome(t *testing.T) {
	policy := vneid.DefaultPolicy()
	policy.LoginsPerMinute = 0
	r, _ := start(t, func(c *sandbox.Config) { c.Policy = policy })
	for range 20 {
		if resp, _ := send(t, "GET", r.Issuer+authorizeQuery, ""); resp.StatusCode != http.StatusSeeOther {
			t.Fatal(resp.Status)
		}
	}
}

// dialed is a connection to a listener, with what is written there at once.
func dialed(t *testing.T, url, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	io.WriteString(c, text)
	return c
}

const healthz = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

// answered says whether a line comes within that time.
func answered(c net.Conn, within time.Duration) bool {
	c.SetReadDeadline(time.Now().Add(within))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.HasPrefix(line, "HTTP/1.1 200")
}

func TestConnectionsThatOnlyMightBeUsedAgainKeepNobodyOut(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.MaxConnections = 8 }) // six for the provider
	for i := range 40 {
		if !answered(dialed(t, r.Issuer, healthz), 3*time.Second) {
			t.Fatalf("connection %d got no answer though the others only wait", i)
		}
	}
}

func TestAFullListenerTakesTheNextWhenSomebodyLeavesAndTheOtherGoesOn(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.MaxConnections = 8 })
	var busy []net.Conn
	for range 6 {
		busy = append(busy, dialed(t, r.Issuer, "GET /healthz HTTP/1.1\r\nHost: "))
	}
	time.Sleep(100 * time.Millisecond) // until they are accepted
	next := dialed(t, r.Issuer, healthz)
	if answered(next, 500*time.Millisecond) {
		t.Error("a seventh connection was served")
	}
	if resp, _ := send(t, "GET", r.SandboxURL+"/api/v1/clock", ""); resp.StatusCode != 200 {
		t.Errorf("the other listener: %s", resp.Status)
	}
	busy[0].Close()
	if !answered(next, 3*time.Second) {
		t.Error("nobody was served after somebody left")
	}
}

// A browser that waits for a phone has a connection like everybody else.
func TestBrowsersThatWaitCountAsConnections(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.MaxConnections = 8 }) // six for the provider, five of them for who waits
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 5 {
		waits(t, c, r)
	}
	one := dialed(t, r.Issuer, "GET /healthz HTTP/1.1\r\nHost: ")
	time.Sleep(100 * time.Millisecond) // until it is accepted
	next := dialed(t, r.Issuer, healthz)
	if answered(next, 500*time.Millisecond) {
		t.Error("a seventh connection was served")
	}
	one.Close()
	if !answered(next, 3*time.Second) {
		t.Error("nobody was served after somebody left")
	}
}

func TestAFullListenerStopsInTime(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.MaxConnections = 4 })
	for range 20 {
		dialed(t, r.Issuer, "")
	}
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	if err := r.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
}
