package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestTheAuthorizationResponseIsWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	back := func(params ...string) url.Values {
		t.Helper()
		f := c.signInOnly(params...)
		if !strings.HasPrefix(f.String(), callback+"?") {
			t.Fatalf("no query: %s", f)
		}
		q, err := url.ParseQuery(f.RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	honest := back()
	if honest.Get("code") == "" || honest.Get("state") != "a-state" || honest.Get("iss") != c.r.Issuer {
		t.Fatalf("without a fault: %v", honest)
	}
	// What differs besides the code, which is always another.
	changed := func(got url.Values) (list []string) {
		a, b := map[string]any{}, map[string]any{}
		for name, v := range honest {
			a[name] = v
		}
		for name, v := range got {
			b[name] = v
		}
		if len(got["code"]) == 1 && len(got.Get("code")) == len(honest.Get("code")) {
			delete(a, "code")
			delete(b, "code")
		}
		return differs(a, b)
	}
	const portalURL = "https://dichvucong.test:8443/home?a=1"
	for _, want := range []struct {
		id, variant, changed string
		params               []string
		is                   func(q url.Values) bool
	}{
		{"A01", "", "[state]", nil, func(q url.Values) bool { return !q.Has("state") }},
		{"A02", "", "[state]", nil, func(q url.Values) bool { return q.Get("state") != "a-state" }},
		{"A05", "", "[state]", []string{"state", portalURL}, func(q url.Values) bool { return q.Get("state") == "https://rp-canary.test/home?a=1" }},
		{"A05", "", "[state]", []string{"state", base64.StdEncoding.EncodeToString([]byte("xyz@" + portalURL))}, func(q url.Values) bool {
			plain, _ := base64.StdEncoding.DecodeString(q.Get("state"))
			return string(plain) == "xyz@https://rp-canary.test/home?a=1"
		}},
		{"A05", "", "[]", nil, func(q url.Values) bool { return q.Get("state") == "a-state" }},
		{"A06", "", "[state]", nil, func(q url.Values) bool { return q.Get("state") == "a-s" }},
		{"A06", "case", "[state]", nil, func(q url.Values) bool { return q.Get("state") == "A-STATE" }},
		{"A06", "plus-to-space", "[state]", []string{"state", "a+b"}, func(q url.Values) bool { return q.Get("state") == "a b" }},
		{"A06", "plus-to-space", "[]", nil, func(q url.Values) bool { return true }},
		{"A07", "", "[iss]", nil, func(q url.Values) bool { return q.Get("iss") == "https://other-issuer.test" }},
		{"A08", "", "[iss]", nil, func(q url.Values) bool { return !q.Has("iss") }},
		{"A10", "", "[error]", nil, func(q url.Values) bool { return q.Get("error") == "access_denied" && q.Has("code") }},
		{"A11", "", "[code error error_description]", nil, func(q url.Values) bool { return q.Get("error") == "access_denied" && q.Get("state") == "a-state" }},
		{"A12", "", "[code error]", nil, func(q url.Values) bool { return q.Get("error") == "login_required" }},
		{"A12", "account-selection-required", "[code error]", nil, func(q url.Values) bool { return q.Get("error") == "account_selection_required" }},
		{"A12", "unmet-authentication-requirements", "[code error]", nil, func(q url.Values) bool { return q.Get("error") == "unmet_authentication_requirements" }},
		{"A13", "", "[code error error_description]", nil, func(q url.Values) bool { return q.Get("error") == "vneid_9001" }},
		{"A14", "", "[code error error_description]", nil, func(q url.Values) bool { return strings.Contains(q.Get("error_description"), `<b id="canary">`) }},
		{"A15", "", "[code error state]", nil, func(q url.Values) bool { return !q.Has("state") && q.Get("error") == "access_denied" }},
		{"A16", "", "[code]", nil, func(q url.Values) bool { return len(q["code"]) == 2 && q["code"][1] == "a-code-that-nobody-gave-out" }},
		{"A19", "", "[encrypt_key session_state vneid_ext]", nil, func(q url.Values) bool { return q.Get("vneid_ext") == "á é í" }},
	} {
		c.arm(want.id, want.variant)
		got := back(want.params...)
		left := changed(got)
		if want.params != nil && want.changed == "[state]" || want.changed == "[]" {
			left = without2(left, []string{"state"})
			if want.changed == "[state]" {
				left = append(left, "state")
			}
		}
		if fmt.Sprint(left) != want.changed || !want.is(got) {
			t.Errorf("%s %s %v: %v, differs in %v", want.id, want.variant, want.params, got, left)
		}
	}
	c.arm("A17", "")
	if at := c.signInOnly(); at.RawQuery != "" || !strings.Contains(at.Fragment, "code=") || !strings.Contains(at.Fragment, "state=a-state") {
		t.Errorf("A17: %s", at)
	}
	c.arm("A18", "")
	c.v = newVisitor(t, c.r)
	c.v.begin()
	if resp, body := c.v.last("038090000001"); resp.StatusCode != 200 || !strings.Contains(body, `method="post" action="`+callback+`"`) || !strings.Contains(body, `name="code"`) || !strings.Contains(body, `name="state" value="a-state"`) {
		t.Errorf("A18: %d %s", resp.StatusCode, body)
	}
	c.arm("A21", "")
	c.v = newVisitor(t, c.r)
	c.v.begin()
	if resp, _ := c.v.last("038090000001"); resp.StatusCode != 307 || !strings.HasPrefix(resp.Header.Get("Location"), callback+"?code=") {
		t.Errorf("A21: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	c.arm("A09", "")
	if f := c.signIn(); strings.Contains(f.Discovery, "iss_parameter") || f.Callback.Query().Get("iss") != c.r.Issuer || !f.ID.Genuine {
		t.Errorf("A09: %s", f.Discovery)
	}
	// In form_post the same happens to the form.
	c.arm("A02", "")
	c.v = newVisitor(t, c.r)
	c.v.begin("response_mode", "form_post")
	if resp, body := c.v.last("038090000001"); resp.StatusCode != 200 || strings.Contains(body, `value="a-state"`) || strings.Count(body, `name="state"`) != 1 || strings.Count(body, `name="code"`) != 1 || !strings.Contains(body, "submit.") {
		t.Errorf("A02 in form_post: %d %s", resp.StatusCode, body)
	}
}

func TestAnOddCodeComesBackAsItWent(t *testing.T) {
	c := newCrooked(t)
	c.arm("A20", "", "times", "1")
	f := c.signIn()
	code := f.Callback.Query().Get("code")
	if len(code) != 1500 || !strings.ContainsAny(code, "+") || !strings.Contains(code, "%20") || f.ID == nil || !f.ID.Genuine {
		t.Errorf("%d characters; %s", len(code), f.TokenBody)
	}
	if resp, _ := c.v.redeem(code[:len(code)-1]); resp.StatusCode != 400 {
		t.Errorf("a code that was damaged is taken: %d", resp.StatusCode)
	}
	if resp, _ := c.v.redeem(code, "code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); resp.StatusCode != 400 {
		t.Errorf("it is taken twice: %d", resp.StatusCode)
	}
}

func TestTheTokenResponseIsWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn()
	tokens := honest.tokens(t)
	own := []string{"access_token", "refresh_token", "id_token"}
	for _, want := range []struct {
		id, variant, changed string
		is                   func(m map[string]any, body string) bool
	}{
		{"B05", "", "[id_token]", func(m map[string]any, _ string) bool { return m["id_token"] == nil }},
		{"B06", "null", "[id_token]", func(_ map[string]any, body string) bool { return strings.Contains(body, `"id_token":null`) }},
		{"B06", "empty", "[id_token]", func(m map[string]any, _ string) bool { return m["id_token"] == "" }},
		{"B06", "number", "[id_token]", func(m map[string]any, _ string) bool { return m["id_token"] == 42.0 }},
		{"B06", "array", "[id_token]", func(m map[string]any, _ string) bool { list, _ := m["id_token"].([]any); return len(list) == 1 }},
		{"B07", "", "[access_token]", func(m map[string]any, _ string) bool { return m["access_token"] == nil }},
		{"B08", "mac", "[token_type]", func(m map[string]any, _ string) bool { return m["token_type"] == "mac" }},
		{"B08", "missing", "[token_type]", func(m map[string]any, _ string) bool { return m["token_type"] == nil }},
		{"B09", "lower", "[token_type]", func(m map[string]any, _ string) bool { return m["token_type"] == "bearer" }},
		{"B09", "upper", "[token_type]", func(m map[string]any, _ string) bool { return m["token_type"] == "BEARER" }},
		{"B10", "", "[expires_in]", func(m map[string]any, _ string) bool { return m["expires_in"] == nil }},
		{"B11", "text", "[expires_in]", func(m map[string]any, _ string) bool { return m["expires_in"] == "3600" }},
		{"B11", "negative", "[expires_in]", func(m map[string]any, _ string) bool { return m["expires_in"] == -1.0 }},
		{"B11", "zero", "[expires_in]", func(m map[string]any, _ string) bool { return m["expires_in"] == 0.0 }},
		{"B12", "", "[scope]", func(m map[string]any, _ string) bool { return m["scope"] == "openid" }},
		{"B13", "", "[]", func(m map[string]any, body string) bool {
			id := c.takeApart(m["id_token"].(string)) // the last one counts for encoding/json
			return strings.Count(body, `"id_token":`) == 2 && !id.Genuine && id.Claims["aud"] == "my-portal"
		}},
		{"B17", "", "[]", func(m map[string]any, _ string) bool { return strings.Count(m["id_token"].(string), ".") == 4 }},
	} {
		c.arm(want.id, want.variant)
		got := c.signIn()
		m := got.tokens(t)
		rest := []string{}
		for _, name := range own { // these are always others
			if v, ok := m[name].(string); ok && v != "" {
				rest = append(rest, name)
			}
		}
		if d := differs(without(tokens, rest...), without(m, rest...)); got.Token.StatusCode != 200 || fmt.Sprint(d) != want.changed || !want.is(m, got.TokenBody) {
			t.Errorf("%s %s: %v: %s", want.id, want.variant, d, got.TokenBody)
		}
		if len(got.struck()) != 1 {
			t.Errorf("%s %s: the record says %v", want.id, want.variant, got.struck())
		}
	}
	c.arm("B16", "")
	if id := c.signIn().ID; id.Claims["aud"] != "another-client" || id.Claims["azp"] != "another-client" || id.Claims["sub"] == honest.ID.Claims["sub"] || !id.Genuine {
		t.Errorf("B16: %v", id.Claims)
	}
	for _, want := range []struct {
		id, variant   string
		status        int
		media, within string
	}{
		{"B01", "", 400, "application/json", `"error":"invalid_grant"`}, {"B01", "invalid-client", 401, "application/json", `"error":"invalid_client"`},
		{"B01", "unauthorized-client", 400, "application/json", `"error":"unauthorized_client"`}, {"B01", "invalid-request", 400, "application/json", `"error":"invalid_request"`},
		{"B01", "unsupported-grant-type", 400, "application/json", `"error":"unsupported_grant_type"`},
		{"B02", "", 500, "text/html; charset=utf-8", "sự cố"}, {"B02", "502", 502, "text/html; charset=utf-8", "sự cố"}, {"B02", "503", 503, "text/html; charset=utf-8", "sự cố"},
		{"B03", "", 200, "application/json", "..."}, {"B04", "", 200, "application/json", `"error":"invalid_grant"`},
		{"B14", "", 200, "text/html; charset=utf-8", `"id_token"`}, {"B15", "", 200, "application/json", "\ufeff{"}, {"B18", "", 400, "application/json", "invalid_grant"},
	} {
		c.arm(want.id, want.variant)
		got := c.signIn()
		if got.Token.StatusCode != want.status || got.Token.Header.Get("Content-Type") != want.media || !strings.Contains(got.TokenBody, want.within) || got.Token.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %v %s", want.id, want.variant, got.Token.StatusCode, got.Token.Header, got.TokenBody)
		}
		if (want.status == 401) != (got.Token.Header.Get("WWW-Authenticate") != "") || len(got.struck()) == 0 {
			t.Errorf("%s %s: %v %v", want.id, want.variant, got.Token.Header, got.struck())
		}
	}
}

func TestARefreshIsWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	refresh := func() (*http.Response, *idToken, *idToken) {
		t.Helper()
		f := c.signIn()
		if !f.ID.Genuine || len(f.struck()) > 0 {
			t.Fatalf("it strikes at the sign-in: %v", f.struck())
		}
		resp, m := c.v.post("/oauth/token", []string{basic}, "grant_type", "refresh_token", "refresh_token", fmt.Sprint(f.tokens(t)["refresh_token"]))
		id, _ := m["id_token"].(string)
		return resp, f.ID, c.takeApart(id)
	}
	for _, want := range []struct{ id, variant, changed string }{{"B20", "", "[iss]"}, {"B21", "", "[sub]"}, {"B22", "aud", "[aud]"}, {"B22", "auth-time", "[]"}} {
		c.arm(want.id, want.variant)
		resp, first, again := refresh()
		own := []string{"at_hash", "exp", "iat", "nonce"}
		if want.variant == "auth-time" {
			own = append(own, "auth_time")
		}
		if resp.StatusCode != 200 || again == nil || !again.Genuine || fmt.Sprint(differs(without(first.Claims, own...), without(again.Claims, own...))) != want.changed {
			t.Errorf("%s %s: %d %v", want.id, want.variant, resp.StatusCode, again)
		}
	}
	c.arm("B19", "")
	if resp, _, _ := refresh(); resp.StatusCode != 400 {
		t.Errorf("B19: %d", resp.StatusCode)
	}
	var list []map[string]any
	_, body := send(t, "GET", c.r.SandboxURL+"/api/v1/faults", "")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) < 100 || reflect.DeepEqual(list[0], list[1]) {
		t.Errorf("the catalogue: %v, %d entries", err, len(list))
	}
}
