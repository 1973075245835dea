package phone

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Whatever somebody uploads is a code or a refusal for people; and a picture
// never costs more than its bounds.
func FuzzPicture(f *testing.F) {
	f.Add(encode(f, drawQR(f, 120), true))
	f.Add(encode(f, drawQR(f, 120), false))
	f.Add(encode(f, photo(drawQR(f, 120), 200, 200, 10, 40), false))
	f.Add(encode(f, transparent(f), true))
	f.Add(hugePNG(4096, 4096))
	f.Add(hugePNG(100_000, 100_000))
	f.Add([]byte("GIF89a"))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe0})
	q := newReader()
	f.Fuzz(func(t *testing.T, picture []byte) {
		text, err := q.read(t.Context(), picture)
		var e *vneid.Error
		if err != nil && (!errors.As(err, &e) || text != "") {
			t.Errorf("%q, %v", text, err)
		}
		if q.waiting.Load() != 0 || len(q.slots) != 0 || len(q.large) != 0 {
			t.Error("a place was not given back")
		}
	})
}

// A form for the scanner, in either shape, is read or refused.
func FuzzScanForm(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", []byte("code=0000-0000"))
	f.Add("application/x-www-form-urlencoded", []byte("code=http%3A%2F%2Flocalhost%3A9997%2Fphone%2Fscan%3Fcode%3DAAAA&code=x"))
	f.Add("application/x-www-form-urlencoded", []byte("code=%00%ff&%zz=;"))
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("picture", "qr.png")
	if err != nil {
		f.Fatal(err)
	}
	part.Write(encode(f, drawQR(f, 120), true))
	form.Close()
	f.Add(form.FormDataContentType(), body.Bytes())
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\n\r\n--x--"))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\n--x\r\n--x\r\n"))
	f.Add("multipart/form-data", []byte("--"))
	p := New(Config{})
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, Prefix+"/scan", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{contentType}
		err := prepare(httptest.NewRecorder(), r)
		code := ""
		if err == nil {
			code, err = p.scanned(r)
		}
		var e *vneid.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%v", err)
		}
		if err == nil && !takesPicture(r) && (!utf8.ValidString(code) || strings.ContainsRune(code, 0)) {
			t.Errorf("%q came through", code)
		}
		if len(p.uploads) != 0 {
			t.Error("a place was not given back")
		}
	})
}

// The provider may be anybody's implementation, or a proxy's error page.
func FuzzRefusal(f *testing.F) {
	f.Add(403, []byte(`{"type":"about:blank","status":403,"code":"passcode_wrong","args":[4],"detail":"wrong"}`))
	f.Add(429, []byte(`{"code":"x","args":["a",1e99,null,{}]}`))
	f.Add(502, []byte("<html>"))
	f.Add(200, []byte(`{"code":""}`))
	f.Fuzz(func(t *testing.T, status int, raw []byte) {
		err := refusalOf(status, raw)
		var e *vneid.Error
		if !errors.As(err, &e) || e.Code == "" || e.MsgKey == "" {
			t.Fatalf("%v", err)
		}
		argOf(err)
		a := &app{}
		a.learn(err)
		a.show(err)
		for _, n := range []*refusal{a.Slip, a.Notice} {
			n.args()
		}
	})
}
