//go:build e2e

package e2e_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// docs/truth-table.md says what libraries of others make of each fault, set up as their own documents show: the exam
// examines a small portal around each. `make truth-table` writes it; this test fails when it is no longer true.

// examinee is a portal that the exam examines.
type examinee struct {
	name, version string
	run           func(t *testing.T, w *world) (login, whoami string, p *supervised)
}

func examinees(t *testing.T) []examinee {
	list := []examinee{{"sample portal", "", func(t *testing.T, w *world) (string, string, *supervised) {
		w.startPortal(t)
		return w.Portal + "/login/vneid", w.Portal + "/", nil
	}}}
	known := append(strangers(t), stranger{name: "go-oidc (Go)", callback: "/callback", bin: interopBin(t, "goidc")})
	for _, l := range []struct{ stranger, name, file, pattern string }{
		{"go-oidc (Go)", "go-oidc", "../go.mod", `coreos/go-oidc/v3 v(\S+)`},
		{"openid-client 6 (Node)", "openid-client", "interop/node/package.json", `"openid-client": "([^"]+)"`},
		{"passport-openidconnect (Node)", "passport-openidconnect", "interop/node/package.json", `"passport-openidconnect": "([^"]+)"`},
		{"Authlib (Python)", "Authlib", "interop/python/requirements.txt", `authlib==(\S+)`},
	} {
		i := slices.IndexFunc(known, func(s stranger) bool { return s.name == l.stranger })
		if i < 0 {
			t.Fatalf("no relying party is called %s", l.stranger)
		}
		s := known[i]
		if s.needs != "" {
			if _, err := os.Stat(s.needs); err != nil {
				t.Fatalf("%v; install what the tests need with: make test-tools", err)
			}
		}
		list = append(list, examinee{l.name, pinned(t, l.file, l.pattern), func(t *testing.T, w *world) (string, string, *supervised) {
			p := s.supervised(t, w)
			return p.base + "/login", p.base + "/", p
		}})
	}
	return list
}

// interopBin builds a relying party in Go of interop/.
func interopBin(t *testing.T, name string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-C", "..", "-o", bin, "./e2e/interop/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return bin
}

// supervised is a relying party as a service manager and a web server before it run one: when its process ends it is
// started again; whoever was being served then gets a page of status 502, whoever comes later waits.
type supervised struct {
	base, behind string // its address, and that of its process
	start        func() *process

	mu     sync.Mutex
	p      *process
	deaths int
	over   bool
}

func (s *stranger) supervised(t *testing.T, w *world) *supervised {
	t.Helper()
	front, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(freePort(t))
	v := &supervised{base: "http://" + front.Addr().String(), behind: "127.0.0.1:" + port}
	env := []string{"LIBRARY_DEFAULTS=1"}
	for name, value := range s.register(t, w, v.base, port) {
		env = append(env, name+"="+value)
	}
	log, dir := &output{}, t.TempDir()
	v.start = func() *process { return startProcess(t, log, dir, s.bin, env, s.args...) }
	v.p = v.start()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: v.behind})
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{DisableKeepAlives: true},
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) {
			v.dying()
			rw.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(rw, "bad gateway")
		},
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := v.up(); err != nil {
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(rw, r)
	})}
	go server.Serve(front)
	t.Cleanup(func() {
		server.Close()
		v.mu.Lock()
		defer v.mu.Unlock()
		v.over = true
		v.p.kill()
		if t.Failed() {
			t.Logf("what %s printed:\n%.20000s", s.name, log)
		}
	})
	if err := v.up(); err != nil || v.died() > 0 {
		t.Fatalf("%s does not start: %v\n%s", s.name, err, log)
	}
	return v
}

// up waits until the process answers, and starts it again when it has ended.
func (v *supervised) up() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if v.over {
			return errors.New("the test is over")
		}
		if v.p.ended() {
			v.deaths++
			v.p = v.start()
		}
		if c, err := net.Dial("tcp", v.behind); err == nil {
			return c.Close()
		}
	}
	return errors.New("it does not come up")
}

// dying waits until a process that broke a connection has ended, if it does: until then it takes further ones.
func (v *supervised) dying() {
	v.mu.Lock()
	p := v.p
	v.mu.Unlock()
	select {
	case <-p.done:
	case <-time.After(2 * time.Second):
	}
}

func (v *supervised) died() int {
	if v == nil {
		return 0
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.deaths
}

// fresh begins a new process, which remembers nothing.
func (v *supervised) fresh() {
	v.mu.Lock()
	v.p.kill()
	v.p = v.start()
	v.mu.Unlock()
}

// finding is a line of the exam's report.
type finding struct {
	ID, Name, Variant, Grade, Verdict string
	Title                             struct{ En string }
	died                              bool // the process of the relying party, of this
}

// unasked are faults that say nothing about a library in one sign-in, or whose verdict the speed of the machine decides:
// logout tokens (none of them takes any), attacks, linking, the phone; servers that hang until somebody gives up, and
// answers that fail by chance.
func unasked(id string) bool {
	return strings.Contains("GIJK", id[:1]) || slices.Contains([]string{"F06", "H01", "H02", "H06"}, id)
}

// examined holds exams and returns what they find about faults of the catalogue; what they find out about cookies and
// pages says nothing about a library. A library may remember a wrong key set for as long as its process lives: these
// faults get a process of their own, so that none is judged by the one before it.
func (e *examinee) examined(t *testing.T) (list []finding) {
	t.Helper()
	w := newWorld(t, withArgs("--attack-listen", fmt.Sprintf("localhost:%d", freePort(t))))
	login, whoami, p := e.run(t, w)
	var catalogue []struct {
		ID, Seam string
		Variants []struct{ Name string }
	}
	w.api(t, http.StatusOK, "GET", "/faults", nil, &catalogue)
	var first []string
	exams := [][]string{nil}
	for _, f := range catalogue {
		switch {
		case unasked(f.ID):
		case p == nil || f.Seam != "jwks" && f.Seam != "keys":
			first = append(first, f.ID)
		case len(f.Variants) == 0:
			exams = append(exams, []string{f.ID})
		default:
			for _, v := range f.Variants {
				exams = append(exams, []string{f.ID + ":" + v.Name})
			}
		}
	}
	exams[0] = first
	for i, faults := range exams {
		if i > 0 {
			p.fresh()
		}
		list = append(list, e.exam(t, w, login, whoami, faults, p)...)
	}
	slices.SortStableFunc(list, func(a, b finding) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// exam is one run of the command.
func (e *examinee) exam(t *testing.T, w *world, login, whoami string, faults []string, p *supervised) []finding {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(sandboxBin, "exam", "--api", w.Sandbox+"/api/v1", "--login-url", login, "--whoami-url", whoami, "--needle", "Nguyễn Văn An",
		"--faults", strings.Join(faults, ","), "--variants", "--report", file)
	cmd.Env = cleanEnv()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dead, before := map[string]bool{}, p.died()
	for lines := bufio.NewScanner(stdout); lines.Scan(); { // a line for each finding, as it comes
		t.Log(e.name, lines.Text())
		if fields := strings.Fields(lines.Text()); len(fields) > 2 && p.died() > before {
			dead[fields[1]+" "+fields[2]], before = true, p.died()
		}
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: something failed, which is what we want to know
		t.Fatalf("the exam of %s: %v\n%s", e.name, err, complaints.String())
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Findings []finding }
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	for i := range report.Findings {
		f := &report.Findings[i]
		f.died = dead[f.ID+" "+strings.TrimSuffix(f.Name+":"+f.Variant, ":")]
	}
	return slices.DeleteFunc(report.Findings, func(f finding) bool {
		// Whether a random state has a plus is chance, too.
		return f.ID == "A06" && f.Variant == "plus-to-space" || !slices.ContainsFunc(faults, func(asked string) bool { id, _, _ := strings.Cut(asked, ":"); return id == f.ID })
	})
}

func TestTruthTable(t *testing.T) {
	list := examinees(t)
	seen := make([][]finding, len(list))
	t.Run("exams", func(t *testing.T) {
		for i := range list {
			t.Run(list[i].name, func(t *testing.T) {
				t.Parallel()
				seen[i] = list[i].examined(t)
			})
		}
	})
	if t.Failed() {
		return
	}
	checkTruth(t, list, seen)
}
