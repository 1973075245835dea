//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sandbox

import (
	"math"
	"syscall"
)

// openFiles is how many files and connections the system lets the program have
// open, 0 where it does not say. Go has raised the soft limit already.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) // signed on some systems
}
