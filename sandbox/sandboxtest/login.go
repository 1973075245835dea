package sandboxtest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Visitor is a browser without script: it keeps cookies, and stops where a
// redirect leads elsewhere.
type Visitor struct {
	http *http.Client
	page string
	at   *url.URL
}

// Browser is a browser of nobody yet, for the relying party's side.
func Browser() *Visitor { return visitor(nil) }

func visitor(transport http.RoundTripper) *Visitor {
	jar, err := cookiejar.New(nil)
	if err != nil { // only with options
		panic(err)
	}
	return &Visitor{http: &http.Client{Jar: jar, Transport: transport}}
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
	v.page, v.at = string(body), resp.Request.URL
	return resp
}

// Login signs a person in with password and one-time password: authorize is
// where the relying party sends the browser, the answer is the address at
// which it comes back, an error of the provider included. The sharing page is
// agreed to. Each call is a new browser.
func (w *World) Login(authorize, cccd string) (callback string) {
	w.t.Helper()
	return w.login(authorize, func(page *signInPage) {
		page.press("/password", url.Values{"username": {cccd}, "password": {Password}})
		if page.callback == "" {
			page.press("/otp", url.Values{"otp": {w.otpOf(cccd, page.id)}})
		}
	})
}

// LoginByQR is Login with the person's phone instead.
func (w *World) LoginByQR(authorize, cccd string) (callback string) {
	w.t.Helper()
	return w.login(authorize, func(page *signInPage) {
		code := shortCode.FindStringSubmatch(page.page)
		if code == nil {
			w.t.Fatalf("sandboxtest: no QR code on %s (%s)", page.at, page.heading())
		}
		phone := w.Phone(cccd)
		phone.Confirm(phone.Scan(code[1]).Login)
		page.open(page.address)
	})
}

var (
	shortCode = regexp.MustCompile(`id="qr-code"[^>]*>([^<]+)<`)
	heading   = regexp.MustCompile(`<h1[^>]*>([^<]+)</h1>`)
)

// signInPage is a browser on the provider's pages.
type signInPage struct {
	*Visitor
	t        TB
	address  string // of the login
	id       string
	callback string // where it led back to the relying party
}

func (w *World) login(authorize string, prove func(*signInPage)) (callback string) {
	w.t.Helper()
	request, err := url.Parse(authorize)
	if err != nil {
		w.t.Fatalf("sandboxtest: %v", err)
	}
	back := request.Query().Get("redirect_uri")
	page := &signInPage{Visitor: visitor(w.http.Transport), t: w.t}
	page.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if back != "" && strings.HasPrefix(r.URL.String(), back) {
			page.callback = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	page.open(authorize)
	if page.callback != "" {
		return page.callback
	}
	page.address = strings.SplitN(page.at.String(), "?", 2)[0]
	page.id = page.address[strings.LastIndexByte(page.address, '/')+1:]
	prove(page)
	if page.callback == "" && strings.Contains(page.page, `name="agree"`) {
		page.press("/sharing", url.Values{"decision": {"share"}, "agree": {"yes"}})
	}
	if page.callback == "" {
		w.t.Fatalf("sandboxtest: the sign-in of %s ended at %s: %s", back, page.at, page.heading())
	}
	return page.callback
}

func (p *signInPage) open(address string) {
	p.t.Helper()
	p.answered(p.read(p.t, func() (*http.Response, error) { return p.http.Get(address) }))
}

func (p *signInPage) press(step string, form url.Values) {
	p.t.Helper()
	p.answered(p.read(p.t, func() (*http.Response, error) { return p.http.PostForm(p.address+step, form) }))
}

func (p *signInPage) answered(resp *http.Response) {
	p.t.Helper()
	if resp.StatusCode < 400 || p.callback != "" {
		return
	}
	// A sign-in that ended leads back to the relying party, with an error.
	if back, err := url.Parse(p.address + "/return"); err == nil && strings.Contains(p.page, `href="`+back.Path+`"`) {
		p.open(back.String())
		return
	}
	p.t.Fatalf("sandboxtest: %s: %s: %s", p.at, resp.Status, p.heading())
}

func (p *signInPage) heading() string {
	if m := heading.FindStringSubmatch(p.page); m != nil {
		return html.UnescapeString(m[1])
	}
	return "a page without a heading"
}

// otpOf is the one-time password of this login.
func (w *World) otpOf(cccd, login string) string {
	w.t.Helper()
	for _, m := range w.SMSTo(cccd) {
		if m.Login == login {
			return m.OTP
		}
	}
	w.t.Fatalf("sandboxtest: no SMS for this sign-in of %s has arrived; advance the clock where it comes late", cccd)
	return ""
}
