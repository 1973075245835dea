package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// base is the API of a whole sandbox that runs until the test ends.
func base(t *testing.T) string {
	t.Helper()
	api, _ := both(t)
	return api
}

// both are the API and the issuer.
func both(t *testing.T) (api, issuer string) {
	t.Helper()
	return start(t, "")
}

// token of a sandbox that asks for one.
const token = "a-token-of-a-test-0123456789abcdef"

// start starts a sandbox that asks for that token, "" = none.
func start(t *testing.T, token string) (api, issuer string) {
	t.Helper()
	r, err := sandbox.Start(t.Context(), sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", AttackListen: "127.0.0.1:0",
		Database: "sqlite::memory:", CheapHashes: true, Token: token, LogOutput: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r.SandboxURL + "/api/v1", r.Issuer
}

// call makes a request and decodes the answer.
func call(t *testing.T, method, url, body string, into any) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" || method != "GET" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s %s: %d, %v: %s", method, url, resp.StatusCode, err, text)
		}
	}
	return resp
}

type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	Errors                    []struct{ Field, Detail string }
}

func (p problem) fields() (list []string) {
	for _, e := range p.Errors {
		list = append(list, e.Field)
	}
	return list
}

func TestAPersonaHasTheFieldsOfTheContractAndNoOthers(t *testing.T) {
	api := base(t)
	var p map[string]any
	call(t, "GET", api+"/personas/038060000007", "", &p)
	want := []string{"account_level", "account_type", "address", "birthdate", "cccd", "cmnd", "email", "gender", "name", "note", "phone", "sms", "status", "web_login"}
	var got []string
	for key := range p {
		got = append(got, key)
	}
	slices.Sort(got)
	if !reflect.DeepEqual(got, want) || p["cmnd"] != "171234567" || p["birthdate"] != "1960" || p["address"] != nil {
		t.Errorf("got %v: %v", got, p)
	}
}

func TestPersonasAreFoundByNumberNameAndPhone(t *testing.T) {
	api := base(t)
	for query, want := range map[string]int{"": 13, "?q=038090000001": 1, "?q=Nguy%E1%BB%85n+V%C4%83n+An": 1, "?q=0950000002": 1, "?q=nobody": 0} {
		var list []struct{ CCCD string }
		if resp := call(t, "GET", api+"/personas"+query, "", &list); resp.StatusCode != 200 || len(list) != want || list == nil {
			t.Errorf("%q: %d, %d people, want %d", query, resp.StatusCode, len(list), want)
		}
	}
	for path, says := range map[string]string{"/personas/038090000999": "no persona", "/personas/x": "no CCCD"} {
		var p problem
		if resp := call(t, "GET", api+path, "", &p); resp.StatusCode != 404 || !strings.Contains(p.Detail, says) {
			t.Errorf("%s: %d %+v", path, resp.StatusCode, p)
		}
	}
}

func TestACreatedClientShowsItsSecretOnce(t *testing.T) {
	api := base(t)
	var c map[string]any
	resp := call(t, "POST", api+"/clients", `{"client_name":"Cổng thử","redirect_uris":["http://localhost:3000/cb"]}`, &c)
	id, _ := c["client_id"].(string)
	secret, _ := c["client_secret"].(string)
	if resp.StatusCode != 201 || id == "" || len(secret) < 40 || c["client_secret_expires_at"] != 0.0 || c["consent"] != "once" ||
		c["token_endpoint_auth_method"] != "client_secret_basic" || c["require_pkce"] != false || resp.Header.Get("Location") != "/api/v1/clients/"+id {
		t.Fatalf("%d %v", resp.StatusCode, c)
	}
	if resp.Header.Get("Cache-Control") != "no-store" {
		t.Error("the answer with the secret may be cached")
	}
	for _, path := range []string{"/clients/" + id, "/clients"} {
		var again json.RawMessage
		if resp := call(t, "GET", api+path, "", &again); resp.StatusCode != 200 || !strings.Contains(string(again), id) || strings.Contains(string(again), "secret\":") || strings.Contains(string(again), secret) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, again)
		}
	}
	var p problem
	if resp := call(t, "POST", api+"/clients", `{"client_id":"my-portal","redirect_uris":["http://localhost/"]}`, &p); resp.StatusCode != 409 || p.fields()[0] != "client_id" {
		t.Errorf("a taken client_id: %d %+v", resp.StatusCode, p)
	}
}

func TestAPublicClientHasNoSecretAndAlwaysPKCE(t *testing.T) {
	var c map[string]any
	resp := call(t, "POST", base(t)+"/clients", `{"client_id":"app","token_endpoint_auth_method":"none","redirect_uris":["http://localhost/"]}`, &c)
	if _, has := c["client_secret"]; resp.StatusCode != 201 || has || c["require_pkce"] != true {
		t.Errorf("%d %v", resp.StatusCode, c)
	}
}

func TestWrongClientsAreRefusedFieldByField(t *testing.T) {
	api := base(t)
	for name, c := range map[string]struct {
		body   string
		code   string
		fields []string
	}{
		"a redirect URI of the state":   {`{"redirect_uris":["https://dichvucong.gov.vn/cb"]}`, "invalid_redirect_uri", []string{"redirect_uris[0]"}},
		"written differently":           {`{"redirect_uris":["https://DICHVUCONG.GOV.VN./cb"]}`, "invalid_redirect_uri", []string{"redirect_uris[0]"}},
		"a public host":                 {`{"redirect_uris":["http://localhost/","https://example.com/"]}`, "invalid_redirect_uri", []string{"redirect_uris[1]"}},
		"link-local":                    {`{"redirect_uris":["http://169.254.169.254/"]}`, "invalid_redirect_uri", []string{"redirect_uris[0]"}},
		"no redirect URI":               {`{}`, "invalid_redirect_uri", []string{"redirect_uris"}},
		"a logout URI of the state":     {`{"redirect_uris":["http://localhost/"],"post_logout_redirect_uris":["https://a.gov.vn/"]}`, "invalid_redirect_uri", []string{"post_logout_redirect_uris[0]"}},
		"an unknown field":              {`{"redirect_uris":["http://localhost/"],"redirect_uri":"x"}`, "invalid_client_metadata", []string{"redirect_uri"}},
		"a secret of one's own":         {`{"redirect_uris":["http://localhost/"],"client_secret":"x"}`, "invalid_client_metadata", []string{"client_secret"}},
		"what the API cannot set":       {`{"redirect_uris":["http://localhost/"],"loopback_any_port":true}`, "invalid_client_metadata", []string{"loopback_any_port"}},
		"a field twice":                 {`{"redirect_uris":["http://localhost/"],"scope":"openid","scope":"openid"}`, "invalid_client_metadata", []string{"scope"}},
		"everything at once":            {`{"client_id":"a b","client_name":5,"redirect_uris":"x","consent":"maybe","foo":1}`, "invalid_client_metadata", []string{"client_name", "redirect_uris", "foo", "client_id", "consent"}},
		"a wrong type within a list":    {`{"redirect_uris":["http://localhost/",5]}`, "invalid_client_metadata", []string{"redirect_uris"}},
		"a public client without PKCE":  {`{"redirect_uris":["http://localhost/"],"token_endpoint_auth_method":"none","require_pkce":false}`, "invalid_client_metadata", []string{"require_pkce"}},
		"keys that are private":         {`{"redirect_uris":["http://localhost/"],"jwks":{"keys":[{"kty":"OKP","d":"AA"}]}}`, "invalid_client_metadata", []string{"jwks"}},
		"keys of the state":             {`{"redirect_uris":["http://localhost/"],"jwks_uri":"https://a.gov.vn/keys"}`, "invalid_client_metadata", []string{"jwks_uri"}},
		"keys at a cloud's metadata":    {`{"redirect_uris":["http://localhost/"],"jwks_uri":"http://169.254.169.254/"}`, "invalid_client_metadata", []string{"jwks_uri"}},
		"private_key_jwt without keys":  {`{"redirect_uris":["http://localhost/"],"token_endpoint_auth_method":"private_key_jwt"}`, "invalid_client_metadata", []string{"jwks"}},
		"a lifetime that is no integer": {`{"redirect_uris":["http://localhost/"],"access_token_lifetime":1.5}`, "invalid_client_metadata", []string{"access_token_lifetime"}},
	} {
		t.Run(name, func(t *testing.T) {
			var p problem
			resp := call(t, "POST", api+"/clients", c.body, &p)
			if resp.StatusCode != 400 || resp.Header.Get("Content-Type") != "application/problem+json" || p.Status != 400 || p.Code != c.code || !slices.Equal(p.fields(), c.fields) {
				t.Errorf("%d %+v", resp.StatusCode, p)
			}
		})
	}
}

func TestBodiesThatAreNoObjectAreRefused(t *testing.T) {
	api := base(t)
	for body, status := range map[string]int{
		"": 400, "[]": 400, "null": 400, `"x"`: 400, "{": 400, `{"reset":true}{}`: 400, `{"reset":true} x`: 400, `{"reset":true}]`: 400,
		"{\"set\":\"\xff\"}": 400, "{}": 400, `{"advance":"5m","reset":true}`: 400, `{"reset":false}`: 400, `{"advance":5}`: 400,
		`{"advance":"5 minutes"}`: 400, `{"advance":"2000000h"}`: 400, `{"set":"tomorrow"}`: 400, `{"set":"9999-01-01T00:00:00Z"}`: 400,
		`{"set":"0001-01-01T00:00:00Z"}`: 400, `{"foo":1}`: 400, `{"advance":null,"reset":true}`: 200, "  {\"reset\" : true}\n": 200,
		`{"advance":"` + strings.Repeat("5", 65<<10) + `"}`: 413,
	} {
		var answer struct {
			problem
			Now string
		}
		if resp := call(t, "POST", api+"/clock", body, &answer); resp.StatusCode != status || status != 200 && answer.Detail == "" {
			t.Errorf("%.40q: %d, want %d: %+v", body, resp.StatusCode, status, answer)
		}
	}
}

func TestAPatchMergesFieldsIntoAClient(t *testing.T) {
	api := base(t)
	var c map[string]any
	resp := call(t, "PATCH", api+"/clients/my-portal", `{"consent":"always","scope":"openid cccd","post_logout_redirect_uris":null}`, &c)
	if resp.StatusCode != 200 || c["consent"] != "always" || c["scope"] != "openid cccd" || c["post_logout_redirect_uris"] != nil || len(c["redirect_uris"].([]any)) != 4 || c["client_secret"] != nil {
		t.Errorf("%d %v", resp.StatusCode, c)
	}
	c = nil
	if resp := call(t, "PATCH", api+"/clients/my-portal", `{"token_endpoint_auth_method":"none"}`, &c); resp.StatusCode != 200 || c["require_pkce"] != true || c["client_secret"] != nil {
		t.Errorf("to public: %d %v", resp.StatusCode, c)
	}
	c = nil
	if resp := call(t, "PATCH", api+"/clients/my-portal", `{"token_endpoint_auth_method":"client_secret_post"}`, &c); resp.StatusCode != 200 || c["require_pkce"] != false || c["client_secret"] == nil {
		t.Errorf("back to confidential, with a new secret: %d %v", resp.StatusCode, c)
	}
	for body, field := range map[string]string{
		`{"client_id":"other"}`: "client_id", `{"redirect_uris":[]}`: "redirect_uris", `{"redirect_uris":["https://a.gov.vn/"]}`: "redirect_uris[0]", `{"consnt":"once"}`: "consnt",
	} {
		var p problem
		if resp := call(t, "PATCH", api+"/clients/my-portal", body, &p); resp.StatusCode != 400 || !slices.Contains(p.fields(), field) {
			t.Errorf("%s: %d %+v", body, resp.StatusCode, p)
		}
	}
	c = nil
	if call(t, "GET", api+"/clients/my-portal", "", &c); c["consent"] != "always" || len(c["redirect_uris"].([]any)) != 4 {
		t.Errorf("a refused patch left something: %v", c)
	}
	if resp := call(t, "PATCH", api+"/clients/nobody", `{}`, nil); resp.StatusCode != 404 {
		t.Errorf("an unknown client: %d", resp.StatusCode)
	}
}

// now reads the world's clock.
func now(t *testing.T, api string) time.Time {
	t.Helper()
	var clock struct{ Now time.Time }
	call(t, "GET", api+"/clock", "", &clock)
	return clock.Now
}

func TestTheClockAdvancesIsSetAndReset(t *testing.T) {
	api := base(t)
	near := func(what string, want time.Time) {
		t.Helper()
		if got := now(t, api); got.Sub(want).Abs() > 5*time.Second {
			t.Errorf("%s: the clock stands at %s, want %s", what, got, want)
		}
	}
	begin := now(t, api)
	call(t, "POST", api+"/clock", `{"advance":"5m"}`, nil)
	call(t, "POST", api+"/clock", `{"advance":"1h"}`, nil)
	near("advances add up", begin.Add(65*time.Minute))
	call(t, "POST", api+"/clock", `{"advance":"-10m"}`, nil)
	near("and go back", begin.Add(55*time.Minute))
	call(t, "POST", api+"/clock", `{"set":"2030-02-03T04:05:06+07:00"}`, nil)
	near("set", time.Date(2030, 2, 2, 21, 5, 6, 0, time.UTC))
	var answer struct{ Now time.Time }
	call(t, "POST", api+"/clock", `{"reset":true}`, &answer)
	near("reset", begin)
	if answer.Now.Sub(begin).Abs() > 5*time.Second {
		t.Errorf("the answer says %s", answer.Now)
	}
}

func TestConcurrentAdvancesAllCount(t *testing.T) {
	api := base(t)
	begin := now(t, api)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { call(t, "POST", api+"/clock", `{"advance":"1h"}`, nil) })
	}
	all.Wait()
	if moved := now(t, api).Sub(begin).Round(time.Minute); moved != 20*time.Hour {
		t.Errorf("the clock moved by %s, want 20h", moved)
	}
}

func TestAResetBringsTheSeedBack(t *testing.T) {
	api := base(t)
	call(t, "POST", api+"/clients", `{"client_id":"gone","redirect_uris":["http://localhost/"]}`, nil)
	call(t, "PATCH", api+"/clients/my-portal", `{"consent":"never"}`, nil)
	call(t, "POST", api+"/clock", `{"advance":"5h"}`, nil)
	var p problem
	if resp := call(t, "POST", api+"/reset", `{"clients":true}`, &p); resp.StatusCode != 400 {
		t.Errorf("a reset with fields: %d", resp.StatusCode)
	}
	if resp := call(t, "POST", api+"/reset", "", nil); resp.StatusCode != 200 {
		t.Fatalf("reset: %d", resp.StatusCode)
	}
	if resp := call(t, "GET", api+"/clients/gone", "", nil); resp.StatusCode != 404 {
		t.Errorf("the new client is still there: %d", resp.StatusCode)
	}
	var c map[string]any
	call(t, "GET", api+"/clients/my-portal", "", &c)
	var people []any
	call(t, "GET", api+"/personas", "", &people)
	if c["consent"] != "once" || len(people) != 13 {
		t.Errorf("consent %v, %d people", c["consent"], len(people))
	}
	if offset := time.Until(now(t, api)).Abs(); offset > 5*time.Second {
		t.Errorf("the clock is %s off", offset)
	}
}

func TestMessagesAreAskedForWithValidNumbersAndShortWaits(t *testing.T) {
	api := base(t)
	for query, want := range map[string]int{
		"": 200, "?to=0950000001": 200, "?to=%2B84950000001": 200, "?wait=0": 200, "?wait=10ms&to=0950000005": 200, "?to=&wait=": 200,
		"?to=123": 400, "?to=abc": 400, "?wait=61s": 400, "?wait=61": 400, "?wait=-1s": 400, "?wait=soon": 400,
	} {
		var answer json.RawMessage
		resp := call(t, "GET", api+"/sms"+query, "", &answer)
		if resp.StatusCode != want || want == 200 && strings.TrimSpace(string(answer)) != "[]" {
			t.Errorf("%s: %d %s", query, resp.StatusCode, answer)
		}
	}
	var p problem
	if call(t, "GET", api+"/sms?to=1&wait=x", "", &p); !slices.Equal(p.fields(), []string{"to", "wait"}) {
		t.Errorf("both mistakes: %+v", p)
	}
}
