package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// begin opens an authorization request, from which a record comes.
func (d *desk) begin(pairs ...string) {
	d.t.Helper()
	q := url.Values{"client_id": {"my-portal"}, "redirect_uri": {"http://localhost:1/callback"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	resp, err := client.Get(d.Issuer + "/authorize?" + q.Encode())
	if err != nil {
		d.t.Fatal(err)
	}
	resp.Body.Close()
}

func TestLoginsAreListedAndOpened(t *testing.T) {
	d := open(t, nil)
	if _, page := d.send("GET", "/console/logins", nil); !strings.Contains(page, "Chưa có lượt đăng nhập nào") {
		t.Errorf("an empty list:\n%.2000s", page)
	}
	d.begin()
	d.begin("redirect_uri", "http://localhost:1/callback/", "client_id", "my-portal")
	_, page := d.send("GET", "/console/logins", nil)
	links := regexp.MustCompile(`href="(/console/logins/[\w-]+)"`).FindAllStringSubmatch(page, -1)
	if len(links) != 2 || !strings.Contains(page, "redirect_uri_invalid") || !strings.Contains(page, banner) {
		t.Fatalf("%v\n%.3000s", links, page)
	}
	_, page = d.send("GET", links[0][1]+"?lang=en", nil)
	for _, want := range []string{"it differs from “http://localhost:1/callback” at character 28: trailing slash", "khác từ ký tự thứ 28: dấu / ở cuối", `<ol id="steps"`,
		"curl -i -G", "Authorization request", `id="step-1" class="step failed"`, "<details open>"} {
		if !strings.Contains(strings.ReplaceAll(page, "&#39;", "'"), want) {
			t.Errorf("the record does not say %q", want)
		}
	}
	resp, text := d.send("GET", links[0][1]+"/export.md", nil)
	if !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(text, "## 1. browser → provider: authorize") {
		t.Errorf("%v\n%.500s", resp.Header, text)
	}
	for query, want := range map[string]int{"?result=rejected": 1, "?result=pending": 1, "?client_id=my-portal": 2, "?client_id=x": 0, "?cccd=" + an: 0, "?result=nonsense": 0} {
		if _, page := d.send("GET", "/console/logins"+query, nil); strings.Count(page, "<tr role=\"row\"><th role=\"rowheader\"") != want {
			t.Errorf("%s does not list %d", query, want)
		}
	}
	if resp, page := d.send("GET", "/console/logins?cccd=12", nil); resp.StatusCode != 422 || !strings.Contains(page, `role="alert"`) {
		t.Errorf("a number that is none: %d", resp.StatusCode)
	}
	if resp, _ := d.send("GET", "/console/logins/nothing", nil); resp.StatusCode != 404 {
		t.Errorf("no such record: %d", resp.StatusCode)
	}
}
