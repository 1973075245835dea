package fault

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Armed is a fault that somebody chose, and for whom. An empty selector takes
// everybody.
type Armed struct {
	ID        string `json:"id" yaml:"id"`
	Variant   string `json:"variant" yaml:"variant"` // "" = the first
	ClientID  string `json:"client_id,omitempty" yaml:"client_id"`
	Persona   string `json:"persona,omitempty" yaml:"persona"` // a CCCD
	LoginHint string `json:"login_hint,omitempty" yaml:"login_hint"`
	Times     int    `json:"times" yaml:"times"` // how often it strikes yet; 0 = always
	// Probability that it strikes where it could, drawn with Seed: the same seed
	// draws the same. 0 stands for 1.
	Probability float64 `json:"probability" yaml:"probability"`
	Seed        uint64  `json:"seed" yaml:"seed"`
}

// Mistake is a field of what somebody wanted to arm that cannot be.
type Mistake struct{ Field, What string }

// MostArmed bounds what is armed in a world.
const MostArmed = 100

// Check completes what somebody wants to arm, in that year, and lists what is
// wrong with it.
func Check(list []Armed, year int) (bad []Mistake) {
	if len(list) > MostArmed {
		return []Mistake{{"faults", fmt.Sprintf("at most %d at a time", MostArmed)}}
	}
	for i := range list {
		a := &list[i]
		say := func(field, what string, args ...any) {
			bad = append(bad, Mistake{fmt.Sprintf("faults[%d].%s", i, field), fmt.Sprintf(what, args...)})
		}
		f := Find(a.ID)
		if f == nil {
			say("id", "no fault is called %.40q; GET /faults lists them", a.ID)
			continue
		}
		a.ID = f.ID
		if !f.hasVariant(a.Variant) {
			var names []string
			for _, v := range f.Variants {
				names = append(names, v.Name)
			}
			say("variant", "%s has %s", f.ID, orNone(strings.Join(names, ", ")))
		}
		if a.Persona != "" {
			if c, err := vneid.ParseCCCD(a.Persona, year); err != nil {
				say("persona", "no CCCD: 12 digits")
			} else {
				a.Persona = string(c)
			}
		}
		if a.Times < 0 || a.Times > 1_000_000 {
			say("times", "0 (always) to 1000000")
		}
		if a.Probability == 0 {
			a.Probability = 1
		}
		if a.Probability < 0 || a.Probability > 1 {
			say("probability", "more than 0, at most 1")
		}
		if len(a.LoginHint) > 200 || len(a.ClientID) > 200 {
			say("login_hint", "too long")
		}
	}
	return bad
}

// Check is the function of this name, and refuses what would lead nowhere here.
func (e *Engine) Check(list []Armed, year int) []Mistake {
	bad := Check(list, year)
	for i := range list {
		if e.LeadsNowhere(Find(list[i].ID)) {
			bad = append(bad, withoutAttacker(i, list[i].ID))
		}
	}
	return bad
}

// LeadsNowhere says of a fault that it needs the attacker, who does not listen.
func (e *Engine) LeadsNowhere(f *Fault) bool { return f != nil && f.Attacker && e.attacker == nil }

// WithoutAttacker lists what cannot be armed where no attacker listens.
func WithoutAttacker(list []Armed) (bad []Mistake) {
	for i, a := range list {
		if f := Find(a.ID); f != nil && f.Attacker {
			bad = append(bad, withoutAttacker(i, f.ID))
		}
	}
	return bad
}

func withoutAttacker(i int, id string) Mistake {
	return Mistake{fmt.Sprintf("faults[%d].id", i), id + " needs the attacker: start the sandbox with --attack-listen localhost:9996"}
}

func orNone(s string) string {
	if s == "" {
		return "no variants"
	}
	return s
}

// board is what is armed in a world. It belongs to one process: of a number of
// times, each process counts its own.
type board struct {
	mu   sync.Mutex
	list []*striker
	kept string // the list as it was set, encoded
}

// striker is an armed fault at work.
type striker struct {
	Armed
	fault *Fault
	left  int // -1 = for ever
	drawn uint64
	// What was drawn for the last sign-ins, of a fault that makes two messages of
	// one wrong: both are, or none.
	signIns map[string]bool
}

func newBoard(kept string) (*board, error) {
	var list []Armed
	if err := json.Unmarshal([]byte(kept), &list); err != nil {
		return nil, fmt.Errorf("read what faults are armed: %w", err)
	}
	b := &board{kept: kept}
	for _, a := range list {
		f := Find(a.ID)
		if f == nil {
			continue // of a newer program
		}
		s := &striker{Armed: a, fault: f, left: a.Times}
		if a.Times == 0 {
			s.left = -1
		}
		b.list = append(b.list, s)
	}
	return b, nil
}

// armed lists what is armed now, with the times that are left.
func (b *board) armed() []Armed {
	list := []Armed{}
	if b == nil {
		return list
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.list {
		if s.left != 0 {
			a := s.Armed
			a.Times = max(s.left, 0)
			list = append(list, a)
		}
	}
	return list
}

// meets says whether an armed fault is meant for a message. Requests for keys
// and metadata name nobody, and who asks the population database is no client:
// whatever is armed strikes them.
func (s *striker) meets(x *Exchange) bool {
	if x.nameless() {
		return true
	}
	scan := x.Kind == Phone && x.ClientID == "" // only its answer says whose sign-in it is
	return (s.ClientID == "" || s.ClientID == x.ClientID || scan) &&
		(s.Persona == "" || s.Persona == string(x.CCCD)) &&
		(s.LoginHint == "" || s.LoginHint == x.LoginHint)
}

// candidates are the armed faults that are meant for a message.
func (b *board) candidates(x *Exchange) (list []*striker) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.list {
		begun := x.Login != nil && s.signIns[x.Login.ID]
		if (s.left != 0 || begun) && s.meets(x) {
			list = append(list, s)
		}
	}
	return list
}

// announced are those that a page tells of: they are meant for it, or for
// somebody who may yet turn out to be the one at the browser.
func (b *board) announced(x *Exchange) (list []*striker) {
	if x.Kind != Page && x.Kind != Authorize && x.Kind != EndSession {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.list {
		later := x.CCCD == "" && s.LoginHint == "" && (s.ClientID == "" || s.ClientID == x.ClientID)
		if s.left != 0 && (s.meets(x) || later) {
			list = append(list, s)
		}
	}
	return list
}

// draw decides whether a fault strikes, and counts.
func (b *board) draw(s *striker, x *Exchange) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.fault.hooks.idToken == nil || s.fault.hooks.userinfo == nil || x.Login == nil {
		return s.draw()
	}
	strikes, known := s.signIns[x.Login.ID]
	if !known {
		strikes = s.draw()
		if s.signIns == nil || len(s.signIns) >= mostSignIns {
			s.signIns = map[string]bool{}
		}
		s.signIns[x.Login.ID] = strikes
	}
	return strikes
}

// mostSignIns bounds what is remembered of an armed fault.
const mostSignIns = 1000

func (s *striker) draw() bool {
	if s.left == 0 || s.Probability < 1 && s.next() >= s.Probability {
		return false
	}
	if s.left > 0 {
		s.left--
	}
	return true
}

// next is a number of [0, 1) that the seed and how often it was asked decide:
// a test that is run again meets the same.
func (s *striker) next() float64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", s.ID, s.Seed, s.drawn))
	s.drawn++
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// giveBack takes a draw back: the fault met a message it could do nothing to.
func (b *board) giveBack(s *striker) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Times > 0 && s.signIns == nil {
		s.left++
	}
}

// title is how records and pages name an armed fault.
func (s *striker) title() string {
	title := s.fault.ID + " " + s.fault.Name
	if v := s.variant(); v != "" {
		title += " (" + v + ")"
	}
	return title
}

// variant is the one that strikes, "" for a fault that has none.
func (s *striker) variant() string {
	if s.Variant == "" && len(s.fault.Variants) > 0 {
		return s.fault.Variants[0].Name
	}
	return s.Variant
}

// ForClient replaces, in what is armed, that of a client ("" = of the whole
// world), and returns all of it.
func ForClient(all []Armed, client string, list []Armed) []Armed {
	rest := slices.DeleteFunc(slices.Clone(all), func(a Armed) bool { return a.ClientID == client })
	for _, a := range list {
		a.ClientID = client
		rest = append(rest, a)
	}
	return rest
}

// OfClient are those armed for exactly this client.
func OfClient(all []Armed, client string) []Armed {
	return slices.DeleteFunc(slices.Clone(all), func(a Armed) bool { return a.ClientID != client })
}
