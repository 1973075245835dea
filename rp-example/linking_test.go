package main

import (
	"strings"
	"testing"
)

var (
	linkStates = []linkState{stateStranger, stateKnown, stateBare, stateDeclared, stateLinked, stateReleased}
	linkEvents = []linkEvent{eventArrives, eventSignsIn, eventDeclares, eventJoins, eventRefuses, eventUnlinks, eventJoinsRole, eventTakesUpRole}
)

// Every state, every event, and of the facts that their rules look at every
// combination: each promise below holds in all of them.
func TestNoCombinationOfFactsBreaksAPromise(t *testing.T) {
	reached := map[linkRule]bool{}
	for _, from := range linkStates {
		for _, on := range linkEvents {
			seen := fact(0) // facts that rules of this state and event look at; the others change nothing
			for _, r := range linkTable {
				if r.From == from && r.On == on {
					seen |= r.Needs | r.Forbids
				}
			}
			// Walk the subsets of the facts that are looked at.
			for known := seen; ; known = (known - 1) & seen {
				r := decide(from, on, known)
				reached[r] = true
				has := func(f fact) bool { return known&f == f }
				broken := func(promise string) { t.Errorf("%s, %s, facts %b: %s (%s)", from, on, known, promise, r.Do) }
				switch r.Do {
				case doJoin:
					if !has(factVNeID|factPassword) || !has(factNumberEqual) && !has(factCMNDEqual|factConfirmed) {
						broken("joined without both proofs")
					}
					if has(factTaken) || has(factOfficer) || has(factNoNumber) || has(factCooling) && !has(factSameOwner) || r.To != stateLinked {
						broken("joined though it must not be")
					}
				case doUnlink:
					if !has(factVNeID | factSameOwner | factFresh | factNewPassword) {
						broken("let go without a fresh proof")
					}
				case doJoinRole, doTakeUpRole:
					if !has(factVNeID|factOfficer|factNumberEqual) || has(factTaken) || r.To != r.From || r.Do == doJoinRole && !has(factPassword) || r.Do == doTakeUpRole && !has(factRoleJoined) {
						broken("a role for nothing")
					}
				case doMoveIssuer:
					if !has(factMappedIssuer | factNumberEqual) {
						broken("moved between issuers by sub only")
					}
				case doDeclare:
					if !has(factMatched) {
						broken("declared without CSDL Dân cư")
					}
				case doOpen, doAskNumber, doOpenOwn, doOpenTaken, doOpenNoNumber, doAskLink:
					if on == eventArrives && has(factSomebodyElse) {
						broken("a second person slipped into a signed-in browser")
					}
					if on == eventSignsIn && (!has(factPassword) || from == stateLinked) {
						broken("a password that opens nothing, or nothing any more, opened")
					}
					if from == stateKnown && has(factChangedTwice) {
						broken("another person behind a known sub was let in")
					}
				}
				if strings.HasPrefix(string(r.Do), "no-") && r.To != r.From {
					broken("refused, and something changed")
				}
				if r.To == stateLinked && from != stateLinked && r.Do != doJoin || from == stateLinked && r.To != stateLinked && r.Do != doUnlink {
					broken("into or out of a link by another way")
				}
				if known == 0 {
					break
				}
			}
		}
	}
	for _, r := range linkTable {
		if !reached[r] {
			t.Errorf("never reached: %+v", r)
		}
	}
}

func TestEveryRuleAndFactIsExplainedToPeople(t *testing.T) {
	for _, r := range linkTable {
		if linkTexts[r.Do].VI == "" || linkTexts[r.Do].EN == "" {
			t.Errorf("no text for %s", r.Do)
		}
		if stateTexts[r.From].VI == "" || eventTexts[r.On].VI == "" {
			t.Errorf("no text for %s or %s", r.From, r.On)
		}
	}
	for i := range numberOfFacts {
		if x := factTexts[fact(1)<<i]; x.VI == "" || x.EN == "" {
			t.Errorf("no text for fact %d", i)
		}
	}
}

func TestOneAttributeMayChangeTwoMayNot(t *testing.T) {
	an := person{Name: "Nguyễn Văn An", Birthdate: "1990-03-15", CCCD: "038090000001"}
	for name, c := range map[string]struct {
		now  person
		want bool
	}{
		"nothing":                      {an, false},
		"spelling only":                {person{Name: "NGUYEN VAN AN", Birthdate: "1990-03-15", CCCD: "038090000001"}, false},
		"a new name":                   {person{Name: "Nguyễn Văn Ân Phúc", Birthdate: "1990-03-15", CCCD: "038090000001"}, false},
		"a new number":                 {person{Name: "Nguyễn Văn An", Birthdate: "1990-03-15", CCCD: "038090000099"}, false},
		"nothing told any more":        {person{}, false},
		"somebody else":                {person{Name: "Lê Thị Bình", Birthdate: "1990-07-02", CCCD: "038190000002"}, true},
		"somebody else, number kept":   {person{Name: "Lê Thị Bình", Birthdate: "1990-07-02", CCCD: "038090000001"}, true},
		"somebody else, number hidden": {person{Name: "Lê Thị Bình", Birthdate: "1990-07-02"}, true},
	} {
		if got := reassigned(an, c.now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
