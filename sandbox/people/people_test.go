package people_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestEveryPersonaIsValidAndItsNumberAgreesWithSexAndYear(t *testing.T) {
	for _, p := range people.Default("http").Personas {
		if bad := p.Validate(2026); len(bad) > 0 {
			t.Errorf("%s: %v", p.Name, bad)
		}
		if p.CCCD.Male() != (p.Gender == "male") {
			t.Errorf("%s is %s, the number %s says otherwise", p.Name, p.Gender, p.CCCD)
		}
		if year, _, _ := strings.Cut(p.Birthdate, "-"); year != strconv.Itoa(p.CCCD.BirthYear()) {
			t.Errorf("%s was born in %s, the number says %d", p.Name, year, p.CCCD.BirthYear())
		}
		if p.Phone != "" && !strings.HasPrefix(string(p.Phone), "095") {
			t.Errorf("%s has a number of a real network: %s", p.Name, p.Phone)
		}
		if p.Note == "" {
			t.Errorf("%s: nobody says what is special", p.Name)
		}
	}
}

func TestTheDefaultSeedIsThePeopleOfTheContract(t *testing.T) {
	for i, want := range []struct {
		cccd, name, birthdate, phone string
		special                      func(vneid.Persona) bool
	}{
		{"038090000001", "Nguyễn Văn An", "1990-03-15", "0950000001", func(p vneid.Persona) bool {
			return p.WebLogin && p.AccountLevel == 2 && p.Email == "an.nguyen@example.test" && p.Address.Province != ""
		}},
		{"038190000002", "Lê Thị Bình", "1990-07-02", "0950000002", func(p vneid.Persona) bool { return !p.WebLogin }},
		{"038095000003", "Trần Văn Cường", "1995-11-20", "0950000003", func(p vneid.Persona) bool { return p.AccountLevel == 1 }},
		{"038188000004", "Phạm Thị Dung", "1988-01-09", "0950000004", func(p vneid.Persona) bool { return p.Status == vneid.AccountLocked }},
		{"038085000005", "Hoàng Văn Em", "1985-05-05", "0950000005", func(p vneid.Persona) bool { return p.SMS == vneid.SMSNever }},
		{"038192000006", "Đỗ Thị Giang", "1992-12-12", "0950000006", func(p vneid.Persona) bool { return p.SMS == vneid.SMSLate }},
		{"038060000007", "Vũ Văn Hải", "1960", "0950000007", func(p vneid.Persona) bool { return p.CMND == "171234567" }},
		{"038198000008", "Ngô Thị Khánh Linh", "1998-08-08", "0950000008", usual},
		{"038075000009", "Bùi Văn Minh", "1975-09-30", "0950000009", usual},
		{"001302000010", "Mai Anh Nguyệt", "2002-04-30", "", usual},
		{"038070000012", "Tạ Văn Quang", "1970-10-10", "0950000012", func(p vneid.Persona) bool { return p.Status == vneid.AccountNotActivated }},
		{"038093000013", "Đặng Thế Sơn", "1993-06-18", "0950000013", usual},
		{"038065000014", "Cao Văn Tâm", "1965-03-03", "0950000014", usual},
	} {
		got := people.Default("http").Personas[i]
		if string(got.CCCD) != want.cccd || got.Name != want.name || got.Birthdate != want.birthdate || string(got.Phone) != want.phone || !want.special(got) {
			t.Errorf("persona %d: %+v, want %+v", i, got, want)
		}
	}
	if n := len(people.Default("http").Personas); n != 13 {
		t.Errorf("%d people, want 13", n)
	}
}

func usual(p vneid.Persona) bool {
	return p.WebLogin && p.AccountLevel == 2 && p.Status == vneid.AccountActive && p.SMS == vneid.SMSInstant && p.Email == ""
}

func TestTheTwoClientsAcceptTheAddressesOfTheContract(t *testing.T) {
	portal, own := client(people.Default("http").Clients[0]), client(people.Default("http").Clients[1])
	for uri, want := range map[string][2]bool{ // portal, own
		"http://127.0.0.1:9999/callback":  {true, true},
		"https://localhost:9999/callback": {true, true},
		"http://localhost:3000/callback":  {false, true},
		"http://127.0.0.1/callback":       {false, true},
		"http://localhost:3000/other":     {false, false},
		"http://portal.test/callback":     {false, false},
	} {
		if got := [2]bool{portal.MatchRedirectURI(uri), own.MatchRedirectURI(uri)}; got != want {
			t.Errorf("%s: portal, own = %v, want %v", uri, got, want)
		}
	}
	if !portal.MatchPostLogoutURI("http://127.0.0.1:9999/") || !own.MatchPostLogoutURI("http://localhost:8080/") {
		t.Error("no way back after signing out")
	}
	if portal.Consent != vneid.ConsentNever || own.Consent != vneid.ConsentOnce || *portal.RequirePKCE {
		t.Errorf("portal %+v\nown %+v", portal.ClientMetadata, own.ClientMetadata)
	}
}

func client(c people.Client) *vneid.Client {
	return &vneid.Client{ClientMetadata: c.ClientMetadata, LoopbackAnyPort: c.AnyPort}
}

func TestASeedFileNeedsOnlyWhatIsSpecial(t *testing.T) {
	d, err := people.Read("seed.yaml", []byte(`
personas:
- cccd: 038090000099
  name: Lê   Văn Thử
  birthdate: 1990-01-02
  gender: male
  phone: +84 950 000 099
- {cccd: "038190000098", name: Lê Thị Thử, birthdate: "1990", gender: female, web_login: false, account_level: 1, sms: late}
clients:
- client_id: shop
  client_secret: a-long-secret
  redirect_uris: [http://localhost:3000/cb]
`), 2026, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := d.Personas[0], d.Personas[1], d.Clients[0]
	if a.CCCD != "038090000099" || a.Name != "Lê Văn Thử" || a.Phone != "0950000099" || !a.WebLogin || a.AccountLevel != 2 || a.SMS != vneid.SMSInstant {
		t.Errorf("first: %+v", a)
	}
	if b.WebLogin || b.AccountLevel != 1 || b.SMS != vneid.SMSLate || b.Status != vneid.AccountActive {
		t.Errorf("second: %+v", b)
	}
	if c.Consent != vneid.ConsentOnce || c.Secret != "a-long-secret" || c.AnyPort {
		t.Errorf("client: %+v", c)
	}
	again, _ := people.Read("seed.yaml", []byte("personas: []"), 2026, nil)
	if d.Version == again.Version {
		t.Error("another file has the same version")
	}
}

func TestASeedFileReportsAllMistakesAtOnce(t *testing.T) {
	_, err := people.Read("seed.yaml", []byte(`personas:
- cccd: 38090000001
  name: An
  birthdate: 15/03/1990
  gender: nam
  phne: 0950000001
- cccd: "038090000002"
  name: B
  birthdate: "1990"
  gender: male
- cccd: "038090000002"
  name: C
  birthdate: "1990"
  gender: male
clients:
- client_id: a
  redirect_uris: [https://dichvucong.gov.vn/cb]
- client_id: a
  token_endpoint_auth_method: none
  client_secret: whatever-it-is
  redirect_uris: [http://localhost/cb]
`), 2026, nil)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"seed.yaml:2: personas[0].cccd: 11 digits: the leading 0 was lost",
		"seed.yaml:4: personas[0].birthdate: ",
		"seed.yaml:5: personas[0].gender: ",
		`seed.yaml:6: personas[0].phne: unknown; did you mean "phone"?`,
		"seed.yaml:11: personas[2].cccd: the number of personas[1]",
		"seed.yaml:17: clients[0].redirect_uris[0]: hosts under .gov.vn are refused",
		"seed.yaml:16: clients[0].client_secret: 8 to 200",
		"seed.yaml:18: clients[1].client_id: the client_id of clients[0]",
		"seed.yaml:20: clients[1].client_secret: a client with token_endpoint_auth_method none",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("personas:\n- cccd: 038090000001\n  name: A\n"))
	f.Add([]byte("clients:\n- redirect_uris: ['http://[::1]/', 'x:/']\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := people.Read("seed.yaml", content, 2026, nil)
		if err != nil {
			return
		}
		for _, p := range d.Personas { // what is accepted is valid
			if bad := p.Validate(2026); len(bad) > 0 {
				t.Fatalf("%+v: %v", p, bad)
			}
		}
		for _, c := range d.Clients {
			if bad := c.Normalize(nil); len(bad) > 0 {
				t.Fatalf("%+v: %v", c, bad)
			}
		}
	})
}
