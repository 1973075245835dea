//go:build unix

// Package pgtest runs a real PostgreSQL server for tests and measurements,
// from the binaries that a distribution installs, in a folder of its own, as
// an unprivileged user, reachable by a unix socket only. It knows nothing of
// what is stored there.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Install is the command that installs what is needed.
const Install = "make test-tools (or: apt-get install -y --no-install-recommends postgresql)"

// Server is a PostgreSQL server that runs, or was stopped and may run again.
type Server struct {
	dir      string // holds the data and the socket
	bin      string
	settings []string
	owner    *syscall.Credential // nil = us

	process *exec.Cmd
	stdin   io.Closer // closing it ends the server
	schemas atomic.Int32
}

// Run makes a new server below dir and starts it. The settings are as in
// postgresql.conf, such as "fsync=off".
func Run(ctx context.Context, dir string, settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	// A socket's path has a hundred bytes at most.
	s := &Server{bin: bin, settings: settings}
	if s.dir, err = os.MkdirTemp(dir, "pg"); err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if os.Geteuid() == 0 { // PostgreSQL refuses to be root
		if s.owner, err = unprivileged(); err != nil {
			return nil, err
		}
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return nil, fmt.Errorf("pgtest: %w", err)
		}
	}
	initdb := s.command(ctx, "initdb", "--pgdata", s.data(), "--username", "vneid", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: initdb: %w\n%s", err, out), os.RemoveAll(s.dir))
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// Start runs a server for one test, which fails where PostgreSQL is not
// installed, and returns the URL of an empty database.
func Start(t testing.TB, settings ...string) string {
	t.Helper()
	return New(t, settings...).Database(t)
}

// New runs a server for one test.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := Run(t.Context(), "", settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", errors.New("pgtest: PostgreSQL is not installed; install it by " + Install)
	}
	slices.Sort(found)
	postgres := found[len(found)-1]
	if path, err := filepath.EvalSymlinks(postgres); err == nil {
		postgres = path // beside it are the other programs, which beside a link need not be
	}
	return filepath.Dir(postgres), nil
}

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("pgtest: there is neither a user postgres nor nobody, and root may not run PostgreSQL")
}

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	return s.own(cmd)
}

func (s *Server) own(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Setpgid: true} // Ctrl-C is for us; we stop it
	return cmd
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }
func (s *Server) logs() string { return filepath.Join(s.dir, "log") }

// Start starts a server that was stopped, and returns when it answers.
//
// A shell stands between: it ends the server when our end of its input
// closes, however we end.
func (s *Server) Start(ctx context.Context) error {
	const keeper = `"$@" & server=$!; read -r _; kill -INT $server; wait $server`
	args := []string{"-c", keeper, "sh", filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=100"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(s.logs(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer log.Close()
	cmd := s.own(exec.Command("sh", args...))
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	s.process, s.stdin = cmd, stdin
	for range 300 {
		if err = s.exec(ctx, "SELECT 1"); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
			continue
		}
		break
	}
	s.Stop()
	text, _ := os.ReadFile(s.logs())
	return fmt.Errorf("pgtest: the server does not answer: %w\n%s", err, text)
}

// Stop ends the server at once; who is connected loses the connection. The
// data stays.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	s.stdin.Close()
	s.process.Wait() // its status is that of a shell whose child was asked to end
	s.process = nil
	return nil
}

// Close stops the server and removes everything.
func (s *Server) Close() error {
	return errors.Join(s.Stop(), os.RemoveAll(s.dir))
}

// PID is the process that listens.
func (s *Server) PID() (int, error) {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("pgtest: %w", err)
	}
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	return pid, err
}

// URL is that of the server's one database.
func (s *Server) URL() string {
	return "postgres:///postgres?user=vneid&host=" + url.QueryEscape(s.dir)
}

// Create makes an empty schema and returns the URL of the database with it:
// as good as a database of its own, and made ten times faster.
func (s *Server) Create(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", s.schemas.Add(1))
	if err := s.exec(ctx, "CREATE SCHEMA "+name); err != nil {
		return "", err
	}
	return s.URL() + "&search_path=" + name, nil
}

// Database makes an empty database for a test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	u, err := s.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (s *Server) exec(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", s.URL())
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %s: %w", statement, err)
	}
	return nil
}
