//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CPU is what the server has used so far, of all its processes, as Linux
// tells it.
func (s *Server) CPU() (time.Duration, error) {
	server, err := s.PID()
	if err != nil {
		return 0, err
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("pgtest: no /proc to read the CPU time from: %v", err)
	}
	var ticks uint64
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// proc(5): after the name in parentheses come state and ppid, then
		// from the 12th on utime, stime, and those of children that ended.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 15 {
			continue
		}
		counted := fields[11:13]
		switch pid := filepath.Base(filepath.Dir(name)); {
		case pid == strconv.Itoa(server):
			counted = fields[11:15]
		case fields[1] != strconv.Itoa(server):
			continue
		}
		for _, f := range counted {
			n, _ := strconv.ParseUint(f, 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
