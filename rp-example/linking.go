package main

import "strings"

// Who is joined to what, and who is not: the one table of it. Everything that
// links, refuses or lets go asks decide; nothing else may. The page
// /linking-rules shows this table to people, linking_test.go holds it to its
// promises for every combination of facts.
//
// An identity is (iss, sub) (OIDC Core 5.7). A CCCD is an attribute: *declared*
// when somebody typed it and CSDL Dân cư knows it under that name and date of
// birth, *verified* when it came with a VNeID sign-in. Seed 000 goes straight
// from a declared number to a joined account. We ask one question more, the old
// account's password: whoever typed your number first would otherwise receive
// your identity, or hand you an account that he can still enter.

// linkState is where one side of a link stands. The first two are a pair
// (iss, sub); the others an account of the portal's own.
type linkState string

const (
	stateStranger linkState = "stranger" // a pair never seen before
	stateKnown    linkState = "known"    // a pair with an account
	stateBare     linkState = "bare"     // an old account without a CCCD
	stateDeclared linkState = "declared" // its owner typed one
	stateLinked   linkState = "linked"   // joined to a pair
	stateReleased linkState = "released" // was joined, and let go
)

type linkEvent string

const (
	eventArrives     linkEvent = "arrives"    // VNeID sent somebody back, checked
	eventSignsIn     linkEvent = "signs-in"   // with the portal's own password
	eventDeclares    linkEvent = "declares"   // types a CCCD, presses Cập nhật
	eventJoins       linkEvent = "joins"      // asks to link the old account
	eventRefuses     linkEvent = "refuses"    // Bỏ qua on the page that offers it
	eventUnlinks     linkEvent = "unlinks"    // Gỡ liên kết
	eventJoinsRole   linkEvent = "joins-role" // links the role of an officer
	eventTakesUpRole linkEvent = "takes-up"   // switches to it
)

// fact is something the server knows for itself at the moment of deciding.
// None of them comes from a field of a form, except secrets that were checked.
type fact uint32

const (
	factVNeID        fact = 1 << iota // this browser session came from VNeID
	factPassword                      // the account's password was right, on this very page
	factNumberEqual                   // verified number = declared number
	factCMNDEqual                     // VNeID's old CMND = the account's CMND
	factConfirmed                     // and the person said in so many words that it is theirs
	factOfficer                       // the account is an officer's
	factTaken                         // another pair verified this number before
	factSameOwner                     // the pair is the one the account is, or was, joined to
	factCooling                       // let go less than releaseRest ago
	factMatched                       // CSDL Dân cư knows number, name and birth date together
	factFresh                         // VNeID asked for the password anew, for this
	factNewPassword                   // a new password fit to be one
	factNoNumber                      // VNeID gave no CCCD
	factCandidate                     // an account declared the number (or CMND) VNeID verified
	factRefused                       // this pair said Bỏ qua to every one of them
	factSomebodyElse                  // the browser is signed in as another person
	factChangedTwice                  // of number, name and birth date, two are new
	factMappedIssuer                  // the pair is the same under the issuer's former address
	factRoleJoined                    // the officer's account is joined to this pair
	numberOfFacts    = iota
)

// linkAction is what happens. Its text for people is in linkTexts.
type linkAction string

const (
	doOpen         linkAction = "open"          // their account
	doOpenOwn      linkAction = "open-own"      // a new account of their own
	doOpenTaken    linkAction = "open-taken"    // the same, and says that the number is taken
	doOpenNoNumber linkAction = "open-nonumber" // the same, and says that nothing can be linked
	doAskLink      linkAction = "ask-link"      // their account, and the question of linking
	doAskWho       linkAction = "ask-who"       // two people in one browser: asks, does nothing
	doMoveIssuer   linkAction = "move-issuer"   // the account moves to the issuer's new address
	doAskNumber    linkAction = "ask-number"    // their account, and the page for the CCCD (seed 000 bước 2)
	doDeclare      linkAction = "declare"
	doJoin         linkAction = "join"
	doRemember     linkAction = "remember" // the refusal; loses nothing
	doUnlink       linkAction = "unlink"
	doJoinRole     linkAction = "join-role"
	doTakeUpRole   linkAction = "take-up-role"
	doNothing      linkAction = "nothing" // it is so already

	noReassigned  linkAction = "no-reassigned"
	noPassword    linkAction = "no-password"
	noVNeID       linkAction = "no-vneid"
	noOtherNumber linkAction = "no-other-number"
	noTaken       linkAction = "no-taken"
	noCooling     linkAction = "no-cooling"
	noOfficer     linkAction = "no-officer"
	noUseVNeID    linkAction = "no-use-vneid" // the rule since 01/07/2024
	noMatch       linkAction = "no-match"
	noFresh       linkAction = "no-fresh"
	noNewPassword linkAction = "no-new-password"
	noRule        linkAction = "no-rule" // nothing in the table: nothing happens
)

// linkRule says: in From, on On, with all of Needs and none of Forbids, do Do
// and be in To. The first rule that fits counts.
type linkRule struct {
	From           linkState
	On             linkEvent
	Needs, Forbids fact
	To             linkState
	Do             linkAction
}

var linkTable = []linkRule{
	// VNeID sends somebody. A number never finds an account here; at most it
	// finds a question to ask.
	{stateStranger, eventArrives, factSomebodyElse, 0, stateStranger, doAskWho},
	{stateStranger, eventArrives, factMappedIssuer | factNumberEqual, factChangedTwice, stateKnown, doMoveIssuer},
	{stateStranger, eventArrives, factTaken, 0, stateKnown, doOpenTaken},
	{stateStranger, eventArrives, factNoNumber, 0, stateKnown, doOpenNoNumber},
	{stateStranger, eventArrives, factCandidate, 0, stateKnown, doAskLink},
	{stateStranger, eventArrives, 0, 0, stateKnown, doOpenOwn},
	{stateKnown, eventArrives, factSomebodyElse, 0, stateKnown, doAskWho},
	{stateKnown, eventArrives, factChangedTwice, 0, stateKnown, noReassigned},
	{stateKnown, eventArrives, factCandidate, factRefused | factTaken | factNoNumber, stateKnown, doAskLink},
	{stateKnown, eventArrives, 0, 0, stateKnown, doOpen},

	// An old account's own password.
	{stateBare, eventSignsIn, factPassword, 0, stateBare, doAskNumber},
	{stateDeclared, eventSignsIn, factPassword, 0, stateDeclared, doOpen},
	{stateReleased, eventSignsIn, factPassword, 0, stateReleased, doOpen},
	{stateLinked, eventSignsIn, factPassword, factOfficer, stateLinked, noUseVNeID},
	{stateLinked, eventSignsIn, 0, 0, stateLinked, noPassword},
	{stateBare, eventSignsIn, 0, 0, stateBare, noPassword},
	{stateDeclared, eventSignsIn, 0, 0, stateDeclared, noPassword},
	{stateReleased, eventSignsIn, 0, 0, stateReleased, noPassword},

	// Typing a number: needs no more than CSDL Dân cư, and gives no more than
	// a question at a later VNeID sign-in. Whether somebody else has the same
	// number is not asked, and so can not be learnt.
	{stateBare, eventDeclares, factMatched, 0, stateDeclared, doDeclare},
	{stateDeclared, eventDeclares, factMatched, 0, stateDeclared, doDeclare},
	{stateBare, eventDeclares, 0, 0, stateBare, noMatch},
	{stateDeclared, eventDeclares, 0, 0, stateDeclared, noMatch},

	// Joining: both proofs, in one browser session.
	{stateLinked, eventJoins, factVNeID | factSameOwner, 0, stateLinked, doNothing},
	{stateLinked, eventJoins, 0, 0, stateLinked, noTaken},
	{stateBare, eventJoins, 0, factVNeID, stateBare, noVNeID},
	{stateDeclared, eventJoins, 0, factVNeID, stateDeclared, noVNeID},
	{stateReleased, eventJoins, 0, factVNeID, stateReleased, noVNeID},
	{stateBare, eventJoins, factOfficer, 0, stateBare, noOfficer},
	{stateDeclared, eventJoins, factOfficer, 0, stateDeclared, noOfficer},
	{stateReleased, eventJoins, factOfficer, 0, stateReleased, noOfficer},
	{stateBare, eventJoins, factTaken, 0, stateBare, noTaken},
	{stateDeclared, eventJoins, factTaken, 0, stateDeclared, noTaken},
	{stateReleased, eventJoins, factTaken, 0, stateReleased, noTaken},
	{stateReleased, eventJoins, factCooling, factSameOwner, stateReleased, noCooling},
	{stateBare, eventJoins, factPassword | factCMNDEqual | factConfirmed, factNoNumber, stateLinked, doJoin},
	{stateDeclared, eventJoins, factPassword | factNumberEqual, factNoNumber, stateLinked, doJoin},
	{stateReleased, eventJoins, factPassword | factNumberEqual, factNoNumber, stateLinked, doJoin},
	{stateBare, eventJoins, factCMNDEqual, factPassword, stateBare, noPassword},
	{stateDeclared, eventJoins, factNumberEqual, factPassword, stateDeclared, noPassword},
	{stateReleased, eventJoins, factNumberEqual, factPassword, stateReleased, noPassword},
	{stateBare, eventJoins, 0, 0, stateBare, noOtherNumber},
	{stateDeclared, eventJoins, 0, 0, stateDeclared, noOtherNumber},
	{stateReleased, eventJoins, 0, 0, stateReleased, noOtherNumber},
	{stateBare, eventRefuses, factVNeID, 0, stateBare, doRemember},
	{stateDeclared, eventRefuses, factVNeID, 0, stateDeclared, doRemember},
	{stateReleased, eventRefuses, factVNeID, 0, stateReleased, doRemember},

	// Letting go: only the pair it is joined to, proved anew.
	{stateLinked, eventUnlinks, factVNeID | factSameOwner | factFresh | factNewPassword, 0, stateReleased, doUnlink},
	{stateLinked, eventUnlinks, factVNeID | factSameOwner | factFresh, 0, stateLinked, noNewPassword},
	{stateLinked, eventUnlinks, 0, 0, stateLinked, noFresh},

	// The role of an officer: a link of its own, a switch of its own. It never
	// moves dossiers, and no claim gives it.
	{stateDeclared, eventJoinsRole, factOfficer | factVNeID | factPassword | factNumberEqual, factTaken | factNoNumber, stateDeclared, doJoinRole},
	{stateDeclared, eventJoinsRole, factOfficer | factVNeID | factNumberEqual, factTaken | factNoNumber, stateDeclared, noPassword},
	{stateDeclared, eventTakesUpRole, factOfficer | factVNeID | factRoleJoined | factNumberEqual, factTaken, stateDeclared, doTakeUpRole},
}

// decide finds the rule. What no rule names does not happen.
func decide(from linkState, on linkEvent, known fact) linkRule {
	for _, r := range linkTable {
		if r.From == from && r.On == on && known&r.Needs == r.Needs && known&r.Forbids == 0 {
			return r
		}
	}
	return linkRule{From: from, On: on, To: from, Do: noRule}
}

// reassigned tells a corrected attribute from another person behind the same
// sub: one of number, name and date of birth may change (a card reissued, a
// marriage, a correction), two at once may not. What one side does not know
// does not count.
func reassigned(before, now person) bool {
	changed := 0
	for _, pair := range [][2]string{{before.CCCD, now.CCCD}, {matchForm(before.Name), matchForm(now.Name)}} {
		if pair[0] != "" && pair[1] != "" && pair[0] != pair[1] {
			changed++
		}
	}
	// Only the year, told once, and the whole date agree when the year does.
	if !strings.HasPrefix(before.Birthdate, now.Birthdate) && !strings.HasPrefix(now.Birthdate, before.Birthdate) {
		changed++
	}
	return changed >= 2
}
