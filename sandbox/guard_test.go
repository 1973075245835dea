package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

const token = "a-token-of-24-characters"

func TestOnlyKnownHostsAreAnsweredOnEveryListener(t *testing.T) {
	r := listening(t, func(c *sandbox.Config) { c.AllowHosts = []string{"Runner"} })
	for host, want := range map[string]int{
		"localhost": 200, "localhost:1234": 200, "LOCALHOST": 200, "localhost.": 200, "a.localhost:80": 200, "127.0.0.1": 200, "127.8.8.8:1": 200,
		"[::1]:80": 200, "[::1]": 200, "runner": 200, "runner:8080": 200,
		"evil.example": 421, "localhost.evil.example": 421, "evil.example:9998": 421, "10.0.0.1": 421, "0.0.0.0": 421,
		"xlocalhost": 421, "runner.evil.example": 421, "[::2]": 421, "localhost:80:80": 421,
	} {
		for listener, url := range map[string]string{"provider": r.Issuer + "/healthz", "sandbox": r.SandboxURL + "/assets/nothing"} {
			if listener == "sandbox" && want == 200 {
				continue // 404 from the assets; the rules of the sandbox have their own tests
			}
			resp, body := send(t, "GET", url, "", "Host: "+host)
			if resp.StatusCode != want {
				t.Errorf("%s, Host %q: %d, want %d", listener, host, resp.StatusCode, want)
			}
			if want == 421 && !strings.Contains(body, "allow_hosts") {
				t.Errorf("Host %q: does not say what to do: %s", host, body)
			}
		}
	}
}

// listening is a sandbox without a token.
func listening(t *testing.T, change func(*sandbox.Config)) *sandbox.Running {
	t.Helper()
	r, _ := start(t, change)
	return r
}

func TestWithoutATokenOnlyDirectRequestsOfThisMachineAreServed(t *testing.T) {
	r := listening(t, func(c *sandbox.Config) { c.AllowHosts = []string{"runner"} })
	for name, c := range map[string]struct {
		header string
		status int
		says   string
	}{
		"nothing special":        {"Accept: */*", 200, ""},
		"typed into a browser":   {"Sec-Fetch-Site: none", 200, ""},
		"our own page":           {"Sec-Fetch-Site: same-origin", 200, ""},
		"another port":           {"Sec-Fetch-Site: same-site", 403, "another site"},
		"another site":           {"Sec-Fetch-Site: cross-site", 403, "another site"},
		"a value to come":        {"Sec-Fetch-Site: whatever", 403, "another site"},
		"a proxy":                {"X-Forwarded-For: 127.0.0.1", 403, "VNEID_SANDBOX_TOKEN"},
		"a proxy's host":         {"X-Forwarded-Host: localhost", 403, "VNEID_SANDBOX_TOKEN"},
		"a proxy by RFC 7239":    {"Forwarded: for=127.0.0.1", 403, "VNEID_SANDBOX_TOKEN"},
		"a proxy like nginx":     {"X-Real-IP: 127.0.0.1", 403, "VNEID_SANDBOX_TOKEN"},
		"a name beyond loopback": {"Host: runner", 403, "VNEID_SANDBOX_TOKEN"},
	} {
		for _, path := range []string{"/api/v1/personas", "/sms", "/console", "/console/personas"} {
			resp, body := send(t, "GET", r.SandboxURL+path, "", c.header)
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%s, %s: %d, want %d and %q:\n%.300s", name, path, resp.StatusCode, c.status, c.says, body)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s, %s: has CORS", name, path)
			}
			if c.status == 403 && resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s, %s: a program got %s", name, path, resp.Header.Get("Content-Type"))
			}
		}
	}
}

func TestNoPageOfAnotherSiteWritesToTheAPIOrReadsAnything(t *testing.T) {
	r := listening(t, nil)
	for site, want := range map[string]int{"": 200, "none": 200, "same-origin": 200, "same-site": 403, "cross-site": 403, "Same-Origin": 403, "none, none": 403} {
		headers := []string{"Content-Type: application/json", "Origin: https://evil.example"}
		if site != "" {
			headers = append(headers, "Sec-Fetch-Site: "+site)
		}
		for _, c := range []struct{ method, path, body string }{
			{"POST", "/api/v1/clock", `{"advance":"1s"}`}, {"PATCH", "/api/v1/clients/my-portal", `{"client_name":"x"}`},
			{"GET", "/api/v1/clients", ""}, {"GET", "/sms", ""}, {"HEAD", "/sms", ""},
			{"GET", "/console/clients", ""}, {"HEAD", "/console", ""},
		} {
			resp, body := send(t, c.method, r.SandboxURL+c.path, c.body, headers...)
			if resp.StatusCode != want || len(resp.Header["Access-Control-Allow-Origin"]) > 0 {
				t.Errorf("%s %s with Sec-Fetch-Site %q: %d, want %d: %.200s", c.method, c.path, site, resp.StatusCode, want, body)
			}
		}
	}
}

func TestALinkFromAnotherPartyOpensTheFrontPageAndOneClickLaterTheInbox(t *testing.T) {
	r := listening(t, nil)
	browser := []string{"Accept: text/html", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate"}
	if resp, body := send(t, "GET", r.SandboxURL+"/", "", browser...); resp.StatusCode != 200 || !strings.Contains(body, "/sms") {
		t.Errorf("front page: %d", resp.StatusCode)
	}
	resp, body := send(t, "GET", r.SandboxURL+"/sms?to=0950000001", "", browser...)
	if resp.StatusCode != 403 || !strings.Contains(body, `href="/sms?to=0950000001"`) || !strings.Contains(body, "MÔI TRƯỜNG THỬ NGHIỆM") {
		t.Errorf("inbox: %d\n%.600s", resp.StatusCode, body)
	}
	if resp, _ := send(t, "POST", r.SandboxURL+"/", "", browser...); resp.StatusCode != 403 {
		t.Errorf("a write to the front page: %d", resp.StatusCode)
	}
}

func TestEveryWriteToTheAPINeedsJSON(t *testing.T) {
	for name, auth := range map[string]string{"without a token": "", "with a token": token} {
		t.Run(name, func(t *testing.T) {
			r := listening(t, func(c *sandbox.Config) { c.Token = auth })
			for contentType, want := range map[string]int{
				"application/json": 200, "application/json; charset=utf-8": 200,
				"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/jsonx": 415, "multipart/form-data; boundary=x": 415,
			} {
				for _, path := range []string{"/clock", "/reset"} {
					body := map[string]string{"/clock": `{"reset":true}`, "/reset": "{}"}[path]
					resp, text := send(t, "POST", r.SandboxURL+"/api/v1"+path, body, "Content-Type: "+contentType, "Authorization: Bearer "+auth)
					if resp.StatusCode != want {
						t.Errorf("%s as %q: %d, want %d: %s", path, contentType, resp.StatusCode, want, text)
					}
				}
			}
			if resp, _ := send(t, "OPTIONS", r.SandboxURL+"/api/v1/clients", "", "Origin: https://evil.example", "Access-Control-Request-Method: POST", "Authorization: Bearer "+auth); resp.StatusCode != 204 || len(resp.Header["Access-Control-Allow-Origin"]) > 0 || len(resp.Header["Access-Control-Allow-Headers"]) > 0 {
				t.Errorf("a preflight: it says which methods there are, and permits no other site any: %d %v", resp.StatusCode, resp.Header)
			}
		})
	}
}

func TestWithATokenProgramsSendItAsABearer(t *testing.T) {
	r := listening(t, func(c *sandbox.Config) { c.Token = token })
	for header, want := range map[string]int{
		"Authorization: Bearer " + token:         200,
		"Authorization: bearer " + token:         200,
		"Authorization: Bearer " + token + "x":   401,
		"Authorization: Bearer ":                 401,
		"Authorization: Basic " + token:          401,
		"Cookie: console_default_token=" + token: 401,
		"Accept: text/html":                      401,
	} {
		resp, body := send(t, "GET", r.SandboxURL+"/api/v1/sms", "", header)
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", header, resp.StatusCode, want)
		}
		if want == 401 && (!strings.Contains(body, "VNEID_SANDBOX_TOKEN") || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer")) {
			t.Errorf("%s: does not say how: %v %s", header, resp.Header, body)
		}
	}
}

func TestWithATokenPeopleTypeItOnce(t *testing.T) {
	r := listening(t, func(c *sandbox.Config) { c.Token = token })
	resp, body := send(t, "GET", r.SandboxURL+"/sms?to=0950000001", "", "Accept: text/html")
	if resp.StatusCode != 401 || !strings.Contains(body, `id="token"`) || !strings.Contains(body, `value="/sms?to=0950000001"`) || !strings.Contains(body, "MÔI TRƯỜNG THỬ NGHIỆM") {
		t.Fatalf("no sign-in page: %d\n%s", resp.StatusCode, body)
	}
	if resp, _ := send(t, "GET", r.SandboxURL+"/", ""); resp.StatusCode != 401 {
		t.Errorf("the front page of a stranger: %d", resp.StatusCode)
	}
	const form = "Content-Type: application/x-www-form-urlencoded"
	if resp, body := send(t, "POST", r.SandboxURL+"/sign-in", "token=wrong&back=/sms", form); resp.StatusCode != 401 || resp.Header.Get("Set-Cookie") != "" || !strings.Contains(body, "role=\"alert\"") {
		t.Errorf("a wrong token: %d", resp.StatusCode)
	}
	if resp, _ := send(t, "POST", r.SandboxURL+"/sign-in", "token="+token, form, "Sec-Fetch-Site: cross-site"); resp.StatusCode != 403 || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("a form of another site: %d", resp.StatusCode)
	}
	for back, want := range map[string]string{"/sms?to=1": "/sms?to=1", "//evil.example": "/", "https://evil.example/sms": "/", "/smsevil": "/", "": "/"} {
		resp, _ := send(t, "POST", r.SandboxURL+"/sign-in", "token="+token+"&back="+strings.ReplaceAll(back, "?", "%3F"), form)
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != want {
			t.Errorf("back to %q leads to %q (%d)", back, resp.Header.Get("Location"), resp.StatusCode)
		}
	}
	resp, _ = send(t, "POST", r.SandboxURL+"/sign-in", "token="+token, form)
	cookie := resp.Cookies()[0]
	if cookie.Name != "console_default_token" || !cookie.HttpOnly || strings.Contains(cookie.Value, token) {
		t.Errorf("cookie %v", cookie)
	}
	if resp, _ := send(t, "GET", r.SandboxURL+"/sms", "", "Cookie: console_default_token="+cookie.Value); resp.StatusCode != 200 {
		t.Errorf("signed in: %d", resp.StatusCode)
	}
	if resp, _ := send(t, "GET", r.SandboxURL+"/api/v1/sms", "", "Cookie: console_default_token="+cookie.Value); resp.StatusCode != 401 {
		t.Errorf("the cookie opens the API: %d", resp.StatusCode)
	}
}
