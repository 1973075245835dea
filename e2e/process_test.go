//go:build e2e || browser

package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The two programs under test, built once for all stories.
var sandboxBin, portalBin string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vneid-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	for _, b := range []struct {
		path *string
		env  string
		pkg  string
	}{
		{&sandboxBin, "VNEID_SANDBOX_BIN", "./cmd/vneid-sandbox"},
		{&portalBin, "PORTAL_BIN", "./rp-example"},
	} {
		if *b.path = os.Getenv(b.env); *b.path != "" {
			continue
		}
		*b.path = filepath.Join(dir, filepath.Base(b.pkg))
		build := exec.Command("go", "build", "-C", "..", "-o", *b.path, b.pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: building %s: %v\n%s", b.pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// process is one of the two programs, running.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
}

// output collects what the programs of one world print: their logs, and apart from them the greeting on standard output,
// which names a seeded persona with password on purpose.
type output struct {
	mu       sync.Mutex
	buf      bytes.Buffer
	greeting bytes.Buffer
}

func (o *output) said() io.Writer { return (*saidTo)(o) }

type saidTo output

func (o *saidTo) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.greeting.Write(p)
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// Log is what went to standard error.
func (o *output) Log() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.greeting.String() + o.buf.String()
}

// cleanEnv is this process's environment without any setting of the programs under test, plus extra.
func cleanEnv(extra ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "VNEID_SANDBOX_") && !strings.HasPrefix(kv, "PORTAL_") {
			env = append(env, kv)
		}
	}
	return append(env, extra...)
}

func startProcess(t *testing.T, log *output, dir, bin string, env []string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	cmd.Env = cleanEnv(env...)
	cmd.Stdout, cmd.Stderr = log.said(), log
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", bin, err)
	}
	p := &process{name: filepath.Base(bin), cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the exit code is read from ProcessState
		close(p.done)
	}()
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// terminate asks politely and says how long it took; the contract gives it ten seconds and wants exit code 0.
func (p *process) terminate(t *testing.T) time.Duration {
	t.Helper()
	if p.ended() {
		t.Errorf("%s had already ended: %v", p.name, p.cmd.ProcessState)
		return 0
	}
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM to %s: %v", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		t.Errorf("%s still runs 10 s after SIGTERM", p.name)
		p.kill()
		return time.Since(began)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s ended with %v after SIGTERM, want exit code 0", p.name, p.cmd.ProcessState)
	}
	return time.Since(began)
}

// kill is the power cut: no chance to tidy up.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// runToEnd runs the sandbox program until it ends by itself and returns its exit code and output.
func runToEnd(t *testing.T, env []string, args ...string) (code int, out string) {
	t.Helper()
	log := &output{}
	p := startProcess(t, log, t.TempDir(), sandboxBin, env, args...)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.kill()
		t.Fatalf("vneid-sandbox %s did not end within 20 s; it said:\n%s", strings.Join(args, " "), log)
	}
	return p.cmd.ProcessState.ExitCode(), log.String()
}

var ports struct {
	sync.Mutex
	next int
}

// freePort gives every listener of this run a port of its own, below the range the kernel hands to outgoing
// connections, free on both loopback addresses.
func freePort(t *testing.T) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = 20000 + os.Getpid()*31%9000
	}
	for range 2000 {
		ports.next++
		if ports.next > 32000 {
			ports.next = 20000
		}
		if portIsFree("127.0.0.1", ports.next) && portIsFree("::1", ports.next) {
			return ports.next
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return 0
}

func portIsFree(host string, port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		// A machine without IPv6 cannot have the port taken there.
		return host == "::1" && !strings.Contains(err.Error(), "in use")
	}
	l.Close()
	return true
}
