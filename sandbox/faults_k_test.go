package sandbox_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"
)

var typedCode = regexp.MustCompile(`id="qr-code"[^>]*>([A-Z0-9-]+)<`)

func TestPhoneAndBrowserAreToldWrongAsDescribed(t *testing.T) {
	c := newCrooked(t)
	const an = "038090000001"
	phone := func(call, body string) (int, map[string]any) {
		t.Helper()
		resp, said := send(t, "POST", c.r.SandboxURL+"/api/v1/phones/"+an+"/"+call, body, "Content-Type: application/json")
		m := map[string]any{}
		_ = json.Unmarshal([]byte(said), &m) // an empty answer says nothing
		return resp.StatusCode, m
	}
	scan := func() (int, map[string]any) {
		t.Helper()
		c.v = newVisitor(t, c.r)
		_, page := c.v.begin()
		code := typedCode.FindStringSubmatch(page)
		if code == nil {
			t.Fatalf("no code on the page: %s", page)
		}
		return phone("scan", fmt.Sprintf(`{"code":%q}`, code[1]))
	}
	confirm := func() (int, map[string]any) {
		t.Helper()
		return phone("confirm", `{"login":"`+c.v.id+`","passcode":"123456"}`)
	}
	back := func() (string, int) {
		t.Helper()
		resp, body := c.v.open("GET", c.r.Issuer+"/login/"+c.v.id+"/return", nil)
		if typedSharing := resp.Header.Get("Location"); typedSharing != "" {
			return typedSharing, resp.StatusCode
		}
		return body, resp.StatusCode
	}

	status, honest := scan()
	if status != 200 || honest["allowed"] != true {
		t.Fatalf("without a fault: %d %v", status, honest)
	}
	c.arm("K03", "")
	if status, got := scan(); status != 200 || fmt.Sprint(without2(differs(honest, got), []string{"at", "login", "seconds"})) != "[browser ip]" || got["ip"] != "203.0.113.7" {
		t.Errorf("K03: %d %v", status, got)
	}
	c.arm("K05", "")
	if status, got := scan(); status != 200 || fmt.Sprint(without2(differs(honest, got), []string{"at", "login", "seconds"})) != "[allowed message]" || got["allowed"] != false {
		t.Errorf("K05: %d %v", status, got)
	}
	c.arm("K06", "")
	if status, got := scan(); status != 403 || got["code"] != "qr_level" {
		t.Errorf("K06: %d %v", status, got)
	}
	c.arm("K01", "")
	scan()
	if status, got := confirm(); status != 410 || got["code"] != "qr_expired" {
		t.Errorf("K01: %d %v", status, got)
	}
	c.disarm()
	if status, got := confirm(); status != 200 && status != 204 {
		t.Errorf("K01, disarmed: the provider heard of it: %d %v", status, got)
	}
	c.arm("K04", "", "times", "1")
	scan()
	if status, _ := confirm(); status != 200 && status != 204 {
		t.Errorf("K04: confirm: %d", status)
	}
	if to, status := back(); status < 400 {
		t.Errorf("K04: another browser is let through: %d %.200s", status, to)
	}
	if to, status := back(); status >= 400 {
		t.Errorf("K04 once: the right browser is refused: %d %.200s", status, to)
	}
	// A fault of another client leaves the scans of this one alone, and none is
	// used up by what it could do nothing to.
	send(t, "POST", c.r.SandboxURL+"/api/v1/clients", `{"client_id":"other","redirect_uris":["http://localhost/"]}`, "Content-Type: application/json")
	send(t, "PUT", c.r.SandboxURL+"/api/v1/clients/other/faults", `{"faults":[{"id":"K06","times":1}]}`, "Content-Type: application/json")
	c.v.api("/faults/armed", nil)
	if status, got := scan(); status != 200 {
		t.Errorf("armed for another client it strikes: %d %v", status, got)
	}
	var left []struct{ Times int }
	if c.v.api("/clients/other/faults", &left); len(left) != 1 || left[0].Times != 1 {
		t.Errorf("it was used up: %v", left)
	}
}
