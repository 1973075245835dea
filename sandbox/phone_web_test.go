package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestACodeIsReadFromAPicture(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	phone := ready(t, r, "038090000001")
	phone.open("/phone/scan")
	upload := func(name string, picture []byte) {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, _ := form.CreateFormFile("picture", name)
		part.Write(picture)
		form.Close()
		phone.show(phone.http.Post(r.SandboxURL+"/phone/scan", form.FormDataContentType(), &body))
	}
	upload("x.png", []byte("no picture"))
	phone.sees("Quét QR", "không phải ảnh JPEG hoặc PNG đọc được")
	upload("x.png", nil)
	phone.sees("Quét QR", "Chưa có ảnh nào được chọn.")
	upload("qr.png", qrPicture(t, page.link()))
	phone.sees(confirmScreen)
}

func TestThePhoneIsClosedToForeignPagesAndOpenToLinks(t *testing.T) {
	r, _ := withPhones(t, nil)
	for _, site := range []string{"same-site", "cross-site"} {
		if resp, _ := send(t, "POST", r.SandboxURL+"/phone/take", "cccd=038090000001", "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: "+site); resp.StatusCode != 403 || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("a form of a %s page: %d", site, resp.StatusCode)
		}
		resp, body := send(t, "GET", r.SandboxURL+"/Q/x", "", "Accept: text/html", "Sec-Fetch-Site: "+site)
		if resp.StatusCode != 200 || !strings.Contains(body, "Quét mã này?") {
			t.Errorf("a link of a %s page: %d", site, resp.StatusCode)
		}
		h := resp.Header
		if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "same-origin" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Set-Cookie") != "" {
			t.Errorf("headers of the phone: %v", h)
		}
	}
}

func TestWithATokenAPhoneIsActivatedByAnybodyAndTakenByTesters(t *testing.T) {
	r, _ := start(t, func(c *sandbox.Config) { c.Token = token })
	if resp, body := send(t, "GET", r.SandboxURL+"/phone", "", "Accept: text/html"); resp.StatusCode != 200 || !strings.Contains(body, `id="username"`) {
		t.Errorf("a citizen's phone: %d", resp.StatusCode)
	}
	if resp, body := send(t, "GET", r.SandboxURL+"/phone/people", "", "Accept: text/html"); resp.StatusCode != 401 || !strings.Contains(body, `value="/phone/people"`) {
		t.Errorf("the list of ready phones: %d\n%s", resp.StatusCode, body)
	}
	form := []string{"Content-Type: application/x-www-form-urlencoded", "Accept: text/html"}
	if resp, _ := send(t, "POST", r.SandboxURL+"/phone/take", "cccd=038090000001", form...); resp.StatusCode != 401 {
		t.Errorf("taking a phone: %d", resp.StatusCode)
	}
}

func TestThePhoneReachesTheProviderByTLSAndKeepsItsCookieToItself(t *testing.T) {
	data := t.TempDir()
	r, _ := start(t, func(c *sandbox.Config) {
		c.TLS, c.Data = "auto", data
		c.Listen, c.SandboxListen = "localhost:0", "localhost:0"
	})
	client := trusting(t, filepath.Join(data, "ca.pem"))
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.PostForm(r.SandboxURL+"/phone/activate", url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cookie := resp.Header.Get("Set-Cookie")
	if resp.StatusCode != 303 || !regexp.MustCompile(`^__Host-phone_default_handset=[A-Za-z0-9_-]{43}; Path=/; Max-Age=\d+; HttpOnly; Secure; SameSite=Lax$`).MatchString(cookie) {
		t.Errorf("%d %s", resp.StatusCode, cookie)
	}
}

// press sends a form of the provider's page, with its hidden fields.
func (w *waiting) press(step string, fields url.Values) *http.Response {
	w.t.Helper()
	resp, err := w.http.PostForm(w.r.Issuer+"/login/"+w.login+step, fields)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// signIn goes the way of the password, up to the portal's callback.
func (w *waiting) signIn(username string, otp func() string) (callback *url.URL) {
	w.t.Helper()
	w.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/callback" {
			callback = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	w.press("/password", url.Values{"username": {username}, "password": {"Sandbox@2024"}})
	w.press("/otp", url.Values{"otp": {otp()}})
	w.press("/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}})
	if callback == nil {
		w.t.Fatalf("no way back to the portal; the login is %s", w.stored().State)
	}
	return callback
}

func TestASignInIsOnTheHomeScreenUntilItIsDisowned(t *testing.T) {
	r, store := withPhones(t, nil)
	callback := loginPage(t, r, store).signIn("038090000001", func() string { return otpOf(t, r, "0950000001") })
	phone := ready(t, r, "038090000001")
	phone.sees(homeScreen, "localhost:3000", "mật khẩu và mã SMS", "Đang mở", "Không phải tôi")
	link := regexp.MustCompile(`href="(/phone/sign-ins/[^"]+)"`).FindStringSubmatch(phone.page)
	if link == nil {
		t.Fatal("no link to disown it")
	}
	phone.open(link[1])
	phone.sees("Không phải tôi", "localhost:3000", "127.0.0.1")
	phone.press("/phone/disown", nil)
	phone.sees("Phiên đăng nhập đã kết thúc")
	phone.press("/phone/close", nil)
	phone.sees(homeScreen, "Đã kết thúc")
	form := url.Values{"grant_type": {"authorization_code"}, "code": {callback.Query().Get("code")}, "redirect_uri": {"http://localhost:3000/callback"}}
	req, _ := http.NewRequest("POST", r.Issuer+"/oauth/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("my-portal", "my-portal-secret")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 400 || !strings.Contains(string(body), "invalid_grant") {
		t.Errorf("the code of a disowned sign-in: %d %s", resp.StatusCode, body)
	}
}

func TestTheAppShowsTheCodeOfASignIn(t *testing.T) {
	r, store := withPhones(t, func(c *sandbox.Config) {
		c.Policy = vneid.DefaultPolicy()
		c.Policy.SecondFactor = vneid.SecondFactorAppCode
	})
	phone := ready(t, r, "038090000001")
	phone.sees(homeScreen, "Không có lượt đăng nhập nào đang chờ mã.")
	page := loginPage(t, r, store)
	var shown string
	page.signIn("038090000001", func() string {
		phone.open("/phone")
		phone.sees(homeScreen, "còn hiệu lực", "localhost:3000")
		var state struct{ Codes []struct{ Code string } }
		if status, code := call(t, r, "GET", "/phones/038090000001", "", &state); status != 200 || len(state.Codes) != 1 {
			t.Fatal(status, code, state)
		}
		shown = state.Codes[0].Code
		if !strings.Contains(phone.page, `<code class="pick">`+shown+`</code>`) {
			t.Errorf("the API shows %s, the app another code", shown)
		}
		return shown
	})
}

func TestTheNumberOnThePageIsChosenOnThePhone(t *testing.T) {
	r, store := withPhones(t, func(c *sandbox.Config) {
		c.Policy = vneid.DefaultPolicy()
		c.Policy.NumberMatching, c.Policy.ConfirmPasscode = true, true
	})
	phone := ready(t, r, "038090000001")
	scan := func() *waiting {
		t.Helper()
		page := loginPage(t, r, store)
		phone.open("/phone/scan")
		phone.press("/phone/scan", url.Values{"code": {page.short()}})
		phone.sees(confirmScreen, "Số nào đang hiện trên trang đăng nhập?", fmt.Sprintf(`value="%d" required`, page.stored().QR.Match), `id="passcode"`)
		return page
	}
	page := scan()
	phone.press("/phone/confirm", url.Values{"passcode": {"123456"}})
	phone.sees(confirmScreen, "Hãy chọn số đang hiện trên trang đăng nhập.")
	phone.press("/phone/confirm", url.Values{"number": {fmt.Sprint(page.stored().QR.Match)}})
	phone.sees(confirmScreen, "Hãy nhập mã passcode để xác nhận.")
	wrong := regexp.MustCompile(`name="number" value="(\d+)"`).FindAllStringSubmatch(phone.page, -1)
	for _, m := range wrong {
		if m[1] != fmt.Sprint(page.stored().QR.Match) {
			phone.press("/phone/confirm", url.Values{"number": {m[1]}, "passcode": {"123456"}})
			break
		}
	}
	phone.sees("Số không khớp")
	page.is(vneid.StateRefused)
	phone.press("/phone/close", nil)
	page = scan()
	phone.press("/phone/confirm", url.Values{"number": {fmt.Sprint(page.stored().QR.Match)}, "passcode": {"123456"}})
	phone.sees("Đăng nhập thành công")
	page.is(vneid.StateSecondFactorOK)
}

func TestTwoBrowsersMayShowOnePhone(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	one := ready(t, r, "038090000001")
	two := phoneOn(t, r)
	two.take("038090000001")
	two.sees(homeScreen)
	if status, code := call(t, r, "POST", "/phones/038090000001/scan", fmt.Sprintf(`{"code": %q}`, page.link()), nil); status != 200 {
		t.Fatal(status, code)
	}
	for _, c := range []*citizen{one, two} {
		c.open("/phone")
		c.sees(confirmScreen)
	}
	one.press("/phone/confirm", nil)
	one.sees("Đăng nhập thành công")
	two.press("/phone/confirm", nil) // too late, and harmless
	two.sees("Đăng nhập thành công")
	page.is(vneid.StateSecondFactorOK)
}

func TestAResetLeavesNoPhoneInAnybodysHand(t *testing.T) {
	r, _ := withPhones(t, nil)
	phone := ready(t, r, "038090000001")
	if resp, body := send(t, "POST", r.SandboxURL+"/api/v1/reset", "{}", "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatal(body)
	}
	phone.press("/phone/sign-out", nil)
	phone.sees(startScreen)
	phone.take("038090000001")
	phone.sees(unlockScreen)
}

func TestTheSwitchIsChangedFromTheHomeScreen(t *testing.T) {
	r, _ := withPhones(t, nil)
	phone := ready(t, r, "038090000001")
	phone.press("/phone/update", nil)
	phone.sees("Quyền của tài khoản", "checked")
	phone.press("/phone/back", nil)
	phone.sees(homeScreen)
	phone.press("/phone/update", nil)
	phone.press("/phone/web-login", nil)
	phone.sees("Tắt “Đăng nhập trên website”")
	phone.press("/phone/web-login/passcode", url.Values{"passcode": {"123456"}})
	phone.sees(homeScreen, "Đang tắt")
}
