package templates

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// everyPage renders each fixture in each language.
func everyPage(t *testing.T, check func(t *testing.T, lang Lang, html string)) {
	t.Helper()
	for _, lang := range []Lang{Vi, En} {
		for name, view := range FixturesIn(lang) {
			t.Run(name+"."+string(lang), func(t *testing.T) { check(t, lang, render(t, view)) })
		}
	}
}

func render(t *testing.T, v View) string {
	t.Helper()
	html, err := Render(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func TestEveryPageLooksAsItsGoldenFileSays(t *testing.T) {
	// The hash changes with every edit of an asset; the pages do not.
	hash := regexp.MustCompile(`(/assets/\w+)\.[0-9a-f]{12}\.`)
	wanted := map[string]bool{}
	for _, lang := range []Lang{Vi, En} {
		for name, view := range FixturesIn(lang) {
			file := filepath.Join("testdata", "golden", name+"."+string(lang)+".html")
			wanted[file] = true
			got := hash.ReplaceAll([]byte(render(t, view)), []byte("$1.HASH."))
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%v (go test ./templates -update writes it)", err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s differs from the page; look at it, then go test ./templates -update", file)
			}
		}
	}
	files, err := filepath.Glob("testdata/golden/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !wanted[file] {
			t.Errorf("%s belongs to no fixture", file)
		}
	}
}

func TestEveryPageWarnsThatItIsATest(t *testing.T) {
	everyPage(t, func(t *testing.T, lang Lang, html string) {
		wants := []string{
			`<strong lang="vi">MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT</strong>`,
			`<meta name="robots" content="noindex">`, `<html lang="` + string(lang) + `">`,
		}
		if lang == En {
			wants = append(wants, "TEST ENVIRONMENT — DO NOT ENTER REAL DATA")
		}
		for _, want := range wants {
			if !strings.Contains(html, want) {
				t.Errorf("no %s", want)
			}
		}
	})
}

func TestEveryPageObeysItsOwnContentSecurityPolicy(t *testing.T) {
	inline := regexp.MustCompile(`(?i)\sstyle=|<style|\son[a-z]+=|javascript:|<script(?:>| [^>]*>[^<])`)
	loaded := regexp.MustCompile(`(?:src|<link[^>]* href)="([^"]*)"`)
	everyPage(t, func(t *testing.T, _ Lang, html string) {
		if bad := inline.FindString(html); bad != "" {
			t.Errorf("inline script or style: %q", bad)
		}
		frames := regexp.MustCompile(`<iframe [^>]*>`).FindAllString(html, -1)
		for _, frame := range frames {
			if !strings.Contains(frame, ` sandbox="`) || !strings.Contains(frame, ` title="`) {
				t.Errorf("a frame without sandbox or title: %s", frame)
			}
			html = strings.Replace(html, frame, "", 1) // what CSPOf allows is tested below
		}
		for _, m := range loaded.FindAllStringSubmatch(html, -1) {
			if !strings.HasPrefix(m[1], "/assets/") && !strings.HasPrefix(m[1], "/login/abc123/qr.svg?") {
				t.Errorf("loads %s", m[1])
			}
		}
	})
}

func TestAPageMayLoadItsFramesAndNoOther(t *testing.T) {
	plain := SignedOutView{}
	if CSPOf(plain, "http://portal.test") != CSP("http://portal.test") || strings.Contains(CSP(), "frame-src") {
		t.Errorf("without frames: %s", CSPOf(plain))
	}
	framed := SignedOutView{Frames: []string{"https://a.test/logout?x=1;y", "http://127.0.0.1:9999/f", "https://a.test/other", "https://b.test;script-src/x"}}
	if got := CSPOf(framed); !strings.HasSuffix(got, "; frame-src http://127.0.0.1:9999 https://a.test") {
		t.Errorf("%s", got)
	}
}

func TestASignedOutPageGoesOnByItselfWhenItMay(t *testing.T) {
	for _, v := range []SignedOutView{{BackURL: "http://portal.test/?a=1&b=2", GoesBack: true}, {BackURL: "http://portal.test/"}, {GoesBack: true}} {
		body, err := Render(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(body), `<meta http-equiv="refresh" content="0;url=http://portal.test/?a=1&amp;b=2">`); got != (v.GoesBack && v.BackURL != "") {
			t.Errorf("%+v: goes on: %v", v, got)
		}
	}
}

func TestEveryPageCanBeReadByAScreenReader(t *testing.T) {
	id := regexp.MustCompile(` id="([^"]*)"`)
	pointer := regexp.MustCompile(` (?:for|aria-describedby|aria-controls)="([^"]*)"`)
	everyPage(t, func(t *testing.T, _ Lang, html string) {
		for _, once := range []string{"<h1>", "<main ", "<header", "<footer>", `<a class="skip" href="#main">`} {
			if n := strings.Count(html, once); n != 1 {
				t.Errorf("%d times %s", n, once)
			}
		}
		ids := map[string]bool{}
		for _, m := range id.FindAllStringSubmatch(html, -1) {
			if ids[m[1]] {
				t.Errorf("two elements have the id %s", m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range pointer.FindAllStringSubmatch(html, -1) {
			for _, target := range strings.Fields(m[1]) {
				if !ids[target] {
					t.Errorf("%s points to no element", m[0])
				}
			}
		}
		if n := strings.Count(html, " autofocus"); n > 1 {
			t.Errorf("%d elements want the focus", n)
		}
	})
}

func TestNoPageShowsAMessageKeyOrAnEmptyPlaceholder(t *testing.T) {
	// Keys are dotted lower-case words of a known family.
	key := regexp.MustCompile(`\b(?:frame|client|issuer|login|qr|otp|sharing|share|signout|signedout|message|formpost|home|phone|sms|console|error|cccd)\.[a-z_]+`)
	tag := regexp.MustCompile(`<[^>]*>`)
	everyPage(t, func(t *testing.T, _ Lang, html string) {
		text := tag.ReplaceAllString(html, " ")
		for _, bad := range append(key.FindAllString(text, -1), regexp.MustCompile(`%[!sd\[][^ ]*|ZgotmplZ`).FindAllString(html, -1)...) {
			t.Errorf("shows %q", bad)
		}
	})
}

// The outside world finds controls by these.
func TestThePagesKeepTheTextsAndIDsTheyPromised(t *testing.T) {
	for name, wants := range map[string][]string{
		"login": {
			"<h1>Đăng nhập VNeID (môi trường thử nghiệm)</h1>",
			`<label for="username">Số định danh cá nhân</label>`, `id="username" name="username"`, `inputmode="numeric" autocomplete="username"`,
			`<label for="password">Mật khẩu</label>`, `id="password" name="password" type="password" autocomplete="current-password"`,
			`>Đăng nhập</button>`,
			`<img id="qr" src="/login/abc123/qr.svg?g=1"`, `<summary>Không quét được?</summary>`, `<code id="qr-code" class="pick">7K3M-0QZ9</code>`,
			`<a href="/login/abc123/waiting?g=1">Tôi đã quét mã</a>`,
		},
		"login-qr-expired":   {`<form method="post" action="/login/abc123/qr" class="qr-again" data-once>`, ">Tải lại</button>"},
		"login-scanned":      {"Đã quét, chờ xác nhận trên điện thoại", "Nguyễn V** A**", "09:30:05"},
		"login-qr-elsewhere": {">Tải lại</button>"},
		"login-wrong":        {"Số định danh cá nhân hoặc mật khẩu không đúng.", `value="038090000001"`},
		"otp": {
			`<label for="otp">Mã OTP</label>`, `id="otp" name="otp"`, `inputmode="numeric" autocomplete="one-time-code"`,
			"095****001", ">Xác nhận</button>", ">Gửi lại mã</button>",
		},
		"sharing": {
			`<label for="agree">Tôi đã đọc và hiểu rõ nội dung mục đích; Quyền, nghĩa vụ của chủ thể dữ liệu và đồng ý với các nội dung này.</label>`,
			`name="decision" value="share" class="primary">Xác nhận chia sẻ</button>`,
			`name="decision" value="refuse" formnovalidate>Không chia sẻ</button>`,
			"127.0.0.1:9999",
		},
		"form-post": {`<form method="post" action="http://127.0.0.1:9999/callback" data-autosubmit>`, `<input type="hidden" name="state" value="st&amp;te">`},
	} {
		html := render(t, Fixtures()[name])
		for _, want := range wants {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
	}
}

func TestThePasswordIsNeverWrittenBackIntoAPage(t *testing.T) {
	for name, view := range Fixtures() {
		if _, ok := view.(LoginView); !ok {
			continue
		}
		if regexp.MustCompile(`<input id="password"[^>]* value=`).MatchString(render(t, view)) {
			t.Errorf("%s: the password field has a value", name)
		}
	}
}

func TestHostileTextStaysText(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	f := Frame{SwitchURL: "javascript:alert(1)", HomeURL: "javascript:alert(1)"}
	hostileQR := QR{State: QRScanned, By: evil, At: evil, Digits: evil, EventsURL: evil, LoginURL: "javascript:alert(1)", RefreshAction: "javascript:alert(1)"}
	for _, view := range []View{
		WaitingView{Frame: f, ClientName: evil, ClientHost: evil, QR: hostileQR},
		LoginView{Frame: f, QR: QR{State: QRFresh, ImageURL: "javascript:alert(1)", Short: evil, PhoneURL: "javascript:alert(1)", WaitURL: "javascript:alert(1)"}},
		LoginView{Frame: f, ClientName: evil, ClientHost: evil, Username: evil, Error: evil, Retry: evil, Action: evil,
			CancelAction: evil, HelpURL: "javascript:alert(1)", QR: hostileQR, FieldError: map[string]string{"username": evil, "password": evil}},
		OTPView{Frame: f, ClientName: evil, MaskedPhone: evil, Error: evil, TriesLeft: 2, Action: "javascript:alert(1)"},
		SharingView{Frame: f, ClientName: evil, ClientHost: evil, PersonName: evil, Purpose: evil, Items: []SharedItem{{evil, evil, evil}}},
		SignOutConfirmView{Frame: f, ClientName: evil, PersonName: evil},
		SignedOutView{Frame: f, ClientName: evil, BackURL: "javascript:alert(1)", WasSignedIn: true},
		MessageView{Frame: f, Kind: evil, Title: evil, What: evil, Why: evil, Next: evil, Technical: evil, RequestID: evil, Links: []Link{{evil, "javascript:alert(1)", true}}},
		FormPostView{Frame: f, Action: "javascript:alert(1)", Fields: []Field{{evil, evil}}, ClientName: evil},
		HomeView{Frame: f, Issuer: evil, SandboxURL: "javascript:alert(1)//", PortalHint: evil, Personas: []PersonaRow{{evil, evil, evil, evil}}},
		SMSView{Frame: f, To: evil, Messages: []SMSRow{{evil, evil, evil, evil, evil, evil}}},
	} {
		html := render(t, view)
		if strings.Contains(html, "<script>") || strings.Contains(html, "<img src=x") || strings.Contains(html, `"javascript:`) {
			t.Errorf("%s lets hostile text out:\n%s", view.template(), html)
		}
	}
}

func TestThePolicyNamesOnlyTheOriginsItWasGiven(t *testing.T) {
	got := CSP("http://127.0.0.1:9999", "", "https://x.test; script-src *")
	want := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self' http://127.0.0.1:9999; base-uri 'none'; frame-ancestors 'none'"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAPageIsInVietnameseUnlessToldOtherwise(t *testing.T) {
	if html := render(t, SignedOutView{}); !strings.Contains(html, `<html lang="vi">`) || !strings.Contains(html, "Bạn chưa đăng nhập") {
		t.Errorf("not Vietnamese:\n%s", html)
	}
	if html := render(t, WithLang(SignedOutView{}, En)); !strings.Contains(html, `<html lang="en">`) || !strings.Contains(html, "You were not signed in") {
		t.Errorf("not English:\n%s", html)
	}
}

// A whole-page reload would wipe a number that somebody is typing.
func TestTheInboxReloadsWithoutScriptOnlyWhereNothingCanBeTyped(t *testing.T) {
	for name, want := range map[string]bool{"sms": false, "sms-empty": false, "sms-filtered": true, "sms-empty-filtered": false} {
		html := render(t, Fixtures()[name])
		reloads, field := strings.Contains(html, `http-equiv="refresh"`), strings.Contains(html, `<input id="to"`)
		if reloads != want || reloads && field {
			t.Errorf("%s: reloads %v, has a field %v", name, reloads, field)
		}
	}
}

func TestThePageThatWaitsReloadsWithoutScriptWhileSomethingMayHappen(t *testing.T) {
	for name, want := range map[string]bool{"waiting": true, "waiting-scanned": true, "waiting-expired": false, "login": false, "login-scanned": false} {
		html := render(t, Fixtures()[name])
		if got := strings.Contains(html, `<noscript><meta http-equiv="refresh"`); got != want {
			t.Errorf("%s: reloads %v", name, got)
		}
		if want && strings.Contains(html, "<input") {
			t.Errorf("%s reloads and has a field", name)
		}
	}
}
