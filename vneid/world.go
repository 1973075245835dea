package vneid

import (
	"context"
	"time"
)

// DefaultWorld is the world that exists without being asked for.
const DefaultWorld = "default"

// World is one isolated copy of everything: people, clients, keys, clock,
// policy. It travels in the context of a request; nothing reads issuer, clock
// or policy from a global, and every stored row carries the world's ID.
type World struct {
	ID     string
	Issuer string // exactly as in tokens; no trailing slash
	// Browser is where browsers find the pages, when that is not the issuer
	// itself (a container's name means nothing to them); "" = Issuer.
	Browser string
	// ManyIssuers: the issuer is as the request named it, and another request
	// may name another.
	ManyIssuers bool
	// Path is below what the world lies at every listener: "" for the default
	// world, "/w/abc" for another.
	Path   string
	Clock  Clock
	Policy Policy
	Salt   []byte // secret; subjects and one-time passwords hang on it
}

// WorldRecord is what the store keeps of a world.
type WorldRecord struct {
	ID            string
	Salt          []byte
	ClockOffsetMS int64
	SeedVersion   string // which seed filled it, "" = none yet
	Policy        string // JSON: where its policy differs from the configuration's
	Faults        string // JSON: which faults are armed, "" = none
	TokenHash     string // of the token that its API takes, "" = none
	CreatedAt     time.Time
	UsedAt        time.Time // real time, to some minutes
}

// WorldPath is where a world lies.
func WorldPath(id string) string {
	if id == DefaultWorld {
		return ""
	}
	return WorldPrefix + id
}

// WorldPrefix begins the path of every world but the default one.
const WorldPrefix = "/w/"

// ValidWorldID says whether a world may be called so.
func ValidWorldID(id string) bool {
	if len(id) == 0 || len(id) > 32 {
		return false
	}
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}

// Front is the URL below which browsers are sent to the pages.
func (w *World) Front() string {
	if w.Browser != "" {
		return w.Browser
	}
	return w.Issuer
}

type worldKey struct{}

// WithWorld puts the world of a request into its context.
func WithWorld(ctx context.Context, w *World) context.Context {
	return context.WithValue(ctx, worldKey{}, w)
}

// WorldFrom returns the world of the request. A request without one is a
// mistake of the program, so it panics.
func WorldFrom(ctx context.Context) *World {
	w, ok := ctx.Value(worldKey{}).(*World)
	if !ok {
		panic("vneid: no world in this context")
	}
	return w
}

// Counts are how many there are in a world.
type Counts struct {
	Accounts, Devices, Clients int
	Sessions                   int // that stand
}
