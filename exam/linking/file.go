package linking

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// File tells how a relying party signs in, links and lets go. Addresses are
// relative to Portal. Whoever reads one from YAML refuses unknown keys, and calls
// [File.Check].
type File struct {
	Portal   string    `yaml:"portal"`
	ClientID string    `yaml:"client_id"`
	Login    Step      `yaml:"login"` // leads to VNeID
	Local    Step      `yaml:"local"` // the relying party's own sign-in
	Who      Who       `yaml:"whoami"`
	Pages    []string  `yaml:"pages"` // where data of the person stand
	Accounts []Account `yaml:"accounts"`
	Register *Step     `yaml:"register"` // makes a local account
	Declare  *Step     `yaml:"declare"`  // a local account types its CCCD
	Link     Link      `yaml:"link"`
	Carried  *Step     `yaml:"carried"` // the browser hands over UserInfo that it fetched itself
	Unlink   *Unlink   `yaml:"unlink"`
	Level2   *Level2   `yaml:"level2"`
}

// Step is one thing a browser does: open Page, and send the form on it that
// has Fields, or the one that goes to Action. Hidden inputs go as they stand.
// A step with a page alone is a link.
type Step struct {
	Page   string         `yaml:"page"`
	Action string         `yaml:"action"`
	Fields map[string]any `yaml:"fields"`
}

// Who is the page that tells who is signed in. SignedIn stands on it only when
// somebody is.
type Who struct {
	Page     string `yaml:"page"`
	SignedIn string `yaml:"signed_in"`
}

// Account is a local account that the relying party has already.
type Account struct {
	Kind      string   `yaml:"kind"`
	Username  string   `yaml:"username"`
	Password  string   `yaml:"password"`
	Name      string   `yaml:"name"`
	Birthdate string   `yaml:"birthdate"` // YYYY-MM-DD
	Gender    string   `yaml:"gender"`
	CCCD      string   `yaml:"cccd"`  // that it holds already
	CMND      string   `yaml:"cmnd"`  // 9 digits
	Phone     string   `yaml:"phone"` // 0950000001
	Email     string   `yaml:"email"`
	Marks     []string `yaml:"marks"` // stand on its pages and on nobody else's
	Pages     []string `yaml:"pages"` // more pages where they stand
}

// The kinds of accounts, by the part they play.
const (
	own      = "own"      // the citizen's: holds, declares or is given the citizen's number
	stranger = "stranger" // its CCCD is that of somebody else, who never saw the account
	byCMND   = "cmnd"     // bears an old CMND and no CCCD
	officer  = "officer"  // an officer's
	other    = "other"    // of a third person, who is signed in when others meddle
)

var kinds = []string{own, stranger, byCMND, officer, other}

// Link is how an account that is signed in by VNeID is joined to a local one.
type Link struct {
	Start   *Step `yaml:"start"`   // by a local account, leads to VNeID
	Confirm *Step `yaml:"confirm"` // joins, with {username} and {password} of the local account
	Skip    *Step `yaml:"skip"`
}

// Unlink is how a link is undone. Start leads to VNeID for a fresh sign-in.
type Unlink struct {
	Start *Step `yaml:"start"`
	Form  Step  `yaml:"form"`
}

// Level2 is a page that needs account level 2; Granted stands on it only for
// those who have it.
type Level2 struct {
	Page    string `yaml:"page"`
	Granted string `yaml:"granted"`
}

var (
	placeholder = regexp.MustCompile(`\{[a-z_]*\}`)
	// placeholders are what stands in fields for a value of the account.
	placeholders = []string{"{username}", "{password}", "{new_password}", "{name}", "{birthdate}", "{gender}", "{cccd}", "{cmnd}", "{phone}", "{email}", "{userinfo}"}
	day          = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	twelve       = regexp.MustCompile(`^\d{12}$`)
)

// Check tells report of every mistake in the values, by the key of each, and
// puts Portal into its usual form.
func (c *File) Check(report func(key, what, hint string)) {
	f := check(report)
	base, err := url.Parse(c.Portal)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || strings.Trim(base.Path, "/") != "" || base.RawQuery != "":
		f("portal", "no address", "write http://127.0.0.1:9999")
	default:
		if why := vneid.CheckHost(base.Hostname(), nil); why != "" {
			f("portal", why, "")
		}
		c.Portal = base.Scheme + "://" + base.Host
	}
	f.must("client_id", c.ClientID, "the client_id of the relying party at the sandbox")
	f.step("login", &c.Login)
	f.step("local", &c.Local)
	f.path("whoami.page", c.Who.Page)
	f.must("whoami.signed_in", c.Who.SignedIn, "a text that stands on whoami.page only when somebody is signed in")
	for i, p := range c.Pages {
		f.path(fmt.Sprintf("pages[%d]", i), p)
	}
	for i := range c.Accounts {
		f.account(fmt.Sprintf("accounts[%d]", i), &c.Accounts[i])
	}
	for _, s := range []struct {
		key string
		*Step
	}{{"register", c.Register}, {"declare", c.Declare}, {"link.start", c.Link.Start}, {"link.confirm", c.Link.Confirm}, {"link.skip", c.Link.Skip}, {"carried", c.Carried}} {
		if s.Step != nil {
			f.step(s.key, s.Step)
		}
	}
	if c.Unlink != nil {
		f.step("unlink.form", &c.Unlink.Form)
		if c.Unlink.Start != nil {
			f.step("unlink.start", c.Unlink.Start)
		}
	}
	if c.Level2 != nil {
		f.path("level2.page", c.Level2.Page)
		f.must("level2.granted", c.Level2.Granted, "a text that stands there only for people of level 2")
	}
}

// check reports what is wrong with a value.
type check func(key, what, hint string)

func (f check) must(key, value, why string) {
	if value == "" {
		f(key, "is missing", why)
	}
}

func (f check) path(key, value string) {
	if !strings.HasPrefix(value, "/") || strings.HasPrefix(value, "//") || strings.Contains(value, "\\") {
		f(key, "no path", "write /login, relative to portal")
	}
}

func (f check) step(key string, s *Step) {
	f.path(key+".page", s.Page)
	if s.Action != "" {
		f.path(key+".action", s.Action)
	}
	for name, value := range s.Fields {
		text, ok := value.(string)
		if !ok {
			f(key+".fields."+name, "is no text", "")
		}
		for _, p := range placeholder.FindAllString(text, -1) {
			if !slices.Contains(placeholders, p) {
				f(key+".fields."+name, "nothing is called "+p, "known are "+strings.Join(placeholders, " "))
			}
		}
	}
}

func (f check) account(key string, a *Account) {
	if !slices.Contains(kinds, a.Kind) {
		f(key+".kind", fmt.Sprintf("%.40q is none of them", a.Kind), "known are "+strings.Join(kinds, ", "))
	}
	f.must(key+".username", a.Username, "")
	f.must(key+".password", a.Password, "")
	if len(a.Marks) == 0 {
		f(key+".marks", "are missing", "texts that stand on the pages of this account and on nobody else's, such as the number of a dossier")
	}
	for i, m := range a.Marks {
		if len(m) < 4 {
			f(fmt.Sprintf("%s.marks[%d]", key, i), "shorter than 4 bytes", "it would stand everywhere")
		}
	}
	for i, p := range a.Pages {
		f.path(fmt.Sprintf("%s.pages[%d]", key, i), p)
	}
	if a.Birthdate != "" && !day.MatchString(a.Birthdate) {
		f(key+".birthdate", "no date", "write 1990-03-15")
	}
	if a.Gender != "" && a.Gender != "male" && a.Gender != "female" {
		f(key+".gender", "neither male nor female", "")
	}
	if a.CCCD != "" && !twelve.MatchString(a.CCCD) {
		f(key+".cccd", "not 12 digits", "")
	}
	switch a.Kind {
	case stranger:
		f.must(key+".cccd", a.CCCD, "the number it holds, which is that of somebody else")
	case byCMND:
		f.must(key+".cmnd", a.CMND, "the old number it bears")
	case officer:
		f.must(key+".name", a.Name, "the officer's, to make a citizen of the same name")
	}
}
