package vneid

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzParseCCCD(f *testing.F) {
	for _, s := range []string{"038090000001", "038 090 000 001", "０３８０９００００００１", "38090000001", "171234567", "038\u00a0090.000-001",
		"000090000001", "038999000001", "038400000001", "", "\xff", strings.Repeat("0", 65)} {
		f.Add(s, 2026)
	}
	f.Fuzz(func(t *testing.T, s string, year int) {
		c, err := ParseCCCD(s, year)
		if err != nil {
			var e *Error
			if c != "" || !errors.As(err, &e) || e.Code != CodeInvalid || !strings.HasPrefix(e.MsgKey, "cccd.") {
				t.Fatalf("%q: %q, %#v", s, c, err)
			}
			if len(e.Error()) > 200 || !utf8.ValidString(e.Error()) {
				t.Fatalf("%q: an error of %d bytes: %q", s, len(e.Error()), e.Error())
			}
			return
		}
		if len(c) != 12 || strings.Trim(string(c), "0123456789") != "" || c.Province() == "" {
			t.Fatalf("%q became %q", s, c)
		}
		if again, err := ParseCCCD(string(c), year); err != nil || again != c {
			t.Fatalf("%q parses to %q, and that to %q, %v", s, c, again, err)
		}
		// The digits are those that were typed, in their order: two people
		// never share a way to type a number.
		if typed := strings.Map(func(r rune) rune {
			if r >= '０' && r <= '９' {
				return r - '０' + '0'
			}
			return keepDigits(r)
		}, s); typed != string(c) {
			t.Fatalf("%q became %q", s, c)
		}
		if c[3] < '6' && c.BirthYear() > year || c.BirthYear() < 1900 || c.BirthYear() > 2399 {
			t.Fatalf("%q: born %d, now %d", s, c.BirthYear(), year)
		}
		if strings.Contains(c.Mask(), string(c[3:9])) || len(c.Mask()) != 12 {
			t.Fatalf("%q is masked %q", c, c.Mask())
		}
	})
}

func FuzzParsePhone(f *testing.F) {
	for _, s := range []string{"0950000001", "+84950000001", "84 950 000 001", "０９５００００００１", "0243825000", "++84950000001", "84084000000", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePhone(s)
		if err != nil {
			if p != "" || !IsCode(err, CodeInvalid) || !strings.HasPrefix(MsgKey(err), "phone.") {
				t.Fatalf("%q: %q, %v", s, p, err)
			}
			return
		}
		if len(p) != 10 || p[0] != '0' || !strings.ContainsRune("35789", rune(p[1])) || strings.Trim(string(p), "0123456789") != "" {
			t.Fatalf("%q became %q", s, p)
		}
		for _, form := range []string{string(p), p.E164(), p.E164()[1:]} {
			if again, err := ParsePhone(form); err != nil || again != p {
				t.Fatalf("%q parses to %q, its form %q to %q, %v", s, p, form, again, err)
			}
		}
	})
}

// Whatever is typed, in whatever order and at whatever time: only the digits
// of the message that counts now open the login, and never after five misses.
func FuzzTryOTP(f *testing.F) {
	f.Add("123456", uint16(0), uint64(1), uint8(0))
	f.Add("１２３４５６", uint16(119), uint64(2), uint8(4))
	f.Add("000 000", uint16(120), uint64(3), uint8(1))
	f.Add("", uint16(121), uint64(4), uint8(2))
	f.Add("12345x", uint16(600), uint64(5), uint8(5))
	f.Fuzz(func(t *testing.T, entry string, after uint16, seed uint64, tries uint8) {
		p := DefaultPolicy()
		l := newTestLogin(StatePasswordOK)
		digits, err := l.sendOTP(chacha(seed), testSalt, p, OTPBySMS, noon)
		if err != nil {
			t.Fatal(err)
		}
		l.OTP.Tries = int(tries) % p.OTPTries
		before, now := *l, noon.Add(time.Duration(after)*time.Second)
		plain, plainErr := plainDigits(entry)
		err = l.tryOTP(testSalt, entry, p, now)
		switch {
		case err == nil:
			if plain != digits || now.After(before.OTP.ExpiresAt) || l.State != StateSecondFactorOK || l.Auth.ACR != "LoA2" || !l.Auth.Time.Equal(now) {
				t.Fatalf("%q opened a login with the password %s after %ds: %s", entry, digits, after, l.State)
			}
			if l.tryOTP(testSalt, entry, p, now) == nil {
				t.Fatal("the same one-time password counts twice")
			}
		case plainErr == nil && plain == digits && !now.After(before.OTP.ExpiresAt):
			t.Fatalf("the right entry %q is refused after %ds: %v", entry, after, err)
		case l.OTP.Tries == before.OTP.Tries:
			if l.State != StateOTPSent && l.State != StateExpired || MsgKey(err) != "otp_malformed" && MsgKey(err) != "otp_expired" {
				t.Fatalf("%q did not count: %v, %s", entry, err, l.State)
			}
		case l.OTP.Tries == before.OTP.Tries+1:
			if (l.OTP.Tries == p.OTPTries) != (l.State == StateLocked) || l.OTP.Tries > p.OTPTries || len(plain) != p.OTPDigits {
				t.Fatalf("%q: %d tries, %s", entry, l.OTP.Tries, l.State)
			}
		default:
			t.Fatalf("tries went from %d to %d", before.OTP.Tries, l.OTP.Tries)
		}
		if err != nil && (l.Auth.ACR != "" || strings.Contains(err.Error(), digits)) {
			t.Fatalf("refused, yet %+v; %v", l.Auth, err)
		}
	})
}
