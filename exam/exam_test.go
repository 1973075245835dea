package exam_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

var (
	nobody   = []string{"no_userinfo_call", "no_session"}
	wrongIss = func(_ *stage, _ *visit, o object) { o["iss"] = "https://elsewhere.example" }
	extra    = func(_ *stage, _ *visit, o object) { o["extra"] = "x" }
	nothing  = func(*stage, *visit, object) {}
)

// ladder is one fault of each grade, all of them the same wrong.
func ladder(s *stage) {
	lets := exam.Text{Vi: "Core §3.1.3.7 (6)", En: "Core §3.1.3.7 (6)"}
	s.offer(exam.Fault{ID: "X01", Name: "must", Grade: "must", Signals: nobody}, wrongIss)
	s.offer(exam.Fault{ID: "X02", Name: "skippable", Grade: "must", Signals: nobody, Skippable: &lets}, wrongIss)
	s.offer(exam.Fault{ID: "X03", Name: "should", Grade: "should", Signals: nobody}, wrongIss)
	s.offer(exam.Fault{ID: "X04", Name: "either", Grade: "either", Signals: nobody}, wrongIss)
	s.offer(exam.Fault{ID: "X05", Name: "accept", Grade: "accept", Signals: []string{"session"}}, extra)
}

func TestACarefulPortalPassesAndACarelessOneFailsWhereItIsCareless(t *testing.T) {
	t.Parallel()
	want := func(found map[string]exam.Finding, verdicts map[string]exam.Verdict) {
		t.Helper()
		for id, v := range verdicts {
			if found[id].Verdict != v {
				t.Errorf("%s is %s, want %s: %s %q", id, found[id].Verdict, v, found[id].Reason.En, found[id].Evidence)
			}
		}
	}
	careful := newStage(t)
	ladder(careful)
	r, found := careful.hold(t)
	want(found, map[string]exam.Verdict{"X01": exam.Pass, "X02": exam.Pass, "X03": exam.Pass, "X04": exam.Pass, "X05": exam.Pass, "G15": exam.Pass, "G16": exam.Pass, "I13": exam.Pass, "I14": exam.Pass, "I15": exam.Pass})
	if r.Counts.Fail != 0 || r.ClientID != client || r.Issuer != careful.sandbox.URL || !slices.Equal(r.SessionCookies, []string{"rp_session"}) {
		t.Errorf("the report says %+v", r)
	}

	careless := newStage(t)
	careless.checksIssuer, careless.checksState, careless.tolerant, careless.keepsSession = false, false, false, true
	ladder(careless)
	careless.offer(exam.Fault{ID: "A24", Name: "unsolicited-callback", Grade: "must", Seam: "choreography", Signals: nobody}, nil)
	r, found = careless.hold(t)
	want(found, map[string]exam.Verdict{"X01": exam.Fail, "X02": exam.Warn, "X03": exam.Warn, "X04": exam.Pass, "X05": exam.Warn, "A24": exam.Fail, "G15": exam.Fail})
	if r.Grade != "F" || r.Counts.Fail != 3 {
		t.Errorf("grade %s, %+v", r.Grade, r.Counts)
	}
	if !strings.Contains(found["X02"].Reason.En, "§3.1.3.7 (6)") {
		t.Errorf("what the specification lets is not named: %s", found["X02"].Reason.En)
	}
	if !strings.Contains(found["X05"].Reason.En, "too strict") {
		t.Errorf("an over-strict portal is told %s", found["X05"].Reason.En)
	}
}

func TestALoopIsSeen(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.loops = true
	s.offer(exam.Fault{ID: "X01", Name: "loop", Grade: "must", Signals: []string{"no_session", "no_retry"}}, wrongIss)
	_, found := s.hold(t)
	if f := found["X01"]; f.Verdict != exam.Fail || !strings.Contains(f.Reason.En, "loop") {
		t.Errorf("a loop is %s: %s %q", f.Verdict, f.Reason.En, f.Evidence)
	}
}

func TestWithoutASignalThereIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.offer(exam.Fault{ID: "X01", Name: "not-struck", Grade: "must", Signals: nobody}, nil)
	s.offer(exam.Fault{ID: "X02", Name: "not-asked", Grade: "must", Signals: nobody, Asks: []string{"max_age"}}, nil)
	s.offer(exam.Fault{ID: "X03", Name: "human", Grade: "must", Signals: []string{"human"}}, nothing)
	s.offer(exam.Fault{ID: "X04", Name: "unplayed", Grade: "must", Seam: "choreography", Signals: nobody}, nil)
	s.offer(exam.Fault{ID: "X05", Name: "no-record", Grade: "must", Signals: []string{"no_userinfo_call"}}, func(s *stage, v *visit, o object) { v.lost = true; o["iss"] = "x" })
	s.offer(exam.Fault{ID: "X06", Name: "no-who-am-i", Grade: "must", Signals: []string{"no_session"}}, func(s *stage, _ *visit, o object) { s.whoBroken = true; o["iss"] = "x" })
	_, found := s.hold(t)
	for id, why := range map[string]string{"X01": "never reached", "X02": "max_age", "X03": "only a person", "X04": "no play", "X05": "no record", "X06": "who-am-I"} {
		if f := found[id]; f.Verdict != exam.Inconclusive || !strings.Contains(f.Reason.En, why) {
			t.Errorf("%s (%s) is %s: %s", id, f.Name, f.Verdict, f.Reason.En)
		}
	}
}

// A portal that a fault broke for good refuses everything: that is no virtue.
func TestAPortalThatStoppedWorkingPassesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.offer(exam.Fault{ID: "H01", Name: "breaks", Grade: "must", Seam: "transport", Signals: nobody}, func(_ *stage, _ *visit, o object) { o["broken"] = true })
	s.offer(exam.Fault{ID: "X01", Name: "after", Grade: "must", Signals: nobody}, wrongIss)
	_, found := s.hold(t)
	if f := found["X01"]; f.Verdict != exam.Inconclusive || !strings.Contains(f.Reason.En, "control") {
		t.Errorf("after the portal stopped working: %s, %s", f.Verdict, f.Reason.En)
	}
}

func TestNothingStaysArmed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ladder(s)
	s.hold(t)
	if len(s.armed) > 0 || s.disarmed == 0 {
		t.Errorf("%v stay armed", s.armed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.offer(exam.Fault{ID: "X06", Name: "interrupted", Grade: "must", Signals: nobody}, func(*stage, *visit, object) { cancel() })
	if _, err := exam.Run(ctx, s.options("X06", "X01"), vneid.SystemClock{}.Now, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted exam ends with %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.armed) > 0 {
		t.Errorf("after an interruption %v stay armed", s.armed)
	}
}

func TestTheSameSeedGivesTheSameOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ladder(s)
	order := func(seed int64) []string {
		s.arming = nil
		o := s.options()
		o.Seed = seed
		if _, err := exam.Run(t.Context(), o, vneid.SystemClock{}.Now, nil); err != nil {
			t.Fatal(err)
		}
		return s.arming
	}
	catalogue, seven := order(0), order(7)
	if !slices.IsSorted(catalogue) || slices.Equal(seven, catalogue) || !slices.Equal(order(7), seven) {
		t.Errorf("without a seed %v, with one %v", catalogue, seven)
	}
}

func TestWhatCannotBeExaminedIsSaidBeforeAnythingIsArmed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ladder(s)
	for name, c := range map[string]struct {
		change func(*exam.Options)
		want   error
	}{
		"a host that did not consent":  {func(o *exam.Options) { o.LoginURL = "http://portal.invalid/login" }, exam.ErrConsent},
		"a government's":               {func(o *exam.Options) { o.LoginURL = "https://dichvucong.gov.vn/login" }, exam.ErrConsent},
		"link-local":                   {func(o *exam.Options) { o.WhoamiURL = "http://169.254.169.254/" }, exam.ErrConsent},
		"no needle":                    {func(o *exam.Options) { o.Needle = "Trần Văn Cường" }, exam.ErrControl},
		"a needle that always stands":  {func(o *exam.Options) { o.Needle = "Xin chào" }, exam.ErrControl},
		"a page without a sign-in":     {func(o *exam.Options) { o.LoginURL = o.WhoamiURL }, exam.ErrControl},
		"another client":               {func(o *exam.Options) { o.ClientID = "somebody" }, exam.ErrIssuer},
		"a fault that nobody heard of": {func(o *exam.Options) { o.Faults = []string{"Z99"} }, nil},
	} {
		o := s.options()
		c.change(&o)
		if _, err := exam.Run(t.Context(), o, vneid.SystemClock{}.Now, nil); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if len(s.arming) > 0 {
		t.Errorf("%v were armed", s.arming)
	}
}
