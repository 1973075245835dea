//go:build e2e

package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// verified checks an ID token's signature with the published keys and returns its claims.
func (w *world) verified(t *testing.T, token string) map[string]any {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA})
	if err != nil {
		t.Fatalf("the ID token is no JWS: %v", err)
	}
	req, _ := http.NewRequest("GET", w.Issuer+"/keys", nil)
	res, raw := w.do(t, req)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("/keys answers %d", res.StatusCode)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &keys); err != nil {
		t.Fatalf("/keys: %v", err)
	}
	found := keys.Key(jws.Signatures[0].Header.KeyID)
	if len(found) != 1 {
		t.Fatalf("%d keys with kid %q, want 1", len(found), jws.Signatures[0].Header.KeyID)
	}
	if !found[0].IsPublic() {
		t.Error("/keys shows a private key")
	}
	payload, err := jws.Verify(found[0])
	if err != nil {
		t.Fatalf("the ID token's signature: %v", err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func number(t *testing.T, claims map[string]any, name string) int64 {
	t.Helper()
	f, ok := claims[name].(float64)
	if !ok {
		t.Errorf("%s is %v (%T), want a number", name, claims[name], claims[name])
	}
	return int64(f)
}

func wantClaim(t *testing.T, claims map[string]any, name string, want any) {
	t.Helper()
	if claims[name] != want {
		t.Errorf("%s is %v (%T), want %v", name, claims[name], claims[name], want)
	}
}

func wantNoClaims(t *testing.T, claims map[string]any, names ...string) {
	t.Helper()
	for _, name := range names {
		if v, there := claims[name]; there {
			t.Errorf("%s is %v, want it absent", name, v)
		}
	}
}

const allScopes = "openid profile phone address email cccd offline_access"

func TestTheCodeFlowByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	r := w.request(myPortal, "scope", allScopes)
	m := v.ToOTP(r, an)
	v.EnterOTP(m.OTP)
	if !v.at.AsksToShare() {
		t.Fatalf("my-portal asks for consent once; expected the sharing page, got %s", v.describe())
	}
	v.Share()
	code := v.wantCode(r)
	began := time.Now()
	tokens := r.Redeem(t, code)
	claims := w.verified(t, tokens.str("id_token"))

	t.Run("the token response is complete and never stored", func(t *testing.T) {
		if !strings.EqualFold(tokens.str("token_type"), "Bearer") {
			t.Errorf("token_type %q", tokens.str("token_type"))
		}
		wantClaim(t, tokens.Body, "expires_in", float64(1800))
		if tokens.str("refresh_token") == "" {
			t.Error("offline_access was granted, but no refresh token came")
		}
		if tokens.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control: %q, want no-store (RFC 6749 §5.1)", tokens.Header.Get("Cache-Control"))
		}
		if strings.Count(tokens.str("access_token"), ".") == 2 {
			t.Error("the access token looks like a JWT, want it opaque")
		}
	})

	t.Run("the ID token says what was performed, and nothing about the person", func(t *testing.T) {
		wantClaim(t, claims, "iss", w.Issuer)
		wantClaim(t, claims, "nonce", r.Nonce)
		wantClaim(t, claims, "acr", "LoA2")
		wantClaim(t, claims, "sandbox", true)
		if aud := claims["aud"]; aud != any(myPortal.ID) {
			if list, ok := aud.([]any); !ok || len(list) != 1 || list[0] != any(myPortal.ID) {
				t.Errorf("aud is %v, want %s alone", aud, myPortal.ID)
			}
		}
		amr, _ := claims["amr"].([]any)
		for _, want := range []string{"pwd", "otp", "sms", "mfa"} {
			if !slices.Contains(amr, any(want)) {
				t.Errorf("amr %v lacks %s", amr, want)
			}
		}
		for _, name := range []string{"sub", "sid"} {
			if s, _ := claims[name].(string); s == "" || strings.Contains(s, an.CCCD) {
				t.Errorf("%s is %v", name, claims[name])
			}
		}
		sum := sha256.Sum256([]byte(tokens.str("access_token")))
		wantClaim(t, claims, "at_hash", base64.RawURLEncoding.EncodeToString(sum[:16]))
		iat, exp, auth := number(t, claims, "iat"), number(t, claims, "exp"), number(t, claims, "auth_time")
		if exp-iat != 300 {
			t.Errorf("the ID token lives %d s, want 300", exp-iat)
		}
		if d := began.Unix() - iat; d < -5 || d > 5 {
			t.Errorf("iat is %d s away from now", d)
		}
		if auth > iat || auth < iat-30 {
			t.Errorf("auth_time %d, iat %d", auth, iat)
		}
		wantNoClaims(t, claims, "name", "family_name", "given_name", "birthdate", "gender", "cccd", "cmnd",
			"phone_number", "email", "address", "account_level", "preferred_username")
	})

	t.Run("userinfo says who it is, by GET and by POST", func(t *testing.T) {
		for _, method := range []string{"GET", "POST"} {
			a := w.userinfo(t, method, tokens.str("access_token"))
			if a.Status != http.StatusOK {
				t.Fatalf("%s /userinfo: %s", method, a)
			}
			wantClaim(t, a.Body, "sub", claims["sub"])
			for name, want := range map[string]any{
				"sandbox": true, "name": an.Name, "family_name": "Nguyễn", "middle_name": "Văn", "given_name": "An",
				"birthdate": "1990-03-15", "gender": "male", "phone_number": "+84950000001", "phone_number_verified": true,
				"cccd": an.CCCD, "account_level": "2", "account_type": "citizen",
			} {
				wantClaim(t, a.Body, name, want)
			}
			number(t, a.Body, "updated_at")
			for _, name := range []string{"locale", "preferred_username", "email"} {
				if s, _ := a.Body[name].(string); s == "" {
					t.Errorf("%s is %v", name, a.Body[name])
				}
			}
			if _, ok := a.Body["email_verified"].(bool); !ok {
				t.Errorf("email_verified is %v", a.Body["email_verified"])
			}
			if address, _ := a.Body["address"].(map[string]any); address["formatted"] == nil && address["region"] == nil {
				t.Errorf("address is %v, want the OIDC address claim", a.Body["address"])
			}
			wantNoClaims(t, a.Body, "cmnd", "nonce", "password", "passcode")
		}
		a := w.post(t, "/userinfo", "", "", url.Values{"access_token": {tokens.str("access_token")}})
		if a.Status != http.StatusOK || a.Body["sub"] != claims["sub"] {
			t.Errorf("the token in the form body (RFC 6750 §2.2): %s", a)
		}
	})

	t.Run("userinfo refuses whoever brings no good token", func(t *testing.T) {
		for name, token := range map[string]string{
			"nothing": "", "rubbish": "rubbish", "an ID token": tokens.str("id_token"), "a refresh token": tokens.str("refresh_token"),
		} {
			a := w.userinfo(t, "GET", token)
			challenge := a.Header.Get("WWW-Authenticate")
			if a.Status != http.StatusUnauthorized || !strings.HasPrefix(challenge, "Bearer") {
				t.Errorf("%s: status %d, WWW-Authenticate %q", name, a.Status, challenge)
			}
			if token != "" && !strings.Contains(challenge, `error="invalid_token"`) {
				t.Errorf("%s: WWW-Authenticate %q, want error=\"invalid_token\" (RFC 6750 §3.1)", name, challenge)
			}
		}
	})

	t.Run("the sub is pairwise, stable, and public only on request", func(t *testing.T) {
		sub := func(client rp) any {
			r := w.request(client)
			return w.verified(t, r.Redeem(t, v.Code(r)).str("id_token"))["sub"]
		}
		if got := sub(myPortal); got != claims["sub"] {
			t.Errorf("my-portal saw %v, now %v", claims["sub"], got)
		}
		if got := sub(seededPortal); got == claims["sub"] {
			t.Error("two clients see the same sub")
		}
		one := w.register(t, map[string]any{"subject_type": "public", "consent": "never"})
		two := w.register(t, map[string]any{"subject_type": "public", "consent": "never"})
		if a, b := sub(one), sub(two); a != b || a == claims["sub"] {
			t.Errorf("public clients see %v and %v; pairwise my-portal %v", a, b, claims["sub"])
		}
	})

	t.Run("each scope brings its claims and no other", func(t *testing.T) {
		table := map[string][]string{
			"":        nil,
			"profile": scopeClaims["profile"],
			"phone":   {"phone_number", "phone_number_verified"},
			"address": {"address"},
			"email":   {"email", "email_verified"},
			"cccd":    {"cccd", "cmnd", "account_level", "account_type"},
			"unknown": nil,
		}
		for scope, names := range table {
			r := w.request(myPortal, "scope", strings.TrimSpace("openid "+scope))
			got := w.userinfo(t, "GET", r.Redeem(t, v.Code(r)).str("access_token"))
			if got.Status != http.StatusOK {
				t.Fatalf("scope %q: %s", scope, got)
			}
			for name := range got.Body {
				if name != "sub" && name != "sandbox" && !slices.Contains(names, name) {
					t.Errorf("scope %q brings %s", scope, name)
				}
			}
			for _, name := range names {
				if _, there := got.Body[name]; !there && name != "cmnd" {
					t.Errorf("scope %q does not bring %s", scope, name)
				}
			}
		}
	})

	t.Run("without openid there is no ID token", func(t *testing.T) {
		r := w.request(seededPortal, "scope", "profile")
		v.Open(r.URL())
		v.Share()
		a := r.Redeem(t, v.wantCode(r))
		wantNoClaims(t, a.Body, "id_token")
	})

	t.Run("without offline_access there is no refresh token, without nonce no nonce", func(t *testing.T) {
		r := w.request(myPortal, "nonce", "")
		a := r.Redeem(t, v.Code(r))
		wantNoClaims(t, a.Body, "refresh_token")
		wantNoClaims(t, w.verified(t, a.str("id_token")), "nonce")
	})

	t.Run("a client registered so finds the CCCD in its ID token", func(t *testing.T) {
		client := w.register(t, map[string]any{"consent": "never", "id_token_claims": []string{"cccd"}, "scope": "openid cccd"})
		r := w.request(client, "scope", "openid cccd")
		wantClaim(t, w.verified(t, r.Redeem(t, v.Code(r)).str("id_token")), "cccd", an.CCCD)
	})

	t.Run("a client may choose its algorithm", func(t *testing.T) {
		for _, alg := range []string{"RS256", "ES256", "PS256", "EdDSA"} {
			client := w.register(t, map[string]any{"consent": "never", "id_token_signed_response_alg": alg})
			r := w.request(client)
			token := r.Redeem(t, v.Code(r)).str("id_token")
			w.verified(t, token)
			var header struct{ Alg string }
			raw, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
			if err := json.Unmarshal(raw, &header); err != nil || header.Alg != alg {
				t.Errorf("alg %q, want %q", header.Alg, alg)
			}
		}
	})

	t.Run("an authorization request may come by POST from the portal's page", func(t *testing.T) {
		r := w.request(myPortal)
		target, _ := url.Parse(w.Issuer + "/authorize")
		from, _ := url.Parse("http://127.0.0.1:39123/")
		v.navigate("POST", target, r.Params, from)
		v.Share()
		v.wantCode(r)
	})
}

// A person with an old CMND whose day of birth nobody knows.
func TestClaimsOfSomebodyWithHalfABirthdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	r := w.request(seededPortal, "scope", allScopes)
	v.SignIn(r, hai)
	a := w.userinfo(t, "GET", r.Redeem(t, v.wantCode(r)).str("access_token"))
	wantClaim(t, a.Body, "birthdate", "1960")
	wantClaim(t, a.Body, "cmnd", "171234567")
	wantClaim(t, a.Body, "gender", "male")
	wantNoClaims(t, a.Body, "email", "email_verified")
}
