//go:build e2e

package e2e_test

import "testing"

// The sample portal is what the lint holds others up to: nothing is to be said of it, no advice either.
func TestTheLintFindsNothingAtTheSamplePortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	w.api(t, 200, "PATCH", "/clients/thanhhoa-portal", map[string]any{"backchannel_logout_uri": w.Portal + "/backchannel-logout"}, nil)
	for _, who := range []persona{an, cuong, hai, linh, minh} {
		v := w.visitor(t)
		v.toProvider()
		before := len(w.inbox(t, who.Phone))
		v.PasswordStep(who.CCCD, password)
		v.EnterOTP(w.awaitSMS(t, who.Phone, before).OTP)
		v.Share()
		v.Open(w.Portal + "/")
		v.Click("Thông tin cá nhân")
		v.Open(w.Portal + "/")
		v.Click("Đăng xuất")
		v.wantSignedOut()
	}
	// Somebody turns back, and somebody signs in and stays until the session is over.
	v := w.visitor(t)
	v.toProvider()
	v.Click("Quay lại Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)")
	w.visitor(t).signInAtPortal(an)
	w.advance(t, "1h")
	var got struct {
		Score    *int
		Logins   int
		Findings []struct {
			ID       string
			Evidence []struct {
				Login, Value string
				Step         int
			}
		}
	}
	w.api(t, 200, "GET", "/clients/thanhhoa-portal/lint", nil, &got)
	if got.Logins != 7 || got.Score == nil || *got.Score != 100 || len(got.Findings) > 0 {
		t.Errorf("%d logins, findings %+v", got.Logins, got.Findings)
	}
}
