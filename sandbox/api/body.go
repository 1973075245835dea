package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
)

// readObject reads a request body that is one JSON object into the struct that
// into points to. It returns which fields were there, and everything that is
// wrong with single fields; err is for a body that is no object at all. A null
// sets the field to its zero value (RFC 7396: it removes it).
func readObject(r *http.Request, into any) (given map[string]bool, bad []FieldError, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, nil, bodyError(err)
	}
	return parseObject(body, into)
}

// bodyError is the problem of a body that could not be read to its end.
func bodyError(err error) error {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return Refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("a body may have %d bytes", tooLong.Limit))
	}
	return Refuse(http.StatusBadRequest, "the body ended too early")
}

func parseObject(body []byte, into any) (given map[string]bool, bad []FieldError, err error) {
	if !utf8.Valid(body) {
		return nil, nil, Refuse(http.StatusBadRequest, "the body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, nil, Refuse(http.StatusBadRequest, "the body must be one JSON object")
	}
	fields := map[string]reflect.Value{}
	names := jsonFields(reflect.ValueOf(into).Elem(), fields, nil)
	given = map[string]bool{}
	for dec.More() {
		var raw json.RawMessage
		key, err := dec.Token()
		if err == nil {
			err = dec.Decode(&raw)
		}
		if err != nil {
			return nil, nil, notJSON(err)
		}
		name := key.(string) // the decoder takes nothing else for a key
		field, known := fields[name]
		switch {
		case given[name]:
			bad = append(bad, FieldError{name, "given twice"})
		case name == "client_secret":
			bad = append(bad, FieldError{name, "the sandbox makes it and shows it once, in its answer"})
		case !known:
			m := strictyaml.Unknown("", name, names)
			bad = append(bad, FieldError{m.Key, m.What + "; " + m.Hint})
		default:
			field.SetZero() // what was there may be shared, so never decode into it
			if json.Unmarshal(raw, field.Addr().Interface()) != nil {
				field.SetZero() // of a list, the items before the wrong one are there
				bad = append(bad, FieldError{name, "must be " + jsonType(field.Type())})
			}
		}
		given[name] = true
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, notJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, Refuse(http.StatusBadRequest, "something follows the JSON object")
	}
	return given, bad, nil
}

func notJSON(err error) error {
	return Refuse(http.StatusBadRequest, "the body is not JSON: "+err.Error())
}

// jsonFields finds the fields of a struct by their JSON names.
func jsonFields(v reflect.Value, fields map[string]reflect.Value, names []string) []string {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = v.Field(i)
		names = append(names, name)
	}
	return names
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list of strings"
	}
	return "a string"
}
