//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package localca

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lock keeps other processes out of the folder. The kernel takes the lock back
// from a process that dies, so a crash leaves nothing to clean up.
func lock(name string, within time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder of the local CA: %w; it has to be writable, or name another one with --data", err)
	}
	const pause = 20 * time.Millisecond
	for range within / pause {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			break
		}
		time.Sleep(pause)
	}
	f.Close()
	return nil, fmt.Errorf("lock %s: %w; another process holds it, or the file system knows no locks", name, err)
}
