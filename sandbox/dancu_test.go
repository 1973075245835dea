package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

const dancuKey = "Authorization: Bearer thanhhoa-dancu-key"

func question(t *testing.T, r *sandbox.Running, body string, headers ...string) (int, map[string]any) {
	t.Helper()
	resp, text := send(t, "POST", r.SandboxURL+"/dancu/v1/match", body, append([]string{"Content-Type: application/json"}, headers...)...)
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s: %q", resp.Status, text)
	}
	return resp.StatusCode, m
}

func TestThePopulationDatabaseComparesNumberNameAndBirth(t *testing.T) {
	r, _ := start(t, nil)
	for _, c := range []struct{ body, reason string }{
		{`{"cccd":"038090000001","name":"Nguyễn Văn An","birthdate":"1990-03-15"}`, "match"},
		{`{"cccd":"038090000001","name":"NGUYEN VAN  AN","birth_year":"1990"}`, "match"},
		{`{"cccd":"038090000001","name":"nguyễn  văn an","birthdate":"1990-03-15"}`, "match"}, // the same in NFD
		{`{"cccd":"038090000001","name":"Nguyễn Văn Ân","birthdate":"1990-03-15"}`, "match"},
		{`{"cccd":"038090000001","name":"Nguyễn Văn Anh","birthdate":"1990-03-15"}`, "name_differs"},
		{`{"cccd":"038090000001","name":"Nguyễn Văn An","birthdate":"1990-03-16"}`, "birthdate_differs"},
		{`{"cccd":"038060000007","name":"Vũ Văn Hải","birthdate":"1960-01-01"}`, "match"}, // the year is all that is known
		{`{"cccd":"038060000007","name":"Vũ Văn Hải","birth_year":"1961"}`, "birthdate_differs"},
		{`{"cmnd":"171234567","name":"Vũ Văn Hải","birth_year":"1960"}`, "match"},
		{`{"cmnd":"999999999","name":"Vũ Văn Hải","birth_year":"1960"}`, "not_found"},
		{`{"cccd":"038198000008","name":"Ngô Thị Khánh Linh","birthdate":"1998-08-08"}`, "name_differs"},
		{`{"cccd":"038198000008","name":"Ngô Thị Khánh Lynh","birthdate":"1998-08-08"}`, "match"},
		{`{"cccd":"038093000013","name":"Đặng Thế Sơn","birthdate":"1993-06-18"}`, "not_found"},
		{`{"cccd":"038065000014","name":"Cao Văn Tâm","birthdate":"1965-03-03"}`, "deceased"},
		{`{"cccd":"038065000099","name":"Cao Văn Tâm","birthdate":"1965-03-03"}`, "not_found"},
	} {
		status, m := question(t, r, c.body, dancuKey)
		if status != 200 || m["reason"] != c.reason || m["match"] != (c.reason == "match") {
			t.Errorf("%s: %d %v, want %s", c.body, status, m, c.reason)
		}
	}
}

func TestThePopulationDatabaseAnswersConsumersOnly(t *testing.T) {
	r, log := start(t, nil)
	const good = `{"cccd":"038090000001","name":"Nguyễn Văn An","birthdate":"1990-03-15"}`
	for name, headers := range map[string][]string{"no key": nil, "a wrong key": {"Authorization: Bearer wrong-dancu-key"}, "basic": {"Authorization: Basic eDp5"}} {
		if status, m := question(t, r, good, headers...); status != 401 || m["code"] != "invalid_key" {
			t.Errorf("%s: %d %v", name, status, m)
		}
	}
	for _, body := range []string{``, `[]`, `{"cccd":"1"}`, `{"cccd":"038090000001","cmnd":"171234567","name":"A","birth_year":"1990"}`,
		`{"cccd":"038090000001","name":"","birth_year":"1990"}`, `{"cccd":"038090000001","name":"A"}`, `{"cccd":"038090000001","name":"A","birthdate":"1990-02-30"}`,
		`{"cccd":"038090000001","name":"A","birth_year":"90"}`, good + `{}`, `{"cccd":"038090000001","name":"A","birth_year":"1990","admin":true}`} {
		if status, m := question(t, r, body, dancuKey); status != 400 {
			t.Errorf("%s: %d %v", body, status, m)
		}
	}
	if status, _ := question(t, r, `{"name":"`+strings.Repeat("x", 9000)+`"}`, dancuKey); status != 413 {
		t.Errorf("a long body: %d", status)
	}
	if resp, _ := send(t, "POST", r.SandboxURL+"/dancu/v1/match", good, dancuKey, "Content-Type: text/plain"); resp.StatusCode != 415 {
		t.Errorf("a form of a foreign page: %s", resp.Status)
	}
	if resp, _ := send(t, "GET", r.SandboxURL+"/dancu/v1/match", "", dancuKey); resp.StatusCode != 404 {
		t.Errorf("GET: %s", resp.Status)
	}
	question(t, r, good, dancuKey)
	for _, secret := range []string{"thanhhoa-dancu-key", "038090000001", "Nguyễn Văn An"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(log.String(), "reason=match") || !strings.Contains(log.String(), "consumer=thanhhoa-portal") {
		t.Errorf("the log does not say who asked and what came of it: %s", log)
	}
}

func TestTheQuotaOfAConsumerIsHeldOnTheWorldsClock(t *testing.T) {
	r, _ := start(t, nil)
	const body = `{"cccd":"038090000001","name":"x","birth_year":"1990"}`
	for i := range 120 {
		if status, m := question(t, r, body, dancuKey); status != 200 {
			t.Fatalf("question %d: %d %v", i, status, m)
		}
	}
	resp, _ := send(t, "POST", r.SandboxURL+"/dancu/v1/match", body, dancuKey, "Content-Type: application/json")
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	if resp, text := send(t, "POST", r.SandboxURL+"/api/v1/clock", `{"advance":"`+(2*time.Minute).String()+`"}`, "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatal(text)
	}
	if status, m := question(t, r, body, dancuKey); status != 200 {
		t.Errorf("a minute later: %d %v", status, m)
	}
}

func TestPortalsOfOtherMachinesAskWithTheirKeyAlone(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.Token = token })
	if status, m := question(t, r, `{"cccd":"038090000001","name":"Nguyễn Văn An","birth_year":"1990"}`, dancuKey, "X-Forwarded-For: 10.0.0.1"); status != 200 || m["match"] != true {
		t.Errorf("%d %v", status, m)
	}
}
