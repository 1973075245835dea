package storage

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func raw(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", location{path: filepath.Join(t.TempDir(), "x.db"), synchronous: "full"}.writerDSN())
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func version(t *testing.T, db *sql.DB) (v int) {
	t.Helper()
	if err := db.QueryRow("SELECT version FROM schema_version").Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMigrationsRunInOrderEachOnce(t *testing.T) {
	db, ctx, log := raw(t), context.Background(), slog.New(slog.DiscardHandler)
	steps := []string{
		"CREATE TABLE a (n INTEGER); INSERT INTO a VALUES (1);",
		"ALTER TABLE a ADD COLUMN m INTEGER; UPDATE a SET m = n + 1;",
	}
	for known := 1; known <= len(steps); known++ { // an older program, then a newer one
		for range 2 {
			if err := migrate(ctx, sqliteSchema{db}, steps[:known], log); err != nil {
				t.Fatal(err)
			}
		}
		if got := version(t, db); got != known {
			t.Errorf("after %d steps the schema is %d", known, got)
		}
	}
	var rows, m int
	if err := db.QueryRow("SELECT count(*), max(m) FROM a").Scan(&rows, &m); err != nil || rows != 1 || m != 2 {
		t.Errorf("%d rows, m = %d, %v", rows, m, err)
	}
}

func TestAFailingMigrationLeavesTheFormerSchema(t *testing.T) {
	db, ctx, log := raw(t), context.Background(), slog.New(slog.DiscardHandler)
	steps := []string{"CREATE TABLE a (n INTEGER)", "CREATE TABLE b (n INTEGER); nonsense;"}
	if err := migrate(ctx, sqliteSchema{db}, steps, log); err == nil || !strings.Contains(err.Error(), "schema 2") {
		t.Errorf("got error %v, want one that names the step", err)
	}
	if got := version(t, db); got != 1 {
		t.Errorf("schema %d, want 1", got)
	}
	if _, err := db.Exec("INSERT INTO b VALUES (1)"); err == nil {
		t.Error("half of the failed step was kept")
	}
}

func TestASchemaNewerThanTheProgramIsRefused(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	s := open(t, url)
	writerExec(t, s, "UPDATE schema_version SET version = version + 1")
	s.Close()
	if _, err := Open(context.Background(), url, Options{}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("got error %v, want a hint at the newer version", err)
	}
}

func TestADatabaseOfAnotherProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE schema_version (version INTEGER); INSERT INTO schema_version VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := Open(context.Background(), "sqlite:"+path, Options{}); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("got error %v, want one that says whose it is", err)
	}
}

func TestEveryTableOfAWorldIsClearedOrKeptOnPurpose(t *testing.T) {
	s := open(t, "sqlite::memory:")
	known := map[string]bool{"worlds": true, "signing_keys": true, "schema_version": true}
	for _, table := range clearedTables {
		known[table] = true
	}
	rows, err := sqliteOf(s).writer.conn.QueryContext(context.Background(), "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !known[name] {
			t.Errorf("table %s is in nobody's list: does ClearWorld empty it?", name)
		}
	}
	if n != len(known) {
		t.Errorf("%d tables, %d known", n, len(known))
	}
}

func TestALoggerHearsOfMigrations(t *testing.T) {
	var b strings.Builder
	s, err := Open(context.Background(), "sqlite::memory:", Options{Logger: slog.New(slog.NewTextHandler(&b, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.Contains(b.String(), "schema migrated") {
		t.Errorf("logged %q", b.String())
	}
	before := b.Len()
	s.View(context.Background(), "w", func(tx vneid.Tx) error { _, err := tx.Login("none"); return err })
	if b.Len() != before {
		t.Errorf("an ordinary answer was logged: %q", b.String()[before:])
	}
}
