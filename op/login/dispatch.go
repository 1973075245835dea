package login

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type stepKey struct{}

// withStep lets the frame of a page know whose login it shows.
func withStep(r *http.Request, s *vneid.Step) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), stepKey{}, s))
}

// Enter takes a login that just began as far as it goes: to the client, or to
// its first page.
func (p *Pages) Enter(w http.ResponseWriter, r *http.Request, l *vneid.Login, b vneid.Browser) error {
	// Without a session there is nothing to resume, unless the client wants to
	// hear so.
	if b.Secret == "" || b.Session == "" && !l.Request.HasPrompt("none") {
		http.Redirect(w, r, p.url(r, "/login/"+l.ID), http.StatusSeeOther)
		return nil
	}
	step, err := p.Service.Resume(r.Context(), l.ID, b)
	if err != nil {
		return err
	}
	return p.next(w, r, &step)
}

// show is GET /login/{id}: whatever page the login stands at.
func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	id, b := r.PathValue("id"), p.Browser(r)
	step, err := p.Service.Look(r.Context(), id, b)
	if vneid.MsgKey(err) == "cookies_disabled" {
		// The first page after a POST of the client's page: a browser without
		// any cookie yet gets its name here, if nobody's browser began the login.
		if first, lookErr := p.Service.Look(r.Context(), id, vneid.Browser{Secret: "any"}); lookErr == nil {
			b, step, err = p.EnsureBrowser(w, r), first, nil
		}
	}
	if err != nil {
		return err
	}
	l := step.Login
	if l.State == vneid.StateCodeIssued || l.BrowserHash == "" ||
		l.State == vneid.StateSecondFactorOK || // a phone confirmed: on, if this browser shows the code
		l.State == vneid.StateStarted && (b.Session != "" || l.Request.HasPrompt("none")) {
		if step, err = p.Service.Resume(r.Context(), id, b); err != nil {
			return err
		}
	}
	return p.next(w, r, &step)
}

// next is the dispatcher: from where a login stands to what the browser gets.
// After a POST, pages are reached by a redirect, so that a reload asks nothing
// twice.
func (p *Pages) next(w http.ResponseWriter, r *http.Request, step *vneid.Step) error {
	if step.NewSession != "" {
		p.setSession(w, r, step.NewSession)
	}
	l := step.Login
	switch {
	case step.Code != "":
		return p.Respond(w, r, l.Issuer, &l.Request, url.Values{"code": {step.Code}})
	case step.Refusal != "" && l.State == vneid.StateRefused && l.QR.State == vneid.QRRefused && r.Method == http.MethodGet:
		// The phone has spoken, and the person may have looked away from this
		// page: it says so before it leads back.
		return p.failStep(w, withStep(r, step), step, vneid.Errorf(vneid.CodeForbidden, "qr_refused", "refused on the phone, or another number chosen than the page shows"))
	case step.Refusal != "" && l.State == vneid.StateRefused && (r.Method == http.MethodPost || l.CCCD == "" || l.Request.HasPrompt("none")):
		explainRefusal(r, step)
		return p.Respond(w, r, l.Issuer, &l.Request, oauthError(step.Refusal))
	case r.Method == http.MethodPost || !strings.HasPrefix(r.URL.Path, "/login/"):
		http.Redirect(w, r, p.url(r, "/login/"+l.ID), http.StatusSeeOther)
		return nil
	}
	r = withStep(r, step)
	if l.Expired(vneid.WorldFrom(r.Context()).Clock.Now()) {
		return vneid.Errorf(vneid.CodeExpired, "login_expired", "the login was valid until %s", l.ExpiresAt.UTC().Format(time.RFC3339))
	}
	switch l.State {
	case vneid.StateStarted:
		if step.Known != nil && !r.URL.Query().Has("other") {
			return p.renderAccount(w, r, step)
		}
		v := templates.LoginView{}
		if number, err := vneid.ParseCCCD(l.Request.LoginHint, vneid.WorldFrom(r.Context()).Clock.Now().Year()); err == nil {
			v.Username = string(number) // any other hint would have to be wiped out first
		}
		return p.renderLogin(w, r, step, http.StatusOK, v)
	case vneid.StateOTPSent:
		return p.renderOTP(w, r, step, http.StatusOK, nil)
	case vneid.StateConsentPending:
		return p.renderSharing(w, r, step, http.StatusOK, "")
	case vneid.StateLocked:
		return vneid.Errorf(vneid.CodeExhausted, "too_many_otps", "the login ended after too many wrong one-time passwords")
	}
	return vneid.Errorf(vneid.CodeConflict, "login_done", "the login is %s", l.State)
}

func (p *Pages) password(w http.ResponseWriter, r *http.Request) error {
	username := r.PostForm.Get("username")
	step, err := p.Service.SubmitPassword(r.Context(), r.PathValue("id"), p.Browser(r), username, r.PostForm.Get("password"))
	if err == nil {
		return p.next(w, r, &step)
	}
	if vneid.IsCode(err, vneid.CodeConflict) {
		return p.settle(w, r, &step, err)
	}
	key := vneid.MsgKey(err)
	if step.Login == nil { // malformed input is refused before the login is read
		looked, lookErr := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r))
		if lookErr != nil {
			return lookErr
		}
		step = looked
	}
	r = withStep(r, &step)
	lang := p.lang(w, r)
	v := templates.LoginView{Username: clip(username)}
	args := argsOf(err)
	switch {
	case strings.HasPrefix(key, "cccd."):
		v.FieldError = map[string]string{"username": templates.Text(lang, key, args...)}
		return p.refuseForm(w, r, &step, http.StatusUnprocessableEntity, v, err)
	case key == "password_empty":
		v.FieldError = map[string]string{"password": templates.Text(lang, "login.password.empty")}
		return p.refuseForm(w, r, &step, http.StatusUnprocessableEntity, v, err)
	case key == "wrong_credentials":
		v.Error, v.Retry = templates.Text(lang, "login.wrong"), templates.Text(lang, "login.wrong.next")
		return p.refuseForm(w, r, &step, http.StatusForbidden, v, err)
	case key == "too_many_passwords":
		v.LockedMinutes = args[0].(int)
		return p.refuseForm(w, r, &step, http.StatusTooManyRequests, v, err)
	}
	return p.failStep(w, r, &step, err)
}

// refuseForm shows the form again with what was wrong; the hint goes to the log.
func (p *Pages) refuseForm(w http.ResponseWriter, r *http.Request, step *vneid.Step, status int, v templates.LoginView, err error) error {
	p.log(w, r, step, err)
	return p.renderLogin(w, r, step, status, v)
}

func (p *Pages) otp(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.SubmitOTP(r.Context(), r.PathValue("id"), p.Browser(r), r.PostForm.Get("otp"))
	switch vneid.MsgKey(err) {
	case "otp_wrong", "otp_malformed", "otp_expired":
		return p.renderOTP(w, withStep(r, &step), &step, http.StatusUnprocessableEntity, err)
	}
	return p.settle(w, r, &step, err)
}

func (p *Pages) resend(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.ResendOTP(r.Context(), r.PathValue("id"), p.Browser(r))
	switch vneid.MsgKey(err) {
	case "otp_too_soon", "too_many_sms":
		looked, lookErr := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r))
		if lookErr != nil {
			return lookErr
		}
		return p.renderOTP(w, withStep(r, &looked), &looked, http.StatusTooManyRequests, err)
	}
	if err == nil {
		http.Redirect(w, r, p.url(r, "/login/"+step.Login.ID)+"?resent=1", http.StatusSeeOther)
		return nil
	}
	return p.settle(w, r, &step, err)
}

func (p *Pages) sharing(w http.ResponseWriter, r *http.Request) error {
	agree := r.PostForm.Get("decision") == "share"
	if agree && r.PostForm.Get("agree") == "" {
		step, err := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r))
		if err != nil || step.Login.State != vneid.StateConsentPending {
			return p.settle(w, r, &step, err)
		}
		r = withStep(r, &step)
		return p.renderSharing(w, r, &step, http.StatusUnprocessableEntity, templates.Text(p.lang(w, r), "sharing.agree.missing"))
	}
	step, err := p.Service.DecideSharing(r.Context(), r.PathValue("id"), p.Browser(r), agree)
	return p.settle(w, r, &step, err)
}

// keepAccount is the choice to go on as whom the browser knows.
func (p *Pages) keepAccount(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.KeepAccount(r.Context(), r.PathValue("id"), p.Browser(r))
	return p.settle(w, r, &step, err)
}

func (p *Pages) cancel(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.Cancel(r.Context(), r.PathValue("id"), p.Browser(r))
	return p.settle(w, r, &step, err)
}

// giveBack is the way back to the portal from a login that ended badly.
func (p *Pages) giveBack(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Service.Look(r.Context(), r.PathValue("id"), p.Browser(r))
	if err != nil {
		return err
	}
	l := step.Login
	if l.State == vneid.StateRefused || l.State == vneid.StateLocked || l.Expired(vneid.WorldFrom(r.Context()).Clock.Now()) {
		explainRefusal(r, &step)
		return p.Respond(w, r, l.Issuer, &l.Request, oauthError(vneid.RefusalAccessDenied))
	}
	http.Redirect(w, r, p.url(r, "/login/"+l.ID), http.StatusSeeOther)
	return nil
}

// settle goes on after a step, or shows why it did not happen.
func (p *Pages) settle(w http.ResponseWriter, r *http.Request, step *vneid.Step, err error) error {
	if err == nil {
		return p.next(w, r, step)
	}
	if vneid.IsCode(err, vneid.CodeConflict) && r.Method == http.MethodPost {
		// A form that comes late (a double click, another tab): the login's
		// own page says where it stands now.
		http.Redirect(w, r, p.url(r, "/login/"+r.PathValue("id")), http.StatusSeeOther)
		return nil
	}
	if step.Login != nil {
		return p.failStep(w, r, step, err)
	}
	return err
}

// explainRefusal says to the developer why the answer is an error.
func explainRefusal(r *http.Request, step *vneid.Step) {
	hint := "citizen.denied"
	switch {
	case step.Refusal == vneid.RefusalLoginRequired && step.Login.CCCD != "":
		hint = "hint.other_person"
	case step.Refusal == vneid.RefusalLoginRequired:
		hint = "prompt_none.login_required"
	case step.Refusal == vneid.RefusalConsentRequired:
		hint = "prompt_none.consent_required"
	case step.Refusal == vneid.RefusalInteractionRequired:
		hint = "prompt_none.interaction_required"
	case step.Refusal == vneid.RefusalAccountSelectionRequired:
		hint = "prompt_none.account_selection_required"
	case step.Refusal == vneid.RefusalUnmetRequirements:
		hint = "request.acr_unreachable"
	}
	vneid.TrailFrom(r.Context()).RefuseOAuth(cmp.Or(step.Refusal, vneid.RefusalAccessDenied), "", hint)
}

func oauthError(code string) url.Values {
	text := map[string]string{
		vneid.RefusalAccessDenied:             "The citizen did not complete the sign-in, or may not sign in here.",
		vneid.RefusalLoginRequired:            "No session satisfies the request, and no page may be shown or another person signed in.",
		vneid.RefusalConsentRequired:          "The citizen has to agree to the sharing, and no page may be shown.",
		vneid.RefusalInteractionRequired:      "The person of the session may not sign in to this client, and no page may be shown that says why.",
		vneid.RefusalAccountSelectionRequired: "The session belongs to another person than login_hint names, and no page may be shown to choose.",
		vneid.RefusalUnmetRequirements:        "The sign-in did not reach any acr that the claims parameter insists on.",
	}[code]
	return url.Values{"error": {code}, "error_description": {text}}
}

func argsOf(err error) []any {
	if e := asError(err); e != nil {
		return e.Args
	}
	return nil
}

// clip keeps a typed value that goes back into its field within reason.
func clip(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.ToValidUTF8(s, "")
}

// secondsUntil rounds up, so that a countdown never promises too much.
func secondsUntil(at, now time.Time) int {
	return max(0, int((at.Sub(now)+time.Second-1)/time.Second))
}

func itoa(n int) string { return strconv.Itoa(n) }
