package sandbox_test

import (
	"bytes"
	"encoding/json"
	"html"
	"image"
	"image/draw"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// citizen is a browser that shows a phone. It knows no script.
type citizen struct {
	t    *testing.T
	r    *sandbox.Running
	http *http.Client
	page string // what it shows
	at   *url.URL
	code int
}

func phoneOn(t *testing.T, r *sandbox.Running) *citizen {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &citizen{t: t, r: r, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	c.open("/phone")
	return c
}

func (c *citizen) show(resp *http.Response, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	c.page, c.at, c.code = string(raw), resp.Request.URL, resp.StatusCode
	if !strings.Contains(c.page, "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT") {
		c.t.Errorf("%s has no banner", c.at)
	}
}

func (c *citizen) open(path string) {
	c.t.Helper()
	c.show(c.http.Get(c.r.SandboxURL + path))
}

// press sends a form of the page: the one whose action that is, with its
// hidden fields.
func (c *citizen) press(action string, fields url.Values) {
	c.t.Helper()
	for _, after := range strings.Split(c.page, `action="`+action+`"`)[1:] {
		inside, _, _ := strings.Cut(after, "</form>")
		form, fits := url.Values{}, true
		for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(inside, -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		for name := range fields {
			fits = fits && strings.Contains(inside, `name="`+name+`"`)
			form[name] = fields[name]
		}
		if fits {
			c.show(c.http.PostForm(c.r.SandboxURL+action, form))
			return
		}
	}
	c.t.Fatalf("no form to %s with %v on the page %q", action, fields, c.heading())
}

func (c *citizen) heading() string {
	_, after, _ := strings.Cut(c.page, "<h1>")
	h, _, _ := strings.Cut(after, "</h1>")
	return html.UnescapeString(h)
}

func (c *citizen) sees(heading string, texts ...string) {
	c.t.Helper()
	if c.heading() != heading {
		c.t.Fatalf("the phone shows %q, not %q (%s, %d)", c.heading(), heading, c.at, c.code)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(c.page), text) {
			c.t.Fatalf("the screen %q does not show %q:\n%s", heading, text, c.page)
		}
	}
}

// qrPicture draws a QR code as a screenshot of a page would show it.
func qrPicture(t *testing.T, text string) []byte {
	t.Helper()
	matrix, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 240, 240, nil)
	if err != nil {
		t.Fatal(err)
	}
	screen := image.NewRGBA(image.Rect(0, 0, 900, 600))
	draw.Draw(screen, screen.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(screen, matrix.Bounds().Add(image.Pt(500, 120)), matrix, image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, screen); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	startScreen      = "Kích hoạt ứng dụng trên điện thoại này"
	unlockScreen     = "Đăng nhập ứng dụng"
	homeScreen       = "Ứng dụng định danh (mô phỏng)"
	confirmScreen    = "Xác nhận đăng nhập"
	permissionScreen = "Chưa có quyền đăng nhập trên website"
)

// waiting is a browser at a login page that shows a QR code.
type waiting struct {
	t     *testing.T
	r     *sandbox.Running
	store vneid.Store
	world *vneid.World
	http  *http.Client
	login string
}

// withPhones is a sandbox whose database a test looks into.
func withPhones(t *testing.T, change func(*sandbox.Config)) (*sandbox.Running, vneid.Store) {
	t.Helper()
	database := "sqlite:" + filepath.Join(t.TempDir(), "sandbox.db")
	r, _ := start(t, func(c *sandbox.Config) {
		c.Database = database
		c.Seed = "default"
		if change != nil {
			change(c)
		}
	})
	store, err := storage.Open(t.Context(), database, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return r, store
}

func loginPage(t *testing.T, r *sandbox.Running, store vneid.Store) *waiting {
	t.Helper()
	records, err := store.Worlds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	w := &waiting{t: t, r: r, store: store, http: &http.Client{Jar: jar, Timeout: 30 * time.Second},
		world: &vneid.World{ID: records[0].ID, Salt: records[0].Salt}}
	query := url.Values{"client_id": {"my-portal"}, "redirect_uri": {"http://localhost:3000/callback"}, "response_type": {"code"},
		"scope": {"openid profile cccd"}, "state": {"s"}, "nonce": {"n"}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.Issuer+"/authorize?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36")
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !strings.HasPrefix(resp.Request.URL.Path, "/login/") {
		t.Fatalf("/authorize led to %s", resp.Request.URL)
	}
	w.login = strings.TrimPrefix(resp.Request.URL.Path, "/login/")
	return w
}

func (w *waiting) stored() *vneid.Login {
	w.t.Helper()
	var l *vneid.Login
	err := w.store.View(w.t.Context(), w.world.ID, func(tx vneid.Tx) (err error) {
		l, err = tx.Login(w.login)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *waiting) link() string {
	return w.stored().QRCode(w.r.SandboxURL+"/Q", w.world.Salt)
}
func (w *waiting) short() string { return w.stored().QRShort(w.world.Salt) }

func (w *waiting) is(state vneid.LoginState) {
	w.t.Helper()
	if l := w.stored(); l.State != state {
		w.t.Fatalf("the login is %s, its QR code %s; want %s", l.State, l.QR.State, state)
	}
}

func otpOf(t *testing.T, r *sandbox.Running, to string) string {
	t.Helper()
	_, body := send(t, "GET", r.SandboxURL+"/api/v1/sms?wait=10s&to="+to, "")
	var list []struct{ OTP string }
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) == 0 {
		t.Fatalf("no SMS: %s %v", body, err)
	}
	return list[0].OTP
}

// Seed 001 and 003: everything a citizen does, from a phone that belongs to
// nobody to an app that signed itself out.
func TestACitizenActivatesAPhoneAndSignsInByQRCode(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	phone := phoneOn(t, r)
	phone.sees(startScreen)

	phone.press("/phone/activate", url.Values{"username": {"38090000001"}, "password": {"Sandbox@2024"}})
	phone.sees(startScreen, "có lẽ đã mất số 0 ở đầu")
	phone.press("/phone/activate", url.Values{"username": {"038090000001"}, "password": {"wrong"}})
	phone.sees(startScreen, "không đúng")
	phone.press("/phone/activate", url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}})
	phone.sees("Xác thực số điện thoại", "095****001")
	phone.press("/phone/otp", url.Values{"otp": {"12"}})
	phone.sees("Xác thực số điện thoại", "gồm đúng 6 chữ số")
	phone.press("/phone/otp", url.Values{"otp": {otpOf(t, r, "0950000001")}})
	phone.sees("Đặt mã passcode")
	phone.press("/phone/passcode", url.Values{"passcode": {"12345"}})
	phone.sees("Đặt mã passcode", "gồm đúng 6 chữ số")
	phone.press("/phone/passcode", url.Values{"passcode": {"482915"}})
	phone.sees(homeScreen, "Nguyễn Văn An", "038090000001", "15/03/1990", "Đang bật", "Quét QR")

	phone.open("/phone/scan")
	phone.press("/phone/scan", url.Values{"code": {page.short()}})
	phone.sees(confirmScreen, "localhost:3000", "Chrome", "Windows", "127.0.0.1")
	page.is(vneid.StateStarted)
	phone.press("/phone/confirm", nil)
	phone.sees("Đăng nhập thành công", "tự động đăng xuất", ">Đóng</button>")
	page.is(vneid.StateSecondFactorOK)

	phone.press("/phone/close", nil)
	phone.sees(unlockScreen, "Nguyễn Văn An")
	phone.press("/phone/unlock", url.Values{"passcode": {"123456"}})
	phone.sees(unlockScreen, "Mã passcode không đúng", "Bạn còn 4 lần nhập")
	phone.press("/phone/unlock", url.Values{"passcode": {"482915"}})
	phone.sees(homeScreen)
	phone.press("/phone/sign-out", nil)
	phone.sees(unlockScreen)
	phone.press("/phone/leave", nil)
	phone.sees(startScreen)
}

// ready is a phone of a test person that was taken in hand and unlocked.
func ready(t *testing.T, r *sandbox.Running, cccd string) *citizen {
	t.Helper()
	c := phoneOn(t, r)
	c.take(cccd)
	c.sees(unlockScreen, "123456")
	c.press("/phone/unlock", url.Values{"passcode": {"123456"}})
	return c
}

func (c *citizen) take(cccd string) {
	c.t.Helper()
	c.open("/phone/people")
	c.sees("Cầm điện thoại của ai?", cccd)
	c.show(c.http.PostForm(c.r.SandboxURL+"/phone/take", url.Values{"cccd": {cccd}}))
}

func TestAPermissionThatIsOffIsGivenAndTheSameScanGoesOn(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	phone := ready(t, r, "038190000002")
	phone.sees(homeScreen, "Đang tắt")
	phone.open("/phone/scan")
	phone.press("/phone/scan", url.Values{"code": {page.link()}})
	phone.sees(permissionScreen, "<p>Tài khoản của bạn không có quyền đăng nhập trên cổng thông tin định danh điện tử. Vui lòng cập nhật lại quyền trên thiết bị</p>", ">Cập nhật</button>")
	phone.press("/phone/update", nil)
	phone.sees("Quyền của tài khoản", `>Đăng nhập trên website</label>`, ">Xác nhận</button>")
	phone.press("/phone/web-login", nil) // still off
	phone.sees(permissionScreen)
	phone.press("/phone/update", nil)
	phone.press("/phone/web-login", url.Values{"on": {"yes"}})
	phone.sees("Bật “Đăng nhập trên website”")
	phone.press("/phone/web-login/passcode", url.Values{"passcode": {"000000"}})
	phone.sees(unlockScreen, "Bạn còn 4 lần nhập")
	phone.press("/phone/unlock", url.Values{"passcode": {"123456"}})
	phone.sees("Bật “Đăng nhập trên website”")
	phone.press("/phone/web-login/passcode", url.Values{"passcode": {"123456"}})
	phone.sees(confirmScreen)
	phone.press("/phone/confirm", nil)
	phone.sees("Đăng nhập thành công")
	page.is(vneid.StateSecondFactorOK)
}

func TestRefusingEndsTheLoginAndLeavesTheAppOpen(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	phone := ready(t, r, "038090000001")
	phone.open("/phone/scan")
	phone.press("/phone/scan", url.Values{"code": {page.link()}})
	phone.press("/phone/refuse", nil)
	phone.sees("Đã từ chối đăng nhập")
	page.is(vneid.StateRefused)
	phone.press("/phone/close", nil)
	phone.sees(homeScreen)
	phone.open("/phone/scan")
	phone.press("/phone/scan", url.Values{"code": {page.link()}})
	phone.sees("Mã QR đã được dùng")
}

// A link is opened by previews and by people who were sent it.
func TestOpeningTheAddressInAQRCodeIsNoScan(t *testing.T) {
	r, store := withPhones(t, nil)
	page := loginPage(t, r, store)
	at, _ := url.Parse(page.link())
	phone := phoneOn(t, r)
	phone.open(at.RequestURI())
	phone.sees("Quét mã này?")
	if page.stored().QR.State != vneid.QRCreated {
		t.Fatal("opening the link scanned the code")
	}
	phone.press("/phone/scan", nil)
	phone.sees(startScreen, "Quét mã sẽ tiếp tục")
	phone.take("038090000001")
	phone.sees(unlockScreen, "Quét mã sẽ tiếp tục")
	if page.stored().QR.State != vneid.QRCreated {
		t.Fatal("a locked app scanned the code")
	}
	phone.press("/phone/unlock", url.Values{"passcode": {"123456"}})
	phone.sees(confirmScreen)
}

func TestEachReasonHasItsOwnScreen(t *testing.T) {
	r, store := withPhones(t, nil)
	scan := func(c *citizen, code string) {
		t.Helper()
		c.open("/phone/scan")
		c.press("/phone/scan", url.Values{"code": {code}})
	}
	an := ready(t, r, "038090000001")
	cuong := ready(t, r, "038095000003")
	page := loginPage(t, r, store)
	for name, step := range map[string]func(){
		"Cần tài khoản mức độ 2": func() { scan(cuong, page.short()); cuong.sees("Cần tài khoản mức độ 2") },
		"Đây không phải mã QR đăng nhập": func() {
			scan(an, "038090000001|171234567|Nguyễn Văn An|15031990|Nam|…|01012021")
			an.sees("Đây không phải mã QR đăng nhập")
		},
		"Không tìm thấy lượt đăng nhập": func() { scan(an, "0000-0000"); an.sees("Không tìm thấy lượt đăng nhập") },
		"Điện thoại khác đã quét mã này": func() {
			scan(an, page.short())
			hai := ready(t, r, "038060000007")
			scan(hai, page.short())
			hai.sees("Điện thoại khác đã quét mã này")
		},
		"Quét QR":                         func() { scan(an, "  "); an.sees("Quét QR", "Chưa có mã nào được nhập.") },
		"no ready phone for a locked one": func() { c := phoneOn(t, r); c.take("038188000004"); c.sees("Tài khoản đang bị khóa") },
		"nor for a not activated one":     func() { c := phoneOn(t, r); c.take("038070000012"); c.sees("Tài khoản chưa được kích hoạt") },
		"nobody": func() {
			c := phoneOn(t, r)
			c.show(c.http.PostForm(r.SandboxURL+"/phone/take", url.Values{"cccd": {"038090000099"}}))
			c.sees("Không có trang này")
		},
	} {
		t.Run(name, func(*testing.T) { step() })
	}
}

func TestFiveWrongPasscodesLockTheAppOnItsOwnScreen(t *testing.T) {
	r, _ := withPhones(t, nil)
	phone := phoneOn(t, r)
	phone.take("038090000001")
	for range 4 {
		phone.press("/phone/unlock", url.Values{"passcode": {"000000"}})
		phone.sees(unlockScreen)
	}
	phone.press("/phone/unlock", url.Values{"passcode": {"000000"}})
	phone.sees("Ứng dụng bị tạm khóa", "Hãy thử lại sau 15 phút.")
	phone.press("/phone/close", nil)
	phone.press("/phone/unlock", url.Values{"passcode": {"123456"}})
	phone.sees("Ứng dụng bị tạm khóa")
	advance(t, r, "15m")
	phone.press("/phone/close", nil)
	phone.press("/phone/unlock", url.Values{"passcode": {"123456"}})
	phone.sees(homeScreen)
}

func advance(t *testing.T, r *sandbox.Running, by string) {
	t.Helper()
	if resp, body := send(t, "POST", r.SandboxURL+"/api/v1/clock", `{"advance": "`+by+`"}`, "Content-Type: application/json"); resp.StatusCode != 200 {
		t.Fatal(body)
	}
}

func TestAFormerPhoneSaysThatItWasReplaced(t *testing.T) {
	r, _ := withPhones(t, nil)
	old := ready(t, r, "038090000001")
	other := phoneOn(t, r)
	other.press("/phone/activate", url.Values{"username": {"038090000001"}, "password": {"Sandbox@2024"}})
	other.press("/phone/otp", url.Values{"otp": {otpOf(t, r, "0950000001")}})
	other.press("/phone/passcode", url.Values{"passcode": {"777777"}})
	other.sees(homeScreen)
	old.open("/phone")
	old.sees("Tài khoản đã được kích hoạt trên thiết bị khác")
	old.press("/phone/leave", nil)
	old.sees(startScreen)
	// A tester may take the very phone that was activated.
	old.take("038090000001")
	old.sees(homeScreen)
}
