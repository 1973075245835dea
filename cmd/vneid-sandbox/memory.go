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

// limitMemory sets it, unless the operator set GOMEMLIMIT.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
}
