package op_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/op/phoneapi"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// testPhone signs calls, well or badly.
type testPhone struct {
	w       *testWorld
	key     ed25519.PrivateKey
	kid     string // device or activation
	session string
}

func (w *testWorld) newPhone() *testPhone {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return &testPhone{w: w, key: key}
}

type members map[string]any

// sign makes the body of a call. change sees payload and header before.
func (p *testPhone) sign(call string, m members, change func(payload members, h map[jose.HeaderKey]any)) string {
	p.w.t.Helper()
	payload := members{"aud": p.w.url + phoneapi.Prefix + call, "iat": p.w.clock.Now().Unix(), "jti": vneid.NewID(rand.Reader)}
	if p.session != "" {
		payload["session"] = p.session
	}
	for k, v := range m {
		payload[k] = v
	}
	h := map[jose.HeaderKey]any{"typ": "phone+jwt"}
	if call == "activate" {
		h["jwk"] = jose.JSONWebKey{Key: p.key.Public()}
	} else {
		h["kid"] = p.kid
	}
	if change != nil {
		change(payload, h)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: p.key}, &jose.SignerOptions{ExtraHeaders: h})
	if err != nil {
		p.w.t.Fatal(err)
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		p.w.t.Fatal(err)
	}
	jws, err := signer.Sign(raw)
	if err != nil {
		p.w.t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		p.w.t.Fatal(err)
	}
	return text
}

// send posts a body and returns the answer's members.
func (p *testPhone) send(call, body, contentType string) (int, members) {
	p.w.t.Helper()
	req, _ := http.NewRequest("POST", p.w.url+phoneapi.Prefix+call, strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var m members
	if err := json.Unmarshal(raw, &m); err != nil {
		p.w.t.Fatalf("%s: %s: %q", call, resp.Status, raw)
	}
	if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		p.w.t.Errorf("%s: headers %v", call, resp.Header)
	}
	return resp.StatusCode, m
}

func (p *testPhone) call(call string, m members) (int, members) {
	p.w.t.Helper()
	return p.send(call, p.sign(call, m, nil), "application/jose")
}

func (p *testPhone) must(call string, m members) members {
	p.w.t.Helper()
	status, answer := p.call(call, m)
	if status != http.StatusOK {
		p.w.t.Fatalf("%s: %d %v", call, status, answer)
	}
	return answer
}

// activate makes the phone a person's, by the front door.
func (w *testWorld) activate(number string) *testPhone {
	w.t.Helper()
	p := w.newPhone()
	p.kid = p.must("activate", members{"username": number, "password": secret, "name": "Điện thoại thử"})["activation"].(string)
	p.must("activate_otp", members{"activation": p.kid, "otp": w.phones.otp(vneid.PhoneNumber("0950000" + number[9:]))})
	done := p.must("activate_finish", members{"activation": p.kid, "passcode": "123456"})
	p.kid, p.session = done["device"].(string), done["session"].(string)
	return p
}

func (w *testWorld) allowWebLogin(number string) {
	w.t.Helper()
	err := w.store.Update(context.Background(), w.world.ID, func(tx vneid.Tx) error {
		a, err := tx.Account(vneid.CCCD(number))
		if err != nil {
			return err
		}
		a.WebLogin = true
		return tx.PutAccount(a)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// begun is a login that a browser began, and what its QR code says.
func (w *testWorld) begun(b *browser) (page, code string) {
	w.t.Helper()
	a := b.authorize(request("basic"))
	page = a.Header.Get("Location")
	id := strings.TrimPrefix(page, "/login/")
	err := w.store.View(context.Background(), w.world.ID, func(tx vneid.Tx) error {
		l, err := tx.Login(id)
		if err == nil {
			code = l.QRCode(codeURL, w.world.Salt)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return page, code
}

func TestAPhoneSignsABrowserIn(t *testing.T) {
	w := newWorld(t)
	w.allowWebLogin(an)
	p := w.activate(an)
	b := w.browser()
	page, code := w.begun(b)
	scan := p.must("scan", members{"code": code})
	if scan["client_name"] != "Cổng thử" || scan["host"] != "127.0.0.1:7777" || scan["ip"] != "127.0.0.1" || scan["allowed"] != true || scan["passcode_needed"] != false {
		t.Errorf("%v", scan)
	}
	p.must("confirm", members{"login": scan["login"]})
	a := b.get(w.url + page)
	if a.param("code") == "" {
		t.Fatalf("%s %v %s", a.Status, a.Header, a.body)
	}
	claims := w.token("basic", codeForm(a.param("code"))).json(t)
	var id struct {
		ACR string   `json:"acr"`
		AMR []string `json:"amr"`
	}
	part, _ := base64.RawURLEncoding.DecodeString(strings.Split(claims["id_token"].(string), ".")[1])
	if err := json.Unmarshal(part, &id); err != nil || id.ACR != "LoA2" || !slices.Equal(id.AMR, []string{"swk", "pin", "mfa"}) {
		t.Errorf("%s", part)
	}
	status, answer := p.call("home", nil)
	if status != http.StatusForbidden || answer["code"] != "app_locked" {
		t.Errorf("after the confirmation: %d %v", status, answer)
	}
	p.session = p.must("unlock", members{"passcode": "123456"})["session"].(string)
	home := p.must("home", nil)
	recent := home["recent"].([]any)
	if len(recent) != 1 || recent[0].(map[string]any)["method"] != "qr" || recent[0].(map[string]any)["open"] != true {
		t.Errorf("%v", home)
	}
}

// Whatever is wrong with the signature or what it covers, nothing happens.
func TestACallThatIsNotThePhonesOwnIsRefused(t *testing.T) {
	w := newWorld(t)
	w.allowWebLogin(an)
	p := w.activate(an)
	thief := &testPhone{w: w, key: w.newPhone().key, kid: p.kid, session: p.session}
	b := w.browser()
	page, code := w.begun(b)
	login := p.must("scan", members{"code": code})["login"]
	confirm := members{"login": login}
	good := p.sign("confirm", confirm, nil)
	parts := strings.Split(good, ".")
	hs256 := func() string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(p.key.Public().(ed25519.PublicKey))},
			(&jose.SignerOptions{}).WithType("phone+jwt").WithHeader("kid", p.kid))
		if err != nil {
			t.Fatal(err)
		}
		jws, _ := signer.Sign(mustDecode(t, parts[1]))
		text, _ := jws.CompactSerialize()
		return text
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"phone+jwt","kid":"` + p.kid + `"}`))
	with := func(change func(m members, h map[jose.HeaderKey]any)) string {
		return p.sign("confirm", confirm, change)
	}
	for name, c := range map[string]struct{ body, code string }{
		"another key":              {thief.sign("confirm", confirm, nil), "call_forged"},
		"a changed payload":        {parts[0] + "." + base64.RawURLEncoding.EncodeToString(bytes.Replace(mustDecode(t, parts[1]), []byte(`"jti":"`), []byte(`"jti":"x`), 1)) + "." + parts[2], "call_forged"},
		"no signature":             {parts[0] + "." + parts[1] + ".", "call_forged"},
		"alg none":                 {none + "." + parts[1] + ".", "call_malformed"},
		"HS256 with the key":       {hs256(), "call_malformed"},
		"another type":             {with(func(_ members, h map[jose.HeaderKey]any) { h["typ"] = "JWT" }), "call_malformed"},
		"a key of its own":         {thief.sign("confirm", confirm, func(_ members, h map[jose.HeaderKey]any) { h["jwk"] = jose.JSONWebKey{Key: thief.key.Public()} }), "call_malformed"},
		"another call's address":   {p.sign("refuse", confirm, nil), "call_forged"},
		"another issuer's address": {with(func(m members, _ map[jose.HeaderKey]any) { m["aud"] = "http://evil.test/phoneapi/v1/confirm" }), "call_forged"},
		"no address":               {with(func(m members, _ map[jose.HeaderKey]any) { delete(m, "aud") }), "call_forged"},
		"an old one":               {with(func(m members, _ map[jose.HeaderKey]any) { m["iat"] = w.clock.Now().Add(-2 * time.Minute).Unix() }), "call_stale"},
		"one of tomorrow":          {with(func(m members, _ map[jose.HeaderKey]any) { m["iat"] = w.clock.Now().Add(24 * time.Hour).Unix() }), "call_stale"},
		"no jti":                   {with(func(m members, _ map[jose.HeaderKey]any) { delete(m, "jti") }), "call_malformed"},
		"an unknown member":        {with(func(m members, _ map[jose.HeaderKey]any) { m["as_admin"] = true }), "call_malformed"},
		"an unknown device":        {with(func(_ members, h map[jose.HeaderKey]any) { h["kid"] = "nobody's" }), "device_replaced"},
		"no device":                {with(func(_ members, h map[jose.HeaderKey]any) { delete(h, "kid") }), "call_malformed"},
		"nothing":                  {"", "call_malformed"},
		"JSON":                     {`{"login":"x"}`, "call_malformed"},
		"a JSON serialisation":     {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, "call_malformed"},
		"too much":                 {good + strings.Repeat("A", 20<<10), "call_malformed"},
	} {
		if status, answer := p.send("confirm", c.body, "application/jose"); status < 400 || status >= 500 || answer["code"] != c.code {
			t.Errorf("%s: %d %v, want %s", name, status, answer, c.code)
		}
	}
	if status, answer := p.send("confirm", good, "application/x-www-form-urlencoded"); status != 400 || answer["code"] != "call_malformed" {
		t.Errorf("a form of a foreign page: %d %v", status, answer)
	}
	if a := b.get(w.url + page); a.param("code") != "" {
		t.Fatal("one of them signed the browser in")
	}
	if status, answer := p.send("confirm", good, "application/jose"); status != 200 {
		t.Fatalf("the good one: %d %v", status, answer)
	}
	if status, answer := p.send("confirm", good, "application/jose"); status != 403 || answer["code"] != "call_replayed" {
		t.Errorf("the good one again: %d %v", status, answer)
	}
}

func mustDecode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnActivationIsTheKeysThatBeganIt(t *testing.T) {
	w := newWorld(t)
	p := w.newPhone()
	p.kid = p.must("activate", members{"username": an, "password": secret})["activation"].(string)
	otp := w.phones.otp("0950000001")
	thief := &testPhone{w: w, key: w.newPhone().key, kid: p.kid}
	if _, answer := thief.call("activate_otp", members{"activation": p.kid, "otp": otp}); answer["code"] != "call_forged" {
		t.Errorf("another key: %v", answer)
	}
	if _, answer := p.call("activate_otp", members{"activation": "another", "otp": otp}); answer["code"] != "call_malformed" {
		t.Errorf("another activation: %v", answer)
	}
	if _, answer := p.call("unlock", members{"passcode": "123456"}); answer["code"] != "device_replaced" {
		t.Errorf("an activation is no device: %v", answer)
	}
	p.must("activate_otp", members{"activation": p.kid, "otp": otp})
	p.must("activate_finish", members{"activation": p.kid, "passcode": "123456"})
	if _, answer := p.call("activate_finish", members{"activation": p.kid, "passcode": "000000"}); answer["code"] != "activation_over" {
		t.Errorf("twice: %v", answer)
	}
}

func TestCallsAndTheirRefusalsLeaveNoSecretInTheLog(t *testing.T) {
	w := newWorld(t)
	w.allowWebLogin(an)
	p := w.activate(an)
	_, code := w.begun(w.browser())
	p.call("unlock", members{"passcode": "987650"})
	p.call("scan", members{"code": code})
	p.call("scan", members{"code": "AAAA-AAAA"})
	p.call("confirm", members{"login": "none", "passcode": "123456"})
	p.call("activate_otp", members{"activation": p.kid, "otp": "555444"})
	log := w.log.String()
	for _, canary := range []string{"987650", "123456", "555444", secret, p.session, an, code[len(codeURL)+1:], "AAAA-AAAA"} {
		if strings.Contains(log, canary) {
			t.Errorf("the log has %q", canary)
		}
	}
	if !strings.Contains(log, "passcode_wrong") || !strings.Contains(log, "qr_unknown") {
		t.Error("the log does not say what was refused")
	}
}

func FuzzPhoneCall(f *testing.F) {
	w := newWorld(f)
	p := w.activate(an)
	f.Add("home", p.sign("home", nil, nil))
	f.Add("scan", p.sign("scan", members{"code": "AAAA-AAAA"}, nil))
	f.Add("activate", p.sign("activate", members{"username": an, "password": "x"}, nil))
	f.Add("confirm", "eyJhbGciOiJub25lIn0..")
	f.Add("unlock", "a.b.c")
	f.Fuzz(func(t *testing.T, call, body string) {
		if strings.ContainsAny(call, "/?#%\\. \t\r\n") || call == "" {
			return
		}
		req, err := http.NewRequest("POST", w.url+phoneapi.Prefix+call, strings.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/jose")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		if resp.StatusCode >= 500 {
			t.Fatalf("%q %q: %s", call, body, resp.Status)
		}
	})
}
