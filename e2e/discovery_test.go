//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestDiscoveryTellsTheTruth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req, _ := http.NewRequest("GET", w.Issuer+"/.well-known/openid-configuration", nil)
	d := w.answer(t, req)
	if d.Status != http.StatusOK {
		t.Fatalf("discovery: %s", d)
	}
	list := func(name string) []string {
		var out []string
		values, _ := d.Body[name].([]any)
		for _, v := range values {
			out = append(out, fmt.Sprint(v))
		}
		slices.Sort(out)
		return out
	}
	same := func(name string, want ...string) {
		t.Helper()
		slices.Sort(want)
		if got := list(name); !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	has := func(name string, want ...string) {
		t.Helper()
		for _, v := range want {
			if !slices.Contains(list(name), v) {
				t.Errorf("%s is %v, want %s in it", name, list(name), v)
			}
		}
	}

	t.Run("the addresses are those of the contract", func(t *testing.T) {
		wantClaim(t, d.Body, "issuer", w.Issuer)
		for name, path := range map[string]string{
			"authorization_endpoint": "/authorize", "token_endpoint": "/oauth/token", "userinfo_endpoint": "/userinfo", "jwks_uri": "/keys",
			"introspection_endpoint": "/oauth/introspect", "device_authorization_endpoint": "/device_authorization", "revocation_endpoint": "/revoke", "end_session_endpoint": "/end_session",
		} {
			wantClaim(t, d.Body, name, w.Issuer+path)
		}
		for name, value := range d.Body {
			address, _ := value.(string)
			if strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri") || strings.HasSuffix(name, "_iframe") {
				req, _ := http.NewRequest("GET", address, nil)
				if res, _ := w.do(t, req); res.StatusCode == http.StatusNotFound || res.StatusCode >= 500 {
					t.Errorf("%s lists %s, which answers %d", name, address, res.StatusCode)
				}
			}
		}
	})

	t.Run("what is listed is what works", func(t *testing.T) {
		same("response_types_supported", "code")
		same("grant_types_supported", "authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code")
		same("code_challenge_methods_supported", "S256")
		same("token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post", "private_key_jwt", "none")
		same("subject_types_supported", "pairwise", "public")
		same("id_token_signing_alg_values_supported", "RS256", "ES256", "PS256", "EdDSA")
		has("scopes_supported", "openid", "profile", "phone", "address", "email", "cccd", "offline_access")
		has("claims_supported", "sub", "name", "cccd", "account_level", "birthdate", "acr", "amr", "sid")
		has("response_modes_supported", "query", "form_post")
		has("acr_values_supported", "LoA1", "LoA2")
		wantClaim(t, d.Body, "authorization_response_iss_parameter_supported", true)
		wantClaim(t, d.Body, "request_uri_parameter_supported", false) // it means true when left out
		wantClaim(t, d.Body, "request_parameter_supported", false)
		wantClaim(t, d.Body, "claims_parameter_supported", true)
		wantClaim(t, d.Body, "frontchannel_logout_supported", true)
		same("display_values_supported", "page", "popup", "touch")
		wantNoClaims(t, d.Body, "pushed_authorization_request_endpoint", "registration_endpoint", "check_session_iframe")
		for _, scope := range list("scopes_supported") {
			if !slices.Contains(strings.Fields(allScopes), scope) {
				t.Errorf("scope %s is listed", scope)
			}
		}
	})

	t.Run("every response mode listed works", func(t *testing.T) {
		for _, mode := range list("response_modes_supported") {
			v := w.visitor(t)
			r := w.request(seededPortal, "response_mode", mode, "prompt", "none")
			v.Open(r.URL())
			switch mode {
			case "query":
				v.wantError(r, "login_required")
			case "fragment":
				if !v.at.Landed || !strings.Contains(v.at.URL.Fragment, "error=login_required") {
					t.Errorf("fragment: %s", v.describe())
				}
			case "form_post":
				if form := v.formPost(r); form.Get("error") != "login_required" {
					t.Errorf("form_post: %v", form)
				}
			default:
				t.Errorf("response mode %s is listed", mode)
			}
		}
	})

	t.Run("each algorithm listed has a key, and no key is private", func(t *testing.T) {
		req, _ := http.NewRequest("GET", w.Issuer+"/keys", nil)
		a := w.answer(t, req)
		keys, _ := a.Body["keys"].([]any)
		kids := map[string]bool{}
		for _, k := range keys {
			key, _ := k.(map[string]any)
			wantNoClaims(t, key, "d", "p", "q", "dp", "dq", "qi", "k")
			wantClaim(t, key, "use", "sig")
			kid := fmt.Sprint(key["kid"])
			if kids[kid] {
				t.Errorf("kid %s twice", kid)
			}
			kids[kid] = true
		}
		if len(keys) == 0 {
			t.Errorf("no keys: %s", a)
		}
	})

	t.Run("only what a browser app needs is open to other origins", func(t *testing.T) {
		for path, open := range map[string]bool{
			"/.well-known/openid-configuration": true, "/keys": true, "/authorize": false, "/end_session": false,
		} {
			req, _ := http.NewRequest("GET", w.Issuer+path, nil)
			req.Header.Set("Origin", "http://evil.example")
			res, _ := w.do(t, req)
			allowed := res.Header.Get("Access-Control-Allow-Origin")
			if !open && allowed != "" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: Access-Control-Allow-Origin %q, Credentials %q", path, allowed, res.Header.Get("Access-Control-Allow-Credentials"))
			}
		}
	})

	t.Run("it is alive, ready and measured", func(t *testing.T) {
		for path, want := range map[string]string{"/healthz": "", "/ready": "", "/metrics": "# "} {
			req, _ := http.NewRequest("GET", w.Issuer+path, nil)
			res, raw := w.do(t, req)
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s answers %d", path, res.StatusCode)
			}
			if path == "/metrics" && len(raw) == 0 {
				t.Errorf("%s is empty, want %q", path, want)
			}
		}
	})
}
