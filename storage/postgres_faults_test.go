//go:build postgres

package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func pgExec(t *testing.T, s *Store, query string) {
	t.Helper()
	if _, err := s.db.(*postgresDB).db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatIsGoneIsUnavailableUntilItIsBack(t *testing.T) {
	server := pgtest.New(t)
	s := open(t, server.Database(t))
	ctx := context.Background()
	// Every connection of the pool is open, and dies with the server.
	if err := fourTimes(func(int) error {
		return s.Update(ctx, "w", func(vneid.Tx) error { time.Sleep(50 * time.Millisecond); return nil })
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		server.Stop()
		for what, err := range map[string]error{
			"Update": s.Update(ctx, "w", insertLogin("never")), "Ping": s.Ping(ctx),
			"View": s.View(ctx, "w", func(tx vneid.Tx) error { _, err := tx.Login("l"); return err }),
		} {
			if !errors.Is(err, vneid.ErrUnavailable) {
				t.Errorf("%s without a server: got error %v, want ErrUnavailable", what, err)
			}
		}
		if err := server.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Ping(ctx), s.Update(ctx, "w", insertLogin("back")), s.ClearWorld(ctx, "w")); err != nil {
			t.Errorf("the server is back: %v", err)
		}
	}
	// Restarted unnoticed: no dead connection may show.
	if err := errors.Join(server.Stop(), server.Start(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := fourTimes(func(int) error { return s.Ping(ctx) }); err != nil {
		t.Errorf("after a restart that nobody noticed: %v", err)
	}
}

func TestAConnectionLostInATransactionWritesNothing(t *testing.T) {
	server := shared(t)
	s := open(t, server.Database(t))
	ctx := context.Background()
	for _, when := range []string{"between statements", "before the commit"} {
		err := s.Update(ctx, "w", func(v vneid.Tx) error {
			if err := insertLogin("lost")(v); err != nil {
				return err
			}
			var pid int
			if err := v.(*tx).conn.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
				return err
			}
			var killed bool
			err := s.db.(*postgresDB).db.QueryRow("SELECT pg_terminate_backend($1, 5000)", pid).Scan(&killed)
			if err != nil || !killed {
				t.Errorf("killed %v, %v", killed, err)
			}
			if when == "between statements" {
				v.Login("lost") // the error is forgotten here, not there
			}
			return nil
		})
		if !errors.Is(err, vneid.ErrUnavailable) {
			t.Errorf("lost %s: got error %v, want ErrUnavailable", when, err)
		}
	}
	if err := s.View(ctx, "w", func(tx vneid.Tx) error { _, err := tx.Login("lost"); return err }); !errors.Is(err, vneid.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestTooFewConnectionsAreWaitedFor(t *testing.T) {
	server := shared(t)
	u := server.Database(t)
	s := open(t, u+"&pool_max_conns=1")
	holding, let := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- s.View(context.Background(), "w", func(vneid.Tx) error { close(holding); <-let; return nil })
	}()
	<-holding
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want DeadlineExceeded", err)
	}
	close(let)
	if err := errors.Join(<-done, s.Ping(context.Background())); err != nil {
		t.Error(err)
	}
}

func TestPostgreSQLKilledAndShared(t *testing.T) {
	server := pgtest.New(t) // with fsync, as in earnest
	t.Run("a killed process loses nothing acknowledged", func(t *testing.T) { loseNothing(t, server.Database(t), 150) })
	t.Run("two processes claim nothing twice though one is killed", func(t *testing.T) { claimOnce(t, server.Database(t)) })
	t.Run("processes may start on a new database together", func(t *testing.T) { startTogether(t, server.Database(t)) })
}

func TestPostgreSQLRefusesWhatItMustNotTouch(t *testing.T) {
	server := shared(t)
	ctx := context.Background()
	refused := func(u, part string) {
		t.Helper()
		s, err := Open(ctx, u, Options{})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want one with %q", err, part)
		}
	}
	u := server.Database(t)
	s := open(t, u)
	pgExec(t, s, "UPDATE schema_version SET version = version + 1")
	refused(u, "newer version")

	foreign := server.Database(t)
	pgExec(t, s, "CREATE TABLE "+schemaOf(t, foreign)+".schema_version (version INTEGER)")
	refused(foreign, "another program")
	refused(server.URL()+"&search_path=nowhere", "search_path")

	pgExec(t, s, "DROP DATABASE IF EXISTS latin")
	pgExec(t, s, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	refused(strings.Replace(server.URL(), "/postgres?", "/latin?", 1), "UTF8")
	refused(strings.Replace(server.URL(), "/postgres?", "/none?", 1), "none")
}

func schemaOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("search_path")
}

func TestAFailingMigrationLeavesTheFormerSchemaInPostgreSQL(t *testing.T) {
	server := shared(t)
	s := open(t, server.Database(t))
	known := migrationSteps("postgres")
	db := s.db.(*postgresDB).db
	err := migrate(t.Context(), postgresSchema{db}, append(known, "CREATE TABLE half (n BIGINT); nonsense"), s.log)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("schema %d", len(known)+1)) {
		t.Errorf("got error %v, want one that names the step", err)
	}
	if _, err := db.Exec("SELECT * FROM half"); err == nil {
		t.Error("half of the failed step was kept")
	}
	if err := migrate(t.Context(), postgresSchema{db}, known, s.log); err != nil {
		t.Error(err)
	}
}

func TestNoErrorShowsThePasswordOfPostgreSQL(t *testing.T) {
	server := shared(t)
	socket, _ := url.Parse(server.URL())
	host := url.QueryEscape(socket.Query().Get("host"))
	for _, u := range []string{
		"postgres://vneid:geheim@127.0.0.1:1/postgres?connect_timeout=2",
		"postgres://nobody:geheim@/postgres?host=" + host,
		"postgres:///postgres?user=nobody&password=geheim&host=" + host,
		"postgres://vneid:geheim@/none?host=" + host,
	} {
		s, err := Open(t.Context(), u, Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s could be opened", u)
		} else if text := err.Error(); strings.Contains(text, "geheim") || !strings.Contains(text, "postgres:") {
			t.Errorf("%s: %s", u, text)
		}
	}
}

func TestAPostgreSQLDatabaseOfAnOlderProgramIsCarriedOn(t *testing.T) {
	u := shared(t).Database(t)
	loc, err := parseURL(u)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*loc.postgres)
	defer db.Close()
	if err := migrate(t.Context(), postgresSchema{db}, migrationSteps("postgres")[:1], slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	old := strings.ReplaceAll(strings.ReplaceAll(oldRows, "expires_ms) VALUES", "expires_ms, end_ms) VALUES"), "1, 80)", "1, 80, 90)")
	if _, err := db.Exec(old, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	wantOldRows(t, open(t, u))
}
