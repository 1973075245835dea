package api

import (
	"errors"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// scanAnswer is what the phone would ask the person.
type scanAnswer struct {
	Login          string `json:"login"`
	ClientID       string `json:"client_id"`
	ClientName     string `json:"client_name"`
	Host           string `json:"host"`
	Browser        string `json:"browser"`
	IP             string `json:"ip"`
	At             string `json:"at"`
	Seconds        int    `json:"seconds"`
	Allowed        bool   `json:"allowed"`
	Message        string `json:"message"`
	Choices        []int  `json:"choices,omitempty"`
	PasscodeNeeded bool   `json:"passcode_needed"`
}

// cccdOf reads the number in the path. It says nothing about who has it.
func cccdOf(r *http.Request) (vneid.CCCD, error) {
	number, err := vneid.ParseCCCD(r.PathValue("cccd"), vneid.WorldFrom(r.Context()).Clock.Now().Year())
	if err != nil {
		return "", Refuse(http.StatusNotFound, "no persona has this number: it is no CCCD")
	}
	return number, nil
}

func nobody() error {
	return Refuse(http.StatusNotFound, "no persona has this number; GET "+Prefix+"/personas lists them")
}

// phoneStatus is the status of each kind of refusal by the provider.
var phoneStatus = map[vneid.Code]int{
	vneid.CodeInvalid: http.StatusBadRequest, vneid.CodeNotFound: http.StatusNotFound, vneid.CodeForbidden: http.StatusForbidden,
	vneid.CodeConflict: http.StatusConflict, vneid.CodeExpired: http.StatusGone, vneid.CodeExhausted: http.StatusTooManyRequests,
	vneid.CodeUnavailable: http.StatusServiceUnavailable,
}

// phoneProblem says why a phone could not do it: code is that of docs/api.md.
func phoneProblem(err error) error {
	if errors.Is(err, vneid.ErrNotFound) {
		return nobody()
	}
	var e *vneid.Error
	if !errors.As(err, &e) {
		return err
	}
	status, ok := phoneStatus[e.Code]
	if !ok {
		return err
	}
	p := Refuse(status, e.MsgKey)
	if e.Hint != "" {
		p.Detail = e.Hint
	}
	p.Code = e.MsgKey
	if field := phoneField[e.MsgKey]; field != "" {
		p.Errors = []FieldError{{field, p.Detail}}
	}
	return p
}

// phoneField is the field of a call that a refusal is about.
var phoneField = map[string]string{"qr_empty": "code", "qr_foreign": "code", "passcode_format": "passcode", "match_needed": "number"}

func (a *api) getPhone(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	cccd, err := cccdOf(r)
	if err != nil {
		return 0, nil, err
	}
	state, err := a.Phones.StateOf(r.Context(), cccd)
	if err != nil {
		return 0, nil, phoneProblem(err)
	}
	return http.StatusOK, state, nil
}

func (a *api) patchPhone(w http.ResponseWriter, r *http.Request) (int, any, error) {
	var body struct {
		WebLogin bool `json:"web_login"`
	}
	cccd, err := a.phoneBody(r, &body, "web_login")
	if err != nil {
		return 0, nil, err
	}
	if err := a.Phones.SetWebLoginOf(r.Context(), cccd, body.WebLogin); err != nil {
		return 0, nil, phoneProblem(err)
	}
	return http.StatusOK, struct {
		CCCD     vneid.CCCD `json:"cccd"`
		WebLogin bool       `json:"web_login"`
	}{cccd, body.WebLogin}, nil
}

func (a *api) scan(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	var body struct {
		Code string `json:"code"`
	}
	cccd, err := a.phoneBody(r, &body, "code")
	if err != nil {
		return 0, nil, err
	}
	s, err := a.Phones.ScanFor(r.Context(), cccd, body.Code)
	if err != nil {
		return 0, nil, phoneProblem(err)
	}
	return http.StatusOK, scanAnswerOf(s), nil
}

func scanAnswerOf(s phone.Scanned) scanAnswer {
	return scanAnswer{s.Login, s.ClientID, s.ClientName, s.Host, s.Browser, s.IP, s.At, s.Seconds, s.Allowed, s.Text, s.Choices, s.PasscodeNeeded}
}

// settled is what confirming and refusing answer.
type settled struct {
	Login  string `json:"login"`
	Result string `json:"result"` // confirmed, refused
}

func (a *api) confirm(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	var body struct {
		Login    string `json:"login"`
		Passcode string `json:"passcode"`
		Number   int    `json:"number"`
	}
	cccd, err := a.phoneBody(r, &body, "login")
	if err != nil {
		return 0, nil, err
	}
	if err := a.Phones.ConfirmFor(r.Context(), cccd, body.Login, body.Passcode, body.Number); err != nil {
		return 0, nil, phoneProblem(err)
	}
	return http.StatusOK, settled{body.Login, "confirmed"}, nil
}

func (a *api) refuse(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	var body struct {
		Login string `json:"login"`
	}
	cccd, err := a.phoneBody(r, &body, "login")
	if err != nil {
		return 0, nil, err
	}
	if err := a.Phones.RefuseFor(r.Context(), cccd, body.Login); err != nil {
		return 0, nil, phoneProblem(err)
	}
	return http.StatusOK, settled{body.Login, "refused"}, nil
}

// phoneBody reads the number in the path and the body, in which the named
// field has to be.
func (a *api) phoneBody(r *http.Request, into any, needed string) (vneid.CCCD, error) {
	cccd, err := cccdOf(r)
	if err != nil {
		return "", err
	}
	given, bad, err := readObject(r, into)
	if err != nil {
		return "", err
	}
	if !given[needed] {
		bad = append(bad, FieldError{needed, "is missing"})
	}
	if len(bad) > 0 {
		return "", InvalidFields("", bad)
	}
	return cccd, nil
}
