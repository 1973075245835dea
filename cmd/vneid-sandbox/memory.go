package main

import (
	"os"
	"runtime/debug"
)

// softMemory is where the garbage collector begins to work harder. Password
// hashes hold 19 MiB for each core while they are asked for; what else lives is
// a few MiB. With less than this the collector would run so often that it takes
// their memory away between two of them (measured with make bench, ADR 10). It
// is soft: a server that holds more than this still runs.
const softMemory = 96 << 20

// collectAfter is how much the heap may grow, in percent of what lives, before
// the garbage collector runs. What lives is a few MiB, and with Go's 100 the
// collector ran for every dozen logins: a tenth of their CPU, without hashes.
// The soft limit above holds whatever this says.
const collectAfter = 1000

// limitMemory sets both, unless the operator set GOMEMLIMIT or GOGC.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAfter)
	}
}

// returnMemory gives back what starting took and left behind, which nobody would
// collect before the first requests have come. It takes a few milliseconds.
func returnMemory() { debug.FreeOSMemory() }
