package storage

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// ms is how a time is stored: text would compare wrongly across zones.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMS is the time again, in UTC.
func fromMS(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// toJSON encodes what nobody searches. Our types always encode.
func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("storage: %T cannot be JSON: %v", v, err))
	}
	return string(b)
}

// fromJSON reads into a value that is still empty.
func fromJSON(s string, v any) error {
	if s == "null" {
		return nil // often, and nothing to parse
	}
	if err := json.Unmarshal([]byte(s), v); err != nil {
		return fmt.Errorf("storage: stored JSON is damaged: %w", err)
	}
	return nil
}

// listFromJSON reads a list of texts. What is as plain as ours mostly are needs no
// parser.
func listFromJSON(s string) (list []string, err error) {
	inner, begins := strings.CutPrefix(s, `["`)
	inner, ends := strings.CutSuffix(inner, `"]`)
	if begins && ends && !strings.Contains(inner, `\`) {
		list = strings.Split(inner, `","`)
		if strings.Count(inner, `"`) == 2*(len(list)-1) {
			return list, nil
		}
	}
	list = nil
	return list, fromJSON(s, &list)
}

// authColumns are the columns of a vneid.Authentication.
type authColumns struct {
	AuthMS int64  `gorm:"column:auth_ms"`
	ACR    string `gorm:"column:acr"`
	AMR    string `gorm:"column:amr"`
}

func authRow(a vneid.Authentication) authColumns {
	return authColumns{AuthMS: ms(a.Time), ACR: a.ACR, AMR: toJSON(a.AMR)}
}

func (c authColumns) value() (vneid.Authentication, error) {
	a := vneid.Authentication{Time: fromMS(c.AuthMS), ACR: c.ACR}
	var err error
	a.AMR, err = listFromJSON(c.AMR)
	return a, err
}

// checkText refuses texts that would not come back as they went in: JSON
// replaces bytes that are not UTF-8, and not every database takes a NUL.
func checkText(v any) error {
	if text, ok := findBadText(reflect.ValueOf(v)); ok {
		return vneid.Errorf(vneid.CodeInvalid, "invalid_utf8", "a text is not UTF-8 or contains a NUL: %.40q", text)
	}
	return nil
}

// storable reports whether rows with these keys can exist: texts that
// checkText refuses are not even sent, since PostgreSQL fails on them.
func storable(keys ...any) bool {
	_, bad := findBadText(reflect.ValueOf(keys))
	return !bad
}

func findBadText(v reflect.Value) (string, bool) {
	switch v.Kind() {
	case reflect.String:
		s := v.String()
		return s, !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0
	case reflect.Pointer, reflect.Interface:
		return findBadText(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return "", false
		}
		for i := range v.NumField() {
			if s, bad := findBadText(v.Field(i)); bad {
				return s, true
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return "", false
		}
		for i := range v.Len() {
			if s, bad := findBadText(v.Index(i)); bad {
				return s, true
			}
		}
	}
	return "", false
}
