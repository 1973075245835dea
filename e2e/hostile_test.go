//go:build e2e

package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// refused reads an answer that must be a 4xx of the right kind, or a connection closed in the middle of too much input.
func (w *world) refused(t *testing.T, req *http.Request, kind string, statuses ...int) {
	t.Helper()
	res, err := w.http.Do(req)
	if err != nil {
		return // the server stopped reading
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	for _, status := range statuses {
		if res.StatusCode == status {
			if !strings.HasPrefix(res.Header.Get("Content-Type"), kind) {
				t.Errorf("%s %s: content type %s, want %s", req.Method, req.URL.Path, res.Header.Get("Content-Type"), kind)
			}
			if kind == "text/html" && !strings.Contains(plain(string(raw)), banner) {
				t.Errorf("%s %s: the banner is missing", req.Method, req.URL.Path)
			}
			return
		}
	}
	t.Errorf("%s %s: status %d, want %v: %.300s", req.Method, req.URL.Path, res.StatusCode, statuses, raw)
}

func TestOversizedInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	v := w.visitor(t)
	r := w.request(seededPortal)
	v.Open(r.URL())
	_, target, form := v.request(v.at.Control("Đăng nhập"))
	post := func(address, kind string, body io.Reader) *http.Request {
		req, err := http.NewRequest("POST", address, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		for _, c := range cookies(v.jar, w.Issuer) {
			req.AddCookie(c)
		}
		return req
	}
	const urlencoded = "application/x-www-form-urlencoded"
	huge := strings.Repeat("x", 8<<20)
	form.Set("junk", huge)
	t.Run("a huge form gets a page", func(t *testing.T) {
		w.refused(t, post(target.String(), urlencoded, strings.NewReader(form.Encode())), "text/html", 400, 413)
	})
	t.Run("so does one that does not say its length", func(t *testing.T) {
		w.refused(t, post(target.String(), urlencoded, io.MultiReader(strings.NewReader(form.Encode()))), "text/html", 400, 413)
	})
	t.Run("the token endpoint answers in JSON", func(t *testing.T) {
		w.refused(t, post(w.Issuer+"/oauth/token", urlencoded, strings.NewReader("grant_type=authorization_code&code="+huge)), "application/json", 400, 413)
	})
	t.Run("and so does the API", func(t *testing.T) {
		w.refused(t, post(w.Sandbox+"/api/v1/clients", "application/json", strings.NewReader(`{"client_name":"`+huge+`"}`)), "application/problem+json", 400, 413)
	})
	t.Run("huge headers are refused everywhere", func(t *testing.T) {
		for _, address := range []string{w.Issuer + "/authorize", w.Sandbox + "/api/v1/sms", w.Portal + "/"} {
			req, _ := http.NewRequest("GET", address, nil)
			req.Header.Set("X-Huge", strings.Repeat("x", 2<<20))
			if res, err := w.http.Do(req); err == nil {
				res.Body.Close()
				if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
					t.Errorf("%s: %d, want 431", address, res.StatusCode)
				}
			}
		}
	})
	t.Run("a very long query does not crash it", func(t *testing.T) {
		req, _ := http.NewRequest("GET", w.request(seededPortal, "login_hint", strings.Repeat("9", 60000)).URL(), nil)
		if res, err := w.http.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode != http.StatusSeeOther && res.StatusCode/100 != 4 { // a login, or a refusal
				t.Errorf("got %d", res.StatusCode)
			}
		}
	})
	t.Run("a thousand parameters and a deep JSON do not crash it", func(t *testing.T) {
		many := url.Values{}
		for i := range 1000 {
			many.Set(fmt.Sprint("p", i), "x")
		}
		w.refused(t, post(w.Issuer+"/oauth/token", urlencoded, strings.NewReader(many.Encode())), "application/json", 400, 401, 413)
		deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
		w.refused(t, post(w.Sandbox+"/api/v1/clients", "application/json", strings.NewReader(deep)), "application/problem+json", 400, 413, 422)
	})
	t.Run("nothing is lost: the login goes on", func(t *testing.T) {
		v.PasswordStep(an.CCCD, password)
		v.EnterOTP(w.awaitSMS(t, an.Phone, 0).OTP)
		v.wantCode(r)
	})
}

func TestBrokenHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	say := func(t *testing.T, text string) string {
		t.Helper()
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(w.Issuer, "http://"), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, text)
		line, _ := bufio.NewReader(c).ReadString('\n')
		return strings.TrimSpace(line)
	}
	for name, text := range map[string]string{
		"no HTTP at all":    "hello\r\n\r\n",
		"two hosts":         "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
		"no host":           "GET /authorize HTTP/1.1\r\n\r\n",
		"a smuggled length": "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
	} {
		t.Run(name, func(t *testing.T) {
			if line := say(t, text); line != "" && !strings.HasPrefix(line, "HTTP/1.1 4") && !strings.HasPrefix(line, "HTTP/1.0 4") {
				t.Errorf("answered %q", line)
			}
		})
	}
	t.Run("invalid escapes and UTF-8 in the query", func(t *testing.T) {
		for _, q := range []string{"?state=%zz", "?%", "?client_id=%ff%fe&redirect_uri=%ff", "?client_id=my-portal&state=%ff%00", "?;;;", "?a=1;b=2"} {
			line := say(t, "GET /authorize"+q+" HTTP/1.1\r\nHost: "+strings.TrimPrefix(w.Issuer, "http://")+"\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(line, "HTTP/1.1 4") {
				t.Errorf("%s: %q", q, line)
			}
		}
	})
	t.Run("invalid UTF-8 in a good request's state is refused or comes back as it was", func(t *testing.T) {
		v := w.visitor(t)
		r := w.request(seededPortal, "state", "\xff\xfe", "prompt", "none")
		v.Open(r.URL())
		switch {
		case !v.at.Landed:
			v.wantErrorPage()
		case v.at.Query("state") != "\xff\xfe" && v.at.Query("error") != "invalid_request":
			t.Errorf("got %s", v.at.URL)
		}
	})
	t.Run("unknown paths are pages with the banner, unknown methods are refused", func(t *testing.T) {
		for _, path := range []string{"/", "/nothing", "/login", "/otp/../../x", "/.env", "/w/other/authorize"} {
			v := w.visitor(t)
			if v.Open(w.Issuer + path); v.at.Status >= 500 {
				t.Errorf("%s: %s", path, v.describe())
			}
		}
		req, _ := http.NewRequest("TRACE", w.Issuer+"/authorize", nil)
		if res, _ := w.do(t, req); res.StatusCode/100 != 4 {
			t.Errorf("TRACE answers %d", res.StatusCode)
		}
	})
}
