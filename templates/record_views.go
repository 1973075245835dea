package templates

// Records of logins in the console: what happened, step by step.

// ConsoleRecordsView lists records, the last begun first. Sends by GET:
// client_id, cccd, result.
type ConsoleRecordsView struct {
	Frame
	OnConsole
	ClientID, CCCD, Result string   // what was asked for
	Results                []string // console.result.<Result>
	Wrong                  string   // why nothing could be looked for, localised
	Records                []ConsoleRecord
	Most                   int // of how many at most
}

// Filtered reports whether something was asked for.
func (v ConsoleRecordsView) Filtered() bool { return v.ClientID+v.CCCD+v.Result != "" }

// ConsoleRecord is a login as its record says.
type ConsoleRecord struct {
	ID, Client, CCCD, Result, Error, StartedAt string // CCCD masked; times in RFC 3339
}

// ConsoleRecordView is one record: the sequence of its steps.
type ConsoleRecordView struct {
	Frame
	OnConsole
	Record ConsoleRecord
	Export string // address of the record as Markdown
	Steps  []ConsoleStep
}

// ConsoleParties stand beside each other in the diagram, always all of them: a
// new one would move the others while somebody looks.
var ConsoleParties = []string{"rp", "browser", "provider", "sms", "phone"}

// Parties are those of the diagram.
func (ConsoleRecordView) Parties() []string { return ConsoleParties }

// Width of the diagram of a step, in its own units.
func (ConsoleRecordView) Width() int { return columnWidth * len(ConsoleParties) }

const columnWidth = 200

// ConsoleStep is one message and its answer.
type ConsoleStep struct {
	Number              int
	At                  string // RFC 3339
	From, To, Kind      string // console.party.<From>, console.step.<Kind>
	Line                string // POST /oauth/token
	Status              int
	Millis, Peer, Agent string
	Error, Detail       string
	Request, Response   []ConsoleField
	Tokens              []ConsoleToken
	Checks              []ConsoleStepCheck
	Hints               []ConsoleHint
	Curl                string
}

// ConsoleField is a parameter; In is query, body, header, or "" in an answer.
type ConsoleField struct {
	Name, Value, In string
	Secret          bool // Value is a fingerprint, or nothing at all
}

// ConsoleToken is what a JWT says.
type ConsoleToken struct{ Use, Header, Claims string }

// ConsoleStepCheck is something that was verified.
type ConsoleStepCheck struct {
	Name, Detail string
	OK           bool
}

// ConsoleHint is a hint in both languages: whoever reports it may read the
// other one.
type ConsoleHint struct {
	What, Change, WhatOther, ChangeOther, OtherLang, Reference string
	Advice                                                     bool
}

// Failed reports whether the step was refused.
func (s ConsoleStep) Failed() bool { return s.Error != "" || s.Status >= 400 }

// Advised reports whether there is nothing but advice.
func (s ConsoleStep) Advised() bool {
	return !s.Failed() && len(s.Hints) > 0
}

// column is where a party stands, in the middle of its part.
func column(party string) int {
	for i, p := range ConsoleParties {
		if p == party {
			return i*columnWidth + columnWidth/2
		}
	}
	return columnWidth / 2
}

// Lifelines are the columns of all parties.
func (ConsoleStep) Lifelines() (list []int) {
	for _, p := range ConsoleParties {
		list = append(list, column(p))
	}
	return list
}

// X1 and X2 are the ends of the arrow, Tip where its head begins.
func (s ConsoleStep) X1() int { return column(s.From) }
func (s ConsoleStep) X2() int { return column(s.To) }
func (s ConsoleStep) Tip() int {
	if s.X2() < s.X1() {
		return s.X2() + 14
	}
	return s.X2() - 14
}

// stepView is a step on its page.
type stepView struct {
	Frame
	Step  ConsoleStep
	Width int
}

func newStepView(v ConsoleRecordView, s ConsoleStep) stepView { return stepView{v.Frame, s, v.Width()} }

func (ConsoleRecordsView) template() string { return "console-records" }
func (ConsoleRecordView) template() string  { return "console-record" }

func (ConsoleRecordsView) section() string { return "logins" }
func (ConsoleRecordView) section() string  { return "logins" }

func (v ConsoleRecordsView) title() string {
	return v.errorTitle("console.logins.title", v.Wrong != "")
}
func (v ConsoleRecordView) title() string { return v.T("console.login.title", v.Record.ID) }

func (v ConsoleRecordsView) withFrame(f Frame) View { v.Frame = f; return v }
func (v ConsoleRecordView) withFrame(f Frame) View  { v.Frame = f; return v }
