package api

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// mostPersonas bounds a list.
const mostPersonas = 1000

func (a *api) listPersonas(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(query) > 200 {
		return 0, nil, Invalid("q", "at most 200 bytes of a number, a name or a phone number")
	}
	list := []vneid.Persona{} // an empty list is [], not null
	err := a.view(r, func(tx vneid.Tx) error {
		accounts, err := tx.Accounts(query, mostPersonas)
		list = list[:0]
		for _, account := range accounts {
			list = append(list, account.Persona)
		}
		return err
	})
	return http.StatusOK, list, err
}

func (a *api) getPersona(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	number, err := cccdOf(r)
	if err != nil {
		return 0, nil, err
	}
	var account *vneid.Account
	err = a.view(r, func(tx vneid.Tx) error {
		account, err = tx.Account(number)
		return err
	})
	if err != nil {
		return 0, nil, personaProblem(err, nil)
	}
	return http.StatusOK, account.Persona, nil
}

// personaBody is a persona as a tester writes it. Secrets go in and never come
// out.
type personaBody struct {
	vneid.Persona
	Password string `json:"password"`
	Passcode string `json:"passcode"`
}

// readDraft merges a body into a draft, RFC 7396: null restores what somebody
// new has.
func readDraft(body []byte, d *people.Draft) ([]FieldError, error) {
	in, usual := personaBody{Persona: d.Persona}, personaBody{Persona: people.NewDraft().Persona}
	_, bad, err := parseObjectOver(body, &in, &usual)
	d.Persona, d.Password, d.Passcode = in.Persona, in.Password, in.Passcode
	return bad, err
}

func (a *api) createPersona(w http.ResponseWriter, r *http.Request) (int, any, error) {
	body, err := readBody(r)
	if err != nil {
		return 0, nil, err
	}
	d := people.NewDraft()
	bad, err := readDraft(body, &d)
	if err != nil {
		return 0, nil, err
	}
	if len(bad) > 0 { // with all the rest that is wrong
		return 0, nil, personaProblem(d.Check(vneid.WorldFrom(r.Context()).Clock.Now().Year()), bad)
	}
	account, err := a.People.Add(r.Context(), d)
	if errors.Is(err, vneid.ErrExists) {
		p := Refuse(http.StatusConflict, "cccd is taken; PATCH "+here(r)+"/personas/"+string(d.CCCD)+" changes that person")
		p.Errors = []FieldError{{"cccd", "is taken"}}
		return 0, nil, p
	}
	if err != nil {
		return 0, nil, personaProblem(err, nil)
	}
	w.Header().Set("Location", here(r)+"/personas/"+string(account.CCCD))
	return http.StatusCreated, account.Persona, nil
}

func (a *api) patchPersona(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	number, err := cccdOf(r)
	if err != nil {
		return 0, nil, err
	}
	body, err := readBody(r)
	if err != nil {
		return 0, nil, err
	}
	var bad []FieldError
	account, err := a.People.Change(r.Context(), number, func(d *people.Draft) (err error) {
		if bad, err = readDraft(body, d); err == nil && len(bad) > 0 {
			err = d.Check(vneid.WorldFrom(r.Context()).Clock.Now().Year())
		}
		return err
	})
	if err != nil {
		return 0, nil, personaProblem(err, bad)
	}
	return http.StatusOK, account.Persona, nil
}

func (a *api) deletePersona(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	number, err := cccdOf(r)
	if err == nil {
		err = a.People.Remove(r.Context(), number)
	}
	if err != nil {
		return 0, nil, personaProblem(err, nil)
	}
	return http.StatusNoContent, nil, nil
}

// personaProblem is the problem of an error of people.Editor. bad are the
// mistakes of the body that come before those.
func personaProblem(err error, bad []FieldError) error {
	var invalid people.Invalid
	switch {
	case errors.Is(err, vneid.ErrNotFound):
		return nobody()
	case errors.As(err, &invalid):
		return InvalidFields("", withInvalid(bad, invalid))
	}
	return err
}

// withInvalid adds what is wrong with fields, unless their type is wrong
// already.
func withInvalid(bad []FieldError, invalid map[string]string) []FieldError {
	known := slices.Clone(bad)
	for _, field := range slices.Sorted(maps.Keys(invalid)) {
		if !slices.ContainsFunc(known, func(b FieldError) bool { return b.Field == field }) {
			bad = append(bad, FieldError{field, invalid[field]})
		}
	}
	return bad
}
