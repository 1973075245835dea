package vneid

import (
	"log/slog"
	"strings"
	"unicode/utf8"
)

// CCCD is a personal identification number (số định danh cá nhân), the twelve
// digits PPP C YY NNNNNN: province of birth registration, century and sex,
// year of birth, serial. There is no check digit.
// Nghị định 137/2015 Điều 13, Thông tư 07/2016/TT-BCA Điều 7.
type CCCD string

// ParseCCCD reads a number as a person types it. Spaces, dots and dashes
// between digits and full-width digits are forgiven; everything else is an
// [Error] that says what is wrong. The year of birth may not lie after
// nowYear.
func ParseCCCD(s string, nowYear int) (CCCD, error) {
	digits, err := plainDigits(s)
	if err != nil {
		return "", err
	}
	switch n := len(digits); {
	case n == 0:
		return "", Errorf(CodeInvalid, "cccd.empty", "no number was given")
	case n == 9:
		return "", Errorf(CodeInvalid, "cccd.cmnd", "9 digits: the old CMND, not the 12-digit CCCD")
	case n == 11 && provinces["0"+digits[:2]] != "":
		return "", Errorf(CodeInvalid, "cccd.lost_zero", "11 digits: the leading 0 was lost (spreadsheets do that)")
	case n != 12:
		e := Errorf(CodeInvalid, "cccd.length", "%d digits instead of 12", n)
		e.Args = []any{n}
		return "", e
	}
	c := CCCD(digits)
	if provinces[digits[:3]] == "" {
		e := Errorf(CodeInvalid, "cccd.province", "no province has the code %s", digits[:3])
		e.Args = []any{digits[:3]}
		return "", e
	}
	// The centuries 6 to 9 (years from 2200) can never be real: the range is
	// kept for generated people, so it does not count as the future.
	if digits[3] < '6' && c.BirthYear() > nowYear {
		return "", Errorf(CodeInvalid, "cccd.future_year", "year of birth %d lies in the future", c.BirthYear())
	}
	return c, nil
}

// plainDigits reduces what people type to ASCII digits.
func plainDigits(s string) (string, error) {
	const longest = 64 // bytes; nobody types more, and nobody shall make us echo it
	if len(s) > longest || !utf8.ValidString(s) {
		return "", Errorf(CodeInvalid, "cccd.not_digits", "%d bytes, or not UTF-8", len(s))
	}
	var b strings.Builder
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９': // full-width digits of East Asian keyboards
			b.WriteRune(r - '０' + '0')
		case r == ' ' || r == '.' || r == '-' || r == '\u00a0':
		default:
			return "", Errorf(CodeInvalid, "cccd.not_digits", "contains %q", r)
		}
	}
	return b.String(), nil
}

// Mask hides the middle of the number: 038******001. Logs and pages show no
// more than this.
func (c CCCD) Mask() string {
	if len(c) != 12 {
		return "************"
	}
	return string(c[:3]) + "******" + string(c[9:])
}

// LogValue keeps whole numbers out of the log even when someone logs a CCCD.
func (c CCCD) LogValue() slog.Value { return slog.StringValue(c.Mask()) }

// Province is the province of birth registration as it was called before the
// merger of 2025. It says nothing about where the person lives today.
func (c CCCD) Province() string { return provinces[string(c[:3])] }

// Male reports the sex in the number: even century digits are men.
func (c CCCD) Male() bool { return (c[3]-'0')%2 == 0 }

// BirthYear is the year of birth in the number: century digits 0 and 1 are
// the 20th century (1900 to 1999), 2 and 3 the 21st, and so on.
func (c CCCD) BirthYear() int {
	return 1900 + int(c[3]-'0')/2*100 + int(c[4]-'0')*10 + int(c[5]-'0')
}

// Provinces returns the 63 codes of Thông tư 07/2016/TT-BCA, Phụ lục 1, and
// their names.
func Provinces() map[string]string {
	out := make(map[string]string, len(provinces))
	for k, v := range provinces {
		out[k] = v
	}
	return out
}

var provinces = map[string]string{
	"001": "Hà Nội", "002": "Hà Giang", "004": "Cao Bằng", "006": "Bắc Kạn", "008": "Tuyên Quang",
	"010": "Lào Cai", "011": "Điện Biên", "012": "Lai Châu", "014": "Sơn La", "015": "Yên Bái",
	"017": "Hòa Bình", "019": "Thái Nguyên", "020": "Lạng Sơn", "022": "Quảng Ninh", "024": "Bắc Giang",
	"025": "Phú Thọ", "026": "Vĩnh Phúc", "027": "Bắc Ninh", "030": "Hải Dương", "031": "Hải Phòng",
	"033": "Hưng Yên", "034": "Thái Bình", "035": "Hà Nam", "036": "Nam Định", "037": "Ninh Bình",
	"038": "Thanh Hóa", "040": "Nghệ An", "042": "Hà Tĩnh", "044": "Quảng Bình", "045": "Quảng Trị",
	"046": "Thừa Thiên Huế", "048": "Đà Nẵng", "049": "Quảng Nam", "051": "Quảng Ngãi", "052": "Bình Định",
	"054": "Phú Yên", "056": "Khánh Hòa", "058": "Ninh Thuận", "060": "Bình Thuận", "062": "Kon Tum",
	"064": "Gia Lai", "066": "Đắk Lắk", "067": "Đắk Nông", "068": "Lâm Đồng", "070": "Bình Phước",
	"072": "Tây Ninh", "074": "Bình Dương", "075": "Đồng Nai", "077": "Bà Rịa – Vũng Tàu", "079": "TP. Hồ Chí Minh",
	"080": "Long An", "082": "Tiền Giang", "083": "Bến Tre", "084": "Trà Vinh", "086": "Vĩnh Long",
	"087": "Đồng Tháp", "089": "An Giang", "091": "Kiên Giang", "092": "Cần Thơ", "093": "Hậu Giang",
	"094": "Sóc Trăng", "095": "Bạc Liêu", "096": "Cà Mau",
}
