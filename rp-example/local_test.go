package main

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestALocalAccountSignsInAndIsJoinedToNobody(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	p := b.get("/login/local?next=%2Fprofile")
	for _, a := range seededAccounts {
		if !p.has("<code>" + a.Username + "</code>") {
			t.Errorf("the page does not list %s", a.Username)
		}
	}
	if p := b.post("/login/local", url.Values{"username": {" Binh.LE "}, "password": {seedPassword}, "next": {"/profile"}}); p.location != "/profile" {
		t.Fatalf("%d %q", p.status, p.location)
	}
	if p := b.get("/profile"); !p.has("Lê Thị Bình") || !p.has("038******002") || !p.has("tự khai") {
		t.Error("Thông tin cá nhân is incomplete")
	}
	if p := b.get("/procedures/9.000101/apply"); !p.has("chưa có thông tin nào được VNeID xác thực") || p.has("038******002") {
		t.Error("a declared number stands on the sheet")
	}
	if p := b.post("/logout", nil); p.location != "/" {
		t.Errorf("a local sign-out leads to %q", p.location)
	}
	if p := b.get("/"); !p.has("Bạn đã đăng xuất khỏi Cổng.") {
		t.Error("home does not say so")
	}
	officer := w.browser()
	officer.post("/login/local", url.Values{"username": {"minh.canbo"}, "password": {seedPassword}})
	if p := officer.get("/profile"); !p.has("Cán bộ") {
		t.Error("the officer is not one")
	}
}

func TestFiveWrongPasswordsLockAUserNameKnownOrUnknown(t *testing.T) {
	w := newWorld(t)
	try := func(name, password string) page {
		return w.browser().post("/login/local", url.Values{"username": {name}, "password": {password}})
	}
	unnamed := func(p page, name string) string { return strings.ReplaceAll(p.body, name, "NAME") }
	for i := 1; i <= 6; i++ {
		known, unknown := try("an.nguyen", "wrong"), try("zz.nguyen", "wrong")
		if known.status != unknown.status || strings.Replace(unnamed(known, "an.nguyen"), "<code>NAME</code>", "<code>an.nguyen</code>", 1) != unnamed(unknown, "zz.nguyen") {
			t.Fatalf("try %d: known and unknown differ (%d, %d)", i, known.status, unknown.status)
		}
		if locked := known.has("bị khóa 15 phút; hãy thử lại sau"); locked != (i >= 5) {
			t.Errorf("try %d: locked is %v", i, locked)
		}
	}
	if p := try("an.nguyen", seedPassword); p.status != http.StatusTooManyRequests {
		t.Errorf("the right password during the lock: %d", p.status)
	}
	if p := try("an.cu", seedPassword); p.status != 303 {
		t.Errorf("another name during the lock: %d", p.status)
	}
	w.advance(16 * time.Minute)
	if p := try("an.nguyen", seedPassword); p.status != 303 {
		t.Errorf("after the lock: %d", p.status)
	}
}

func TestGuessesAtTheSameMomentStillGetFive(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	checked := 0
	for range 30 {
		group.Go(func() {
			p := w.browser().post("/login/local", url.Values{"username": {"hai.vu"}, "password": {"wrong"}})
			mu.Lock()
			defer mu.Unlock()
			if p.status == http.StatusUnprocessableEntity {
				checked++
			}
		})
	}
	group.Wait()
	if checked != triesAllowed {
		t.Errorf("%d of 30 passwords were checked", checked)
	}
}

func TestOddFormsGetAClearPage(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if p := b.post("/login/local", url.Values{"username": {strings.Repeat("a", 40<<10)}}); p.problem() != "too_large" || p.status != 413 {
		t.Errorf("40 KiB: %d %q", p.status, p.problem())
	}
	r, _ := http.NewRequest("POST", w.url+"/login/local", strings.NewReader("username=%zz"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p := b.do(r); p.problem() != "bad_form" {
		t.Errorf("malformed: %d %q", p.status, p.problem())
	}
	for _, name := range []string{"", "\xff\xfe", "an.nguyen\x00", "<script>", strings.Repeat("é", 300)} {
		if p := b.post("/login/local", url.Values{"username": {name}, "password": {strings.Repeat("p", 5000)}}); p.status != 422 || p.has("<script>") {
			t.Errorf("%.20q: %d %q", name, p.status, p.problem())
		}
	}
}
