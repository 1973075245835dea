package people

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// sample is n numbers of the population, spread over all that is in a number.
func sample(n int) []vneid.CCCD {
	codes := []string{}
	for code := range provinces {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	list := make([]vneid.CCCD, n)
	for i := range list {
		list[i] = vneid.CCCD(fmt.Sprintf("%s%d%02d%06d", codes[i%len(codes)], 8+i/7%2, i*37%100, i*7919%1_000_000))
	}
	return list
}

func TestEveryNumberOfThe24thCenturyIsAValidPersonWhoAgreesWithIt(t *testing.T) {
	for _, c := range sample(20_000) {
		a, ok := Somebody(c)
		if !ok {
			t.Fatalf("%s is nobody", c)
		}
		again, _ := Somebody(c)
		if a.Persona.Address != nil && again.Address != nil {
			if *a.Address != *again.Address {
				t.Fatalf("%s lives at %v and at %v", c, a.Address, again.Address)
			}
			again.Address = a.Address
		}
		if a != again {
			t.Fatalf("%s is not always the same person:\n%+v\n%+v", c, a, again)
		}
		p := a.Persona
		if bad := p.Validate(2026); len(bad) > 0 {
			t.Fatalf("%s: %v", c, bad)
		}
		if p.CCCD != c || p.CCCD.Male() != (p.Gender == "male") || p.Birthdate[2:4] != string(c[4:6]) {
			t.Errorf("%s is %s, born %s", c, p.Gender, p.Birthdate)
		}
		if year := p.Birthdate[:4]; year < "1910" || year > "2009" {
			t.Errorf("%s was born in %s: too old, or too young for level 2", c, year)
		}
		if p.Name != a.Name || !norm.NFC.IsNormalString(a.Name) || len(strings.Fields(a.Name)) < 2 {
			t.Errorf("%s is written %q", c, a.Name)
		}
		if a.Phone != "" && (!strings.HasPrefix(string(a.Phone), "095") || a.Phone < "0951000000") {
			t.Errorf("%s has the phone %s", c, a.Phone)
		}
		if !strings.Contains(a.Note, provinces[string(c[:3])]) || a.Address != nil && a.Address.Province == "" {
			t.Errorf("%s comes from nowhere: %q, %+v", c, a.Note, a.Address)
		}
		if a.ID != "" || a.PasswordHash != "" {
			t.Errorf("%s has something of a world", c)
		}
	}
}

func TestOtherNumbersAreNobodyOfThePopulation(t *testing.T) {
	list := []vneid.CCCD{"", "0388", "038090000001", "038290000001", "038690000001", "038790000001", "000890000001", "038890000x01", "100890000001", " 38890000001", "0388900000012"}
	for _, p := range defaultPersonas() {
		list = append(list, p.CCCD)
	}
	for _, c := range list {
		if a, ok := Somebody(c); ok || entryOf(c) != nil {
			t.Errorf("%q is %+v", c, a)
		}
	}
}

func TestPeopleOfOneProvinceSexAndYearShareNoPhone(t *testing.T) {
	for _, prefix := range []string{"038890", "001999", "096800"} {
		seen := map[vneid.PhoneNumber]vneid.CCCD{}
		for serial := 0; serial < 1_000_000; serial += 17 {
			c := vneid.CCCD(fmt.Sprintf("%s%06d", prefix, serial))
			phone := phoneOf(c)
			if other, taken := seen[phone]; taken {
				t.Fatalf("%s and %s have the phone %s", c, other, phone)
			}
			seen[phone] = c
		}
	}
	seen, shared := map[vneid.PhoneNumber]bool{}, 0
	people := sample(10_000)
	for _, c := range people {
		if phone := phoneOf(c); seen[phone] {
			shared++
		} else {
			seen[phone] = true
		}
	}
	if shared > 20 { // by chance one expects 5 or 6
		t.Errorf("of %d people %d have the phone of another", len(people), shared)
	}
}

func TestThePopulationIsAsMixedAsItShouldBe(t *testing.T) {
	people := sample(20_000)
	count := map[string]int{}
	names := map[string]bool{}
	for _, c := range people {
		a, _ := Somebody(c)
		family, _, _ := vneid.SplitName(a.Name)
		count[family]++
		names[a.Name] = true
		count["female"] += len(a.Gender) - len("male")
		if a.Email != "" {
			count["e-mail"]++
		}
		if a.Address != nil {
			count["address"]++
			if a.Address.Province != today[string(c[:3])] {
				count["moved"]++
			}
		}
		if len(a.Birthdate) == 10 {
			count["month "+a.Birthdate[5:7]]++
		}
	}
	for what, bounds := range map[string][2]float64{
		"Nguyễn": {0.27, 0.34}, "Trần": {0.08, 0.13}, "Vi": {0.001, 0.03}, "female": {0.95, 1.05}, // 2 letters each: twice a half
		"e-mail": {0.18, 0.22}, "address": {0.72, 0.78}, "moved": {0.08, 0.18}, "month 01": {0.06, 0.1}, "month 12": {0.06, 0.1},
	} {
		if got := float64(count[what]) / float64(len(people)); got < bounds[0] || got > bounds[1] {
			t.Errorf("%s: %.3f, want %.3f to %.3f", what, got, bounds[0], bounds[1])
		}
	}
	if len(names) < len(people)/3 {
		t.Errorf("%d people have only %d names", len(people), len(names))
	}
}

func TestTheListsOfNamesAreUsable(t *testing.T) {
	for name, list := range map[string][]string{"maleGiven": maleGiven, "femaleGiven": femaleGiven, "roads": roads, "communes": communes, "cities": cities} {
		if sorted := slices.Compact(slices.Sorted(slices.Values(list))); len(sorted) != len(list) {
			t.Errorf("%s has something twice", name)
		}
		for _, s := range list {
			if !norm.NFC.IsNormalString(s) {
				t.Errorf("%s: %q is not NFC", name, s)
			}
		}
	}
	for code := range provinces {
		if today[code] == "" {
			t.Errorf("province %s is nowhere today", code)
		}
	}
	names := map[string]bool{}
	for _, name := range today {
		names[name] = true
	}
	if len(today) != len(provinces) || len(names) != 34 {
		t.Errorf("%d codes and %d provinces of today, want %d and 34", len(today), len(names), len(provinces))
	}
}

// special is somebody with these last four digits.
func special(t *testing.T, digits string) (vneid.Account, *vneid.RegisterEntry) {
	t.Helper()
	c := vneid.CCCD("03819000" + digits)
	c = c[:3] + "9" + c[4:]
	a, ok := Somebody(c)
	if !ok {
		t.Fatalf("%s is nobody", c)
	}
	return a, entryOf(c)
}

func TestTheLastFourDigitsAskForASituation(t *testing.T) {
	for digits, is := range map[string]func(a vneid.Account, e *vneid.RegisterEntry) bool{
		"0404": func(_ vneid.Account, e *vneid.RegisterEntry) bool { return e.Absent },
		"0409": func(a vneid.Account, e *vneid.RegisterEntry) bool {
			return e.Name != "" && vneid.MatchForm(e.Name) != vneid.MatchForm(a.Name)
		},
		"0410": func(_ vneid.Account, e *vneid.RegisterEntry) bool { return e.Deceased },
		"0411": func(a vneid.Account, e *vneid.RegisterEntry) bool {
			return len(e.Birthdate) == 10 && e.Birthdate != a.Birthdate && e.Birthdate[:7] == a.Birthdate[:7]
		},
		"1401": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return a.Status == vneid.AccountLocked },
		"1402": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return a.Status == vneid.AccountNotActivated },
		"2901": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return a.AccountLevel == 1 },
		"2902": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return !a.WebLogin },
		"2903": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return a.Email != "" && a.Address != nil },
		"3901": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return a.Phone == "" },
		"3902": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return a.SMS == vneid.SMSNever },
		"3903": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return a.SMS == vneid.SMSLate },
		"4901": func(a vneid.Account, _ *vneid.RegisterEntry) bool { return len(a.Birthdate) == 4 && len(a.CMND) == 9 },
	} {
		a, e := special(t, digits)
		if digits[:2] == "04" && (e == nil || e.CCCD != a.CCCD) {
			t.Errorf("…%s: the population database says nothing else", digits)
			continue
		}
		if digits[:2] != "04" && e != nil {
			t.Errorf("…%s: the population database says %+v", digits, e)
		}
		if !is(a, e) || !strings.HasPrefix(a.Note, specialByDigits[digits].Vi) {
			t.Errorf("…%s: %+v %+v", digits, a, e)
		}
	}
	if len(Specials) != 13 || len(specialByDigits) != len(Specials) {
		t.Errorf("%d situations, %d of them with digits of their own; this test knows 13", len(Specials), len(specialByDigits))
	}
	for _, c := range sample(20_000) {
		a, _ := Somebody(c)
		if specialOf(c) == nil && (a.Status != vneid.AccountActive || a.AccountLevel != 2 || !a.WebLogin || a.SMS != vneid.SMSInstant || a.Phone == "" || a.CMND != "" || len(a.Birthdate) != 10 || entryOf(c) != nil) {
			t.Fatalf("%s is special without digits that say so: %+v", c, a)
		}
	}
}

func TestAnOldNumberLeadsBackToItsPerson(t *testing.T) {
	for _, c := range sample(5000) {
		c = c[:8] + "4901"
		a, _ := Somebody(c)
		if got := cccdOfCMND(a.CMND); got != c {
			t.Fatalf("%s has the CMND %s, which is that of %q", c, a.CMND, got)
		}
	}
	for _, cmnd := range []string{"", "171234567", "993880000", "990000000", "99389001", "9938900123", "99x890012"} {
		if c := cccdOfCMND(cmnd); c != "" && (len(cmnd) != 9 || cmndOf(c) != cmnd) {
			t.Errorf("%q is the CMND of %s", cmnd, c)
		}
	}
}

// The list is a promise: people hard-code these names in their tests. Never
// write it anew; a change that needs another list needs another populationKey
// and a word in the CHANGELOG.
func TestThePeopleOfTheGoldenListNeverChange(t *testing.T) {
	raw, err := os.ReadFile("testdata/population.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil || len(rows) < 20 {
		t.Fatalf("%d people, %v", len(rows), err)
	}
	for _, row := range rows {
		if got := goldenRow(vneid.CCCD(row[0])); !slices.Equal(got, row) {
			t.Errorf("was %q\n  is %q", row, got)
		}
	}
}

func goldenRow(c vneid.CCCD) []string {
	a, ok := Somebody(c)
	if !ok {
		return nil
	}
	row := []string{string(c), a.Name, a.Birthdate, a.Gender, string(a.Phone), a.Email, a.CMND, fmt.Sprint(a.AccountLevel), string(a.Status), fmt.Sprint(a.WebLogin), string(a.SMS), "", ""}
	if a.Address != nil {
		row[11] = a.Address.Line()
	}
	if e := entryOf(c); e != nil {
		row[12] = fmt.Sprintf("absent=%v deceased=%v name=%s birthdate=%s", e.Absent, e.Deceased, e.Name, e.Birthdate)
	}
	return row
}
