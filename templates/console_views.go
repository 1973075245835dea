package templates

// The tester's console. Its pages lie below /console of a world; each says
// which section of the navigation it belongs to.

// OnConsole is what every page of the console shows besides its own matter.
type OnConsole struct {
	World  string // id of the world, "" = the one that is there without being asked for
	Now    string // of the world's clock, RFC 3339
	Offset string // of that clock from real time, "+5m0s"; "" = none
	Said   string // what the last form did: console.said.<Said>, "" = nothing
}

func (OnConsole) assets() (styles, scripts []string) {
	return []string{"console.css"}, []string{"console.js"}
}

func (c OnConsole) console() OnConsole { return c }

// HasSaid reports whether there is a text for what the last form did: Said
// comes from the address, and may be anything.
func (c OnConsole) HasSaid() bool { return HasText("console.said." + c.Said) }

// inConsole are the views of the console.
type inConsole interface {
	console() OnConsole
	section() string // in the navigation
}

// consoleSections in the order of the navigation, with the addresses of their
// first pages. A section is named by console.nav.<section>.
var consoleSections = []struct{ section, path string }{
	{"overview", "/console"},
	{"personas", "/console/personas"},
	{"sms", "/console/sms"},
	{"logins", "/console/logins"},
	{"lint", "/console/lint"},
	{"faults", "/console/faults"},
	{"phones", "/console/phones"},
	{"clients", "/console/clients"},
	{"sessions", "/console/sessions"},
	{"keys", "/console/keys"},
	{"clock", "/console/clock"},
	{"worlds", "/console/worlds"},
	{"config", "/console/config"},
	{"health", "/console/health"},
}

// consoleBar is the navigation around a page of the console, and what it says
// of the world.
type consoleBar struct {
	Frame
	OnConsole
	Sections []consoleLink
	Here     string // text of the page's own section
}

type consoleLink struct {
	Text, URL, Section string
	Here               bool
}

func newConsoleBar(f Frame, v inConsole) *consoleBar {
	bar := &consoleBar{Frame: f, OnConsole: v.console()}
	for _, s := range consoleSections {
		link := consoleLink{Text: f.T("console.nav." + s.section), URL: f.Path(s.path), Section: s.section, Here: s.section == v.section()}
		if link.Here {
			bar.Here = link.Text
		}
		bar.Sections = append(bar.Sections, link)
	}
	return bar
}

// ConsoleOverviewView is the first page: whom to sign in as, where everything
// is, and what happened last.
type ConsoleOverviewView struct {
	Frame
	OnConsole
	Issuer   string
	Portal   string          // the sample portal, "" = unknown
	Example  *ConsoleExample // somebody to sign in as, nil = nobody lives here
	Counts   []ConsoleCount
	Messages []SMSRow // the newest
	Version  string
}

// ConsoleExample is a person with what it takes to sign in as them.
type ConsoleExample struct{ CCCD, Name, Phone, Password, Passcode string }

// ConsoleCount is how much there is of something: console.count.<What>.
type ConsoleCount struct {
	What, Number, Path string
}

// Paging is where a list stands.
type Paging struct {
	Query string // what was looked for
	Next  string // address of the next page, "" = this is the last one
	First bool   // nothing was left out before
}

// ConsolePersonasView lists people, by number. Sends by GET: q.
type ConsolePersonasView struct {
	Frame
	OnConsole
	Paging
	People []ConsolePerson
}

// ConsolePerson is one of them.
type ConsolePerson struct {
	CCCD, Name, Phone, Note string
	Level                   int
	Status, SMS             string // as in vneid
	WebLogin                bool
}

// ConsolePersonView is one person, with the form to change them.
// Posts to …/{cccd}: the fields of PersonaForm. Posts to …/{cccd}/status:
// status; …/{cccd}/web-login: on; …/{cccd}/delete: nothing.
type ConsolePersonView struct {
	Frame
	OnConsole
	Person             ConsolePerson
	Password, Passcode string // that work for them, "" = nobody knows
	Form               Form
}

// ConsoleNewPersonView makes a person. Posts to /console/personas: the fields
// of PersonaForm.
type ConsoleNewPersonView struct {
	Frame
	OnConsole
	Form Form
}

// ConsoleSMSView is the inbox in the console. Sends by GET: to.
type ConsoleSMSView struct {
	Frame
	OnConsole
	To       string
	Messages []SMSRow
}

// ConsolePhonesView lists the phones that belong to somebody. Sends by GET:
// cccd.
type ConsolePhonesView struct {
	Frame
	OnConsole
	Paging
	Wrong  string // why there is no such phone, localised
	Phones []ConsolePhone
}

// ConsolePhone is somebody's phone. Times in RFC 3339 are shown the Vietnamese
// way.
type ConsolePhone struct {
	CCCD, Name, Device, ActivatedAt string
	Ready, Unlocked, WebLogin       bool
}

// ConsolePhoneView is one person's phone, or that they have none.
// Posts to …/{cccd}/ready, …/{cccd}/web-login (on).
type ConsolePhoneView struct {
	Frame
	OnConsole
	Person   ConsolePerson
	Phone    *ConsolePhone // nil = none
	WhyNone  string        // why they cannot have a ready one: "locked", "not_activated"; "" = they can
	Passcode string        // of a ready phone
	Scanned  string        // the login that the app asks about, "" = none
	SignIns  []ConsoleSignIn
}

// ConsoleSignIn is a sign-in of somebody at a client. Posts to
// /console/sessions/{session}/end.
type ConsoleSignIn struct {
	Login, Client, Host, Browser, IP, At, Method string
	Session                                      string // "" = over
}

// ConsoleClientsView lists the clients. Sends by GET: q.
type ConsoleClientsView struct {
	Frame
	OnConsole
	Paging
	Clients []ConsoleClient
}

// ConsoleClient is one of them.
type ConsoleClient struct {
	ID, Name, Method, Consent string
	RedirectURIs              []string
}

// ConsoleClientView is one client: how to connect it, and the form to change
// it. Posts to …/{client_id}: the fields of ClientForm; …/{client_id}/secret
// and …/{client_id}/delete: nothing.
type ConsoleClientView struct {
	Frame
	OnConsole
	Client   ConsoleClient
	Secret   string // just made, shown this once; "" = nobody can show it
	Issuer   string
	Snippets []ConsoleSnippet
	Form     Form
}

// ConsoleSnippet is what to put where, to connect one kind of program.
type ConsoleSnippet struct{ ID, Title, File, Code string }

// ConsoleNewClientView makes a client. Posts to /console/clients: the fields of
// ClientForm.
type ConsoleNewClientView struct {
	Frame
	OnConsole
	Form Form
}

// ConsoleSessionsView lists who is signed in. Posts to …/{id}/end: nothing.
type ConsoleSessionsView struct {
	Frame
	OnConsole
	Paging
	Sessions []ConsoleSession
}

// ConsoleSession is a browser in which somebody is signed in.
type ConsoleSession struct {
	ID, CCCD, Name, ACR, Method string
	Clients                     []string
	CreatedAt, ExpiresAt        string
}

// ConsoleKeysView lists the signing keys. Posts to /console/keys/rotate: alg,
// stage.
type ConsoleKeysView struct {
	Frame
	OnConsole
	Algs  []ConsoleAlg
	JWKS  string // where they are published
	Wrong string // why the last stage was not possible, localised; "" = it was
}

// ConsoleAlg are the keys of one algorithm.
type ConsoleAlg struct {
	Alg, Next string // the stage of its rotation that comes next: publish, use, retire
	Keys      []ConsoleKey
}

// ConsoleKey is one of them. State as in vneid.
type ConsoleKey struct{ KID, State, CreatedAt string }

// ConsoleClockView is the clock of the world. Posts to /console/clock: advance,
// set or reset.
type ConsoleClockView struct {
	Frame
	OnConsole
	Real string // time, RFC 3339
	Form Form
}

// ConsoleWorldsView lists the worlds, in the default one; in another only
// itself. Posts to /console/worlds: id; to /console/worlds/{id}/delete and
// /console/reset: nothing.
type ConsoleWorldsView struct {
	Frame
	OnConsole
	Default string // console of the default world, "" = this is it
	Worlds  []ConsoleWorld
	Made    *ConsoleWorld // just now
	Token   string        // of Made, shown this once
	Form    Form
}

// ConsoleWorld is one of them; times as ConsolePhone, "" = it stays.
type ConsoleWorld struct{ ID, Issuer, URL, API, CreatedAt, ExpiresAt string }

// ID is the field for the name of a new world.
func (v ConsoleWorldsView) ID() Input {
	return v.Form.input(v.Frame, formField{name: "id", kind: inText})
}

// ConsoleTransferView takes people as a file and gives them out as one. Posts
// to /console/personas/import: format, content.
type ConsoleTransferView struct {
	Frame
	OnConsole
	Form     Form
	Mistakes []ConsoleMistake
}

// ConsoleMistake is one in a file; what is wrong comes in English.
type ConsoleMistake struct{ Where, What string }

// Format and Content are the fields of an import.
func (v ConsoleTransferView) Format() Input {
	return v.Form.input(v.Frame, formField{name: "format", kind: inOne, options: []string{"yaml", "csv"}, verbatim: true})
}
func (v ConsoleTransferView) Content() Input {
	return v.Form.input(v.Frame, formField{name: "content", kind: inLines})
}

// ConsoleConfigView is the configuration in force. It shows no secret.
type ConsoleConfigView struct {
	Frame
	OnConsole
	Groups []ConsoleSettings
}

// ConsoleSettings are some of the settings: console.config.<Name>.
type ConsoleSettings struct {
	Name     string
	Settings []ConsoleSetting
}

// ConsoleSetting is one value and where it came from, "" = the default.
type ConsoleSetting struct{ Key, Value, Source string }

// ConsoleHealthView says how the program does.
type ConsoleHealthView struct {
	Frame
	OnConsole
	Checks []ConsoleCheck
	Facts  []ConsoleFact
}

// ConsoleCheck is a part of the program, console.check.<Name>, and how it does.
type ConsoleCheck struct {
	Name, Value string
	Bad         bool
}

// ConsoleFact is console.fact.<Name> with its value.
type ConsoleFact struct{ Name, Value string }

func (ConsoleOverviewView) template() string  { return "console-overview" }
func (ConsolePersonasView) template() string  { return "console-personas" }
func (ConsolePersonView) template() string    { return "console-person" }
func (ConsoleNewPersonView) template() string { return "console-new-person" }
func (ConsoleSMSView) template() string       { return "console-sms" }
func (ConsolePhonesView) template() string    { return "console-phones" }
func (ConsolePhoneView) template() string     { return "console-phone" }
func (ConsoleClientsView) template() string   { return "console-clients" }
func (ConsoleClientView) template() string    { return "console-client" }
func (ConsoleNewClientView) template() string { return "console-new-client" }
func (ConsoleSessionsView) template() string  { return "console-sessions" }
func (ConsoleKeysView) template() string      { return "console-keys" }
func (ConsoleClockView) template() string     { return "console-clock" }
func (ConsoleWorldsView) template() string    { return "console-worlds" }
func (ConsoleTransferView) template() string  { return "console-transfer" }
func (ConsoleConfigView) template() string    { return "console-config" }
func (ConsoleHealthView) template() string    { return "console-health" }

func (ConsoleOverviewView) section() string  { return "overview" }
func (ConsolePersonasView) section() string  { return "personas" }
func (ConsolePersonView) section() string    { return "personas" }
func (ConsoleNewPersonView) section() string { return "personas" }
func (ConsoleSMSView) section() string       { return "sms" }
func (ConsolePhonesView) section() string    { return "phones" }
func (ConsolePhoneView) section() string     { return "phones" }
func (ConsoleClientsView) section() string   { return "clients" }
func (ConsoleClientView) section() string    { return "clients" }
func (ConsoleNewClientView) section() string { return "clients" }
func (ConsoleSessionsView) section() string  { return "sessions" }
func (ConsoleKeysView) section() string      { return "keys" }
func (ConsoleClockView) section() string     { return "clock" }
func (ConsoleWorldsView) section() string    { return "worlds" }
func (ConsoleTransferView) section() string  { return "personas" }
func (ConsoleConfigView) section() string    { return "config" }
func (ConsoleHealthView) section() string    { return "health" }

func (v ConsoleOverviewView) title() string { return v.T("console.overview.title") }
func (v ConsolePersonasView) title() string { return v.T("console.personas.title") }
func (v ConsolePersonView) title() string   { return v.Form.title(v.Frame, v.Person.Name) }
func (v ConsoleNewPersonView) title() string {
	return v.errorTitle("console.person.new", v.Form.Failed())
}
func (v ConsoleSMSView) title() string     { return v.T("console.sms.title") }
func (v ConsolePhonesView) title() string  { return v.errorTitle("console.phones.title", v.Wrong != "") }
func (v ConsolePhoneView) title() string   { return v.T("console.phone.title", v.Person.Name) }
func (v ConsoleClientsView) title() string { return v.T("console.clients.title") }
func (v ConsoleClientView) title() string  { return v.Form.title(v.Frame, v.Client.Name) }
func (v ConsoleNewClientView) title() string {
	return v.errorTitle("console.client.new", v.Form.Failed())
}
func (v ConsoleSessionsView) title() string { return v.T("console.sessions.title") }
func (v ConsoleKeysView) title() string     { return v.errorTitle("console.keys.title", v.Wrong != "") }
func (v ConsoleClockView) title() string    { return v.errorTitle("console.clock.title", v.Form.Failed()) }
func (v ConsoleWorldsView) title() string {
	return v.errorTitle("console.worlds.title", v.Form.Failed())
}
func (v ConsoleTransferView) title() string {
	return v.errorTitle("console.transfer.title", len(v.Mistakes) > 0)
}
func (v ConsoleConfigView) title() string { return v.T("console.config.title") }
func (v ConsoleHealthView) title() string { return v.T("console.health.title") }

func (v ConsoleOverviewView) withFrame(f Frame) View  { v.Frame = f; return v }
func (v ConsolePersonasView) withFrame(f Frame) View  { v.Frame = f; return v }
func (v ConsolePersonView) withFrame(f Frame) View    { v.Frame = f; return v }
func (v ConsoleNewPersonView) withFrame(f Frame) View { v.Frame = f; return v }
func (v ConsoleSMSView) withFrame(f Frame) View       { v.Frame = f; return v }
func (v ConsolePhonesView) withFrame(f Frame) View    { v.Frame = f; return v }
func (v ConsolePhoneView) withFrame(f Frame) View     { v.Frame = f; return v }
func (v ConsoleClientsView) withFrame(f Frame) View   { v.Frame = f; return v }
func (v ConsoleClientView) withFrame(f Frame) View    { v.Frame = f; return v }
func (v ConsoleNewClientView) withFrame(f Frame) View { v.Frame = f; return v }
func (v ConsoleSessionsView) withFrame(f Frame) View  { v.Frame = f; return v }
func (v ConsoleKeysView) withFrame(f Frame) View      { v.Frame = f; return v }
func (v ConsoleClockView) withFrame(f Frame) View     { v.Frame = f; return v }
func (v ConsoleWorldsView) withFrame(f Frame) View    { v.Frame = f; return v }
func (v ConsoleTransferView) withFrame(f Frame) View  { v.Frame = f; return v }
func (v ConsoleConfigView) withFrame(f Frame) View    { v.Frame = f; return v }
func (v ConsoleHealthView) withFrame(f Frame) View    { v.Frame = f; return v }

// liveRegion is an element that script keeps up to date.
type liveRegion struct {
	Frame
	ID string
}

func live(f Frame, id string) liveRegion { return liveRegion{f, id} }

// copier is a button by which script copies a text.
type copier struct {
	Frame
	Text string
}

func newCopier(f Frame, text string) copier { return copier{f, text} }

type phoneBadges struct {
	Frame
	ConsolePhone
}

func newPhoneBadges(f Frame, p ConsolePhone) phoneBadges { return phoneBadges{f, p} }
