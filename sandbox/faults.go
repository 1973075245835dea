package sandbox

import "github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"

// Fault is an entry of the catalogue of what the provider can do wrong on
// purpose.
type Fault = fault.Fault

// Faults is the catalogue, ordered by id.
func Faults() []Fault { return fault.Catalogue() }

// FindFault is the fault of an id or a name, nil when there is none.
func FindFault(id string) *Fault { return fault.Find(id) }
