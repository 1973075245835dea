package templates

import "strconv"

// What the lint says of clients, in the console.

// ConsoleLintView lists the clients with their scores. Sends by GET: after.
type ConsoleLintView struct {
	Frame
	OnConsole
	Paging
	Clients []ConsoleReport
}

// ConsoleReport is what is known of a client.
type ConsoleReport struct {
	ID, Name                  string
	Grade                     string // A to E, "" = nothing was recorded
	Score, Logins             int
	Since                     string // RFC 3339
	Errors, Warnings, Advices int    // findings
}

// Badge is the look of the grade.
func (r ConsoleReport) Badge() string {
	switch r.Grade {
	case "A", "B":
		return "is-on"
	case "C":
		return "is-late"
	}
	return "is-locked"
}

// report is a client's on its page.
type report struct {
	Frame
	ConsoleReport
}

func newReport(f Frame, r ConsoleReport) report { return report{f, r} }

// ConsoleLintClientView is the report on one client.
type ConsoleLintClientView struct {
	Frame
	OnConsole
	Client   ConsoleReport
	Most     int // records that are looked at
	Findings []ConsoleFinding
}

// ConsoleFinding is something to change.
type ConsoleFinding struct {
	ID, Severity, Title, Fix        string
	TitleOther, FixOther, OtherLang string // the same in the other language
	Reference                       string
	Count                           int
	Evidence                        []ConsoleEvidence // of the newest
}

// Advice reports whether a finding is nothing wrong.
func (f ConsoleFinding) Advice() bool { return f.Severity != "error" }

// ConsoleEvidence is where it was seen.
type ConsoleEvidence struct {
	Login string
	Step  int    // 0 = the login as a whole
	At    string // RFC 3339
	Value string
}

// Place is the address of the step on the page of the login.
func (e ConsoleEvidence) Place() string {
	if e.Step == 0 {
		return e.Login
	}
	return e.Login + "#step-" + strconv.Itoa(e.Step)
}

func (ConsoleLintView) template() string       { return "console-lint" }
func (ConsoleLintClientView) template() string { return "console-lint-client" }

func (ConsoleLintView) section() string       { return "lint" }
func (ConsoleLintClientView) section() string { return "lint" }

func (v ConsoleLintView) title() string       { return v.T("console.lint.title") }
func (v ConsoleLintClientView) title() string { return v.T("console.lint.of", v.Client.Name) }

func (v ConsoleLintView) withFrame(f Frame) View       { v.Frame = f; return v }
func (v ConsoleLintClientView) withFrame(f Frame) View { v.Frame = f; return v }
