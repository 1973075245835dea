package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/headless"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// signInBody is POST /logins: a login to drive.
type signInBody struct {
	ClientID string            `json:"client_id"`
	CCCD     string            `json:"cccd"`
	Method   string            `json:"method"`
	Params   map[string]string `json:"params"`
	Password string            `json:"password"`
	Passcode string            `json:"passcode"`
	Consent  *bool             `json:"consent"`
	Number   int               `json:"number"`
	Wait     string            `json:"wait"`
}

// signedIn is a login that came back to the client with a code.
type signedIn struct {
	Callback     string            `json:"callback"`
	Login        string            `json:"login"`
	Form         map[string]string `json:"form,omitempty"` // response_mode=form_post
	State        string            `json:"state,omitempty"`
	Nonce        string            `json:"nonce,omitempty"`
	CodeVerifier string            `json:"code_verifier,omitempty"`
}

// signIn signs somebody in without a browser, by the same pages.
func (a *api) signIn(w http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := readOrder(r)
	if err != nil {
		return 0, nil, err
	}
	done, err := a.Logins.SignIn(r.Context(), o)
	if err != nil {
		return 0, nil, signInProblem(w, r, err)
	}
	return http.StatusOK, signedIn{done.Callback, done.Login, done.Form, done.State, done.Nonce, done.CodeVerifier}, nil
}

func readOrder(r *http.Request) (o headless.Order, err error) {
	var body signInBody
	given, bad, err := readObject(r, &body)
	if err != nil {
		return o, err
	}
	invalid := map[string]string{}
	o = headless.Order{ClientID: body.ClientID, Method: body.Method, Params: body.Params, Password: body.Password, Passcode: body.Passcode, Number: body.Number}
	if o.ClientID == "" {
		invalid["client_id"] = "is missing"
	}
	if !given["cccd"] {
		invalid["cccd"] = "is missing"
	} else if o.CCCD, err = vneid.ParseCCCD(body.CCCD, vneid.WorldFrom(r.Context()).Clock.Now().Year()); err != nil {
		invalid["cccd"] = "no CCCD: 12 digits"
	}
	switch o.Method {
	case "":
		o.Method = headless.ByOTP
	case headless.ByOTP, headless.ByQR:
	default:
		invalid["method"] = `"otp" or "qr"`
	}
	if id, ok := o.Params["client_id"]; ok && id != o.ClientID {
		invalid["params.client_id"] = "is another than client_id"
	}
	if body.Password != "" && !vneid.ValidPassword(body.Password) {
		invalid["password"] = "at most 1024 bytes"
	}
	if body.Passcode != "" && !vneid.ValidPasscode(body.Passcode) {
		invalid["passcode"] = "6 digits"
	}
	if o.Number < 0 || o.Number > 99 {
		invalid["number"] = "the two digits of number matching; 0 = as on the page"
	}
	if body.Wait != "" {
		if o.Wait, err = parseWait(body.Wait); err != nil {
			invalid["wait"] = err.Error()
		}
	}
	o.Refuse = body.Consent != nil && !*body.Consent
	if bad = withInvalid(bad, invalid); len(bad) > 0 {
		return o, InvalidFields("", bad)
	}
	return o, nil
}

// signInProblem says why a login came to no code.
func signInProblem(w http.ResponseWriter, r *http.Request, err error) error {
	var stopped *headless.Stopped
	switch {
	case errors.As(err, &stopped):
		p := Refuse(http.StatusUnprocessableEntity, stopped.Why)
		if stopped.Code == "timeout" {
			p = Refuse(http.StatusGatewayTimeout, stopped.Why)
		}
		p.Code, p.Step, p.Advice, p.Login, p.Callback = stopped.Code, stopped.Step, stopped.Advice, stopped.Login, stopped.Callback
		return p
	case errors.Is(err, headless.ErrNoClient):
		return Invalid("client_id", "no client has it; GET "+Prefix+"/clients lists them")
	case errors.Is(err, headless.ErrNobody):
		return Invalid("cccd", "no persona has this number; GET "+Prefix+"/personas lists them")
	case errors.Is(err, headless.ErrNoRedirectURI):
		return Invalid("client_id", "the client has no redirect URI to come back to")
	case errors.Is(err, headless.ErrBusy):
		w.Header().Set("Retry-After", "1")
		return Refuse(http.StatusTooManyRequests, strconv.Itoa(headless.MostAtOnce)+" logins run at once; try again")
	case errors.Is(err, context.Canceled) && r.Context().Err() == nil:
		return Refuse(http.StatusServiceUnavailable, "the sandbox is stopping")
	}
	return phoneProblem(err)
}
