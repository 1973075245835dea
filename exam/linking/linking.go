package linking

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
)

// What the reports of the exam are made of.
type (
	Text    = exam.Text
	Verdict = exam.Verdict
	Finding = exam.Finding
)

// Section of the findings: the main exam has the same ids in section J, where
// it plays what needs no local account.
const Section = "linking"

// Exam is one run against one relying party. It is used once.
type Exam struct {
	File      *File
	API       string // http://localhost:9997/api/v1, or that of a world
	Token     string
	Transport http.RoundTripper
	Now       func() time.Time
	Only      []string // ids or names; none = all
	Tell      func(Finding)
}

// run is what an exam knows while it goes on.
type run struct {
	Exam
	file     *File
	api      *http.Client
	made     []string // people to take away again
	armed    bool
	issuer   string
	accounts []*account
	citizen  *person // the owner of the own accounts
	paired   bool    // the citizen is joined to the first own account
}

// Run plays every scenario, in an order in which none spoils the next as long
// as the relying party links nobody wrongly, and takes away whom it made.
func (e Exam) Run(ctx context.Context) (report *exam.Report, err error) {
	if err := e.known(); err != nil {
		return nil, err
	}
	report = &exam.Report{Version: 1, ClientID: e.File.ClientID, LoginURL: e.File.Portal + e.File.Login.Page, WhoamiURL: e.File.Portal + e.File.Who.Page,
		Persona: "do bài kiểm tra tạo · made by the exam", Started: e.Now().UTC(), SessionCookies: []string{}}
	r := &run{Exam: e, file: e.File, api: &http.Client{Transport: e.Transport, Timeout: time.Minute}}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err = errors.Join(err, r.tidyUp(ctx))
	}()
	for i := range e.File.Accounts {
		r.accounts = append(r.accounts, &account{Account: e.File.Accounts[i]})
	}
	if err := r.control(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", exam.ErrControl, err)
	}
	for _, s := range Scenarios() {
		if len(e.Only) > 0 && !slices.ContainsFunc(e.Only, s.called) {
			continue
		}
		for _, variant := range s.variants() {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			f := r.examine(ctx, s, variant)
			report.Add(f)
			if e.Tell != nil {
				e.Tell(f)
			}
		}
	}
	report.Issuer, report.Millis = r.issuer, e.Now().Sub(report.Started).Milliseconds()
	return report, nil
}

// known refuses words in Only that call no scenario.
func (e *Exam) known() error {
	for _, word := range e.Only {
		if !slices.ContainsFunc(Scenarios(), func(s *Scenario) bool { return s.called(word) }) {
			return fmt.Errorf("no scenario of the linking exam is called %.40q", word)
		}
	}
	return nil
}

// examine plays one variant and disarms what it armed.
func (r *run) examine(ctx context.Context, s *Scenario, variant string) Finding {
	f := Finding{ID: s.ID, Name: s.Name, Variant: variant, Section: Section, Grade: s.Grade, Title: s.Title, What: s.What, Right: s.Right, Spec: s.Spec}
	begun := r.Now()
	g := &stage{run: r, ctx: ctx, scenario: s, variant: variant, evidence: []string{}}
	out, err := s.play(g)
	if err2 := r.disarm(ctx); err == nil {
		err = err2
	}
	if err != nil {
		out = outcome{exam.Inconclusive, reasonOf(err)}
	}
	f.Verdict, f.Reason, f.Evidence, f.Millis = out.verdict, out.reason, g.evidence, r.Now().Sub(begun).Milliseconds()
	return f
}

func reasonOf(err error) Text {
	if u := (*unclear)(nil); errors.As(err, &u) {
		return u.why
	}
	return text("Không thể kết luận: "+err.Error(), "Cannot be told: "+err.Error())
}

// control: somebody ordinary gets in, or no refusal would mean anything.
func (r *run) control(ctx context.Context) error {
	p, err := r.newPerson(ctx, person{Name: "Hồ Kiểm Thử"})
	if err != nil {
		return err
	}
	b := r.browser(p)
	last, err := b.take(ctx, &r.file.Login, nil)
	if err != nil {
		return err
	}
	if len(b.logins) == 0 {
		return fmt.Errorf("login.page does not lead to VNeID as client %s (%s)", r.file.ClientID, last.where())
	}
	if in, err := b.signedIn(ctx); err != nil || !in {
		return errors.Join(err, fmt.Errorf("after it, whoami.signed_in does not stand on %s (the sign-in ended at %s)", r.file.Who.Page, last.where()))
	}
	idle, err := r.browser(nil).signedIn(ctx)
	if err == nil && idle {
		err = fmt.Errorf("whoami.signed_in stands on %s although nobody is signed in", r.file.Who.Page)
	}
	return err
}

// tidyUp disarms, and takes away the people that were made.
func (r *run) tidyUp(ctx context.Context) error {
	err := r.disarm(ctx)
	for _, cccd := range r.made {
		if e := r.call(ctx, http.MethodDelete, "/personas/"+cccd, nil, nil); e != nil {
			err = errors.Join(err, fmt.Errorf("take away %s: %w", masked(cccd), e))
		}
	}
	return err
}
