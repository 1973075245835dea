package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// Whatever the provider is called, and by whatever it is reached, a login that
// the API drives goes through its pages.
func TestALoginIsDrivenWhateverTheProviderIsCalled(t *testing.T) {
	const secret = "a-token-of-a-test-0123456789abcdef"
	for name, c := range map[string]struct {
		change func(*sandbox.Config)
		world  string
	}{
		"as by default":             {change: func(*sandbox.Config) {}},
		"https by the local CA":     {change: func(c *sandbox.Config) { c.TLS = "auto" }},
		"a name of nobody's here":   {change: func(c *sandbox.Config) { c.Issuer = "http://vneid.test:9998" }},
		"https before a proxy":      {change: func(c *sandbox.Config) { c.Issuer = "https://vneid.test" }},
		"the name of each request":  {change: func(c *sandbox.Config) { c.Issuer = "request" }},
		"behind a token":            {change: func(c *sandbox.Config) { c.Token = secret }},
		"a world of its own":        {change: func(*sandbox.Config) {}, world: "lop-10a"},
		"a world, https, and token": {change: func(c *sandbox.Config) { c.TLS, c.Token = "auto", secret }, world: "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r, _ := start(t, func(cfg *sandbox.Config) { cfg.Data = dir; c.change(cfg) })
			client := http.DefaultClient
			if strings.HasPrefix(r.SandboxURL, "https://") {
				client = trusting(t, filepath.Join(dir, "ca.pem"))
			}
			post := func(path, body string, answer any) {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), "POST", r.SandboxURL+"/api/v1"+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Authorization", "Bearer "+secret)
				if !strings.Contains(name, "token") {
					req.Header.Del("Authorization")
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				raw, _ := io.ReadAll(resp.Body)
				if resp.StatusCode >= 300 || json.Unmarshal(raw, answer) != nil {
					t.Fatalf("POST %s: %d %s", path, resp.StatusCode, raw)
				}
			}
			issuer, below := r.Issuer, ""
			if c.world != "" {
				var world struct{ Issuer string }
				post("/worlds", fmt.Sprintf(`{"id":%q}`, c.world), &world)
				issuer, below = world.Issuer, "/w/"+c.world
			}
			for _, method := range []string{"otp", "qr"} {
				var done struct{ Callback string }
				post(below+"/logins", fmt.Sprintf(`{"client_id":"my-portal","cccd":"038090000001","method":%q}`, method), &done)
				back, err := url.Parse(done.Callback)
				if err != nil || back.Query().Get("code") == "" || back.Query().Get("iss") != issuer {
					t.Errorf("%s: %s, issuer %s", method, done.Callback, issuer)
				}
			}
		})
	}
}
