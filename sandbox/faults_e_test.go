package sandbox_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

const metadataPath = "/.well-known/openid-configuration"

// metadata is a discovery document, decoded.
func metadata(t *testing.T, document string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(document), &m); err != nil {
		t.Fatalf("the metadata: %v: %.300s", err, document)
	}
	return m
}

func TestMetadataIsWrongAsDescribedAndEverythingElseIsRight(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn()
	right := metadata(t, honest.Discovery)
	issuer := fmt.Sprint(right["issuer"])
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) func(map[string]any) bool {
		return func(m map[string]any) bool { return fmt.Sprint(m[name]) == fmt.Sprint(value) }
	}
	absent := func(name string) func(map[string]any) bool {
		return func(m map[string]any) bool { _, ok := m[name]; return !ok }
	}
	for _, want := range []struct {
		id, variant, changed string
		is                   func(map[string]any) bool
	}{
		{"E01", "", "[issuer]", set("issuer", "https://other-issuer.test")}, {"E01", "trailing-slash", "[issuer]", set("issuer", issuer+"/")},
		{"E01", "port", "[issuer]", set("issuer", "http://"+u.Hostname()+":8443")}, {"E01", "scheme", "[issuer]", set("issuer", "https://"+u.Host)},
		{"E01", "case", "[issuer]", func(m map[string]any) bool { return strings.EqualFold(fmt.Sprint(m["issuer"]), issuer) }},
		{"E07", "", "[token_endpoint]", absent("token_endpoint")}, {"E07", "jwks-uri", "[jwks_uri]", absent("jwks_uri")},
		{"E07", "authorization-endpoint", "[authorization_endpoint]", absent("authorization_endpoint")},
		{"E09", "", "[code_challenge_methods_supported]", absent("code_challenge_methods_supported")},
		{"E09", "plain", "[code_challenge_methods_supported]", set("code_challenge_methods_supported", "[plain]")},
		{"E10", "", "[pushed_authorization_request_endpoint]", set("pushed_authorization_request_endpoint", issuer+"/par")},
		{"E12", "", "[vneid_list vneid_nothing vneid_number vneid_object vneid_text vneid_yes]", set("vneid_number", 1.5)},
	} {
		c.arm(want.id, want.variant)
		got := c.signIn()
		m := metadata(t, got.Discovery)
		if fmt.Sprint(differs(right, m)) != want.changed || !want.is(m) {
			t.Errorf("%s %s: differs in %v: %s", want.id, want.variant, differs(right, m), got.Discovery)
		}
		if got.ID == nil || !got.ID.Genuine || got.UserBody != honest.UserBody || got.KeySet != honest.KeySet || len(got.struck()) > 0 ||
			len(differs(without(honest.ID.Claims, changing...), without(got.ID.Claims, changing...))) > 0 {
			t.Errorf("%s %s: more is wrong: %v, %s, %s", want.id, want.variant, got.struck(), got.TokenBody, got.UserBody)
		}
	}
	c.arm("E10", "")
	if resp, body := send(t, "POST", c.r.Issuer+"/par", "client_id=another", "Content-Type: application/x-www-form-urlencoded"); resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "30" || body != `{"error":"temporarily_unavailable"}` {
		t.Errorf("E10: %d %s", resp.StatusCode, body)
	}
	c.disarm()
	if got := c.signIn(); got.Discovery != honest.Discovery {
		t.Errorf("disarmed: %s", got.Discovery)
	}
	if resp, _ := send(t, "POST", c.r.Issuer+"/par", ""); resp.StatusCode != 404 {
		t.Errorf("disarmed, pushed requests are answered with %d", resp.StatusCode)
	}
}

func TestWhatTheMetadataPromisesWronglyIsKept(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn()
	for variant, alg := range map[string]string{"": "none", "hs256": "HS256"} {
		c.arm("E08", variant)
		got := c.signIn()
		m := metadata(t, got.Discovery)
		algs, _ := m["id_token_signing_alg_values_supported"].([]any)
		if !slices.Contains(algs, any(alg)) || !slices.Contains(algs, any("RS256")) || fmt.Sprint(differs(metadata(t, honest.Discovery), m)) != "[id_token_signing_alg_values_supported]" {
			t.Errorf("E08 %s: %v", variant, algs)
		}
		if got.ID == nil || got.ID.Header["alg"] != alg || len(differs(without(honest.ID.Claims, changing...), without(got.ID.Claims, changing...))) > 0 || len(got.struck()) != 1 {
			t.Errorf("E08 %s: %s, the record says %v", variant, got.TokenBody, got.struck())
		}
	}

	c.arm("E11", "")
	v := newVisitor(t, c.r)
	v.begin()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {v.signIn("038090000001")}, "redirect_uri": {callback}}.Encode()
	_, document := send(t, "GET", c.r.Issuer+metadataPath, "")
	moved := fmt.Sprint(metadata(t, document)["token_endpoint"])
	redeem := func(at string) int {
		resp, _ := send(t, "POST", at, form, "Content-Type: application/x-www-form-urlencoded", basic)
		return resp.StatusCode
	}
	if old := redeem(c.r.Issuer + "/oauth/token"); old != 404 || moved != c.r.Issuer+"/oauth/token?moved=1" {
		t.Errorf("E11: the old endpoint answers %d, the new one is %s", old, moved)
	}
	if now := redeem(moved); now != 200 {
		t.Errorf("E11: the new endpoint answers %d", now)
	}
}

func TestMetadataIsElsewhereTooLargeOrTooSlow(t *testing.T) {
	c := newCrooked(t)
	_, honest := send(t, "GET", c.r.Issuer+metadataPath, "")

	c.arm("E05", "")
	resp, _ := send(t, "GET", c.r.Issuer+metadataPath, "")
	to, err := resp.Location()
	if err != nil || resp.StatusCode != 302 || to.Host == strings.TrimPrefix(c.r.Issuer, "http://") || to.Path != metadataPath {
		t.Fatalf("E05: %d to %v", resp.StatusCode, to)
	}
	if resp, body := send(t, "GET", c.r.Issuer+metadataPath, "", "Host: "+to.Host); resp.StatusCode != 200 || body != honest {
		t.Errorf("E05: by the other name it is %d %s", resp.StatusCode, body)
	}

	c.arm("E06", "")
	resp, body := send(t, "GET", c.r.Issuer+metadataPath, "")
	if len(body) != 20<<20+len(honest) || strings.TrimLeft(body, " ") != honest || resp.ContentLength != int64(len(body)) {
		t.Errorf("E06: %d bytes", len(body))
	}
	c.arm("E06", "gzip-bomb")
	resp, body = send(t, "GET", c.r.Issuer+metadataPath, "", "Accept-Encoding: gzip")
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" || len(body) > 64<<10 {
		t.Fatalf("E06 gzip-bomb: %v, %d bytes, %v", err, len(body), resp.Header)
	}
	if all, err := io.ReadAll(z); err != nil || len(all) != 20<<20+len(honest) || string(bytes.TrimLeft(all, " ")) != honest {
		t.Errorf("E06 gzip-bomb: %v, %d bytes", err, len(all))
	}
	if resp, body := send(t, "GET", c.r.Issuer+metadataPath, "", "Accept-Encoding: identity"); resp.Header.Get("Content-Encoding") != "" || body != honest {
		t.Errorf("E06 gzip-bomb strikes who does not take gzip: %v", resp.Header)
	}
	c.arm("E06", "drip")
	slow := &http.Client{Timeout: 1500 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	if resp, err = slow.Get(c.r.Issuer + metadataPath); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if some, err := io.ReadAll(resp.Body); err == nil || len(some) == 0 || len(some) > 3 || !strings.HasPrefix(honest, string(some)) {
		t.Errorf("E06 drip: %q %v", some, err)
	}
}

func TestTLSIsTakenAwayAsDescribed(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.TLS, c.Data = "auto", t.TempDir() })
	client := trusting(t, r.CAFile())
	plain := "http" + strings.TrimPrefix(r.Issuer, "https")
	do := func(method, to, body, contentType string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(method, to, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		if contentType == form {
			req.SetBasicAuth("my-portal", "my-portal-secret")
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", method, to, err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(raw)
	}
	arm := func(list string) {
		t.Helper()
		if resp, body := do("PUT", r.SandboxURL+"/api/v1/faults/armed", `{"faults":[`+list+`]}`, "application/json"); resp.StatusCode != 200 {
			t.Fatal(body)
		}
	}
	_, document := do("GET", r.Issuer+metadataPath, "", "")
	honest := metadata(t, document)
	answersPlain := func() bool {
		t.Helper()
		resp, body := do("GET", plain+"/keys", "", "")
		return resp.StatusCode == 200 && strings.HasPrefix(body, `{"keys":[{`)
	}
	if answersPlain() {
		t.Fatal("http is answered with nothing armed")
	}

	arm(`{"id":"E02"}`)
	_, document = do("GET", r.Issuer+metadataPath, "", "")
	got := metadata(t, document)
	if fmt.Sprint(differs(honest, got)) != "[token_endpoint userinfo_endpoint]" || got["token_endpoint"] != plain+"/oauth/token" || got["userinfo_endpoint"] != plain+"/userinfo" {
		t.Errorf("E02: %v", got)
	}
	if !answersPlain() {
		t.Error("E02: http leads nowhere")
	}

	arm(`{"id":"H08"}`)
	const nonsense = "grant_type=authorization_code&code=none&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fcallback"
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, _ := do("POST", r.Issuer+"/oauth/token", nonsense, form)
	if resp.StatusCode != 307 || resp.Header.Get("Location") != plain+"/oauth/token" {
		t.Errorf("H08: %d %v", resp.StatusCode, resp.Header)
	}
	if resp, body := do("POST", plain+"/oauth/token", nonsense, form); resp.StatusCode != 400 || !strings.Contains(body, "invalid_grant") {
		t.Errorf("H08: who follows is answered with %d %s", resp.StatusCode, body)
	}
	if resp, body := do("GET", r.Issuer+metadataPath, "", ""); resp.StatusCode != 200 || fmt.Sprint(differs(honest, metadata(t, body))) != "[]" {
		t.Errorf("H08: the metadata is wrong too: %s", body)
	}

	arm("")
	if answersPlain() {
		t.Error("disarmed, http is still answered")
	}
	if resp, _ := do("POST", r.Issuer+"/oauth/token", nonsense, form); resp.StatusCode != 400 {
		t.Errorf("disarmed: %d", resp.StatusCode)
	}
}

const form = "application/x-www-form-urlencoded"
