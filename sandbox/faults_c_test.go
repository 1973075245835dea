package sandbox_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// claimFaults are those that change claims of the ID token and nothing else:
// which, and what is then right to say of them.
var claimFaults = []struct {
	id, variant string
	changed     []string
	is          func(c *crooked, claims map[string]any) bool
}{
	{"C01", "", []string{"iss"}, func(c *crooked, m map[string]any) bool { return m["iss"] == "https://other-issuer.test" }},
	{"C02", "trailing-slash", []string{"iss"}, func(c *crooked, m map[string]any) bool { return m["iss"] == c.r.Issuer+"/" }},
	{"C02", "scheme", []string{"iss"}, func(c *crooked, m map[string]any) bool {
		return m["iss"] == strings.Replace(c.r.Issuer, "http:", "https:", 1)
	}},
	{"C02", "case", []string{"iss"}, func(c *crooked, m map[string]any) bool {
		return m["iss"] != c.r.Issuer && strings.EqualFold(fmt.Sprint(m["iss"]), c.r.Issuer)
	}},
	{"C02", "port", []string{"iss"}, func(c *crooked, m map[string]any) bool {
		return strings.HasSuffix(fmt.Sprint(m["iss"]), ":8443") || strings.HasSuffix(fmt.Sprint(m["iss"]), ":8444")
	}},
	{"C03", "", []string{"iss"}, func(_ *crooked, m map[string]any) bool { return m["iss"] == nil }},
	{"C03", "empty", []string{"iss"}, func(_ *crooked, m map[string]any) bool { return m["iss"] == "" }},
	{"C04", "", []string{"iss"}, func(c *crooked, m map[string]any) bool {
		return len([]rune(m["iss"].(string))) == len(c.r.Issuer) && len(m["iss"].(string)) > len(c.r.Issuer)
	}},
	{"C05", "", []string{"sub"}, func(_ *crooked, m map[string]any) bool { return m["sub"] == nil }},
	{"C10", "", []string{"aud"}, func(_ *crooked, m map[string]any) bool { return m["aud"] == "another-client" }},
	{"C11", "", []string{"aud"}, func(_ *crooked, m map[string]any) bool { return m["aud"] == nil }},
	{"C12", "", []string{"aud"}, func(_ *crooked, m map[string]any) bool { return fmt.Sprint(m["aud"]) == "[my-portal]" }},
	{"C13", "", []string{"aud"}, func(_ *crooked, m map[string]any) bool { return fmt.Sprint(m["aud"]) == "[my-portal another-client]" }},
	{"C14", "", []string{"azp"}, func(_ *crooked, m map[string]any) bool { return m["azp"] == "another-client" }},
	{"C15", "", []string{"aud", "azp"}, func(_ *crooked, m map[string]any) bool {
		return m["aud"] == "another-client" && m["azp"] == "my-portal"
	}},
	{"C16", "", []string{"exp", "iat"}, func(_ *crooked, m map[string]any) bool {
		return ago(m["exp"], 24*time.Hour) && m["iat"].(float64) < m["exp"].(float64)
	}},
	{"C16", "hour", []string{"exp", "iat"}, func(_ *crooked, m map[string]any) bool { return ago(m["exp"], time.Hour) }},
	{"C16", "10-minutes", []string{"exp", "iat"}, func(_ *crooked, m map[string]any) bool { return ago(m["exp"], 10*time.Minute) }},
	{"C17", "", []string{"exp"}, func(_ *crooked, m map[string]any) bool { return m["exp"] == nil }},
	{"C18", "", []string{"exp"}, func(_ *crooked, m map[string]any) bool { s, ok := m["exp"].(string); return ok && len(s) == 10 }},
	{"C18", "negative", []string{"exp"}, func(_ *crooked, m map[string]any) bool { return m["exp"].(float64) < 0 }},
	{"C18", "year-9999", []string{"exp"}, func(_ *crooked, m map[string]any) bool { return m["exp"].(float64) > 2.5e11 }},
	{"C19", "", []string{"exp", "iat"}, func(_ *crooked, m map[string]any) bool { return ago(m["iat"], -24*time.Hour) }},
	{"C20", "", []string{"iat"}, func(_ *crooked, m map[string]any) bool { return m["iat"] == nil }},
	{"C21", "", []string{"iat"}, func(_ *crooked, m map[string]any) bool { return ago(m["iat"], 7*24*time.Hour) }},
	{"C22", "", []string{"nbf"}, func(_ *crooked, m map[string]any) bool { return ago(m["nbf"], -24*time.Hour) }},
	{"C23", "", []string{"auth_time", "exp", "iat"}, func(_ *crooked, m map[string]any) bool { return ago(m["iat"], -30*time.Second) }},
	{"C23", "behind", []string{"auth_time", "exp", "iat"}, func(_ *crooked, m map[string]any) bool { return ago(m["iat"], 30*time.Second) }},
	{"C24", "", []string{"nonce"}, func(_ *crooked, m map[string]any) bool { return m["nonce"] != "a-nonce" && m["nonce"] != nil }},
	{"C25", "", []string{"nonce"}, func(_ *crooked, m map[string]any) bool { return m["nonce"] == nil }},
	{"C28", "", []string{"at_hash"}, func(_ *crooked, m map[string]any) bool { return m["at_hash"] == "AAAAAAAAAAAAAAAAAAAAAA" }},
	{"C29", "", []string{"at_hash"}, func(_ *crooked, m map[string]any) bool { return m["at_hash"] == nil }},
	{"C31", "", []string{"acr", "amr"}, func(_ *crooked, m map[string]any) bool { return m["acr"] == "LoA1" }},
	{"C32", "", []string{"acr"}, func(_ *crooked, m map[string]any) bool { return m["acr"] == nil }},
	{"C32", "unknown", []string{"acr"}, func(_ *crooked, m map[string]any) bool { return m["acr"] == "LoA97" }},
	{"C33", "", []string{"amr"}, func(_ *crooked, m map[string]any) bool { return fmt.Sprint(m["amr"]) == "[pwd]" }},
	{"C40", "", []string{"padding"}, func(_ *crooked, m map[string]any) bool { return len(m["padding"].(string)) == 150<<10 }},
}

// ago says whether a NumericDate is so long past.
func ago(date any, by time.Duration) bool {
	n, ok := date.(float64)
	off := time.Since(time.Unix(int64(n), 0)) - by
	return ok && off > -10*time.Second && off < 30*time.Second
}

// Claims that are the same in UserInfo are wrong there as well.
func TestAClaimIsWrongInIDTokenAndUserinfoAlike(t *testing.T) {
	c := newCrooked(t)
	honest := c.signIn("scope", "openid profile cccd offline_access")
	for _, want := range []struct {
		id, variant, inID, inUser string
		is                        func(id, user map[string]any) bool
	}{
		{"C06", "", "[sub]", "[sub]", func(a, b map[string]any) bool { return a["sub"] == "" && b["sub"] == "" }},
		{"C06", "long", "[sub]", "[sub]", func(a, b map[string]any) bool { return len(a["sub"].(string)) == 300 && a["sub"] == b["sub"] }},
		{"C06", "non-ascii", "[sub]", "[sub]", func(a, b map[string]any) bool { return a["sub"] == b["sub"] }},
		{"C06", "number", "[sub]", "[sub]", func(a, b map[string]any) bool { return a["sub"].(float64) == b["sub"].(float64) }},
		{"C06", "array", "[sub]", "[sub]", func(a, b map[string]any) bool {
			return fmt.Sprint(a["sub"]) == fmt.Sprint(b["sub"]) && len(a["sub"].([]any)) == 1
		}},
		{"C07", "", "[sub]", "[sub]", func(a, b map[string]any) bool { return a["sub"] == b["sub"] }},
		{"C08", "", "[]", "[birthdate cccd name]", func(_, b map[string]any) bool { return b["name"] == "Hoàng Văn Khác" }},
		{"C09", "", "[sub]", "[sub]", func(a, b map[string]any) bool {
			return a["sub"] == b["sub"] && strings.EqualFold(a["sub"].(string), honest.ID.Claims["sub"].(string))
		}},
		{"C36", "", "[]", "[birthdate gender phone_number]", func(_, b map[string]any) bool { _, ok := b["gender"].(map[string]any); return ok }},
		{"C37", "", "[]", "[cccd name]", func(_, b map[string]any) bool { return b["cccd"] == nil }},
		{"C37", "empty", "[]", "[cccd name]", func(_, b map[string]any) bool { return b["cccd"] == "" }},
		{"C37", "absent", "[]", "[cccd name]", func(_, b map[string]any) bool { _, there := b["cccd"]; return !there }},
	} {
		c.arm(want.id, want.variant, "times", "1")
		got := c.signIn("scope", "openid profile cccd offline_access")
		if got.ID == nil || !got.ID.Genuine || fmt.Sprint(differs(without(honest.ID.Claims, changing...), without(got.ID.Claims, changing...))) != want.inID ||
			fmt.Sprint(differs(honest.claims(t), got.claims(t))) != want.inUser || !want.is(got.ID.Claims, got.claims(t)) {
			t.Errorf("%s %s: %v in the ID token, %v in UserInfo: %v", want.id, want.variant, differs(honest.ID.Claims, got.ID.Claims), differs(honest.claims(t), got.claims(t)), got.UserBody)
		}
		if again := c.signIn("scope", "openid profile cccd offline_access"); again.UserBody != honest.UserBody || again.ID.Claims["sub"] != honest.ID.Claims["sub"] {
			t.Errorf("%s %s: armed once, it strikes twice", want.id, want.variant)
		}
	}
}

func TestClaimsThatDependOnTheRequestAreWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	c.signIn("nonce", "the-earlier-nonce")
	c.arm("C26", "")
	if got := c.signIn(); got.ID.Claims["nonce"] != "the-earlier-nonce" || !got.ID.Genuine {
		t.Errorf("C26: %v", got.ID.Claims)
	}
	c.arm("C24", "")
	if got := c.signIn("nonce", ""); got.ID.Claims["nonce"] != nil || len(got.struck()) != 0 {
		t.Errorf("C24 strikes a request without a nonce: %v %v", got.ID.Claims, got.struck())
	}
	c.arm("C27", "")
	if got := c.signIn("nonce", ""); got.ID.Claims["nonce"] == nil || !got.ID.Genuine {
		t.Errorf("C27: %v", got.ID.Claims)
	}
	if got := c.signIn(); got.ID.Claims["nonce"] != "a-nonce" || len(got.struck()) != 0 {
		t.Errorf("C27 strikes a request with a nonce: %v", got.ID.Claims)
	}
	c.arm("C34", "")
	if got := c.signIn("max_age", "600"); !ago(got.ID.Claims["auth_time"], 24*time.Hour+10*time.Minute) || !got.ID.Genuine {
		t.Errorf("C34: %v", got.ID.Claims)
	}
	c.arm("C35", "")
	if got := c.signIn("max_age", "600"); got.ID.Claims["auth_time"] != nil || !got.ID.Genuine {
		t.Errorf("C35: %v", got.ID.Claims)
	}
	if got := c.signIn(); got.ID.Claims["auth_time"] == nil {
		t.Error("C35 strikes a request without max_age")
	}
	c.arm("C38", "")
	if got := c.signIn(); got.ID.Claims["sub"] != nil || got.ID.Claims["iss"] != nil || got.ID.Header["iss"] != c.r.Issuer || got.ID.Header["sub"] == nil || !got.ID.Genuine {
		t.Errorf("C38: %v %v", got.ID.Header, got.ID.Claims)
	}
	c.arm("C39", "")
	if got := c.signIn(); got.tokens(t)["id_token"] != got.tokens(t)["access_token"] || len(got.struck()) != 1 {
		t.Errorf("C39: %s %v", got.TokenBody, got.struck())
	}
	c.arm("C39", "at-jwt")
	if got := c.signIn(); got.ID.Header["typ"] != "at+jwt" || got.ID.Claims["aud"] != c.r.Issuer || !got.ID.Genuine {
		t.Errorf("C39 at-jwt: %v %v", got.ID.Header, got.ID.Claims)
	}
	c.arm("C41", "")
	deep, _ := c.signIn().tokens(t)["id_token"].(string)
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(deep+"..", ".")[1])
	signed, err := jose.ParseSignedCompact(deep, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || strings.Count(string(payload), "[") < 10_000 || strings.Count(string(payload), "[") != strings.Count(string(payload), "]") || !c.signedByUs(signed) {
		t.Errorf("C41: %v, %d bytes", err, len(payload)) // too deep for encoding/json
	}
	c.arm("C40", "many")
	if got := c.signIn(); len(got.ID.Claims) < 5000 || !got.ID.Genuine {
		t.Errorf("C40 many: %d claims", len(got.ID.Claims))
	}
}
