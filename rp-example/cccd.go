package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

var (
	twelveDigits = regexp.MustCompile(`^[0-9]{12}$`)
	nineDigits   = regexp.MustCompile(`^[0-9]{9}$`)
	birthdate    = regexp.MustCompile(`^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$`)
)

// readCCCD turns what a person typed into twelve ASCII digits: spaces, dots and
// dashes go, full-width and other decimal digits become ASCII, and a zero that
// a spreadsheet dropped comes back. Letters that look like digits (O, l) are
// refused, not guessed. "" when it is no CCCD.
func readCCCD(typed string) string {
	if len(typed) > 200 {
		return ""
	}
	var b strings.Builder
	for _, r := range norm.NFKC.String(typed) {
		switch {
		case unicode.IsSpace(r), strings.ContainsRune(".-–,·\u00a0\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff", r):
		case unicode.Is(unicode.Nd, r):
			b.WriteByte('0' + byte(decimal(r)))
		default:
			return ""
		}
	}
	s := b.String()
	// Every province code below 100 begins with 0, and all do (vneid: 001–096);
	// eleven digits are a number kept as a number, ten lost two zeros.
	if len(s) == 11 || len(s) == 10 {
		s = strings.Repeat("0", 12-len(s)) + s
	}
	if !twelveDigits.MatchString(s) || !provinceCode(s[:3]) {
		return ""
	}
	return s
}

// decimal is the value of a decimal digit of any script: each set of ten stands
// together, zero first (The Unicode Standard, 4.6).
func decimal(r rune) int {
	n := 0
	for unicode.Is(unicode.Nd, r-1-rune(n)) {
		n++
	}
	return n % 10
}

// provinceCode: 001 to 096 are provinces of birth registration, above 100
// countries. 000 is nobody's.
func provinceCode(s string) bool { return s != "000" }

// oddNumber says what in a CCCD disagrees with the person (Thông tư 07/2016:
// province, century and sex, year of birth); "" for nothing. Corrections and
// late registrations make such numbers too: a reason to look, none to refuse.
// The 24th century (8 and 9) is nobody's: test systems take their people from
// there, and only the two digits of the year agree.
func oddNumber(w person) string {
	if w.CCCD == "" {
		return ""
	}
	born, year := "", strconv.Itoa(19+int(w.CCCD[3]-'0')/2)+w.CCCD[4:6]
	if len(w.Birthdate) >= 4 {
		born = w.Birthdate[:4]
	}
	if w.CCCD[3] >= '8' {
		born, year = born[min(len(born), 2):], year[2:]
	}
	female := (w.CCCD[3]-'0')%2 == 1
	switch {
	case w.CCCD[:3] == "000":
		return "province"
	case born != "" && born != year:
		return "year of birth"
	case w.Gender != "" && (w.Gender == "female") != female:
		return "sex"
	}
	return ""
}

// readCMND is the old nine digits, read as tolerantly.
func readCMND(typed string) string {
	s := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '.' || r == '-' {
			return -1
		}
		return r
	}, norm.NFKC.String(typed))
	if !nineDigits.MatchString(s) {
		return ""
	}
	return s
}

// matchForm is how CSDL Dân cư compares names: upper case, no diacritics,
// nothing but letters. Fit to compare with, never to find somebody by.
func matchForm(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, plain(name))
}

// readBirthdate takes 15/03/1990, 1990-03-15 or 1960; "" for what is no date.
func readBirthdate(typed string) string {
	s := strings.TrimSpace(typed)
	if m := regexp.MustCompile(`^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$`).FindStringSubmatch(s); m != nil {
		s = m[3] + "-" + twoDigits(m[2]) + "-" + twoDigits(m[1])
	}
	if !birthdate.MatchString(s) || s[:4] < "1880" || s[:4] > "2100" {
		return ""
	}
	if len(s) == 10 && !realDate(s) {
		return ""
	}
	return s
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// masked keeps the first and last three digits (038******001).
func masked(number string) string {
	if len(number) < 9 {
		return number
	}
	return number[:3] + strings.Repeat("*", len(number)-6) + number[len(number)-3:]
}
