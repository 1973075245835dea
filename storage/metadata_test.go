package storage

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// full is metadata in which everything that can be shared is there, whatever
// fields it has.
func full() vneid.ClientMetadata {
	var m vneid.ClientMetadata
	v := reflect.ValueOf(&m).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(v.Type().Field(i).Name)
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{"one", "two"}))
		case reflect.Pointer:
			if f.Type().Elem().Kind() == reflect.Bool {
				f.Set(reflect.ValueOf(new(bool)))
			}
		}
	}
	return m
}

func TestMetadataThatIsRememberedIsNobodysToChange(t *testing.T) {
	var p parsedMetadata
	want := full()
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
			case f.Kind() == reflect.Slice:
				f.Index(0).SetString("changed")
			case f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Bool:
				f.Elem().SetBool(true)
			case f.Kind() == reflect.Map, f.Kind() == reflect.Struct, f.Kind() == reflect.Interface:
				t.Errorf("ownCopy does not know how to copy %s", v.Type().Field(i).Name)
			}
		}
	}
}

func TestWhatIsRememberedOfMetadataIsBounded(t *testing.T) {
	var p parsedMetadata
	for i := range 3 * mostMetadata {
		if m, err := p.parse(fmt.Sprintf(`{"client_id":"c%d"}`, i)); err != nil || m.ClientID != fmt.Sprint("c", i) {
			t.Fatal(m, err)
		}
	}
	if n := len(p.of); n > mostMetadata {
		t.Errorf("%d are remembered", n)
	}
	if _, err := p.parse(`{"client_id":`); err == nil {
		t.Error("damaged JSON is metadata")
	}
}

func TestKeysOfAClientAreParsedEachTime(t *testing.T) {
	var p parsedMetadata
	if m, err := p.parse(`{"client_id":"c","jwks":{"keys":[]}}`); err != nil || m.JWKS == nil || len(p.of) > 0 {
		t.Error(m, err, len(p.of))
	}
}
