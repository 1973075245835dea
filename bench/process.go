package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// server is a process under measurement.
type server struct {
	name             string
	issuer, sandbox  string
	cmd              *exec.Cmd
	args             []string
	dir              string
	log              logFile
	ready            time.Duration // from exec to the first answer
	dbCPU            func() float64
	stopDB           func()
	phones           *phones
	idleRSS, peakRSS float64 // MiB
}

// logFile is what the program logs: a file, as for any service. Through a pipe
// each line would wake the driver, at the server's expense.
type logFile struct{ name string }

func (l logFile) tail() string {
	b, err := os.ReadFile(l.name)
	if err != nil {
		return ""
	}
	return string(b[max(0, len(b)-2000):])
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// start runs the program and waits until it answers.
func (s *server) start(ctx context.Context, binary string) error {
	s.cmd = exec.CommandContext(ctx, binary, s.args...)
	s.cmd.Dir = s.dir
	if s.dir != "" {
		s.log = logFile{filepath.Join(s.dir, "log")}
		log, err := os.Create(s.log.name)
		if err != nil {
			return err
		}
		defer log.Close()
		s.cmd.Stdout, s.cmd.Stderr = log, log
	}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // never left behind
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Second}
	for time.Since(begun) < 20*time.Second {
		resp, err := client.Get(s.issuer + "/ready")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				s.ready = time.Since(begun)
				return nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	s.stop()
	return fmt.Errorf("not ready after 20 s: %s", s.log.tail())
}

func (s *server) stop() {
	if s.cmd == nil || s.cmd.Process == nil || s.cmd.ProcessState != nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(12 * time.Second):
		s.cmd.Process.Kill()
		<-done
	}
}

// cpu is the CPU time of the process so far, in milliseconds.
func (s *server) cpu() float64 { return cpuOf(s.cmd.Process.Pid) }

// cpuOf asks the CPU clock of a process, which counts nanoseconds; /proc/PID/stat
// counts steps of 10 ms. The number of that clock is what clock_getcpuclockid(3)
// makes of a pid.
func cpuOf(pid int) float64 {
	const scheduled = 2 // CPUCLOCK_SCHED: user and system time as the scheduler counts it
	clock := int32(^pid)<<3 | scheduled
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0 // it ended
	}
	return float64(t.Nano()) / 1e6
}

// memory reads VmRSS or VmHWM, in MiB.
func (s *server) memory(field string) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(b), "\n") {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// resetPeak makes VmHWM count from now.
func (s *server) resetPeak() {
	os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0)
}

func startFloor(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	at := "http://127.0.0.1:" + port
	s := &server{name: "floor", issuer: at, sandbox: at, args: []string{"floor", "127.0.0.1:" + port}}
	if err := s.start(ctx, self); err != nil {
		return nil, err
	}
	s.idleRSS = s.memory("VmRSS")
	return s, nil
}

// alone prepares a server that is measured by itself, on a fresh database of
// that kind. It keeps its files in dir, and is not started yet.
func alone(ctx context.Context, kind, dir string) (s *server, database string, err error) {
	s = &server{name: kind, dir: dir}
	var ports [2]string
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return nil, "", err
		}
	}
	s.issuer, s.sandbox = "http://localhost:"+ports[0], "http://localhost:"+ports[1]
	if database, err = s.database(ctx, kind); err != nil {
		return nil, "", err
	}
	s.args = []string{"serve", "--listen", "localhost:" + ports[0], "--sandbox-listen", "localhost:" + ports[1], "--database", database, "--data", dir}
	return s, database, nil
}

// startServer runs the program on a fresh database, which is filled before the
// start that counts.
func startServer(ctx context.Context, o options, v variant) (s *server, err error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	s = &server{name: v.name(), dir: dir}
	defer func() {
		if err != nil {
			s.clean()
		}
	}()
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return s, err
	}
	p1, err := freePort()
	if err != nil {
		return s, err
	}
	p2, err := freePort()
	if err != nil {
		return s, err
	}
	s.issuer, s.sandbox = "http://localhost:"+p1, "http://localhost:"+p2
	database, err := s.database(ctx, v.kind)
	if err != nil {
		return s, err
	}
	if err := writeConfig(dir); err != nil {
		return s, err
	}
	s.args = []string{"serve", "--config", filepath.Join(dir, "bench.yaml"), "--listen", "localhost:" + p1, "--sandbox-listen", "localhost:" + p2,
		"--database", database, "--seed", filepath.Join(dir, "seed.yaml"), "--data", dir}
	if v.silent {
		s.args = append(s.args, "--record", "off")
	}
	// Once for the schema, the world and the client of the seed.
	if err := s.start(ctx, binary); err != nil {
		return s, err
	}
	s.stop()
	if s.phones, err = populate(ctx, database, v, o.people()); err != nil {
		return s, err
	}
	if err := s.start(ctx, binary); err != nil {
		return s, err
	}
	time.Sleep(500 * time.Millisecond)
	s.idleRSS = s.memory("VmRSS")
	return s, nil
}

// end stops the server and sees to it that what was measured was also kept: the
// database opens again.
func (s *server) end() error {
	s.stop()
	if s.dir == "" {
		return nil
	}
	defer s.clean()
	ready := s.ready
	if err := s.start(context.Background(), s.cmd.Path); err != nil {
		return fmt.Errorf("%s: start again: %w", s.name, err)
	}
	s.ready = ready
	s.stop()
	return nil
}

func (s *server) clean() {
	s.stop()
	if s.stopDB != nil {
		s.stopDB()
	}
	os.RemoveAll(s.dir)
}

func writeConfig(dir string) error {
	const config = `policy:
  sms_per_number: 1000
  sms_window: 1s
  login_lifetime: 1h
`
	const seed = `clients:
  - client_id: bench
    client_secret: bench-secret-of-the-benchmark
    client_name: Bench
    redirect_uris: [http://127.0.0.1:1/callback]
    post_logout_redirect_uris: [http://127.0.0.1:1/]
    consent: never
personas: []
`
	if err := os.WriteFile(filepath.Join(dir, "bench.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "seed.yaml"), []byte(seed), 0o600)
}
