//go:build e2e && postgres && linux

package e2e_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

func TestADiskThatIsFullUnderPostgreSQL(t *testing.T) {
	t.Parallel()
	t.Run("a small disk, filled", func(t *testing.T) {
		t.Parallel()
		server := pgtest.New(t)
		disk, err := server.SmallDisk(t)
		if errors.Is(err, pgtest.ErrNoMount) {
			t.Logf("%v: what the server's word for a full disk does is tested all the same, beside this", err)
			return
		}
		fillAndFree(t, server, disk)
	})
	t.Run("a server that says so at every row", func(t *testing.T) {
		t.Parallel()
		server := pgtest.New(t)
		fillAndFree(t, server, server.NoDisk(t))
	})
}

// fillAndFree does with a full disk whatever writes. A page of the database that has room yet takes a row; then it is
// acknowledged, and must stay.
func fillAndFree(t *testing.T, server *pgtest.Server, disk *pgtest.Disk) {
	w := newWorld(t, withDatabase(server.Database(t)))
	v := w.visitor(t)
	r := w.request(myPortal, "scope", "openid profile offline_access")
	v.SignIn(r, an)
	tokens := r.Redeem(t, v.wantCode(r))
	access, refresh := tokens.str("access_token"), tokens.str("refresh_token")

	for range 2 {
		half := w.visitor(t)
		halfRequest := w.request(seededPortal)
		m := half.ToOTP(halfRequest, binh)
		atPassword := w.visitor(t)
		atPassword.Open(w.request(seededPortal).URL())
		waiting := w.request(myPortal)
		code := v.Code(waiting)
		halfForm, passwordForm := half.at, atPassword.at

		disk.Fill(t)
		var begun []*visitor
		for refused := 0; refused < 5; {
			newcomer := w.visitor(t)
			newcomer.Open(w.request(seededPortal).URL())
			if newcomer.at.Status == http.StatusOK && newcomer.at.AsksPassword() {
				if begun = append(begun, newcomer); len(begun) > 2000 {
					t.Fatal("the disk does not get full")
				}
				continue
			}
			newcomer.wantUnavailablePage("/authorize")
			refused++
		}
		half.EnterOTP(m.OTP)
		halfDone := half.at.Status != http.StatusServiceUnavailable
		if !halfDone {
			half.wantUnavailablePage("the OTP")
			half.goBack(halfForm)
		}
		atPassword.PasswordStep(hai.CCCD, password)
		passwordDone := atPassword.at.AsksOTP()
		if !passwordDone {
			atPassword.wantUnavailablePage("the password")
			atPassword.goBack(passwordForm)
		}
		redeemed := w.authenticated(t, "/oauth/token", myPortal, waiting.exchange(code))
		if redeemed.Status != http.StatusOK {
			redeemed.wantUnavailable(t, "redeeming a code")
		}
		refreshed := w.refresh(t, myPortal, refresh)
		if refreshed.Status != http.StatusOK {
			refreshed.wantUnavailable(t, "refreshing")
		}
		// What only reads goes on.
		if a := w.userinfo(t, "GET", access); a.Status != http.StatusOK {
			t.Errorf("userinfo: %s", a)
		}
		w.inbox(t, binh.Phone)
		if w.provider.ended() {
			t.Fatal("the provider ended")
		}
		t.Logf("%d logins found room; of what followed, acknowledged: OTP %v, password %v, code %v, refresh %v",
			len(begun), halfDone, passwordDone, redeemed.Status == http.StatusOK, refreshed.Status == http.StatusOK)
		disk.Free(t)

		// There is room again. What was refused goes on where it was, what was acknowledged is there.
		if !halfDone {
			half.EnterOTP(m.OTP)
		}
		halfRequest.Redeem(t, half.Share().Query("code"))
		if !passwordDone {
			atPassword.PasswordStep(hai.CCCD, password)
		}
		if !atPassword.at.AsksOTP() {
			t.Errorf("the password afterwards: %s", atPassword.describe())
		}
		for _, newcomer := range begun {
			if newcomer.Reload(); !newcomer.at.AsksPassword() {
				t.Fatalf("an acknowledged login is lost: %s", newcomer.describe())
			}
		}
		if redeemed.Status != http.StatusOK {
			waiting.Redeem(t, code)
		}
		wantOAuthError(t, w.authenticated(t, "/oauth/token", myPortal, waiting.exchange(code)), 400, "invalid_grant")
		if refreshed.Status != http.StatusOK {
			refreshed = w.refresh(t, myPortal, refresh)
		}
		if refreshed.Status != http.StatusOK {
			t.Fatalf("refresh: %s", refreshed)
		}
		access, refresh = refreshed.str("access_token"), refreshed.str("refresh_token")
	}

	again := w.visitor(t)
	r = w.request(seededPortal)
	again.SignIn(r, minh)
	r.Redeem(t, again.wantCode(r))
	w.restart(t, (*process).kill)
	if a := w.refresh(t, myPortal, refresh); a.Status != http.StatusOK {
		t.Errorf("refresh after the power cut: %s", a)
	}
}
