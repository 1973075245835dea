//go:build e2e

package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// other is a well-formed OTP that is not the given one.
func other(otp string, n int) string {
	digits := []byte(otp)
	digits[n%6] = '0' + (digits[n%6]-'0'+1+byte(n/6))%10
	return string(digits)
}

func TestOTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	t.Run("five wrong tries end the login, with a way back", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		m := v.ToOTP(r, an)
		form := v.at
		for n := range 4 {
			if v.EnterOTP(other(m.OTP, n)); !v.at.AsksOTP() {
				t.Fatalf("after %d wrong tries: %s", n+1, v.describe())
			}
		}
		v.EnterOTP(other(m.OTP, 4))
		end := v.at
		v.wantWayBack(r)
		// The right one now comes too late, from the old form as well.
		for _, p := range []*page{form, end} {
			if p.AsksOTP() {
				v.at, v.filled = p, map[*element]string{}
				v.EnterOTP(m.OTP)
				if v.at.Query("code") != "" {
					t.Error("the right OTP still worked after five wrong ones")
				}
			}
		}
	})

	// together sends the OTP form several times at once, as a script without patience would.
	together := func(v *visitor, otps []string) (codes map[string]bool) {
		var wg sync.WaitGroup
		tabs := make([]*visitor, len(otps))
		for i, otp := range otps {
			v.Fill("otp", otp)
			_, target, form := v.request(v.at.Control("Xác nhận"))
			tabs[i] = v.tab()
			wg.Go(func() { tabs[i].navigate("POST", target, form, v.at.URL) })
		}
		wg.Wait()
		codes = map[string]bool{}
		for _, tab := range tabs {
			if tab.at.Query("code") != "" {
				codes[tab.at.Query("code")] = true
			}
		}
		return codes
	}

	t.Run("twenty wrong tries at once are no better than five", func(t *testing.T) {
		v := w.visitor(t)
		m := v.ToOTP(w.request(seededPortal), son)
		form := v.at
		var wrong []string
		for n := range 20 {
			wrong = append(wrong, other(m.OTP, n))
		}
		if codes := together(v, wrong); len(codes) != 0 {
			t.Errorf("a wrong OTP gave a code")
		}
		v.at, v.filled = form, map[*element]string{}
		if v.EnterOTP(m.OTP); v.at.Query("code") != "" {
			t.Error("the right OTP still worked after twenty wrong ones")
		}
	})

	t.Run("eight right tries at once give one code that works", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		m := v.ToOTP(r, minh)
		codes := together(v, []string{m.OTP, m.OTP, m.OTP, m.OTP, m.OTP, m.OTP, m.OTP, m.OTP})
		worked := 0
		for code := range codes {
			if w.authenticated(t, "/oauth/token", seededPortal, r.exchange(code)).Status == http.StatusOK {
				worked++
			}
		}
		if worked != 1 {
			t.Errorf("%d of %d codes worked", worked, len(codes))
		}
	})

	t.Run("an OTP works once and only in its own login", func(t *testing.T) {
		one, two := w.visitor(t), w.visitor(t)
		r1, r2 := w.request(seededPortal), w.request(seededPortal)
		m1 := one.ToOTP(r1, binh)
		m2 := two.ToOTP(r2, binh)
		if two.EnterOTP(m1.OTP); m1.OTP != m2.OTP && !two.at.AsksOTP() {
			t.Fatalf("the OTP of one login in another: %s", two.describe())
		}
		one.EnterOTP(m1.OTP)
		one.wantCode(r1)
		two.EnterOTP(m2.OTP) // a new OTP voids only the older one of the same login
		two.wantCode(r2)
	})

	t.Run("odd OTPs are just wrong", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		m := v.ToOTP(r, minh)
		for _, odd := range []string{"\xff\xfe", "", "abc", strings.Repeat("1", 5000)} {
			form := v.at
			if v.EnterOTP(odd); v.at.Status >= 500 || v.at.Landed {
				t.Fatalf("%.20q: %s", odd, v.describe())
			}
			if !v.at.AsksOTP() { // a page that explains; the person goes back
				v.at, v.filled = form, map[*element]string{}
			}
		}
		v.EnterOTP(" " + m.OTP[:3] + " " + m.OTP[3:] + " ")
		v.wantCode(r)
	})

	t.Run("resend is for after 30 s, and the newer voids the older", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		first := v.ToOTP(r, hai)
		if again := v.at.Control("Gửi lại mã"); again != nil {
			tab := v.tab()
			tab.at, tab.filled = v.at, map[*element]string{}
			if tab.Press(again); tab.at.Status >= 500 {
				t.Errorf("resend at once: %s", tab.describe())
			}
		}
		if n := len(w.inbox(t, hai.Phone)); n != 1 {
			t.Fatalf("%d SMS at once, want 1", n)
		}
		w.advance(t, "31s")
		v.Reload()
		if !v.at.AsksOTP() {
			t.Fatalf("reloading the OTP page: %s", v.describe())
		}
		v.Click("Gửi lại mã")
		second := w.awaitSMS(t, hai.Phone, 1)
		if first.OTP != second.OTP {
			if v.EnterOTP(first.OTP); !v.at.AsksOTP() {
				t.Fatalf("the older OTP: %s", v.describe())
			}
		}
		v.EnterOTP(second.OTP)
		v.wantCode(r)
	})

	t.Run("an OTP expires after 120 s, and another can be had", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		m := v.ToOTP(r, linh)
		w.advance(t, "121s")
		if v.EnterOTP(m.OTP); !v.at.AsksOTP() {
			t.Fatalf("an expired OTP: %s", v.describe())
		}
		v.Click("Gửi lại mã")
		v.EnterOTP(w.awaitSMS(t, linh.Phone, 1).OTP)
		v.wantCode(r)
	})

	t.Run("just before 120 s it still works", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		m := v.ToOTP(r, son)
		w.advance(t, "110s")
		v.EnterOTP(m.OTP)
		v.wantCode(r)
	})

	t.Run("a number gets at most five SMS in ten minutes", func(t *testing.T) {
		for range 5 {
			w.visitor(t).ToOTP(w.request(seededPortal), tam)
		}
		v := w.visitor(t)
		v.Open(w.request(seededPortal).URL())
		v.PasswordStep(tam.CCCD, password)
		time.Sleep(100 * time.Millisecond)
		if n := len(w.inbox(t, tam.Phone)); n != 5 {
			t.Errorf("%d SMS, want 5", n)
		}
		if v.at.Status >= 500 || v.at.Landed {
			t.Errorf("got %s", v.describe())
		}
		w.advance(t, "10m5s")
		w.visitor(t).ToOTP(w.request(seededPortal), tam)
	})

	t.Run("a login ends after ten minutes", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal)
		v.Open(r.URL())
		w.advance(t, "10m5s")
		v.PasswordStep(an.CCCD, password)
		if v.at.AsksOTP() {
			t.Fatalf("got %s", v.describe())
		}
		v.wantWayBack(r)
	})
}

func TestSMSInbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	t.Run("wait returns as soon as something comes", func(t *testing.T) {
		type result struct {
			list []sms
			took time.Duration
		}
		got := make(chan result, 1)
		began := time.Now()
		go func() {
			var list []sms
			w.api(t, http.StatusOK, "GET", "/sms?to="+an.Phone+"&wait=20s", nil, &list)
			got <- result{list, time.Since(began)}
		}()
		time.Sleep(200 * time.Millisecond)
		v := w.visitor(t)
		m := v.ToOTP(w.request(seededPortal), an)
		r := <-got
		if len(r.list) != 1 || r.list[0].OTP != m.OTP || r.took > 10*time.Second {
			t.Errorf("after %v: %+v", r.took, r.list)
		}
		if !strings.Contains(r.list[0].Text, m.OTP) || r.list[0].To != an.Phone || r.list[0].SentAt.IsZero() {
			t.Errorf("the message is %+v", r.list[0])
		}
	})

	t.Run("wait gives up with an empty list", func(t *testing.T) {
		began := time.Now()
		if raw := w.api(t, http.StatusOK, "GET", "/sms?to="+em.Phone+"&wait=1s", nil, nil); strings.TrimSpace(string(raw)) != "[]" {
			t.Errorf("got %s, want []", raw)
		}
		if took := time.Since(began); took < 900*time.Millisecond || took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})

	t.Run("nonsense is refused", func(t *testing.T) {
		for _, q := range []string{"wait=soon", "wait=-1s", "to=" + strings.Repeat("x", 5000) + "&wait=x"} {
			if status, raw := w.apiRaw(t, "GET", "/sms?"+q, nil, nil); status != http.StatusBadRequest {
				t.Errorf("%.40s: %d %s", q, status, raw)
			}
		}
	})

	t.Run("the page shows the newest message and how to read the rest", func(t *testing.T) {
		v := w.visitor(t)
		m := v.ToOTP(w.request(seededPortal), binh)
		inbox := w.visitor(t)
		inbox.Open(w.Sandbox + "/sms")
		if !strings.Contains(inbox.at.Text(), m.OTP) {
			t.Errorf("the OTP is missing on %s", inbox.describe())
		}
	})
}
