package vneid

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

func TestThereAre63Provinces(t *testing.T) {
	all := Provinces()
	if len(all) != 63 {
		t.Errorf("%d provinces", len(all))
	}
	names := map[string]string{}
	for code, name := range all {
		if other := names[name]; other != "" {
			t.Errorf("%s and %s are both %s", code, other, name)
		}
		names[name] = code
		c, err := ParseCCCD(code+"090000001", 2026)
		if err != nil || c.Province() != name {
			t.Errorf("%s: %q, %v", code, c.Province(), err)
		}
	}
	// From the official list, Thông tư 07/2016/TT-BCA Phụ lục 1.
	for code, name := range map[string]string{"001": "Hà Nội", "031": "Hải Phòng", "038": "Thanh Hóa", "048": "Đà Nẵng",
		"079": "TP. Hồ Chí Minh", "092": "Cần Thơ", "096": "Cà Mau"} {
		if all[code] != name {
			t.Errorf("%s is %q, want %s", code, all[code], name)
		}
	}
	for i := range 1000 {
		code := fmt.Sprintf("%03d", i)
		if _, err := ParseCCCD(code+"090000001", 2026); (err == nil) != (all[code] != "") {
			t.Errorf("%s: %v", code, err)
		}
	}
	all["001"] = "changed"
	if Provinces()["001"] != "Hà Nội" {
		t.Error("a caller changed the table")
	}
}

func TestParseCCCD(t *testing.T) {
	for _, tc := range []struct {
		typed string
		want  CCCD
		key   string // of the error
		args  []any
	}{
		{"038090000001", "038090000001", "", nil},
		{"  038090000001\n", "038090000001", "", nil},
		{"038 090 000 001", "038090000001", "", nil},
		{"038.090.000.001", "038090000001", "", nil},
		{"038-090-000-001", "038090000001", "", nil},
		{"038\u00a0090\u00a0000\u00a0001", "038090000001", "", nil},
		{"\u3000038090000001\u00a0", "038090000001", "", nil},
		{"０３８０９００００００１", "038090000001", "", nil},
		{"０３８ 090-000.001", "038090000001", "", nil},

		{"", "", "cccd.empty", nil},
		{" \t ", "", "cccd.empty", nil},
		{" . - ", "", "cccd.empty", nil},
		{"171234567", "", "cccd.cmnd", nil},
		{"171 234 567", "", "cccd.cmnd", nil},
		{"38090000001", "", "cccd.lost_zero", nil},
		{"1302000010", "", "cccd.length", []any{10}},  // two zeros lost: too much guessing
		{"03809000001", "", "cccd.length", []any{11}}, // 11 digits, but 003 is no province: a digit is missing elsewhere
		{"99090000001", "", "cccd.length", []any{11}}, // 099 is no province
		{"0380900000011", "", "cccd.length", []any{13}},
		{"1", "", "cccd.length", []any{1}},
		{strings.Repeat("0", 64), "", "cccd.length", []any{64}},
		{strings.Repeat("0", 65), "", "cccd.not_digits", nil},
		{"000090000001", "", "cccd.province", []any{"000"}},
		{"003090000001", "", "cccd.province", []any{"003"}},
		{"097090000001", "", "cccd.province", []any{"097"}},
		{"380900000010", "", "cccd.province", []any{"380"}},
		{"03809000000a", "", "cccd.not_digits", nil},
		{"O38090000001", "", "cccd.not_digits", nil},
		{"038090000001'--", "", "cccd.not_digits", nil},
		{"038\t090000001", "", "cccd.not_digits", nil},
		{"038_090_000_001", "", "cccd.not_digits", nil},
		{"038–090–000–001", "", "cccd.not_digits", nil}, // en dashes
		{"٠٣٨٠٩٠٠٠٠٠٠١", "", "cccd.not_digits", nil},    // Arabic-Indic
		{"038090000001\u200b", "", "cccd.not_digits", nil},
		{"038090000001\x00", "", "cccd.not_digits", nil},
		{"03809000000\xff", "", "cccd.not_digits", nil},

		// Century and year. Nowadays is 2026.
		{"038226000001", "038226000001", "", nil},
		{"038326000001", "038326000001", "", nil},
		{"038227000001", "", "cccd.future_year", nil},
		{"038327000001", "", "cccd.future_year", nil},
		{"038400000001", "", "cccd.future_year", nil},
		{"038599000001", "", "cccd.future_year", nil},
		{"038600000001", "038600000001", "", nil}, // 6 to 9 are kept for generated people
		{"038700000001", "038700000001", "", nil},
		{"038890000001", "038890000001", "", nil},
		{"038999000001", "038999000001", "", nil},
	} {
		got, err := ParseCCCD(tc.typed, 2026)
		if got != tc.want || (err == nil) != (tc.key == "") {
			t.Errorf("%q: %q, %v", tc.typed, got, err)
			continue
		}
		if tc.key == "" {
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.MsgKey != tc.key || e.Code != CodeInvalid || !reflect.DeepEqual(e.Args, tc.args) {
			t.Errorf("%q: %#v, want %s %v", tc.typed, err, tc.key, tc.args)
		}
		if digits := strings.Map(keepDigits, tc.typed); len(digits) >= 11 && strings.Contains(err.Error(), digits) {
			t.Errorf("%q: the error repeats the number: %v", tc.typed, err)
		}
	}
}

func keepDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func TestWhatANumberSaysAboutAPerson(t *testing.T) {
	for _, tc := range []struct {
		c    CCCD
		male bool
		year int
	}{
		{"038090000001", true, 1990}, {"038190000002", false, 1990},
		{"038000000001", true, 1900}, {"038199000001", false, 1999},
		{"001200000010", true, 2000}, {"001302000010", false, 2002},
		{"001499000001", true, 2199}, {"001500000001", false, 2100},
		{"001600000001", true, 2200}, {"001700000001", false, 2200},
		{"001890000001", true, 2390}, {"001999000001", false, 2399},
	} {
		if tc.c.Male() != tc.male || tc.c.BirthYear() != tc.year {
			t.Errorf("%s: male %v, born %d", tc.c, tc.c.Male(), tc.c.BirthYear())
		}
	}
	if c := CCCD("001302000010"); c.Province() != "Hà Nội" {
		t.Errorf("%s: %s", c, c.Province())
	}
}

func TestMasksHideTheMiddle(t *testing.T) {
	for in, want := range map[CCCD]string{"038090000001": "038******001", "001302000010": "001******010",
		"": "************", "038": "************", "0380900000011": "************"} {
		if got := in.Mask(); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
	for in, want := range map[PhoneNumber]string{"0950000001": "095****001", "0912345678": "091****678",
		"": "**********", "095": "**********", "+84950000001": "**********"} {
		if got := in.Mask(); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}

func TestALogNeverShowsAWholeNumber(t *testing.T) {
	const c = CCCD("038090000001")
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "who", c, slog.Group("g", "c", c))
	}
	if strings.Contains(out.String(), string(c)) || strings.Count(out.String(), c.Mask()) != 4 {
		t.Errorf("the log says\n%s", out.String())
	}
}

func TestParsePhone(t *testing.T) {
	for _, tc := range []struct {
		typed string
		want  PhoneNumber
		key   string
	}{
		{"0950000001", "0950000001", ""},
		{"+84950000001", "0950000001", ""},
		{"84950000001", "0950000001", ""},
		{" +84 95 000 00 01 ", "0950000001", ""},
		{"+84-95.000.0001", "0950000001", ""},
		{"０９５００００００１", "0950000001", ""},
		{"0312345678", "0312345678", ""}, {"0512345678", "0512345678", ""}, {"0712345678", "0712345678", ""},
		{"0812345678", "0812345678", ""}, {"0912345678", "0912345678", ""},

		{"", "", "phone.length"},
		{"+", "", "phone.length"},
		{"095000001", "", "phone.length"},
		{"09500000011", "", "phone.length"},
		{"950000001", "", "phone.length"},
		{"0084950000001", "", "phone.length"},
		{"+840950000001", "", "phone.length"},
		{"1950000001", "", "phone.length"},
		{"+14155550100", "", "phone.length"},
		{"0243825000", "", "phone.prefix"}, // Hà Nội, a fixed line
		{"0150000001", "", "phone.prefix"},
		{"0050000001", "", "phone.prefix"},
		{"84050000001", "", "phone.prefix"},
		{"++84950000001", "", "phone.not_digits"},
		{"+84+950000001", "", "phone.not_digits"},
		{"095000000x", "", "phone.not_digits"},
		{"tel:0950000001", "", "phone.not_digits"},
		{"0950000001\x00", "", "phone.not_digits"},
		{strings.Repeat(" ", 30) + "0950000001" + strings.Repeat(" ", 30), "0950000001", ""}, // trimmed before it is measured
		{"0" + strings.Repeat("-", 64) + "950000001", "", "phone.not_digits"},
	} {
		got, err := ParsePhone(tc.typed)
		if got != tc.want || (err == nil) != (tc.key == "") || err != nil && (MsgKey(err) != tc.key || !IsCode(err, CodeInvalid)) {
			t.Errorf("%q: %q, %v; want %q %s", tc.typed, got, err, tc.want, tc.key)
		}
	}
	if got := PhoneNumber("0950000001").E164(); got != "+84950000001" {
		t.Error(got)
	}
	if got := PhoneNumber("").E164(); got != "" {
		t.Errorf("no number is %q", got)
	}
}

func TestSplitName(t *testing.T) {
	for _, tc := range []struct{ full, family, middle, given string }{
		{"Nguyễn Văn An", "Nguyễn", "Văn", "An"},
		{"Ngô Thị Khánh Linh", "Ngô", "Thị Khánh", "Linh"},
		{"Lê Bình", "Lê", "", "Bình"},
		{"Điểu", "", "", "Điểu"},
		{"", "", "", ""},
		{" \t\u00a0 ", "", "", ""},
		{"  Nguyễn\u00a0 Văn\t\tAn ", "Nguyễn", "Văn", "An"},
		{"Nguye\u0302\u0303n Va\u0306n An", "Nguyễn", "Văn", "An"},               // NFD, as macOS writes it
		{"D\u0323a\u0306\u0323ng Thu\u031b\u0301 A\u0302n", "Ḍặng", "Thứ", "Ân"}, // marks in another order
		{"H'Hen Niê Kđăm", "H'Hen", "Niê", "Kđăm"},
	} {
		family, middle, given := SplitName(tc.full)
		if family != tc.family || middle != tc.middle || given != tc.given {
			t.Errorf("%q: %q, %q, %q", tc.full, family, middle, given)
		}
	}
}
