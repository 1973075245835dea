package sandboxtest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// Some of the people of the default seed; README.md has all of them.
const (
	An    = "038090000001" // everything works
	Binh  = "038190000002" // "Đăng nhập trên website" is off: not by QR code
	Cuong = "038095000003" // identity level 1
	Dung  = "038188000004" // locked
	Em    = "038085000005" // SMS never arrives
	Hai   = "038060000007" // only the year of birth is known
)

const (
	// Password of every person of the seed.
	Password = "Sandbox@2024"
	// Passcode of every ready phone.
	Passcode = "123456"
)

// TB is what is needed of a *testing.T, *testing.B or *testing.F.
type TB interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Sandbox is one that runs until the test ends. Its methods are those of its
// default world, and end the test when something fails.
type Sandbox struct {
	*World
	URL string // of the sandbox listener: /sms, /phone, /api/v1

	running *sandbox.Running
}

// An Option changes the configuration before the start.
type Option func(*sandbox.Config)

// Start starts a sandbox on free ports of 127.0.0.1, with a database in memory
// and password hashes that cost nothing, and stops it with the test.
func Start(t TB, options ...Option) *Sandbox {
	t.Helper()
	log := &logBuffer{}
	c := sandbox.Config{Listen: "127.0.0.1:0", SandboxListen: "127.0.0.1:0", Database: "sqlite::memory:", CheapHashes: true, LogOutput: log}
	data, err := os.MkdirTemp("", "sandboxtest-")
	if err != nil {
		t.Fatalf("sandboxtest: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	c.Data = data
	for _, change := range options {
		change(&c)
	}
	running, err := sandbox.Start(context.Background(), c)
	if err != nil {
		t.Fatalf("sandboxtest: start: %v", err)
	}
	t.Cleanup(func() {
		if err := running.Close(context.Background()); err != nil {
			t.Logf("sandboxtest: stop: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the sandbox:\n%s", log)
		}
	})
	s := &Sandbox{URL: running.SandboxURL, running: running}
	s.World = &World{Issuer: running.Issuer, t: t, http: trusting(t, c), api: running.SandboxURL + "/api/v1", token: c.Token}
	s.World.Clock = Clock{s.World}
	return s
}

// OnFile keeps the database in a file, which "database is locked" and what
// else only files bring needs to show.
func OnFile() Option {
	return func(c *sandbox.Config) {
		c.Database = "sqlite:" + filepath.ToSlash(filepath.Join(c.Data, "sandbox.db"))
	}
}

// WithTLS speaks https by a CA of its own; [World.HTTPClient] trusts it, and
// so has the relying party.
func WithTLS() Option { return func(c *sandbox.Config) { c.TLS = "auto" } }

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
