package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// page is a login in a browser, at its first page.
type page struct {
	d       *described
	http    *http.Client
	address string
	login   string
	code    string // of the QR code
}

// page begins a login, as a browser does.
func (d *described) page(client string) *page {
	d.t.Helper()
	var world []struct{ ID, Issuer string }
	call(d.t, "GET", d.api+"/worlds", "", &world)
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	p := &page{d: d, http: &http.Client{Jar: jar}}
	resp, err := p.http.Get(world[0].Issuer + "/authorize?response_type=code&scope=openid&state=s&client_id=" + client + "&redirect_uri=" + url.QueryEscape("http://localhost/callback"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	code := regexp.MustCompile(`<code id="qr-code"[^>]*>([^<]*)<`).FindSubmatch(raw)
	if code == nil {
		d.t.Fatalf("no QR code on %s: %.500s", resp.Request.URL, raw)
	}
	p.code, p.address = string(code[1]), resp.Request.URL.String()
	p.login = p.address[strings.LastIndexByte(p.address, '/')+1:]
	return p
}

func (p *page) post(step string, form url.Values) {
	p.d.t.Helper()
	resp, err := p.http.PostForm(p.address+step, form)
	if err != nil {
		p.d.t.Fatal(err)
	}
	resp.Body.Close()
}

// scanned is a login whose code that phone scanned.
func (d *described) scanned(cccd string) (login string) {
	d.t.Helper()
	var scan struct{ Login string }
	if resp := call(d.t, "POST", d.api+"/phones/"+cccd+"/scan", fmt.Sprintf(`{"code":%q}`, d.page("my-portal").code), &scan); resp.StatusCode != 200 {
		d.t.Fatalf("scan: %d", resp.StatusCode)
	}
	return scan.Login
}
