package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// flow is a whole sign-in of my-portal, message by message, as a relying party
// sees it.
type flow struct {
	Callback  *url.URL
	Token     *http.Response
	TokenBody string
	ID        *idToken // nil: there was none, or it cannot be taken apart
	Userinfo  *http.Response
	UserBody  string
	KeySet    string
	Discovery string
	Record    recorded
}

// idToken is a JWT taken apart.
type idToken struct {
	Compact        string
	Header, Claims map[string]any
	Genuine        bool // signed by a key of the JWKS, by the algorithm of the header
}

// answers are a token response and claims, decoded.
func (f *flow) tokens(t *testing.T) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(f.TokenBody), &m); err != nil {
		t.Fatalf("the token response: %v: %.300s", err, f.TokenBody)
	}
	return m
}

func (f *flow) claims(t *testing.T) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(f.UserBody), &m); err != nil {
		t.Fatalf("userinfo: %v: %.300s", err, f.UserBody)
	}
	return m
}

// crooked is a sandbox whose faults a test arms.
type crooked struct {
	t *testing.T
	r *sandbox.Running
	v *visitor
}

func newCrooked(t *testing.T) *crooked {
	t.Helper()
	r, _ := start(t, func(c *sandbox.Config) {
		c.Policy = vneid.DefaultPolicy()
		c.Policy.SMSPerNumber = 10_000 // one person signs in again and again
	})
	return &crooked{t: t, r: r, v: newVisitor(t, r)}
}

// arm arms one fault for my-portal; further are pairs of field and JSON value.
func (c *crooked) arm(id, variant string, further ...string) {
	c.t.Helper()
	more := ""
	for i := 0; i+1 < len(further); i += 2 {
		more += fmt.Sprintf(`,%q:%s`, further[i], further[i+1])
	}
	body := fmt.Sprintf(`{"faults":[{"id":%q,"variant":%q%s}]}`, id, variant, more)
	if resp, said := send(c.t, "PUT", c.r.SandboxURL+"/api/v1/clients/my-portal/faults", body, "Content-Type: application/json"); resp.StatusCode != 200 {
		c.t.Fatalf("arm %s %s: %d %s", id, variant, resp.StatusCode, said)
	}
}

func (c *crooked) disarm() {
	c.t.Helper()
	if resp, said := send(c.t, "DELETE", c.r.SandboxURL+"/api/v1/faults/armed", "", "Content-Type: application/json"); resp.StatusCode != 204 {
		c.t.Fatalf("disarm: %d %s", resp.StatusCode, said)
	}
}

// signIn goes through a sign-in with PKCE to its end, or to where a fault ends it.
func (c *crooked) signIn(params ...string) *flow {
	c.t.Helper()
	f := &flow{}
	_, f.Discovery = send(c.t, "GET", c.r.Issuer+"/.well-known/openid-configuration", "")
	_, f.KeySet = send(c.t, "GET", c.r.Issuer+"/keys", "")
	c.v = newVisitor(c.t, c.r)
	c.v.begin(append([]string{"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method", "S256"}, params...)...)
	code, at := c.v.signInTo("038090000001")
	f.Callback = at
	if code != "" {
		f.Token, f.TokenBody = send(c.t, "POST", c.r.Issuer+"/oauth/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
			"code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}}.Encode(), "Content-Type: application/x-www-form-urlencoded", basic)
		var tokens struct {
			ID     any `json:"id_token"`
			Access any `json:"access_token"`
		}
		if json.Unmarshal([]byte(f.TokenBody), &tokens) == nil {
			if id, ok := tokens.ID.(string); ok {
				f.ID = c.takeApart(id)
			}
			if access, ok := tokens.Access.(string); ok {
				f.Userinfo, f.UserBody = send(c.t, "GET", c.r.Issuer+"/userinfo", "", "Authorization: Bearer "+access)
			}
		}
	}
	f.Record = c.v.record(c.v.id)
	return f
}

// signInOnly goes through a sign-in until the provider sends the browser back.
func (c *crooked) signInOnly(params ...string) *url.URL {
	c.t.Helper()
	c.v = newVisitor(c.t, c.r)
	c.v.begin(params...)
	_, at := c.v.signInTo("038090000001")
	return at
}

// takeApart reads a JWT and looks whether a key of the provider signed it.
func (c *crooked) takeApart(compact string) *idToken {
	c.t.Helper()
	id := &idToken{Compact: compact}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil
	}
	for i, into := range []*map[string]any{&id.Header, &id.Claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			return nil
		}
	}
	signed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA})
	id.Genuine = err == nil && c.signedByUs(signed)
	return id
}

func (c *crooked) signedByUs(signed *jose.JSONWebSignature) bool {
	c.t.Helper()
	_, raw := send(c.t, "GET", c.r.Issuer+"/keys", "")
	var set jose.JSONWebKeySet
	if json.Unmarshal([]byte(raw), &set) != nil {
		return false
	}
	for _, k := range set.Keys {
		if _, err := signed.Verify(k); err == nil && k.Algorithm == signed.Signatures[0].Header.Algorithm {
			return true
		}
	}
	return false
}

// struck says which faults the record of the sign-in tells of.
func (f *flow) struck() (list []string) {
	for _, s := range f.Record.Steps {
		for _, check := range s.Checks {
			if check.Name == "fault" {
				list = append(list, check.Detail)
			}
		}
	}
	return list
}

// differs lists the members in which two JSON objects differ.
func differs(a, b map[string]any) (list []string) {
	for name := range a {
		if x, ok := b[name]; !ok || !reflect.DeepEqual(x, a[name]) {
			list = append(list, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// changing are the claims that differ between any two ID tokens.
var changing = []string{"at_hash", "auth_time", "exp", "iat", "sid"}

func without(m map[string]any, names ...string) map[string]any {
	m = maps.Clone(m)
	for _, n := range names {
		delete(m, n)
	}
	return m
}

func TestAClaimIsWrongAsDescribedAndEverythingElseIsRight(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn()
	if honest.ID == nil || !honest.ID.Genuine || len(honest.struck()) != 0 {
		t.Fatalf("without a fault: %+v", honest)
	}
	for _, want := range claimFaults {
		t.Run(want.id+" "+want.variant, func(t *testing.T) {
			c.t = t
			c.arm(want.id, want.variant)
			got := c.signIn()
			switch {
			case got.ID == nil || !got.ID.Genuine:
				t.Fatalf("the token is not signed by the provider: %s", got.TokenBody)
			case fmt.Sprint(differs(without(honest.ID.Claims, without2(changing, want.changed)...), without(got.ID.Claims, without2(changing, want.changed)...))) != fmt.Sprint(want.changed):
				t.Errorf("differs in %v\n%v\n%v", differs(honest.ID.Claims, got.ID.Claims), honest.ID.Claims, got.ID.Claims)
			case !want.is(c, got.ID.Claims):
				t.Errorf("not as described: %v", got.ID.Claims)
			case fmt.Sprint(differs(honest.ID.Header, got.ID.Header)) != "[]":
				t.Errorf("the header: %v", got.ID.Header)
			case fmt.Sprint(differs(without(honest.tokens(t), "access_token", "refresh_token", "id_token"), without(got.tokens(t), "access_token", "refresh_token", "id_token"))) != "[]":
				t.Errorf("the token response: %s", got.TokenBody)
			case got.UserBody != honest.UserBody || got.KeySet != honest.KeySet || got.Discovery != honest.Discovery:
				t.Error("another message differs")
			case len(got.struck()) != 1 || !strings.HasPrefix(got.struck()[0], want.id):
				t.Errorf("the record says %v", got.struck())
			}
			c.disarm()
		})
	}
	c.t = t
	if again := c.signIn(); !again.ID.Genuine || len(differs(without(honest.ID.Claims, changing...), without(again.ID.Claims, changing...))) > 0 || len(again.struck()) > 0 {
		t.Errorf("disarmed, it is still wrong: %v", again.ID.Claims)
	}
}

// without2 are the names of a list that another does not have.
func without2(list, names []string) (rest []string) {
	for _, n := range list {
		if !slices.Contains(names, n) {
			rest = append(rest, n)
		}
	}
	return rest
}

func TestAFaultStrikesWhomItIsArmedForAndAsOftenAsItIsTold(t *testing.T) {
	c := newCrooked(t)
	wrong := func(params ...string) bool { return c.signIn(params...).ID.Claims["iss"] != c.r.Issuer }
	c.arm("iss-wrong", "", "times", "2")
	if got := []bool{wrong(), wrong(), wrong()}; !slices.Equal(got, []bool{true, true, false}) {
		t.Errorf("armed for two times, it strikes %v", got)
	}
	c.arm("C01", "", "persona", `"038060000007"`)
	if wrong() {
		t.Error("armed for somebody else, it strikes")
	}
	c.arm("C01", "", "login_hint", `"x"`)
	if wrong() || !wrong("login_hint", "x") {
		t.Error("armed for a login_hint, it does not strike just there")
	}
	var first []bool
	for range 2 {
		c.arm("C01", "", "probability", "0.5", "seed", "7")
		var now []bool
		for range 8 {
			now = append(now, wrong())
		}
		if first != nil && fmt.Sprint(first) != fmt.Sprint(now) {
			t.Errorf("the same seed draws %v and %v", first, now)
		}
		first = now
		c.disarm()
	}
	if !slices.Contains(first, true) || !slices.Contains(first, false) {
		t.Errorf("of a half, it struck %v", first)
	}
	c.arm("C01", "")
	if resp, _ := send(t, "POST", c.r.SandboxURL+"/api/v1/clients", `{"client_id":"other","redirect_uris":["http://localhost/"]}`, "Content-Type: application/json"); resp.StatusCode != 201 {
		t.Fatal(resp.Status)
	}
	if resp, body := send(t, "GET", c.r.Issuer+"/authorize?client_id=other&response_type=code&scope=openid&redirect_uri=http://localhost/", "", "Accept: text/html"); resp.StatusCode != 303 || strings.Contains(body, "iss-wrong") {
		t.Errorf("%d: it strikes another client", resp.StatusCode)
	}
	if _, page := newVisitor(t, c.r).begin(); !strings.Contains(page, "C01 iss-wrong") {
		t.Error("the page does not say what is armed")
	}
	c.arm("C01", "", "persona", `"038060000007"`)
	if _, page := newVisitor(t, c.r).begin(); !strings.Contains(page, "C01 iss-wrong") {
		t.Error("the page does not say what is armed for somebody who may be about to sign in")
	}
	send(t, "POST", c.r.SandboxURL+"/api/v1/reset", "{}", "Content-Type: application/json")
	if wrong() {
		t.Error("a reset leaves it armed")
	}
}

func TestArmedFaultsSurviveARestartAndReachTheOtherProcess(t *testing.T) {
	database := "sqlite:" + t.TempDir() + "/s.db"
	at := func(c *sandbox.Config) { c.Database = database }
	r1, _ := start(t, at)
	r2, _ := start(t, at)
	c := &crooked{t: t, r: r1}
	c.arm("C02", "case", "times", "3")
	list := func(r *sandbox.Running) string {
		_, body := send(t, "GET", r.SandboxURL+"/api/v1/faults/armed", "")
		var out bytes.Buffer
		if err := json.Compact(&out, []byte(body)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const want = `[{"id":"C02","variant":"case","client_id":"my-portal","times":3,"probability":1,"seed":0}]`
	if got := list(r1); got != want {
		t.Fatal(got)
	}
	for end := time.Now().Add(10 * time.Second); list(r2) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the other process has %s", list(r2))
		}
	}
	r1.Close(t.Context())
	r2.Close(t.Context())
	r3, _ := start(t, at)
	if got := list(r3); got != want {
		t.Errorf("after the restart: %s", got)
	}
}

func TestFaultsOfTheConfigurationAreCarriedByPersonas(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) {
		c.Faults = []fault.Armed{{ID: "C01", Persona: "038060000007", Probability: 1}}
	})
	c := &crooked{t: t, r: r, v: newVisitor(t, r)}
	if id := c.signIn().ID; id.Claims["iss"] != r.Issuer {
		t.Error("another persona carries it")
	}
	armed := func() (n int) {
		var list []struct{ Persona string }
		c.v.api("/faults/armed", &list)
		return len(list)
	}
	if c.disarm(); armed() != 0 {
		t.Error("it cannot be disarmed")
	}
	if send(t, "POST", r.SandboxURL+"/api/v1/reset", "{}", "Content-Type: application/json"); armed() != 1 {
		t.Error("after a reset nobody carries it")
	}
}
