package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite": SQLite translated to Go, no C compiler needed
)

// location is a database URL taken apart.
type location struct {
	path        string
	memory      bool
	synchronous string
}

const supported = "supported are sqlite:PATH (sqlite:var/sandbox.db), optionally with ?synchronous=full or ?synchronous=normal, and sqlite::memory:"

func parseURL(raw string) (location, error) {
	bad := func(format string, args ...any) (location, error) {
		return location{}, fmt.Errorf("storage: database %q: %s; %s", withoutPassword(raw), fmt.Sprintf(format, args...), supported)
	}
	rest, ok := strings.CutPrefix(raw, "sqlite:")
	if !ok {
		if scheme, _, found := strings.Cut(raw, ":"); found {
			return bad("no backend for %s:", scheme)
		}
		return bad("not a database URL")
	}
	path, rawQuery, _ := strings.Cut(rest, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return bad("the part after ? is malformed")
	}
	loc := location{path: path, memory: path == ":memory:", synchronous: "full"}
	for key, values := range query {
		value := strings.ToLower(values[len(values)-1])
		if key != "synchronous" || value != "full" && value != "normal" {
			return bad("unknown option %s=%s", key, value)
		}
		loc.synchronous = value
	}
	if loc.memory {
		return loc, nil
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return bad("// would name a host")
		}
		path = rest // sqlite:///var/lib/sandbox.db, as other programs write it
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return bad("no path")
	}
	loc.path = filepath.Clean(path)
	return loc, nil
}

// withoutPassword keeps what a message may show of a URL.
func withoutPassword(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		scheme, _, _ := strings.Cut(raw, ":")
		return scheme + ":…"
	}
	return u.Redacted()
}

// writerDSN begins every transaction as a writer (BEGIN IMMEDIATE), because a
// reader that turns writer can meet SQLITE_BUSY that no waiting cures. The
// busy timeout comes first: the other pragmas may have to wait already.
func (l location) writerDSN() string {
	pragmas := []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(" + l.synchronous + ")", "foreign_keys(1)"}
	return l.dsn(pragmas) + "&_txlock=immediate"
}

func (l location) readerDSN() string {
	return l.dsn([]string{"busy_timeout(5000)", "query_only(1)", "foreign_keys(1)"})
}

func (l location) dsn(pragmas []string) string {
	query := "?_pragma=" + strings.Join(pragmas, "&_pragma=")
	if l.memory {
		return ":memory:" + query
	}
	return "file:" + (&url.URL{Path: filepath.ToSlash(l.path)}).EscapedPath() + query
}

// createFile makes an empty file before SQLite would, because SQLite would
// let others read it. The WAL and the shared memory inherit its mode.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("storage: make the folder of the database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("storage: make the database file: %w", err)
	}
	return f.Close()
}
