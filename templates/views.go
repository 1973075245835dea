package templates

// LoginView is the first page of the provider: number and password, or the QR
// code for the phone (qr_views.go).
// Posts to Action: username, password. Posts to CancelAction: nothing.
type LoginView struct {
	Frame
	Action                 string
	ClientName, ClientHost string            // who the person signs in to
	Username               string            // what was typed, after an error
	FieldError             map[string]string // "username", "password" -> text, localised
	Error                  string            // summary, localised
	Retry                  string            // what to do next, a sentence under Error, localised; "" = none
	CancelAction           string            // gives up and goes back to the portal, "" = no such button
	HelpURL                string            // the sandbox's home page (people, SMS inbox), "" = none
	LockedMinutes          int               // > 0: this number is locked for so long
	QR                     QR                // the other way in
}

// OTPView asks for the code that went out by SMS.
// Posts to Action: otp. Posts to ResendAction and CancelAction: nothing.
type OTPView struct {
	Frame
	Action, ResendAction, CancelAction string
	ClientName, ClientHost             string
	MaskedPhone                        string
	SecondsLeft                        int    // the code's remaining life, 0 = expired
	ResendIn                           int    // seconds until a new code may be asked for, 0 = now
	TriesLeft                          int    // shown only beside an Error
	Error, Notice                      string // localised
	HelpURL                            string // the SMS inbox, "" = none
}

// AccountView asks whether to go on as whom this browser knows
// (prompt=select_account). Posts to Action: nothing.
type AccountView struct {
	Frame
	Action, OtherURL       string
	ClientName, ClientHost string
	PersonName             string
}

// SharingView asks whether the portal may have the person's data.
// Posts to Action: agree=yes when ticked, decision=share or refuse.
type SharingView struct {
	Frame
	Action                 string
	ClientName, ClientHost string
	PersonName             string
	Items                  []SharedItem
	Purpose                string // "" = the usual one: to sign in
	Offline                bool   // the portal keeps access while the person is away
	Error                  string // the box was not ticked, localised
}

// SharedItem is one thing that is shared: what, its value, what for.
type SharedItem struct{ Label, Value, Why string }

// SignOutConfirmView asks before ending the session at the provider.
// Posts to Action: decision=sign_out or stay.
type SignOutConfirmView struct {
	Frame
	Action     string
	ClientName string // who asked for it, "" = nobody known
	PersonName string
	Fields     []Field // the request that waits for the answer
}

// SignedOutView says that the session has ended, or that there was none.
type SignedOutView struct {
	Frame
	ClientName  string
	BackURL     string // "" = no way back known
	WasSignedIn bool
	Frames      []string // addresses of other sites that hear of it by being loaded
	GoesBack    bool     // to BackURL by itself, when the frames are loaded
}

// MessageView is every page that only says something, errors above all.
type MessageView struct {
	Frame
	Kind                   string // "error", "info", "locked"
	Title, What, Why, Next string // localised; Problem fills them from a code
	Links                  []Link
	RequestID              string
	Status                 int
	Technical              string // for the developer, shown small
	RecordURL              string // where a developer reads what led here, "" = not shown to this visitor
}

// Link is a way on from a message.
type Link struct {
	Text, URL string
	Primary   bool
}

// FormPostView hands the answer to the portal by a form the browser posts
// (response_mode=form_post): script submits it, without script the button does.
type FormPostView struct {
	Frame
	Action     string
	Fields     []Field
	ClientName string
}

// Field is one hidden form field.
type Field struct{ Name, Value string }

// HomeView is the sandbox's landing page.
type HomeView struct {
	Frame
	Issuer, SandboxURL string
	PortalHint         string // the sample portal: its URL, or a sentence; "" = none
	CAURL              string // the certificate of the local CA, "" = none
	Personas           []PersonaRow
	Password           string
	Version            string
}

// PersonaRow is one invented person.
type PersonaRow struct{ CCCD, Name, Phone, Note string }

// SMSView is the inbox of all phones, newest first. Sends by GET: to.
//
// With Refresh the page keeps itself up to date: with script the list alone is
// fetched again; without it a filtered page, which has no field that somebody
// could be typing into, reloads as a whole.
type SMSView struct {
	Frame
	To       string // only messages to this number, "" = all
	Messages []SMSRow
	Refresh  bool
}

// SMSRow is one message. SentAt in RFC 3339 is shown the Vietnamese way.
type SMSRow struct {
	ID, To, Text, OTP string
	SentAt            string
	Login             string
}

// TokenView asks for the token of a sandbox that is open to other machines.
// Posts to Action: token, back.
type TokenView struct {
	Frame
	Action string
	Back   string // where to go on
	Error  string // localised
}

// messageKinds names the problems that are no plain error.
var messageKinds = map[string]string{
	"account_locked":     "locked",
	"too_many_passwords": "locked",
	"login_done":         "info",
}

// Problem is the message page of error.<code>.*, args put into whichever of
// its texts has a placeholder. The caller adds links, status and details.
func Problem(f Frame, code string, args ...any) MessageView {
	kind := messageKinds[code]
	if kind == "" {
		kind = "error"
	}
	key := "error." + code
	return MessageView{
		Frame: f,
		Kind:  kind,
		Title: f.T(key+".title", args...),
		What:  f.T(key+".what", args...),
		Why:   f.T(key+".why", args...),
		Next:  f.T(key+".next", args...),
	}
}

// HasSummary reports whether an error stands above the form.
func (v LoginView) HasSummary() bool { return v.Error != "" || v.LockedMinutes > 0 }

// HasError reports whether the page shows any error.
func (v LoginView) HasError() bool { return v.HasSummary() || len(v.FieldError) > 0 }

// Expired reports whether the code can no longer be used.
func (v OTPView) Expired() bool { return v.SecondsLeft <= 0 }

func (LoginView) template() string          { return "login" }
func (OTPView) template() string            { return "otp" }
func (AccountView) template() string        { return "account" }
func (SharingView) template() string        { return "sharing" }
func (SignOutConfirmView) template() string { return "sign-out" }
func (SignedOutView) template() string      { return "signed-out" }
func (MessageView) template() string        { return "message" }
func (FormPostView) template() string       { return "form-post" }
func (HomeView) template() string           { return "home" }
func (SMSView) template() string            { return "sms" }
func (TokenView) template() string          { return "token" }

func (v LoginView) title() string          { return v.errorTitle("login.title", v.HasError()) }
func (v OTPView) title() string            { return v.errorTitle("otp.title", v.Error != "") }
func (v AccountView) title() string        { return v.T("account.title") }
func (v SharingView) title() string        { return v.errorTitle("sharing.title", v.Error != "") }
func (v SignOutConfirmView) title() string { return v.T("signout.title") }
func (v MessageView) title() string        { return v.Title }
func (v FormPostView) title() string       { return v.T("formpost.title") }
func (v HomeView) title() string           { return v.T("home.title") }
func (v SMSView) title() string            { return v.T("sms.title") }
func (v TokenView) title() string          { return v.errorTitle("token.title", v.Error != "") }

func (v SignedOutView) title() string {
	if v.WasSignedIn {
		return v.T("signedout.title")
	}
	return v.T("signedout.none.title")
}

func (v SignedOutView) frameURLs() []string { return v.Frames }

func (v SignedOutView) onward() string {
	if v.GoesBack {
		return v.BackURL
	}
	return ""
}

func (FormPostView) assets() (styles, scripts []string) { return nil, []string{"submit.js"} }

// errorTitle puts "Lỗi:" before the title, which is read out first.
func (f Frame) errorTitle(key string, failed bool) string {
	if failed {
		return f.T("frame.error") + ": " + f.T(key)
	}
	return f.T(key)
}

func (v SMSView) refresh() string {
	if v.Refresh && v.To != "" {
		return "5"
	}
	return ""
}

func (v LoginView) withFrame(f Frame) View          { v.Frame = f; return v }
func (v OTPView) withFrame(f Frame) View            { v.Frame = f; return v }
func (v AccountView) withFrame(f Frame) View        { v.Frame = f; return v }
func (v SharingView) withFrame(f Frame) View        { v.Frame = f; return v }
func (v SignOutConfirmView) withFrame(f Frame) View { v.Frame = f; return v }
func (v SignedOutView) withFrame(f Frame) View      { v.Frame = f; return v }
func (v MessageView) withFrame(f Frame) View        { v.Frame = f; return v }
func (v FormPostView) withFrame(f Frame) View       { v.Frame = f; return v }
func (v HomeView) withFrame(f Frame) View           { v.Frame = f; return v }
func (v SMSView) withFrame(f Frame) View            { v.Frame = f; return v }
func (v TokenView) withFrame(f Frame) View          { v.Frame = f; return v }
