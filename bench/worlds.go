package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// measureWorlds starts the program on a database of that kind with its default
// seed, makes n worlds one after the other and prints what they cost: to make,
// on the disk, in memory, and at rest.
func measureWorlds(ctx context.Context, binary, kind string, n int) (err error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, _, err := alone(ctx, kind, dir)
	if err != nil {
		return err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	if s.stopDB != nil {
		defer s.stopDB()
	}
	if err := s.start(ctx, binary); err != nil {
		return err
	}
	defer s.stop()
	if _, _, err := makeWorld(s); err != nil { // after it, keys are made ahead
		return err
	}
	time.Sleep(5 * time.Second)
	idle, cpu := s.memory("VmRSS"), s.cpu()
	took := make([]time.Duration, n)
	issuers := make([]string, n)
	for i := range n {
		if took[i], issuers[i], err = makeWorld(s); err != nil {
			return fmt.Errorf("world %d: %w", i+1, err)
		}
	}
	made := s.cpu() - cpu
	slices.Sort(took)
	fmt.Printf("%s, %d worlds with the default seed\n", kind, n)
	fmt.Printf("  to make one: p50 %s, p99 %s, longest %s (≤ 50 ms); %.1f ms of CPU with what is made ahead for the next\n",
		took[n/2].Round(100*time.Microsecond), took[n*99/100].Round(100*time.Microsecond), took[n-1].Round(100*time.Microsecond), made/float64(n))
	// Each is used once: its keys come into being.
	cpu = s.cpu()
	for _, issuer := range issuers {
		resp, err := http.Get(issuer + "/keys")
		if err != nil {
			return err
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s/keys: %s", issuer, resp.Status)
		}
	}
	fmt.Printf("  keys of one, at its first use: %.1f ms of CPU\n", (s.cpu()-cpu)/float64(n))
	time.Sleep(3 * time.Second)
	fmt.Printf("  memory: %.1f → %.1f MiB (peak %.1f, ≤ 100)\n", idle, s.memory("VmRSS"), s.memory("VmHWM"))
	cpu = s.cpu()
	time.Sleep(idleFor)
	fmt.Printf("  idle: %.2f %% of a core, while all of them were used within two minutes\n", (s.cpu()-cpu)/10/idleFor.Seconds())
	if kind == "sqlite" {
		var size int64
		files, _ := filepath.Glob(filepath.Join(dir, "*.db*"))
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				size += info.Size()
			}
		}
		fmt.Printf("  on the disk: %.1f MB (≤ 200), with the write-ahead log\n", float64(size)/1e6)
	}
	return nil
}

func makeWorld(s *server) (took time.Duration, issuer string, err error) {
	begun := time.Now()
	resp, err := http.Post(s.sandbox+"/api/v1/worlds", "application/json", bytes.NewReader([]byte("{}")))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	var made struct {
		Issuer string `json:"issuer"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || resp.StatusCode != http.StatusCreated {
		return 0, "", fmt.Errorf("POST /worlds: %s %v", resp.Status, err)
	}
	return time.Since(begun), made.Issuer, nil
}
