package sandboxtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"
)

// Visitor is a browser without script: it keeps cookies, and stops where a
// redirect leads elsewhere.
type Visitor struct {
	http *http.Client
	page string
}

// Browser is a browser of nobody yet, for the relying party's side.
func Browser() *Visitor {
	jar, err := cookiejar.New(nil)
	if err != nil { // only with options
		panic(err)
	}
	return &Visitor{http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// Location opens an address and returns where its answer leads; it does not
// go there.
func (v *Visitor) Location(t TB, address string) string {
	t.Helper()
	v.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp := v.read(t, func() (*http.Response, error) { return v.http.Get(address) })
	to, err := resp.Location()
	if err != nil {
		t.Fatalf("sandboxtest: GET %s: %s, and no redirect:\n%.500s", address, resp.Status, v.page)
	}
	return to.String()
}

// Get opens an address, follows redirects, and returns the page.
func (v *Visitor) Get(t TB, address string) string {
	t.Helper()
	v.http.CheckRedirect = nil
	resp := v.read(t, func() (*http.Response, error) { return v.http.Get(address) })
	if resp.StatusCode >= 400 {
		t.Fatalf("sandboxtest: GET %s: %s\n%.500s", address, resp.Status, v.page)
	}
	return v.page
}

func (v *Visitor) read(t TB, send func() (*http.Response, error)) *http.Response {
	t.Helper()
	resp, err := send()
	if err != nil {
		t.Fatalf("sandboxtest: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		t.Fatalf("sandboxtest: %v", err)
	}
	v.page = string(body)
	return resp
}

// Login signs a person in with password and one-time password: authorize is
// where the relying party sends the browser, the answer is the address at
// which it comes back, an error of the provider included. The sharing page is
// agreed to. Each call is a new browser.
func (w *World) Login(authorize, cccd string) (callback string) {
	w.t.Helper()
	return w.login(authorize, cccd, "otp")
}

// LoginByQR is Login with the person's phone instead.
func (w *World) LoginByQR(authorize, cccd string) (callback string) {
	w.t.Helper()
	return w.login(authorize, cccd, "qr")
}

func (w *World) login(authorize, cccd, method string) string {
	w.t.Helper()
	request, err := url.Parse(authorize)
	if err != nil {
		w.t.Fatalf("sandboxtest: %v", err)
	}
	params := map[string]string{}
	for name, values := range request.Query() {
		params[name] = values[0]
	}
	client := params["client_id"]
	delete(params, "client_id")
	var ended struct{ Callback string }
	status, text := w.call(http.MethodPost, "/logins", map[string]any{"client_id": client, "cccd": cccd, "method": method, "params": params}, &ended)
	if status >= 300 {
		// A refusal that leads back to the relying party is for its test to see.
		_ = json.Unmarshal([]byte(text), &ended) // what is no JSON has no way back
	}
	if ended.Callback == "" {
		w.t.Fatalf("sandboxtest: sign in %s at %s: %d %s", cccd, client, status, text)
	}
	return ended.Callback
}
