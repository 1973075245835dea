package storage

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"log/slog"
)

//go:embed migrations
var migrationFiles embed.FS

// schemaDB is what differs between the databases when their schema grows.
type schemaDB interface {
	// begin makes other processes that migrate wait.
	begin(context.Context) (*sql.Tx, error)
	// version is that of the schema, 0 for an empty database, which it marks
	// as ours. The database of another program is an error.
	version(context.Context, *sql.Tx) (int, error)
	exec(ctx context.Context, sqlTx *sql.Tx, script string) error
}

// migrationSteps returns the steps of a dialect in the order of their file
// names. A step that was released never changes: later changes are later
// steps.
func migrationSteps(dialect string) []string {
	dir := "migrations/" + dialect
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
func migrate(ctx context.Context, s schemaDB, steps []string, log *slog.Logger) error {
	for {
		from, err := migrateOne(ctx, s, steps)
		if err != nil || from == len(steps) {
			return err
		}
		log.InfoContext(ctx, "storage: schema migrated", "from", from, "to", from+1)
	}
}

// migrateOne runs the next step, if there is one, and returns the version it
// found.
func migrateOne(ctx context.Context, s schemaDB, steps []string) (from int, err error) {
	sqlTx, err := s.begin(ctx)
	if err != nil {
		return 0, describe(ctx, "begin migration", err)
	}
	defer sqlTx.Rollback()
	if from, err = s.version(ctx, sqlTx); err != nil {
		return 0, err
	}
	if from > len(steps) {
		return 0, fmt.Errorf("the database has schema %d, this program knows %d: it was written by a newer version; use that, or another database", from, len(steps))
	}
	if from == len(steps) {
		return from, nil
	}
	if err := s.exec(ctx, sqlTx, steps[from]); err != nil {
		return 0, describe(ctx, fmt.Sprintf("migrate to schema %d", from+1), err)
	}
	if err := s.exec(ctx, sqlTx, fmt.Sprintf("UPDATE schema_version SET version = %d", from+1)); err != nil {
		return 0, describe(ctx, "write schema version", err)
	}
	return from, describe(ctx, "commit migration", sqlTx.Commit())
}
