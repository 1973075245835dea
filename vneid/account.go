package vneid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// AccountStatus is whether an account may sign in.
type AccountStatus string

const (
	AccountActive       AccountStatus = "active"
	AccountLocked       AccountStatus = "locked"
	AccountNotActivated AccountStatus = "not_activated"
)

// SMSDelivery is how messages reach a persona's phone.
type SMSDelivery string

const (
	SMSInstant SMSDelivery = "instant"
	SMSNever   SMSDelivery = "never"
	SMSLate    SMSDelivery = "late" // after SMSLateBy
)

// SMSLateBy is how late a late message is.
const SMSLateBy = 90 * time.Second

// Address is where a person lives, after the merger of 2025: province and
// commune, no district.
type Address struct {
	Street   string `json:"street,omitempty" yaml:"street"`
	Commune  string `json:"commune,omitempty" yaml:"commune"`
	Province string `json:"province,omitempty" yaml:"province"`
}

// Persona is an invented person and their account, in the form of the API and
// the seed files.
type Persona struct {
	CCCD         CCCD          `json:"cccd" yaml:"cccd"`
	CMND         string        `json:"cmnd" yaml:"cmnd"`
	Name         string        `json:"name" yaml:"name"`
	Birthdate    string        `json:"birthdate" yaml:"birthdate"` // YYYY-MM-DD, or YYYY when only the year is known
	Gender       string        `json:"gender" yaml:"gender"`       // male, female
	Phone        PhoneNumber   `json:"phone" yaml:"phone"`         // "" = none on the account
	Email        string        `json:"email" yaml:"email"`
	Address      *Address      `json:"address" yaml:"address"`
	AccountLevel int           `json:"account_level" yaml:"account_level"` // identity level 1 or 2, Nghị định 69/2024 Điều 7
	AccountType  string        `json:"account_type" yaml:"account_type"`   // citizen, foreigner, organisation
	Status       AccountStatus `json:"status" yaml:"status"`
	WebLogin     bool          `json:"web_login" yaml:"web_login"`
	SMS          SMSDelivery   `json:"sms" yaml:"sms"`
	Note         string        `json:"note" yaml:"note"`
}

// Account is a persona as the provider holds it.
type Account struct {
	Persona
	ID           string // public subject; stable as long as the world's salt
	PasswordHash string
	UpdatedAt    time.Time
}

// Validate reports every mistake of a persona, field by field, and brings what
// people write differently into one form (Unicode NFC, single spaces).
func (p *Persona) Validate(nowYear int) map[string]string {
	bad := map[string]string{}
	p.Name = norm.NFC.String(strings.Join(strings.Fields(p.Name), " "))
	if c, err := ParseCCCD(string(p.CCCD), nowYear); err != nil {
		bad["cccd"] = hintOf(err)
	} else {
		p.CCCD = c
	}
	if p.CMND != "" && (len(p.CMND) != 9 || strings.Trim(p.CMND, "0123456789") != "") {
		bad["cmnd"] = "an old CMND has 9 digits"
	}
	if n := len([]rune(p.Name)); n == 0 || n > 200 || strings.ContainsFunc(p.Name, isControl) {
		bad["name"] = "1 to 200 characters, no control characters"
	}
	year, known := birthYear(p.Birthdate)
	if !known {
		bad["birthdate"] = "YYYY-MM-DD, or YYYY when only the year is known"
	}
	if p.Gender != "male" && p.Gender != "female" {
		bad["gender"] = `"male" or "female"`
	}
	if bad["cccd"] == "" {
		p.agree(bad, year)
	}
	if p.Phone != "" {
		if ph, err := ParsePhone(string(p.Phone)); err != nil {
			bad["phone"] = hintOf(err)
		} else {
			p.Phone = ph
		}
	}
	if local, domain, _ := strings.Cut(p.Email, "@"); p.Email != "" && (len(p.Email) > 254 || local == "" || domain == "" ||
		strings.Contains(domain, "@") || strings.ContainsFunc(p.Email, func(r rune) bool { return r == ' ' || isControl(r) })) {
		bad["email"] = "not an e-mail address"
	}
	switch p.AccountType {
	case "citizen", "foreigner":
		if p.AccountLevel != 1 && p.AccountLevel != 2 {
			bad["account_level"] = "1 or 2"
		}
	default:
		bad["account_type"] = `"citizen" or "foreigner"`
	}
	switch p.Status {
	case AccountActive, AccountLocked, AccountNotActivated:
	default:
		bad["status"] = `"active", "locked" or "not_activated"`
	}
	p.checkTexts(bad)
	switch p.SMS {
	case SMSInstant, SMSNever, SMSLate:
	default:
		bad["sms"] = `"instant", "never" or "late"`
	}
	return bad
}

func birthYear(birthdate string) (year int, known bool) {
	for _, layout := range []string{time.DateOnly, "2006"} {
		if t, err := time.Parse(layout, birthdate); err == nil {
			return t.Year(), true
		}
	}
	return 0, false
}

// agree holds sex and year of birth against the number, which says both. Of a
// number that can never be real (years from 2200) the last two digits of the
// year count.
func (p *Persona) agree(bad map[string]string, year int) {
	if male := p.CCCD.Male(); bad["gender"] == "" && male != (p.Gender == "male") {
		sex := map[bool]string{true: "man", false: "woman"}[male]
		bad["gender"] = fmt.Sprintf("the number is a %s's: its fourth digit is %c", sex, p.CCCD[3])
	}
	says := p.CCCD.BirthYear()
	switch {
	case bad["birthdate"] != "" || year == says:
	case says < 2200:
		bad["birthdate"] = fmt.Sprintf("the number says born in %d: its digits 4 to 6 are %s", says, p.CCCD[3:6])
	case year%100 != says%100:
		bad["birthdate"] = fmt.Sprintf("the number says a year of birth ending in %02d", says%100)
	}
}

// checkTexts bounds what is free text. Only a note may have several lines.
func (p *Persona) checkTexts(bad map[string]string) {
	tidy := func(field string, s *string) {
		*s = norm.NFC.String(strings.Join(strings.Fields(*s), " "))
		if len([]rune(*s)) > 200 || strings.ContainsFunc(*s, isControl) {
			bad[field] = "at most 200 characters, no control characters"
		}
	}
	if p.Address != nil {
		a := *p.Address // the caller's may be shared
		tidy("address.street", &a.Street)
		tidy("address.commune", &a.Commune)
		tidy("address.province", &a.Province)
		if p.Address = &a; a == (Address{}) {
			p.Address = nil
		}
	}
	p.Note = norm.NFC.String(strings.TrimSpace(strings.ReplaceAll(p.Note, "\r\n", "\n")))
	if len([]rune(p.Note)) > 1000 || strings.ContainsFunc(strings.ReplaceAll(p.Note, "\n", " "), isControl) {
		bad["note"] = "at most 1000 characters, no control characters but line ends"
	}
}

// isControl reports control characters and those that turn the direction of
// writing: neither belongs into a name that people read on a page.
func isControl(r rune) bool {
	return r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 ||
		r == 0x61c || r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func hintOf(err error) string {
	if e, ok := err.(*Error); ok && e.Hint != "" {
		return e.Hint
	}
	return err.Error()
}

// AccountID derives the public subject of a number from the world's salt: the
// same person keeps it over a reset, and nobody without the salt can compute
// it from a number.
func AccountID(salt []byte, c CCCD) string { return keyedID(salt, "account", string(c)) }

// PairwiseSubject is the sub a sector sees, OIDC Core §8.1: different for
// every sector, and useless to join people across them.
func PairwiseSubject(salt []byte, sector, accountID string) string {
	return keyedID(salt, "pairwise", sector, accountID)
}

func keyedID(salt []byte, parts ...string) string {
	m := hmac.New(sha256.New, salt)
	for _, p := range parts {
		fmt.Fprintf(m, "%d:%s", len(p), p) // length-prefixed: parts cannot run into each other
	}
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:24])
}

// Line is the address as one writes it on an envelope.
func (a *Address) Line() string {
	parts := make([]string, 0, 3)
	for _, p := range []string{a.Street, a.Commune, a.Province} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}
