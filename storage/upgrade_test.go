package storage

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What a released program wrote, at the schema of then: the first rows that
// every later migration has to carry on.
const oldRows = `INSERT INTO logins (world, id, version, state, issuer, browser_hash, request, cccd, otp_hash, otp_sent_ms, otp_expires_ms, otp_tries,
	auth_ms, acr, amr, session_id, code_hash, code_expires_ms, created_ms, expires_ms) VALUES
	('w', 'l', 3, 'redeemed', 'i', 'b', '{}', '1', '', 0, 0, 0, 5, 'LoA2', '["pwd"]', 's', 'c', 90, 1, 80);
	INSERT INTO sessions (world, id, secret_hash, version, cccd, auth_ms, acr, amr, created_ms, expires_ms, ended_ms)
	VALUES ('w', 's', 'secret', 2, '1', 5, 'LoA2', '["pwd"]', 5, 100, 0);`

func wantOldRows(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	err := s.Update(ctx, "w", func(tx vneid.Tx) error {
		l, err := tx.LoginByCode("c")
		if err != nil || l.Version != 3 || l.SessionID != "s" {
			t.Errorf("login %+v, %v", l, err)
		}
		se, err := tx.Session("secret")
		if err != nil || se.CCCD != "1" || se.Version != 2 || se.BrowserHash != "" {
			t.Fatalf("session %+v, %v", se, err)
		}
		list, err := tx.SessionsOfBrowser("")
		if err != nil || len(list) != 0 {
			t.Errorf("sessions of no browser: %v, %v", list, err)
		}
		se.BrowserHash = "b"
		return tx.SaveSession(se)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(ctx, "w", func(tx vneid.Tx) error {
		list, err := tx.SessionsOfBrowser("b")
		if len(list) != 1 || list[0].ID != "s" {
			t.Errorf("sessions of the browser: %v", list)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestADatabaseOfAnOlderProgramIsCarriedOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", location{path: path, synchronous: "full"}.writerDSN())
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if err := migrate(context.Background(), sqliteSchema{db}, migrationSteps("sqlite")[:1], slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(oldRows); err != nil {
		t.Fatal(err)
	}
	db.Close()
	wantOldRows(t, open(t, "sqlite:"+path))
}
