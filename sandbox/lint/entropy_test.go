package lint

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestValuesOfGoodGeneratorsAreNotGuessable(t *testing.T) {
	for value, want := range map[string]bool{
		"hKv7cQz3TnW2pYx9LrBd0g":               false, // 16 bytes, base64url
		"123e4567-e89b-42d3-a456-426614174000": false, // a UUID
		"9f86d081884c7d659a2feaa0c55ad015":     false, // 16 bytes, hex
		"Mx+q/7Zb1RrT0eWc5sYp3g==":             false,
		"#aB3dE6gH":                            false, // longer than what is kept
		"(JWT)":                                false,
		"":                                     false, // missing is another rule
		"abc":                                  true,
		"1732504800123":                        true, // a time
		"00000000000000000000000000000001":     true,
		"1732504800123173250480012":            true, // digits only
		strings.Repeat("ab", 30):               true,
		base64.RawURLEncoding.EncodeToString([]byte("tiny1")): true,
	} {
		if got := guessable(value); got != want {
			t.Errorf("guessable(%q) = %v", value, got)
		}
	}
}

func TestAnAddressIsFoundUnderItsEncodings(t *testing.T) {
	for value, want := range map[string]bool{
		"https://portal.test/a":     true,
		"https%3A%2F%2Fportal.test": true,
		base64.StdEncoding.EncodeToString([]byte("r4nd0m@https://portal.test/x")): true,
		base64.RawURLEncoding.EncodeToString([]byte(`{"to":"http://x.test"}`)):    true,
		base64.StdEncoding.EncodeToString([]byte("https%3A%2F%2Fportal.test")):    true,
		"/ho-so/moi?id=1":                      true,
		"L2hvLXNv":                             true, // /ho-so
		"hKv7cQz3TnW2pYx9LrBd0g":               false,
		"/Kv7cQz3TnW2pYx9LrBd0gABCDEF/x==":     false, // base64 may begin so
		"#aB3dE6gH":                            false,
		"":                                     false,
		"123e4567-e89b-42d3-a456-426614174000": false,
		strings.Repeat("A", 500):               false,
		base64.StdEncoding.EncodeToString([]byte{0xff}): false,
	} {
		if _, got := address(value); got != want {
			t.Errorf("address(%q) = %v", value, got)
		}
	}
}

func FuzzStateIsReadWithoutTrouble(f *testing.F) {
	f.Add("L2hvLXNv")
	f.Add("%zz\x00é")
	f.Fuzz(func(t *testing.T, s string) {
		guessable(s)
		address(s)
		if len(masked(s)) > len(s)+40 && len(s) > 0 {
			t.Errorf("masked(%q) is longer", s)
		}
	})
}
