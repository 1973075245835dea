package main

import (
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// A portal of the first version, with a citizen and the accounts of its seed,
// becomes one of today: nobody is lost, and linking works.
func TestAnOldDatabaseIsBroughtUpToDate(t *testing.T) {
	w := &world{t: t, db: filepath.Join(t.TempDir(), "portal.db"), log: &syncBuffer{}, ahead: &atomic.Int64{}}
	w.op, w.dancu = newFakeOP(t, w.now), newFakeDanCu(t)
	db, err := sql.Open("sqlite", "file:"+w.db)
	if err != nil {
		t.Fatal(err)
	}
	hash := newHasher(64, 1).hash(seedPassword)
	for _, q := range []string{firstTables, "PRAGMA user_version = 1",
		`INSERT INTO accounts VALUES ('a1', 'Nguyễn Văn An', 1), ('a2', 'Lê Thị Bình', 1), ('a3', 'Lê Thị Bình', 1)`,
		`INSERT INTO identities VALUES ('` + w.op.srv.URL + `', 'an', 'a1', '{"name":"Nguyễn Văn An","cccd":"038090000001","birthdate":"1990-03-15"}', 5)`,
		`INSERT INTO local_logins VALUES ('binh.le', 'a2', '` + hash + `', 'citizen', '038190000002', ''), ('somebody', 'a3', '` + hash + `', 'citizen', '', '')`} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	w.start()
	t.Cleanup(w.stop)
	b := w.browser()
	b.vneid(an, "/").wantAt(t, "/")
	var account string
	if err := w.portal.store.db.QueryRow("SELECT account_id FROM identities WHERE sub = 'an'").Scan(&account); err != nil || account != "a1" {
		t.Errorf("An has account %q, %v", account, err)
	}
	// The number he verified then is his: another pair with it is told so.
	second := w.browser()
	second.vneid(an.with(func(c *citizen) { c.sub = "an-2" }), "/").wantAt(t, "/")
	second.get("/").wantPage(t, 200, "đã được một mã VNeID khác dùng")
	if p := w.browser().vneid(binh.with(func(c *citizen) { c.sub = "an" }), "/"); p.problem() != "identity_reassigned" {
		t.Errorf("a reassigned sub of before: %d %q", p.status, p.problem())
	}
	w.links(binh, "binh.le")
	// An account without a date of birth is asked for one.
	s := w.browser()
	s.local("somebody", "/").wantAt(t, "/identity/cccd")
	s.get("/identity/cccd").wantPage(t, 200, `id="birthdate"`)
	w.restart()
	if b.signedInAs() != an.name {
		t.Error("a restart signs people out")
	}
}
