//go:build e2e

package e2e_test

import (
	"net/http"
	"testing"
	"time"
)

// restart ends the provider by the given means and starts it again on the same database.
func (w *world) restart(t *testing.T, end func(*process)) {
	t.Helper()
	end(w.provider)
	w.http.CloseIdleConnections()
	w.startProvider(t)
}

func TestNothingAcknowledgedIsLost(t *testing.T) {
	for name, end := range map[string]func(*testing.T) func(*process){
		"SIGTERM": func(t *testing.T) func(*process) { return func(p *process) { p.terminate(t) } },
		"SIGKILL": func(*testing.T) func(*process) { return (*process).kill },
	} {
		t.Run("through "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withPortal)
			end := end(t)

			// The form of before the restart still works.
			v := w.visitor(t)
			r := w.request(myPortal, "scope", "openid offline_access profile")
			v.Open(r.URL())
			w.restart(t, end)
			v.PasswordStep(an.CCCD, password)
			if !v.at.AsksOTP() {
				t.Fatalf("the password form from before the restart: %s", v.describe())
			}
			m := w.awaitSMS(t, an.Phone, 0)
			w.restart(t, end)
			if got := w.inbox(t, an.Phone); len(got) != 1 || got[0].OTP != m.OTP {
				t.Errorf("the inbox after the restart: %+v", got)
			}
			v.EnterOTP(m.OTP)
			v.Share()
			code := v.wantCode(r)

			// A code given out before is redeemed after, once.
			w.restart(t, end)
			tokens := r.Redeem(t, code)
			before := w.verified(t, tokens.str("id_token"))
			w.restart(t, end)
			wantOAuthError(t, w.refresh(t, myPortal, "never given"), 400, "invalid_grant")

			// Tokens, keys, session and consent stand.
			if a := w.userinfo(t, "GET", tokens.str("access_token")); a.Status != http.StatusOK || a.Body["name"] != an.Name {
				t.Errorf("the access token after the restart: %s", a)
			}
			w.verified(t, tokens.str("id_token"))
			again := w.request(myPortal, "scope", "openid profile", "prompt", "none")
			v.Open(again.URL())
			after := w.verified(t, again.Redeem(t, v.wantCode(again)).str("id_token"))
			for _, name := range []string{"sub", "sid", "auth_time"} {
				if before[name] != after[name] {
					t.Errorf("%s was %v, is %v", name, before[name], after[name])
				}
			}
			rotated := w.refresh(t, myPortal, tokens.str("refresh_token"))
			if rotated.Status != http.StatusOK {
				t.Fatalf("the refresh token after the restart: %s", rotated)
			}
			w.restart(t, end)
			wantOAuthError(t, w.refresh(t, myPortal, tokens.str("refresh_token")), 400, "invalid_grant") // used up, not forgotten

			// The portal's address, set by the API, stands; and a login at the portal survives.
			p := w.visitor(t)
			p.toProvider()
			w.restart(t, end)
			p.PasswordStep(binh.CCCD, password)
			p.EnterOTP(w.awaitSMS(t, binh.Phone, 0).OTP)
			p.wantSignedIn(binh)
		})
	}
}

func TestThePortalSurvivesAPowerCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	cut := func() {
		w.portal.kill()
		w.http.CloseIdleConnections()
		w.portal = startProcess(t, w.log, w.dir, portalBin, w.portalEnv)
		w.waitReady(t, w.portal, w.Portal+"/")
	}
	v := w.visitor(t)
	v.toProvider()
	cut() // in the middle of a login
	v.PasswordStep(an.CCCD, password)
	v.EnterOTP(w.awaitSMS(t, an.Phone, 0).OTP)
	v.wantSignedIn(an)
	cut()
	v.Open(w.Portal + "/")
	v.wantSignedIn(an)
	v.Click("Đăng xuất")
	v.wantSignedOut()
	cut()
	v.Open(w.Portal + "/")
	v.wantSignedOut()
}

func TestTheClockSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.advance(t, "1h")
	w.advance(t, "30m")
	w.restart(t, (*process).kill)
	if ahead := time.Until(w.now(t)); ahead < 89*time.Minute || ahead > 91*time.Minute {
		t.Errorf("the clock is %v ahead, want 90 min", ahead)
	}
	w.api(t, http.StatusOK, "POST", "/clock", map[string]bool{"reset": true}, nil)
	if ahead := time.Until(w.now(t)); ahead > time.Minute || ahead < -time.Minute {
		t.Errorf("after reset the clock is %v ahead", ahead)
	}
	w.api(t, http.StatusOK, "POST", "/clock", map[string]string{"set": "2030-01-02T03:04:05Z"}, nil)
	if got := w.now(t); got.Sub(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)).Abs() > time.Minute {
		t.Errorf("the clock was set to 2030-01-02 and says %v", got)
	}
	for _, bad := range []map[string]any{{"advance": "soon"}, {"set": "yesterday"}, {}, {"advance": "1h", "reset": true}, {"unknown": 1}} {
		if status, raw := w.apiRaw(t, "POST", "/clock", bad, nil); status/100 != 4 {
			t.Errorf("%v: %d %s", bad, status, raw)
		}
	}
}

func TestStoppingDoesNotWaitForLongPolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		if res, err := w.http.Get(w.Sandbox + "/api/v1/sms?to=" + em.Phone + "&wait=60s"); err == nil {
			res.Body.Close()
		}
	}()
	time.Sleep(300 * time.Millisecond)
	if took := w.provider.terminate(t); took > 8*time.Second {
		t.Errorf("stopping took %v", took)
	}
	<-polled
	w.startProvider(t)
}

func TestResetBringsTheSeedBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t)
	r := w.request(seededPortal)
	v.SignIn(r, an)
	tokens := r.Redeem(t, v.wantCode(r))
	client := w.register(t, nil)
	w.advance(t, "1h")
	status, raw := w.apiRaw(t, "POST", "/reset", map[string]any{}, nil)
	if status/100 != 2 {
		t.Fatalf("reset: %d %s", status, raw)
	}
	if n := len(w.inbox(t, an.Phone)); n != 0 {
		t.Errorf("%d SMS are left", n)
	}
	if a := w.userinfo(t, "GET", tokens.str("access_token")); a.Status != http.StatusUnauthorized {
		t.Errorf("an access token survived: %s", a)
	}
	if status, _ := w.apiRaw(t, "GET", "/clients/"+client.ID, nil, nil); status != http.StatusNotFound {
		t.Errorf("a client survived: %d", status)
	}
	if ahead := time.Until(w.now(t)); ahead > time.Minute {
		t.Errorf("the clock is still %v ahead", ahead)
	}
	v.Open(w.request(seededPortal, "prompt", "none").URL())
	if v.at.Query("error") != "login_required" {
		t.Errorf("the session survived: %s", v.describe())
	}
	v = w.visitor(t)
	r = w.request(seededPortal)
	v.SignIn(r, an)
	r.Redeem(t, v.wantCode(r))
}
