package console_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

const (
	banner = "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT"
	an     = "038090000001"
)

// desk is the console of a whole sandbox that runs until the test ends.
type desk struct {
	t *testing.T
	*sandbox.Running
}

func open(t *testing.T, change func(*sandbox.Config)) *desk {
	t.Helper()
	c := sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: "sqlite::memory:", CheapHashes: true, LogOutput: io.Discard, Version: "v1.2.3"}
	if change != nil {
		change(&c)
	}
	r, err := sandbox.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &desk{t, r}
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (d *desk) send(method, path string, form url.Values, headers ...string) (*http.Response, string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.SandboxURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp, string(body)
}

// get opens a page, which has to say all of this.
func (d *desk) get(path string, says ...string) string {
	d.t.Helper()
	resp, body := d.send("GET", path, nil)
	if resp.StatusCode != http.StatusOK {
		d.t.Errorf("GET %s: %d", path, resp.StatusCode)
	}
	d.wants(path, body, says...)
	return body
}

func (d *desk) wants(where, body string, says ...string) {
	d.t.Helper()
	for _, text := range says {
		if !strings.Contains(body, text) {
			d.t.Errorf("%s does not say %q", where, text)
		}
	}
}

// post sends a form that leads to another page, and opens that.
func (d *desk) post(path string, form url.Values, says ...string) (location string) {
	d.t.Helper()
	resp, body := d.send("POST", path, form)
	location = resp.Header.Get("Location")
	if resp.StatusCode != http.StatusSeeOther {
		d.t.Fatalf("POST %s: %d\n%s", path, resp.StatusCode, body)
	}
	d.get(location, says...)
	return location
}

// refused sends a form that comes back.
func (d *desk) refused(status int, path string, form url.Values, says ...string) string {
	d.t.Helper()
	resp, body := d.send("POST", path, form)
	if resp.StatusCode != status {
		d.t.Errorf("POST %s: %d, want %d", path, resp.StatusCode, status)
	}
	d.wants(path, body, says...)
	return body
}

var everyPage = []string{"/console", "/console/personas", "/console/personas/new", "/console/personas/transfer", "/console/personas/" + an, "/console/sms",
	"/console/phones", "/console/phones/" + an, "/console/clients", "/console/clients/new", "/console/clients/my-portal", "/console/sessions", "/console/keys",
	"/console/clock", "/console/worlds", "/console/config", "/console/health"}

func TestEveryPageHasBannerNavigationAndHeaders(t *testing.T) {
	d := open(t, nil)
	for _, path := range everyPage {
		resp, body := d.send("GET", path, nil)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
		d.wants(path, body, banner, `aria-current="page"`, `<nav id="console-nav"`)
		for name, want := range map[string]string{"X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "Access-Control-Allow-Origin": ""} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "form-action 'self'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if english := d.get(path+"?lang=en", "Overview"); strings.Contains(english, "Tổng quan") {
			t.Errorf("%s is not in English", path)
		}
	}
	if resp, body := d.send("GET", "/console/nothing", nil); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, banner) {
		t.Errorf("a page that is not there: %d", resp.StatusCode)
	}
}

func TestNoFormOfAnotherSiteIsRead(t *testing.T) {
	for name, token := range map[string]string{"without a token": "", "with one": "a-token-of-24-characters"} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(c *sandbox.Config) { c.Token = token })
			headers := []string{"Origin", "https://evil.example"}
			if token != "" {
				resp, _ := d.send("POST", "/sign-in", url.Values{"token": {token}})
				headers = append(headers, "Cookie", strings.Split(resp.Header.Get("Set-Cookie"), ";")[0])
			}
			for _, site := range []string{"cross-site", "same-site"} {
				resp, body := d.send("POST", "/console/clock", url.Values{"advance": {"5m"}}, append(headers, "Sec-Fetch-Site", site)...)
				if resp.StatusCode != http.StatusForbidden || !strings.Contains(body, banner) {
					t.Errorf("a form sent %s: %d", site, resp.StatusCode)
				}
			}
			resp, _ := d.send("POST", "/console/clock", url.Values{"advance": {"5m"}}, headers...)
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("a form of another origin, told by an old browser: %d", resp.StatusCode)
			}
			resp, _ = d.send("POST", "/console/clock", url.Values{"advance": {"5m"}}, append(headers[2:], "Sec-Fetch-Site", "same-origin", "Origin", d.SandboxURL)...)
			if resp.StatusCode != http.StatusSeeOther {
				t.Errorf("our own form: %d", resp.StatusCode)
			}
		})
	}
}

func TestWithATokenTheConsoleAsksForIt(t *testing.T) {
	d := open(t, func(c *sandbox.Config) { c.Token = "a-token-of-24-characters" })
	for _, path := range everyPage {
		resp, body := d.send("GET", path, nil)
		if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, `value="`+path+`"`) {
			t.Errorf("%s: %d, or does not lead back", path, resp.StatusCode)
		}
	}
	if resp, _ := d.send("POST", "/console/clock", url.Values{"advance": {"5m"}}); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a form: %d", resp.StatusCode)
	}
	resp, _ := d.send("POST", "/sign-in", url.Values{"token": {"a-token-of-24-characters"}, "back": {"/console/keys"}})
	if resp.Header.Get("Location") != "/console/keys" {
		t.Errorf("leads to %q", resp.Header.Get("Location"))
	}
}

func TestALinkFromAnotherPartyOpensThePageByANavigationOfOurs(t *testing.T) {
	d := open(t, nil)
	resp, body := d.send("GET", "/console/personas?q=an", nil, "Sec-Fetch-Site", "same-site")
	if resp.StatusCode != http.StatusForbidden || resp.Header.Get("Refresh") != "0; url=/console/personas?q=an" || strings.Contains(body, an) {
		t.Errorf("%d, Refresh %q", resp.StatusCode, resp.Header.Get("Refresh"))
	}
}

func TestTheClockIsMovedAndSaysWhatWasWrong(t *testing.T) {
	d := open(t, nil)
	d.get("/console/clock", "Đang chạy theo giờ thật.")
	d.post("/console/clock", url.Values{"advance": {"36h"}}, "Đã chỉnh đồng hồ.", "36h0m0s")
	d.post("/console/clock", url.Values{"set": {"2030-01-02T03:04:05+07:00"}}, "03:04:0", "02/01/2030")
	for _, form := range []url.Values{{"advance": {"bao lâu"}}, {"advance": {"9000000h"}}, {"set": {"mai"}}, {"set": {"2230-01-02T03:04:05Z"}}, {}} {
		typed := form.Get("advance") + form.Get("set")
		body := d.refused(http.StatusUnprocessableEntity, "/console/clock", form, "02/01/2030", `aria-invalid="true"`)
		if typed != "" {
			d.wants("the form that came back", body, `value="`+typed+`"`)
		}
	}
	d.post("/console/clock", url.Values{"reset": {"true"}}, "Đang chạy theo giờ thật.")
}

func TestAKeyIsRotatedStageByStage(t *testing.T) {
	d := open(t, nil)
	d.get("/console/keys", "Công bố khóa mới", "đang ký", d.Issuer+"/keys")
	rotate := func(stage string) url.Values { return url.Values{"alg": {"RS256"}, "stage": {stage}} }
	d.refused(http.StatusConflict, "/console/keys/rotate", rotate("use"), "Bước này chưa làm được")
	d.post("/console/keys/rotate", rotate("publish"), "Dùng khóa mới", "chờ dùng")
	d.post("/console/keys/rotate", rotate("use"), "Bỏ khóa cũ", "khóa cũ")
	d.post("/console/keys/rotate", rotate("retire"), "Công bố khóa mới", "đã bỏ")
	d.refused(http.StatusUnprocessableEntity, "/console/keys/rotate", url.Values{"alg": {"HS256"}, "stage": {"use"}})
	if resp, _ := d.send("GET", "/console/keys/rotate", nil); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/console/keys" {
		t.Errorf("a reload of the answer: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
}

func TestTheConfigurationInForceShowsNoSecret(t *testing.T) {
	d := open(t, func(c *sandbox.Config) {
		c.SealingKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	})
	body := d.get("/console/config", "otp_lifetime", "2m0s", "VNEID_SANDBOX_KEY", "đã đặt", "VNEID_SANDBOX_TOKEN", "không đặt", "sqlite::memory:")
	if strings.Contains(body, "00112233") {
		t.Error("the page shows the sealing key")
	}
}

func TestHealthNamesItsParts(t *testing.T) {
	d := open(t, nil)
	d.get("/console/health", "sqlite::memory:", "v1.2.3", d.Issuer, "Hàng đợi băm mật khẩu", "0 / ")
}
