package exam

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// Report is an exam and what it came to.
type Report struct {
	Version        int       `json:"version"`
	ClientID       string    `json:"client_id"`
	Issuer         string    `json:"issuer"`
	LoginURL       string    `json:"login_url"`
	WhoamiURL      string    `json:"whoami_url"`
	Persona        string    `json:"persona"` // masked
	Started        time.Time `json:"started_at"`
	Millis         int64     `json:"ms"`
	Seed           int64     `json:"seed"`
	Program        string    `json:"program,omitempty"` // version of the sandbox
	SessionCookies []string  `json:"session_cookies"`
	Control        Control   `json:"control"`
	Grade          string    `json:"grade"`
	Counts         Counts    `json:"counts"`
	Notes          []Text    `json:"notes,omitempty"`
	Findings       []Finding `json:"findings"`

	seen []seen
}

// Control is the sign-in without a fault, and the one that was refused.
type Control struct {
	Login         string   `json:"login"`
	Status        int      `json:"status"`
	Steps         []string `json:"steps"`
	RefusedStatus int      `json:"refused_status"`
}

// Counts are the findings by verdict.
type Counts struct {
	Pass         int `json:"pass"`
	Fail         int `json:"fail"`
	Warn         int `json:"warn"`
	Inconclusive int `json:"inconclusive"`
}

// grade: F when anything failed that the specification demands, else A to D by
// the warnings: none, up to 3, up to 8, more.
func (r *Report) grade() {
	r.Counts = Counts{}
	for _, f := range r.Findings {
		switch f.Verdict {
		case Pass:
			r.Counts.Pass++
		case Fail:
			r.Counts.Fail++
		case Warn:
			r.Counts.Warn++
		default:
			r.Counts.Inconclusive++
		}
	}
	switch w := r.Counts.Warn; {
	case r.Counts.Fail > 0:
		r.Grade = "F"
	case w == 0:
		r.Grade = "A"
	case w <= 3:
		r.Grade = "B"
	case w <= 8:
		r.Grade = "C"
	default:
		r.Grade = "D"
	}
}

// Add adds findings of another exam of the same relying party.
func (r *Report) Add(findings ...Finding) {
	r.Findings = append(r.Findings, findings...)
	r.grade()
}

// Write writes the report in the format that a file name ends with: .json,
// .junit.xml, .sarif, .html.
func (r *Report) Write(w io.Writer, name string) error {
	switch {
	case strings.HasSuffix(name, ".junit.xml"):
		return r.junit(w)
	case strings.HasSuffix(name, ".sarif"):
		return r.sarif(w)
	case strings.HasSuffix(name, ".html"):
		return r.html(w)
	case strings.HasSuffix(name, ".json"):
		return indented(w, r)
	}
	return fmt.Errorf("%s: a report ends in .html, .json, .junit.xml or .sarif", name)
}

// Writable says whether a file name ends in a format.
func Writable(name string) bool {
	for _, end := range []string{".html", ".json", ".junit.xml", ".sarif"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (f *Finding) label() string {
	if f.Variant != "" {
		return f.ID + " " + f.Name + " (" + f.Variant + ")"
	}
	return f.ID + " " + f.Name
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	Class     string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Failure   *junitMessage `xml:"failure,omitempty"`
	Skipped   *junitMessage `xml:"skipped,omitempty"`
	SystemOut string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

func (r *Report) junit(w io.Writer) error {
	type suite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Stamp    string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	s := suite{Name: "vneid-sandbox exam of " + r.ClientID, Tests: len(r.Findings), Failures: r.Counts.Fail, Skipped: r.Counts.Inconclusive,
		Time: fmt.Sprintf("%.3f", float64(r.Millis)/1000), Stamp: r.Started.Format("2006-01-02T15:04:05")}
	for i := range r.Findings {
		f := &r.Findings[i]
		c := junitCase{Name: f.label(), Class: "exam." + f.Section, Time: fmt.Sprintf("%.3f", float64(f.Millis)/1000), SystemOut: string(f.Verdict) + ": " + f.Reason.En + "\n" + strings.Join(f.Evidence, "\n")}
		switch f.Verdict {
		case Fail:
			c.Failure = &junitMessage{f.Reason.En}
		case Inconclusive:
			c.Skipped = &junitMessage{f.Reason.En}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(s)
}

func (r *Report) sarif(w io.Writer) error {
	type object = map[string]any
	rules, results := []object{}, []object{}
	// SARIF 2.1.0 §3.27.10: what is no failure has the level none.
	levels := map[Verdict]string{Fail: "error", Warn: "warning", Inconclusive: "none", Pass: "none"}
	kinds := map[Verdict]string{Fail: "fail", Warn: "fail", Inconclusive: "open", Pass: "pass"}
	known := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if _, ok := known[f.ID]; !ok {
			known[f.ID] = len(rules)
			rules = append(rules, object{"id": f.ID, "name": f.Name, "shortDescription": object{"text": f.Title.En}, "fullDescription": object{"text": f.What.En}, "help": object{"text": f.Right.En + " (" + strings.Join(f.Spec, "; ") + ")"}})
		}
		results = append(results, object{"ruleId": f.ID, "ruleIndex": known[f.ID], "kind": kinds[f.Verdict], "level": levels[f.Verdict], "message": object{"text": f.label() + ": " + f.Reason.En},
			"locations": []object{{"physicalLocation": object{"artifactLocation": object{"uri": r.LoginURL}}}}})
	}
	return indented(w, object{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": []object{{
		"tool":    object{"driver": object{"name": "vneid-sandbox exam", "rules": rules}},
		"results": results,
	}}})
}
