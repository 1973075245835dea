package login

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// qrView is what a page shows of a login's QR code. The picture is drawn at an
// address of its own: whoever types a password does not pay for it. A browser
// that does not show the live code gets no code and no address of one, only the
// button for a new one.
func (p *Pages) qrView(r *http.Request, step *vneid.Step) (v templates.QR) {
	w, l := vneid.WorldFrom(r.Context()), step.Login
	if p.Help.Scan == "" || l.State != vneid.StateStarted {
		return v
	}
	base, now := p.url(r, "/login/"+l.ID), w.Clock.Now()
	generation := "?g=" + itoa(l.QR.Generation)
	v = templates.QR{RefreshAction: base + "/qr", WaitURL: base + "/waiting" + generation, LoginURL: base}
	left := l.QR.Generation < w.Policy.QRPerLogin
	switch {
	case !step.ShowsQR || asksForOther(r, l.QR.Generation):
		v.State = templates.QRElsewhere
	case l.QR.Expired(now):
		v.State = templates.QRExpired
	case l.QR.State == vneid.QRScanned:
		v.State, v.EventsURL = templates.QRScanned, base+"/events"+generation
		v.By, v.At, v.Digits = step.ScannedBy, scannedAt(l), matchDigits(l)
	default:
		v.State, v.EventsURL = templates.QRFresh, base+"/events"+generation
		v.ImageURL, v.Short, v.PhoneURL = base+"/qr.svg"+generation, l.QRShort(w.Salt), strings.TrimSuffix(p.Help.ScanURL(w), "/scan")
		v.SecondsLeft = secondsUntil(qrEnds(l), now)
	}
	if !left {
		v.RefreshAction = ""
		if !v.Live() {
			v.State = templates.QRSpent
		}
	}
	return v
}

// asksForOther reports whether the request is about another generation of the
// code: its page shows one that was replaced, perhaps by another tab of the
// same browser.
func asksForOther(r *http.Request, generation int) bool {
	g := r.URL.Query().Get("g")
	return g != "" && g != itoa(generation)
}

// qrEnds is when nothing can happen to the code any more.
func qrEnds(l *vneid.Login) time.Time {
	if l.ExpiresAt.Before(l.QR.ExpiresAt) {
		return l.ExpiresAt
	}
	return l.QR.ExpiresAt
}

var hanoi = time.FixedZone("+07", 7*60*60)

func scannedAt(l *vneid.Login) string { return l.QR.ScannedAt.In(hanoi).Format(time.RFC3339) }

func matchDigits(l *vneid.Login) string {
	if l.QR.Match == 0 {
		return ""
	}
	return itoa(l.QR.Match)
}

// picture is the QR code, for the browser that shows it and for nobody else.
func (p *Pages) picture(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r))
	if err != nil {
		return err
	}
	l, world := step.Login, vneid.WorldFrom(r.Context())
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if v := p.qrView(r, &step); v.State != templates.QRFresh {
		http.Error(w, "this code is not shown here (any more)", http.StatusNotFound)
		return nil
	}
	svg, err := drawQR(l.QRCode(p.Help.CodeURL(world), world.Salt))
	if err != nil {
		return err
	}
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Length", itoa(len(svg)))
	_, err = w.Write(svg)
	return ignoreGone(err)
}

// newCode is "Tải lại".
func (p *Pages) newCode(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.RefreshQR(r.Context(), r.PathValue("id"), p.Browser(r))
	if err == nil && step.NewWaiting != "" {
		p.SetWaiting(w, r, step.Login.ID, step.NewWaiting)
	}
	return p.settle(w, r, &step, err)
}

// waitPage is where a browser without script waits: it reloads, and goes to
// the login's own page as soon as there is something to do there.
func (p *Pages) waitPage(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r))
	if err != nil {
		return err
	}
	qr := p.qrView(r, &step)
	if qr.State == "" || step.Login.Expired(vneid.WorldFrom(r.Context()).Clock.Now()) {
		http.Redirect(w, r, p.url(r, "/login/"+step.Login.ID), http.StatusSeeOther)
		return nil
	}
	r = withStep(r, &step)
	qr.ImageURL, qr.Short, qr.PhoneURL = "", "", ""
	return p.Render(w, r, http.StatusOK, templates.WaitingView{Frame: p.Frame(w, r), QR: qr,
		ClientName: step.Client.ClientName, ClientHost: HostOf(step.Login.Request.RedirectURI)})
}

// events tells the browser that shows the code what the phone does, while it
// happens (wait.go).
func (p *Pages) events(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r))
	if err != nil {
		return err
	}
	if !step.ShowsQR || p.Help.Scan == "" {
		return vneid.Errorf(vneid.CodeForbidden, "qr_other_browser", "this browser does not show the live code of the login")
	}
	// A page that still shows an older code learns so at once.
	generation := step.Login.QR.Generation
	if g, err := strconv.Atoi(r.URL.Query().Get("g")); err == nil {
		generation = g
	}
	return p.Hub.serve(w, r, step.Login, generation)
}
