package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sandboxtest"
)

func TestNoPathOfAWorldLeadsOutOfIt(t *testing.T) {
	s := sandboxtest.Start(t)
	w := s.NewWorld()
	id := strings.TrimPrefix(w.Issuer, s.Issuer+"/w/")
	page, api := s.URL+"/w/"+id, s.URL+"/api/v1/w/"+id
	for address, want := range map[string]string{ // "" = found nothing there
		page + "//sms?to=1":                     "/w/" + id + "/sms?to=1",
		page + "/a/../sms":                      "/w/" + id + "/sms",
		page + "/../sms":                        "/w/" + id + "/sms",
		page + "/../../sms":                     "/w/" + id + "/sms",
		page + "/..%2fsms":                      "/w/" + id + "/sms",
		page + "//evil.test/":                   "/w/" + id + "/evil.test/",
		api + "//sms":                           "/api/v1/w/" + id + "/sms",
		api + "/../sms":                         "/w/" + id + "/api/sms",
		api + "/../../../sms":                   "/w/" + id + "/sms",
		page + "/assets":                        "",
		page + "/dancu":                         "",
		w.Issuer + "//keys":                     "",
		w.Issuer + "/assets":                    "",
		w.Issuer + "/metrics":                   "",
		w.Issuer + "/ready":                     "",
		page + "/api/v1/sms":                    "",
		page + "/api/v1":                        "",
		api + "/w/" + id:                        "",
		page + "/ca.pem":                        "",
		page + "/debug/pprof/profile?seconds=1": "",
	} {
		req, err := http.NewRequest("GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		status := http.StatusTemporaryRedirect
		if want == "" {
			status = http.StatusNotFound
		}
		if got := resp.Header.Get("Location"); resp.StatusCode != status || got != want {
			t.Errorf("%s: %d %q, want %d %q", address, resp.StatusCode, got, status, want)
		}
	}
}

func TestATokenOfAWorldIsWrongElsewhereEvenWhereNoneIsAskedFor(t *testing.T) {
	s := sandboxtest.Start(t)
	_, a := api(t, "POST", s.URL+"/api/v1/worlds", "", `{"id": "a"}`)
	_, b := api(t, "POST", s.URL+"/api/v1/worlds", "", `{"id": "b"}`)
	for _, c := range []struct {
		address, token string
		want           int
	}{
		{s.URL + "/api/v1", "", 200}, {s.URL + "/api/v1", a["token"].(string), 401}, {s.URL + "/api/v1", "made up", 401},
		{a["api"].(string), "", 200}, {a["api"].(string), a["token"].(string), 200}, {a["api"].(string), b["token"].(string), 401},
	} {
		if status, p := api(t, "GET", c.address+"/sms", c.token, ""); status != c.want {
			t.Errorf("%s with %.5s…: %d %v, want %d", c.address, c.token, status, p, c.want)
		}
	}
}

func TestATokenOfAWorldDoesNotOpenWhatIsTheServers(t *testing.T) {
	const server = "a-token-of-the-whole-server"
	s := sandboxtest.Start(t, func(c *sandbox.Config) { c.Token = server })
	_, made := api(t, "POST", s.URL+"/api/v1/worlds", server, `{"id": "a"}`)
	token := made["token"].(string)
	for _, path := range []string{"/api/v1/w/a/debug/pprof/profile", "/w/a/debug/pprof/profile", "/api/v1/w/a/worlds", "/w/a/api/v1/worlds", "/w/a/api/v1/sms"} {
		if status, _ := api(t, "GET", s.URL+path, token, ""); status != 404 && status != 401 {
			t.Errorf("%s: %d", path, status)
		}
	}
	api(t, "POST", s.URL+"/api/v1/worlds", server, `{"id": "other"}`)
	b := newThief(t)
	b.open("POST", s.URL+"/w/a/sign-in", url.Values{"token": {token}, "back": {"/sms"}})
	for _, path := range []string{"/config", "/health", "/worlds"} {
		if resp := b.open("GET", s.URL+"/w/a/console"+path, nil); resp.StatusCode != 200 {
			t.Errorf("/w/a/console%s: %s", path, resp.Status)
		}
		for _, secret := range []string{"sqlite:", "sandbox_listen", s.URL + "/api/v1/w/other"} {
			if strings.Contains(b.body, secret) {
				t.Errorf("/w/a/console%s shows %s", path, secret)
			}
		}
	}
	for _, to := range []string{"other", "default"} {
		b.rename(s.URL, "a", to)
		at := s.URL + strings.TrimSuffix("/w/"+to, "/w/default") + "/sms"
		if resp := b.open("GET", at, nil); resp.StatusCode != 401 {
			t.Errorf("%s by the cookie of another world: %s", at, resp.Status)
		}
	}
	if status, _ := api(t, "POST", s.URL+"/api/v1/w/a/worlds", token, "{}"); status != 404 {
		t.Errorf("a world makes worlds: %d", status)
	}
	if status, _ := api(t, "DELETE", s.URL+"/api/v1/w/a/worlds/a", token, ""); status != 404 {
		t.Errorf("a world deletes worlds: %d", status)
	}
}
