//go:build e2e && postgres

package e2e_test

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

// stream is what a browser hears at one very server, whatever stands before it.
func (v *visitor) stream(server, login string) <-chan string {
	v.t.Helper()
	issuer, err := url.Parse(v.w.Issuer)
	if err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(v.t.Context(), "GET", server+"/login/"+login+"/events", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Host = issuer.Host
	for _, c := range v.jar.Cookies(issuer) {
		req.AddCookie(c)
	}
	resp, err := oneShot.RoundTrip(req)
	if err != nil {
		v.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		v.t.Fatalf("events: %s %v", resp.Status, resp.Header)
	}
	heard := make(chan string, 100)
	go func() {
		defer close(heard)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				heard <- name
			}
		}
	}()
	return heard
}

func wantEvent(t *testing.T, heard <-chan string, want string) {
	t.Helper()
	for {
		select {
		case got, open := <-heard:
			if got == want {
				return
			}
			if !open {
				t.Fatalf("the stream ended before %q", want)
			}
		case <-time.After(8 * time.Second):
			t.Fatalf("%q was not heard", want)
		}
	}
}

// The phone talks to one server, the browser waits at the other, which dies; the browser comes again.
func TestABrowserWaitsAtOneServerAndThePhoneTalksToAnother(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "fsync=off").Database(t)
	rr := newRoundRobin(t)
	a := newWorld(t, withDatabase(db), withIssuer(rr.URL))
	b := newWorld(t, withDatabase(db), withIssuer(rr.URL), withLogOf(a))
	rr.put(a.listener, b.listener)

	v := b.visitor(t)
	r := b.request(myPortal)
	v.Open(r.URL())
	login := v.at.URL.Path[strings.LastIndexByte(v.at.URL.Path, '/')+1:]
	code := plain(v.at.ByID("qr-code").text)
	waiting := v.stream(a.listener, login)

	var scan struct {
		Login, Host string
		Allowed     bool
	}
	b.api(t, http.StatusOK, "POST", "/phones/"+an.CCCD+"/scan", map[string]string{"code": code}, &scan)
	if scan.Login != login || !scan.Allowed || scan.Host == "" {
		t.Fatalf("%+v", scan)
	}
	wantEvent(t, waiting, "scanned")

	a.provider.kill()
	for range waiting { // the stream breaks with its server
	}
	again := v.stream(b.listener, login)
	wantEvent(t, again, "scanned")
	b.api(t, http.StatusOK, "POST", "/phones/"+an.CCCD+"/confirm", map[string]string{"login": login, "passcode": "123456"}, nil)
	wantEvent(t, again, "go")
	v.Open(b.Issuer + "/login/" + login)
	if v.at.AsksToShare() {
		v.Share()
	}
	claims := b.verified(t, r.Redeem(t, v.wantCode(r)).str("id_token"))
	if claims["acr"] != "LoA2" {
		t.Errorf("acr %v", claims["acr"])
	}
	a.startProvider(t)
}
