package templates

// The citizen's phone app. Every screen posts to a path below /phone, and each
// of its forms leads back to /phone.

// onPhone is what the screens share: their own look and script.
type onPhone struct{}

func (onPhone) assets() (styles, scripts []string) {
	return []string{"phone.css"}, []string{"phone.js"}
}

// PhoneStartView is a phone that belongs to nobody yet.
// Posts to /phone/activate: username, password.
type PhoneStartView struct {
	Frame
	onPhone
	Username      string            // what was typed, after an error
	FieldError    map[string]string // "username", "password" -> text, localised
	Error, Retry  string            // localised
	LockedMinutes int               // > 0: this number is locked for so long
	CodeWaits     bool              // a code was scanned before there was a phone
}

// PhoneOTPView asks for the code of the activation.
// Posts to /phone/otp: otp. Posts to /phone/resend: nothing.
type PhoneOTPView struct {
	Frame
	onPhone
	MaskedPhone           string
	SecondsLeft, ResendIn int
	Error, Notice         string // localised
	TriesLeft             int    // shown only beside an Error
}

// PhonePasscodeView asks for the six digits: to choose them, to unlock, or to
// change "Đăng nhập trên website". Posts to Action: passcode.
type PhonePasscodeView struct {
	Frame
	onPhone
	Action     string
	Purpose    string // "new", "unlock", "on", "off"
	PersonName string
	Ready      string // the passcode of a phone made for testers, "" = the person's own
	CodeWaits  bool   // a scan goes on afterwards
	Error      string // localised
	TriesLeft  int    // shown only beside an Error
}

// PhonePeopleView lists the people whose ready phone a tester may take.
// Sends by GET: q. Posts to /phone/take: cccd.
type PhonePeopleView struct {
	Frame
	onPhone
	Query  string
	Search bool // there are many
	More   bool // more than are listed
	People []PhonePerson
}

// PhonePerson is one of them.
type PhonePerson struct {
	CCCD, Name, Note string
	Why              string // no ready phone: "locked", "not_activated"
	Own              bool   // somebody activated a phone; its passcode is theirs
}

// PhoneHomeView is the unlocked app.
type PhoneHomeView struct {
	Frame
	onPhone
	Name, CCCD, Birthdate, Gender, Phone, DeviceName string
	Level                                            int
	WebLogin                                         bool
	Codes                                            []PhoneCode
	Recent                                           []PhoneSignIn
}

// PhoneCode is a one-time password that the app shows.
type PhoneCode struct {
	Login, ClientName, Host, Browser, IP, Code string
	SecondsLeft                                int
}

// PhoneSignIn is a sign-in on the web. At in RFC 3339 is shown the Vietnamese
// way.
type PhoneSignIn struct {
	Login, ClientName, Host, Browser, IP, At, Method string
	Open                                             bool // its session stands
	URL                                              string
}

// PhoneScanView takes a code by camera, picture or keyboard.
// Posts to /phone/scan: picture or code.
type PhoneScanView struct {
	Frame
	onPhone
	Error     string // localised
	CodeError bool   // it is about the typed code, not about the picture
}

// PhoneAskView is what opening the address in a QR code shows: looking at it
// signs nobody in. Posts to /phone/scan: code.
type PhoneAskView struct {
	Frame
	onPhone
	Code string
}

// PhoneConfirmView asks whether to sign a browser in.
// Posts to /phone/confirm: login, passcode, number. Posts to /phone/refuse: login.
type PhoneConfirmView struct {
	Frame
	onPhone
	Login, ClientName, Host, Browser, IP, At string
	SecondsLeft                              int
	Choices                                  []int // number matching
	AskPasscode                              bool
	Device                                   bool     // a kiosk waits, no browser
	Shares                                   []string // what it gets, localised
	Ready                                    string   // as PhonePasscodeView
	Error                                    string   // localised
	WrongNumber                              bool     // the error is about Choices
}

// PhonePermissionView says that "Đăng nhập trên website" is off.
// Posts to /phone/update: nothing. Posts to /phone/refuse: login.
type PhonePermissionView struct {
	Frame
	onPhone
	Login, ClientName, Host string
}

// PhoneSwitchView is the switch itself. Posts to /phone/web-login: on.
type PhoneSwitchView struct {
	Frame
	onPhone
	On        bool
	CodeWaits bool
}

// PhoneSignInView asks before a sign-in is disowned.
// Posts to /phone/disown: login.
type PhoneSignInView struct {
	Frame
	onPhone
	SignIn PhoneSignIn
}

// PhoneNoticeView says how something ended. Posts to Action: nothing.
type PhoneNoticeView struct {
	Frame
	onPhone
	Good                   bool
	Title, What, Why, Next string // localised
	Action                 string
	Button                 string // localised
	Again                  bool   // scanning once more makes sense
	Locked                 bool   // the app is signed out now
}

func (PhoneStartView) template() string      { return "phone-start" }
func (PhoneOTPView) template() string        { return "phone-otp" }
func (PhonePasscodeView) template() string   { return "phone-passcode" }
func (PhonePeopleView) template() string     { return "phone-people" }
func (PhoneHomeView) template() string       { return "phone-home" }
func (PhoneScanView) template() string       { return "phone-scan" }
func (PhoneAskView) template() string        { return "phone-ask" }
func (PhoneConfirmView) template() string    { return "phone-confirm" }
func (PhonePermissionView) template() string { return "phone-permission" }
func (PhoneSwitchView) template() string     { return "phone-switch" }
func (PhoneSignInView) template() string     { return "phone-sign-in" }
func (PhoneNoticeView) template() string     { return "phone-notice" }

func (v PhoneStartView) title() string { return v.errorTitle("phone.start.title", v.HasError()) }
func (v PhoneOTPView) title() string   { return v.errorTitle("phone.otp.title", v.Error != "") }
func (v PhonePasscodeView) title() string {
	title := "phone.passcode." + v.Purpose + ".title"
	return v.errorTitle(title, v.Error != "")
}
func (v PhonePeopleView) title() string     { return v.T("phone.people.title") }
func (v PhoneHomeView) title() string       { return v.T("phone.title") }
func (v PhoneScanView) title() string       { return v.errorTitle("phone.scan.title", v.Error != "") }
func (v PhoneAskView) title() string        { return v.T("phone.ask.title") }
func (v PhoneConfirmView) title() string    { return v.errorTitle("phone.confirm.title", v.Error != "") }
func (v PhonePermissionView) title() string { return v.T("phone.permission.title") }
func (v PhoneSwitchView) title() string     { return v.T("phone.switch.title") }
func (v PhoneSignInView) title() string     { return v.T("phone.signin.title") }
func (v PhoneNoticeView) title() string     { return v.Title }

func (v PhoneStartView) withFrame(f Frame) View      { v.Frame = f; return v }
func (v PhoneOTPView) withFrame(f Frame) View        { v.Frame = f; return v }
func (v PhonePasscodeView) withFrame(f Frame) View   { v.Frame = f; return v }
func (v PhonePeopleView) withFrame(f Frame) View     { v.Frame = f; return v }
func (v PhoneHomeView) withFrame(f Frame) View       { v.Frame = f; return v }
func (v PhoneScanView) withFrame(f Frame) View       { v.Frame = f; return v }
func (v PhoneAskView) withFrame(f Frame) View        { v.Frame = f; return v }
func (v PhoneConfirmView) withFrame(f Frame) View    { v.Frame = f; return v }
func (v PhonePermissionView) withFrame(f Frame) View { v.Frame = f; return v }
func (v PhoneSwitchView) withFrame(f Frame) View     { v.Frame = f; return v }
func (v PhoneSignInView) withFrame(f Frame) View     { v.Frame = f; return v }
func (v PhoneNoticeView) withFrame(f Frame) View     { v.Frame = f; return v }

// HasError reports whether the page shows any error.
func (v PhoneStartView) HasError() bool {
	return v.Error != "" || v.LockedMinutes > 0 || len(v.FieldError) > 0
}

// Expired reports whether the code can no longer be used.
func (v PhoneOTPView) Expired() bool { return v.SecondsLeft <= 0 }

// refresh: codes come and go, and nothing can be typed here.
func (v PhoneHomeView) refresh() string { return "10" }

// PhoneNotice is the screen of error.<code>.*, with the numbers of its texts.
func PhoneNotice(f Frame, code string, args ...any) PhoneNoticeView {
	p := Problem(f, code, args...)
	return PhoneNoticeView{Frame: f, Title: p.Title, What: p.What, Why: p.Why, Next: p.Next,
		Action: f.Path("/phone/close"), Button: f.T("phone.close")}
}

// PhoneDone is the screen of something that went well: phone.<key>.*.
func PhoneDone(f Frame, key string, args ...any) PhoneNoticeView {
	key = "phone." + key
	return PhoneNoticeView{Frame: f, Good: true, Title: f.T(key + ".title"), What: f.T(key+".what", args...), Next: f.T(key + ".next"),
		Action: f.Path("/phone/close"), Button: f.T("phone.close")}
}
