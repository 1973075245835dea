package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// mostRecords is how many logins a page lists.
const mostRecords = 100

func (c *Console) listRecords(w http.ResponseWriter, r *http.Request) error {
	query, world := r.URL.Query(), vneid.WorldFrom(r.Context())
	v := templates.ConsoleRecordsView{Frame: c.Frame(w, r), OnConsole: c.on(r), Most: mostRecords,
		ClientID: clip(strings.TrimSpace(query.Get("client_id")), 200), CCCD: clip(query.Get("cccd"), 40), Result: clip(query.Get("result"), 20)}
	f := vneid.RecordFilter{ClientID: v.ClientID, Result: vneid.RecordResult(v.Result), Limit: mostRecords}
	for _, result := range vneid.RecordResults() {
		v.Results = append(v.Results, string(result))
	}
	if v.CCCD != "" {
		number, err := vneid.ParseCCCD(v.CCCD, world.Clock.Now().Year())
		if err != nil {
			var e *vneid.Error
			errors.As(err, &e)
			v.Wrong = v.T(e.MsgKey, e.Args...)
			c.Show(w, r, http.StatusUnprocessableEntity, v)
			return nil
		}
		f.CCCDHash = vneid.RecordCCCDHash(world.Salt, number)
	}
	list, err := c.Records.List(r.Context(), f, 0)
	if err != nil {
		return err
	}
	for i := range list {
		v.Records = append(v.Records, recordView(&list[i], world))
	}
	return c.show(w, r, v)
}

func recordView(r *vneid.Record, w *vneid.World) templates.ConsoleRecord {
	return templates.ConsoleRecord{ID: r.ID, Client: r.ClientID, CCCD: r.CCCD, Result: string(r.At(w.Clock.Now())), Error: r.Error, StartedAt: hanoiTime(r.StartedAt)}
}

// record reads the record that a path names.
func (c *Console) record(r *http.Request) (*vneid.Record, error) {
	rec, err := c.Records.Get(r.Context(), r.PathValue("id"), 0, 0)
	if errors.Is(err, vneid.ErrNotFound) {
		return nil, errNothing("no record of a login has this id")
	}
	return rec, err
}

func (c *Console) showRecord(w http.ResponseWriter, r *http.Request) error {
	rec, err := c.record(r)
	if err != nil {
		return err
	}
	world := vneid.WorldFrom(r.Context())
	f := c.Frame(w, r)
	v := templates.ConsoleRecordView{Frame: f, OnConsole: c.on(r), Record: recordView(rec, world),
		Export: f.Path(Prefix + "/logins/" + url.PathEscape(rec.ID) + "/export.md")}
	for i := range rec.Steps {
		v.Steps = append(v.Steps, stepView(f.Lang, world, rec, i))
	}
	return c.show(w, r, v)
}

// exportRecord is the record for a bug report.
func (c *Console) exportRecord(w http.ResponseWriter, r *http.Request) error {
	rec, err := c.record(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/markdown; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="vneid-login-`+plainName(rec.ID)+`.md"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, record.Markdown(rec, vneid.WorldFrom(r.Context()))) // a browser that left needs no answer
	return nil
}

// plainName keeps what may stand in the name of a file.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_') {
			return r
		}
		return -1
	}, s)
}

func stepView(lang templates.Lang, w *vneid.World, rec *vneid.Record, i int) templates.ConsoleStep {
	s := &rec.Steps[i]
	v := templates.ConsoleStep{Number: i + 1, At: hanoiTime(s.At), From: string(s.From), To: string(s.To), Kind: string(s.Kind),
		Line: strings.TrimSpace(s.Method + " " + s.Path), Status: s.Status, Peer: s.Peer, Agent: s.Agent, Error: s.Error, Detail: s.Detail,
		Request: fieldViews(s.Request), Response: fieldViews(s.Response), Curl: record.Curl(w.Issuer, s)}
	if s.Millis > 0 {
		v.Millis = strconv.FormatFloat(s.Millis, 'f', 1, 64)
	}
	for _, t := range s.Tokens {
		v.Tokens = append(v.Tokens, templates.ConsoleToken{Use: t.Use, Header: indented(t.Header), Claims: indented(t.Claims)})
	}
	for _, k := range s.Checks {
		v.Checks = append(v.Checks, templates.ConsoleStepCheck{Name: k.Name, Detail: k.Detail, OK: k.OK})
	}
	here, other := languages(lang)
	for _, h := range s.Hints {
		e := record.Explain(rec, h)
		v.Hints = append(v.Hints, templates.ConsoleHint{What: e.What.In(here), Change: e.Change.In(here),
			WhatOther: e.What.In(other), ChangeOther: e.Change.In(other), OtherLang: other, Reference: e.Reference, Advice: e.Advice()})
	}
	return v
}

func fieldViews(list []vneid.StepField) (views []templates.ConsoleField) {
	for _, f := range list {
		views = append(views, templates.ConsoleField{Name: f.Name, Value: f.Value, In: f.In, Secret: f.Secret})
	}
	return views
}

func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}
