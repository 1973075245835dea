// Package form reads what browsers post to the pages of the sandbox: forms of
// our own pages only, within bounds, in UTF-8. It knows no page and decides
// nothing; whoever calls it answers the error.
package form

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

var sameOrigin = http.NewCrossOriginProtection()

// Read refuses forms of other sites and reads the others into r.Form, limit
// bytes at most. Bodies of other types it leaves alone, within the limit. Its
// errors are a vneid.Error.
func Read(w http.ResponseWriter, r *http.Request, limit int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if r.Method == http.MethodPost {
		if err := sameOrigin.Check(r); err != nil {
			return vneid.Errorf(vneid.CodeForbidden, "form_stale", "form of another site: %v", err)
		}
	}
	if err := r.ParseForm(); err != nil {
		return Unreadable(err)
	}
	for name, values := range r.Form {
		for _, v := range values {
			if !plainText(name) || !plainText(v) {
				return vneid.Errorf(vneid.CodeInvalid, "invalid_utf8", "parameter with NUL or bytes that are no UTF-8")
			}
		}
	}
	return nil
}

func plainText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// Unreadable says what was wrong with a body.
func Unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return vneid.Errorf(vneid.CodeInvalid, "too_large", "body over %d bytes", tooLarge.Limit)
	}
	return vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "unreadable form: %v", err)
}

var statuses = map[vneid.Code]int{
	vneid.CodeInvalid: http.StatusUnprocessableEntity, vneid.CodeNotFound: http.StatusNotFound, vneid.CodeForbidden: http.StatusForbidden,
	vneid.CodeConflict: http.StatusConflict, vneid.CodeExpired: http.StatusGone, vneid.CodeExhausted: http.StatusTooManyRequests,
	vneid.CodeUnavailable: http.StatusServiceUnavailable,
}

// Status is that of a page which says why something was refused.
func Status(c vneid.Code) int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}
