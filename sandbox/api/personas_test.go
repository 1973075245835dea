package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

const newcomer = `{"cccd":"038090000021","name":"Nguyễn Văn Mới","birthdate":"1990-01-02","gender":"male","phone":"0950000021"}`

func TestAPersonaNeedsOnlyWhatIsSpecial(t *testing.T) {
	api := base(t)
	var p map[string]any
	resp := call(t, "POST", api+"/personas", newcomer, &p)
	if resp.StatusCode != 201 || resp.Header.Get("Location") != "/api/v1/personas/038090000021" || p["account_level"] != 2.0 || p["account_type"] != "citizen" ||
		p["status"] != "active" || p["web_login"] != true || p["sms"] != "instant" || p["address"] != nil || len(p) != 14 {
		t.Fatalf("%d %v", resp.StatusCode, p)
	}
	var again map[string]any
	if call(t, "GET", api+"/personas/038090000021", "", &again); again["name"] != "Nguyễn Văn Mới" {
		t.Errorf("afterwards: %v", again)
	}
	var list []any
	if call(t, "GET", api+"/personas?q=moi", "", &list); len(list) != 1 {
		t.Errorf("found by name: %v", list)
	}
	var taken problem
	if resp := call(t, "POST", api+"/personas", newcomer, &taken); resp.StatusCode != 409 || !slices.Equal(taken.fields(), []string{"cccd"}) {
		t.Errorf("again: %d %+v", resp.StatusCode, taken)
	}
	// Somebody of the population is there already, though no row says so.
	if resp := call(t, "POST", api+"/personas", strings.Replace(newcomer, "038090000021", "038890000021", 1), &taken); resp.StatusCode != 409 {
		t.Errorf("one of the population: %d %+v", resp.StatusCode, taken)
	}
}

func TestSecretsOfAPersonaGoInAndNeverComeOut(t *testing.T) {
	api := base(t)
	var raw json.RawMessage
	body := strings.TrimSuffix(newcomer, "}") + `,"password":"Rất-dài-và-riêng","passcode":"654321"}`
	if resp := call(t, "POST", api+"/personas", body, &raw); resp.StatusCode != 201 || strings.Contains(string(raw), "pass") || strings.Contains(string(raw), "654321") {
		t.Fatalf("%d %s", resp.StatusCode, raw)
	}
	var phone struct{ Ready bool }
	if call(t, "GET", api+"/phones/038090000021", "", &phone); phone.Ready {
		t.Error("a phone with a passcode of its own counts as one that everybody may unlock")
	}
}

func TestWrongPersonasAreRefusedFieldByField(t *testing.T) {
	api := base(t)
	for name, c := range map[string]struct {
		body   string
		fields []string
	}{
		"nothing":                {`{}`, []string{"birthdate", "cccd", "gender", "name"}},
		"another sex":            {strings.Replace(newcomer, `"male"`, `"female"`, 1), []string{"gender"}},
		"another year":           {strings.Replace(newcomer, "1990-01-02", "1991-01-02", 1), []string{"birthdate"}},
		"no such province":       {strings.Replace(newcomer, "038090", "003090", 1), []string{"cccd"}},
		"a lost zero":            {strings.Replace(newcomer, "038090", "38090", 1), []string{"cccd"}},
		"everything at once":     {`{"cccd":"1","cmnd":"2","name":"","birthdate":"1/1/1990","gender":"nam","phone":"3","email":"x","account_level":3,"account_type":"organisation","status":"dead","sms":"pigeon","passcode":"12345"}`, []string{"account_type", "birthdate", "cccd", "cmnd", "email", "gender", "name", "passcode", "phone", "sms", "status"}},
		"wrong types":            {strings.TrimSuffix(newcomer, "}") + `,"web_login":"yes","account_level":"2","address":"Hà Nội","note":5}`, []string{"web_login", "account_level", "address", "note"}},
		"unknown fields":         {strings.TrimSuffix(newcomer, "}") + `,"phne":"0950000001","address":{"strt":"x"}}`, []string{"phne", "address.strt"}},
		"a type and the rest":    {`{"cccd":"038090000021","name":5,"birthdate":"1990","gender":"nam"}`, []string{"name", "gender"}},
		"a phone, not activated": {strings.TrimSuffix(newcomer, "}") + `,"status":"not_activated","passcode":"123456"}`, []string{"passcode"}},
	} {
		t.Run(name, func(t *testing.T) {
			var p problem
			if resp := call(t, "POST", api+"/personas", c.body, &p); resp.StatusCode != 400 || !slices.Equal(p.fields(), c.fields) {
				t.Errorf("%d %+v, want %v", resp.StatusCode, p, c.fields)
			}
		})
	}
	var p problem
	call(t, "POST", api+"/personas", strings.TrimSuffix(newcomer, "}")+`,"phne":"0950000001"}`, &p)
	if !strings.Contains(p.Detail, `did you mean "phone"`) {
		t.Errorf("the nearest name is not offered: %+v", p)
	}
}

func TestAPatchChangesAPersonAndNothingElse(t *testing.T) {
	api := base(t)
	const an = "/personas/038090000001"
	var p map[string]any
	resp := call(t, "PATCH", api+an, `{"account_level":1,"web_login":false,"sms":"late","email":null,"address":{"province":"Thành phố Hà Nội"}}`, &p)
	if resp.StatusCode != 200 || p["account_level"] != 1.0 || p["web_login"] != false || p["sms"] != "late" || p["email"] != "" || p["name"] != "Nguyễn Văn An" {
		t.Fatalf("%d %v", resp.StatusCode, p)
	}
	if address, _ := p["address"].(map[string]any); len(address) != 1 {
		t.Errorf("an address is given as a whole: %v", p["address"])
	}
	p = nil
	if call(t, "PATCH", api+an, `{"account_level":null,"web_login":null,"sms":null,"address":null}`, &p); p["account_level"] != 2.0 || p["web_login"] != true || p["sms"] != "instant" || p["address"] != nil {
		t.Errorf("null restores what is usual: %v", p)
	}
	for body, fields := range map[string][]string{
		`{"cccd":"038090000099"}`:                {"cccd"},
		`{"cccd":"038090000099","gender":"nam"}`: {"cccd", "gender"},
		`{"name":null}`:                          {"name"},
		`{"birthdate":"1980"}`:                   {"birthdate"},
		`{"staus":"locked","sms":"never"}`:       {"staus"},
	} {
		var bad problem
		if resp := call(t, "PATCH", api+an, body, &bad); resp.StatusCode != 400 || !slices.Equal(bad.fields(), fields) {
			t.Errorf("%s: %d %+v", body, resp.StatusCode, bad)
		}
	}
	p = nil
	if call(t, "GET", api+an, "", &p); p["sms"] != "instant" {
		t.Errorf("a refused patch left something: %v", p)
	}
	if resp := call(t, "PATCH", api+"/personas/038090000999", `{}`, nil); resp.StatusCode != 404 {
		t.Errorf("nobody: %d", resp.StatusCode)
	}
}

func TestOneOfThePopulationIsChangedAndDeletedForGood(t *testing.T) {
	api := base(t)
	const path = "/personas/038890000001"
	var p, changed map[string]any
	call(t, "GET", api+path, "", &p)
	if resp := call(t, "PATCH", api+path, `{"name":"Lê Văn Khác"}`, &changed); resp.StatusCode != 200 || changed["name"] != "Lê Văn Khác" || changed["phone"] != p["phone"] {
		t.Fatalf("%d %v", resp.StatusCode, changed)
	}
	for i, want := range []int{204, 404} {
		if resp := call(t, "DELETE", api+path, "", nil); resp.StatusCode != want {
			t.Fatalf("delete %d: %d", i, resp.StatusCode)
		}
	}
	if resp := call(t, "DELETE", api+"/personas/038890000005", "", nil); resp.StatusCode != 204 {
		t.Errorf("one without a row: %d", resp.StatusCode)
	}
	for _, gone := range []string{"/personas/038890000001", "/personas/038890000005", "/phones/038890000005"} {
		if resp := call(t, "GET", api+gone, "", nil); resp.StatusCode != 404 {
			t.Errorf("%s after the deletion: %d", gone, resp.StatusCode)
		}
	}
	var list []any
	if call(t, "GET", api+"/personas?q=038890", "", &list); len(list) != 0 {
		t.Errorf("lists show %v", list)
	}
	again := strings.Replace(newcomer, "038090000021", "038890000001", 1)
	if resp := call(t, "POST", api+"/personas", again, nil); resp.StatusCode != 201 {
		t.Errorf("somebody new with the number: %d", resp.StatusCode)
	}
	call(t, "POST", api+"/reset", "{}", nil)
	var back map[string]any
	if call(t, "GET", api+path, "", &back); back["name"] != p["name"] {
		t.Errorf("after the reset: %v, before %v", back["name"], p["name"])
	}
}

func TestWhatIsDeletedIsGone(t *testing.T) {
	api := base(t)
	for _, path := range []string{"/personas/038090000001", "/clients/my-portal"} {
		resp := call(t, "DELETE", api+path, "", nil)
		if resp.StatusCode != 204 || resp.ContentLength > 0 {
			t.Errorf("DELETE %s: %d, %d bytes", path, resp.StatusCode, resp.ContentLength)
		}
		var p problem
		if resp := call(t, "DELETE", api+path, "", &p); resp.StatusCode != 404 || p.Detail == "" {
			t.Errorf("again: %d %+v", resp.StatusCode, p)
		}
		if resp := call(t, "GET", api+path, "", nil); resp.StatusCode != 404 {
			t.Errorf("still there: %d", resp.StatusCode)
		}
	}
	if resp := call(t, "DELETE", api+"/sessions/none", "", nil); resp.StatusCode != 404 {
		t.Errorf("an unknown session: %d", resp.StatusCode)
	}
	var p problem
	if resp := call(t, "GET", api+"/sessions?cccd=12", "", &p); resp.StatusCode != 400 || !slices.Equal(p.fields(), []string{"cccd"}) {
		t.Errorf("sessions of no number: %d %+v", resp.StatusCode, p)
	}
}
