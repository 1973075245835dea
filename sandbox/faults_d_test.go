package sandbox_test

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// parts of a compact token: header, payload and signature, decoded.
func partsOf(t *testing.T, compact string) (header, payload map[string]any, signature []byte) {
	t.Helper()
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no compact JWS", compact)
	}
	for i, into := range []*map[string]any{&header, &payload} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatalf("the signature: %v", err)
	}
	return header, payload, signature
}

func TestASignatureIsWrongAsDescribedAndTheClaimsAreRight(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(honest.KeySet), &set); err != nil {
		t.Fatal(err)
	}
	kid := fmt.Sprint(honest.ID.Header["kid"])
	public, ok := set.Key(kid)[0].Key.(*rsa.PublicKey)
	if !ok {
		t.Fatalf("%T", set.Key(kid)[0].Key)
	}
	signedBy := func(secret []byte, compact string) bool {
		at := strings.LastIndexByte(compact, '.')
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(compact[:at]))
		_, _, signature := partsOf(t, compact)
		return hmac.Equal(signature, mac.Sum(nil))
	}
	pkix, _ := x509.MarshalPKIXPublicKey(public)
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	pkixPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}))
	pkcs1PEM := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}))
	n := base64.RawURLEncoding.EncodeToString(public.N.Bytes())
	hmacBy := func(secret string) func(*idToken, []byte) bool {
		return func(id *idToken, _ []byte) bool {
			return id.Header["alg"] == "HS256" && signedBy([]byte(secret), id.Compact)
		}
	}
	foreign := func(id *idToken, signature []byte) bool {
		return !id.Genuine && id.Header["alg"] == "RS256" && len(signature) == 256
	}
	for _, want := range []struct {
		id, variant, header string
		is                  func(id *idToken, signature []byte) bool
	}{
		{"D01", "", "[]", func(id *idToken, s []byte) bool { return !id.Genuine && len(s) == 256 }},
		{"D02", "", "[]", func(_ *idToken, s []byte) bool { return len(s) == 0 }},
		{"D03", "", "[alg kid]", func(id *idToken, s []byte) bool { return id.Header["alg"] == "none" && len(s) == 0 }},
		{"D04", "mixed-case", "[alg]", func(id *idToken, s []byte) bool { return id.Header["alg"] == "NoNe" && len(s) == 0 }},
		{"D04", "with-signature", "[alg]", func(id *idToken, s []byte) bool { return id.Header["alg"] == "none" && len(s) == 256 }},
		{"D05", "pkix-pem", "[alg]", hmacBy(pkixPEM)}, {"D05", "pkix-pem-no-newline", "[alg]", hmacBy(strings.TrimSpace(pkixPEM))},
		{"D05", "pkcs1-pem", "[alg]", hmacBy(pkcs1PEM)}, {"D05", "pkcs1-pem-no-newline", "[alg]", hmacBy(strings.TrimSpace(pkcs1PEM))},
		{"D05", "pkix-der", "[alg]", hmacBy(string(pkix))}, {"D05", "pkcs1-der", "[alg]", hmacBy(string(pkcs1))},
		{"D05", "n", "[alg]", hmacBy(n)}, {"D05", "e", "[alg]", hmacBy("AQAB")}, {"D05", "kty", "[alg]", hmacBy("RSA")}, {"D05", "alg", "[alg]", hmacBy("RS256")},
		{"D05", "jwk", "[alg]", func(id *idToken, _ []byte) bool {
			for _, key := range strings.SplitAfter(strings.TrimSuffix(strings.TrimPrefix(honest.KeySet, `{"keys":[`), "]}\n"), "}") {
				if signedBy([]byte(strings.TrimPrefix(key, ",")), id.Compact) {
					return true
				}
			}
			return false
		}},
		{"D06", "", "[alg kid]", hmacBy("my-portal-secret")},
		{"D07", "ps256", "[alg kid]", func(id *idToken, _ []byte) bool { return id.Genuine && id.Header["alg"] == "PS256" }},
		{"D07", "es256", "[alg kid]", func(id *idToken, s []byte) bool { return id.Genuine && id.Header["alg"] == "ES256" && len(s) == 64 }},
		{"D07", "eddsa", "[alg kid]", func(id *idToken, _ []byte) bool { return id.Genuine && id.Header["alg"] == "EdDSA" }},
		{"D08", "", "[alg]", func(id *idToken, s []byte) bool {
			return id.Header["alg"] == "ES256" && id.Header["kid"] == kid && len(s) == 256
		}},
		{"D09", "", "[kid]", func(id *idToken, _ []byte) bool { return id.Header["kid"] == nil && id.Genuine }},
		{"D10", "", "[kid]", func(id *idToken, _ []byte) bool { return id.Header["kid"] == nil && id.Genuine }},
		{"D11", "", "[kid]", foreign},
		{"D12", "", "[kid]", func(id *idToken, s []byte) bool {
			return foreign(id, s) && id.Header["kid"] == "../../../../../../dev/null"
		}},
		{"D12", "url", "[kid]", foreign}, {"D12", "sql", "[kid]", foreign}, {"D12", "long", "[kid]", foreign}, {"D12", "control", "[kid]", foreign},
		{"D14", "", "[jwk kid]", func(id *idToken, s []byte) bool {
			raw, _ := json.Marshal(id.Header["jwk"])
			var key jose.JSONWebKey
			signed, err := jose.ParseSignedCompact(id.Compact, []jose.SignatureAlgorithm{jose.RS256})
			if err != nil || key.UnmarshalJSON(raw) != nil {
				return false
			}
			_, err = signed.Verify(key.Key)
			return err == nil && !id.Genuine
		}},
		{"D27", "", "[b64x crit]", func(id *idToken, s []byte) bool { return len(s) == 256 }},
		{"D28", "", "[b64 crit]", func(id *idToken, s []byte) bool { return id.Header["b64"] == false && len(s) == 256 }},
		{"D29", "at-jwt", "[typ]", func(id *idToken, _ []byte) bool { return id.Genuine && id.Header["typ"] == "at+jwt" }},
		{"D29", "logout-jwt", "[typ]", func(id *idToken, _ []byte) bool { return id.Genuine && id.Header["typ"] == "logout+jwt" }},
		{"D32", "zero", "[alg kid]", func(id *idToken, s []byte) bool {
			return id.Header["alg"] == "ES256" && string(s) == string(make([]byte, 64))
		}},
		{"D32", "der", "[alg kid]", func(id *idToken, s []byte) bool {
			var rs struct{ R, S *big.Int }
			rest, err := asn1.Unmarshal(s, &rs)
			return err == nil && len(rest) == 0 && !id.Genuine
		}},
		{"D26", "rsa-1024", "[kid]", func(id *idToken, s []byte) bool { return len(s) == 128 && id.Genuine }},
		{"D26", "exponent-1", "[kid]", func(id *idToken, s []byte) bool { return len(s) == 256 && s[0] == 0 && s[1] == 1 }},
	} {
		c.disarm()
		c.arm(want.id, want.variant)
		got := c.signIn()
		if got.ID == nil {
			t.Errorf("%s %s: %s", want.id, want.variant, got.TokenBody)
			continue
		}
		_, _, signature := partsOf(t, got.ID.Compact)
		if fmt.Sprint(differs(honest.ID.Header, got.ID.Header)) != want.header || !want.is(got.ID, signature) {
			t.Errorf("%s %s: header %v, %d bytes of signature, genuine %v", want.id, want.variant, got.ID.Header, len(signature), got.ID.Genuine)
		}
		if d := differs(without(honest.ID.Claims, changing...), without(got.ID.Claims, changing...)); len(d) > 0 || got.UserBody != honest.UserBody || len(got.struck()) != 1 {
			t.Errorf("%s %s: more is wrong: %v, %v", want.id, want.variant, d, got.struck())
		}
	}
	c.arm("D30", "")
	var whole struct{ Protected, Payload, Signature string }
	if id, _ := c.signIn().tokens(t)["id_token"].(string); json.Unmarshal([]byte(id), &whole) != nil || !c.takeApart(whole.Protected+"."+whole.Payload+"."+whole.Signature).Genuine {
		t.Errorf("D30: %s", id)
	}
	for variant, odd := range map[string]func(string) bool{"padded": func(s string) bool { return strings.HasSuffix(s, "=") }, "standard": func(s string) bool { return !strings.ContainsAny(s[strings.LastIndexByte(s, '.'):], "-_") },
		"newline": func(s string) bool { return strings.Contains(s, ".\n") }} {
		c.arm("D31", variant)
		if id, _ := c.signIn().tokens(t)["id_token"].(string); !odd(id) {
			t.Errorf("D31 %s: %q", variant, id)
		}
	}
}

func TestTheKeySetIsWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	type key = map[string]any
	keys := func() (status int, list []key, body string) {
		t.Helper()
		resp, body := send(t, "GET", c.r.Issuer+"/keys", "")
		var set struct{ Keys []key }
		_ = json.Unmarshal([]byte(body), &set) // garbage has no keys
		return resp.StatusCode, set.Keys, body
	}
	_, honest, whole := keys()
	if len(honest) != 4 {
		t.Fatalf("%v", honest)
	}
	for _, want := range []struct {
		id, variant string
		status      int
		is          func(list []key, body string) bool
	}{
		{"D09", "", 200, func(list []key, _ string) bool { return len(list) == 1 && list[0]["alg"] == "RS256" }},
		{"D13", "", 200, func(list []key, _ string) bool {
			return len(list) == 8 && list[0]["kid"] == list[1]["kid"] && list[0]["n"] != list[1]["n"] && fmt.Sprint(list[1]) == fmt.Sprint(honest[0])
		}},
		{"D18", "", 200, func(list []key, _ string) bool {
			return len(list) == 4 && list[0]["use"] == "enc" && list[3]["use"] == "enc" && list[0]["kid"] == honest[0]["kid"]
		}},
		{"D22", "", 200, func(list []key, body string) bool { return len(list) == 3 && !strings.Contains(body, "RS256") }},
		{"D23", "", 200, func(list []key, body string) bool { return len(list) == 0 && body == `{"keys":[]}` }},
		{"D23", "404", 404, func([]key, string) bool { return true }}, {"D23", "500", 500, func([]key, string) bool { return true }},
		{"D24", "", 200, func(list []key, body string) bool { return list == nil && strings.Contains(body, "oops") }},
		{"D24", "many", 200, func(list []key, _ string) bool { return len(list) == 10_000 }},
		{"D24", "large", 200, func(list []key, body string) bool { return len(list) == 4 && len(body) > 20<<20 }},
		{"D25", "", 200, func(list []key, _ string) bool { return len(list) == 4 && list[0]["d"] != nil && list[3]["d"] != nil }},
		{"D26", "", 200, func(list []key, _ string) bool {
			return len(list) == 5 && list[4]["kid"] == "a-weak-key" && len(list[4]["n"].(string)) < 200
		}},
		{"D26", "exponent-1", 200, func(list []key, _ string) bool { return len(list) == 5 && list[4]["e"] == "AQ" }},
	} {
		c.arm(want.id, want.variant)
		if status, list, body := keys(); status != want.status || !want.is(list, body) {
			t.Errorf("%s %s: %d %.300s", want.id, want.variant, status, body)
		}
	}
	c.disarm()
	if _, _, body := keys(); body != whole {
		t.Errorf("disarmed: %s", body)
	}
}

func TestKeysRotateWhenTheyShould(t *testing.T) {
	c := newCrooked(t)
	first := c.signIn()
	kid := func(f *flow) string { return fmt.Sprint(f.ID.Header["kid"]) }
	c.arm("D20", "", "times", "1")
	mid := c.signIn()
	if kid(mid) == kid(first) || strings.Contains(mid.KeySet, kid(mid)) || !mid.ID.Genuine || len(mid.struck()) != 1 {
		t.Errorf("D20: %s after %s, known before: %v", kid(mid), kid(first), strings.Contains(mid.KeySet, kid(mid)))
	}
	c.arm("D21", "", "times", "1")
	if published := c.signIn(); kid(published) != kid(mid) || !published.ID.Genuine {
		t.Errorf("D21: %s after %s", kid(published), kid(mid))
	}
	if resp, body := send(t, "GET", c.r.Issuer+"/keys", ""); resp.StatusCode != http.StatusOK || strings.Count(body, `"RS256"`) != 3 {
		t.Errorf("D21: %s", body)
	}
	c.arm("D19", "", "times", "1") // a next key is there already: it is used first
	if after := c.signIn(); kid(after) == kid(mid) || !after.ID.Genuine {
		t.Errorf("D19: %s after %s", kid(after), kid(mid))
	}
}

func TestWhatTheAttackerSignsFitsNoKeyThatAFaultListed(t *testing.T) {
	c := newCrooked(t)
	var lists []jose.JSONWebKeySet
	for _, variant := range [][2]string{{"D13", ""}, {"D24", "many"}} {
		c.arm(variant[0], variant[1])
		_, body := send(t, "GET", c.r.Issuer+"/keys", "")
		var set jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(body), &set); err != nil || len(set.Keys) <= 4 {
			t.Fatalf("%s: %v, %d keys", variant[0], err, len(set.Keys))
		}
		lists = append(lists, jose.JSONWebKeySet{Keys: set.Keys[:min(6, len(set.Keys))]})
	}
	for _, id := range []string{"D11", "D14"} {
		c.arm(id, "")
		token := c.signIn().ID
		signed, err := jose.ParseSignedCompact(token.Compact, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		for _, set := range lists { // as a relying party remembers them
			for _, k := range set.Keys {
				if _, err := signed.Verify(k); err == nil {
					t.Errorf("%s: the key %s of an earlier fault verifies it", id, k.KeyID)
				}
			}
		}
	}
}
