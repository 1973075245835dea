package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (c *Console) listPersonas(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	q, after := strings.TrimSpace(clip(query.Get("q"), 200)), vneid.CCCD(clip(query.Get("after"), 20))
	v := templates.ConsolePersonasView{Frame: c.Frame(w, r), OnConsole: c.on(r), Paging: templates.Paging{Query: q, First: after == ""}}
	err := c.view(r, func(tx vneid.Tx) (err error) {
		v.People, v.Next = nil, ""
		var list []vneid.Account
		if after == "" {
			list, err = tx.Accounts(q, perPage+1) // finds those without a row, too
		} else {
			list, err = tx.AccountsAfter(q, after, perPage+1)
		}
		if len(list) > perPage {
			list = list[:perPage]
			v.Next = next(q, string(list[perPage-1].CCCD))
		}
		for i := range list {
			v.People = append(v.People, personView(&list[i].Persona))
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.show(w, r, v)
}

// next is the address of the page that goes on after somebody.
func next(q, after string) string {
	query := url.Values{"after": {after}}
	if q != "" {
		query.Set("q", q)
	}
	return "?" + query.Encode()
}

func personView(p *vneid.Persona) templates.ConsolePerson {
	return templates.ConsolePerson{CCCD: string(p.CCCD), Name: p.Name, Phone: string(p.Phone), Note: p.Note, Level: p.AccountLevel,
		Status: string(p.Status), SMS: string(p.SMS), WebLogin: p.WebLogin}
}

// number reads the number in the path. It says nothing about who has it.
func number(r *http.Request) (vneid.CCCD, error) {
	n, err := vneid.ParseCCCD(r.PathValue("cccd"), nowYear(r))
	if err != nil {
		return "", errNothing("no CCCD")
	}
	return n, nil
}

func nowYear(r *http.Request) int { return vneid.WorldFrom(r.Context()).Clock.Now().Year() }

// missing turns "no such row" into a page that says so.
func missing(err error, what string) error {
	if isNotFound(err) {
		return errNothing(what)
	}
	return err
}

func (c *Console) person(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	return c.showPerson(w, r, http.StatusOK, n, nil)
}

// showPerson shows somebody with the form, filled in as they are, or as it was
// typed.
func (c *Console) showPerson(w http.ResponseWriter, r *http.Request, status int, n vneid.CCCD, typed *templates.Form) error {
	var a *vneid.Account
	var held phone.Held
	var own bool
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	err := c.view(r, func(tx vneid.Tx) (err error) {
		own = false
		if a, err = tx.Account(n); err != nil {
			return err
		}
		device, err := tx.DeviceOf(n)
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		held, err = phone.Look(tx, device, now)
		own = !held.Ready
		return err
	})
	if err != nil {
		return missing(err, "nobody has this number")
	}
	v := templates.ConsolePersonView{Frame: c.Frame(w, r), OnConsole: c.on(r), Person: personView(&a.Persona)}
	if !own {
		v.Passcode = phone.ReadyPasscode
	}
	usual := a.PasswordHash == c.People.PasswordHash // mostly a copy, and a hash takes 20 ms
	if !usual {
		if usual, err = c.Hasher.Verify(r.Context(), people.Password, a.PasswordHash); err != nil {
			return err
		}
	}
	if usual {
		v.Password = people.Password
	}
	v.Form = formOf(&a.Persona)
	if typed != nil {
		v.Form = *typed
	}
	c.Show(w, r, status, v)
	return nil
}

func (c *Console) newPerson(w http.ResponseWriter, r *http.Request) error {
	d := people.NewDraft()
	return c.show(w, r, templates.ConsoleNewPersonView{Frame: c.Frame(w, r), OnConsole: c.on(r), Form: formOf(&d.Persona)})
}

func (c *Console) createPerson(w http.ResponseWriter, r *http.Request) error {
	d := people.NewDraft()
	d.CCCD = vneid.CCCD(r.PostForm.Get("cccd"))
	readPerson(r.PostForm, &d)
	a, err := c.People.Add(r.Context(), d)
	if errors.Is(err, vneid.ErrExists) {
		err = people.Invalid{"cccd": "taken"}
	}
	if typed, status := c.mistakes(w, r, err); typed != nil {
		c.Show(w, r, status, templates.ConsoleNewPersonView{Frame: c.Frame(w, r), OnConsole: c.on(r), Form: *typed})
		return nil
	}
	if err != nil {
		return err
	}
	return c.goTo(w, r, "/personas/"+string(a.CCCD), "person-created")
}

func (c *Console) changePerson(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	_, err = c.People.Change(r.Context(), n, func(d *people.Draft) error {
		readPerson(r.PostForm, d)
		return nil
	})
	if typed, status := c.mistakes(w, r, err); typed != nil {
		return c.showPerson(w, r, status, n, typed)
	}
	if err != nil {
		return missing(err, "nobody has this number")
	}
	return c.goTo(w, r, "/personas/"+string(n), "person-saved")
}

// mistakes is the form that comes back when err says what is wrong with it;
// nil for any other outcome. Secrets are typed again.
func (c *Console) mistakes(w http.ResponseWriter, r *http.Request, err error) (*templates.Form, int) {
	var invalid people.Invalid
	if !errors.As(err, &invalid) {
		return nil, 0
	}
	f, status := c.Frame(w, r), http.StatusUnprocessableEntity
	wrong := wrongs(f, invalid, r.PostForm.Get, nowYear(r))
	for field, says := range invalid {
		if says == "taken" {
			wrong[field], status = f.T("console.taken."+field), http.StatusConflict
		}
	}
	values := url.Values{}
	for field, list := range r.PostForm {
		if field != "password" && field != "passcode" {
			values[field] = list
		}
	}
	return &templates.Form{Values: values, Wrong: wrong}, status
}

func (c *Console) setStatus(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	status := vneid.AccountStatus(r.PostForm.Get("status"))
	said := map[vneid.AccountStatus]string{vneid.AccountActive: "person-active", vneid.AccountLocked: "person-locked"}[status]
	if said == "" {
		return vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "status is neither active nor locked")
	}
	_, err = c.People.Change(r.Context(), n, func(d *people.Draft) error {
		d.Status = status
		return nil
	})
	if err != nil {
		return missing(err, "nobody has this number")
	}
	return c.goTo(w, r, "/personas/"+string(n), said)
}

// setWebLogin moves the switch of an account, from two pages: section is the
// one to go back to.
func (c *Console) setWebLogin(section string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		n, err := number(r)
		if err != nil {
			return err
		}
		on, err := strconv.ParseBool(r.PostForm.Get("on"))
		if err != nil {
			return vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "on is neither true nor false")
		}
		if err := c.Phones.SetWebLoginOf(r.Context(), n, on); err != nil {
			return missing(err, "nobody has this number")
		}
		return c.goTo(w, r, "/"+section+"/"+string(n), map[bool]string{true: "web-login-on", false: "web-login-off"}[on])
	}
}

func (c *Console) deletePerson(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	if err := c.People.Remove(r.Context(), n); err != nil {
		return missing(err, "nobody has this number")
	}
	return c.goTo(w, r, "/personas", "person-deleted")
}

// formOf is the form as a person is.
func formOf(p *vneid.Persona) templates.Form {
	values := url.Values{"cccd": {string(p.CCCD)}, "name": {p.Name}, "birthdate": {p.Birthdate}, "gender": {p.Gender}, "status": {string(p.Status)},
		"account_level": {strconv.Itoa(p.AccountLevel)}, "account_type": {p.AccountType}, "phone": {string(p.Phone)}, "sms": {string(p.SMS)},
		"email": {p.Email}, "cmnd": {p.CMND}, "note": {p.Note}}
	if p.WebLogin {
		values.Set("web_login", "true")
	}
	if p.Address != nil {
		values.Set("street", p.Address.Street)
		values.Set("commune", p.Address.Commune)
		values.Set("province", p.Address.Province)
	}
	return templates.Form{Values: values}
}

// readPerson reads the form into a draft. What is wrong with it the draft's own
// check will say.
func readPerson(form url.Values, d *people.Draft) {
	text := func(field string) string { return strings.TrimSpace(form.Get(field)) }
	d.Name, d.Birthdate, d.Gender, d.Status = text("name"), text("birthdate"), text("gender"), vneid.AccountStatus(text("status"))
	d.AccountLevel, _ = strconv.Atoi(text("account_level")) // 0 is no level
	d.AccountType, d.Phone, d.SMS, d.WebLogin = text("account_type"), vneid.PhoneNumber(text("phone")), vneid.SMSDelivery(text("sms")), form.Get("web_login") != ""
	d.Email, d.CMND, d.Note, d.Password, d.Passcode = text("email"), text("cmnd"), text("note"), form.Get("password"), text("passcode")
	d.Address = nil
	if a := (vneid.Address{Street: text("street"), Commune: text("commune"), Province: text("province")}); a != (vneid.Address{}) {
		d.Address = &a
	}
}
