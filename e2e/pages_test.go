//go:build e2e

package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// language finds the control that switches to a language: it is named in that language.
func (v *visitor) language(name string) *element {
	v.t.Helper()
	for _, e := range v.at.Pressables() {
		if e.text == name || e.attrs["title"] == name || e.attrs["aria-label"] == name {
			return e
		}
	}
	v.t.Errorf("no switch to %s on %s", name, v.describe())
	return nil
}

func TestTheLanguageSwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	toEnglish := func(t *testing.T, v *visitor) {
		t.Helper()
		if v.at.Lang() != "vi" {
			t.Errorf("%s is in %q, want vi", v.at.URL, v.at.Lang())
		}
		if e := v.language("English"); e != nil {
			v.Press(e)
		}
		if v.at.Lang() != "en" {
			t.Fatalf("after the switch the page is in %q: %s", v.at.Lang(), v.describe())
		}
		if v.language("Tiếng Việt") == nil {
			t.Error("no way back")
		}
	}

	t.Run("on the login page, remembered through the login and for the next one", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(myPortal)
		v.Open(r.URL())
		toEnglish(t, v)
		v.Fill("username", an.CCCD)
		v.Fill("password", password)
		for _, e := range v.at.Pressables() {
			if e.form != nil && e.form == v.at.ByID("password").form {
				v.Press(e)
				break
			}
		}
		if !v.at.AsksOTP() || v.at.Lang() != "en" {
			t.Fatalf("expected the OTP page in English, got %s", v.describe())
		}
		v.Open(w.request(myPortal).URL())
		if v.at.Lang() != "en" {
			t.Errorf("the next login is in %q", v.at.Lang())
		}
		v.Open(w.Issuer + "/authorize?client_id=nobody")
		if v.at.Lang() != "en" {
			t.Errorf("the error page is in %q", v.at.Lang())
		}
		v.Press(v.language("Tiếng Việt"))
		v.Open(w.request(myPortal).URL())
		if v.at.Lang() != "vi" {
			t.Errorf("back in %q, want vi", v.at.Lang())
		}
	})

	t.Run("on the portal and in the inbox", func(t *testing.T) {
		for _, address := range []string{w.Portal + "/", w.Sandbox + "/sms", w.Sandbox + "/console/personas?q=an"} {
			v := w.visitor(t)
			v.Open(address)
			toEnglish(t, v)
			if v.Open(address); v.at.Lang() != "en" {
				t.Errorf("%s is in %q again", address, v.at.Lang())
			}
		}
	})

	t.Run("ui_locales is honoured for whoever has not chosen", func(t *testing.T) {
		v := w.visitor(t)
		v.Open(w.request(myPortal, "ui_locales", "en").URL())
		if v.at.Lang() != "en" {
			t.Errorf("the login page is in %q", v.at.Lang())
		}
	})

	t.Run("Vietnamese is the default, whatever the browser prefers", func(t *testing.T) {
		v := w.visitor(t)
		v.Languages = ""
		v.Open(w.request(myPortal).URL())
		if v.at.Lang() != "vi" {
			t.Errorf("the login page is in %q", v.at.Lang())
		}
	})
}

// The visitor checks banner, headers and language on every page it sees; here it sees the pages no story passes.
func TestEveryKindOfPageHoldsTheRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	for _, address := range []string{
		w.Portal + "/", w.Portal + "/nothing-here", w.Portal + "/callback", w.Sandbox + "/sms", w.Sandbox + "/nothing-here", w.Sandbox + "/",
		w.Sandbox + "/console/nothing-here", w.Sandbox + "/console/personas/1", w.Sandbox + "/console/clients/nobody",
		w.Issuer + "/authorize", w.Issuer + "/nothing-here", w.Issuer + "/end_session",
		w.Issuer + "/end_session?post_logout_redirect_uri=http://evil.example/",
	} {
		v := w.visitor(t)
		v.Open(address)
	}

	t.Run("the pages cannot be framed, sniffed, or left with a referrer", func(t *testing.T) {
		v := w.visitor(t)
		for _, address := range []string{w.request(seededPortal).URL(), w.Portal + "/", w.Sandbox + "/sms", w.Sandbox + "/console"} {
			v.Open(address)
			if !strings.Contains(v.at.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") && v.at.Header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s can be framed", address)
			}
			if v.at.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s can be sniffed", address)
			}
			if !strings.Contains("no-referrer same-origin strict-origin", v.at.Header.Get("Referrer-Policy")) || v.at.Header.Get("Referrer-Policy") == "" {
				t.Errorf("%s: Referrer-Policy %q", address, v.at.Header.Get("Referrer-Policy"))
			}
		}
	})

	t.Run("login pages are not kept by any cache", func(t *testing.T) {
		v := w.visitor(t)
		v.Open(w.request(seededPortal).URL())
		if !strings.Contains(v.at.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("Cache-Control: %q", v.at.Header.Get("Cache-Control"))
		}
	})

	t.Run("what the pages load is there", func(t *testing.T) {
		v := w.visitor(t)
		for _, address := range []string{w.request(seededPortal).URL(), w.Portal + "/", w.Sandbox + "/sms", w.Sandbox + "/console"} {
			v.Open(address)
			for _, m := range regexp.MustCompile(`<(?:link|script|img)\b[^>]*\s(?:href|src)="([^"]+)"`).FindAllStringSubmatch(v.at.Body, -1) {
				u, err := v.at.URL.Parse(m[1])
				if err != nil {
					t.Fatal(err)
				}
				req, _ := http.NewRequest("GET", u.String(), nil)
				// In the visitor's browser: the QR code is for the browser that shows it.
				res, err := v.http.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Errorf("%s loads %s, which answers %d", v.at.URL.Path, u, res.StatusCode)
				}
			}
		}
	})

	t.Run("robots are told to stay away and the browser asked for no third party", func(t *testing.T) {
		v := w.visitor(t)
		v.Open(w.request(seededPortal).URL())
		for _, part := range strings.Split(v.at.Header.Get("Content-Security-Policy"), ";") {
			for _, source := range strings.Fields(part)[min(1, len(strings.Fields(part))):] {
				if u, err := url.Parse(source); err == nil && u.Host != "" && !strings.HasPrefix(part, " form-action") && !strings.HasPrefix(part, "form-action") {
					t.Errorf("the policy allows %s in %s", source, part)
				}
			}
		}
	})
}
