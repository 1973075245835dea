package exam_test

import (
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
)

// goes lets somebody go to the attacker as soon as the fault strikes.
func goes(fault string, browser bool, carried ...string) func(*stage, *visit, object) {
	return func(s *stage, _ *visit, _ object) {
		s.hits = append(s.hits, object{"id": len(s.hits) + 1, "fault": fault, "what": "token", "client_id": client, "carried": carried, "browser": browser})
	}
}

func TestWhoeverGoesToTheAttackerFails(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	lured := []string{"canary"}
	s.offer(exam.Fault{ID: "X01", Name: "goes", Grade: "must", Signals: lured, Attacker: true}, goes("X01", false, "client_secret", "code"))
	s.offer(exam.Fault{ID: "X02", Name: "stays", Grade: "must", Signals: lured, Attacker: true}, nothing)
	s.offer(exam.Fault{ID: "X03", Name: "browser", Grade: "must", Signals: lured, Attacker: true}, goes("X03", true))
	s.offer(exam.Fault{ID: "X04", Name: "earlier", Grade: "must", Signals: lured, Attacker: true}, goes("X01", false))
	s.offer(exam.Fault{ID: "X05", Name: "excused", Grade: "must", Signals: lured, Attacker: true, Skippable: &exam.Text{Vi: "được", En: "may"}}, goes("X05", false))
	_, found := s.hold(t)
	for id, want := range map[string]exam.Verdict{"X05": exam.Fail, "X01": exam.Fail, "X02": exam.Pass, "X03": exam.Pass, "X04": exam.Pass} {
		if f := found[id]; f.Verdict != want {
			t.Errorf("%s (%s) is %s: %s", id, f.Name, f.Verdict, f.Reason.En)
		}
	}
	if why := found["X01"].Reason.En; !strings.Contains(why, "client_secret, code") {
		t.Errorf("what was carried is not said: %s", why)
	}
}

func TestWithoutAnAttackerTheReasonSaysHowToHaveOne(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.noAttacker = true
	s.offer(exam.Fault{ID: "X01", Name: "goes", Grade: "must", Signals: []string{"canary"}, Attacker: true}, nothing)
	s.offer(exam.Fault{ID: "I01", Name: "mix-up", Grade: "must", Seam: "choreography", Signals: []string{"canary"}, Attacker: true}, nil)
	_, found := s.hold(t)
	for id, why := range map[string]string{"X01": "--attack-listen", "I01": "two providers"} {
		if f := found[id]; f.Verdict != exam.Inconclusive || !strings.Contains(f.Reason.En, why) {
			t.Errorf("%s is %s: %s", id, f.Verdict, f.Reason.En)
		}
	}
}
