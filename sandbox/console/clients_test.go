package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var secretOnPage = regexp.MustCompile(`<code class="pick big">([A-Za-z0-9_-]{43})</code>`)

func TestAClientIsRegisteredAndItsSecretShownOnce(t *testing.T) {
	d := open(t, nil)
	form := url.Values{"client_id": {"cong-xa"}, "client_name": {"Cổng xã"}, "redirect_uris": {"http://localhost:3000/cb\r\n\r\n http://127.0.0.1:3000/cb "},
		"token_endpoint_auth_method": {"client_secret_post"}, "scope": {"openid", "profile"}, "consent": {"always"}, "grant_types": {"authorization_code"},
		"id_token_signed_response_alg": {"ES256"}, "subject_type": {"public"}, "id_token_claims": {"cccd"}, "min_account_level": {"2"}, "number_matching": {"true"},
		"access_token_lifetime": {"60"}, "post_logout_redirect_uris": {"http://localhost:3000/"}}
	resp, body := d.send("POST", "/console/clients", form)
	found := secretOnPage.FindStringSubmatch(body)
	if resp.StatusCode != http.StatusCreated || found == nil || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d, secret %v", resp.StatusCode, found)
	}
	if again := d.get("/console/clients/cong-xa", "Cổng xã", "không xem lại được"); strings.Contains(again, found[1]) {
		t.Error("the secret is shown again")
	}
	var c map[string]any
	_, raw := d.send("GET", "/api/v1/clients/cong-xa", nil)
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{"consent": "always", "scope": "openid profile", "id_token_signed_response_alg": "ES256", "subject_type": "public",
		"min_account_level": 2.0, "access_token_lifetime": 60.0, "number_matching": true, "require_pkce": false, "token_endpoint_auth_method": "client_secret_post"} {
		if c[field] != want {
			t.Errorf("%s is %v, want %v", field, c[field], want)
		}
	}
	if uris, _ := c["redirect_uris"].([]any); len(uris) != 2 || uris[1] != "http://127.0.0.1:3000/cb" {
		t.Errorf("redirect_uris are %v", c["redirect_uris"])
	}

	_, body = d.send("POST", "/console/clients/cong-xa/secret", url.Values{})
	next := secretOnPage.FindStringSubmatch(body)
	if next == nil || next[1] == found[1] {
		t.Errorf("a new secret: %v", next)
	}
	form.Set("token_endpoint_auth_method", "none")
	d.post("/console/clients/cong-xa", form, "Đã lưu client.", "client công khai dùng PKCE")
	d.post("/console/clients/cong-xa/delete", url.Values{}, "Đã xóa client.")
	d.get("/console/clients?q=cong+xa", "Không có client nào như vậy.")
	d.get("/console/clients?q=cua+ban", "my-portal")
}

func TestMistakesOfAClientStandBesideTheirFieldsInBothLanguages(t *testing.T) {
	d := open(t, nil)
	form := url.Values{"client_id": {"cổng"}, "client_name": {"Tên đã gõ"}, "consent": {"maybe"}, "scope": {"openid", "everything"}, "min_account_level": {"9"},
		"access_token_lifetime": {"lâu"}, "redirect_uris": {strings.Join([]string{"http://localhost/ok", "https://dichvucong.gov.vn/cb", "localhost:1", "ftp://localhost/", "http://u:p@localhost/",
			"http://localhost/#x", "http://8.8.8.8/", "http://169.254.1.1/", "http://0x7f000001/", "http://example.com/", "http:///x"}, "\n")}}
	body := d.refused(http.StatusUnprocessableEntity, "/console/clients", form, "Tên đã gõ", "cổng", `id="f-access_token_lifetime-error"`, "https://dichvucong.gov.vn/cb")
	if english := regexp.MustCompile(`class="wrong"[^>]*>[^<]*\b(?:must|only|hosts|address|is|not|refused|none of)\b`).FindString(body); english != "" {
		t.Errorf("English on a Vietnamese page: %s", english)
	}
	delete(form, "access_token_lifetime")
	body = d.refused(http.StatusUnprocessableEntity, "/console/clients", form, `id="f-client_id-error"`, `id="f-consent-error"`, `id="f-scope-error"`, `id="f-min_account_level-error"`)
	for line, says := range map[string]string{"2": "tên máy dưới .gov.vn", "4": "phải bắt đầu bằng http", "5": "không được chứa tên người dùng", "6": "dấu #", "7": "địa chỉ công cộng", "8": "link-local",
		"9": "không phải tên máy", "10": "chỉ nhận loopback", "11": "không có tên máy"} {
		if !regexp.MustCompile(`Dòng ` + line + `: [^:]*` + regexp.QuoteMeta(says)).MatchString(body) {
			t.Errorf("line %s does not say %q", line, says)
		}
	}
	if english := regexp.MustCompile(`class="wrong"[^>]*>[^<]*\b(?:must|only|hosts|address|is none|refused)\b`).FindString(body); english != "" {
		t.Errorf("English on a Vietnamese page: %s", english)
	}
	d.refused(http.StatusConflict, "/console/clients", url.Values{"client_id": {"my-portal"}, "redirect_uris": {"http://localhost/"}}, "Mã này đã có client dùng.")
	d.refused(http.StatusUnprocessableEntity, "/console/clients/my-portal", url.Values{"redirect_uris": {""}}, "ần ít nhất một địa chỉ")
	resp, _ := d.send("POST", "/console/clients/nobody", url.Values{"redirect_uris": {"http://localhost/"}})
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("a client that is not there: %d", resp.StatusCode)
	}
}

func TestSnippetsAreFilledInForEachKindOfClient(t *testing.T) {
	d := open(t, nil)
	for method, secret := range map[string]bool{"client_secret_basic": true, "client_secret_post": true, "none": false} {
		d.send("POST", "/console/clients", url.Values{"client_id": {"c-" + method}, "redirect_uris": {`http://localhost:3000/it's/"$back"`}, "token_endpoint_auth_method": {method}})
		body := d.get("/console/clients/c-"+method, "Spring Boot", "ASP.NET Core", "PHP", "Node.js", "Python", "Go (go-oidc)", "Keycloak", "mod_auth_openidc")
		blocks := strings.Split(body, "<pre")[1:]
		if len(blocks) != 8 {
			t.Fatalf("%d snippets", len(blocks))
		}
		for _, block := range blocks {
			code, _, _ := strings.Cut(block, "</pre>")
			if !strings.Contains(code, "c-"+method) || !strings.Contains(code, d.Issuer) || strings.Contains(code, "&lt;no value") {
				t.Errorf("%s: not filled in: %s", method, code)
			}
			if strings.Contains(code, "VNEID_CLIENT_SECRET") != secret {
				t.Errorf("%s: secret %v in %s", method, !secret, code)
			}
			if strings.Contains(code, "it&#39;s") || strings.Contains(code, "/&#34;$") {
				t.Errorf("%s: a quote of the address ends a string: %s", method, code)
			}
		}
	}
}
