package console

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The pages of what the provider does wrong on purpose.

func (c *Console) armedHere(r *http.Request) []fault.Armed {
	return c.Faults.Armed(vneid.WorldFrom(r.Context()).ID)
}

func in(l templates.Lang, t fault.Text) string {
	if l == templates.En {
		return t.En
	}
	return t.Vi
}

func armedView(l templates.Lang, list []fault.Armed) (view []templates.ConsoleArmed) {
	for _, a := range list {
		v := templates.ConsoleArmed{ID: a.ID, Variant: a.Variant, ClientID: a.ClientID, Persona: a.Persona, LoginHint: a.LoginHint,
			Times: a.Times, Percent: int(math.Round(a.Probability * 100))}
		if f := fault.Find(a.ID); f != nil {
			v.Title = in(l, f.Title)
		}
		view = append(view, v)
	}
	return view
}

func faultView(l templates.Lang, f *fault.Fault, armed []fault.Armed) templates.ConsoleFault {
	return templates.ConsoleFault{ID: f.ID, Name: f.Name, Title: in(l, f.Title), Grade: string(f.Grade), Seam: string(f.Seam),
		Armed: slices.ContainsFunc(armed, func(a fault.Armed) bool { return a.ID == f.ID })}
}

func (c *Console) listFaults(w http.ResponseWriter, r *http.Request) error {
	frame, armed := c.Frame(w, r), c.armedHere(r)
	v := templates.ConsoleFaultsView{Frame: frame, OnConsole: c.on(r), Armed: armedView(frame.Lang, armed)}
	for _, s := range fault.Sections {
		section := templates.ConsoleFaultSection{ID: s.ID, Title: in(frame.Lang, s.Title)}
		for i, list := 0, fault.Catalogue(); i < len(list); i++ {
			if list[i].Section == s.ID {
				section.Faults = append(section.Faults, faultView(frame.Lang, &list[i], armed))
			}
		}
		if len(section.Faults) > 0 {
			v.Sections = append(v.Sections, section)
		}
	}
	return c.show(w, r, v)
}

func (c *Console) showFault(w http.ResponseWriter, r *http.Request) error {
	return c.faultPage(w, r, http.StatusOK, templates.Form{Values: map[string][]string{
		"client_id": {clip(r.URL.Query().Get("client_id"), 128)}, "times": {"0"}, "percent": {"100"}, "seed": {"0"}}})
}

func (c *Console) faultPage(w http.ResponseWriter, r *http.Request, status int, typed templates.Form) error {
	f := fault.Find(r.PathValue("id"))
	if f == nil {
		return errNothing("no fault is called so")
	}
	frame, armed := c.Frame(w, r), c.armedHere(r)
	other := templates.En
	if frame.Lang == templates.En {
		other = templates.Vi
	}
	v := templates.ConsoleFaultView{Frame: frame, OnConsole: c.on(r), Fault: faultView(frame.Lang, f, armed),
		What: in(frame.Lang, f.What), Right: in(frame.Lang, f.Right), WhatOther: in(other, f.What), RightOther: in(other, f.Right), OtherLang: string(other),
		Spec: f.Spec, Asks: f.Asks, Played: f.Seam == fault.SeamChoreography, Everybody: f.Seam == fault.SeamJWKS || f.Seam == fault.SeamDiscovery, Form: typed,
		NeedsAttacker: c.Faults.LeadsNowhere(f),
		Armed:         armedView(frame.Lang, slices.DeleteFunc(armed, func(a fault.Armed) bool { return a.ID != f.ID }))}
	if f.Skippable != nil {
		v.Skippable = in(frame.Lang, *f.Skippable)
	}
	chosen := first(typed.Values["variant"])
	for i, one := range f.Variants {
		v.Variants = append(v.Variants, templates.ConsoleVariant{Name: one.Name, About: in(frame.Lang, one.About), On: one.Name == chosen || chosen == "" && i == 0})
	}
	v.ClientID = first(typed.Values["client_id"])
	err := c.view(r, func(tx vneid.Tx) error {
		clients, err := tx.Clients()
		v.Clients = nil
		for _, one := range clients {
			v.Clients = append(v.Clients, templates.ConsoleClientName{ID: one.ClientID, Name: one.ClientName})
		}
		return err
	})
	if err != nil {
		return err
	}
	c.Show(w, r, status, v)
	return nil
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func (c *Console) armFault(w http.ResponseWriter, r *http.Request) error {
	f := fault.Find(r.PathValue("id"))
	if f == nil || f.Seam == fault.SeamChoreography {
		return errNothing("no fault that can be armed is called so")
	}
	frame := c.Frame(w, r)
	typed := templates.Form{Values: r.PostForm, Wrong: map[string]string{}}
	number := func(field string, least, most int) int {
		n, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get(field)))
		if err != nil || n < least || n > most {
			typed.Wrong[field] = frame.T("console.wrong." + field)
		}
		return n
	}
	a := fault.Armed{ID: f.ID, Variant: r.PostForm.Get("variant"), ClientID: r.PostForm.Get("client_id"), Persona: strings.TrimSpace(r.PostForm.Get("persona")),
		LoginHint: strings.TrimSpace(r.PostForm.Get("login_hint")), Times: number("times", 0, 1_000_000),
		Probability: float64(number("percent", 1, 100)) / 100, Seed: uint64(number("seed", 0, math.MaxInt))}
	checked := []fault.Armed{a}
	for _, m := range c.Faults.Check(checked, vneid.WorldFrom(r.Context()).Clock.Now().Year()) {
		switch _, field, _ := strings.Cut(m.Field, "."); field {
		case "persona", "login_hint":
			typed.Wrong[field] = frame.T("console.wrong." + field)
		case "id":
			return vneid.Errorf(vneid.CodeConflict, "bad_request_parameter", "%s", m.What)
		case "variant":
			return vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "no such variant")
		}
	}
	if len(typed.Wrong) > 0 {
		return c.faultPage(w, r, http.StatusUnprocessableEntity, typed)
	}
	a = checked[0]
	err := c.ChangeFaults(r.Context(), func(all []fault.Armed) []fault.Armed {
		return append(slices.DeleteFunc(all, func(other fault.Armed) bool { return same(a, other) }), a)
	})
	if err != nil {
		return err
	}
	return c.goTo(w, r, "/faults", "fault-armed")
}

// same says whether two are the same fault for the same: one replaces the other.
func same(a, b fault.Armed) bool {
	return a.ID == b.ID && a.Variant == b.Variant && a.ClientID == b.ClientID && a.Persona == b.Persona && a.LoginHint == b.LoginHint
}

func (c *Console) disarmFaults(w http.ResponseWriter, r *http.Request) error {
	form := r.PostForm
	gone := fault.Armed{ID: form.Get("id"), Variant: form.Get("variant"), ClientID: form.Get("client_id"), Persona: form.Get("persona"), LoginHint: form.Get("login_hint")}
	err := c.ChangeFaults(r.Context(), func(all []fault.Armed) []fault.Armed {
		return slices.DeleteFunc(all, func(a fault.Armed) bool { return form.Has("all") || same(a, gone) })
	})
	if err != nil {
		return err
	}
	return c.goTo(w, r, "/faults", "fault-disarmed")
}
