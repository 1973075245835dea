package vneid

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an [Error] is. The HTTP layer derives the
// status and the OAuth error from it, never from texts.
type Code string

const (
	CodeInvalid      Code = "invalid"       // the input is malformed
	CodeNotFound     Code = "not_found"     // no such thing in this world
	CodeForbidden    Code = "forbidden"     // understood, and refused
	CodeConflict     Code = "conflict"      // the state does not allow it (any more)
	CodeExpired      Code = "expired"       // it was valid once
	CodeExhausted    Code = "exhausted"     // too many tries
	CodeUnavailable  Code = "unavailable"   // try again later
	CodeInvalidGrant Code = "invalid_grant" // code or refresh token unusable, RFC 6749 §5.2
	CodeInvalidScope Code = "invalid_scope" // RFC 6749 §3.3
)

// Error is a refusal that people read. MsgKey names the Vietnamese and English
// text shown to the citizen, Hint goes to the log and to developers only.
type Error struct {
	Code   Code
	MsgKey string
	Args   []any // placeholders of the text
	Hint   string
	Cause  error

	hintID   string // see Explained
	hintArgs []string
}

// Explained names the text of the table of hints (sandbox/record) that explains
// the refusal to a developer, and what goes into it. Without, it is the one
// called as MsgKey.
func (e *Error) Explained(id string, args ...string) *Error {
	e.hintID, e.hintArgs = id, args
	return e
}

// HintID is the text of the table of hints, and what goes into it.
func (e *Error) HintID() (id string, args []string) {
	if e.hintID == "" {
		for _, a := range e.Args {
			args = append(args, fmt.Sprint(a))
		}
		return e.MsgKey, args
	}
	return e.hintID, e.hintArgs
}

func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.MsgKey
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an [Error] whose hint is formatted.
func Errorf(code Code, msgKey, hint string, args ...any) *Error {
	return &Error{Code: code, MsgKey: msgKey, Hint: fmt.Sprintf(hint, args...)}
}

// IsCode reports whether err is, or wraps, an [Error] of that code.
func IsCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// MsgKey is the text key of err, or "internal" for an error without one.
func MsgKey(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.MsgKey
	}
	return "internal"
}

// Store errors. A Store returns them bare or wrapped; nothing else of its
// inside may reach a user.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	// ErrUnavailable means the database cannot be reached or is full: nothing
	// was written, and the same request may succeed later.
	ErrUnavailable = errors.New("storage unavailable")
)
