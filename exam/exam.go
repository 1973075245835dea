// Package exam drives a relying party through the faults of the sandbox and
// grades it: does it notice?
//
// It speaks HTTP: as a browser to the relying party and to the provider's pages,
// and as a developer to the sandbox's API, which arms the faults, holds the phone
// and shows the records. A relying party that needs script gets a real browser
// for its own pages (script.go, package chromium). What counts as noticed is data of the
// catalogue (GET /faults); code is here for what needs an actor (play*.go) and
// for what a page alone tells (probes.go). A verdict is never a guess: without
// a signal it is [Inconclusive], and says why.
//
// It examines only a relying party that has this very sandbox as its issuer,
// on addresses of test machines, or one whose owner says so (consent.go).
package exam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/exam/chromium"
)

// Text is a text for people, in both languages.
type Text struct {
	Vi string `json:"vi"`
	En string `json:"en"`
}

// Verdict is what a finding comes to.
type Verdict string

const (
	Pass         Verdict = "PASS"
	Fail         Verdict = "FAIL"         // the specification demands otherwise
	Warn         Verdict = "WARN"         // it may, and should not; or is too strict
	Inconclusive Verdict = "INCONCLUSIVE" // nothing was seen that decides
)

// Finding is a fault and what the relying party made of it.
type Finding struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Variant  string   `json:"variant,omitempty"`
	Section  string   `json:"section"`
	Title    Text     `json:"title"`
	What     Text     `json:"what"`
	Right    Text     `json:"right"`
	Spec     []string `json:"spec"`
	Grade    string   `json:"grade"`
	Verdict  Verdict  `json:"verdict"`
	Reason   Text     `json:"reason"`
	Evidence []string `json:"evidence"`
	Login    string   `json:"login,omitempty"` // its record in the sandbox
	Millis   int64    `json:"ms"`
}

// Options is what an exam is made of.
type Options struct {
	LoginURL  string // where a sign-in begins, by GET
	WhoamiURL string // a page that says who is signed in
	Needle    string // stands there only when the persona is signed in
	LogoutURL string // "" = not examined
	ClientID  string // "" = the one the sign-in names
	Faults    []string
	Variants  bool   // each variant, not the first alone
	API       string // of the sandbox
	Token     string // of the API
	Persona   string // a CCCD
	Passcode  string // of the persona's phone
	Seed      int64  // orders the faults; 0 = as the catalogue has them
	CA        []byte // PEM to trust besides the system's authorities
	Browser   bool   // a Chromium opens the relying party's pages
	Chromium  string // the program; "" = the one on PATH
}

// Errors of an exam that cannot be.
var (
	ErrControl = errors.New("the control sign-in failed")
	ErrConsent = errors.New("this host may not be examined")
	ErrIssuer  = errors.New("the relying party does not sign in at this sandbox")
	ErrBrowser = errors.New("the browser (Chromium) has ended on the way: without it no portal can be judged; try again, with more memory if there was too little")
)

// examiner is an exam under way.
type examiner struct {
	Options
	api       *api
	chromium  *chromium.Browser // nil = browsers without script
	now       func() time.Time
	catalogue []Fault
	session   []string // names of cookies that come with a session, as the controls show
	flagged   []string // further cookies that a sign-in changes
	callback  string   // the redirect URI, without its parameters
	issuer    string
	provider  http.CookieJar // what the provider knows the browsers by
	unseen    *Text          // what could not be looked at during this fault
	stopped   bool           // the relying party signs nobody in any more
	report    *Report
}

// Run examines a relying party. tell hears of each finding as it comes.
func Run(ctx context.Context, o Options, now func() time.Time, tell func(Finding)) (*Report, error) {
	o.Persona, o.Passcode = cmp.Or(o.Persona, "038090000001"), cmp.Or(o.Passcode, "123456")
	e := &examiner{Options: o, now: now, provider: newJar()}
	var err error
	if e.api, err = newAPI(o); err != nil {
		return nil, err
	}
	e.report = &Report{Version: 1, LoginURL: o.LoginURL, WhoamiURL: o.WhoamiURL, Started: now().UTC(), Seed: o.Seed, Persona: maskCCCD(o.Persona)}
	if err := e.mayExamine(ctx); err != nil {
		return nil, err
	}
	if err := e.api.get(ctx, "/faults", &e.catalogue); err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	chosen, err := e.choose()
	if err != nil {
		return nil, err
	}
	if err := e.startChromium(ctx); err != nil {
		return nil, err
	}
	defer e.stopChromium()
	defer e.disarm(context.WithoutCancel(ctx))
	if err := e.control(ctx); err != nil {
		return nil, err
	}
	for _, p := range e.probes(ctx) {
		e.add(p, tell)
	}
	for _, c := range chosen {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		begun := now()
		f := e.examine(ctx, c)
		f.Millis = now().Sub(begun).Milliseconds()
		e.add(f, tell)
		e.recover(ctx)
		if e.stopped && e.chromium != nil && !e.chromium.Alive() {
			return nil, ErrBrowser
		}
		e.closeWindows()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	e.add(e.probeReuse(), tell)
	e.report.Millis = now().Sub(e.report.Started).Milliseconds()
	e.report.grade()
	return e.report, nil
}

func (e *examiner) add(f Finding, tell func(Finding)) {
	if f.ID == "" {
		return
	}
	e.report.Findings = append(e.report.Findings, f)
	if tell != nil {
		tell(f)
	}
}

// chosen is a fault to try, in one variant.
type chosen struct {
	fault   *Fault
	variant string
}

// choose lists what is to be tried.
func (e *examiner) choose() (list []chosen, err error) {
	all := len(e.Faults) == 0 || slices.Equal(e.Faults, []string{"all"})
	known := map[string]bool{}
	for i := range e.catalogue {
		f := &e.catalogue[i]
		variant, wanted := "", all
		for _, w := range e.Faults {
			id, v, _ := strings.Cut(w, ":")
			if strings.EqualFold(id, f.ID) || id == f.Name || strings.EqualFold(id, f.Section) {
				wanted, variant, known[w] = true, v, true
			}
		}
		if !wanted {
			continue
		}
		if variant != "" && !slices.ContainsFunc(f.Variants, func(v Variant) bool { return v.Name == variant }) {
			return nil, fmt.Errorf("%s has no variant %q", f.ID, variant)
		}
		names := []string{variant}
		if e.Variants && variant == "" {
			names = nil
			for _, v := range f.Variants {
				names = append(names, v.Name)
			}
			if len(names) == 0 {
				names = []string{""}
			}
		}
		for _, v := range names {
			list = append(list, chosen{f, v})
		}
	}
	for _, w := range e.Faults {
		if w != "all" && !known[w] {
			return nil, fmt.Errorf("no fault, name or section is called %q; `vneid-sandbox faults` lists them", w)
		}
	}
	if e.Seed != 0 {
		shuffle(list, e.Seed)
	}
	return list, nil
}

// shuffle orders by the seed: the same seed, the same order.
func shuffle(list []chosen, seed int64) {
	x := uint64(seed)
	for i := len(list) - 1; i > 0; i-- {
		x ^= x << 13 // xorshift: it only has to be the same again
		x ^= x >> 7
		x ^= x << 17
		j := int(x % uint64(i+1))
		list[i], list[j] = list[j], list[i]
	}
}

// finding begins one.
func (c chosen) finding() Finding {
	f := c.fault
	return Finding{ID: f.ID, Name: f.Name, Variant: c.variant, Section: f.Section, Title: f.Title, What: f.What, Right: f.Right, Spec: f.Spec, Grade: f.Grade, Evidence: []string{}}
}

// examine tries one fault. What could not be seen is no virtue: without the
// record or the who-am-I page nothing that is not there counts.
func (e *examiner) examine(ctx context.Context, c chosen) Finding {
	if e.stopped {
		return c.finding().inconclusive("lần đăng nhập kiểm chứng không còn thành công sau một lỗi trước đó", "the control sign-in stopped working after an earlier fault")
	}
	e.unseen = nil
	f := e.try(ctx, c)
	if e.unseen != nil && f.Grade != "either" && (f.Verdict == Pass || f.Grade == "accept") {
		f = f.inconclusive(e.unseen.Vi, e.unseen.En)
	}
	return f
}

func (e *examiner) try(ctx context.Context, c chosen) Finding {
	f := c.finding()
	switch {
	case c.fault.Seam == "choreography":
		play := plays[c.fault.ID]
		if play == nil {
			return f.inconclusive("không có kịch bản cho lỗi này trong bài kiểm tra", "the exam has no play for this one")
		}
		play(e, ctx, &f)
		return f
	case c.fault.Seam == "logout_token":
		return e.examineLogout(ctx, c, f)
	case c.fault.Seam == "redirect" && c.fault.Section == "G":
		return e.examineSignOut(ctx, c, f)
	case c.fault.ID == "J26":
		return f.inconclusive("CSDL dân cư chỉ được hỏi khi liên kết: dùng bài kiểm tra liên kết", "the population database is asked when linking: the linking exam plays this")
	}
	before := int64(0)
	if c.fault.has("canary") {
		before = e.lastHit(ctx)
	}
	if err := e.arm(ctx, c); err != nil {
		return f.notArmed(c.fault, err)
	}
	ev := e.signInHow(ctx, e.newBrowser(), how{phone: c.fault.Section == "K"})
	if c.fault.has("canary") {
		e.lured(ctx, c.fault, before, ev)
	}
	left, err := e.left(ctx)
	e.disarm(ctx)
	if err != nil {
		return f.broken(err)
	}
	ev.struck = left < manyTimes
	e.judge(c.fault, ev, &f)
	return f
}

// manyTimes is how often a fault is armed: what is less afterwards has struck.
const manyTimes = 100_000

func (e *examiner) arm(ctx context.Context, c chosen) error {
	faults := []any{map[string]any{"id": c.fault.ID, "variant": c.variant, "times": manyTimes}}
	if c.fault.Seam == "jwks" || c.fault.ID == "E04" {
		// Nobody fetches keys that he knows: a new key makes them ask.
		faults = append(faults, map[string]any{"id": "D20"})
	}
	body := map[string]any{"faults": faults}
	return e.api.send(ctx, "PUT", e.faultsPath(), body, nil)
}

// left is how often the armed fault may strike yet.
func (e *examiner) left(ctx context.Context) (int, error) {
	var list []struct{ Times int }
	err := e.api.get(ctx, e.faultsPath(), &list)
	if err == nil && len(list) == 0 {
		err = errors.New("somebody else changed the armed faults of the client meanwhile")
	}
	if err != nil {
		return 0, err
	}
	return list[0].Times, nil
}

func (e *examiner) disarm(ctx context.Context) {
	if e.ClientID != "" {
		_ = e.api.send(ctx, "DELETE", e.faultsPath(), nil, nil) // the next PUT replaces it anyway
	}
}

func (e *examiner) faultsPath() string { return "/clients/" + url.PathEscape(e.ClientID) + "/faults" }

// control signs in without a fault, and once more refusing: what success and
// failure look like.
func (e *examiner) control(ctx context.Context) error {
	good := e.newBrowser()
	ev := e.signIn(ctx, good)
	if ev.err != nil {
		return fmt.Errorf("%w: %v", ErrControl, ev.err)
	}
	if e.ClientID == "" {
		e.ClientID = ev.clientID
	}
	if ev.clientID != e.ClientID {
		return fmt.Errorf("%w: it signs in as client %q, not %q", ErrIssuer, ev.clientID, e.ClientID)
	}
	if _, err := e.record(ctx, ev.login, nil); err != nil {
		return fmt.Errorf("%w: it has no record of login %s (%v)", ErrIssuer, ev.login, err)
	}
	if !ev.needle {
		return fmt.Errorf("%w: %q does not stand on %s after signing in (status %d, page %q); the browser ended at %s with status %d", ErrControl, e.Needle, e.WhoamiURL, ev.whoami, ev.whoamiTitle, ev.endedAt, ev.status)
	}
	stranger := e.newBrowser()
	nobody := &evidence{}
	if e.ask(ctx, stranger, nobody); nobody.needle {
		return fmt.Errorf("%w: %q stands on %s although nobody is signed in; choose another needle", ErrControl, e.Needle, e.WhoamiURL)
	}
	bad := e.newBrowser()
	no := e.signInHow(ctx, bad, how{refuse: true})
	if no.err != nil || no.needle {
		return fmt.Errorf("%w: after the person refused: %v, signed in: %v", ErrControl, no.err, no.needle)
	}
	for _, name := range good.cookieNames(e.WhoamiURL) {
		if !slices.Contains(bad.cookieNames(e.WhoamiURL), name) {
			e.session = append(e.session, name)
		}
	}
	e.callback = ev.callback
	e.report.ClientID, e.report.Issuer, e.report.SessionCookies = e.ClientID, ev.issuer, append([]string{}, e.session...)
	e.report.Control = Control{Login: ev.login, Status: ev.status, Steps: ev.steps(), RefusedStatus: no.status}
	return nil
}

// recover signs in without a fault until the relying party has forgotten what
// a wrong key set or wrong metadata told it: whoever signs nobody in refuses
// every fault, and that is no virtue. Once it has stopped, it gets one try
// after each fault that is left.
func (e *examiner) recover(ctx context.Context) {
	for i := range 5 {
		short, cancel := context.WithTimeout(ctx, longWait)
		ev := e.signIn(short, e.newBrowser())
		cancel()
		if ev.needle || ctx.Err() != nil {
			e.stopped = false
			return
		}
		if e.stopped {
			return
		}
		select {
		case <-time.After(time.Duration(i+1) * 500 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	e.stopped = true
	last := e.report.Findings[len(e.report.Findings)-1]
	e.report.Notes = append(e.report.Notes, Text{"Sau lỗi " + last.ID + ", cổng không đăng nhập bình thường lại được trong thời gian chờ.", "After " + last.ID + " the portal did not sign in normally again within the time we waited."})
}

func (f Finding) inconclusive(vi, en string) Finding {
	f.Verdict, f.Reason = Inconclusive, Text{vi, en}
	return f
}

func (f Finding) broken(err error) Finding {
	return f.inconclusive("bài kiểm tra không chạy được: "+err.Error(), "the exam could not be held: "+err.Error())
}

// maskCCCD is a number as it may be shown.
func maskCCCD(c string) string {
	if len(c) != 12 {
		return "***"
	}
	return c[:3] + "******" + c[9:]
}
