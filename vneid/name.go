package vneid

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// SplitName takes a full Vietnamese name apart: họ (first word), chữ đệm
// (middle words) and tên (last word). A single word is a tên.
func SplitName(full string) (family, middle, given string) {
	words := strings.Fields(norm.NFC.String(full))
	switch len(words) {
	case 0:
		return "", "", ""
	case 1:
		return "", "", words[0]
	}
	return words[0], strings.Join(words[1:len(words)-1], " "), words[len(words)-1]
}

// Fold takes the diacritics off and lowers the case: "Đỗ Thị Giang" becomes
// "do thi giang". For searching and for names of machines, never for display.
func Fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r < utf8.RuneSelf: // most are, and the tables of unicode are slow
			b.WriteByte(byte(r))
		case r >= 0x300 && r < 0x370: // combining marks of Latin letters, likewise
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Username is the preferred_username of a person: readable, and without the
// number, which only the scope cccd gives out.
func (p *Persona) Username() string {
	name := strings.Join(strings.Fields(Fold(p.Name)), ".")
	return name + "." + string(p.CCCD[len(p.CCCD)-3:])
}
