package storage

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// testCopies fills whatever can be shared of a value and changes what it gets: a
// later look must not show it.
func testCopies[T any](t *testing.T, p *parsed[T]) {
	var want T
	v := reflect.ValueOf(&want).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.String:
			f.SetString(v.Type().Field(i).Name)
		case f.Type() == reflect.TypeFor[[]string]():
			f.Set(reflect.ValueOf([]string{"one", "two"}))
		case f.Type() == reflect.TypeFor[*bool]():
			f.Set(reflect.ValueOf(new(bool)))
		}
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got, err := p.parse(string(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v %v", got, err)
		}
		v := reflect.ValueOf(&got).Elem()
		for i := range v.NumField() {
			switch f := v.Field(i); {
			case f.Type() == reflect.TypeFor[[]string]():
				f.Index(0).SetString("changed")
			case f.Type() == reflect.TypeFor[*bool]():
				f.Elem().SetBool(true)
			}
		}
	}
	if len(p.of) != 1 {
		t.Errorf("%d texts are remembered", len(p.of))
	}
}

func TestWhatIsRememberedIsNobodysToChange(t *testing.T) {
	t.Run("metadata", func(t *testing.T) { testCopies(t, newParsed(clientMetadata.flat)) })
	t.Run("request", func(t *testing.T) { testCopies(t, newParsed(authRequests.flat)) })
	t.Run("origin", func(t *testing.T) { testCopies(t, newParsed[vneid.Origin](nil)) })
}

// testShared finds a member that ownCopy shares although flat does not refuse it.
func testShared[T any](t *testing.T, p *parsed[T]) {
	var zero T
	of := reflect.TypeOf(zero)
	for i := range of.NumField() {
		f := of.Field(i)
		switch f.Type.Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
			continue
		}
		if f.Type == reflect.TypeFor[[]string]() || f.Type == reflect.TypeFor[*bool]() {
			continue
		}
		var full T
		v := reflect.ValueOf(&full).Elem().Field(i)
		switch f.Type.Kind() {
		case reflect.Pointer:
			v.Set(reflect.New(f.Type.Elem()))
		case reflect.Slice:
			v.Set(reflect.MakeSlice(f.Type, 1, 1))
		case reflect.Map:
			v.Set(reflect.MakeMap(f.Type))
		}
		if p.flat == nil || p.flat(&full) {
			t.Errorf("%s.%s would be shared by all who read it", of.Name(), f.Name)
		}
	}
}

func TestWhatCannotBeCopiedIsParsedEachTime(t *testing.T) {
	testShared(t, clientMetadata)
	testShared(t, authRequests)
	testShared(t, origins)
	testShared(t, qrColumns)
	p := newParsed(clientMetadata.flat)
	if m, err := p.parse(`{"client_id":"c","jwks":{"keys":[]}}`); err != nil || m.JWKS == nil || len(p.of) > 0 {
		t.Error(m, err, len(p.of))
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	p := newParsed(clientMetadata.flat)
	for i := range 3 * mostParsed {
		if m, err := p.parse(fmt.Sprintf(`{"client_id":"c%d"}`, i)); err != nil || m.ClientID != fmt.Sprint("c", i) {
			t.Fatal(m, err)
		}
	}
	if n := len(p.of); n > mostParsed {
		t.Errorf("%d are remembered", n)
	}
	if _, err := p.parse(`{"client_id":`); err == nil {
		t.Error("damaged JSON is metadata")
	}
}

func TestAListOfTextsComesBackAsItWas(t *testing.T) {
	for _, list := range [][]string{nil, {}, {""}, {"openid"}, {"pwd", "otp"}, {"", ""}, {`a"b`, `c\d`}, {`","`}, {"a,b", "[c]"}, {"ạ\n", "<&>"}, {`\`}} {
		got, err := listFromJSON(toJSON(list))
		if err != nil || !slices.Equal(got, list) || (got == nil) != (list == nil) {
			t.Errorf("%q came back as %q: %v", list, got, err)
		}
	}
	if got, err := listFromJSON(`["a", "b"]`); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("with a space: %q %v", got, err)
	}
	for _, damaged := range []string{``, `["a`, `"a"]`, `["a""b"]`, `["a",]`, `{"a":1}`} {
		if got, err := listFromJSON(damaged); err == nil {
			t.Errorf("%s is the list %q", damaged, got)
		}
	}
}
