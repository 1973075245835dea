//go:build e2e

package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// toProvider walks from the portal's home page to the provider's login page, by what a citizen reads on the buttons.
func (v *visitor) toProvider() *page {
	v.t.Helper()
	v.Open(v.w.Portal + "/")
	v.Click("Đăng nhập")
	v.Click("Tài khoản VNeID Bộ Công an")
	if !v.at.AsksPassword() {
		v.t.Fatalf("expected the provider's login page, got %s", v.describe())
	}
	return v.at
}

// signInAtPortal is seed 003 bước 1–5.
func (v *visitor) signInAtPortal(who persona) *page {
	v.t.Helper()
	v.toProvider()
	before := len(v.w.inbox(v.t, who.Phone))
	v.PasswordStep(who.CCCD, password)
	v.EnterOTP(v.w.awaitSMS(v.t, who.Phone, before).OTP)
	return v.Share()
}

func (v *visitor) wantSignedIn(who persona) {
	v.t.Helper()
	if !strings.HasPrefix(v.at.URL.String(), v.w.Portal) || !strings.Contains(v.at.Text(), who.Name) || v.at.Control("Đăng xuất") == nil {
		v.t.Fatalf("expected the portal to greet %s with a way to sign out, got %s", who.Name, v.describe())
	}
}

func (v *visitor) wantSignedOut() {
	v.t.Helper()
	if !strings.HasPrefix(v.at.URL.String(), v.w.Portal) || v.at.Control("Đăng xuất") != nil || v.at.Control("Đăng nhập") == nil {
		v.t.Fatalf("expected the portal, signed out, got %s", v.describe())
	}
}

func TestPortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)

	t.Run("An signs in and the portal greets him by name", func(t *testing.T) {
		v := w.visitor(t)
		v.toProvider()
		if !strings.HasPrefix(v.at.URL.String(), w.Issuer) {
			t.Errorf("the login page is at %s, want it under %s", v.at.URL, w.Issuer)
		}
		if h := v.at.First("h1"); h == nil || h.text != "Đăng nhập VNeID (môi trường thử nghiệm)" {
			t.Errorf("the login page's heading is %+v", h)
		}
		for id, label := range map[string]string{"username": "Số định danh cá nhân", "password": "Mật khẩu"} {
			if e := v.at.ByID(id); e.label != label {
				t.Errorf("#%s is labelled %q, want %q", id, e.label, label)
			}
		}
		v.PasswordStep(an.CCCD, password)
		otp := v.at.ByID("otp")
		if otp == nil {
			t.Fatalf("expected the OTP page, got %s", v.describe())
		}
		if otp.label != "Mã OTP" || otp.attrs["autocomplete"] != "one-time-code" || otp.attrs["inputmode"] != "numeric" {
			t.Errorf("#otp is %+v, labelled %q", otp.attrs, otp.label)
		}
		if text := v.at.Text(); strings.Contains(text, an.Phone) || !strings.Contains(text, "001") {
			t.Errorf("the OTP page shows the whole number, or none: %s", text)
		}
		v.EnterOTP(w.awaitSMS(t, an.Phone, 0).OTP)
		v.wantSignedIn(an)
		if q := v.at.URL.Query(); q.Has("code") || q.Has("state") {
			t.Errorf("code and state stay in the address bar: %s", v.at.URL)
		}

		t.Run("sees who he is on Thông tin cá nhân", func(t *testing.T) {
			v := v.tab()
			v.t = t
			v.Open(w.Portal + "/")
			v.Click("Thông tin cá nhân")
			for _, want := range []string{an.Name, "038******001"} {
				if !strings.Contains(v.at.Text(), want) && !strings.Contains(v.at.Text(), an.CCCD) {
					t.Errorf("%q is missing on %s", want, v.describe())
				}
			}
		})
		t.Run("signs out, and both sessions end", func(t *testing.T) {
			v := v.tab()
			v.t = t
			v.Open(w.Portal + "/")
			v.Click("Đăng xuất")
			v.wantSignedOut()
			v.Open(w.Portal + "/")
			v.wantSignedOut()
			client := seededPortal
			client.Redirect = w.Portal + "/callback"
			v.stopAtPortal()
			r := w.request(client, "prompt", "none")
			v.Open(r.URL())
			v.wantError(r, "login_required")
		})
	})

	t.Run("whoever wants to file a dossier is asked to sign in and comes back to that page", func(t *testing.T) {
		v := w.visitor(t)
		wanted := v.findProcedure()
		_, target, _ := v.request(wanted)
		v.Press(wanted)
		if !v.at.AsksPassword() {
			v.Click("Tài khoản VNeID Bộ Công an")
		}
		before := len(w.inbox(t, binh.Phone))
		v.PasswordStep(binh.CCCD, password)
		v.EnterOTP(w.awaitSMS(t, binh.Phone, before).OTP)
		v.wantSignedIn(binh)
		v.Click("Bỏ qua") // an old account declared her number: she is asked first, and loses nothing by refusing
		v.wantSignedIn(binh)
		if v.at.URL.Path != target.Path {
			t.Errorf("she wanted %s and came back to %s", target.Path, v.at.URL.Path)
		}
	})

	t.Run("a foreign return address is not followed", func(t *testing.T) {
		for _, evil := range []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, "/%09/evil.example"} {
			v := w.visitor(t)
			v.Open(w.Portal + "/")
			v.Click("Đăng nhập")
			_, target, form := v.request(v.at.Control("Tài khoản VNeID Bộ Công an"))
			q := target.Query()
			for _, name := range []string{"return", "return_to", "next", "redirect", "to", "wanted"} {
				q.Set(name, evil)
			}
			target.RawQuery = q.Encode()
			v.stop = func(u *url.URL) bool { return strings.Contains(u.Host, "evil") }
			if form != nil {
				v.navigate("POST", target, form, v.at.URL)
			} else {
				v.Open(target.String())
			}
			if v.at.Landed {
				t.Errorf("%q was followed", evil)
			}
		}
	})

	t.Run("a second visit needs no password while the session lasts", func(t *testing.T) {
		v := w.visitor(t)
		v.signInAtPortal(hai)
		v.wantSignedIn(hai)
		before := cookieNamed(v.jar, w.Portal, "portal_")
		v.stopAtPortal()
		client := seededPortal
		client.Redirect = w.Portal + "/callback"
		r := w.request(client, "prompt", "none")
		v.Open(r.URL())
		v.wantCode(r)
		if before == "" {
			t.Error("the portal's session cookie is not named portal_…")
		}
	})

	t.Run("the session id is renewed at sign-in", func(t *testing.T) {
		v := w.visitor(t)
		v.toProvider()
		before := cookies(v.jar, w.Portal)
		n := len(w.inbox(t, minh.Phone))
		v.PasswordStep(minh.CCCD, password)
		v.EnterOTP(w.awaitSMS(t, minh.Phone, n).OTP)
		v.wantSignedIn(minh)
		stolen := w.visitor(t)
		u, _ := url.Parse(w.Portal)
		stolen.jar.SetCookies(u, before)
		stolen.Open(w.Portal + "/")
		if strings.Contains(stolen.at.Text(), minh.Name) {
			t.Error("the cookies from before the sign-in are signed in now (session fixation)")
		}
	})
}

// findProcedure looks through the portal's procedures for one that a citizen can file, and stays on its page.
func (v *visitor) findProcedure() *element {
	v.t.Helper()
	home := v.Open(v.w.Portal + "/")
	for _, link := range home.Pressables() {
		if link.tag != "a" || link.has("hreflang") {
			continue
		}
		v.at = home
		if _, target, _ := v.request(link); origin(target) != v.w.Portal || target.Path == home.URL.Path {
			continue
		}
		v.Press(link)
		for _, e := range v.at.Pressables() {
			if e.text == "Nộp hồ sơ" {
				return e
			}
		}
	}
	v.t.Fatalf("no procedure with Nộp hồ sơ behind %s", home.Text())
	return nil
}

func cookies(jar http.CookieJar, address string) []*http.Cookie {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return jar.Cookies(u)
}

func cookieNamed(jar http.CookieJar, address, prefix string) string {
	for _, c := range cookies(jar, address) {
		if strings.HasPrefix(c.Name, prefix) {
			return c.Value
		}
	}
	return ""
}
