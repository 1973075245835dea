package storage

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"log/slog"
)

//go:embed migrations/sqlite/*.sql
var migrationFiles embed.FS

// applicationID marks a file as ours ("VNeI"), so that another program's
// database is refused instead of filled with our tables.
const applicationID = 0x564e6549

// sqliteMigrations returns the steps in the order of their file names. A step
// that was released never changes: later changes are later steps.
func sqliteMigrations() []string {
	const dir = "migrations/sqlite"
	entries, err := migrationFiles.ReadDir(dir)
	if err != nil {
		panic("storage: migrations are not embedded: " + err.Error())
	}
	var steps []string
	for _, e := range entries {
		text, err := migrationFiles.ReadFile(dir + "/" + e.Name())
		if err != nil {
			panic("storage: migrations are not embedded: " + err.Error())
		}
		steps = append(steps, string(text))
	}
	return steps
}

// migrate runs the missing steps, each in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB, steps []string, log *slog.Logger) error {
	for {
		from, err := migrateOne(ctx, db, steps)
		if err != nil || from == len(steps) {
			return err
		}
		log.InfoContext(ctx, "storage: schema migrated", "from", from, "to", from+1)
	}
}

// migrateOne runs the next step, if there is one, and returns the version it
// found. It reads the version under the write lock: two processes may start
// on one new file.
func migrateOne(ctx context.Context, db *sql.DB, steps []string) (from int, err error) {
	sqlTx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, describe(ctx, "begin migration", err)
	}
	defer sqlTx.Rollback()
	if from, err = schemaVersion(ctx, sqlTx); err != nil {
		return 0, err
	}
	if from > len(steps) {
		return 0, fmt.Errorf("the database has schema %d, this program knows %d: it was written by a newer version; use that, or another file", from, len(steps))
	}
	if from == len(steps) {
		return from, nil
	}
	if _, err := sqlTx.ExecContext(ctx, steps[from]); err != nil {
		return 0, describe(ctx, fmt.Sprintf("migrate to schema %d", from+1), err)
	}
	if _, err := sqlTx.ExecContext(ctx, "UPDATE schema_version SET version = ?", from+1); err != nil {
		return 0, describe(ctx, "write schema version", err)
	}
	return from, describe(ctx, "commit migration", sqlTx.Commit())
}

// schemaVersion reads the version, 0 for an empty database, which it marks as
// ours.
func schemaVersion(ctx context.Context, sqlTx *sql.Tx) (version int, err error) {
	var id, objects int
	if err := sqlTx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, describe(ctx, "read application id", err)
	}
	if id == applicationID {
		err := sqlTx.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version)
		return version, describe(ctx, "read schema version", err)
	}
	if err := sqlTx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&objects); err != nil {
		return 0, describe(ctx, "read schema", err)
	}
	if objects > 0 || id != 0 {
		return 0, fmt.Errorf("the file is a database of another program; name another file")
	}
	_, err = sqlTx.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d;
		CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
		INSERT INTO schema_version (version) VALUES (0)`, applicationID))
	return 0, describe(ctx, "begin schema", err)
}
