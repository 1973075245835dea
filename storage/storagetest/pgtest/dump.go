//go:build unix

package pgtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Dump is every row of the server's database, as statements.
func (s *Server) Dump(t testing.TB) string {
	t.Helper()
	out, err := s.command(t.Context(), "pg_dump", "--inserts", "--no-owner", "--dbname", s.URL()).Output()
	if err != nil {
		t.Fatalf("pgtest: pg_dump: %v", err)
	}
	return string(out)
}

// Files are all that the server keeps on disk, once what it has in memory is
// written there.
func (s *Server) Files(t testing.TB) map[string][]byte {
	t.Helper()
	if err := s.exec(t.Context(), "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // gone meanwhile
		}
		name, _ := filepath.Rel(s.dir, path)
		files[name] = raw
		return err
	})
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return files
}
