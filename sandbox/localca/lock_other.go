//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package localca

import (
	"sync"
	"time"
)

var oneProcess sync.Mutex

// lock keeps others in this process out. Here two processes that start for the
// first time at the same moment on one folder may each make an authority; the
// next start of either settles it, because key and certificate are one file.
func lock(string, time.Duration) (unlock func(), err error) {
	oneProcess.Lock()
	return oneProcess.Unlock, nil
}
