package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestWhoThePersonIsIsWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	const scope = "openid profile cccd phone email offline_access"
	honest := c.signIn("scope", scope)
	an := honest.claims(t)
	name := an["name"].(string)
	for _, want := range []struct {
		id, variant, changed string
		is                   func(m map[string]any) bool
	}{
		{"J01", "", "[account_level]", func(m map[string]any) bool { return m["account_level"] == "1" }},
		{"J02", "", "[account_level]", func(m map[string]any) bool { return m["account_level"] == nil }},
		{"J02", "number", "[account_level]", func(m map[string]any) bool { return m["account_level"] == 2.0 }},
		{"J02", "unknown", "[account_level]", func(m map[string]any) bool { return m["account_level"] == "3" }},
		{"J02", "word", "[account_level]", func(m map[string]any) bool { return m["account_level"] == "high" }},
		{"J04", "", "[cccd]", func(m map[string]any) bool { return m["cccd"] == nil }},
		{"J05", "", "[cccd]", func(m map[string]any) bool { return m["cccd"] == "038090000998" }},
		{"J06", "", "[cmnd]", func(m map[string]any) bool { return m["cmnd"] == "171234567" }},
		{"J08", "", "[sub]", func(m map[string]any) bool { return m["sub"] == "other-"+an["sub"].(string) }},
		{"J09", "", "[cccd]", func(m map[string]any) bool { return m["cccd"] == "038 090 000001" }},
		{"J09", "dots", "[cccd]", func(m map[string]any) bool { return m["cccd"] == "038.090.000001" }},
		{"J09", "full-width", "[cccd]", func(m map[string]any) bool {
			return norm.NFKC.String(m["cccd"].(string)) == an["cccd"] && m["cccd"] != an["cccd"]
		}},
		{"J09", "arabic-indic", "[cccd]", func(m map[string]any) bool { return strings.HasPrefix(m["cccd"].(string), "٠٣٨") }},
		{"J09", "number", "[cccd]", func(m map[string]any) bool { return m["cccd"] == 38090000001.0 }},
		{"J10", "", "[cccd]", func(m map[string]any) bool { return m["cccd"] == "O38O9OOOOOO1" }},
		{"J11", "", "[cccd]", func(m map[string]any) bool { return m["cccd"] == "038288000777" }},
		{"J12", "", "[cccd]", func(m map[string]any) bool { return m["cccd"] == "000090000001" }},
		{"J13", "", "[name]", func(m map[string]any) bool { return m["name"] != name && norm.NFC.String(m["name"].(string)) == name }},
		{"J13", "upper", "[name]", func(m map[string]any) bool { return m["name"] == strings.ToUpper(name) }},
		{"J13", "no-diacritics", "[name]", func(m map[string]any) bool { return m["name"] == "Nguyen Van An" }},
		{"J13", "double-space", "[name]", func(m map[string]any) bool { return strings.Contains(m["name"].(string), "  ") }},
		{"J14", "", "[name]", func(m map[string]any) bool { return m["name"] == "Nguyễn Thị Mới" }},
		{"J15", "", "[name]", func(m map[string]any) bool { return strings.Contains(m["name"].(string), `<b id="canary">`) }},
		{"J15", "long", "[name]", func(m map[string]any) bool { return len([]rune(m["name"].(string))) > 300 }},
		{"J15", "rtl", "[name]", func(m map[string]any) bool { return strings.Contains(m["name"].(string), "\u202e") }},
		{"J15", "emoji", "[name]", func(m map[string]any) bool { return strings.Contains(m["name"].(string), "😀") }},
		{"J16", "", "[birthdate]", func(m map[string]any) bool { return len(m["birthdate"].(string)) == 4 }},
		{"J16", "compact", "[birthdate]", func(m map[string]any) bool { return len(m["birthdate"].(string)) == 8 }},
		{"J16", "impossible", "[birthdate]", func(m map[string]any) bool { return strings.HasSuffix(m["birthdate"].(string), "-02-30") }},
		{"J16", "two-digit", "[birthdate]", func(m map[string]any) bool { return strings.HasPrefix(m["birthdate"].(string), "15/03/") }},
		{"J17", "", "[phone_number]", func(m map[string]any) bool {
			return m["phone_number"] == "+84950000002" && m["phone_number_verified"] == true
		}},
		{"J18", "", "[email]", func(m map[string]any) bool { return m["email_verified"] == false }},
		{"J18", "absent", "[email email_verified]", func(m map[string]any) bool { return m["email_verified"] == nil }},
		{"J18", "text", "[email email_verified]", func(m map[string]any) bool { return m["email_verified"] == "false" }},
		{"J22", "", "[account_type cccd representative_cccd tax_number]", func(m map[string]any) bool {
			return m["account_type"] == "organisation" && m["representative_cccd"] == an["cccd"]
		}},
		{"J24", "", "[birthdate cccd guardian_cccd]", func(m map[string]any) bool { return m["guardian_cccd"] == an["cccd"] && len(m["cccd"].(string)) == 12 }},
		{"J27", "", "[account_type cccd passport_number]", func(m map[string]any) bool { return m["account_type"] == "foreigner" }},
	} {
		c.arm(want.id, want.variant)
		got := c.signIn("scope", scope)
		if fmt.Sprint(differs(an, got.claims(t))) != want.changed || !want.is(got.claims(t)) || got.ID == nil || !got.ID.Genuine {
			t.Errorf("%s %s: differs in %v: %s", want.id, want.variant, differs(an, got.claims(t)), got.UserBody)
		}
		inID := without2(differs(without(honest.ID.Claims, changing...), without(got.ID.Claims, changing...)), []string{"sub"})
		if len(inID) > 0 || (want.id == "J08") != (got.ID.Claims["sub"] != honest.ID.Claims["sub"]) {
			t.Errorf("%s %s: the ID token differs in %v", want.id, want.variant, inID)
		}
	}
	c.arm("J03", "")
	if got := c.signIn("scope", scope); got.ID.Claims["account_level"] != "1" || got.claims(t)["account_level"] != "2" {
		t.Errorf("J03: %v", got.ID.Claims)
	}
	// A client that has the claims in its ID tokens too gets them wrong there, too.
	if resp, body := send(t, "PATCH", c.r.SandboxURL+"/api/v1/clients/my-portal", `{"id_token_claims":["cccd","account_level"]}`, "Content-Type: application/json"); resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	c.arm("J10", "")
	if got := c.signIn("scope", scope); got.ID.Claims["cccd"] != "O38O9OOOOOO1" || got.claims(t)["cccd"] != "O38O9OOOOOO1" || !got.ID.Genuine {
		t.Errorf("J10 in an ID token: %v", got.ID.Claims)
	}
}
