// Package console is the tester's and developer's cockpit, /console: everything
// of a world to see and to change, in a browser.
//
// It takes the world from the request's context and changes it by the same
// functions as the automation API. Who may call is decided by the guard in
// front of it; forms of other sites are refused here. It never shows a secret
// but a client's own, once, when it is made.
//
// Start with the routes below. A page is a method of Console that fills a view
// of package templates (console_views.go there); its section stands in
// consoleSections.
package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/form"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Prefix of every page, below that of a world.
const Prefix = "/console"

// Config is what the console works with.
type Config struct {
	Store     vneid.Store
	Hasher    vneid.Hasher
	Records   *record.Book
	Inbox     *sms.Network
	Phones    *phone.Phones
	People    *people.Editor
	Registrar *people.Registrar
	Worlds    api.Worlds
	Portal    string // the sample portal, "" = unknown
	Version   string

	// Frame, Show and Fail are how the sandbox makes a page and answers with it.
	Frame func(http.ResponseWriter, *http.Request) templates.Frame
	Show  func(w http.ResponseWriter, r *http.Request, status int, v templates.View)
	Fail  func(http.ResponseWriter, *http.Request, error)

	// These are as in package api.
	Reset     func(context.Context) error
	MoveClock func(context.Context, vneid.ClockMove) error
	RotateKey func(ctx context.Context, alg, stage string) error

	Faults       *fault.Engine
	ChangeFaults func(context.Context, func([]fault.Armed) []fault.Armed) error

	// Settings is the configuration in force, Health how the program does.
	Settings func(context.Context, templates.Lang) []templates.ConsoleSettings
	Health   func(context.Context) ([]templates.ConsoleCheck, []templates.ConsoleFact)
	Real     vneid.Clock // of the machine
}

// Console serves the pages.
type Console struct{ Config }

// New makes the console.
func New(c Config) *Console { return &Console{c} }

// IsPage reports whether a path is one of the console.
func IsPage(path string) bool { return path == Prefix || strings.HasPrefix(path, Prefix+"/") }

// Routes adds every page to the mux.
func (c *Console) Routes(mux *http.ServeMux) {
	get := func(path string, h handler) { mux.HandleFunc("GET "+Prefix+path, c.page(h)) }
	post := func(path string, h handler) { mux.HandleFunc("POST "+Prefix+path, c.page(h)) }

	get("", c.overview)

	get("/personas", c.listPersonas)
	get("/personas/new", c.newPerson)
	get("/personas/transfer", c.transfer)
	get("/personas/export", c.exportPersonas)
	post("/personas/import", c.importPersonas)
	get("/personas/{cccd}", c.person)
	post("/personas", c.createPerson)
	post("/personas/{cccd}", c.changePerson)
	post("/personas/{cccd}/status", c.setStatus)
	post("/personas/{cccd}/web-login", c.setWebLogin("personas"))
	post("/personas/{cccd}/delete", c.deletePerson)

	get("/phones", c.listPhones)
	get("/phones/{cccd}", c.phone)
	post("/phones/{cccd}/ready", c.makePhone)
	post("/phones/{cccd}/web-login", c.setWebLogin("phones"))

	get("/clients", c.listClients)
	get("/clients/new", c.newClient)
	get("/clients/{client_id}", c.client)
	post("/clients", c.createClient)
	post("/clients/{client_id}", c.changeClient)
	post("/clients/{client_id}/secret", c.newSecret)
	post("/clients/{client_id}/delete", c.deleteClient)

	get("/sessions", c.listSessions)
	post("/sessions/{sid}/end", c.endSession)

	get("/sms", c.messages)
	get("/logins", c.listRecords)
	get("/logins/{id}", c.showRecord)
	get("/logins/{id}/export.md", c.exportRecord)
	get("/lint", c.listLint)
	get("/lint/{client_id}", c.showLint)
	get("/faults", c.listFaults)
	get("/faults/{id}", c.showFault)
	post("/faults/{id}", c.armFault)
	post("/faults/disarm", c.disarmFaults)
	get("/keys", c.listKeys)
	post("/keys/rotate", c.rotateKey)
	get("/clock", c.clock)
	post("/clock", c.moveClock)
	get("/worlds", c.listWorlds)
	post("/worlds", c.createWorld)
	post("/worlds/{id}/delete", c.deleteWorld)
	post("/reset", c.reset)
	get("/config", c.settings)
	get("/health", c.health)

	// Whatever else: a reload of a page that answered a form asks for the form's
	// address.
	get("/{section}/{rest...}", c.elsewhere)
	get("/{section}", c.elsewhere)
}

// handler answers a request, or fails; page turns failures into pages.
type handler func(w http.ResponseWriter, r *http.Request) error

// maxForm bounds a form, in bytes.
const maxForm = 64 << 10

// maxImport bounds a file of people that is pasted, in bytes of the form: the
// API takes larger ones.
const maxImport = 2 << 20

func (c *Console) page(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxForm)
		if r.URL.Path == Prefix+"/personas/import" {
			limit = maxImport
		}
		err := form.Read(w, r, limit)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			c.Fail(w, r, err)
		}
	}
}

// errNothing is for an address at which there is nothing.
func errNothing(what string) error {
	return vneid.Errorf(vneid.CodeNotFound, "not_found", "%s", what)
}

// sections are the first pages of those that have further ones.
var sections = []string{"personas", "phones", "clients", "sessions", "faults", "keys", "worlds"}

// elsewhere sends whoever reloads the answer to a form to the section's first
// page.
func (c *Console) elsewhere(w http.ResponseWriter, r *http.Request) error {
	for _, s := range sections {
		if r.PathValue("section") == s && r.PathValue("rest") != "" {
			return c.goTo(w, r, "/"+s, "")
		}
	}
	return errNothing("no page of the console")
}

// on is what every page shows of the request's world.
func (c *Console) on(r *http.Request) templates.OnConsole {
	w := vneid.WorldFrom(r.Context())
	o := templates.OnConsole{Now: hanoiTime(w.Clock.Now()), Said: r.URL.Query().Get("said")}
	if w.ID != vneid.DefaultWorld {
		o.World = w.ID
	}
	if offset := w.Clock.Now().Sub(c.Real.Now()).Round(time.Second); offset.Abs() >= time.Second {
		o.Offset = offset.String()
		if offset > 0 {
			o.Offset = "+" + o.Offset
		}
	}
	return o
}

// goTo sends the browser to a page of the console, which says what was done.
func (c *Console) goTo(w http.ResponseWriter, r *http.Request, path, said string) error {
	to := c.Frame(w, r).Path(Prefix + path)
	if said != "" {
		to += "?" + url.Values{"said": {said}}.Encode()
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (c *Console) show(w http.ResponseWriter, r *http.Request, v templates.View) error {
	c.Show(w, r, http.StatusOK, v)
	return nil
}

func (c *Console) view(r *http.Request, fn func(vneid.Tx) error) error {
	return c.Store.View(r.Context(), vneid.WorldFrom(r.Context()).ID, fn)
}

func (c *Console) update(r *http.Request, fn func(vneid.Tx) error) error {
	return c.Store.Update(r.Context(), vneid.WorldFrom(r.Context()).ID, fn)
}

// perPage is how long a list is.
const perPage = 50

// hanoi has had no summer time since 1975, so no zone database is needed.
var hanoi = time.FixedZone("+07", 7*60*60)

func hanoiTime(t time.Time) string { return t.In(hanoi).Format(time.RFC3339) }

func isNotFound(err error) bool { return errors.Is(err, vneid.ErrNotFound) }

// clip bounds what comes back in a search field.
func clip(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }
