package console

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What is wrong with a field comes in English from where it is checked; on a
// page in Vietnamese it is said by a text of the field's own.

// wrongs are the Wrong of a form: every invalid field, on its own line of a
// list if it is one.
func wrongs(f templates.Frame, invalid people.Invalid, typed func(field string) string, nowYear int) map[string]string {
	list := map[string][]string{}
	for _, key := range sortedKeys(invalid) {
		field, line := strings.TrimPrefix(key, "address."), 0
		if m := indexed.FindStringSubmatch(key); m != nil {
			field = m[1]
			line, _ = strconv.Atoi(m[2])
			line++
		}
		list[field] = append(list[field], wrongText(f, field, line, invalid[key], typed(field), nowYear))
	}
	wrong := map[string]string{}
	for field, texts := range list {
		wrong[field] = strings.Join(texts, " ")
	}
	return wrong
}

var indexed = regexp.MustCompile(`^(\w+)\[(\d+)\]$`)

func wrongText(f templates.Frame, field string, line int, english, typed string, nowYear int) string {
	if field == "cccd" {
		var e *vneid.Error
		if _, err := vneid.ParseCCCD(typed, nowYear); errors.As(err, &e) && templates.HasText(e.MsgKey) {
			return f.T(e.MsgKey, e.Args...)
		}
	}
	text := english
	if strings.HasPrefix(english, "the number ") { // says otherwise
		return f.T("console.wrong." + field + ".number")
	}
	if reason, ok := uriReasons[english]; ok {
		text = f.T("console.uri." + reason)
	} else if key := "console.wrong." + field; f.Lang != templates.En && templates.HasText(key) {
		text = f.T(key)
	}
	if line > 0 {
		return f.T("console.wrong.line", line) + " " + text + "."
	}
	return sentence(text)
}

// sentence begins with a capital letter and ends.
func sentence(text string) string {
	first, rest := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[rest:], ".") + "."
}

// uriReasons are what vneid.CheckURI says, with their texts console.uri.<…>.
var uriReasons = map[string]string{
	"not an absolute URI":                                                                   "absolute",
	"must begin with http:// or https://":                                                   "scheme",
	"has no host":                                                                           "host",
	"must not carry a user name or password":                                                "user",
	"must not have a fragment (RFC 6749 §3.1.2)":                                            "fragment",
	"hosts under .gov.vn are refused, always":                                               "gov",
	"addresses with a zone are refused: no browser opens them":                              "zone",
	"link-local, multicast and unspecified addresses are refused":                           "linklocal",
	"public address: only loopback and private addresses, or hosts named under allow_hosts": "public",
	"not a host name (international names go in their xn-- form)":                           "name",
	"only loopback, private addresses, single-label names, *.test, *.localhost, *.internal, *.example, or hosts named under allow_hosts": "elsewhere",
	"at least one is needed for authorization_code": "none",
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { // redirect_uris[10] after [9]
		if len(a) != len(b) && strings.TrimRight(a, "0123456789]") == strings.TrimRight(b, "0123456789]") {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return keys
}
