package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Disk is where the rows of a server lie, and a test can fill it. The log of
// PostgreSQL is elsewhere: without room for that the server itself gives up,
// which for its clients is a server that is gone.
type Disk struct {
	server *Server
	filler string // a file that takes the room; "" = the server pretends
}

// ErrNoMount says that this process may not mount anything.
var ErrNoMount = errors.New("pgtest: mounting is not permitted here")

// SmallDisk gives databases made from now on a disk of 16 MiB. It needs root;
// without, the error is ErrNoMount and [Server.NoDisk] is there.
func (s *Server) SmallDisk(t testing.TB) (*Disk, error) {
	t.Helper()
	dir := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	options := "size=16m,mode=0700"
	if s.owner != nil {
		options += fmt.Sprintf(",uid=%d,gid=%d", s.owner.Uid, s.owner.Gid)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, options); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoMount, err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Stop(), syscall.Unmount(dir, syscall.MNT_DETACH)); err != nil {
			t.Error(err)
		}
	})
	s.run(t, "CREATE TABLESPACE small LOCATION '"+dir+"'", "ALTER ROLE vneid SET default_tablespace = small")
	return &Disk{server: s, filler: filepath.Join(dir, "filler")}, nil
}

// NoDisk is for a process that may not mount: a full disk is what the server
// says it is, with the error that it has for one, at every row written.
func (s *Server) NoDisk(t testing.TB) *Disk {
	t.Helper()
	s.run(t, `CREATE FUNCTION public.disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`)
	return &Disk{server: s}
}

// Fill takes all room. Pages that the database has already may take some rows
// still.
func (d *Disk) Fill(t testing.TB) {
	t.Helper()
	if d.filler == "" {
		d.server.run(t, onEveryTable("CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE ON %I.%I FOR EACH STATEMENT EXECUTE FUNCTION public.disk_full()"))
		return
	}
	f, err := os.Create(d.filler)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for range 1 << 16 {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("pgtest: the small disk does not get full")
}

// Free gives the room back.
func (d *Disk) Free(t testing.TB) {
	t.Helper()
	if d.filler == "" {
		d.server.run(t, onEveryTable("DROP TRIGGER disk_full ON %I.%I"))
		return
	}
	if err := os.Remove(d.filler); err != nil {
		t.Fatal(err)
	}
}

// onEveryTable runs a statement for the tables of every database that [Server.Create] made.
func onEveryTable(statement string) string {
	return `DO $do$ DECLARE r record; BEGIN
		FOR r IN SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 'test%' LOOP
			EXECUTE format('` + statement + `', r.schemaname, r.tablename);
		END LOOP; END $do$`
}

func (s *Server) run(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := s.exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
