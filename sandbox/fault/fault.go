// Package fault lets the provider misbehave on purpose, so that a relying party
// can be tested: it is a man in the middle around honest parts. It stands
// between the listener and the provider, and between the provider and the
// relying parties that it tells of logouts; it takes messages apart, makes them
// wrong in one described way, and puts them together again.
//
// What can be wrong is a catalogue of data ([Catalogue]); what is wrong now is
// chosen per client, person, login_hint or world ([Armed]). Honest code does
// not know this package, and where nothing is armed no byte passes through it
// ([Engine.Around]). It never strikes in a world where nobody armed it, and it
// never hides: pages of the provider and records say what is armed.
package fault

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Text is a text for people, in both languages.
type Text struct {
	Vi string `json:"vi"`
	En string `json:"en"`
}

// Grade says how bad it is when a relying party does not notice.
type Grade string

const (
	Must   Grade = "must"   // the specification demands that it reacts
	Should Grade = "should" // recommended; a warning when it does not
	Either Grade = "either" // both are allowed; what it does is recorded
	Accept Grade = "accept" // no fault at all: a relying party that refuses is too strict
)

// Seam is where the man in the middle stands.
type Seam string

const (
	SeamAuthorization Seam = "authorization_response"
	SeamToken         Seam = "token_response"
	SeamIDToken       Seam = "id_token"
	SeamJOSE          Seam = "jose"
	SeamUserinfo      Seam = "userinfo"
	SeamJWKS          Seam = "jwks"
	SeamDiscovery     Seam = "discovery"
	SeamLogout        Seam = "logout_token"
	SeamRedirect      Seam = "redirect"
	SeamTransport     Seam = "transport"
	SeamKeys          Seam = "keys"
	SeamWorld         Seam = "world"
	// SeamChoreography needs an actor: the order of messages is the fault, or a
	// second browser. The exam plays it; armed alone it does nothing.
	SeamChoreography Seam = "choreography"
)

// Signal is how one sees, from outside, that a relying party did not notice.
type Signal string

const (
	NoTokenCall    Signal = "no_token_call"    // it must not redeem the code
	NoUserinfoCall Signal = "no_userinfo_call" // it must not use the access token
	NoSession      Signal = "no_session"       // nobody may be signed in afterwards
	Session        Signal = "session"          // somebody must be signed in afterwards
	Fetch          Signal = "fetch"            // it must fetch keys or metadata again
	Canary         Signal = "canary"           // nothing may reach the canary
	LogoutStatus   Signal = "logout_status"    // it must refuse the logout token (OIDC Back-Channel Logout §2.6)
	LoggedOut      Signal = "logged_out"       // its session must have ended
	KeepsSession   Signal = "keeps_session"    // its session must go on: nobody asked it to end
	NoRetry        Signal = "no_retry"         // a page for the person: no loop, no storm, no crash
	Encoded        Signal = "encoded"          // what we wrote as markup must not come out as markup
	Human          Signal = "human"            // only a person can judge
)

// Variant is one of several ways to do the same wrong.
type Variant struct {
	Name  string `json:"name"`
	About Text   `json:"about"`
}

// Fault is an entry of the catalogue.
type Fault struct {
	ID        string    `json:"id"`   // stable: A01 …
	Name      string    `json:"name"` // stable too, for people who type
	Section   string    `json:"section"`
	Title     Text      `json:"title"`
	What      Text      `json:"what"`  // is wrong
	Right     Text      `json:"right"` // what a right relying party does
	Spec      []string  `json:"spec"`
	Grade     Grade     `json:"grade"`
	Seam      Seam      `json:"seam"`
	Signals   []Signal  `json:"signals"`
	Variants  []Variant `json:"variants"`            // the first is what happens when none is named; empty = there is one way
	Skippable *Text     `json:"skippable,omitempty"` // why the specification lets a relying party not look; nil = it does not
	Asks      []string  `json:"asks"`                // what the relying party must have sent for the fault to mean anything
	Attacker  bool      `json:"attacker,omitempty"`  // it needs the attacker's listener, --attack-listen

	hooks hooks
}

// hooks are what a fault does to the messages that pass. Those that are nil let
// the message through. Each is called for messages of the matching kind only.
type hooks struct {
	// request comes before the provider sees the message; setting
	// Exchange.Answer keeps it from the provider.
	request func(*Exchange)
	// response may change any answer: on says of which kinds.
	response func(*Exchange)
	on       []Kind // of request and response

	authorization func(*Exchange, *Authorization) // the authorization response, in any response mode
	token         func(*Exchange, *Object)        // a successful token response
	idToken       func(*Exchange, *JWT)           // the ID token within it
	userinfo      func(*Exchange, *Object)        // the claims, signed or not
	jwks          func(*Exchange, *Object)
	discovery     func(*Exchange, *Object)
	logout        func(*Exchange, *JWT) // the logout token on its way to the relying party
	certificate   bool                  // the variant names a wrong certificate
	plain         bool                  // a listener of TLS answers http as well
	// message says how much later an SMS comes, or that it never does.
	message func(*Exchange) (late time.Duration, lost bool)
}

// Sections of the catalogue, in order.
var Sections = []struct {
	ID    string
	Title Text
}{
	{"A", Text{"Phản hồi uỷ quyền (kênh trước)", "Authorization response (front channel)"}},
	{"B", Text{"Điểm cuối token", "Token endpoint"}},
	{"C", Text{"Thông tin trong ID token", "ID token claims"}},
	{"D", Text{"Chữ ký, tiêu đề JOSE, khóa", "Signature, JOSE header, keys"}},
	{"E", Text{"Khám phá và siêu dữ liệu", "Discovery and metadata"}},
	{"F", Text{"UserInfo", "UserInfo"}},
	{"G", Text{"Đăng xuất và phiên", "Logout and session"}},
	{"H", Text{"Tính sẵn sàng và đường truyền", "Availability and transport"}},
	{"I", Text{"Kịch bản tấn công", "Attack choreographies"}},
	{"J", Text{"Mức tài khoản và liên kết theo CCCD", "Account level and linking by CCCD"}},
	{"K", Text{"Mã QR và thiết bị", "QR and device step"}},
}

// parts of the catalogue register themselves here, one file for each section.
var parts [][]Fault

var catalogue = sync.OnceValue(func() (list []Fault) {
	for _, p := range parts {
		list = append(list, p...)
	}
	for i := range list {
		f := &list[i]
		f.Section = f.ID[:1]
		f.Spec, f.Signals = orEmpty(f.Spec), orEmpty(f.Signals)
		f.Variants, f.Asks = orEmpty(f.Variants), orEmpty(f.Asks)
	}
	slices.SortFunc(list, func(a, b Fault) int { return cmp.Compare(a.ID, b.ID) })
	return list
})

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Catalogue lists every fault, ordered by id. Nobody may change it.
func Catalogue() []Fault { return catalogue() }

// Find is the fault of an id (in any case) or a name, nil when there is none.
func Find(id string) *Fault {
	list := catalogue()
	for i := range list {
		if strings.EqualFold(list[i].ID, id) || list[i].Name == id {
			return &list[i]
		}
	}
	return nil
}

func (f *Fault) hasVariant(name string) bool {
	return name == "" || slices.ContainsFunc(f.Variants, func(v Variant) bool { return v.Name == name })
}
