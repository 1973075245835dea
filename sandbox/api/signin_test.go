package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// stopped is the problem of a login that came to no code.
type stopped struct {
	problem
	Step, Advice, Login, Callback string
}

type signedIn struct {
	stopped
	Form         map[string]string
	State, Nonce string
	CodeVerifier string `json:"code_verifier"`
}

func signIn(t *testing.T, api, body string) (int, signedIn) {
	t.Helper()
	var done signedIn
	resp := call(t, "POST", api+"/logins", body, &done)
	return resp.StatusCode, done
}

// must signs in and returns the code.
func must(t *testing.T, api, body string) (code string, done signedIn) {
	t.Helper()
	status, done := signIn(t, api, body)
	back, err := url.Parse(done.Callback)
	if status != 200 || err != nil || back.Query().Get("code") == "" {
		t.Fatalf("%s: %d %+v", body, status, done)
	}
	return back.Query().Get("code"), done
}

func TestPeopleSignInWithoutABrowser(t *testing.T) {
	api := base(t)
	// The first sign-in asks for the sharing, the second does not.
	for range 2 {
		for _, method := range []string{"otp", "qr"} {
			_, done := must(t, api, `{"client_id":"my-portal","cccd":"038090000001","method":"`+method+`","params":{"redirect_uri":"http://localhost:3000/callback","state":"xyz","scope":"openid profile"}}`)
			back, _ := url.Parse(done.Callback)
			if back.Host != "localhost:3000" || back.Query().Get("state") != "xyz" || back.Query().Get("iss") == "" || done.Login == "" ||
				done.State != "" || done.Nonce == "" || done.CodeVerifier != "" {
				t.Errorf("%s: %+v", method, done)
			}
		}
	}
	// What a client needs is made: its first redirect URI, PKCE where it must.
	call(t, "POST", api+"/clients", `{"client_id":"app","token_endpoint_auth_method":"none","redirect_uris":["http://localhost:4000/cb?a=b"]}`, nil)
	_, done := must(t, api, `{"client_id":"app","cccd":"038090000001"}`)
	if !strings.HasPrefix(done.Callback, "http://localhost:4000/cb?a=b&") || !vneid.ValidVerifier(done.CodeVerifier) || done.State == "" {
		t.Errorf("%+v", done)
	}
	// Answers in other modes.
	if _, done := signIn(t, api, `{"client_id":"my-portal","cccd":"038090000001","params":{"response_mode":"form_post"}}`); done.Callback != "http://127.0.0.1/callback" || done.Form["code"] == "" || done.Form["state"] != done.State {
		t.Errorf("form_post: %+v", done)
	}
	if _, done := signIn(t, api, `{"client_id":"my-portal","cccd":"038090000001","params":{"response_mode":"fragment"}}`); !strings.HasPrefix(done.Callback, "http://127.0.0.1/callback#code=") {
		t.Errorf("fragment: %+v", done)
	}
}

func TestTheWaysOfSigningInAreThoseOfTheClient(t *testing.T) {
	api := base(t)
	change := func(body string) { call(t, "PATCH", api+"/clients/my-portal", body, nil) }
	const by = `{"client_id":"my-portal","cccd":"038090000001","method":%q}`
	change(`{"number_matching":true}`)
	must(t, api, fmt.Sprintf(by, "qr"))
	if status, done := signIn(t, api, `{"client_id":"my-portal","cccd":"038090000001","method":"qr","number":5}`); status != 422 || done.Code != "match_wrong" || done.Step != "confirm" {
		t.Errorf("a wrong number: %d %+v", status, done)
	}
	change(`{"second_factor":"app_code"}`)
	must(t, api, fmt.Sprintf(by, "otp"))
	change(`{"second_factor":"none"}`)
	must(t, api, fmt.Sprintf(by, "otp"))
	change(`{"second_factor":"app_code"}`)
	if status, done := signIn(t, api, `{"client_id":"my-portal","cccd":"038060000007"}`); status != 422 || done.Code != "account_no_app" || done.Advice == "" {
		t.Errorf("no app: %d %+v", status, done)
	}
	// Somebody with secrets of their own.
	call(t, "PATCH", api+"/personas/038060000007", `{"password":"của riêng ông Hải","passcode":"654321"}`, nil)
	must(t, api, `{"client_id":"my-portal","cccd":"038060000007","password":"của riêng ông Hải","passcode":"654321"}`)
	must(t, api, `{"client_id":"my-portal","cccd":"038060000007","method":"qr","passcode":"654321"}`)
	if status, done := signIn(t, api, `{"client_id":"my-portal","cccd":"038060000007","method":"qr"}`); status != 422 || done.Code != "passcode_wrong" || done.Step != "confirm" || done.Advice == "" {
		t.Errorf("the passcode of ready phones: %d %+v", status, done)
	}
}

func TestWhateverStopsALoginIsNamedWithTheWayBack(t *testing.T) {
	api := base(t)
	call(t, "POST", api+"/clients", `{"client_id":"strict","redirect_uris":["http://localhost:5000/cb"],"min_account_level":2,"scope":"openid"}`, nil)
	call(t, "POST", api+"/clients", `{"client_id":"machine","grant_types":["client_credentials"]}`, nil)
	for name, c := range map[string]struct {
		order, step, code string
		back              string // OAuth error in the way back, "" = there is none
	}{
		"locked":                {`{"client_id":"my-portal","cccd":"038188000004"}`, "password", "account_locked", "access_denied"},
		"locked, by phone":      {`{"client_id":"my-portal","cccd":"038188000004","method":"qr"}`, "scan", "account_locked", ""},
		"not activated":         {`{"client_id":"my-portal","cccd":"038070000012"}`, "password", "account_not_activated", "access_denied"},
		"no phone":              {`{"client_id":"my-portal","cccd":"001302000010"}`, "password", "account_no_phone", "access_denied"},
		"SMS never":             {`{"client_id":"my-portal","cccd":"038085000005"}`, "otp", "sms_never", ""},
		"SMS late":              {`{"client_id":"my-portal","cccd":"038192000006"}`, "otp", "sms_late", ""},
		"level too low":         {`{"client_id":"strict","cccd":"038095000003"}`, "password", "account_level_too_low", "access_denied"},
		"level 1 by phone":      {`{"client_id":"my-portal","cccd":"038095000003","method":"qr"}`, "scan", "qr_level", ""},
		"permission off":        {`{"client_id":"my-portal","cccd":"038190000002","method":"qr"}`, "scan", "web_login_off", ""},
		"consent refused":       {`{"client_id":"my-portal","cccd":"038090000001","consent":false}`, "sharing", "consent_refused", "access_denied"},
		"a bad redirect URI":    {`{"client_id":"my-portal","cccd":"038090000001","params":{"redirect_uri":"http://localhost:3000/callback/"}}`, "authorize", "redirect_uri_invalid", ""},
		"a bad scope":           {`{"client_id":"strict","cccd":"038090000001","params":{"scope":"openid cccd"}}`, "authorize", "invalid_scope", "invalid_scope"},
		"a bad response type":   {`{"client_id":"strict","cccd":"038090000001","params":{"response_type":"token"}}`, "authorize", "unsupported_response_type", "unsupported_response_type"},
		"prompt none":           {`{"client_id":"my-portal","cccd":"038090000001","params":{"prompt":"none"}}`, "authorize", "login_required", "login_required"},
		"a wrong password":      {`{"client_id":"my-portal","cccd":"038075000009","password":"x"}`, "password", "wrong_credentials", ""},
		"a wrong passcode":      {`{"client_id":"my-portal","cccd":"038075000009","method":"qr","passcode":"000000"}`, "confirm", "passcode_wrong", ""},
		"an empty redirect URI": {`{"client_id":"my-portal","cccd":"038090000001","params":{"redirect_uri":""}}`, "authorize", "redirect_uri_missing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, done := signIn(t, api, c.order)
			if status != 422 || done.Step != c.step || done.Code != c.code || done.Detail == "" || done.Status != 422 {
				t.Fatalf("%d %+v", status, done)
			}
			back, err := url.Parse(done.Callback)
			if err != nil || back.Query().Get("error") != c.back || (c.back == "") != (done.Callback == "") {
				t.Errorf("the way back: %q", done.Callback)
			}
			if (done.Login == "") != (c.step == "authorize") {
				t.Errorf("login %q at step %s", done.Login, c.step)
			}
		})
	}
	if _, done := signIn(t, api, `{"client_id":"my-portal","cccd":"038192000006"}`); !strings.Contains(done.Detail, "arrives at 20") || !strings.Contains(done.Advice, "90s") {
		t.Errorf("a late SMS: %+v", done)
	}
	for order, fields := range map[string][]string{
		`{}`: {"cccd", "client_id"},
		`{"client_id":"none","cccd":"038090000001"}`:      {"client_id"},
		`{"client_id":"machine","cccd":"038090000001"}`:   {"client_id"},
		`{"client_id":"my-portal","cccd":"038090000999"}`: {"cccd"},
		`{"client_id":"my-portal","cccd":"x","method":"face","params":{"client_id":"strict"},"passcode":"1","number":100,"wait":"2m"}`: {"cccd", "method", "number", "params.client_id", "passcode", "wait"},
		`{"client_id":"my-portal","cccd":"038090000001","params":{"max_age":0,"state":null,"nonce":"a","nonce":"b"}}`:                  {"params.max_age", "params.state", "params.nonce"},
		`{"client_id":"my-portal","cccd":"038090000001","params":["x"],"consnt":true}`:                                                 {"params", "consnt"},
	} {
		status, done := signIn(t, api, order)
		if status != 400 || !slices.Equal(done.fields(), fields) {
			t.Errorf("%s: %d %+v", order, status, done)
		}
	}
}

func TestALateMessageIsWaitedForWhileTheClockMoves(t *testing.T) {
	api := base(t)
	got := make(chan signedIn, 1)
	go func() {
		_, done := signIn(t, api, `{"client_id":"my-portal","cccd":"038192000006","wait":"30s"}`)
		got <- done
	}()
	// The clock moves when the message is on its way; nobody can see that, so
	// it moves until the login came back.
	for deadline := time.Now().Add(20 * time.Second); ; {
		select {
		case done := <-got:
			if !strings.Contains(done.Callback, "code=") {
				t.Errorf("%+v", done)
			}
			return
		case <-time.After(200 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatal("still waiting")
			}
			call(t, "POST", api+"/clock", `{"advance":"20s"}`, nil)
		}
	}
}

func TestManySignInAtOnce(t *testing.T) {
	api := base(t)
	var all sync.WaitGroup
	people := []string{"038090000001", "038060000007", "038198000008", "038075000009", "038093000013"}
	for i := range 40 {
		all.Go(func() {
			// By phone one person has no quota: the same phone confirms several.
			body := fmt.Sprintf(`{"client_id":"my-portal","cccd":%q,"method":%q}`, people[i%len(people)], []string{"qr", "otp"}[i%2])
			if status, done := signIn(t, api, body); status != 200 {
				t.Errorf("%s: %d %+v", body, status, done)
			}
		})
	}
	all.Wait()
}

// redeem exchanges a code at the provider.
func redeem(t *testing.T, issuer string, form url.Values) (status int, tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", issuer+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("my-portal", "my-portal-secret")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	if err := json.Unmarshal(raw, &tokens); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, tokens
}

func userinfo(t *testing.T, issuer, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestATestersHandReachesSessionsAndTokensAtOnce(t *testing.T) {
	const an = "/personas/038090000001"
	for name, c := range map[string]struct {
		method, path, body string
		undo               string // a patch of An after which the tokens are good again, "" = never
		refresh            int    // status of a refresh meanwhile
		sessions           int
	}{
		"a locked person":   {"PATCH", an, `{"status":"locked"}`, `{"status":"active"}`, 400, 1},
		"a deleted person":  {"DELETE", an, "", "", 400, 0},
		"a deleted client":  {"DELETE", "/clients/my-portal", "", "", 401, 1},
		"an ended session":  {"DELETE", "/sessions/", "", "", 200, 0}, // offline_access outlives it
		"a changed address": {"PATCH", an, `{"address":null}`, `{}`, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			api, issuer := both(t)
			code, done := must(t, api, `{"client_id":"my-portal","cccd":"038090000001","params":{"scope":"openid offline_access"}}`)
			status, tokens := redeem(t, issuer, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {strings.SplitN(done.Callback, "?", 2)[0]}})
			if status != 200 || userinfo(t, issuer, tokens.Access) != 200 {
				t.Fatalf("redeem: %d", status)
			}
			var sessions []struct {
				SID, CCCD, ACR string
				Clients        []string
			}
			if call(t, "GET", api+"/sessions?cccd=038090000001", "", &sessions); len(sessions) != 1 || sessions[0].CCCD != "038090000001" || sessions[0].ACR != "LoA2" || !slices.Equal(sessions[0].Clients, []string{"my-portal"}) {
				t.Fatalf("sessions: %+v", sessions)
			}
			path := c.path
			if path == "/sessions/" {
				path += sessions[0].SID
			}
			if resp := call(t, c.method, api+path, c.body, nil); resp.StatusCode >= 300 {
				t.Fatalf("%s %s: %d", c.method, path, resp.StatusCode)
			}
			alive := 401
			if c.undo == "{}" {
				alive = 200
			}
			if got := userinfo(t, issuer, tokens.Access); got != alive {
				t.Errorf("userinfo afterwards: %d", got)
			}
			if call(t, "GET", api+"/sessions", "", &sessions); len(sessions) != c.sessions {
				t.Errorf("sessions afterwards: %+v", sessions)
			}
			if got, _ := redeem(t, issuer, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}}); got != c.refresh {
				t.Errorf("a refresh: %d, want %d", got, c.refresh)
			}
			if c.undo != "" {
				call(t, "PATCH", api+an, c.undo, nil)
				if got := userinfo(t, issuer, tokens.Access); got != 200 {
					t.Errorf("userinfo, undone: %d", got)
				}
				return
			}
			if name == "a deleted person" { // somebody else gets the number: the old tokens are not theirs
				call(t, "POST", api+"/personas", `{"cccd":"038090000001","name":"Nguyễn Văn Khác","birthdate":"1990","gender":"male","phone":"0950000001"}`, nil)
				if got := userinfo(t, issuer, tokens.Access); got != 401 {
					t.Errorf("userinfo of the next who has the number: %d", got)
				}
			}
		})
	}
}
