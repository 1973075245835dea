package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// sqliteOf shows a test the inside of a store on SQLite.
func sqliteOf(s *Store) *sqliteDB { return s.db.(*sqliteDB) }

// writerExec runs a statement on the writing connection, outside any
// transaction.
func writerExec(t testing.TB, s *Store, query string) {
	t.Helper()
	if err := sqliteOf(s).writer.conn.do(query); err != nil {
		t.Fatal(err)
	}
}

// lock takes the write lock as another process would, until the test ends it.
func lock(t testing.TB, url string) (unlock func()) {
	t.Helper()
	loc, err := parseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", loc.writerDSN())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	unlock = sync.OnceFunc(func() { tx.Rollback(); db.Close() })
	t.Cleanup(unlock)
	return unlock
}

func TestAFileKeepsThePromises(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) vneid.Store {
		return open(t, "sqlite:"+filepath.Join(t.TempDir(), "sandbox.db"))
	})
}

func TestMemoryKeepsThePromises(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) vneid.Store { return open(t, "sqlite::memory:") })
}

func TestAFileIsSharedByProcesses(t *testing.T) {
	dir := t.TempDir()
	storagetest.RunShared(t, func(t *testing.T) vneid.Store {
		// Not open: this may run beside the test's own goroutine.
		s, err := Open(context.Background(), "sqlite:"+filepath.Join(dir, filepath.Base(t.Name())), Options{})
		if err != nil {
			t.Error(err)
			return nil
		}
		return s
	})
}

func TestDatabasesInMemoryAreSeparate(t *testing.T) {
	a, b := open(t, "sqlite::memory:"), open(t, "sqlite::memory:")
	if err := a.PutWorld(context.Background(), vneid.WorldRecord{ID: "w"}); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Worlds(context.Background()); err != nil || len(list) != 0 {
		t.Errorf("the second database has %v, %v", list, err)
	}
}

func TestOpenMakesAPrivateFileInAPrivateFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b c%3f#?d")
	path := filepath.Join(dir, "sandbox.db")
	if _, err := Open(context.Background(), "sqlite:"+path, Options{}); err == nil {
		t.Fatal("a ? in the path was not taken for the beginning of options")
	}
	dir = strings.ReplaceAll(dir, "?", "")
	path = filepath.Join(dir, "sandbox.db")
	s := open(t, "sqlite:"+path)
	if err := s.PutWorld(context.Background(), vneid.WorldRecord{ID: "w"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(path + "-*"); left != nil {
		t.Errorf("after Close the file is not whole by itself: %v", left)
	}
}

func TestURLsAreReadOrRefused(t *testing.T) {
	for _, c := range []struct {
		url, want string // path and synchronous, or host, name and connections, or a part of the error after !
	}{
		{"sqlite:var/sandbox.db", "var/sandbox.db full"},
		{"sqlite:./var//x.db?synchronous=FULL", "var/x.db full"},
		{"sqlite:x.db?synchronous=normal", "x.db normal"},
		{"sqlite:/var/lib/x.db", "/var/lib/x.db full"},
		{"sqlite:///var/lib/x.db", "/var/lib/x.db full"},
		{"sqlite::memory:", ":memory: full"},
		{"sqlite:", "!no path"},
		{"sqlite://host/x.db", "!host"},
		{"sqlite:x.db?synchronous=off", "!unknown option synchronous=off"},
		{"sqlite:x.db?mode=ro", "!unknown option mode=ro"},
		{"sqlite:x\x00.db", "!no path"},
		{"mysql:x", "!sqlite:PATH"},
		{"postgres://u:geheim@host/db", "host db 8"},
		{"postgresql://u:geheim@host:5433/db?sslmode=disable&pool_max_conns=3", "host db 3"},
		{"postgres:///db?host=/run/postgresql&user=u&password=geheim", "/run/postgresql db 8"},
		{"postgres://u:geheim@host/db?pool_max_conns=0", "!pool_max_conns"},
		{"postgres://u:geheim@host/db?pool_max_conns=many", "!pool_max_conns"},
		{"postgres://u:geheim@host:port/db", "!malformed"},
		{"postgres://u:geheim@host/db?sslmode=sometimes", "!malformed"},
		{"postgres://u@host/db?password=geheim&sslpassword=geheim&pool_max_conns=-1", "!pool_max_conns"},
		{"postgres://u:geheim%zz@host/db", "!malformed"},
		{"var/sandbox.db", "!not a database URL"},
		{"", "!not a database URL"},
	} {
		loc, err := parseURL(c.url)
		if part, bad := strings.CutPrefix(c.want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), "sqlite:PATH") || strings.Contains(err.Error(), "geheim") {
				t.Errorf("%q: error %v, want one with %q, what is supported, and no password", c.url, err, part)
			}
			continue
		}
		got := loc.path + " " + loc.synchronous
		if loc.postgres != nil {
			got = fmt.Sprint(loc.postgres.Host, " ", loc.postgres.Database, " ", loc.conns)
		}
		if err != nil || got != c.want {
			t.Errorf("%q: got %q, %v, want %q", c.url, got, err, c.want)
		}
	}
}

func TestPragmasAreInForce(t *testing.T) {
	for url, synchronous := range map[string]int{"sqlite:%s": 2, "sqlite:%s?synchronous=normal": 1} {
		s := open(t, fmt.Sprintf(url, filepath.Join(t.TempDir(), "x.db")))
		for _, c := range []struct {
			pragma string
			want   string
		}{
			{"synchronous", fmt.Sprint(synchronous)}, {"journal_mode", "wal"}, {"foreign_keys", "1"}, {"busy_timeout", "5000"},
		} {
			var got string
			if err := sqliteOf(s).writer.conn.QueryRowContext(context.Background(), "PRAGMA "+c.pragma).Scan(&got); err != nil || got != c.want {
				t.Errorf("%s: %s is %q, %v, want %q", url, c.pragma, got, err, c.want)
			}
		}
		if _, err := sqliteOf(s).readers.Exec("DELETE FROM worlds"); err == nil {
			t.Error("a reading connection can write")
		}
	}
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("these are my notes\n", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), "sqlite:"+path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names the file", err)
	}
	if _, err := Open(context.Background(), "sqlite:"+filepath.Dir(path), Options{}); !errors.Is(err, vneid.ErrUnavailable) {
		t.Errorf("a folder: got error %v, want ErrUnavailable", err)
	}
}

func TestWaitingForAnotherProcessEndsWithTheContext(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	b := open(t, url)
	unlock := lock(t, url)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := b.PutWorld(ctx, vneid.WorldRecord{ID: "w"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want DeadlineExceeded", err)
	}
	if err := b.Ping(context.Background()); err != nil { // readers do not wait for writers
		t.Errorf("Ping: %v", err)
	}
	writerExec(t, b, "PRAGMA busy_timeout = 20")
	if err := b.PutWorld(context.Background(), vneid.WorldRecord{ID: "w"}); !errors.Is(err, vneid.ErrUnavailable) {
		t.Errorf("got error %v, want ErrUnavailable", err)
	}
	unlock()
	if err := b.PutWorld(context.Background(), vneid.WorldRecord{ID: "w"}); err != nil {
		t.Errorf("after the lock is gone: %v", err)
	}
}

func TestADiskThatIsFullIsUnavailableAndLosesNothing(t *testing.T) {
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	ctx := context.Background()
	// max_page_count makes SQLite answer as on a full disk.
	writerExec(t, s, "PRAGMA max_page_count = 60")
	written, full := 0, false
	for i := 0; i < 1000 && !full; i++ {
		err := s.Update(ctx, "w", func(tx vneid.Tx) error {
			tx.InsertLogin(&vneid.Login{ID: fmt.Sprint(i), Issuer: strings.Repeat("x", 3000)})
			tx.InsertSMS(&vneid.SMS{ID: fmt.Sprint(i)}) // must not be written alone after SQLite rolled back
			return nil
		})
		if err == nil {
			written++
		} else if full = errors.Is(err, vneid.ErrUnavailable); !full {
			t.Fatalf("got error %v, want ErrUnavailable", err)
		}
	}
	var logins, sms int
	err := sqliteOf(s).readers.QueryRow("SELECT (SELECT count(*) FROM logins), (SELECT count(*) FROM sms)").Scan(&logins, &sms)
	if err != nil || !full || logins != written || sms != written {
		t.Errorf("full: %v, acknowledged %d, stored %d logins and %d messages, %v", full, written, logins, sms, err)
	}
	writerExec(t, s, "PRAGMA max_page_count = 100000")
	if err := s.PutWorld(ctx, vneid.WorldRecord{ID: "w"}); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}
