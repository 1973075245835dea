package linking

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Text is in the languages of the reports.
type Text struct{ Vi, En string }

// Verdict of one scenario.
type Verdict string

const (
	Pass         Verdict = "PASS"
	Fail         Verdict = "FAIL"
	Warn         Verdict = "WARN"
	Inconclusive Verdict = "INCONCLUSIVE"
)

// Finding is what one scenario, or one variant of it, showed.
type Finding struct {
	ID, Name, Variant string
	Grade             string
	Title, What       Text
	Right             Text
	Spec              []string
	Verdict           Verdict
	Reason            Text
	Evidence          []string
	Took              time.Duration
}

// Exam is one run against one relying party. It is used once.
type Exam struct {
	File      *File
	API       string // http://localhost:9997/api/v1, or that of a world
	Token     string
	Transport http.RoundTripper // nil = http.DefaultTransport's settings
	Clock     vneid.Clock
	Only      []string // ids; none = all
	Say       func(Finding)
}

// run is what an exam knows while it goes on.
type run struct {
	Exam
	file     *File
	api      *http.Client
	made     []string // people to take away again
	armed    bool
	accounts []*account
	citizen  *person // the owner of the own accounts
	paired   bool    // the citizen is joined to the first own account
	strange  error   // the control sign-in failed: nothing can be told
}

// Run plays every scenario, in an order in which none spoils the next as long
// as the relying party links nobody wrongly, and takes away whom it made.
func (e Exam) Run(ctx context.Context) (findings []Finding, err error) {
	r := &run{Exam: e, file: e.File, api: &http.Client{Transport: e.Transport, Timeout: time.Minute}}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err = errors.Join(err, r.tidyUp(ctx))
	}()
	for i := range e.File.Accounts {
		r.accounts = append(r.accounts, &account{Account: e.File.Accounts[i]})
	}
	if r.strange = r.control(ctx); errors.As(r.strange, new(*refusal)) {
		return nil, r.strange // the sandbox itself says no: no verdict on the relying party
	}
	for _, s := range Scenarios() {
		if len(e.Only) > 0 && !slices.Contains(e.Only, s.ID) {
			continue
		}
		for _, variant := range s.variants() {
			if err := ctx.Err(); err != nil {
				return findings, err
			}
			f := r.examine(ctx, s, variant)
			findings = append(findings, f)
			if e.Say != nil {
				e.Say(f)
			}
		}
	}
	return findings, nil
}

// examine plays one variant and disarms what it armed.
func (r *run) examine(ctx context.Context, s *Scenario, variant string) Finding {
	f := Finding{ID: s.ID, Name: s.Name, Variant: variant, Grade: s.Grade, Title: s.Title, What: s.What, Right: s.Right, Spec: s.Spec}
	began := r.Clock.Now()
	g := &stage{run: r, ctx: ctx, scenario: s, variant: variant}
	out, err := outcome{}, r.strange
	if err == nil {
		out, err = s.play(g)
	}
	if err2 := r.disarm(ctx); err == nil {
		err = err2
	}
	if err != nil {
		out = outcome{Inconclusive, reasonOf(err)}
	}
	f.Verdict, f.Reason, f.Evidence, f.Took = out.verdict, out.reason, g.evidence, r.Clock.Now().Sub(began)
	return f
}

func reasonOf(err error) Text {
	if u := (*unclear)(nil); errors.As(err, &u) {
		return u.why
	}
	return Text{"Không thể kết luận: " + err.Error(), "Cannot be told: " + err.Error()}
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
		return &unclear{Text{"login.page không dẫn đến VNeID với client_id của tệp (" + last.where() + ")", "login.page does not lead to VNeID with the client_id of the file (" + last.where() + ")"}}
	}
	if in, err := b.signedIn(ctx); err != nil || !in {
		return errors.Join(err, &unclear{Text{"Đăng nhập đối chứng không vào được, hoặc whoami.signed_in không có trên trang (" + last.where() + ")", "the control sign-in did not get in, or whoami.signed_in does not stand on its page (" + last.where() + ")"}})
	}
	return nil
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
