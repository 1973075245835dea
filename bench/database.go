package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

// database makes a fresh database of that kind and returns its URL.
func (s *server) database(ctx context.Context, kind string) (string, error) {
	switch kind {
	case "sqlite":
		return "sqlite:" + filepath.Join(s.dir, "bench.db"), nil
	case "sqlite-normal":
		return "sqlite:" + filepath.Join(s.dir, "bench.db") + "?synchronous=normal", nil
	case "postgres":
		pg, err := pgtest.Run(ctx, "")
		if err != nil {
			return "", err
		}
		s.stopDB = func() { pg.Close() }
		pid, err := pg.PID()
		if err != nil {
			return "", err
		}
		s.dbCPU = func() float64 { return family(pid) }
		return pg.Create(ctx)
	}
	return "", fmt.Errorf("no database kind %q: sqlite, sqlite-normal, postgres", kind)
}

// family is the CPU time of a process and its children, those that ended
// included, in milliseconds.
func family(parent int) float64 {
	const tick = 10 // ms, of what those who ended leave behind
	total := cpuOf(parent) + tick*(stat(parent, 13)+stat(parent, 14))
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if int(stat(pid, 1)) == parent {
			total += cpuOf(pid)
		}
	}
	return total
}

// stat is a number of /proc/PID/stat, counted from the state (0): 1 is the
// parent, 13 and 14 are user and system time of children that ended.
func stat(pid, field int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	end := bytes.LastIndexByte(b, ')')
	if err != nil || end < 0 {
		return 0
	}
	fields := strings.Fields(string(b[end+1:]))
	if len(fields) <= field {
		return 0
	}
	value, _ := strconv.ParseFloat(fields[field], 64)
	return value
}

func (s *server) databaseCPU() float64 {
	if s.dbCPU == nil {
		return 0
	}
	return s.dbCPU()
}

// profileInto reads a CPU profile of the server while it is driven.
func profileInto(s *server, w io.Writer) {
	resp, err := http.Get(s.sandbox + "/debug/pprof/profile?seconds=5")
	if err != nil {
		return
	}
	defer resp.Body.Close()
	io.Copy(w, resp.Body)
}
