package vneid

import (
	"slices"
	"strings"
	"testing"
)

func TestTheClaimsParameterIsReadAsWritten(t *testing.T) {
	many := `{"userinfo":{` + strings.Repeat(`"x":null,`, 3) + `"a":null`
	for i := range mostClaims {
		many += `,"c` + strings.Repeat("x", i) + `":null`
	}
	for text, want := range map[string]string{
		`{}`: "", `{"other":1}`: "", `{"userinfo":{}}`: "", ` {"userinfo": null}`: "",
		`{"userinfo":{"name":null,"email":{"essential":true,"purpose":"x"}},"id_token":{"acr":{"values":["LoA2"]}}}`: "",
		`{"id_token":{"auth_time":{"essential":true},"sub":{"value":"x"}}}`:                                          "",
		``: "no JSON object", `null`: "no JSON object", `[]`: "no JSON object", `"x"`: "no JSON object", `{`: "JSON objects",
		`{"userinfo":[]}`: "JSON objects", `{"userinfo":"name"}`: "JSON objects", `{"id_token":{"name":1}}`: "null or a JSON object",
		`{"id_token":{"name":true}}`: "null or a JSON object", `{"id_token":{"name":[]}}`: "null or a JSON object",
		`{"userinfo":{"name":{"essential":"yes"}}}`: "essential", `{"userinfo":{"name":{"values":"An"}}}`: "values",
		`{"userinfo":{"name":{"values":[` + strings.Repeat("1,", mostClaimValues) + `1]}}}`: "more than",
		many + "}}": "more than",
	} {
		_, err := ParseClaims(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%.80s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.80s: %v, want %q", text, err, want)
		case err != nil && strings.ContainsAny(err.Error(), `"\`):
			t.Errorf("%.80s: error_description holds no quotes: %v", text, err)
		}
	}
}

func TestAClaimAskedForWithAValueIsTakenWithThatValueOnly(t *testing.T) {
	r, err := ParseClaims(`{"userinfo":{"name":{"value":"Nguy\u1ec5n V\u0103n An"},"email":{"values":["a@x.test","b<@x.test"]},
		"email_verified":{"value":false},"updated_at":{"value":1.7e9},"address":{"value":{"country":"VN","region":"R"}},"gender":null}}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		claim string
		value any
		want  bool
	}{
		{"name", "Nguyễn Văn An", true}, {"name", "Nguyễn Văn Ăn", false}, {"email", "b<@x.test", true}, {"email", "c@x.test", false},
		{"email_verified", false, true}, {"email_verified", "false", false}, {"updated_at", int64(1700000000), true}, {"updated_at", int64(1), false},
		{"address", map[string]string{"region": "R", "country": "VN"}, true}, {"address", map[string]string{"country": "VN"}, false}, {"gender", "male", true},
	} {
		if got := r.Userinfo[tc.claim].Takes(tc.value); got != tc.want {
			t.Errorf("%s %v: %v", tc.claim, tc.value, got)
		}
	}
}

func TestOfTheClaimsParameterOnlyWhatTheClientMayKnowIsKept(t *testing.T) {
	c := &Client{ClientMetadata: ClientMetadata{Scope: "openid profile email"}}
	ask := func(text string) *AuthRequest {
		t.Helper()
		claims, err := ParseClaims(text)
		if err != nil {
			t.Fatal(err)
		}
		r := &AuthRequest{Scopes: []string{"openid", "email"}}
		r.Ask(c, claims)
		return r
	}
	r := ask(`{"userinfo":{"name":null,"email":null,"cccd":{"essential":true},"iss":null,"nobody_knows":null},"id_token":{"gender":null,"cmnd":null}}`)
	if len(r.Claims.Userinfo) != 2 || len(r.Claims.IDToken) != 1 {
		t.Errorf("%+v", r.Claims)
	}
	if want := []string{"openid", "email", "claim:name", "claim:gender"}; !slices.Equal(r.Shared(), want) {
		t.Errorf("agreed to is %q, want %q", r.Shared(), want)
	}
	for claim, want := range map[string]bool{"name": true, "gender": true, "email": true, "email_verified": true, "cccd": false, "nickname": false, "iss": false} {
		if r.Shares(claim) != want {
			t.Errorf("shares %s: %v", claim, !want)
		}
	}
	if r := ask(`{"userinfo":{"cccd":null},"id_token":{"auth_time":null}}`); r.Claims != nil || len(r.Shared()) != 2 {
		t.Errorf("nothing is left: %+v", r.Claims)
	}
}

func TestWhichLevelIsReportedToWhomeverInsistsOnOne(t *testing.T) {
	for _, tc := range []struct {
		asked     string
		performed string
		want      string
		reachable bool
	}{
		{`null`, "LoA2", "LoA2", true},
		{`{"essential":true}`, "LoA1", "LoA1", true},
		{`{"values":["LoA1"]}`, "LoA2", "LoA2", true}, // voluntary
		{`{"essential":true,"values":["LoA2","LoA1"]}`, "LoA2", "LoA2", true},
		{`{"essential":true,"values":["LoA2","LoA1"]}`, "LoA1", "LoA1", true},
		{`{"essential":true,"value":"LoA1"}`, "LoA2", "LoA1", true},
		{`{"essential":true,"value":"LoA2"}`, "LoA1", "", true},
		{`{"essential":true,"value":"LoA3"}`, "LoA2", "", false},
		{`{"essential":true,"values":["LoA0","loa1","1","LoA10","urn:x"]}`, "LoA2", "", false},
		{`{"essential":true,"values":[2]}`, "LoA2", "", false},
	} {
		claims, err := ParseClaims(`{"id_token":{"acr":` + tc.asked + `}}`)
		if err != nil {
			t.Fatal(err)
		}
		r := &AuthRequest{}
		r.Ask(&Client{}, claims)
		if got := r.reportedACR(tc.performed); got != tc.want || r.Reachable() != tc.reachable {
			t.Errorf("%s after %s: %q, reachable %v", tc.asked, tc.performed, got, r.Reachable())
		}
	}
}

func FuzzParseClaims(f *testing.F) {
	f.Add(`{"userinfo":{"name":{"essential":true,"values":["x",1]}},"id_token":{"sub":{"value":"y"}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		claims, err := ParseClaims(text)
		if err != nil {
			return
		}
		r := &AuthRequest{}
		r.Ask(&Client{ClientMetadata: ClientMetadata{Scope: strings.Join(SupportedScopes(), " ")}}, claims)
		r.Shared()
	})
}
