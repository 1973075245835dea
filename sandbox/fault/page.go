package fault

import (
	"bytes"
	"html"
	"strings"
)

// The banner of a page ends where its header begins: there stands what is armed.
var pageHead = []byte(`<header class="top">`)

// badge says on a page of the provider which faults are armed for it, so that
// nobody debugs what he forgot.
func badge(x *Exchange, armed []*striker) {
	a := x.Answer
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return
	}
	at := bytes.Index(a.Body, pageHead)
	if at < 0 {
		return
	}
	var titles []string
	for _, s := range armed {
		titles = append(titles, "<code>"+html.EscapeString(s.title())+"</code>")
	}
	note := `<div class="alert armed" role="status"><p><strong lang="vi">Đang bật lỗi cố ý</strong> <span lang="en">(faults are armed)</span>: ` +
		strings.Join(titles, ", ") + "</p></div>\n"
	a.Body = append(append(append([]byte{}, a.Body[:at]...), note...), a.Body[at:]...)
}
