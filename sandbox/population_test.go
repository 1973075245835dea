package sandbox_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// long is somebody of the population. docs/personas.md
const (
	long      = "038890000001"
	longPhone = "0958277875"
)

func (w *waiting) password(number string) string {
	w.t.Helper()
	resp, err := w.http.PostForm(w.r.Issuer+"/login/"+w.login+"/password", url.Values{"username": {number}, "password": {"Sandbox@2024"}})
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var page strings.Builder
	if err := resp.Write(&page); err != nil {
		w.t.Fatal(err)
	}
	return page.String()
}

func TestSomebodyOfThePopulationSignsInByOTP(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	page.password(long)
	page.is(vneid.StateOTPSent)
	resp, err := page.http.PostForm(r.Issuer+"/login/"+page.login+"/otp", url.Values{"otp": {otpOf(t, r, longPhone)}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	page.is(vneid.StateConsentPending)

	var list []struct{ CCCD, Name string }
	if status, _ := call(t, r, "GET", "/personas?q=ba+long", "", &list); status != 200 || len(list) != 1 || list[0].CCCD != long {
		t.Errorf("who signed in is not found by name: %d %+v", status, list)
	}
	if status, _ := call(t, r, "GET", "/personas", "", &list); status != 200 || len(list) != 14 {
		t.Errorf("%d people, want the thirteen and the one who signed in", len(list))
	}
	call(t, r, "POST", "/reset", "{}", nil)
	if status, _ := call(t, r, "GET", "/personas", "", &list); status != 200 || len(list) != 13 {
		t.Errorf("%d people after the reset", len(list))
	}
	if status, _ := call(t, r, "GET", "/personas/"+long, "", nil); status != 200 {
		t.Errorf("%s is gone with the reset: %d", long, status)
	}
}

func TestSomebodyOfThePopulationSignsInByQRCode(t *testing.T) {
	r, store := withPhones(t, nil)
	t.Run("with a phone that they activated", func(t *testing.T) {
		page, phone := loginPage(t, r, store), phoneOn(t, r)
		phone.press("/phone/activate", url.Values{"username": {long}, "password": {"Sandbox@2024"}})
		phone.press("/phone/otp", url.Values{"otp": {otpOf(t, r, longPhone)}})
		phone.press("/phone/passcode", url.Values{"passcode": {"482915"}})
		phone.sees(homeScreen, "Nguyễn Bá Long", long, "13/05/1990")
		phone.open("/phone/scan")
		phone.press("/phone/scan", url.Values{"code": {page.short()}})
		phone.press("/phone/confirm", nil)
		page.is(vneid.StateSecondFactorOK)
	})
	t.Run("with a ready phone, found by the whole number", func(t *testing.T) {
		page, phone := loginPage(t, r, store), phoneOn(t, r)
		phone.open("/phone/people?q=038990000002")
		phone.sees("Cầm điện thoại của ai?", "Phan Minh Phượng")
		phone.show(phone.http.PostForm(r.SandboxURL+"/phone/take", url.Values{"cccd": {"038990000002"}}))
		phone.press("/phone/unlock", url.Values{"passcode": {"123456"}})
		phone.open("/phone/scan")
		phone.press("/phone/scan", url.Values{"code": {page.link()}})
		phone.press("/phone/confirm", nil)
		page.is(vneid.StateSecondFactorOK)
	})
	t.Run("by the API", func(t *testing.T) {
		page := loginPage(t, r, store)
		if status, code := call(t, r, "POST", "/phones/079875123456/scan", fmt.Sprintf(`{"code": %q}`, page.link()), nil); status != 200 {
			t.Fatal(status, code)
		}
		if status, code := call(t, r, "POST", "/phones/079875123456/confirm", `{"login": "`+page.login+`", "passcode": "123456"}`, nil); status != 200 {
			t.Fatal(status, code)
		}
		page.is(vneid.StateSecondFactorOK)
	})
}

func TestTheSituationsOfThePopulationHappen(t *testing.T) {
	r, store := withPhones(t, nil)
	for number, says := range map[string]string{
		"001871001401": "khóa", "001972001402": "kích hoạt", "038986003901": "số điện thoại",
	} {
		page := loginPage(t, r, store)
		if got := page.password(number); !strings.Contains(got, says) {
			t.Errorf("…%s: %.300s", number[8:], got)
		}
		page.is(vneid.StateRefused)
	}
	scan := func(number string) (apiScan, int, string) {
		var s apiScan
		status, code := call(t, r, "POST", "/phones/"+number+"/scan", fmt.Sprintf(`{"code": %q}`, loginPage(t, r, store).link()), &s)
		return s, status, code
	}
	if _, status, code := scan("079893002901"); status != 403 || code != "qr_level" {
		t.Errorf("…2901: %d %s", status, code)
	}
	if s, status, _ := scan("079994002902"); status != 200 || s.Allowed {
		t.Errorf("…2902: %d %+v", status, s)
	}
	if status, code := call(t, r, "PATCH", "/phones/079994002902", `{"web_login": true}`, nil); status != 200 {
		t.Errorf("…2902: %d %s", status, code)
	}
	if s, status, _ := scan("079994002902"); status != 200 || !s.Allowed {
		t.Errorf("…2902, switched on: %d %+v", status, s)
	}

	loginPage(t, r, store).password("038884003902")
	loginPage(t, r, store).password("038983003903")
	inbox := func(to string) (list []struct{ OTP string }) {
		call(t, r, "GET", "/sms?to="+to, "", &list)
		return list
	}
	if len(inbox("0954264876")) != 0 || len(inbox("0951731347")) != 0 {
		t.Error("…3902 or …3903 got a message at once")
	}
	advance(t, r, "91s")
	if len(inbox("0954264876")) != 0 || len(inbox("0951731347")) != 1 {
		t.Errorf("after 90 s: …3902 %d messages, …3903 %d", len(inbox("0954264876")), len(inbox("0951731347")))
	}
	for body, reason := range map[string]string{
		`{"cccd":"038890000001","name":"NGUYEN BA LONG","birthdate":"1990-05-13"}`:      "match",
		`{"cccd":"038890000404","name":"Phan Thanh Đại","birthdate":"1990-03-05"}`:      "not_found",
		`{"cccd":"038990000409","name":"Đỗ Thị Ngà","birthdate":"1990-03-25"}`:          "name_differs",
		`{"cccd":"038990000409","name":"Đỗ Thị Uyên","birthdate":"1990-03-25"}`:         "match",
		`{"cccd":"038860000410","name":"Lương Văn Thành","birthdate":"1960-12-12"}`:     "deceased",
		`{"cccd":"038955010411","name":"Phạm Kim Hạ","birthdate":"1955-06-20"}`:         "birthdate_differs",
		`{"cccd":"038955010411","name":"Phạm Kim Hạ","birthdate":"1955-06-01"}`:         "match",
		`{"cmnd":"993886012","name":"Nguyễn Đình Hoàn","birth_year":"1960"}`:            "match",
		`{"cccd":"038860124901","name":"Nguyễn Đình Hoàn","birthdate":"1960-02-02"}`:    "match",
		`{"cccd":"000890000001","name":"Nguyễn Bá Long","birthdate":"1990-05-13"}`:      "not_found",
		`{"cccd":"038790000001","name":"Nguyễn Bá Long","birthdate":"1990-05-13"}`:      "not_found",
		`{"cccd":"038890000001","name":"Nguyễn Bá Long","birthdate":"1990-05-14"}`:      "birthdate_differs",
		`{"cccd":"038890000001","name":"Nguyễn Bá Lâm","birthdate":"1990-05-13"}`:       "name_differs",
		`{"cmnd":"993886112","name":"Nguyễn Đình Hoàn","birth_year":"1960"}`:            "name_differs",
		`{"cccd":"001871001401","name":"Phạm Đức Linh","birthdate":"1971-01-25"}`:       "match",
		`{"cccd":"038986003901","name":"Nguyễn Thị Hồng Anh","birthdate":"1986-10-29"}`: "match",
	} {
		if status, m := question(t, r, body, dancuKey); status != 200 || m["reason"] != reason {
			t.Errorf("%s: %d %v, want %s", body, status, m, reason)
		}
	}
}

func TestThePopulationLivesInAnEmptyWorldAndIsTheSameAfterARestart(t *testing.T) {
	database := "sqlite:" + t.TempDir() + "/sandbox.db"
	for range 2 {
		r, _ := start(t, func(c *sandbox.Config) { c.Database, c.Seed = database, "none" })
		var p struct{ Name, Phone string }
		if status, _ := call(t, r, "GET", "/personas/"+long, "", &p); status != 200 || p.Name != "Nguyễn Bá Long" || p.Phone != longPhone {
			t.Errorf("%d %+v", status, p)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
