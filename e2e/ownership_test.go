//go:build e2e

package e2e_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

func TestALoginBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	t.Run("another browser cannot go on with it, by page or by form", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		m := v.ToOTP(r, an)
		thief := w.visitor(t)
		thief.Open(v.at.URL.String())
		if thief.at.AsksOTP() || thief.at.Landed || thief.at.Status/100 != 4 {
			t.Errorf("the page: %d %s", thief.at.Status, thief.describe())
		}
		thief.at, thief.filled = v.at, map[*element]string{}
		thief.EnterOTP(m.OTP)
		if thief.at.Landed || thief.at.Status/100 != 4 {
			t.Errorf("the form: %d %s", thief.at.Status, thief.describe())
		}
		v.EnterOTP(m.OTP)
		v.wantCode(r)
	})

	t.Run("nor can another browser that has a login of its own", func(t *testing.T) {
		v, thief := w.visitor(t), w.visitor(t)
		r := w.request(seededPortal)
		m := v.ToOTP(r, binh)
		thief.Open(w.request(seededPortal).URL())
		thief.at, thief.filled = v.at, map[*element]string{}
		thief.EnterOTP(m.OTP)
		if thief.at.Query("code") != "" {
			t.Error("a code came out of somebody else's login")
		}
	})

	t.Run("forged login ids lead to an error page", func(t *testing.T) {
		v := w.visitor(t)
		v.Open(w.request(seededPortal).URL())
		page := v.at
		forge := func(s string) string {
			if len(s) < 8 {
				return s
			}
			b := []byte(s)
			for i := range b {
				switch c := b[i]; {
				case c >= 'a' && c < 'z', c >= 'A' && c < 'Z', c >= '0' && c < '9':
					b[i]++
				}
			}
			return string(b)
		}
		for _, e := range page.Pressables() {
			if e.form == nil || e.text != "Đăng nhập" {
				continue
			}
			v.at, v.filled = page, map[*element]string{page.ByID("username"): an.CCCD, page.ByID("password"): password}
			_, target, form := v.request(e)
			forged, body := *target, url.Values{}
			q := target.Query()
			for name := range q {
				q.Set(name, forge(q.Get(name)))
			}
			forged.RawQuery = q.Encode()
			parts := strings.Split(target.Path, "/")
			for i, p := range parts {
				if len(p) >= 16 {
					parts[i] = forge(p)
				}
			}
			forged.Path = strings.Join(parts, "/")
			for name := range form {
				body.Set(name, form.Get(name))
				if name != page.ByID("username").attrs["name"] && name != page.ByID("password").attrs["name"] {
					body.Set(name, forge(form.Get(name)))
				}
			}
			if forged.String() == target.String() && body.Encode() == form.Encode() {
				t.Logf("the form carries no login id; the cookie must")
				return
			}
			v.navigate("POST", &forged, body, page.URL)
			if v.at.AsksOTP() || v.at.Landed || v.at.Status/100 != 4 {
				t.Errorf("%s: %d %s", forged.String(), v.at.Status, v.describe())
			}
			for _, id := range []string{"", "x", "../../etc/passwd", "%00", strings.Repeat("a", 3000), "\xff"} {
				for name := range q {
					q.Set(name, id)
				}
				forged.RawQuery = q.Encode()
				v.navigate("POST", &forged, body, page.URL)
				if v.at.AsksOTP() || v.at.Landed || v.at.Status >= 500 {
					t.Errorf("%.60s: %d %s", forged.String(), v.at.Status, v.describe())
				}
			}
			return
		}
		t.Fatal("no Đăng nhập on the login page")
	})

	t.Run("broken and foreign cookies do no harm", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		v.SignIn(r, minh)
		v.wantCode(r)
		names := cookies(v.jar, w.Issuer)
		if len(names) == 0 {
			t.Fatal("the provider keeps no cookie")
		}
		for _, c := range names {
			if !strings.HasPrefix(c.Name, "idp_") {
				t.Errorf("the provider's cookie is named %s, want idp_…", c.Name)
			}
		}
		for _, value := range []string{"", "x", "AAAA", strings.Repeat("A", 3500), "%00%ff", "..%2f..", names[0].Value + "A", strings.ToUpper(names[0].Value)} {
			broken := w.visitor(t)
			u, _ := url.Parse(w.Issuer)
			var list []*http.Cookie
			for _, c := range names {
				list = append(list, &http.Cookie{Name: c.Name, Value: value, Path: "/"})
			}
			broken.jar.SetCookies(u, list)
			broken.Open(w.request(seededPortal).URL())
			if !broken.at.AsksPassword() {
				t.Errorf("%.20q: expected the login page, got %s", value, broken.describe())
			}
			broken.PasswordStep(nobod.CCCD+"", "Sai@2024")
			w.advance(t, "16m") // so that these wrong passwords lock nobody out
		}
	})

	t.Run("its cookies are for the server alone", func(t *testing.T) {
		jar := &recorder{}
		jar.Jar, _ = cookiejar.New(nil)
		v := w.visitor(t)
		v.useJar(jar)
		r := w.request(seededPortal)
		v.SignIn(r, hai)
		v.wantCode(r)
		if len(jar.set) == 0 {
			t.Fatal("no cookie was set")
		}
		for _, c := range jar.set {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode {
				t.Errorf("%s: HttpOnly %v, SameSite %v", c.Name, c.HttpOnly, c.SameSite)
			}
			if strings.Contains(c.Value, hai.CCCD) {
				t.Errorf("%s holds the CCCD", c.Name)
			}
		}
	})

	t.Run("a form sent by a foreign page is refused", func(t *testing.T) {
		v := w.visitor(t)
		v.Open(w.request(seededPortal).URL())
		v.Fill("username", linh.CCCD)
		v.Fill("password", password)
		_, target, form := v.request(v.at.Control("Đăng nhập"))
		evil, _ := url.Parse("http://evil.example/")
		v.navigate("POST", target, form, evil)
		if v.at.AsksOTP() || v.at.Status/100 != 4 || len(w.inbox(t, linh.Phone)) > 0 {
			t.Errorf("got %d %s", v.at.Status, v.describe())
		}
	})
}

type recorder struct {
	*cookiejar.Jar
	set []*http.Cookie
}

func (r *recorder) SetCookies(u *url.URL, list []*http.Cookie) {
	for _, c := range list {
		if c.MaxAge >= 0 && c.Value != "" {
			r.set = append(r.set, c)
		}
	}
	r.Jar.SetCookies(u, list)
}

func TestTabsAndTheBackButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	t.Run("two tabs finish in reverse order, each with its own answer", func(t *testing.T) {
		one := w.visitor(t)
		two := one.tab()
		r1, r2 := w.request(seededPortal), w.request(myPortal)
		m1 := one.ToOTP(r1, an)
		m2 := two.ToOTP(r2, an)
		two.EnterOTP(m2.OTP)
		two.Share()
		r2.Redeem(t, two.wantCode(r2))
		one.EnterOTP(m1.OTP)
		one.Share()
		r1.Redeem(t, one.wantCode(r1))
	})

	t.Run("two tabs, two people: each tab answers for whom it asked", func(t *testing.T) {
		one := w.visitor(t)
		two := one.tab()
		r1, r2 := w.request(seededPortal, "scope", "openid profile"), w.request(seededPortal, "scope", "openid profile", "prompt", "login")
		m1 := one.ToOTP(r1, hai)
		m2 := two.ToOTP(r2, minh)
		one.EnterOTP(m1.OTP)
		a := w.userinfo(t, "GET", r1.Redeem(t, one.wantCode(r1)).str("access_token"))
		wantClaim(t, a.Body, "name", hai.Name)
		two.EnterOTP(m2.OTP)
		b := w.userinfo(t, "GET", r2.Redeem(t, two.wantCode(r2)).str("access_token"))
		wantClaim(t, b.Body, "name", minh.Name)
	})

	t.Run("going back after the end and pressing again gives no second code", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		v.Open(r.URL())
		login := v.at
		v.PasswordStep(binh.CCCD, password)
		otpPage := v.at
		m := w.awaitSMS(t, binh.Phone, 0)
		v.EnterOTP(m.OTP)
		code := v.wantCode(r)
		r.Redeem(t, code)

		v.at, v.filled = otpPage, map[*element]string{}
		v.Reload()
		if v.at.Status >= 500 || v.at.Landed && v.at.Query("code") != "" {
			t.Errorf("back to the OTP page: %s", v.describe())
		}
		v.at, v.filled = otpPage, map[*element]string{}
		v.EnterOTP(m.OTP)
		if v.at.Landed && v.at.Query("code") != "" {
			t.Errorf("the OTP form once more gave %s", v.at.URL)
		}
		v.at, v.filled = login, map[*element]string{}
		v.PasswordStep(binh.CCCD, password)
		if v.at.Landed && v.at.Query("code") != "" || v.at.AsksOTP() {
			t.Errorf("the password form once more: %s", v.describe())
		}
		if n := len(w.inbox(t, binh.Phone)); n != 1 {
			t.Errorf("%d SMS, want 1", n)
		}
	})

	t.Run("a double click on the password form sends one SMS or two, and breaks nothing", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		v.Open(r.URL())
		login := v.at
		v.PasswordStep(linh.CCCD, password)
		v.at, v.filled = login, map[*element]string{}
		v.PasswordStep(linh.CCCD, password)
		if !v.at.AsksOTP() {
			t.Fatalf("got %s", v.describe())
		}
		v.EnterOTP(w.awaitSMS(t, linh.Phone, 0).OTP)
		v.wantCode(r)
	})
}
