package vneid

import "strings"

// PhoneNumber is a Vietnamese mobile number in its national form, ten digits
// with a leading 0. The prefix 095 belongs to no network: every number we
// ship has it.
type PhoneNumber string

// ParsePhone reads a mobile number: ten digits 0[35789]…, or +84 / 84 and
// nine; spaces, dots and dashes are forgiven.
func ParsePhone(s string) (PhoneNumber, error) {
	digits, err := plainDigits(strings.TrimPrefix(strings.TrimSpace(s), "+"))
	if err != nil {
		return "", Errorf(CodeInvalid, "phone.not_digits", "not a telephone number")
	}
	if len(digits) == 11 && strings.HasPrefix(digits, "84") {
		digits = "0" + digits[2:]
	}
	if len(digits) != 10 || digits[0] != '0' {
		return "", Errorf(CodeInvalid, "phone.length", "%d digits: a mobile number has 10 and begins with 0", len(digits))
	}
	if !strings.ContainsRune("35789", rune(digits[1])) {
		return "", Errorf(CodeInvalid, "phone.prefix", "mobile numbers begin with 03, 05, 07, 08 or 09")
	}
	return PhoneNumber(digits), nil
}

// E164 is the international form of the phone_number claim, OIDC Core §5.1.
func (p PhoneNumber) E164() string {
	if p == "" {
		return ""
	}
	return "+84" + string(p[1:])
}

// Mask leaves the last three digits: 095****001 for the OTP page.
func (p PhoneNumber) Mask() string {
	if len(p) != 10 {
		return "**********"
	}
	return string(p[:3]) + "****" + string(p[7:])
}
