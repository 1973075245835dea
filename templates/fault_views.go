package templates

// What the provider does wrong on purpose, in the console.

// ConsoleFaultsView lists the catalogue and what of it is armed. Posts to
// /console/faults/disarm: id, variant, client_id, persona, login_hint, or all.
type ConsoleFaultsView struct {
	Frame
	OnConsole
	Armed    []ConsoleArmed
	Sections []ConsoleFaultSection
}

// ConsoleArmed is an armed fault, and for whom.
type ConsoleArmed struct {
	ID, Title, Variant, ClientID, Persona, LoginHint string
	Times                                            int // yet; 0 = always
	Percent                                          int // of the cases
}

// ConsoleFaultSection is a part of the catalogue.
type ConsoleFaultSection struct {
	ID, Title string
	Faults    []ConsoleFault
}

// ConsoleFault is an entry of it.
type ConsoleFault struct {
	ID, Name, Title, Grade string
	Seam                   string
	Armed                  bool
}

// Badge is the look of the grade.
func (f ConsoleFault) Badge() string {
	switch f.Grade {
	case "must":
		return "is-locked"
	case "should":
		return "is-late"
	case "accept":
		return "is-on"
	}
	return ""
}

// ConsoleFaultView explains a fault and arms it. Posts to /console/faults/{id}:
// client_id, variant, persona, login_hint, times, percent, seed.
type ConsoleFaultView struct {
	Frame
	OnConsole
	Fault                 ConsoleFault
	What, Right           string
	WhatOther, RightOther string // in the other language
	OtherLang             string
	Skippable             string // why the specification lets one not look, "" = it does not
	Spec                  []string
	Asks                  []string // what the client must have sent
	Variants              []ConsoleVariant
	Played                bool // by the exam: there is nothing to arm
	NeedsAttacker         bool // which does not listen: it cannot be armed
	Clients               []ConsoleClientName
	ClientID              string // chosen, "" = every client
	Everybody             bool   // requests of this kind name no client
	Form                  Form
	Armed                 []ConsoleArmed
}

// ConsoleVariant is a way to do the same wrong.
type ConsoleVariant struct {
	Name, About string
	On          bool
}

// ConsoleClientName is a client to choose.
type ConsoleClientName struct{ ID, Name string }

var faultForm = []formGroup{{name: "whom", fields: []formField{
	{name: "persona", kind: inNumber}, {name: "login_hint", kind: inText}, {name: "times", kind: inNumber}, {name: "percent", kind: inNumber}, {name: "seed", kind: inNumber},
}}}

// Groups are the fields of the form.
func (v ConsoleFaultView) Groups() []Group { return v.Form.groups(v.Frame, faultForm) }

// Summary is what is wrong with the form, nil when nothing is.
func (v ConsoleFaultView) Summary() *Summary { return v.Form.summary(v.Frame, v.Groups()) }

func (ConsoleFaultsView) template() string { return "console-faults" }
func (ConsoleFaultView) template() string  { return "console-fault" }

func (ConsoleFaultsView) section() string { return "faults" }
func (ConsoleFaultView) section() string  { return "faults" }

func (v ConsoleFaultsView) title() string { return v.T("console.faults.title") }
func (v ConsoleFaultView) title() string {
	return v.Form.title(v.Frame, v.Fault.ID+" "+v.Fault.Title)
}

func (v ConsoleFaultsView) withFrame(f Frame) View { v.Frame = f; return v }
func (v ConsoleFaultView) withFrame(f Frame) View  { v.Frame = f; return v }
