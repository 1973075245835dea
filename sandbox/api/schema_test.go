package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// object is JSON as it was decoded.
type object = map[string]any

// checker holds values against JSON schemas: as much of JSON Schema 2020-12 as
// the description uses. A keyword that it does not know is a mistake, so that
// nothing passes unread.
type checker struct{ doc object }

// annotations say nothing about a value.
var annotations = []string{"description", "default", "example", "examples"}

// check lists what is wrong with a value; at says where.
func (c checker) check(at string, schema object, value any) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	for keyword, v := range schema {
		switch keyword {
		case "$ref":
			wrong = append(wrong, c.check(at, c.resolve(v.(string)), value)...)
		case "type":
			kinds, many := v.([]any)
			if !many {
				kinds = []any{v}
			}
			if !slices.ContainsFunc(kinds, func(k any) bool { return is(value, k.(string)) }) {
				say("%v is no %v", value, v)
			}
		case "enum":
			if !slices.ContainsFunc(v.([]any), func(e any) bool { return reflect.DeepEqual(e, value) }) {
				say("%v is none of %v", value, v)
			}
		case "const":
			if !reflect.DeepEqual(v, value) {
				say("%v is not %v", value, v)
			}
		case "allOf":
			for _, s := range v.([]any) {
				wrong = append(wrong, c.check(at, s.(object), value)...)
			}
		case "anyOf":
			if !slices.ContainsFunc(v.([]any), func(s any) bool { return len(c.check(at, s.(object), value)) == 0 }) {
				say("%v fits none of %v", value, v)
			}
		case "pattern":
			if s, ok := value.(string); ok && !regexp.MustCompile(v.(string)).MatchString(s) {
				say("%q does not match %s", s, v)
			}
		case "maxLength":
			if s, ok := value.(string); ok && float64(utf8.RuneCountInString(s)) > v.(float64) {
				say("%q is longer than %v", s, v)
			}
		case "format":
			if v != "date-time" {
				say("the checker does not know format %v", v)
			} else if s, ok := value.(string); ok {
				if _, err := time.Parse(time.RFC3339, s); err != nil {
					say("%q is no RFC 3339", s)
				}
			}
		case "minimum":
			if n, ok := value.(float64); ok && n < v.(float64) {
				say("%v is less than %v", n, v)
			}
		case "maximum":
			if n, ok := value.(float64); ok && n > v.(float64) {
				say("%v is more than %v", n, v)
			}
		case "items":
			list, _ := value.([]any)
			for i, item := range list {
				wrong = append(wrong, c.check(fmt.Sprintf("%s[%d]", at, i), v.(object), item)...)
			}
		case "required":
			if o, ok := value.(object); ok {
				for _, name := range v.([]any) {
					if _, there := o[name.(string)]; !there {
						say("%s is missing", name)
					}
				}
			}
		case "properties", "additionalProperties":
			wrong = append(wrong, c.members(at, schema, keyword, value)...)
		default:
			if !slices.Contains(annotations, keyword) {
				say("the checker does not know the keyword %s", keyword)
			}
		}
	}
	return wrong
}

func (c checker) members(at string, schema object, keyword string, value any) (wrong []string) {
	properties, _ := schema["properties"].(object)
	o, _ := value.(object)
	for name, member := range o {
		of, known := properties[name]
		switch {
		case keyword == "properties" && known:
			wrong = append(wrong, c.check(at+"."+name, of.(object), member)...)
		case keyword == "additionalProperties" && !known:
			if further, ok := schema[keyword].(object); ok {
				wrong = append(wrong, c.check(at+"."+name, further, member)...)
			} else if schema[keyword] == false {
				wrong = append(wrong, at+": "+name+" is not described")
			}
		}
	}
	return wrong
}

func is(value any, kind string) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case []any:
		return kind == "array"
	case object:
		return kind == "object"
	}
	return false
}

// resolve follows a reference; nil = it leads nowhere.
func (c checker) resolve(ref string) object {
	var at any = c.doc
	for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, _ := at.(object)
		at = o[name]
	}
	o, _ := at.(object)
	return o
}

// whole is a schema or another part with its reference followed.
func (c checker) whole(part any) object {
	o, _ := part.(object)
	if ref, ok := o["$ref"].(string); ok {
		return c.resolve(ref)
	}
	return o
}

func TestTheCheckerFindsWhatIsWrong(t *testing.T) {
	var doc object
	if err := json.Unmarshal([]byte(`{"components":{"schemas":{"Name":{"type":"string","pattern":"^[a-z]+$","maxLength":5}}}}`), &doc); err != nil {
		t.Fatal(err)
	}
	c := checker{doc}
	for _, tc := range []struct{ schema, good, bad string }{
		{`{"$ref":"#/components/schemas/Name"}`, `"an"`, `"An"`},
		{`{"$ref":"#/components/schemas/Name"}`, `"an"`, `"anhanh"`},
		{`{"type":["integer","null"]}`, `null`, `1.5`},
		{`{"type":"number"}`, `1.5`, `"1"`},
		{`{"type":"boolean"}`, `true`, `0`},
		{`{"type":"array","items":{"type":"string"}}`, `["a"]`, `["a",1]`},
		{`{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{"type":"string"},"b":{"enum":[1,null]}}}`, `{"a":"","b":null}`, `{"a":"","b":2}`},
		{`{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{"type":"string"}}}`, `{"a":""}`, `{}`},
		{`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}}`, `{}`, `{"c":1}`},
		{`{"type":"object","additionalProperties":{"type":"string"}}`, `{"x":"y"}`, `{"x":1}`},
		{`{"type":"string","format":"date-time"}`, `"2026-11-22T17:41:39.213Z"`, `"yesterday"`},
		{`{"minimum":1,"maximum":2}`, `2`, `3`},
		{`{"minimum":1}`, `1`, `0`},
		{`{"const":"x"}`, `"x"`, `"y"`},
		{`{"anyOf":[{"type":"null"},{"type":"string"}]}`, `null`, `1`},
		{`{"allOf":[{"type":"object"},{"required":["a"]}]}`, `{"a":1}`, `{}`},
	} {
		var schema object
		var good, bad any
		for text, into := range map[string]any{tc.schema: &schema, tc.good: &good, tc.bad: &bad} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if wrong := c.check("value", schema, good); len(wrong) > 0 {
			t.Errorf("%s refuses %s: %v", tc.schema, tc.good, wrong)
		}
		if wrong := c.check("value", schema, bad); len(wrong) == 0 {
			t.Errorf("%s takes %s", tc.schema, tc.bad)
		}
	}
	if wrong := c.check("value", object{"minItems": 1.0}, nil); len(wrong) == 0 {
		t.Error("an unknown keyword passes unread")
	}
}
