package sandbox_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// attacked is a sandbox whose attacker listens.
func attacked(t *testing.T) *crooked {
	t.Helper()
	r, _ := start(t, func(c *sandbox.Config) {
		c.AttackListen = "127.0.0.1:0"
		c.Policy = vneid.DefaultPolicy()
		c.Policy.SMSPerNumber = 10_000 // one person signs in again and again
	})
	return &crooked{t: t, r: r, v: newVisitor(t, r)}
}

type hit struct {
	ID          int64
	Fault, What string
	ClientID    string `json:"client_id"`
	Carried     []string
	Browser     bool
}

// hits are who came to the attacker since the last call.
func (c *crooked) hits(query string) (list []hit) {
	c.t.Helper()
	_, body := send(c.t, "GET", c.r.SandboxURL+"/api/v1/canaries"+query, "")
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		c.t.Fatalf("%v: %s", err, body)
	}
	send(c.t, "DELETE", c.r.SandboxURL+"/api/v1/canaries", "", "Content-Type: application/json")
	return list
}

// verifiedBy says whether a JWT is signed by a key of a set.
func verifiedBy(t *testing.T, compact, set string) bool {
	t.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(set), &keys); err != nil || len(keys.Keys) != 1 {
		t.Fatalf("%v, %s", err, set)
	}
	header, _, _ := partsOf(t, compact)
	return header["kid"] == keys.Keys[0].KeyID && signedByRSA(t, compact, keys.Keys[0].Key.(*rsa.PublicKey))
}

func signedByRSA(t *testing.T, compact string, key *rsa.PublicKey) bool {
	t.Helper()
	_, _, signature := partsOf(t, compact)
	digest := sha256.Sum256([]byte(compact[:strings.LastIndexByte(compact, '.')]))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
}

func TestAHeaderLeadsToTheAttackersKeysAndWhoeverComesIsNoted(t *testing.T) {
	c := attacked(t)
	honest := c.signIn()
	for _, want := range []struct {
		id, variant, header, what string
		address                   func(h map[string]any) any
	}{
		{"D15", "", "[jku kid]", "jku", func(h map[string]any) any { return h["jku"] }},
		{"D16", "x5u", "[kid x5u]", "x5u", func(h map[string]any) any { return h["x5u"] }},
		{"D16", "x5c", "[kid x5c]", "", nil},
		{"D17", "url", "[jwk kid]", "jwk", func(h map[string]any) any { return h["jwk"] }},
		{"D17", "nested", "[jwk kid]", "jwk", func(h map[string]any) any { return h["jwk"].(map[string]any)["jku"] }},
		{"D17", "nested", "[jwk kid]", "x5u", func(h map[string]any) any { return h["jwk"].(map[string]any)["x5u"] }},
	} {
		c.arm(want.id, want.variant)
		got := c.signIn()
		if d := differs(without(honest.ID.Claims, changing...), without(got.ID.Claims, changing...)); got.ID.Genuine || fmt.Sprint(differs(honest.ID.Header, got.ID.Header)) != want.header || len(d) > 0 || got.UserBody != honest.UserBody || len(got.struck()) != 1 {
			t.Errorf("%s %s: header %v, claims differ in %v, %v", want.id, want.variant, got.ID.Header, d, got.struck())
			continue
		}
		var public *rsa.PublicKey
		if want.address == nil {
			der, _ := base64.StdEncoding.DecodeString(got.ID.Header["x5c"].([]any)[0].(string))
			public = publicOf(t, der)
		} else {
			if list := c.hits(""); len(list) != 0 {
				t.Errorf("before anybody came: %+v", list)
			}
			_, body := send(t, "GET", fmt.Sprint(want.address(got.ID.Header)), "")
			if list := c.hits("?client_id=my-portal"); len(list) != 1 || list[0].Fault != want.id || list[0].What != want.what || list[0].ClientID != "my-portal" || list[0].Browser {
				t.Errorf("%s %s: %+v", want.id, want.variant, list)
			}
			if want.what != "x5u" {
				if !verifiedBy(t, got.ID.Compact, body) {
					t.Errorf("%s %s: whoever believes the header does not believe the signature: %s", want.id, want.variant, body)
				}
				continue
			}
			block, _ := pem.Decode([]byte(body))
			public = publicOf(t, block.Bytes)
		}
		if !signedByRSA(t, got.ID.Compact, public) {
			t.Errorf("%s %s: the certificate does not fit", want.id, want.variant)
		}
	}
}

func publicOf(t *testing.T, der []byte) *rsa.PublicKey {
	t.Helper()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate.PublicKey.(*rsa.PublicKey)
}

func TestMetadataAndUserinfoLeadToTheAttacker(t *testing.T) {
	c := attacked(t)
	honest := c.signIn()
	read := func(f *flow) map[string]any {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(f.Discovery), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(c.r.AttackURL, "http://"), ":")
	for _, want := range []struct{ id, variant, changed, prefix string }{
		{"E03", "", "[token_endpoint]", c.r.AttackURL}, {"E03", "userinfo", "[userinfo_endpoint]", c.r.AttackURL},
		{"E03", "both", "[token_endpoint userinfo_endpoint]", c.r.AttackURL},
		{"E04", "", "[jwks_uri]", "http://127.0.0.1:" + port + "/"}, {"E04", "jwks-mapped", "[jwks_uri]", "http://[::ffff:127.0.0.1]:" + port + "/"},
		{"E04", "userinfo", "[userinfo_endpoint]", "http://127.0.0.1:" + port + "/"},
	} {
		c.arm(want.id, want.variant)
		got := c.signIn()
		changed := differs(read(honest), read(got))
		if fmt.Sprint(changed) != want.changed || !got.ID.Genuine || got.UserBody != honest.UserBody {
			t.Errorf("%s %s: %v differ", want.id, want.variant, changed)
			continue
		}
		for _, name := range changed {
			to := fmt.Sprint(read(got)[name])
			if !strings.HasPrefix(to, want.prefix) {
				t.Errorf("%s %s: %s", want.id, want.variant, to)
			}
			c.hits("")
			carried := "[]"
			switch name {
			case "token_endpoint":
				carried = "[client_secret code code_verifier]"
				if resp, _ := send(t, "POST", to, "grant_type=authorization_code&code=a-code&code_verifier=v", "Content-Type: application/x-www-form-urlencoded", basic); resp.StatusCode != 400 {
					t.Errorf("%s: %s", to, resp.Status)
				}
			case "userinfo_endpoint":
				carried = "[access_token]"
				send(t, "GET", to, "", "Authorization: Bearer x")
			default:
				send(t, "GET", to, "")
			}
			if list := c.hits(""); len(list) != 1 || list[0].Fault != want.id || fmt.Sprint(list[0].Carried) != carried || (name == "token_endpoint") != (list[0].ClientID == "my-portal") {
				t.Errorf("%s %s: %+v", want.id, want.variant, list)
			}
		}
	}
	for variant, is := range map[string]func(string) bool{
		"canary": func(to string) bool {
			resp, body := send(t, "GET", to, "", "Sec-Fetch-Mode: no-cors")
			list := c.hits("")
			return resp.Header.Get("Content-Type") == "image/gif" && http.DetectContentType([]byte(body)) == "image/gif" && len(list) == 1 && list[0].Browser && list[0].What == "picture"
		},
		"javascript": func(to string) bool { return strings.HasPrefix(to, "javascript:") },
	} {
		c.arm("F12", variant)
		got := c.signIn()
		claims := got.claims(t)
		if fmt.Sprint(differs(honest.claims(t), claims)) != "[picture profile]" || claims["picture"] != claims["profile"] || !is(fmt.Sprint(claims["picture"])) || !got.ID.Genuine {
			t.Errorf("F12 %s: %v", variant, claims)
		}
	}
}

const withPKCE = "client_id=my-portal&response_type=code&scope=openid&state=a-state&nonce=a-nonce&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&redirect_uri="

// A relying party that knows two issuers begins with the attacker's; the
// provider's code comes back to it, and iss is all that tells.
func TestAMixUpBringsTheProvidersCodeToTheAttacker(t *testing.T) {
	c := attacked(t)
	for path, fault := range map[string]string{"/mix-up": "I01", "/relay": "I03"} {
		issuer := c.r.AttackURL + path
		var d map[string]any
		if _, body := send(t, "GET", issuer+"/.well-known/openid-configuration", ""); json.Unmarshal([]byte(body), &d) != nil || d["issuer"] != issuer {
			t.Fatal(body)
		}
		resp, _ := send(t, "GET", fmt.Sprint(d["authorization_endpoint"])+"?"+withPKCE+url.QueryEscape(callback), "")
		to, err := resp.Location()
		if err != nil || !strings.HasPrefix(to.String(), c.r.Issuer+"/authorize?") {
			t.Fatalf("%v %v", resp.Status, to)
		}
		if own := to.Query().Get("nonce") != "a-nonce"; own != (path == "/relay") || to.Query().Get("state") != "a-state" || to.Query().Get("code_challenge") == "" {
			t.Errorf("%s sends on: %s", path, to)
		}
		c.v = newVisitor(t, c.r)
		c.v.begin("nonce", to.Query().Get("nonce"), "code_challenge", to.Query().Get("code_challenge"), "code_challenge_method", "S256")
		code, at := c.v.signInTo("038090000001")
		if code == "" || at.Query().Get("iss") != c.r.Issuer {
			t.Fatalf("%s", at)
		}
		c.hits("")
		if resp, body := send(t, "POST", fmt.Sprint(d["token_endpoint"]), url.Values{"grant_type": {"authorization_code"}, "code": {code}}.Encode(), "Content-Type: application/x-www-form-urlencoded", basic); resp.StatusCode != 400 {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		list := c.hits("?client_id=my-portal")
		if len(list) != 1 || list[0].Fault != fault || list[0].What != "token" || fmt.Sprint(list[0].Carried) != "[client_secret code]" {
			t.Errorf("%s: %+v", path, list)
		}
		if raw, _ := json.Marshal(list); strings.Contains(string(raw), code) {
			t.Error("the code was kept")
		}
	}
}

func TestAConfusedIssuerSaysThatItIsTheProviderAndSignsWithItsOwnKey(t *testing.T) {
	c := attacked(t)
	issuer := c.r.AttackURL + "/confused"
	var d struct {
		Issuer    string
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
		Userinfo  string `json:"userinfo_endpoint"`
		Keys      string `json:"jwks_uri"`
	}
	if _, body := send(t, "GET", issuer+"/.well-known/openid-configuration", ""); json.Unmarshal([]byte(body), &d) != nil || d.Issuer != c.r.Issuer {
		t.Fatal(body)
	}
	resp, _ := send(t, "GET", d.Authorize+"?"+withPKCE+url.QueryEscape(callback), "")
	to, err := resp.Location()
	if err != nil || !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("state") != "a-state" || to.Query().Get("iss") != c.r.Issuer {
		t.Fatalf("%s %v", resp.Status, to)
	}
	_, body := send(t, "POST", d.Token, url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}}.Encode(), "Content-Type: application/x-www-form-urlencoded", basic)
	var tokens struct {
		ID string `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(body), &tokens); err != nil {
		t.Fatal(body)
	}
	id := c.takeApart(tokens.ID)
	if id == nil || id.Genuine || id.Claims["iss"] != c.r.Issuer || id.Claims["aud"] != "my-portal" || id.Claims["nonce"] != "a-nonce" {
		t.Fatalf("%+v", id)
	}
	if _, set := send(t, "GET", d.Keys, ""); !verifiedBy(t, tokens.ID, set) {
		t.Error("the token is not signed by the attacker's key")
	}
	for _, bad := range []string{"https://elsewhere.example/cb", "javascript:alert(1)", ""} {
		if resp, _ := send(t, "GET", d.Authorize+"?"+withPKCE+url.QueryEscape(bad), ""); resp.StatusCode != 400 || resp.Header.Get("Location") != "" {
			t.Errorf("it sends a browser to %q: %s", bad, resp.Header.Get("Location"))
		}
	}
}

func TestAWorldsAttackerIsItsOwn(t *testing.T) {
	c := attacked(t)
	var w struct{ Token string }
	if _, body := send(t, "POST", c.r.SandboxURL+"/api/v1/worlds", `{"id":"mine"}`, "Content-Type: application/json"); json.Unmarshal([]byte(body), &w) != nil {
		t.Fatal(body)
	}
	var d map[string]any
	if _, body := send(t, "GET", c.r.AttackURL+"/w/mine/confused/.well-known/openid-configuration", ""); json.Unmarshal([]byte(body), &d) != nil || d["issuer"] != c.r.Issuer+"/w/mine" || d["jwks_uri"] != c.r.AttackURL+"/w/mine/confused/keys" {
		t.Fatal(body)
	}
	if list := c.hits(""); len(list) != 0 {
		t.Errorf("another world sees %+v", list)
	}
	if _, body := send(t, "GET", c.r.SandboxURL+"/api/v1/w/mine/canaries", ""); !strings.Contains(body, "I02") {
		t.Error(body)
	}
}

func TestWithoutAnAttackerItsFaultsCannotBeArmed(t *testing.T) {
	c := newCrooked(t)
	resp, body := send(t, "PUT", c.r.SandboxURL+"/api/v1/clients/my-portal/faults", `{"faults":[{"id":"D15"}]}`, "Content-Type: application/json")
	if resp.StatusCode != 400 || !strings.Contains(body, "faults[0].id") || !strings.Contains(body, "--attack-listen") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if c.r.AttackURL != "" {
		t.Error("the attacker listens though nobody asked for it")
	}
}

func TestPKCETakenOutOnItsWayIsRefusedByTheProvider(t *testing.T) {
	c := newCrooked(t)
	c.arm("I07", "")
	got := c.signIn()
	if got.Token == nil || got.Token.StatusCode != 400 || got.tokens(t)["error"] != "invalid_grant" || len(got.struck()) != 1 {
		t.Errorf("%v %s %v", got.Token, got.TokenBody, got.struck())
	}
	c.arm("I07", "")
	if got := c.signIn("code_challenge", "", "code_challenge_method", ""); len(got.struck()) != 0 {
		t.Errorf("without PKCE it strikes: %v", got.struck())
	}
}

func TestAFileThatArmsWhatLeadsNowhereIsRefused(t *testing.T) {
	file := write(t, "faults:\n  - id: D15\n")
	env := func(string) string { return "" }
	if _, err := sandbox.ParseServe([]string{"--config", file}, env); err == nil || !strings.Contains(err.Error(), "faults[0].id") {
		t.Errorf("%v", err)
	}
	if _, err := sandbox.ParseServe([]string{"--config", file, "--attack-listen", "localhost:9996"}, env); err != nil {
		t.Error(err)
	}
	if _, err := sandbox.ParseServe([]string{"--attack-listen", "localhost:9998"}, env); err == nil || !strings.Contains(err.Error(), "another listener") {
		t.Errorf("%v", err)
	}
}
