package api

import (
	"encoding/json"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Whatever parseObject accepts, the strict reading of encoding/json accepts
// with the same result.
func FuzzParseObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"client_id":"a","redirect_uris":["x"]}`, `{"require_pkce":null}`, `{"a":{"b":[1,2,{}]}}`, `{"scope":1}{`, `{"client_id":"a","client_id":"b"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want vneid.ClientMetadata
		_, bad, err := parseObject(body, &got)
		if err != nil || len(bad) > 0 {
			return
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("accepted, though %v", err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

// The same for objects within objects and for objects of strings.
func FuzzParseNested(f *testing.F) {
	for _, s := range []string{`{"cccd":"1","address":{"street":"x"},"password":"p"}`, `{"address":{"street":"x","street":"y"}}`, `{"address":null,"web_login":null}`,
		`{"client_id":"a","params":{"a":"b"}}`, `{"params":{"a":null}}`, `{"params":{"a":1,"a":2}}`, `{"params":{}}`, `{"address":{"strt":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var persona, samePersona personaBody
		var order, sameOrder signInBody
		for got, want := range map[any]any{&persona: &samePersona, &order: &sameOrder} {
			_, bad, err := parseObject(body, got)
			if err != nil || len(bad) > 0 {
				continue
			}
			if err := json.Unmarshal(body, want); err != nil {
				t.Fatalf("accepted, though %v", err)
			}
			a, _ := json.Marshal(got)
			b, _ := json.Marshal(want)
			if string(a) != string(b) {
				t.Fatalf("%s\n%s", a, b)
			}
		}
	})
}
