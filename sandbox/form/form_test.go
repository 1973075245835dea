package form

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestOnlyOwnFormsWithinBoundsAndInUTF8AreRead(t *testing.T) {
	for name, c := range map[string]struct{ body, site, want string }{
		"our own":         {"a=1&b=%C3%A1", "same-origin", ""},
		"an old browser":  {"a=1", "", ""},
		"another site":    {"a=1", "cross-site", "form_stale"},
		"another port":    {"a=1", "same-site", "form_stale"},
		"too long":        {"a=" + strings.Repeat("x", 200), "same-origin", "too_large"},
		"no UTF-8":        {"a=%FF", "same-origin", "invalid_utf8"},
		"a NUL":           {"a%00=1", "same-origin", "invalid_utf8"},
		"no form at all":  {"a=%zz", "same-origin", "bad_request_parameter"},
		"in the address":  {"", "same-origin", ""},
		"nothing, at all": {"", "", ""},
	} {
		r := httptest.NewRequest("POST", "http://localhost/x?q=1", strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		err := Read(httptest.NewRecorder(), r, 100)
		if got := vneid.MsgKey(err); err == nil != (c.want == "") || err != nil && got != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && r.Form.Get("q") != "1" {
			t.Errorf("%s: the address was not read", name)
		}
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	for code, want := range map[vneid.Code]int{vneid.CodeInvalid: 422, vneid.CodeNotFound: 404, vneid.CodeForbidden: 403, vneid.CodeConflict: 409,
		vneid.CodeExpired: 410, vneid.CodeExhausted: 429, vneid.CodeUnavailable: 503, "another": http.StatusInternalServerError} {
		if got := Status(code); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}
