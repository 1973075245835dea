package lint

import (
	"encoding/base64"
	"math"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// shortest is how many characters 128 random bits take in base64url; RFC 6749
// §10.10 wants at most a 2^-128 chance of guessing.
const shortest = 22

// fewestBits of a value as its alphabet and length allow them. A UUID has 122.
const fewestBits = 100

// guessable reports whether a value that should be random is too short, or made
// of too few different characters. What the record does not show whole is not
// judged.
func guessable(s string) bool {
	if s == "" || strings.HasPrefix(s, "#") || strings.Contains(s, "(JWT)") || strings.ContainsAny(s, "*…") {
		return false
	}
	if len(s) < shortest {
		return true
	}
	different := map[rune]bool{}
	var digits, lower, upper, other, hex bool
	hex = true
	for _, r := range s {
		different[r] = true
		switch {
		case unicode.IsDigit(r):
			digits = true
		case unicode.IsLower(r):
			lower = true
			hex = hex && r <= 'f'
		case unicode.IsUpper(r):
			upper = true
			hex = hex && r <= 'F'
		default:
			other = true
		}
	}
	alphabet := 0.0
	for _, class := range []struct {
		there bool
		size  float64
	}{{digits, 10}, {lower && !hex || upper && !hex, 26}, {lower && upper && !hex, 26}, {(lower || upper) && hex, 6}, {other, 2}} {
		if class.there {
			alphabet += class.size
		}
	}
	return len(different) < 8 || float64(len(s))*math.Log2(max(alphabet, 1)) < fewestBits
}

// pathLike is a path that no random value looks like: small letters only.
var pathLike = regexp.MustCompile(`^/[a-z0-9._~-]*(/[a-z0-9._~-]*)*(\?[\x21-\x7e]*)?$`)

// address finds an address in a state, under the encodings that portals put
// around it: percent-encoding and base64.
func address(state string) (inside string, found bool) {
	if strings.HasPrefix(state, "#") {
		return "", false
	}
	for _, s := range readings(state) {
		for _, scheme := range []string{"http://", "https://"} {
			if i := strings.Index(strings.ToLower(s), scheme); i >= 0 {
				return s[i:], true
			}
		}
		if pathLike.MatchString(s) {
			return s, true
		}
	}
	return "", false
}

// readings are what a value may stand for.
func readings(s string) []string {
	list := []string{s}
	if plain, err := url.QueryUnescape(s); err == nil && plain != s {
		list = append(list, plain)
	}
	for _, text := range list {
		text = strings.TrimRight(strings.ReplaceAll(text, " ", "+"), "=")
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if raw, err := e.DecodeString(text); err == nil && printable(raw) {
				list = append(list, string(raw))
				if plain, err := url.QueryUnescape(string(raw)); err == nil {
					list = append(list, plain)
				}
				break
			}
		}
	}
	return list
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}
