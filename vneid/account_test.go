package vneid

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func goodPersona() Persona {
	return Persona{CCCD: "038090000001", Name: "Nguyễn Văn An", Birthdate: "1990-03-15", Gender: "male", Phone: "0950000001",
		AccountLevel: 2, AccountType: "citizen", Status: AccountActive, SMS: SMSInstant}
}

func TestPersonaValidateNamesEveryMistake(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Persona)
		bad    []string
	}{
		{"a good one", func(*Persona) {}, nil},
		{"everything wrong at once", func(p *Persona) {
			*p = Persona{CMND: "1", Birthdate: "yesterday", Phone: "1", Email: "x", AccountType: "king", Status: "dead", SMS: "pigeon"}
		}, []string{"account_type", "birthdate", "cccd", "cmnd", "email", "gender", "name", "phone", "sms", "status"}},
		{"nothing given", func(p *Persona) { *p = Persona{} },
			[]string{"account_type", "birthdate", "cccd", "gender", "name", "sms", "status"}},
		{"only the year of birth", func(p *Persona) { p.Birthdate = "1990" }, nil},
		{"a day that does not exist", func(p *Persona) { p.Birthdate = "1990-02-30" }, []string{"birthdate"}},
		{"a Vietnamese date", func(p *Persona) { p.Birthdate = "15/03/1990" }, []string{"birthdate"}},
		{"year and month", func(p *Persona) { p.Birthdate = "1990-03" }, []string{"birthdate"}},
		{"an old CMND", func(p *Persona) { p.CMND = "171234567" }, nil},
		{"a CMND with a letter", func(p *Persona) { p.CMND = "17123456a" }, []string{"cmnd"}},
		{"a CMND with a letter inside", func(p *Persona) { p.CMND = "1712a4567" }, []string{"cmnd"}},
		{"a man with a woman's number", func(p *Persona) { p.CCCD = "038190000001" }, []string{"gender"}},
		{"another year than the number's", func(p *Persona) { p.Birthdate = "1991-03-15" }, []string{"birthdate"}},
		{"another century than the number's", func(p *Persona) { p.CCCD = "038290000001" }, []string{"cccd"}}, // 2090
		{"a number of the 24th century", func(p *Persona) { p.CCCD = "038890000001" }, nil},
		{"another year in the 24th century", func(p *Persona) { p.CCCD = "038891000001" }, []string{"birthdate"}},
		{"201 characters of a street", func(p *Persona) { p.Address = &Address{Street: strings.Repeat("x", 201)} }, []string{"address.street"}},
		{"a control character in a commune", func(p *Persona) { p.Address = &Address{Commune: "a\x00"} }, []string{"address.commune"}},
		{"a note of several lines", func(p *Persona) { p.Note = "a\nb" }, nil},
		{"a note with a NUL", func(p *Persona) { p.Note = "a\x00" }, []string{"note"}},
		{"1001 characters of note", func(p *Persona) { p.Note = strings.Repeat("ệ", 1001) }, []string{"note"}},
		{"no phone", func(p *Persona) { p.Phone = "" }, nil},
		{"a fixed line", func(p *Persona) { p.Phone = "0243825000" }, []string{"phone"}},
		{"a control character in the name", func(p *Persona) { p.Name = "An\x00" }, []string{"name"}},
		{"a C1 control in the name", func(p *Persona) { p.Name = "An\u009bm" }, []string{"name"}},
		{"200 characters of name", func(p *Persona) { p.Name = strings.Repeat("ệ", 200) }, nil},
		{"201 characters of name", func(p *Persona) { p.Name = strings.Repeat("ệ", 201) }, []string{"name"}},
		{"spaces for a name", func(p *Persona) { p.Name = "   " }, []string{"name"}},
		{"level 0", func(p *Persona) { p.AccountLevel = 0 }, []string{"account_level"}},
		{"level 3", func(p *Persona) { p.AccountLevel = 3 }, []string{"account_level"}},
		{"a foreigner", func(p *Persona) { p.AccountType = "foreigner" }, nil},
		{"an organisation", func(p *Persona) { p.AccountType = "organisation" }, []string{"account_type"}},
		{"an e-mail address", func(p *Persona) { p.Email = "an@vidu.test" }, nil},
		{"nothing but an at sign", func(p *Persona) { p.Email = "@" }, []string{"email"}},
		{"no domain", func(p *Persona) { p.Email = "an@" }, []string{"email"}},
		{"two at signs", func(p *Persona) { p.Email = "an@b@vidu.test" }, []string{"email"}},
		{"a header in the e-mail", func(p *Persona) { p.Email = "an@vidu.test\r\nBcc:x" }, []string{"email"}},
		{"a gender nobody knows", func(p *Persona) { p.Gender = "Nam" }, []string{"gender"}},
		{"a CMND instead of a CCCD", func(p *Persona) { p.CCCD = "171234567" }, []string{"cccd"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := goodPersona()
			tc.change(&p)
			bad := p.Validate(2026)
			if got := slices.Sorted(maps.Keys(bad)); !slices.Equal(got, tc.bad) {
				t.Errorf("invalid: %v, want %v", bad, tc.bad)
			}
			for field, why := range bad {
				if why == "" {
					t.Errorf("%s: no reason given", field)
				}
			}
		})
	}
}

func TestPersonaValidateTidiesWhatPeopleType(t *testing.T) {
	p := goodPersona()
	p.CCCD, p.Phone, p.Name = "038 090 000 001", "+84 950 000 001", "  Nguye\u0302\u0303n   Va\u0306n An "
	if bad := p.Validate(2026); len(bad) > 0 {
		t.Fatal(bad)
	}
	if p.CCCD != "038090000001" || p.Phone != "0950000001" || p.Name != "Nguyễn Văn An" {
		t.Errorf("%q %q %q", p.CCCD, p.Phone, p.Name)
	}
}

func TestSubjectsTellNothingAndJoinNothing(t *testing.T) {
	salt := []byte("a salt")
	an, binh := AccountID(salt, "038090000001"), AccountID(salt, "038190000002")
	if an == binh || strings.Contains(an, "038") || len(an) != 32 {
		t.Errorf("account ids %s, %s", an, binh)
	}
	if an != AccountID(salt, "038090000001") || an == AccountID([]byte("other"), "038090000001") {
		t.Error("an account id hangs on salt and number, and on nothing else")
	}
	a, b := Client{ClientMetadata: ClientMetadata{ClientID: "a"}}, Client{ClientMetadata: ClientMetadata{ClientID: "b"}}
	if a.Subject(salt, an) == b.Subject(salt, an) || a.Subject(salt, an) == a.Subject(salt, binh) || a.Subject(salt, an) == an {
		t.Error("pairwise subjects collide")
	}
	a.SubjectType = "public"
	if a.Subject(salt, an) != an {
		t.Error("a public client sees the account id")
	}
	a.SubjectType, a.SectorIdentifierURI, b.SectorIdentifierURI = "pairwise", "https://s.test/x.json", "https://s.test/y.json"
	if a.Subject(salt, an) != b.Subject(salt, an) {
		t.Error("clients of one sector see one subject")
	}
	// A client that names itself like a sector's host gets no subject of that sector.
	c := Client{ClientMetadata: ClientMetadata{ClientID: "s.test"}}
	if c.Subject(salt, an) == a.Subject(salt, an) {
		t.Error("a client id passes for a sector")
	}
}
