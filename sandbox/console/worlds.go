package console

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (c *Console) listWorlds(w http.ResponseWriter, r *http.Request) error {
	return c.showWorlds(w, r, http.StatusOK, nil, templates.Form{})
}

// mostWorlds bounds the list: thousands are the API's.
const mostWorlds = 200

// showWorlds shows all worlds in the default one, and any other only to itself.
func (c *Console) showWorlds(w http.ResponseWriter, r *http.Request, status int, made *api.NewWorld, typed templates.Form) error {
	here := vneid.WorldFrom(r.Context())
	list, err := c.Worlds.List(r.Context())
	if err != nil {
		return err
	}
	v := templates.ConsoleWorldsView{Frame: c.Frame(w, r), OnConsole: c.on(r), Form: typed}
	if here.ID != vneid.DefaultWorld {
		v.Default = Prefix + "/worlds"
		list = slices.DeleteFunc(list, func(one api.World) bool { return one.ID != here.ID })
	}
	for _, one := range list[:min(len(list), mostWorlds)] {
		v.Worlds = append(v.Worlds, worldView(one))
	}
	if made != nil {
		one := worldView(made.World)
		v.Made, v.Token = &one, made.Token
	}
	c.Show(w, r, status, v)
	return nil
}

func worldView(w api.World) templates.ConsoleWorld {
	return templates.ConsoleWorld{ID: w.ID, Issuer: w.Issuer, URL: vneid.WorldPath(w.ID), API: w.API, CreatedAt: inHanoi(w.CreatedAt), ExpiresAt: inHanoi(w.ExpiresAt)}
}

func inHanoi(rfc3339 string) string {
	t, err := time.Parse(time.RFC3339, rfc3339)
	if err != nil {
		return ""
	}
	return hanoiTime(t)
}

// onlyDefault keeps the worlds where they are one list.
func onlyDefault(r *http.Request) error {
	if vneid.WorldFrom(r.Context()).ID != vneid.DefaultWorld {
		return errNothing("worlds are made and removed in the default world")
	}
	return nil
}

func (c *Console) createWorld(w http.ResponseWriter, r *http.Request) error {
	if err := onlyDefault(r); err != nil {
		return err
	}
	made, err := c.Worlds.Create(r.Context(), strings.TrimSpace(r.PostForm.Get("id")), nil)
	var p *api.Problem
	if errors.As(err, &p) {
		kind := map[bool]string{true: "taken", false: "wrong"}[p.Status == http.StatusConflict]
		return c.showWorlds(w, r, p.Status, nil, templates.Form{Values: r.PostForm, Wrong: map[string]string{"id": c.Frame(w, r).T("console." + kind + ".id")}})
	}
	if err != nil {
		return err
	}
	return c.showWorlds(w, r, http.StatusCreated, &made, templates.Form{})
}

func (c *Console) deleteWorld(w http.ResponseWriter, r *http.Request) error {
	if err := onlyDefault(r); err != nil {
		return err
	}
	err := c.Worlds.Delete(r.Context(), r.PathValue("id"))
	var p *api.Problem
	if errors.As(err, &p) {
		return errNothing(p.Detail)
	}
	if err != nil {
		return err
	}
	return c.goTo(w, r, "/worlds", "world-deleted")
}

func (c *Console) reset(w http.ResponseWriter, r *http.Request) error {
	if err := c.Reset(r.Context()); err != nil {
		return err
	}
	return c.goTo(w, r, "/worlds", "world-reset")
}

func (c *Console) transfer(w http.ResponseWriter, r *http.Request) error {
	return c.show(w, r, templates.ConsoleTransferView{Frame: c.Frame(w, r), OnConsole: c.on(r),
		Form: templates.Form{Values: map[string][]string{"format": {string(people.YAML)}}}})
}

var formats = []people.Format{people.YAML, people.CSV}

// importing is held by the one import that may run: a file takes a good part of
// our memory.
var importing sync.Mutex

func (c *Console) importPersonas(w http.ResponseWriter, r *http.Request) error {
	format := people.Format(r.PostForm.Get("format"))
	if !slices.Contains(formats, format) {
		return vneid.Errorf(vneid.CodeInvalid, "bad_request_parameter", "format is neither yaml nor csv")
	}
	if !importing.TryLock() {
		return vneid.Errorf(vneid.CodeUnavailable, "overloaded", "another import is under way")
	}
	defer importing.Unlock()
	d, err := people.ReadPeople("line", format, []byte(r.PostForm.Get("content")), nowYear(r))
	var mistakes strictyaml.Mistakes
	if errors.As(err, &mistakes) {
		v := templates.ConsoleTransferView{Frame: c.Frame(w, r), OnConsole: c.on(r), Form: templates.Form{Values: r.PostForm}}
		for _, m := range mistakes {
			where := strings.TrimSuffix(strings.Replace(m.Source, ":", " ", 1)+": "+m.Key, ": ") // "line 12: name"
			v.Mistakes = append(v.Mistakes, templates.ConsoleMistake{Where: where, What: strings.TrimSuffix(m.What+"; "+m.Hint, "; ")})
		}
		c.Show(w, r, http.StatusUnprocessableEntity, v)
		return nil
	}
	if err == nil {
		err = c.People.Import(r.Context(), d, nil)
	}
	if err != nil {
		return err
	}
	return c.goTo(w, r, "/personas", "people-imported")
}

func (c *Console) exportPersonas(w http.ResponseWriter, r *http.Request) error {
	format := people.Format(r.URL.Query().Get("format"))
	if !slices.Contains(formats, format) {
		return errNothing("people come as yaml or csv")
	}
	d, err := people.Take(r.Context(), c.Store, vneid.WorldFrom(r.Context()).ID)
	var out bytes.Buffer
	if err == nil {
		err = people.Write(&out, format, d)
	}
	if errors.Is(err, people.ErrTooMany) {
		return vneid.Errorf(vneid.CodeConflict, "too_large", "too many people for a file")
	}
	if err != nil {
		return err
	}
	kind := map[people.Format]string{people.YAML: "application/yaml", people.CSV: "text/csv; charset=utf-8; header=present"}[format]
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="personas.`+string(format)+`"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(out.Bytes()) // a browser that left needs no answer
	return nil
}
