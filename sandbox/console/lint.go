package console

import (
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/lint"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
)

// reportsPerPage keeps a page quick: each reads the newest records of its client.
const reportsPerPage = 5

func (c *Console) listLint(w http.ResponseWriter, r *http.Request) error {
	after := clip(r.URL.Query().Get("after"), 128)
	reports, more, err := c.linter().All(r.Context(), after, reportsPerPage)
	if err != nil {
		return err
	}
	v := templates.ConsoleLintView{Frame: c.Frame(w, r), OnConsole: c.on(r), Paging: templates.Paging{First: after == ""}}
	for i := range reports {
		v.Clients = append(v.Clients, reportView(&reports[i]))
	}
	if more {
		v.Next = next("", reports[len(reports)-1].ClientID)
	}
	return c.show(w, r, v)
}

func (c *Console) showLint(w http.ResponseWriter, r *http.Request) error {
	report, err := c.linter().Client(r.Context(), r.PathValue("client_id"), "")
	if err != nil {
		return missing(err, "no client has this client_id")
	}
	f := c.Frame(w, r)
	v := templates.ConsoleLintClientView{Frame: f, OnConsole: c.on(r), Client: reportView(report), Most: lint.Window}
	lang, other := languages(f.Lang)
	for _, found := range report.Findings {
		one := templates.ConsoleFinding{ID: found.ID, Severity: string(found.Severity), Title: found.Title.In(lang), Fix: found.Fix.In(lang),
			TitleOther: found.Title.In(other), FixOther: found.Fix.In(other), OtherLang: other, Reference: found.Reference, Count: found.Count}
		for _, e := range found.Evidence {
			one.Evidence = append(one.Evidence, templates.ConsoleEvidence{Login: e.Login, Step: e.Step, At: hanoiTime(e.At), Value: e.Value})
		}
		v.Findings = append(v.Findings, one)
	}
	return c.show(w, r, v)
}

func (c *Console) linter() *lint.Linter { return &lint.Linter{Store: c.Store, Records: c.Records} }

func reportView(r *lint.Report) templates.ConsoleReport {
	v := templates.ConsoleReport{ID: r.ClientID, Name: r.ClientName, Grade: r.Grade(), Score: r.Score, Logins: r.Logins,
		Errors: r.Counts(lint.Error), Warnings: r.Counts(lint.Warning), Advices: r.Counts(lint.Advice)}
	if r.Logins > 0 {
		v.Since = hanoiTime(r.Since)
	}
	return v
}

// languages are that of a page, and the other one.
func languages(l templates.Lang) (lang, other string) {
	if l == templates.En {
		return string(templates.En), string(templates.Vi)
	}
	return string(templates.Vi), string(templates.En)
}
