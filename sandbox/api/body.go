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
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// readBody reads a request's body to its end.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	return body, nil
}

// readObject reads a request body that is one JSON object into the struct that
// into points to. It returns which fields were there (true: with a value), and everything that is
// wrong with single fields; err is for a body that is no object at all. A null
// sets the field to its zero value (RFC 7396: it removes it).
func readObject(r *http.Request, into any) (given map[string]bool, bad []FieldError, err error) {
	body, err := readBody(r)
	if err != nil {
		return nil, nil, err
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
	return parseObjectOver(body, into, nil)
}

// parseObjectOver is parseObject in which a null gives a field what usual has,
// a struct of the same type.
func parseObjectOver(body []byte, into, usual any) (given map[string]bool, bad []FieldError, err error) {
	if !utf8.Valid(body) {
		return nil, nil, Refuse(http.StatusBadRequest, "the body is not UTF-8")
	}
	o := object{given: map[string]bool{}}
	if err := o.read("", body, reflect.ValueOf(into).Elem(), reflect.ValueOf(usual)); err != nil {
		return nil, nil, err
	}
	return o.given, o.bad, nil
}

// object is a JSON object on its way into a struct.
type object struct {
	given map[string]bool // by name; false = as null; a field of an object within as "address.street"
	bad   []FieldError
}

func (o *object) wrong(name, format string, args ...any) {
	o.bad = append(o.bad, FieldError{name, fmt.Sprintf(format, args...)})
}

// read reads one object. within names its fields: "" or "address.".
func (o *object) read(within string, body []byte, into, usual reflect.Value) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return Refuse(http.StatusBadRequest, "the body must be one JSON object")
	}
	fields := map[string]reflect.Value{}
	names := jsonFields(into, fields, nil)
	normal := map[string]reflect.Value{}
	if usual.IsValid() {
		jsonFields(usual.Elem(), normal, nil)
	}
	for dec.More() {
		var raw json.RawMessage
		key, err := dec.Token()
		if err == nil {
			err = dec.Decode(&raw)
		}
		if err != nil {
			return notJSON(err)
		}
		name := key.(string) // the decoder takes nothing else for a key
		field, known := fields[name]
		name = within + name
		_, twice := o.given[name]
		switch {
		case twice:
			o.wrong(name, "given twice")
		case name == "client_secret":
			o.wrong(name, "the sandbox makes it and shows it once, in its answer")
		case !known:
			m := strictyaml.Unknown("", key.(string), names)
			o.wrong(name, "%s; %s", m.What, m.Hint)
		default:
			field.SetZero() // what was there may be shared, so never decode into it
			if usual, ok := normal[key.(string)]; ok && string(raw) == "null" {
				field.Set(usual)
			} else if err := o.value(name, raw, field); err != nil {
				return err
			}
		}
		o.given[name] = string(raw) != "null"
	}
	if _, err := dec.Token(); err != nil {
		return notJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Refuse(http.StatusBadRequest, "something follows the JSON object")
	}
	return nil
}

// keySet may have members that nobody here knows, RFC 7517 §5.
var keySet = reflect.TypeFor[vneid.JWKSet]()

// value reads one field. An object of ours is held to its fields too.
func (o *object) value(name string, raw json.RawMessage, field reflect.Value) error {
	of := field.Type()
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	_, itself := reflect.New(of).Interface().(json.Unmarshaler)
	if of.Kind() == reflect.Struct && !itself && of != keySet && len(raw) > 0 && raw[0] == '{' {
		made := reflect.New(of)
		if err := o.read(name+".", raw, made.Elem(), reflect.Value{}); err != nil {
			return err
		}
		if field.Kind() == reflect.Pointer {
			field.Set(made)
		} else {
			field.Set(made.Elem())
		}
		return nil
	}
	if of.Kind() == reflect.Map && !itself && len(raw) > 0 && raw[0] == '{' {
		return o.texts(name, raw, field)
	}
	if json.Unmarshal(raw, field.Addr().Interface()) != nil {
		field.SetZero() // of a list, the items before the wrong one are there
		o.wrong(name, "must be %s", jsonType(field.Type()))
	}
	return nil
}

// texts reads an object of strings, whatever its members are called.
func (o *object) texts(name string, raw json.RawMessage, field reflect.Value) error {
	texts := map[string]string{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return notJSON(err)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return notJSON(err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return notJSON(err)
		}
		member, text := key.(string), new(string)
		if _, twice := texts[member]; twice {
			o.wrong(name+"."+member, "given twice")
		} else if json.Unmarshal(value, &text) != nil || text == nil {
			o.wrong(name+"."+member, "must be a string")
			text = new(string)
		}
		texts[member] = *text
	}
	field.Set(reflect.ValueOf(texts))
	return nil
}

func notJSON(err error) error {
	return Refuse(http.StatusBadRequest, "the body is not JSON: "+err.Error())
}

// jsonFields finds the fields of a struct by their JSON names.
func jsonFields(v reflect.Value, fields map[string]reflect.Value, names []string) []string {
	for i := range v.NumField() {
		if v.Type().Field(i).Anonymous {
			names = jsonFields(v.Field(i), fields, names)
			continue
		}
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
	case reflect.Struct:
		return "an object"
	case reflect.Map:
		return "an object of strings"
	}
	return "a string"
}
