package sandbox_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type apiScan struct {
	Login, Host, Browser, IP, At, Message string
	ClientID                              string `json:"client_id"`
	ClientName                            string `json:"client_name"`
	Allowed                               bool
	Choices                               []int
}

func call(t *testing.T, r *sandbox.Running, method, path, body string, answer any) (status int, code string) {
	t.Helper()
	resp, raw := send(t, method, r.SandboxURL+"/api/v1"+path, body, "Content-Type: application/json")
	var problem struct{ Code string }
	if resp.StatusCode != 200 {
		if resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", path, raw)
		}
		_ = json.Unmarshal([]byte(raw), &problem)
	} else if answer != nil {
		if err := json.Unmarshal([]byte(raw), answer); err != nil {
			t.Fatal(err, raw)
		}
	}
	return resp.StatusCode, problem.Code
}

func TestTheAPIScansAndConfirmsWithAPhone(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	const an = "/phones/038090000001"
	var scan apiScan
	if status, code := call(t, r, "POST", an+"/scan", fmt.Sprintf(`{"code": %q}`, page.link()), &scan); status != 200 {
		t.Fatal(status, code)
	}
	if scan.Login != page.login || scan.ClientID != "my-portal" || scan.Host != "localhost:3000" || !scan.Allowed || scan.Message != "" || scan.IP != "127.0.0.1" || scan.Browser == "" || scan.At == "" {
		t.Errorf("%+v", scan)
	}
	if status, code := call(t, r, "POST", an+"/confirm", `{"login": "`+scan.Login+`", "passcode": "000000"}`, nil); status != 403 || code != "passcode_wrong" {
		t.Errorf("a wrong passcode: %d %s", status, code)
	}
	if status, code := call(t, r, "POST", an+"/confirm", `{"login": "`+scan.Login+`"}`, nil); status != 403 || code != "passcode_needed" {
		t.Errorf("no passcode: %d %s", status, code)
	}
	if status, code := call(t, r, "POST", "/phones/038060000007/confirm", `{"login": "`+scan.Login+`", "passcode": "123456"}`, nil); status != 403 || code != "qr_other_phone" {
		t.Errorf("another's phone: %d %s", status, code)
	}
	if status, code := call(t, r, "POST", an+"/confirm", `{"login": "`+scan.Login+`", "passcode": "123456"}`, nil); status != 200 {
		t.Fatal(status, code)
	}
	page.is(vneid.StateSecondFactorOK)
	var state struct {
		Unlocked, Ready bool
		WebLogin        bool `json:"web_login"`
		Device          string
		Codes, Recent   []any
	}
	if status, code := call(t, r, "GET", an, "", &state); status != 200 || state.Unlocked || !state.Ready || !state.WebLogin || state.Device == "" || state.Codes == nil || state.Recent == nil {
		t.Errorf("%d %s %+v", status, code, state)
	}
	if status, code := call(t, r, "POST", an+"/scan", fmt.Sprintf(`{"code": %q}`, page.link()), nil); status != 409 || code != "qr_used" {
		t.Errorf("a used code: %d %s", status, code)
	}
}

func TestTheAPINamesEveryRefusal(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	var scan apiScan
	if status, _ := call(t, r, "POST", "/phones/038190000002/scan", fmt.Sprintf(`{"code": %q}`, page.short()), &scan); status != 200 || scan.Allowed ||
		scan.Message != "Tài khoản của bạn không có quyền đăng nhập trên cổng thông tin định danh điện tử. Vui lòng cập nhật lại quyền trên thiết bị" {
		t.Errorf("%d %+v", status, scan)
	}
	if status, code := call(t, r, "POST", "/phones/038190000002/confirm", `{"login": "`+page.login+`", "passcode": "123456"}`, nil); status != 403 || code != "web_login_off" {
		t.Errorf("%d %s", status, code)
	}
	if status, _ := call(t, r, "PATCH", "/phones/038190000002", `{"web_login": true}`, nil); status != 200 {
		t.Errorf("PATCH: %d", status)
	}
	if status, code := call(t, r, "POST", "/phones/038190000002/refuse", `{"login": "`+page.login+`"}`, nil); status != 200 {
		t.Errorf("%d %s", status, code)
	}
	page.is(vneid.StateRefused)

	late := loginPage(t, r, store)
	advance(t, r, "3m")
	for _, c := range []struct {
		path, body string
		status     int
		code       string
	}{
		{"/phones/038090000001/scan", fmt.Sprintf(`{"code": %q}`, late.link()), 410, "qr_expired"},
		{"/phones/038090000001/scan", `{"code": "0000-0000"}`, 404, "qr_unknown"},
		{"/phones/038090000001/scan", `{"code": "https://example.test/"}`, 400, "qr_foreign"},
		{"/phones/038090000001/scan", `{"code": ""}`, 400, "qr_empty"},
		{"/phones/038090000001/scan", `{}`, 400, ""},
		{"/phones/038090000099/scan", `{"code": "0000-0000"}`, 404, ""},
		{"/phones/1/scan", `{"code": "0000-0000"}`, 404, ""},
		{"/phones/038188000004/scan", `{"code": "0000-0000"}`, 403, "account_locked"},
		{"/phones/038070000012/scan", `{"code": "0000-0000"}`, 403, "account_not_activated"},
		{"/phones/038095000003/scan", fmt.Sprintf(`{"code": %q}`, loginPage(t, r, store).short()), 403, "qr_level"},
		{"/phones/038090000001/confirm", `{"login": "nothing", "passcode": "123456"}`, 404, "qr_unknown"},
		{"/phones/038090000001/confirm", `{"login": "nothing", "passcode": "12"}`, 400, "passcode_format"},
	} {
		if status, code := call(t, r, "POST", c.path, c.body, nil); status != c.status || code != c.code {
			t.Errorf("%s %s: %d %s, want %d %s", c.path, c.body, status, code, c.status, c.code)
		}
	}
	for range 4 {
		call(t, r, "POST", "/phones/038090000001/confirm", `{"login": "x", "passcode": "000000"}`, nil)
	}
	if status, code := call(t, r, "POST", "/phones/038090000001/confirm", `{"login": "x", "passcode": "000000"}`, nil); status != 429 || code != "passcode_locked" {
		t.Errorf("five wrong passcodes: %d %s", status, code)
	}
}
