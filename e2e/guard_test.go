//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	get := func(address, host string, header http.Header) int {
		t.Helper()
		req, err := http.NewRequest("GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		for k, v := range header {
			req.Header[k] = v
		}
		res, _ := w.do(t, req)
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" && strings.HasPrefix(address, w.Sandbox) {
			t.Errorf("%s allows the origin %s", address, got)
		}
		return res.StatusCode
	}
	port := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return ":" + u.Port()
	}
	pages := []string{w.Issuer + "/.well-known/openid-configuration", w.Sandbox + "/sms", w.Sandbox + "/api/v1/personas", w.Sandbox + "/console/personas", w.Portal + "/"}
	inner := []string{w.Sandbox + "/sms", w.Sandbox + "/console", w.Sandbox + "/console/clients/my-portal", w.Sandbox + "/api/v1/personas", w.Sandbox + "/api/v1/sms"}

	t.Run("every listener refuses a Host that is not its own", func(t *testing.T) {
		for _, address := range pages {
			for _, host := range []string{"evil.example", "evil.example" + port(address), "localhost.evil.example", "10.0.0.1", "127.0.0.1.nip.test", "[::2]" + port(address), "localhost@evil.example"} {
				if status := get(address, host, nil); status/100 != 4 {
					t.Errorf("%s for Host %s: %d", address, host, status)
				}
			}
			for _, host := range []string{"localhost" + port(address), "127.0.0.1" + port(address), "[::1]" + port(address), "LOCALHOST" + port(address)} {
				if status := get(address, host, nil); status != http.StatusOK {
					t.Errorf("%s for Host %s: %d, want 200", address, host, status)
				}
			}
		}
	})

	t.Run("API and inbox refuse foreign pages and proxies", func(t *testing.T) {
		for _, address := range inner {
			for name, values := range map[string][]string{
				"Sec-Fetch-Site": {"cross-site", "same-site", "rubbish"}, "X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"localhost"},
				"X-Forwarded-Proto": {"https"}, "Forwarded": {"for=127.0.0.1"},
			} {
				for _, value := range values {
					if status := get(address, "", http.Header{name: {value}}); status != http.StatusForbidden {
						t.Errorf("%s with %s: %s answers %d, want 403", address, name, value, status)
					}
				}
			}
			for _, site := range []string{"same-origin", "none"} {
				if status := get(address, "", http.Header{"Sec-Fetch-Site": {site}}); status != http.StatusOK {
					t.Errorf("%s with Sec-Fetch-Site: %s answers %d", address, site, status)
				}
			}
		}
	})

	t.Run("API writes are JSON and nothing else", func(t *testing.T) {
		write := func(kind, body string) (int, string) {
			req, _ := http.NewRequest("POST", w.Sandbox+"/api/v1/clock", strings.NewReader(body))
			if kind != "" {
				req.Header.Set("Content-Type", kind)
			}
			res, raw := w.do(t, req)
			if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/problem+json") {
				t.Errorf("%q %q: content type %s, want application/problem+json", kind, body, got)
			}
			return res.StatusCode, string(raw)
		}
		good := `{"advance":"1s"}`
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"} {
			if status, raw := write(kind, good); status != http.StatusUnsupportedMediaType && status != http.StatusForbidden {
				t.Errorf("content type %q: %d %s", kind, status, raw)
			}
		}
		for _, body := range []string{"", "{", "[]", "null", `"x"`, "advance=1s", `{"advance":5}`, good + good, "\xff\xfe", `{"advance":"` + "\xff" + `"}`} {
			if status, raw := write("application/json", body); status/100 != 4 {
				t.Errorf("%q: %d %s", body, status, raw)
			}
		}
		if status, raw := w.apiRaw(t, "DELETE", "/clock", nil, nil); status != http.StatusMethodNotAllowed && status != http.StatusUnsupportedMediaType {
			t.Errorf("DELETE /clock: %d %s", status, raw)
		}
		if status, raw := w.apiRaw(t, "GET", "/nothing", nil, nil); status != http.StatusNotFound {
			t.Errorf("GET /nothing: %d %s", status, raw)
		}
	})

	t.Run("mistakes in a client are all listed", func(t *testing.T) {
		status, raw := w.apiRaw(t, "POST", "/clients", map[string]any{
			"client_name": "x", "redirect_uris": []string{"not a uri"}, "token_endpoint_auth_method": "telepathy", "subject_type": "secret",
			"consent": "sometimes", "id_token_signed_response_alg": "none",
		}, nil)
		if status/100 != 4 {
			t.Fatalf("it was accepted: %d %s", status, raw)
		}
		for _, field := range []string{"redirect_uris", "token_endpoint_auth_method", "subject_type", "consent", "id_token_signed_response_alg"} {
			if !strings.Contains(string(raw), field) {
				t.Errorf("%s is not named in %s", field, raw)
			}
		}
	})

	t.Run("real services and odd addresses cannot be redirect URIs", func(t *testing.T) {
		for uri, good := range map[string]bool{
			"https://dichvucong.gov.vn/callback": false, "https://DICHVUCONG.GOV.VN./callback": false, "https://x.gov.vn:8443/callback": false,
			"https://gov.vn/callback": false, "http://169.254.1.1/callback": false, "https://example.com/callback": false,
			"javascript:alert(1)": false, "http://portal.test/callback#x": false, "//portal.test/callback": false, "http://u:p@portal.test/callback": false,
			"http://portal.test/callback": true, "http://portal.example/callback": true, "http://10.1.2.3:8080/cb": true, "https://portal.internal/cb": true,
			"http://portal/cb": true, "http://x.localhost:3000/cb": true, "https://notgov.vn.test/cb": true, "http://[::1]:8080/cb": true,
		} {
			status, raw := w.apiRaw(t, "POST", "/clients", map[string]any{"client_name": "x", "redirect_uris": []string{uri}}, nil)
			if good != (status == http.StatusCreated) {
				t.Errorf("%s: good should be %v, got %d %s", uri, good, status, raw)
			}
			if !good && !strings.Contains(string(raw), "invalid_redirect_uri") {
				t.Errorf("%s: invalid_redirect_uri is not in %s", uri, raw)
			}
			if good {
				continue
			}
			status, raw = w.apiRaw(t, "PATCH", "/clients/my-portal", map[string]any{"redirect_uris": []string{uri}}, nil)
			if status/100 != 4 {
				t.Errorf("PATCH with %s: %d %s", uri, status, raw)
			}
		}
	})

	t.Run("clients are made, read and changed, and the secret is shown once", func(t *testing.T) {
		client := w.register(t, map[string]any{"client_id": "my-own", "client_name": "Của tôi"})
		if client.ID != "my-own" || len(client.Secret) < 20 {
			t.Errorf("client_id %q, secret of %d characters", client.ID, len(client.Secret))
		}
		if status, raw := w.apiRaw(t, "POST", "/clients", map[string]any{"client_id": "my-own", "redirect_uris": []string{"http://a.test/"}}, nil); status/100 != 4 {
			t.Errorf("the same id once more: %d %s", status, raw)
		}
		var got map[string]any
		raw := w.api(t, http.StatusOK, "GET", "/clients/my-own", nil, &got)
		wantClaim(t, got, "client_name", "Của tôi")
		wantClaim(t, got, "token_endpoint_auth_method", "client_secret_basic")
		wantClaim(t, got, "consent", "once")
		if strings.Contains(string(raw), client.Secret) {
			t.Error("the secret is shown again")
		}
		w.api(t, http.StatusOK, "PATCH", "/clients/my-own", map[string]any{"client_name": "Tên mới"}, &got)
		w.api(t, http.StatusOK, "GET", "/clients/my-own", nil, &got)
		wantClaim(t, got, "client_name", "Tên mới")
		if fmt.Sprint(got["redirect_uris"]) != "["+client.Redirect+"]" {
			t.Errorf("a change of the name changed redirect_uris to %v", got["redirect_uris"])
		}
		var list []map[string]any
		w.api(t, http.StatusOK, "GET", "/clients", nil, &list)
		if len(list) < 3 {
			t.Errorf("%d clients listed", len(list))
		}
		if status, raw := w.apiRaw(t, "PATCH", "/clients/nobody", map[string]any{"client_name": "x"}, nil); status != http.StatusNotFound {
			t.Errorf("PATCH of an unknown client: %d %s", status, raw)
		}
		if status, raw := w.apiRaw(t, "PATCH", "/clients/my-portal", map[string]any{"client_nam": "x"}, nil); status/100 != 4 {
			t.Errorf("an unknown field: %d %s", status, raw)
		}
	})
}

func TestWithATokenAPIAndInboxAskForIt(t *testing.T) {
	t.Parallel()
	const token = "canary-token-7f3a9b2c5d"
	w := newWorld(t, withEnv("VNEID_SANDBOX_TOKEN="+token))
	w.secret("the API token", token)
	for _, path := range []string{"/personas", "/sms?to=" + an.Phone, "/clock"} {
		for authorization, want := range map[string]int{"": 401, "Bearer wrong": 401, "Basic " + token: 401, "Bearer " + token: 200} {
			header := http.Header{}
			if authorization != "" {
				header.Set("Authorization", authorization)
			}
			if status, raw := w.apiRaw(t, "GET", path, nil, header); status != want {
				t.Errorf("GET %s with %q: %d, want %d: %.200s", path, authorization, status, want, raw)
			}
		}
	}
	v := w.visitor(t)
	v.Open(w.Sandbox + "/sms")
	if v.at.Status != http.StatusUnauthorized && v.at.Status != http.StatusForbidden {
		t.Errorf("/sms without the token: %d", v.at.Status)
	}
	v.Open(w.Sandbox + "/console/personas")
	if v.at.Status != http.StatusUnauthorized && v.at.Status != http.StatusForbidden {
		t.Errorf("/console/personas without the token: %d", v.at.Status)
	}
	v.Open(w.request(seededPortal).URL())
	if !v.at.AsksPassword() {
		t.Errorf("the provider's own pages need no token, got %s", v.describe())
	}
}
