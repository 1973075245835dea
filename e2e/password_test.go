//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// ofOneLogin is what differs from login to login: ids, tokens, the code that people type into the phone, and how long it
// lasts.
var ofOneLogin = regexp.MustCompile(`[A-Za-z0-9_-]{16,}|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b|data-countdown="\d+"|\b\d:\d\d\b`)

// anonymised is a page without that, and without the number typed.
func anonymised(p *page, cccd string) string {
	return ofOneLogin.ReplaceAllString(strings.ReplaceAll(p.Body, cccd, "NUMBER"), "ID")
}

func TestUnknownNumberAndWrongPasswordLookTheSame(t *testing.T) {
	// Not parallel: it measures time.
	w := newWorld(t)
	r := w.request(seededPortal)
	try := func(cccd string) (*page, time.Duration) {
		v := w.visitor(t)
		v.Open(r.URL())
		began := time.Now()
		return v.PasswordStep(cccd, "Sai@2024"), time.Since(began)
	}
	median := func(list []time.Duration) time.Duration {
		slices.Sort(list)
		return list[len(list)/2]
	}
	var known, unknown []time.Duration
	var a, b *page
	var d time.Duration
	for i := range 4 {
		for _, who := range []persona{an, minh, dung} {
			a, d = try(who.CCCD)
			known = append(known, d)
			nobody := fmt.Sprintf("03809%d0009%02d", i, len(unknown))
			b, d = try(nobody)
			unknown = append(unknown, d)
			if a.Status != b.Status || anonymised(a, who.CCCD) != anonymised(b, nobody) {
				t.Fatalf("they differ: %d and %d\n--- known\n%s\n--- unknown\n%s", a.Status, b.Status, anonymised(a, who.CCCD), anonymised(b, nobody))
			}
		}
	}
	if !a.AsksPassword() {
		t.Errorf("after a wrong password the visitor may try again, got %s", a.Text())
	}
	k, u := median(known), median(unknown)
	t.Logf("known number, wrong password: median %v; unknown number: median %v", k, u)
	if k > 2*u+5*time.Millisecond || u > 2*k+5*time.Millisecond {
		t.Errorf("time tells them apart: known %v, unknown %v", k, u)
	}
}

func TestFiveWrongPasswordsLockTheNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	try := func(cccd, pw string) *visitor {
		v := w.visitor(t)
		v.Open(w.request(seededPortal).URL())
		v.PasswordStep(cccd, pw)
		return v
	}
	for range 5 {
		try(an.CCCD, "Sai@2024")
		try(nobod.CCCD, "Sai@2024")
	}
	known, unknown := try(an.CCCD, password).at, try(nobod.CCCD, password).at
	if known.AsksOTP() || len(w.inbox(t, an.Phone)) > 0 {
		t.Fatal("the sixth try, with the right password, got through")
	}
	if known.Status != unknown.Status || anonymised(known, an.CCCD) != anonymised(unknown, nobod.CCCD) {
		t.Errorf("a locked number that exists looks different from one that does not:\n%s\n%s", known.Text(), unknown.Text())
	}
	if v := try(binh.CCCD, password); !v.at.AsksOTP() {
		t.Errorf("somebody else is locked out as well: %s", v.describe())
	}
	w.advance(t, "14m")
	if v := try(an.CCCD, password); v.at.AsksOTP() {
		t.Error("the lock is gone after 14 minutes")
	}
	w.advance(t, "1m5s")
	if v := try(an.CCCD, password); !v.at.AsksOTP() {
		t.Errorf("the lock is still there after 15 minutes: %s", v.describe())
	}
}

func TestFourWrongPasswordsDoNoHarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	r := w.request(seededPortal)
	v.Open(r.URL())
	for range 4 {
		v.PasswordStep(an.CCCD, "Sai@2024")
	}
	v.PasswordStep(an.CCCD, password)
	v.EnterOTP(w.awaitSMS(t, an.Phone, 0).OTP)
	v.wantCode(r)
}

func TestMalformedNumbersGetAClearPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, cccd := range map[string]string{
		"nothing": "", "only spaces": "   ", "letters": "03809000000A", "eleven digits": "03809000001", "thirteen digits": "0380900000011",
		"nine digits": "171234567", "no such province": "999090000001", "province zero": "000090000001", "a minus": "-38090000001",
		"Arabic digits": "٠٣٨٠٩٠٠٠٠٠٠١", "a zero byte": "038090000001\x00", "invalid UTF-8": "\xff\xfe038090000", "emoji": "😀😀😀",
		"markup": `"><b id="canary">`, "SQL": "' OR 1=1 --", "a phone number": an.Phone, "ten thousand digits": strings.Repeat("0", 10000),
		"a line break": "038090000001\r\nX: y", "a template": "{{.}}", "right to left": "\u202e038090000001",
	} {
		t.Run(name, func(t *testing.T) {
			v := w.visitor(t)
			v.Open(w.request(seededPortal).URL())
			v.PasswordStep(cccd, password)
			if v.at.Status >= 500 || v.at.AsksOTP() || v.at.ByID("canary") != nil {
				t.Fatalf("got %d %s", v.at.Status, v.describe())
			}
			if !v.at.AsksPassword() && v.at.Control("Đăng nhập lại") == nil {
				t.Errorf("the visitor cannot correct it: %s", v.describe())
			}
		})
	}
	if n := len(w.inbox(t, an.Phone)); n > 0 {
		t.Errorf("%d SMS were sent", n)
	}

	t.Run("digits as people write them are understood", func(t *testing.T) {
		for _, cccd := range []string{" 038090000001 ", "038 090 000 001"} {
			v := w.visitor(t)
			v.Open(w.request(seededPortal).URL())
			v.PasswordStep(cccd, password)
			if !v.at.AsksOTP() {
				t.Errorf("%q: %s", cccd, v.describe())
			}
		}
	})

	t.Run("odd passwords are just wrong", func(t *testing.T) {
		for _, pw := range []string{"", " " + password, strings.Repeat("x", 5000), "\xff\xfe", "a\x00b"} {
			v := w.visitor(t)
			v.Open(w.request(seededPortal).URL())
			v.PasswordStep(minh.CCCD, pw)
			if v.at.Status >= 500 || v.at.AsksOTP() {
				t.Errorf("%.20q: %d %s", pw, v.at.Status, v.describe())
			}
		}
	})
}

func TestPersonasAreSpecialAsTheContractSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := func(t *testing.T, cccd string) string {
		v := w.visitor(t)
		v.Open(w.request(seededPortal).URL())
		v.PasswordStep(cccd, "Sai@2024")
		return anonymised(v.at, cccd)
	}

	for name, who := range map[string]persona{"a locked account": dung, "an account not activated": quang, "an account without phone": nguyt} {
		t.Run(name+" is told so only after the right password", func(t *testing.T) {
			generic := wrong(t, nobod.CCCD)
			if wrong(t, who.CCCD) != generic {
				t.Error("a wrong password already tells them apart")
			}
			v := w.visitor(t)
			r := w.request(seededPortal)
			v.Open(r.URL())
			v.PasswordStep(who.CCCD, password)
			if v.at.AsksOTP() || v.at.Landed || anonymised(v.at, who.CCCD) == generic {
				t.Fatalf("expected a page that says so, got %s", v.describe())
			}
			v.wantWayBack(r)
			v.Open(w.request(seededPortal, "prompt", "none").URL())
			if v.at.Query("code") != "" {
				t.Error("there is a session all the same")
			}
		})
	}

	t.Run("everybody else signs in", func(t *testing.T) {
		for _, who := range []persona{an, binh, cuong, hai, linh, minh, son, tam} {
			v := w.visitor(t)
			r := w.request(seededPortal, "scope", "openid profile cccd")
			v.SignIn(r, who)
			a := w.userinfo(t, "GET", r.Redeem(t, v.wantCode(r)).str("access_token"))
			wantClaim(t, a.Body, "name", who.Name)
			wantClaim(t, a.Body, "cccd", who.CCCD)
			level := "2"
			if who == cuong {
				level = "1"
			}
			wantClaim(t, a.Body, "account_level", level)
		}
	})

	t.Run("the API lists them", func(t *testing.T) {
		var list []map[string]any
		w.api(t, http.StatusOK, "GET", "/personas", nil, &list)
		byCCCD := map[string]map[string]any{}
		for _, p := range list {
			byCCCD[fmt.Sprint(p["cccd"])] = p
		}
		for _, who := range personas {
			if p := byCCCD[who.CCCD]; p == nil || p["name"] != who.Name || p["phone"] != who.Phone && who.Phone != "" {
				t.Errorf("%s: %v", who.Name, p)
			}
		}
		for cccd, want := range map[string][2]string{
			dung.CCCD: {"status", "locked"}, quang.CCCD: {"status", "not_activated"}, em.CCCD: {"sms", "never"}, giang.CCCD: {"sms", "late"},
			hai.CCCD: {"cmnd", "171234567"}, an.CCCD: {"status", "active"},
		} {
			wantClaim(t, byCCCD[cccd], want[0], want[1])
		}
		if strings.Contains(fmt.Sprint(list), "argon2") || strings.Contains(fmt.Sprint(list), "hash") {
			t.Error("the list shows password hashes")
		}
		var found []map[string]any
		w.api(t, http.StatusOK, "GET", "/personas?q="+an.CCCD, nil, &found)
		if len(found) != 1 || found[0]["name"] != an.Name {
			t.Errorf("?q= finds %v", found)
		}
	})

	t.Run("no SMS reaches Em, and Giang's comes after 90 s", func(t *testing.T) {
		lost := w.visitor(t)
		lost.Open(w.request(seededPortal).URL())
		lost.PasswordStep(em.CCCD, password)
		late := w.visitor(t)
		r := w.request(seededPortal)
		late.Open(r.URL())
		late.PasswordStep(giang.CCCD, password)
		if !lost.at.AsksOTP() || !late.at.AsksOTP() {
			t.Fatalf("expected the OTP page, got %s and %s", lost.describe(), late.describe())
		}
		w.advance(t, "85s")
		if n, m := len(w.inbox(t, em.Phone)), len(w.inbox(t, giang.Phone)); n+m > 0 {
			t.Fatalf("after 85 s Em has %d SMS and Giang %d", n, m)
		}
		w.advance(t, "6s")
		late.EnterOTP(w.awaitSMS(t, giang.Phone, 0).OTP)
		late.wantCode(r)
		if n := len(w.inbox(t, em.Phone)); n > 0 {
			t.Errorf("Em received %d SMS", n)
		}
	})
}
