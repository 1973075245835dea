package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Problem is an error answer, RFC 9457. It is an error of Go too, so that
// handlers return it.
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Code      string       `json:"code,omitempty"`   // for programs: invalid_redirect_uri
	Errors    []FieldError `json:"errors,omitempty"` // every invalid field
	RequestID string       `json:"request_id,omitempty"`

	// Of a login that was driven and stopped.
	Step     string `json:"step,omitempty"`
	Advice   string `json:"advice,omitempty"`   // what to do about it
	Login    string `json:"login,omitempty"`    // its id
	Callback string `json:"callback,omitempty"` // the way back to the client, with its OAuth error
}

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail) }

// Refuse is a problem with nothing but its status and why.
func Refuse(status int, detail string) *Problem {
	// RFC 9457 §4.2.1: about:blank when the status says the kind.
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// Invalid is the problem of a single field.
func Invalid(field, detail string) *Problem {
	return InvalidFields("", []FieldError{{field, detail}})
}

// InvalidFields is the problem of a request with invalid fields.
func InvalidFields(code string, bad []FieldError) *Problem {
	p := Refuse(http.StatusBadRequest, bad[0].Field+": "+bad[0].Detail)
	if len(bad) > 1 {
		p.Detail = fmt.Sprintf("%d fields are invalid", len(bad))
	}
	p.Code, p.Errors = code, bad
	return p
}

// Write sends the problem. The caller has set further headers before.
func (p *Problem) Write(w http.ResponseWriter) {
	if err := writeJSON(w, p.Status, "application/problem+json", p); err != nil {
		panic(err) // strings and numbers always encode
	}
}

// writeJSON encodes before it sends anything. Its error is that of the
// encoding; a client that went away is none.
func writeJSON(w http.ResponseWriter, status int, contentType string, body any) error {
	if status == http.StatusNoContent {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		return nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	send(w, status, buf.Bytes())
	return nil
}

// send is the end of every answer with a body. Its length is said, so that HEAD
// says it too; a client that left needs no answer.
func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
