package templates

// States of the QR code on a page.
const (
	QRFresh     = "fresh"     // shown, nobody scanned it
	QRScanned   = "scanned"   // a phone scanned it and has to confirm
	QRExpired   = "expired"   // a new one may be asked for
	QRElsewhere = "elsewhere" // another tab or browser shows the code of this login
	QRSpent     = "spent"     // no further code in this login
)

// QR is the way in by phone, on the login page and on the page without script
// that waits. Posts to RefreshAction: nothing.
type QR struct {
	State         string // "" = no such way here
	ImageURL      string // of the code, while it is fresh
	RefreshAction string // shows a new code here
	WaitURL       string // the page that waits without script
	EventsURL     string // tells the script what happens, "" = nothing will
	LoginURL      string // where to go on when the phone has confirmed
	SecondsLeft   int
	Short         string // the code for people who type it
	By            string // whose phone scanned, shortened
	At            string // when, RFC 3339
	Digits        string // number matching, "" = off
	PhoneURL      string // the phone app of the sandbox, "" = none
}

// Live reports whether something may still happen to the code.
func (q QR) Live() bool { return q.State == QRFresh || q.State == QRScanned }

// CanRefresh reports whether the button for a new code shows from the start.
func (q QR) CanRefresh() bool { return q.RefreshAction != "" && q.State != QRFresh }

// WaitingView waits for the phone without script: a page of its own, so that
// reloading wipes no number that somebody is typing.
type WaitingView struct {
	Frame
	ClientName, ClientHost string
	QR                     QR
}

func (WaitingView) template() string         { return "waiting" }
func (v WaitingView) title() string          { return v.T("qr.waiting.title") }
func (v WaitingView) withFrame(f Frame) View { v.Frame = f; return v }

func (v WaitingView) refresh() string {
	if v.QR.Live() {
		return "3"
	}
	return ""
}

// qrPart is the part of a page about the QR code, with the words of its frame.
//
// It says outright what could be asked of it: in a template each comparison is a
// call by reflection, and so is the search for a field of an embedded struct.
type qrPart struct {
	Frame
	QR QR

	Fresh, WithPicture, Scanned, Expired, Elsewhere, Spent, CanRefresh bool
}

func qr(f Frame, q QR) *qrPart {
	fresh := q.State == QRFresh
	return &qrPart{Frame: f, QR: q, Fresh: fresh, WithPicture: fresh && q.ImageURL != "", Scanned: q.State == QRScanned,
		Expired: q.State == QRExpired, Elsewhere: q.State == QRElsewhere, Spent: q.State == QRSpent, CanRefresh: q.CanRefresh()}
}
