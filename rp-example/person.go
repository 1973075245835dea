package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// person is what the provider told about somebody. Unknown claims are dropped:
// a role or a right never comes from here.
type person struct {
	Name          string `json:"name"`
	Birthdate     string `json:"birthdate,omitempty"` // YYYY-MM-DD or YYYY
	Gender        string `json:"gender,omitempty"`
	Phone         string `json:"phone,omitempty"`
	PhoneVerified bool   `json:"phone_verified,omitempty"`
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	Address       string `json:"address,omitempty"`
	CCCD          string `json:"cccd,omitempty"`
	CMND          string `json:"cmnd,omitempty"`
	Level         string `json:"level,omitempty"` // "1", "2", or "" when not told: never guessed
	Type          string `json:"type,omitempty"`
}

func (w *person) load(b []byte) error { return json.Unmarshal(b, w) }

// readPerson takes claims of the right type and shape and ignores the rest: a
// number where a text belongs is no reason to fail, and none to believe it.
func readPerson(c map[string]any) person {
	text := func(name string, limit int) string {
		s, _ := c[name].(string)
		return tidy(s, limit)
	}
	matching := func(name string, shape *regexp.Regexp) string {
		if s := text(name, 20); shape.MatchString(s) {
			return s
		}
		return ""
	}
	w := person{
		Name: text("name", 100), Birthdate: matching("birthdate", birthdate),
		Phone: text("phone_number", 20), Email: text("email", 100),
		CCCD: matching("cccd", twelveDigits), CMND: matching("cmnd", nineDigits),
	}
	w.PhoneVerified, _ = c["phone_number_verified"].(bool)
	w.EmailVerified, _ = c["email_verified"].(bool)
	if g := text("gender", 10); g == "male" || g == "female" {
		w.Gender = g
	}
	if l := text("account_level", 2); l == "1" || l == "2" {
		w.Level = l
	}
	if t := text("account_type", 20); t == "citizen" || t == "foreigner" || t == "organisation" {
		w.Type = t
	}
	if len(w.Birthdate) == 10 && !realDate(w.Birthdate) { // 1988-02-30
		w.Birthdate = ""
	}
	if w.Type == "organisation" { // its representative's number is not its own: nothing of a citizen's is joined to it
		w.CCCD, w.CMND = "", ""
	}
	if a, ok := c["address"].(map[string]any); ok {
		w.Address = addressLine(a)
	}
	return w
}

// addressLine reads the address claim (OIDC Core 5.1.1).
func addressLine(a map[string]any) string {
	if s, _ := a["formatted"].(string); s != "" {
		return tidy(s, 200)
	}
	var parts []string
	for _, k := range []string{"street_address", "locality", "region"} {
		if s, _ := a[k].(string); s != "" {
			parts = append(parts, s)
		}
	}
	return tidy(strings.Join(parts, ", "), 200)
}

// tidy makes a foreign text fit to be shown and logged: one line, bounded, and
// without the invisible marks that turn text around (U+202A–202E, U+2066–2069).
func tidy(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029:
			return ' '
		case (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) || r == 0x200e || r == 0x200f || r == 0xfeff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit-1]) + "…"
	}
	return s
}

func realDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
