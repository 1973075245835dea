//go:build e2e || browser

package e2e_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// rp is a relying party as the provider knows it.
type rp struct {
	ID, Secret, Redirect string
	Post                 bool // client_secret_post instead of client_secret_basic
}

// myPortal is the seeded client for "your own RP": a loopback callback on any port. Nobody listens there.
var myPortal = rp{ID: "my-portal", Secret: "my-portal-secret", Redirect: "http://127.0.0.1:39123/callback"}

// seededPortal is the sample portal's client, for stories that play the portal themselves.
var seededPortal = rp{ID: "thanhhoa-portal", Secret: "thanhhoa-portal-secret", Redirect: "http://127.0.0.1:9999/callback"}

// register creates a client by the API.
func (w *world) register(t *testing.T, fields map[string]any) rp {
	t.Helper()
	client := rp{Redirect: "http://rp.example:7777/callback"}
	body := map[string]any{"client_name": "Cổng thử nghiệm", "redirect_uris": []string{client.Redirect}}
	for k, v := range fields {
		body[k] = v
	}
	var answer struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	w.api(t, http.StatusCreated, "POST", "/clients", body, &answer)
	if answer.ID == "" {
		t.Fatal("a created client has no client_id")
	}
	client.ID, client.Secret = answer.ID, w.secret("a client's secret", answer.Secret)
	client.Post = body["token_endpoint_auth_method"] == "client_secret_post"
	return client
}

// request is one authorization request and what its relying party keeps of it.
type request struct {
	w                      *world
	client                 rp
	State, Nonce, Verifier string
	Params                 url.Values
}

func random() string {
	return strings.ToLower(rand.Text() + rand.Text())
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request makes an authorization request with state, nonce and PKCE. Changes are name, value pairs; an empty value
// leaves the parameter out.
func (w *world) request(client rp, changes ...string) *request {
	r := &request{w: w, client: client, State: random(), Nonce: random(), Verifier: random()}
	r.Params = url.Values{
		"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {client.Redirect}, "scope": {"openid"},
		"state": {r.State}, "nonce": {r.Nonce},
		"code_challenge": {challenge(r.Verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			r.Params.Del(changes[i])
		} else {
			r.Params.Set(changes[i], changes[i+1])
		}
	}
	return r
}

func (r *request) URL() string { return r.w.Issuer + "/authorize?" + r.Params.Encode() }

// PasswordStep fills in the login page the visitor is on.
func (v *visitor) PasswordStep(cccd, pw string) *page {
	v.t.Helper()
	if !v.at.AsksPassword() {
		v.t.Fatalf("expected the login page, got %s", v.describe())
	}
	v.Fill("username", cccd)
	v.Fill("password", pw)
	return v.Click("Đăng nhập")
}

// ToOTP opens a request and passes the password step; the SMS that came is returned.
func (v *visitor) ToOTP(r *request, who persona) sms {
	v.t.Helper()
	before := len(v.w.inbox(v.t, who.Phone))
	v.Open(r.URL())
	v.PasswordStep(who.CCCD, password)
	if !v.at.AsksOTP() {
		v.t.Fatalf("expected the OTP page for %s, got %s", who.Name, v.describe())
	}
	return v.w.awaitSMS(v.t, who.Phone, before)
}

// EnterOTP fills in the OTP page.
func (v *visitor) EnterOTP(otp string) *page {
	v.t.Helper()
	v.Fill("otp", otp)
	return v.Click("Xác nhận")
}

// Share ticks the box of the sharing page and confirms, when that page is shown.
func (v *visitor) Share() *page {
	v.t.Helper()
	if v.at.AsksToShare() {
		v.Tick("Tôi đã đọc và hiểu rõ nội dung mục đích")
		v.Click("Xác nhận chia sẻ")
	}
	return v.at
}

// SignIn walks a request to its end: password, OTP, sharing where asked.
func (v *visitor) SignIn(r *request, who persona) *page {
	v.t.Helper()
	m := v.ToOTP(r, who)
	v.EnterOTP(m.OTP)
	return v.Share()
}

// Code opens a request for somebody who may need nothing more than their session, and returns the code.
func (v *visitor) Code(r *request) string {
	v.t.Helper()
	v.Open(r.URL())
	v.Share()
	return v.wantCode(r)
}

// wantCode checks the authorization response the visitor brings to the relying party.
func (v *visitor) wantCode(r *request) string {
	v.t.Helper()
	if !v.at.Landed || v.at.Query("code") == "" {
		v.t.Fatalf("expected to land at %s with a code, got %s", r.client.Redirect, v.describe())
	}
	v.wantResponse(r)
	return v.at.Query("code")
}

// wantError checks that the visitor brings an OAuth error to the relying party.
func (v *visitor) wantError(r *request, codes ...string) {
	v.t.Helper()
	if !v.at.Landed {
		v.t.Errorf("expected to land at %s with %v, got %s", r.client.Redirect, codes, v.describe())
		return
	}
	v.wantResponse(r)
	got := v.at.Query("error")
	for _, code := range codes {
		if got == code {
			return
		}
	}
	v.t.Errorf("error=%q, want one of %v (in %s)", got, codes, v.at.URL)
}

// wantResponse: the right address, the state as sent, and who answers (RFC 9207).
func (v *visitor) wantResponse(r *request) {
	v.t.Helper()
	u := *v.at.URL
	u.RawQuery = ""
	if u.String() != r.client.Redirect {
		v.t.Errorf("the answer goes to %s, want %s", u.String(), r.client.Redirect)
	}
	if got, want := v.at.Query("state"), r.Params.Get("state"); got != want {
		v.t.Errorf("state=%q comes back, want %q", got, want)
	}
	if got := v.at.Query("iss"); got != v.w.Issuer {
		v.t.Errorf("iss=%q, want %q (RFC 9207)", got, v.w.Issuer)
	}
}

// answer is what an endpoint of the provider said to a program.
type answer struct {
	Status int
	Header http.Header
	Body   map[string]any
	Raw    string
}

func (a *answer) str(name string) string { s, _ := a.Body[name].(string); return s }

func (a *answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Raw) }

// post sends a form to an endpoint of the provider as a program does, with HTTP Basic where id is not empty.
func (w *world) post(t *testing.T, path, id, secret string, form url.Values) *answer {
	t.Helper()
	req, err := http.NewRequest("POST", w.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) // RFC 6749 §2.3.1
	}
	return w.answer(t, req)
}

func (w *world) answer(t *testing.T, req *http.Request) *answer {
	t.Helper()
	res, raw := w.do(t, req)
	a := &answer{Status: res.StatusCode, Header: res.Header, Raw: string(raw)}
	if len(raw) > 0 && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &a.Body); err != nil {
			t.Errorf("%s %s answers broken JSON: %v: %s", req.Method, req.URL.Path, err, raw)
		}
	}
	for _, token := range []string{"access_token", "refresh_token", "id_token"} {
		w.secret("a token", a.str(token))
	}
	return a
}

// authenticated posts as a client, by the method it is registered with.
func (w *world) authenticated(t *testing.T, path string, client rp, form url.Values) *answer {
	t.Helper()
	switch {
	case client.Secret == "":
		form.Set("client_id", client.ID)
		return w.post(t, path, "", "", form)
	case client.Post:
		form.Set("client_id", client.ID)
		form.Set("client_secret", client.Secret)
		return w.post(t, path, "", "", form)
	}
	return w.post(t, path, client.ID, client.Secret, form)
}

// exchange is the form that redeems a code.
func (r *request) exchange(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.Params.Get("redirect_uri")},
		"code_verifier": {r.Verifier},
	}
}

// Redeem redeems a code and wants it to work.
func (r *request) Redeem(t *testing.T, code string) *answer {
	t.Helper()
	a := r.w.authenticated(t, "/oauth/token", r.client, r.exchange(code))
	if a.Status != http.StatusOK || a.str("access_token") == "" {
		t.Fatalf("redeeming a good code failed: %s", a)
	}
	return a
}

// refresh uses a refresh token.
func (w *world) refresh(t *testing.T, client rp, token string, extra ...string) *answer {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	for i := 0; i < len(extra); i += 2 {
		form.Set(extra[i], extra[i+1])
	}
	return w.authenticated(t, "/oauth/token", client, form)
}

// userinfo asks who an access token stands for.
func (w *world) userinfo(t *testing.T, method, token string) *answer {
	t.Helper()
	req, err := http.NewRequest(method, w.Issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return w.answer(t, req)
}

// wantOAuthError checks an RFC 6749 §5.2 answer of the token endpoint.
func wantOAuthError(t *testing.T, a *answer, status int, codes ...string) {
	t.Helper()
	if a.Status != status {
		t.Errorf("status %d, want %d (%s)", a.Status, status, a.Raw)
	}
	got := a.str("error")
	for _, code := range codes {
		if got == code {
			return
		}
	}
	t.Errorf("error %q, want one of %v (%s)", got, codes, a)
}
