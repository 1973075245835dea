package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The population: everybody whose number lies in the 24th century. Such a
// number can never be a real person's, and there are more of them than anybody
// can write into a file, so they are written nowhere: a person is computed from
// the number, always the same one.
//
// The key is part of the program, not the world's salt: tests of other people
// hard-code a number with its name, so it has to be the same in every world,
// on every machine and in every release. It keeps no secret. A golden list in
// the tests holds it.
const populationKey = "vneid-sandbox population 1"

var provinces = vneid.Provinces()

// inPopulation reports whether a number is one of the population: twelve
// digits, a province that is known, and the century digit 8 or 9.
func inPopulation(c vneid.CCCD) bool {
	if len(c) != 12 || c[3] != '8' && c[3] != '9' {
		return false
	}
	parsed, err := vneid.ParseCCCD(string(c), 0) // no year lies in the future of the 24th century
	return err == nil && parsed == c
}

// draw picks one of n for a person: what names the occasion, so that one more
// occasion changes no other.
func draw(c vneid.CCCD, what string, n int) int {
	m := hmac.New(sha256.New, []byte(populationKey))
	fmt.Fprintf(m, "%s %s", what, c)
	return int(binary.BigEndian.Uint64(m.Sum(nil)) % uint64(n))
}

// pick draws from a list by weight.
func pick(c vneid.CCCD, what string, list []share) string {
	all := 0
	for _, s := range list {
		all += s.weight
	}
	n := draw(c, what, all)
	for _, s := range list {
		if n -= s.weight; n < 0 {
			return s.value
		}
	}
	panic("people: a draw beyond the list")
}

// populationSince is updated_at of everybody who was never changed.
var populationSince = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)

// Somebody is the person of the population with this number; false when the
// number is none of the population. ID and password are the world's and not
// set.
func Somebody(c vneid.CCCD) (vneid.Account, bool) {
	if !inPopulation(c) {
		return vneid.Account{}, false
	}
	a := vneid.Account{UpdatedAt: populationSince}
	a.Persona = citizen(c, nameOf(c, "given name"), genderOf(c), birthdateOf(c), phoneOf(c),
		"Suy ra từ số định danh; nơi đăng ký khai sinh: "+provinces[string(c[:3])]+".")
	if draw(c, "has an e-mail", 5) == 0 { // most have none, as in real life
		a.Email = emailOf(&a.Persona)
	}
	if draw(c, "has an address", 4) > 0 {
		a.Address = addressOf(c)
	}
	if special := specialOf(c); special != nil {
		a.Note = special.Vi + " " + a.Note
		if special.account != nil {
			special.account(&a)
		}
	}
	return a, true
}

// entryOf is what the population database says otherwise of somebody, nil =
// nothing.
func entryOf(c vneid.CCCD) *vneid.RegisterEntry {
	if !inPopulation(c) {
		return nil
	}
	special := specialOf(c)
	if special == nil || special.register == nil {
		return nil
	}
	a, _ := Somebody(c)
	entry := special.register(a.Persona)
	entry.CCCD = c
	return &entry
}

func genderOf(c vneid.CCCD) string {
	if c.Male() {
		return "male"
	}
	return "female"
}

// nameOf draws a name; occasion is that of the given name, which repeats no
// word of the middle name.
func nameOf(c vneid.CCCD, occasion string) string {
	middles, givens := maleMiddle, maleGiven
	if !c.Male() {
		middles, givens = femaleMiddle, femaleGiven
	}
	words := append([]string{pick(c, "family name", familyNames)}, strings.Fields(pick(c, "middle name", middles))...)
	given := draw(c, occasion, len(givens))
	for slices.Contains(words, givens[given]) {
		given = (given + 1) % len(givens)
	}
	return strings.Join(append(words, givens[given]), " ")
}

// misspelt is how the population database writes a name: with another given
// name, so that the two differ without diacritics too.
func misspelt(p vneid.Persona) string {
	for i := 1; ; i++ {
		other := nameOf(p.CCCD, fmt.Sprintf("given name in the register %d", i))
		if vneid.MatchForm(other) != vneid.MatchForm(p.Name) {
			return other
		}
	}
}

// birthdateOf takes the year from its two digits: 00 to 09 are 2000 to 2009,
// all others 19xx. The century in the number is nobody's. So everybody was 14
// by 2024, old enough for an account of level 2, and nobody's birth hangs on
// the clock.
func birthdateOf(c vneid.CCCD) string {
	year := 1900 + int(c[4]-'0')*10 + int(c[5]-'0')
	if c[4] == '0' {
		year += 100
	}
	first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	days := first.AddDate(1, 0, 0).Sub(first) / (24 * time.Hour)
	return first.AddDate(0, 0, draw(c, "birthday", int(days))).Format(time.DateOnly)
}

// otherDay is a date of birth in the same month that is not the person's.
func otherDay(p vneid.Persona) string {
	if month, was := p.Birthdate[:8], p.Birthdate[8:]; was != "01" {
		return month + "01"
	}
	return p.Birthdate[:8] + "10"
}

// phoneOf is a number from 0951000000 on; those below are for the people of
// seeds and files. Nobody shares one with another of the same province, sex
// and year: there the nine-fold serial never comes round. Others may, since
// there are more people than numbers; it is one chance in nine million.
func phoneOf(c vneid.CCCD) vneid.PhoneNumber {
	const numbers = 9_000_000
	serial := 0
	for _, d := range c[6:] {
		serial = serial*10 + int(d-'0')
	}
	n := (draw(c[:6], "phone", numbers) + 9*serial) % numbers
	return vneid.PhoneNumber(fmt.Sprintf("095%d", 1_000_000+n))
}

func emailOf(p *vneid.Persona) string { return p.Username() + "@example.test" }

// addressOf is where somebody lives today: four in five in the province of
// their number, as it is called since the merger of 2025. The others moved:
// a portal shall not take the one for the other.
func addressOf(c vneid.CCCD) *vneid.Address {
	province := today[string(c[:3])]
	if draw(c, "moved", 5) == 0 {
		province = cities[draw(c, "moved to", len(cities))]
	}
	return &vneid.Address{
		Street:   fmt.Sprintf("%d đường %s", 1+draw(c, "house", 300), roads[draw(c, "road", len(roads))]),
		Commune:  communes[draw(c, "commune", len(communes))],
		Province: province,
	}
}

// cmndOf is the old number of somebody who has one: 99 (no province of the old
// numbers), then province, century digit, year and the first two of the serial,
// so that the person can be found by it. See cccdOfCMND.
func cmndOf(c vneid.CCCD) string { return "99" + string(c[1:8]) }

// cccdOfCMND is whose old number it is, "" = nobody's of the population.
func cccdOfCMND(cmnd string) vneid.CCCD {
	if len(cmnd) != 9 || cmnd[:2] != "99" {
		return ""
	}
	c := vneid.CCCD("0" + cmnd[2:] + "4901")
	if a, ok := Somebody(c); !ok || a.CMND != cmnd {
		return ""
	}
	return c
}
