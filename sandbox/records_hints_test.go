package sandbox_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const (
	asJSON    = "Content-Type: application/json"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// change calls the API; it has to succeed.
func (v *visitor) change(method, path, body string) map[string]string {
	v.t.Helper()
	resp, text := send(v.t, method, v.r.SandboxURL+"/api/v1"+path, body, asJSON)
	if resp.StatusCode >= 300 {
		v.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`"(client_id|client_secret)":"([^"]+)"`).FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// client registers one and returns its Basic header.
func (v *visitor) client(id, fields string) (header string) {
	made := v.change("POST", "/clients", `{"client_id":"`+id+`","redirect_uris":["`+callback+`"],"consent":"never"`+fields+`}`)
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+made["client_secret"]))
}

// got signs in and redeems.
func (v *visitor) got(pairs ...string) (access, refresh, idToken string) {
	v.t.Helper()
	v.begin(pairs...)
	_, tokens := v.redeem(v.signIn("038090000001"))
	text := func(name string) string { s, _ := tokens[name].(string); return s }
	return text("access_token"), text("refresh_token"), text("id_token")
}

func (v *visitor) userinfo(token string) {
	send(v.t, "GET", v.r.Issuer+"/userinfo", "", "Authorization: Bearer "+token)
}

func (v *visitor) token(pairs ...string) { v.post("/oauth/token", []string{basic}, pairs...) }

func (v *visitor) form(step string, pairs ...string) {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	v.open("POST", v.r.Issuer+"/login/"+v.id+"/"+step, form)
}

func (v *visitor) password(cccd string) {
	v.form("password", "username", cccd, "password", "Sandbox@2024")
}

func (v *visitor) phone(cccd, call, body string) {
	send(v.t, "POST", v.r.SandboxURL+"/api/v1/phones/"+cccd+"/"+call, body, asJSON)
}

// showsQR begins a login and returns the short form of its code.
func (v *visitor) showsQR(pairs ...string) string {
	v.t.Helper()
	_, page := v.begin(pairs...)
	m := regexp.MustCompile(`id="qr-code"[^>]*>([^<]+)<`).FindStringSubmatch(page)
	if m == nil {
		v.t.Fatalf("no QR code on %.500s", page)
	}
	return m[1]
}

func (v *visitor) device(header string) (code string) {
	_, answer := v.post("/device_authorization", []string{header}, "scope", "openid")
	code, _ = answer["device_code"].(string)
	return code
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// provocations are what brings each hint about, over HTTP.
var provocations = map[string]func(v *visitor){
	"client.unknown": func(v *visitor) { v.begin("client_id", "my-porta1") },
	"client.wrong_method": func(v *visitor) {
		v.post("/oauth/token", nil, "grant_type", "refresh_token", "refresh_token", "x", "client_id", "my-portal", "client_secret", "my-portal-secret")
	},
	"client.wrong_secret": func(v *visitor) {
		v.post("/oauth/token", []string{"Authorization: Basic bXktcG9ydGFsOng="}, "grant_type", "refresh_token", "refresh_token", "x")
	},
	"client.no_authentication": func(v *visitor) { v.post("/oauth/token", nil, "grant_type", "authorization_code", "code", "x") },
	"client.basic_unreadable": func(v *visitor) {
		v.post("/oauth/token", []string{"Authorization: Basic !"}, "grant_type", "authorization_code")
	},
	"client.basic_not_encoded": func(v *visitor) {
		v.post("/oauth/token", []string{"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("my-portal:100%"))}, "grant_type", "authorization_code")
	},
	"client.two_authentications": func(v *visitor) { v.token("grant_type", "authorization_code", "client_secret", "x") },
	"client.ids_differ":          func(v *visitor) { v.token("grant_type", "authorization_code", "client_id", "other") },
	"client.assertion_type": func(v *visitor) {
		v.post("/oauth/token", nil, "grant_type", "authorization_code", "client_assertion", "x")
	},
	"client.assertion_unreadable": func(v *visitor) {
		v.post("/oauth/token", nil, "grant_type", "authorization_code", "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	},
	"client.grant_type":         func(v *visitor) { v.token("grant_type", "client_credentials") },
	"client.grant_type_unknown": func(v *visitor) { v.token("grant_type", "password") },
	"client.scope_of_person": func(v *visitor) {
		v.post("/oauth/token", []string{v.client("machine", `,"grant_types":["authorization_code","client_credentials"]`)}, "grant_type", "client_credentials", "scope", "openid")
	},
	"client.parameters_in_url": func(v *visitor) { v.post("/oauth/token?code=x", []string{basic}, "grant_type", "authorization_code") },
	"client.media_type":        func(v *visitor) { send(v.t, "POST", v.r.Issuer+"/oauth/token", "{}", asJSON, basic) },
	"client.unreadable_form": func(v *visitor) {
		send(v.t, "POST", v.r.Issuer+"/oauth/token", "a=%zz", "Content-Type: application/x-www-form-urlencoded", basic)
	},
	"client.request_incomplete": func(v *visitor) { v.token("grant_type", "authorization_code") },

	"request.client_id_missing":     func(v *visitor) { v.begin("client_id", "") },
	"request.repeated_parameter":    func(v *visitor) { v.open("GET", v.r.Issuer+"/authorize?client_id=my-portal&client_id=my-portal", nil) },
	"request.long_parameter":        func(v *visitor) { v.begin("nonce", strings.Repeat("n", 5000)) },
	"request.unsupported_parameter": func(v *visitor) { v.begin("request_uri", "urn:x") },
	"request.unreadable_form":       func(v *visitor) { send(v.t, "GET", v.r.Issuer+"/authorize?client_id=%zz", "") },
	"request.method":                func(v *visitor) { send(v.t, "GET", v.r.Issuer+"/oauth/token", "") },
	"request.response_mode":         func(v *visitor) { v.begin("response_mode", "smoke") },
	"request.response_type_missing": func(v *visitor) { v.begin("response_type", "") },
	"request.response_type":         func(v *visitor) { v.begin("response_type", "token") },
	"request.scope_not_registered": func(v *visitor) {
		v.client("little", `,"scope":"openid"`)
		v.begin("client_id", "little")
	},
	"request.scope_unknown":     func(v *visitor) { v.begin("scope", "everything") },
	"request.prompt_unknown":    func(v *visitor) { v.begin("prompt", "please") },
	"request.prompt_none_alone": func(v *visitor) { v.begin("prompt", "none login") },
	"request.max_age":           func(v *visitor) { v.begin("max_age", "soon") },
	"request.id_token_hint":     func(v *visitor) { v.begin("id_token_hint", "x") },
	"request.claims_malformed":  func(v *visitor) { v.begin("claims", "{") },
	"request.acr_unreachable":   func(v *visitor) { v.begin("claims", `{"id_token":{"acr":{"essential":true,"value":"LoA4"}}}`) },
	"invalid_utf8":              func(v *visitor) { send(v.t, "GET", v.r.Issuer+"/authorize?client_id=%ff", "") },
	"too_large": func(v *visitor) {
		v.open("POST", v.r.Issuer+"/authorize", url.Values{"state": {strings.Repeat("s", 40<<10)}})
	},
	"redirect_uri_missing": func(v *visitor) { v.begin("redirect_uri", "") },
	"redirect_uri_invalid": func(v *visitor) { v.begin("redirect_uri", callback+"/") },
	"logout_redirect_invalid": func(v *visitor) {
		v.open("GET", v.r.Issuer+"/end_session?client_id=my-portal&post_logout_redirect_uri=http://localhost/x", nil)
	},

	"pkce.required": func(v *visitor) {
		v.client("strict", `,"require_pkce":true`)
		v.begin("client_id", "strict")
	},
	"pkce.challenge_missing":          func(v *visitor) { v.begin("code_challenge_method", "S256") },
	"pkce.method":                     func(v *visitor) { v.begin("code_challenge", challenge, "code_challenge_method", "plain") },
	"pkce.challenge_malformed":        func(v *visitor) { v.begin("code_challenge", "short", "code_challenge_method", "S256") },
	"pkce.verifier_without_challenge": func(v *visitor) { v.begin(); v.redeem(v.signIn("038090000001"), "code_verifier", verifier) },
	"pkce.verifier_missing": func(v *visitor) {
		v.begin("code_challenge", challenge, "code_challenge_method", "S256")
		v.redeem(v.signIn("038090000001"))
	},
	"pkce.verifier_wrong": func(v *visitor) {
		v.begin("code_challenge", challenge, "code_challenge_method", "S256")
		v.redeem(v.signIn("038090000001"), "code_verifier", verifier+"x")
	},
	"pkce.required_by_now": func(v *visitor) {
		v.begin()
		code := v.signIn("038090000001")
		v.change("PATCH", "/clients/my-portal", `{"require_pkce":true}`)
		v.redeem(code)
	},

	"code.unknown": func(v *visitor) { v.redeem("nothing") },
	"code.other_client": func(v *visitor) {
		other := v.client("thief", "")
		v.begin()
		v.post("/oauth/token", []string{other}, "grant_type", "authorization_code", "code", v.signIn("038090000001"), "redirect_uri", callback)
	},
	"code.redeemed_twice": func(v *visitor) { v.begin(); code := v.signIn("038090000001"); v.redeem(code); v.redeem(code) },
	"code.expired": func(v *visitor) {
		v.begin()
		code := v.signIn("038090000001")
		v.change("POST", "/clock", `{"advance":"2m"}`)
		v.redeem(code)
	},
	"code.redirect_uri_differs": func(v *visitor) {
		v.begin()
		v.token("grant_type", "authorization_code", "code", v.signIn("038090000001"), "redirect_uri", "http://localhost:2/callback")
	},
	"code.redirect_uri_gone": func(v *visitor) {
		header := v.client("mover", "")
		v.begin("client_id", "mover")
		code := v.signIn("038090000001")
		v.change("PATCH", "/clients/mover", `{"redirect_uris":["http://localhost:1/new"]}`)
		v.post("/oauth/token", []string{header}, "grant_type", "authorization_code", "code", code, "redirect_uri", callback)
	},
	"code.signed_out": func(v *visitor) {
		v.begin()
		code := v.signIn("038090000001")
		v.endSessions()
		v.redeem(code)
	},
	"grant.account_gone": func(v *visitor) {
		v.begin()
		code := v.signIn("038090000001")
		v.change("PATCH", "/personas/038090000001", `{"status":"locked"}`)
		v.redeem(code)
	},
	"refresh.unknown": func(v *visitor) { v.token("grant_type", "refresh_token", "refresh_token", "x") },
	"refresh.other_client": func(v *visitor) {
		other := v.client("thief", "")
		_, refresh, _ := v.got()
		v.post("/oauth/token", []string{other}, "grant_type", "refresh_token", "refresh_token", refresh)
	},
	"refresh.revoked": func(v *visitor) {
		_, refresh, _ := v.got()
		v.post("/revoke", []string{basic}, "token", refresh)
		v.token("grant_type", "refresh_token", "refresh_token", refresh)
	},
	"refresh.expired": func(v *visitor) {
		_, refresh, _ := v.got()
		v.change("POST", "/clock", `{"advance":"1000h"}`)
		v.token("grant_type", "refresh_token", "refresh_token", refresh)
	},
	"refresh.reused": func(v *visitor) {
		_, refresh, _ := v.got()
		v.token("grant_type", "refresh_token", "refresh_token", refresh)
		v.token("grant_type", "refresh_token", "refresh_token", refresh)
	},
	"refresh.scope": func(v *visitor) {
		_, refresh, _ := v.got()
		v.token("grant_type", "refresh_token", "refresh_token", refresh, "scope", "email")
	},

	"device_code.unknown": func(v *visitor) {
		v.post("/oauth/token", []string{v.client("kiosk", `,"grant_types":["`+deviceGrant+`"]`)}, "grant_type", deviceGrant, "device_code", "x")
	},
	"authorization_pending": func(v *visitor) {
		kiosk := v.client("kiosk", `,"grant_types":["`+deviceGrant+`"]`)
		v.post("/oauth/token", []string{kiosk}, "grant_type", deviceGrant, "device_code", v.device(kiosk))
	},
	"slow_down": func(v *visitor) {
		kiosk := v.client("kiosk", `,"grant_types":["`+deviceGrant+`"]`)
		code := v.device(kiosk)
		for range 2 {
			v.post("/oauth/token", []string{kiosk}, "grant_type", deviceGrant, "device_code", code)
		}
	},
	"expired_token": func(v *visitor) {
		kiosk := v.client("kiosk", `,"grant_types":["`+deviceGrant+`"]`)
		code := v.device(kiosk)
		v.change("POST", "/clock", `{"advance":"1h"}`)
		v.post("/oauth/token", []string{kiosk}, "grant_type", deviceGrant, "device_code", code)
	},

	"token.missing": func(v *visitor) { send(v.t, "GET", v.r.Issuer+"/userinfo", "") },
	"token.in_url":  func(v *visitor) { send(v.t, "GET", v.r.Issuer+"/userinfo?access_token=x", "") },
	"token.twice":   func(v *visitor) { v.post("/userinfo", []string{"Authorization: Bearer x"}, "access_token", "y") },
	"token.unknown": func(v *visitor) { v.userinfo("x") },
	"token.expired": func(v *visitor) {
		access, _, _ := v.got()
		v.change("POST", "/clock", `{"advance":"1h"}`)
		v.userinfo(access)
	},
	"token.revoked": func(v *visitor) {
		access, _, _ := v.got()
		v.post("/revoke", []string{basic}, "token", access)
		v.userinfo(access)
	},
	"token.not_access": func(v *visitor) { _, refresh, _ := v.got(); v.userinfo(refresh) },
	"token.no_openid":  func(v *visitor) { access, _, _ := v.got("scope", "profile"); v.userinfo(access) },
	"token.other_client": func(v *visitor) {
		access, _, _ := v.got()
		v.post("/oauth/introspect", []string{v.client("curious", "")}, "token", access)
	},

	"prompt_none.login_required":   func(v *visitor) { v.begin("prompt", "none") },
	"prompt_none.consent_required": func(v *visitor) { v.got("scope", "openid"); v.begin("prompt", "none", "scope", "openid profile") },
	"prompt_none.interaction_required": func(v *visitor) {
		v.got()
		v.change("PATCH", "/personas/038090000001", `{"status":"locked"}`)
		v.begin("prompt", "none")
	},
	"prompt_none.account_selection_required": func(v *visitor) { v.got(); v.begin("prompt", "none", "login_hint", "038190000002") },
	"hint.other_person": func(v *visitor) {
		_, _, idToken := v.got()
		o := newVisitor(v.t, v.r)
		o.begin("id_token_hint", idToken)
		o.password("038190000002")
		var sms []struct{ OTP string }
		o.api("/sms?wait=5s&to=0950000002", &sms)
		o.form("otp", "otp", sms[0].OTP)
	},
	"citizen.denied":   func(v *visitor) { v.begin(); v.form("cancel") },
	"advice.no_state":  func(v *visitor) { v.begin("state", "") },
	"advice.no_nonce":  func(v *visitor) { v.begin("nonce", "") },
	"advice.no_pkce":   func(v *visitor) { v.begin() },
	"advice.no_openid": func(v *visitor) { v.begin("scope", "profile") },
	"advice.polling": func(v *visitor) {
		v.begin()
		_, tokens := v.redeem(v.signIn("038090000001"))
		for range 105 {
			send(v.t, "GET", v.r.Issuer+"/userinfo", "", "Authorization: Bearer "+tokens["access_token"].(string))
		}
	},
	"advice.scope_ignored": func(v *visitor) { v.begin("scope", "openid everything") },

	"login_not_found": func(v *visitor) { v.open("GET", v.r.Issuer+"/login/nothing", nil) },
	"login_expired": func(v *visitor) {
		v.begin()
		v.change("POST", "/clock", `{"advance":"1h"}`)
		v.open("GET", v.r.Issuer+"/login/"+v.id, nil)
	},
	"login_done":       func(v *visitor) { v.got(); v.open("GET", v.r.Issuer+"/login/"+v.id, nil) },
	"cookies_disabled": func(v *visitor) { v.begin(); send(v.t, "GET", v.r.Issuer+"/login/"+v.id, "") },
	"other_browser": func(v *visitor) {
		v.begin()
		o := newVisitor(v.t, v.r)
		o.begin()
		o.open("GET", v.r.Issuer+"/login/"+v.id, nil)
	},
	"form_stale": func(v *visitor) {
		v.begin()
		send(v.t, "POST", v.r.Issuer+"/login/"+v.id+"/password", "", "Sec-Fetch-Site: cross-site")
	},
	"wrong_credentials":     func(v *visitor) { v.begin(); v.form("password", "username", "038090000001", "password", "x") },
	"password_empty":        func(v *visitor) { v.begin(); v.form("password", "username", "038090000001") },
	"cccd.empty":            func(v *visitor) { v.begin(); v.password("") },
	"cccd.cmnd":             func(v *visitor) { v.begin(); v.password("171234567") },
	"cccd.lost_zero":        func(v *visitor) { v.begin(); v.password("38090000001") },
	"cccd.length":           func(v *visitor) { v.begin(); v.password("123") },
	"cccd.not_digits":       func(v *visitor) { v.begin(); v.password("abc") },
	"cccd.province":         func(v *visitor) { v.begin(); v.password("999090000001") },
	"cccd.future_year":      func(v *visitor) { v.begin(); v.password("038299000001") },
	"account_locked":        func(v *visitor) { v.begin(); v.password("038188000004") },
	"account_not_activated": func(v *visitor) { v.begin(); v.password("038070000012") },
	"account_no_phone":      func(v *visitor) { v.begin(); v.password("001302000010") },
	"account_level_too_low": func(v *visitor) {
		v.client("high", `,"min_account_level":2`)
		v.begin("client_id", "high")
		v.password("038095000003")
	},
	"too_many_passwords": func(v *visitor) {
		v.begin()
		for range 6 {
			v.form("password", "username", "038090000001", "password", "x")
		}
	},
	"otp_wrong":     func(v *visitor) { v.begin(); v.password("038085000005"); v.form("otp", "otp", "000000") },
	"otp_malformed": func(v *visitor) { v.begin(); v.password("038090000001"); v.form("otp", "otp", "12") },
	"otp_expired": func(v *visitor) {
		v.begin()
		v.password("038090000001")
		v.change("POST", "/clock", `{"advance":"3m"}`)
		v.form("otp", "otp", "123456")
	},
	"otp_too_soon": func(v *visitor) { v.begin(); v.password("038090000001"); v.form("resend") },
	"too_many_otps": func(v *visitor) {
		v.begin()
		v.password("038085000005") // whose message nobody reads
		for range 6 {
			v.form("otp", "otp", "000000")
		}
	},
	"too_many_sms": func(v *visitor) {
		for range 6 {
			v.begin()
			v.password("038090000001")
		}
	},

	"qr_level": func(v *visitor) { v.phone("038095000003", "scan", `{"code":"`+v.showsQR()+`"}`) },
	"web_login_off": func(v *visitor) {
		v.phone("038190000002", "scan", `{"code":"`+v.showsQR()+`"}`)
		v.phone("038190000002", "confirm", `{"login":"`+v.id+`","passcode":"123456"}`)
	},
	"qr_refused": func(v *visitor) {
		v.phone("038090000001", "scan", `{"code":"`+v.showsQR()+`"}`)
		v.phone("038090000001", "refuse", `{"login":"`+v.id+`"}`)
		v.open("GET", v.r.Issuer+"/login/"+v.id, nil)
	},
	"qr_expired": func(v *visitor) {
		code := v.showsQR()
		v.change("POST", "/clock", `{"advance":"3m"}`)
		v.phone("038090000001", "scan", `{"code":"`+code+`"}`)
	},
	"qr_taken": func(v *visitor) {
		code := v.showsQR()
		v.phone("038090000001", "scan", `{"code":"`+code+`"}`)
		v.phone("038075000009", "scan", `{"code":"`+code+`"}`)
	},
	"qr_other_phone": func(v *visitor) {
		v.phone("038090000001", "scan", `{"code":"`+v.showsQR()+`"}`)
		v.phone("038075000009", "confirm", `{"login":"`+v.id+`","passcode":"123456"}`)
	},
	"qr_used": func(v *visitor) {
		v.begin()
		v.password("038090000001")
		v.phone("038075000009", "confirm", `{"login":"`+v.id+`","passcode":"123456"}`)
	},
	"qr_other_browser": func(v *visitor) {
		code := v.showsQR()
		v.phone("038090000001", "scan", `{"code":"`+code+`"}`)
		v.phone("038090000001", "confirm", `{"login":"`+v.id+`","passcode":"123456"}`)
		u := mustParse(v.t, v.r.Issuer)
		var kept []*http.Cookie
		for _, c := range v.jar.Cookies(u) {
			if strings.HasSuffix(c.Name, "_qr") {
				kept = append(kept, &http.Cookie{Name: c.Name, Value: "", MaxAge: -1, Path: "/"})
			}
		}
		v.jar.SetCookies(u, kept)
		v.open("GET", v.r.Issuer+"/login/"+v.id, nil)
	},
	"qr_too_many": func(v *visitor) {
		v.begin()
		for range 40 {
			v.form("qr")
		}
	},
}

// endSessions signs everybody out.
func (v *visitor) endSessions() {
	var list []struct {
		SID string `json:"sid"`
		ID  string `json:"id"`
	}
	v.api("/sessions", &list)
	for _, s := range list {
		v.change("DELETE", "/sessions/"+s.SID+s.ID, "")
	}
}

// provokedElsewhere are hints that belong to no login, so that no record of one
// can hold them, and those of faults and of clients' own keys; what says them
// has tests of its own.
var provokedElsewhere = []string{
	"client.assertion_refused", "client.assertion_replayed", "logout.not_heard", "access_denied", "overloaded", "unavailable", "internal", "key_rotation", "clock_too_far",
	"account_no_app", "qr_unknown", "phone.length", "phone.not_digits", "phone.prefix", "qr_replaced", "qr_foreign", "qr_empty", "too_many_codes", "match_needed", "match_wrong",
	"passcode_needed", "passcode_wrong", "passcode_locked", "passcode_format", "app_locked", "device_replaced", "sign_in_unknown", "activation_over", "activation_unproved",
	"call_malformed", "call_forged", "call_stale", "call_replayed", "too_many_calls",
}

func TestEachHintIsProvokedOverHTTP(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) {
		c.Policy = vneid.DefaultPolicy()
		c.Policy.LoginsPerMinute = 100_000
	})
	for _, h := range record.Hints() {
		provoke, known := provocations[h.ID]
		if !known {
			if !slices.Contains(provokedElsewhere, h.ID) {
				t.Errorf("nothing provokes %s", h.ID)
			}
			continue
		}
		t.Run(h.ID, func(t *testing.T) {
			v := newVisitor(t, r)
			v.change("POST", "/reset", "")
			provoke(v)
			var list []recorded
			v.api("/logins?wait=2s", &list)
			var said []string
			for _, l := range list {
				rec := v.record(l.ID)
				for _, hint := range rec.Hints {
					if hint.ID == h.ID {
						if strings.Contains(strings.ReplaceAll(hint.What.Vi+hint.Change.En, "/login/…", ""), "…") || strings.Contains(hint.What.En, "{") {
							t.Errorf("an argument is missing: %s %s", hint.What.En, hint.Change.En)
						}
						return
					}
				}
				said = append(said, rec.hints()...)
			}
			t.Errorf("the records say %v", said)
		})
	}
}
