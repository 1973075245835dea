//go:build e2e && linux

package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// filesUpTo lets a running program write files up to that size and no further, as on a disk that is full: the system
// refuses the write and the program goes on. Nobody has to be root for that.
func (p *process) filesUpTo(t *testing.T, size uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: size, Max: ^uint64(0)}
	var old syscall.Rlimit
	call := func(set, get unsafe.Pointer) {
		t.Helper()
		if _, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(p.cmd.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(set), uintptr(get), 0, 0); errno != 0 {
			t.Fatalf("prlimit: %v", errno)
		}
	}
	call(nil, unsafe.Pointer(&old))
	limit.Max = old.Max
	limit.Cur = min(limit.Cur, limit.Max)
	call(unsafe.Pointer(&limit), nil)
}

func TestADiskThatIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	v := w.visitor(t)
	r := w.request(myPortal, "scope", "openid profile offline_access")
	v.SignIn(r, an)
	tokens := r.Redeem(t, v.wantCode(r))
	waiting := w.request(myPortal)
	code := v.Code(waiting)
	half := w.visitor(t)
	m := half.ToOTP(w.request(seededPortal), binh)
	atPassword := w.visitor(t)
	atPassword.Open(w.request(seededPortal).URL())
	halfForm, passwordForm := half.at, atPassword.at

	for range 2 {
		w.provider.filesUpTo(t, 4096) // the database's files are larger already
		newcomer := w.visitor(t)
		newcomer.Open(w.request(seededPortal).URL())
		newcomer.wantUnavailablePage("/authorize")
		half.EnterOTP(m.OTP)
		half.wantUnavailablePage("the OTP")
		atPassword.PasswordStep(hai.CCCD, password)
		atPassword.wantUnavailablePage("the password")
		half.goBack(halfForm)
		atPassword.goBack(passwordForm)
		for what, a := range map[string]*answer{
			"redeeming a code": w.authenticated(t, "/oauth/token", myPortal, waiting.exchange(code)),
			"refreshing":       w.refresh(t, myPortal, tokens.str("refresh_token")),
		} {
			a.wantUnavailable(t, what)
		}
		status, raw := w.apiRaw(t, "POST", "/clock", map[string]string{"advance": "1h"}, nil)
		if status != http.StatusServiceUnavailable || leaks(string(raw)) != "" {
			t.Errorf("moving the clock: %d %s", status, raw)
		}
		// What only reads goes on.
		if a := w.userinfo(t, "GET", tokens.str("access_token")); a.Status != http.StatusOK {
			t.Errorf("userinfo: %s", a)
		}
		if n := len(w.inbox(t, binh.Phone)); n != 1 {
			t.Errorf("the inbox has %d messages", n)
		}
		if w.provider.ended() {
			t.Fatal("the provider ended")
		}
		w.provider.filesUpTo(t, ^uint64(0))
		if a := w.userinfo(t, "GET", tokens.str("access_token")); a.Status != http.StatusOK {
			t.Errorf("userinfo: %s", a)
		}
	}

	// There is room again: everything goes on where it was, and nothing was half done.
	half.EnterOTP(m.OTP)
	if half.Share().Query("code") == "" {
		t.Errorf("the OTP afterwards: %s", half.describe())
	}
	if atPassword.PasswordStep(hai.CCCD, password); !atPassword.at.AsksOTP() {
		t.Errorf("the password afterwards: %s", atPassword.describe())
	}
	waiting.Redeem(t, code)
	two := w.refresh(t, myPortal, tokens.str("refresh_token"))
	if two.Status != http.StatusOK {
		t.Errorf("refresh: %s", two)
	}
	again := w.visitor(t)
	again.signInAtPortal(minh)
	again.wantSignedIn(minh)
	w.checkIntegrity(t)

	w.restart(t, (*process).kill)
	w.checkIntegrity(t)
	if a := w.refresh(t, myPortal, two.str("refresh_token")); a.Status != http.StatusOK {
		t.Errorf("refresh after the power cut: %s", a)
	}
}

// checkIntegrity lets SQLite's own tool look through the whole database.
func (w *world) checkIntegrity(t *testing.T) {
	t.Helper()
	tool, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Fatalf("%v; install it with: make test-tools", err)
	}
	file := filepath.Join(w.dir, "sandbox.db")
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "-readonly", file, "PRAGMA integrity_check; PRAGMA foreign_key_check;").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "ok" {
		t.Errorf("integrity_check: %v %s", err, got)
	}
}
