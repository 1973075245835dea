package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// TestNoSecretStandsInRecords signs in by every way, and sends secrets to where
// they do not belong. Then it looks for them in the rows, as another process
// reads them, in every answer and page that shows records, in log and metrics.
func TestNoSecretStandsInRecords(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "sandbox.db")
	r, log := start(t, func(c *sandbox.Config) { c.Database = database })
	secrets := map[string]string{"my-portal-secret": "the client's secret", "Sandbox@2024": "a password", "bXktcG9ydGFsOm15LXBvcnRhbC1zZWNyZXQ": "the Basic header",
		"038090000001": "a whole CCCD", "038190000002": "a whole CCCD", "0950000001": "a whole phone number"}
	secret := func(what, value string) string {
		if len(value) < 6 {
			t.Fatalf("%s is %q", what, value)
		}
		secrets[value] = what
		return value
	}
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	secret("a verifier", verifier)

	v := newVisitor(t, r)
	v.begin("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method", "S256", "login_hint", "038090000001", "state", "of 038090000001",
		"strange", secret("a value nobody knows", "strange-canary-value"))
	page := r.Issuer + "/login/" + v.id
	v.open("POST", page+"/password", url.Values{"username": {"038 090 000 001"}, "password": {secret("a wrong password", "Nham@canary")}})
	v.open("POST", page+"/password", url.Values{"username": {secret("no CCCD at all", "canary-username")}, "password": {"Sandbox@2024"}})
	v.open("POST", page+"/password", url.Values{"username": {"0380900000"}, "password": {"Sandbox@2024"}})
	code := secret("a code", v.signIn("038090000001"))
	var sms []struct{ OTP string }
	v.api("/sms?to=0950000001", &sms)
	otp := sms[0].OTP

	_, tokens := v.redeem(code, "code_verifier", verifier)
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		secret("the "+name, tokens[name].(string))
	}
	access, refresh, idToken := tokens["access_token"].(string), tokens["refresh_token"].(string), tokens["id_token"].(string)
	secret("the ID token's signature", idToken[strings.LastIndexByte(idToken, '.')+1:])
	send(t, "GET", r.Issuer+"/userinfo", "", "Authorization: Bearer "+access)
	send(t, "GET", r.Issuer+"/userinfo?access_token="+access, "")
	v.post("/oauth/introspect", []string{basic}, "token", access)
	v.post("/oauth/token?client_secret=my-portal-secret&code="+code, nil, "grant_type", "authorization_code")
	v.post("/oauth/token", nil, "grant_type", "authorization_code", "client_id", "my-portal", "client_secret", "my-portal-secret", "code", code)
	v.post("/oauth/token", []string{"Authorization: Basic my-portal:my-portal-secret"}, "grant_type", "refresh_token", "refresh_token", refresh)
	v.post("/oauth/token", []string{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("my-portal:"+secret("a wrong secret", "wrong-canary-secret")))}, "grant_type", "x")
	v.post("/oauth/token", []string{"Authorization: " + secret("a header of its own", "canary-scheme-and-all")}, "grant_type", "authorization_code", "code", code)
	_, second := v.post("/oauth/token", []string{basic}, "grant_type", "refresh_token", "refresh_token", refresh)
	for name, value := range second {
		if text, ok := value.(string); ok && len(text) > 20 && strings.HasSuffix(name, "_token") {
			secret("the second "+name, text)
		}
	}
	v.post("/oauth/token", []string{basic}, "grant_type", "refresh_token", "refresh_token", refresh) // reused
	v.redeem(code)                                                                                   // again
	v.open("GET", r.Issuer+"/end_session?"+url.Values{"id_token_hint": {idToken}, "state": {idToken}}.Encode(), nil)
	v.post("/revoke", []string{basic}, "token", refresh)

	// By QR: the passcode, and what the code says.
	q := newVisitor(t, r)
	_, text := q.begin("client_id", "my-portal")
	short := regexp.MustCompile(`id="qr-code"[^>]*>([^<]+)<`).FindStringSubmatch(text)
	if short == nil {
		t.Fatalf("no QR code on %.2000s", text)
	}
	const js = "Content-Type: application/json"
	send(t, "POST", r.SandboxURL+"/api/v1/phones/038090000001/scan", `{"code":"`+short[1]+`"}`, js)
	if resp, body := send(t, "POST", r.SandboxURL+"/api/v1/phones/038090000001/confirm", `{"login":"`+q.id+`","passcode":"123456"}`, js); resp.StatusCode != 200 {
		t.Fatalf("confirm: %d %s", resp.StatusCode, body)
	}
	secret("a QR code", strings.ReplaceAll(short[1], "-", ""))
	for _, c := range append(v.jar.Cookies(mustParse(t, r.Issuer)), q.jar.Cookies(mustParse(t, r.Issuer))...) {
		if len(c.Value) > 20 {
			secret("the cookie "+c.Name, c.Value)
		}
	}

	written := map[string]string{"the API's list": v.api("/logins?cccd=038090000001", nil), "the console's list": ""}
	var list []recorded
	v.api("/logins", &list)
	if len(list) < 5 {
		t.Fatalf("only %d records: %v", len(list), list)
	}
	for _, l := range list {
		written["API "+l.ID] = v.api("/logins/"+l.ID, nil)
		written["Markdown "+l.ID] = v.api("/logins/"+l.ID+".md", nil)
		_, written["page "+l.ID] = send(t, "GET", r.SandboxURL+"/console/logins/"+l.ID, "")
	}
	_, written["the console's list"] = send(t, "GET", r.SandboxURL+"/console/logins", "")
	_, written["metrics"] = send(t, "GET", r.Issuer+"/metrics", "")
	written["log"] = log.String()
	other, err := storage.Open(t.Context(), database, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = other.View(t.Context(), vneid.DefaultWorld, func(tx vneid.Tx) error {
		for _, l := range list {
			rec, err := tx.Record(l.ID)
			if err != nil {
				return err
			}
			raw, err := json.Marshal(rec)
			if err != nil {
				return err
			}
			written["row "+l.ID] = string(raw)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	digits := regexp.MustCompile(`(^|[^0-9A-Za-z.])(` + otp + `|123456)($|[^0-9A-Za-z])`)
	for where, text := range written {
		if len(text) < 20 {
			t.Errorf("%s is %q: nothing to look at", where, text)
		}
		for value, what := range secrets {
			if strings.Contains(text, value) || strings.Contains(text, url.QueryEscape(value)) {
				at := strings.Index(text, value)
				t.Errorf("%s holds %s: %.120s", where, what, text[max(0, at-60):])
			}
		}
		if where != "metrics" && where != "log" && digits.MatchString(text) {
			t.Errorf("%s holds a one-time password or a passcode: %s", where, digits.FindString(text))
		}
	}
}

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
