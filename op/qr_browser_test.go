//go:build browser

package op_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The login page in a real Chromium while a phone scans, confirms and refuses:
// the story is in e2e/browser, the phone's side is here.
func TestTheQRCodeInARealBrowser(t *testing.T) {
	w := newWorld(t)
	w.world.Policy.NumberMatching = true
	w.world.Policy.SMSPerNumber = 100
	w.allowWebLogin(an)
	portal := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("portal")) }))
	defer portal.Close()
	w.client(vneid.ClientMetadata{ClientID: "browser", Consent: "never", RedirectURIs: []string{portal.URL + "/callback"}})
	var p *testPhone
	page := func(r *http.Request) string { return "/login/" + r.FormValue("login") }
	control := http.NewServeMux()
	control.HandleFunc("/authorize", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Write([]byte(w.url + "/authorize?" + request("browser", "redirect_uri", portal.URL+"/callback").Encode()))
	})
	control.HandleFunc("/scan", func(rw http.ResponseWriter, r *http.Request) {
		p = w.activate(an)
		p.must("scan", members{"code": w.codeOf(page(r))})
		rw.Write([]byte(strconv.Itoa(w.loginOf(page(r)).QR.Match)))
	})
	control.HandleFunc("/confirm", func(_ http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(r.FormValue("number"))
		p.must("confirm", members{"login": r.FormValue("login"), "number": number})
	})
	control.HandleFunc("/refuse", func(_ http.ResponseWriter, r *http.Request) { p.must("refuse", members{"login": r.FormValue("login")}) })
	control.HandleFunc("/clock", func(_ http.ResponseWriter, r *http.Request) {
		seconds, _ := strconv.Atoi(r.FormValue("seconds"))
		w.clock.SetOffset(time.Duration(seconds) * time.Second)
	})
	hand := httptest.NewServer(control)
	defer hand.Close()
	cmd := exec.Command("node", "--test", "--test-reporter=spec", "qr-page.test.mjs")
	cmd.Dir = "../e2e/browser"
	cmd.Env = append(os.Environ(), "CONTROL="+hand.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v (make test-tools installs what this needs)\n%s", err, out)
	}
}
