package exam

import "slices"

// Fault is an entry of the catalogue, as GET /faults shows it.
type Fault struct {
	ID, Name, Section  string
	Title, What, Right Text
	Spec               []string
	Grade, Seam        string
	Signals            []string
	Variants           []Variant
	Skippable          *Text
	Asks               []string
	Attacker           bool // it leads to the sandbox's attacker
}

// Variant is a way to do the same wrong.
type Variant struct {
	Name  string
	About Text
}

func (f *Fault) has(signal string) bool { return slices.Contains(f.Signals, signal) }
