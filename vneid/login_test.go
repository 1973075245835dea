package vneid

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/login-states.md")

var (
	noon      = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	testSalt  = []byte("salt of the tests")
	allStates = []LoginState{StateStarted, StatePasswordOK, StateOTPSent, StateSecondFactorOK, StateSessionReused, StateConsentPending,
		StateDone, StateCodeIssued, StateRedeemed, StateLocked, StateRefused, StateExpired}
	allEvents = []LoginEvent{EventPasswordAccepted, EventOTPSent, EventOTPRejected, EventOTPAccepted, EventTriesExhausted,
		EventSessionReused, EventConsentNeeded, EventConsentSettled, EventCodeIssued, EventRedeemed, EventRefused, EventExpired,
		EventPasswordSuffices, EventQRConfirmed}
	finalStates = []LoginState{StateRedeemed, StateLocked, StateRefused, StateExpired}
	proudStates = []LoginState{StateDone, StateCodeIssued, StateRedeemed} // an identity is about to be asserted
)

func newTestLogin(state LoginState) *Login {
	return &Login{ID: "login", State: state, CreatedAt: noon, ExpiresAt: noon.Add(10 * time.Minute), CodeExpires: noon.Add(time.Minute)}
}

// chacha is a Rand whose secrets are the same in every run.
func chacha(seed uint64) Rand {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

func TestOnlyFourStatesAreFinalAndAllOthersCanExpire(t *testing.T) {
	for _, s := range allStates {
		if got, want := s.Final(), slices.Contains(finalStates, s); got != want {
			t.Errorf("%s: Final() = %v, want %v", s, got, want)
		}
		if to := loginTable[s][EventExpired]; !s.Final() && to != StateExpired {
			t.Errorf("%s + expired leads to %q", s, to)
		}
	}
	if !LoginState("").Final() || !LoginState("invented").Final() {
		t.Error("a login in a state nobody knows must not move")
	}
}

func TestEveryTransitionOfTheTableIsReachableFromStarted(t *testing.T) {
	seen := map[LoginState]bool{StateStarted: true}
	queue := []*Login{newTestLogin(StateStarted)}
	walked := map[[3]string]bool{}
	for len(queue) > 0 {
		l := queue[0]
		queue = queue[1:]
		for _, e := range allEvents {
			next := *l
			if err := next.Apply(e, noon); err != nil {
				continue
			}
			walked[[3]string{string(l.State), string(e), string(next.State)}] = true
			if !seen[next.State] {
				seen[next.State] = true
				queue = append(queue, &next)
			}
		}
	}
	for _, tr := range LoginTransitions() {
		if !walked[tr] {
			t.Errorf("%s can never happen", tr)
		}
	}
	if len(walked) != len(LoginTransitions()) {
		t.Errorf("walked %d transitions, the table lists %d", len(walked), len(LoginTransitions()))
	}
	for _, s := range allStates {
		if !seen[s] {
			t.Errorf("state %s is never reached", s)
		}
	}
}

func TestTransitionsAreListedOnceAndInOrder(t *testing.T) {
	list := LoginTransitions()
	if !slices.IsSortedFunc(list, func(a, b [3]string) int { return slices.Compare(a[:2], b[:2]) }) {
		t.Errorf("not sorted: %v", list)
	}
	if len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Error("a transition is listed twice")
	}
	for i := range 20 {
		if again := LoginTransitions(); !slices.Equal(list, again) {
			t.Fatalf("call %d lists another order", i)
		}
	}
}

// Only the bare events: whatever the methods do, the table alone must hold.
func TestNoSequenceOfEventsReachesDoneWithoutProof(t *testing.T) {
	reached := map[LoginState]int{}
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		l, now := newTestLogin(StateStarted), noon
		var password, otp, session, enough, phone bool
		var trail []LoginEvent
		for range 30 {
			now = now.Add(time.Duration(rnd.IntN(4)) * time.Duration(rnd.IntN(10)) * time.Second)
			e := allEvents[rnd.IntN(len(allEvents))]
			for range 3 { // prefer what moves: most events are refused in most states
				if loginTable[l.State][e] == "" {
					e = allEvents[rnd.IntN(len(allEvents))]
				}
			}
			before, late := *l, l.Expired(now) && !l.State.Final()
			err := l.Apply(e, now)
			trail = append(trail, e)
			switch {
			case before.State.Final():
				if err == nil || !reflect.DeepEqual(before, *l) {
					t.Fatalf("seed %d: %v moved the final state %s to %s (%v)", seed, trail, before.State, l.State, err)
				}
			case late:
				if l.State != StateExpired || e != EventExpired && !IsCode(err, CodeExpired) {
					t.Fatalf("seed %d: %v: an expired login went from %s to %s (%v)", seed, trail, before.State, l.State, err)
				}
			case err != nil:
				if !reflect.DeepEqual(before, *l) || !IsCode(err, CodeConflict) {
					t.Fatalf("seed %d: %v: refused, yet %s became %s (%v)", seed, trail, before.State, l.State, err)
				}
			default:
				password = password || e == EventPasswordAccepted
				otp = otp || e == EventOTPAccepted
				session = session || e == EventSessionReused
				enough = enough || e == EventPasswordSuffices
				phone = phone || e == EventQRConfirmed
			}
			if slices.Contains(proudStates, l.State) && !(password && (otp || enough)) && !session && !phone {
				t.Fatalf("seed %d: %v reached %s: password %v, otp %v, enough %v, session %v, phone %v", seed, trail, l.State, password, otp, enough, session, phone)
			}
			reached[l.State]++
		}
	}
	for _, s := range allStates {
		if reached[s] == 0 {
			t.Errorf("the random walks never met %s: they prove nothing about it", s)
		}
	}
}

// The methods as the use cases call them, in any order, with right, wrong, old
// and foreign one-time passwords.
func TestNoSequenceOfStepsClaimsMoreThanWasProved(t *testing.T) {
	p := DefaultPolicy()
	reached := map[LoginState]int{}
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		r := chacha(seed)
		l, now := newTestLogin(StateStarted), noon
		weak := &Session{ID: "weak", CCCD: "038090000001", Auth: Authentication{Time: noon, ACR: "LoA1", AMR: []string{"pwd"}}}
		strong := &Session{ID: "strong", CCCD: "038190000002", Auth: Authentication{Time: noon, ACR: "LoA2", AMR: []string{"pwd", "otp"}}}
		var password, otp, strongSession, weakSession, enough, phone bool
		var current, older string
		wrong := 0
		for step := range 60 {
			now = now.Add(time.Duration(rnd.IntN(3)) * time.Duration(rnd.IntN(30)) * time.Second)
			before, late := *l, l.Expired(now)
			var err error
			did := rnd.IntN(19)
			switch did {
			case 0, 1:
				if err = l.acceptPassword("038090000001", now); err == nil {
					password = true
				}
			case 2, 3:
				var digits string
				if digits, err = l.sendOTP(r, testSalt, p, OTPBySMS, now); err == nil {
					older, current = current, digits
				}
			case 4, 5:
				entry := current
				inTime := !now.After(l.OTP.ExpiresAt)
				if err = l.tryOTP(testSalt, entry, p, now); err == nil {
					otp = true
					if current == "" || !inTime {
						t.Fatalf("seed %d step %d: accepted %q, in time: %v", seed, step, entry, inTime)
					}
				}
			case 6, 7, 8:
				entry := fmt.Sprintf("%06d", rnd.IntN(1000000))
				if did == 7 && older != "" {
					entry = older
				}
				if entry == current {
					continue
				}
				if err = l.tryOTP(testSalt, entry, p, now); err == nil {
					t.Fatalf("seed %d step %d: wrong one-time password %s was accepted", seed, step, entry)
				}
				if l.OTP.Tries > before.OTP.Tries {
					wrong++
				}
			case 9:
				err = l.tryOTP(testSalt, []string{"", "12345", "1234567", "abcdef", "12345x"}[rnd.IntN(5)], p, now)
				if err == nil || l.OTP.Tries != before.OTP.Tries {
					t.Fatalf("seed %d: a typing slip was accepted or counted: %v", seed, err)
				}
			case 10:
				if rnd.IntN(2) == 0 {
					if err = l.reuseSession(strong, now); err == nil {
						strongSession = true
					}
				} else if err = l.reuseSession(weak, now); err == nil {
					weakSession = true
				}
			case 11:
				l.Apply(EventConsentNeeded, now)
			case 12, 13:
				l.Apply(EventConsentSettled, now)
			case 14:
				l.issueCode(r, p, now)
			case 16:
				if l.State == StateStarted {
					l.newQR(r, testSalt, p, now) // a page shows its code
				}
			case 17:
				if l.scanQR(phoneA, 0, now) == nil && l.confirmQR(phoneA, now) == nil {
					phone = true
				}
			case 18:
				if rnd.IntN(3) == 0 && l.sufficePassword(now) == nil {
					enough = true
				}
			case 15:
				if rnd.IntN(3) == 0 {
					l.Apply([]LoginEvent{EventRefused, EventRedeemed}[rnd.IntN(2)], now)
				}
			}

			if before.State.Final() && !reflect.DeepEqual(before, *l) {
				t.Fatalf("seed %d step %d: %d changed a login in the final state %s", seed, step, did, before.State)
			}
			if late && l.State != before.State && l.State != StateExpired {
				t.Fatalf("seed %d step %d: an expired login went from %s to %s", seed, step, before.State, l.State)
			}
			if slices.Contains(proudStates, l.State) {
				if l.Auth.ACR == "LoA2" && !(password && otp) && !strongSession && !phone {
					t.Fatalf("seed %d step %d: %s with LoA2: password %v, otp %v", seed, step, l.State, password, otp)
				}
				if l.Auth.ACR == "" || l.CCCD == "" {
					t.Fatalf("seed %d step %d: %s for nobody: %+v", seed, step, l.State, l.Auth)
				}
				if l.Auth.ACR == "LoA1" && !weakSession && !(password && enough) {
					t.Fatalf("seed %d step %d: LoA1 out of nowhere", seed, step)
				}
			}
			if (strongSession || weakSession) && (password || otp || phone) || phone && password {
				t.Fatalf("seed %d step %d: one login mixed ways to prove who somebody is", seed, step)
			}
			if l.OTP.Tries > p.OTPTries || l.OTP.Tries != wrong || (l.OTP.Tries == p.OTPTries) != (l.State == StateLocked) && l.State != StateExpired {
				t.Fatalf("seed %d step %d: %d tries, %d wrong entries, state %s", seed, step, l.OTP.Tries, wrong, l.State)
			}
			if l.CodeHash != "" && l.State != StateCodeIssued && l.State != StateRedeemed && l.State != StateExpired {
				t.Fatalf("seed %d step %d: a code in state %s", seed, step, l.State)
			}
			if otp && l.OTP.Hash != "" {
				t.Fatalf("seed %d step %d: a used one-time password still stands", seed, step)
			}
			reached[l.State]++
		}
	}
	for _, s := range allStates {
		if reached[s] == 0 {
			t.Errorf("the random steps never met %s: they prove nothing about it", s)
		}
	}
}

func TestTheLastWrongOneTimePasswordLocksAndLeavesNothingToGuess(t *testing.T) {
	p := DefaultPolicy()
	l := newTestLogin(StatePasswordOK)
	digits, err := l.sendOTP(chacha(1), testSalt, p, OTPBySMS, noon)
	if err != nil {
		t.Fatal(err)
	}
	wrong := "000000"
	if digits == wrong {
		wrong = "000001"
	}
	for i := 1; i < p.OTPTries; i++ {
		err := l.tryOTP(testSalt, wrong, p, noon)
		if e, ok := err.(*Error); !ok || e.MsgKey != "otp_wrong" || !reflect.DeepEqual(e.Args, []any{p.OTPTries - i}) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if err := l.tryOTP(testSalt, wrong, p, noon); MsgKey(err) != "too_many_otps" || l.State != StateLocked || l.OTP.Hash != "" {
		t.Fatalf("last try: %v, %s", err, l.State)
	}
	if err := l.tryOTP(testSalt, digits, p, noon); MsgKey(err) != "login_done" {
		t.Fatalf("the right one after the end: %v", err)
	}
}

func TestTriesAreCountedOverAllOneTimePasswordsOfALogin(t *testing.T) {
	p, r := DefaultPolicy(), chacha(1)
	l := newTestLogin(StatePasswordOK)
	for i := range p.OTPTries {
		if _, err := l.sendOTP(r, testSalt, p, OTPBySMS, noon); err != nil {
			t.Fatalf("before try %d: %v", i+1, err)
		}
		_ = l.tryOTP(testSalt, "000000", p, noon)
	}
	if l.State != StateLocked || l.OTP.Tries != p.OTPTries {
		t.Errorf("a new one-time password gives new tries: %s after %d", l.State, l.OTP.Tries)
	}
}

func TestARightOneTimePasswordDoesNotReviveAnExpiredLogin(t *testing.T) {
	p := DefaultPolicy()
	l := newTestLogin(StatePasswordOK)
	sent := l.ExpiresAt.Add(-time.Second) // valid for two more minutes, the login for one second
	digits, err := l.sendOTP(chacha(1), testSalt, p, OTPBySMS, sent)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.tryOTP(testSalt, digits, p, l.ExpiresAt.Add(time.Millisecond)); MsgKey(err) != "login_expired" || l.State != StateExpired {
		t.Errorf("%v, %s", err, l.State)
	}
	if l.Auth.ACR != "" {
		t.Errorf("an expired login claims %s", l.Auth.ACR)
	}
}

func TestASecondCodeDoesNotLiveLongerThanTheFirst(t *testing.T) {
	p, r := DefaultPolicy(), chacha(1)
	l := newTestLogin(StateDone)
	first, err := l.issueCode(r, p, noon)
	if err != nil {
		t.Fatal(err)
	}
	end := l.CodeExpires
	second, err := l.issueCode(r, p, noon.Add(50*time.Second))
	if err != nil || second == first || l.CodeHash != SecretHash(second) || !l.CodeExpires.Equal(end) {
		t.Errorf("second code: %v, expires %s after the first", err, l.CodeExpires.Sub(end))
	}
	if _, err := l.issueCode(r, p, end.Add(time.Millisecond)); !IsCode(err, CodeExpired) {
		t.Errorf("a code after the end: %v", err)
	}
}

func TestACodeMayOutliveTheLoginItCameFrom(t *testing.T) {
	p := DefaultPolicy()
	l := newTestLogin(StateDone)
	now := l.ExpiresAt // the last instant
	if _, err := l.issueCode(chacha(1), p, now); err != nil {
		t.Fatal(err)
	}
	if l.Expired(now.Add(p.CodeLifetime)) || !l.Expired(now.Add(p.CodeLifetime+time.Millisecond)) {
		t.Errorf("the code counts until %s", l.CodeExpires)
	}
}

func TestACRValuesAskForALevelAndNeverCrash(t *testing.T) {
	for _, tc := range []struct {
		have  string
		asked []string
		want  bool
	}{
		{"LoA2", nil, true},
		{"LoA2", []string{"LoA1"}, true},
		{"LoA2", []string{"LoA2"}, true},
		{"LoA2", []string{"LoA4"}, true}, // nobody reaches it here: asking again would not help
		{"LoA1", nil, true},
		{"LoA1", []string{"LoA1"}, true},
		{"LoA1", []string{"LoA2"}, false},
		{"LoA1", []string{"LoA2", "LoA1"}, true},
		{"LoA1", []string{"urn:mace:incommon:iap:silver", "0", ""}, false},
		{"", []string{""}, false},
		{"", []string{"LoA1"}, false},
		{"", nil, true},
	} {
		if got := acrSuffices(tc.have, tc.asked); got != tc.want {
			t.Errorf("acrSuffices(%q, %q) = %v, want %v", tc.have, tc.asked, got, tc.want)
		}
	}
}

func TestAThrottleForgetsWhatLiesOutsideItsWindow(t *testing.T) {
	th := Throttle{Times: []time.Time{noon.Add(-10 * time.Minute), noon.Add(-10*time.Minute + time.Millisecond), noon, noon.Add(time.Hour)}}
	th.recent(10*time.Minute, noon)
	// What lies in the future (the clock was set back) still counts: moving
	// the clock is no way around a limit.
	if len(th.Times) != 3 {
		t.Errorf("%d left: %v", len(th.Times), th.Times)
	}
}

func TestOneTimePasswordsHaveAllTheirDigits(t *testing.T) {
	r := chacha(3)
	zero := 0
	for range 5000 {
		d := newOTPDigits(r, 6)
		if len(d) != 6 || strings.Trim(d, "0123456789") != "" {
			t.Fatalf("%q", d)
		}
		if d[0] == '0' {
			zero++
		}
	}
	if zero < 350 || zero > 650 { // 500 expected, σ = 21
		t.Errorf("%d of 5000 begin with 0", zero)
	}
}

func TestKeyedNamesCannotRunIntoEachOther(t *testing.T) {
	if keyedID(testSalt, "a", "bc") == keyedID(testSalt, "ab", "c") || keyedID(testSalt, "a") == keyedID(testSalt, "a", "") {
		t.Error("different parts, same name")
	}
	if keyedID(testSalt, "a") == keyedID([]byte("another salt"), "a") {
		t.Error("the salt does not count")
	}
	if h := otpHash(testSalt, "a", "123456"); h == otpHash(testSalt, "b", "123456") || h == otpHash([]byte("another salt"), "a", "123456") {
		t.Error("the same digits of another login or another world have the same hash")
	}
}

const diagramBegin, diagramEnd = "<!-- begin: drawn from vneid.LoginTransitions -->\n", "<!-- end -->"

func loginDiagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> " + string(StateStarted) + "\n")
	for _, tr := range LoginTransitions() {
		if tr[1] != string(EventExpired) { // every state has it: drawn, it would hide the rest
			fmt.Fprintf(&b, "    %s --> %s : %s\n", tr[0], tr[2], tr[1])
		}
	}
	var expiring []string
	for _, s := range allStates {
		if s.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		} else if loginTable[s][EventExpired] == StateExpired {
			expiring = append(expiring, string(s))
		}
	}
	fmt.Fprintf(&b, "    note right of %s\n        reached by the event %s from\n        %s\n    end note\n", StateExpired, EventExpired, strings.Join(expiring, ", "))
	b.WriteString("```\n")
	return b.String()
}

func TestTheDiagramIsTheTable(t *testing.T) {
	const file = "../docs/login-states.md"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(raw), diagramBegin)
	drawn, tail, ok2 := strings.Cut(rest, diagramEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has lost its markers", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+diagramBegin+loginDiagram()+diagramEnd+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		drawn = loginDiagram()
	}
	if drawn != loginDiagram() {
		t.Errorf("%s does not show the table; run: go test ./vneid -run %s -update", file, t.Name())
	}
	for _, s := range allStates {
		if !strings.Contains(tail, "\n| `"+string(s)+"` |") {
			t.Errorf("%s does not explain %s", file, s)
		}
	}
}
