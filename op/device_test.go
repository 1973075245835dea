package op_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// kiosk is a device at a one-stop office, and the phone of somebody before it.
type kiosk struct {
	*testWorld
	service *vneid.Service
}

func newKiosk(t *testing.T) *kiosk { return kioskIn(t, newWorld(t)) }

func kioskIn(t *testing.T, w *testWorld) *kiosk {
	w.client(vneid.ClientMetadata{ClientID: "kiosk", ClientName: "Quầy một cửa", GrantTypes: []string{vneid.DeviceGrant, vneid.GrantRefreshToken}})
	w.client(vneid.ClientMetadata{ClientID: "kiosk2", GrantTypes: []string{vneid.DeviceGrant}})
	w.client(vneid.ClientMetadata{ClientID: "open-kiosk", TokenEndpointAuthMethod: vneid.AuthNone, GrantTypes: []string{vneid.DeviceGrant}})
	k := &kiosk{testWorld: w, service: vneid.NewService(w.store, password.New(password.Cheap(), 1), w.phones, rand.Reader)}
	err := w.store.Update(context.Background(), w.world.ID, func(tx vneid.Tx) error {
		a, err := tx.Account(an)
		if err != nil {
			return err
		}
		a.WebLogin = true
		if err := tx.PutAccount(a); err != nil {
			return err
		}
		for _, id := range []string{"phone", "other"} {
			cccd := vneid.CCCD(an)
			if id == "other" {
				cccd = binh
			}
			d := &vneid.Device{ID: id, CCCD: cccd, SessionHash: vneid.SecretHash("session"), SessionExpires: w.clock.Now().Add(time.Hour), UnlockedAt: w.clock.Now()}
			if err := tx.PutDevice(d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kiosk) call(device string) vneid.PhoneCall {
	return vneid.PhoneCall{DeviceID: device, Session: "session", Call: vneid.DeviceCall{JTI: vneid.NewID(rand.Reader), At: k.clock.Now().Unix()}}
}

func (k *kiosk) begin(client string) map[string]any {
	k.t.Helper()
	a := k.machine("/device_authorization", client, url.Values{"scope": {"openid profile cccd offline_access"}})
	if a.StatusCode != 200 || a.Header.Get("Cache-Control") != "no-store" {
		k.t.Fatalf("%s %s %v", a.Status, a.body, a.Header)
	}
	return a.json(k.t)
}

func (k *kiosk) ask(client string, device map[string]any) answer {
	return k.token(client, url.Values{"grant_type": {vneid.DeviceGrant}, "device_code": {device["device_code"].(string)}})
}

// scan reads what the device shows: the QR code, or the code that people type.
func (k *kiosk) scan(text string) vneid.Scan {
	k.t.Helper()
	code, err := vneid.ParseQR(codeURL, text)
	if err != nil {
		k.t.Fatal(err)
	}
	ctx := vneid.WithWorld(context.Background(), k.world)
	s, err := k.service.ScanQR(ctx, k.call("phone"), code)
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

func (k *kiosk) settle(s vneid.Scan, confirm bool) {
	k.t.Helper()
	ctx := vneid.WithWorld(context.Background(), k.world)
	var err error
	if confirm {
		err = k.service.ConfirmQR(ctx, k.call("phone"), s.Login.ID, "", 0)
	} else {
		err = k.service.RefuseQR(ctx, k.call("phone"), s.Login.ID)
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

func (a answer) is(t *testing.T, what string, status int, code string) {
	t.Helper()
	if a.StatusCode != status || a.json(t)["error"] != code {
		t.Errorf("%s: %s %s, want %d %s", what, a.Status, a.body, status, code)
	}
	if strings.Contains(a.body, `\"`) {
		t.Errorf("%s: quotes in error_description: %s", what, a.body)
	}
}

func TestADeviceGetsTokensWhenThePhoneConfirms(t *testing.T) {
	k := newKiosk(t)
	for name, text := range map[string]string{"by QR": "verification_uri_complete", "by hand": "user_code"} {
		d := k.begin("kiosk")
		if d["verification_uri"] != scanURL || d["interval"] != 5.0 || d["expires_in"] != 600.0 || !strings.HasPrefix(d["verification_uri_complete"].(string), codeURL+"/") {
			t.Fatalf("device authorization: %v", d)
		}
		k.ask("kiosk", d).is(t, "before a scan", 400, "authorization_pending")
		s := k.scan(d[text].(string))
		if len(s.Shares) == 0 || s.Shares[0] != "cccd" || !s.Login.Request.Device {
			t.Errorf("the phone does not show what is shared: %v", s.Shares)
		}
		k.clock.SetOffset(k.clock.Offset() + 6*time.Second)
		k.ask("kiosk", d).is(t, "scanned only", 400, "authorization_pending")
		k.settle(s, true)
		k.clock.SetOffset(k.clock.Offset() + 6*time.Second)
		a := k.ask("kiosk", d)
		got := a.json(t)
		if a.StatusCode != 200 || got["id_token"] == nil || got["access_token"] == nil || got["refresh_token"] == nil {
			t.Fatalf("%s: %s %s", name, a.Status, a.body)
		}
		if look := k.machine("/oauth/introspect", "kiosk", url.Values{"token": {got["access_token"].(string)}}).json(t); look["active"] != true || look["acr"] != "LoA2" {
			t.Errorf("%s: %v", name, look)
		}
		if again := k.token("kiosk", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got["refresh_token"].(string)}}); again.StatusCode != 200 {
			t.Errorf("%s: refresh: %s", name, again.body)
		}
		// RFC 8628 §3.5; and whoever asks again may have stolen the code.
		k.clock.SetOffset(k.clock.Offset() + 6*time.Second)
		k.ask("kiosk", d).is(t, "redeemed before", 400, "invalid_grant")
		if look := k.machine("/oauth/introspect", "kiosk", url.Values{"token": {got["access_token"].(string)}}).json(t); look["active"] != false {
			t.Errorf("%s: the token outlives a replay", name)
		}
		err := k.store.Update(context.Background(), k.world.ID, func(tx vneid.Tx) error { // the app signed itself out
			device, err := tx.Device("phone")
			if err != nil {
				return err
			}
			device.SessionHash, device.SessionExpires, device.UnlockedAt = vneid.SecretHash("session"), k.clock.Now().Add(time.Hour), k.clock.Now()
			return tx.PutDevice(device)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestADeviceThatAsksTooOftenIsSlowedDown(t *testing.T) {
	k := newKiosk(t)
	d := k.begin("kiosk")
	after := func(wait time.Duration, want string) {
		t.Helper()
		k.clock.SetOffset(k.clock.Offset() + wait)
		k.ask("kiosk", d).is(t, "after "+wait.String(), 400, want)
	}
	after(0, "authorization_pending") // the first question is never too early
	after(2*time.Second, "slow_down") // 10 s from now on
	after(6*time.Second, "slow_down") // 15 s
	after(14*time.Second, "slow_down")
	after(21*time.Second, "authorization_pending") // 20 s, and it stays so
	after(16*time.Second, "slow_down")
	after(26*time.Second, "authorization_pending")
}

func TestADeviceCodeEndsAsItsLoginDoes(t *testing.T) {
	k := newKiosk(t)
	refused := k.begin("kiosk")
	k.settle(k.scan(refused["user_code"].(string)), false)
	k.ask("kiosk", refused).is(t, "refused", 400, "access_denied")
	k.ask("kiosk", refused).is(t, "refused, asked again", 400, "access_denied")

	d := k.begin("kiosk")
	k.ask("kiosk2", d).is(t, "another client", 400, "invalid_grant")
	k.ask("basic", d).is(t, "a client without this grant", 400, "unauthorized_client")
	k.token("kiosk", url.Values{"grant_type": {vneid.DeviceGrant}}).is(t, "no code", 400, "invalid_request")
	k.token("kiosk", url.Values{"grant_type": {vneid.DeviceGrant}, "device_code": {"guess"}}).is(t, "a guess", 400, "invalid_grant")
	k.client(vneid.ClientMetadata{ClientID: "both", GrantTypes: []string{vneid.DeviceGrant, vneid.GrantCode}})
	both := k.begin("both")
	k.token("both", codeForm(both["device_code"].(string))).is(t, "as an authorization code", 400, "invalid_grant")
	code := k.browser().signIn(request("both", "scope", "openid"), an)
	if code.param("code") == "" && code.StatusCode != 200 {
		t.Fatalf("sign in: %s", code.Status)
	}
	k.token("both", url.Values{"grant_type": {vneid.DeviceGrant}, "device_code": {code.param("code")}}).is(t, "an authorization code as a device's", 400, "invalid_grant")
	s := k.scan(d["verification_uri_complete"].(string))
	for _, path := range []string{"", "/qr.svg", "/events", "/waiting"} {
		b := k.browser()
		b.authorize(request("basic"))
		if a := b.get(k.url + "/login/" + s.Login.ID + path); a.StatusCode != 404 {
			t.Errorf("a browser opens the login of a device at %q: %s", path, a.Status)
		}
	}
	k.clock.SetOffset(11 * time.Minute)
	k.ask("kiosk", d).is(t, "too late", 400, "expired_token")

	k.machine("/device_authorization", "basic", url.Values{"scope": {"openid"}}).is(t, "not registered", 400, "unauthorized_client")
	k.machine("/device_authorization", "kiosk", url.Values{"scope": {"nothing"}}).is(t, "no scope", 400, "invalid_scope")
	if a := k.browser().post(k.url+"/device_authorization", url.Values{"client_id": {"kiosk"}}); a.StatusCode != 401 {
		t.Errorf("without authentication: %s", a.Status)
	}
	if a := k.browser().post(k.url+"/device_authorization", url.Values{"client_id": {"open-kiosk"}, "scope": {"openid"}}); a.StatusCode != 200 {
		t.Errorf("a public client: %s %s", a.Status, a.body)
	}
}
