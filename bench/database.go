package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
)

// database makes a fresh database of that kind and returns its URL.
func (s *server) database(_ context.Context, kind string) (string, error) {
	switch kind {
	case "sqlite":
		return "sqlite:" + filepath.Join(s.dir, "bench.db"), nil
	case "sqlite-normal":
		return "sqlite:" + filepath.Join(s.dir, "bench.db") + "?synchronous=normal", nil
	}
	return "", fmt.Errorf("no database kind %q: sqlite, sqlite-normal", kind)
}

// profileInto reads ten seconds of CPU profile from a server that offers it.
func profileInto(s *server, w io.Writer) {
	resp, err := http.Get(s.sandbox + "/debug/pprof/profile?seconds=8")
	if err != nil {
		return
	}
	defer resp.Body.Close()
	io.Copy(w, resp.Body)
}
