package main

import (
	"os"
	"runtime/debug"
)

// softMemory is where the garbage collector begins to work harder. A password
// hash leaves 19 MiB behind; without a limit the heap doubles with them before
// anybody cleans up. What lives is far below it (measured with make bench: 200
// logins at once peak at 122 MiB instead of 150, at the same CPU). It is soft:
// a server that holds more than this still runs.
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
