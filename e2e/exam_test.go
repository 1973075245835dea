//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

type examFinding struct {
	ID, Name, Grade, Verdict string
	Reason                   struct{ Vi, En string }
	Evidence                 []string
	Millis                   int64 `json:"ms"`
}

// examArgs is how the sample portal is examined.
func (w *world) examArgs(more ...string) []string {
	return append([]string{
		"exam", "--api", w.Sandbox + "/api/v1", "--login-url", w.Portal + "/login/vneid", "--whoami-url", w.Portal + "/",
		"--needle", an.Name, "--logout-url", w.Portal + "/logout",
	}, more...)
}

func (w *world) hearLogouts(t *testing.T) {
	t.Helper()
	w.api(t, http.StatusOK, "PATCH", "/clients/thanhhoa-portal", map[string]any{"backchannel_logout_uri": w.Portal + "/backchannel-logout"}, nil)
}

func (w *world) wantNothingArmed(t *testing.T) {
	t.Helper()
	var armed []any
	w.api(t, http.StatusOK, "GET", "/clients/thanhhoa-portal/faults", nil, &armed)
	if len(armed) > 0 {
		t.Errorf("after the exam %v stay armed", armed)
	}
}

// run lets the program run to its end.
func (w *world) run(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, sandboxBin, args...)
	cmd.Dir, cmd.Env = w.dir, cleanEnv()
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// examined holds an exam and gives back the findings by id.
func (w *world) examined(t *testing.T, args ...string) (code int, found map[string]examFinding, said string) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	code, said = w.run(t, append(args, "--report", report)...)
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("exit code %d and no report:\n%s", code, said)
	}
	var r struct{ Findings []examFinding }
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	found = map[string]examFinding{}
	for _, f := range r.Findings {
		found[f.ID] = f
	}
	return code, found, said
}

func TestTheSamplePortalPassesTheExam(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	w.hearLogouts(t)
	dir := t.TempDir()
	report := func(ending string) string { return filepath.Join(dir, "report"+ending) }
	endings := []string{".json", ".junit.xml", ".sarif", ".html"}
	args := w.examArgs("--seed", "7")
	for _, e := range endings {
		args = append(args, "--report", report(e))
	}
	code, said := w.run(t, args...)
	if code != 0 {
		t.Fatalf("the exam ends with %d:\n%s", code, said)
	}
	w.wantNothingArmed(t)
	read := map[string][]byte{}
	for _, e := range endings {
		raw, err := os.ReadFile(report(e))
		if err != nil {
			t.Fatal(err)
		}
		read[e] = raw
		for what, secret := range map[string]string{"a whole CCCD": an.CCCD, "a code": "code=", "an ID token": "eyJ"} {
			if i := bytes.Index(raw, []byte(secret)); i >= 0 {
				t.Errorf("report%s holds %s: %s", e, what, raw[max(0, i-80):min(len(raw), i+80)])
			}
		}
	}
	checkExamJSON(t, read[".json"])
	checkExamJUnit(t, read[".junit.xml"])
	checkExamSARIF(t, read[".sarif"])
	page := string(read[".html"])
	for _, text := range []string{"Phiếu kiểm thử tích hợp", "MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT", "prefers-color-scheme: dark", "@page", `lang="en"`} {
		if !strings.Contains(page, text) {
			t.Errorf("the report for people lacks %q", text)
		}
	}
	for _, foreign := range []string{"<script", "src=", "href=\"http", "@import", "url("} {
		if strings.Contains(page, foreign) {
			t.Errorf("the report for people is not self-contained: it has %q", foreign)
		}
	}
}

func checkExamJSON(t *testing.T, raw []byte) {
	t.Helper()
	var r struct {
		Grade    string
		Millis   int64 `json:"ms"`
		Seed     int64
		Persona  string
		Findings []examFinding
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	decided := 0
	for _, f := range r.Findings {
		switch {
		case f.Verdict == "FAIL", f.Verdict == "WARN" && f.Grade == "accept":
			t.Errorf("%s %s: %s: %s\n\t%s", f.ID, f.Name, f.Verdict, f.Reason.En, strings.Join(f.Evidence, "\n\t"))
		case f.Verdict == "INCONCLUSIVE" && (f.Reason.Vi == "" || f.Reason.En == ""):
			t.Errorf("%s %s has no reason", f.ID, f.Name)
		case f.Verdict != "INCONCLUSIVE":
			decided++
		}
	}
	t.Logf("grade %s, %d findings, %d decided, %.1f s", r.Grade, len(r.Findings), decided, float64(r.Millis)/1000)
	if decided < 100 || r.Grade == "F" || r.Seed != 7 || r.Persona != "038******001" {
		t.Errorf("grade %s, %d decided of %d, seed %d, persona %s", r.Grade, decided, len(r.Findings), r.Seed, r.Persona)
	}
	if most := 90 * time.Second; time.Duration(r.Millis)*time.Millisecond > most {
		t.Errorf("the exam took %d ms, at most %s is promised", r.Millis, most)
	}
}

func checkExamJUnit(t *testing.T, raw []byte) {
	t.Helper()
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(raw, &suite); err != nil {
		t.Fatal(err)
	}
	failed, skipped := 0, 0
	for _, c := range suite.Cases {
		if c.Failure != nil {
			failed++
		}
		if c.Skipped != nil {
			skipped++
		}
	}
	if suite.Tests != len(suite.Cases) || suite.Failures != failed || suite.Skipped != skipped || len(suite.Cases) < 100 {
		t.Errorf("JUnit says %d tests, %d failures, %d skipped; it has %d, %d, %d", suite.Tests, suite.Failures, suite.Skipped, len(suite.Cases), failed, skipped)
	}
}

func checkExamSARIF(t *testing.T, raw []byte) {
	t.Helper()
	var s struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Kind      string
				Level     string
				Message   struct{ Text string }
			}
		}
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	if s.Version != "2.1.0" || !strings.Contains(s.Schema, "sarif-2.1.0") || len(s.Runs) != 1 || s.Runs[0].Tool.Driver.Name == "" {
		t.Fatalf("SARIF %q, %d runs", s.Version, len(s.Runs))
	}
	rules := s.Runs[0].Tool.Driver.Rules
	for _, r := range s.Runs[0].Results {
		if r.RuleIndex < 0 || r.RuleIndex >= len(rules) || rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" {
			t.Errorf("a result of %s points to rule %d", r.RuleID, r.RuleIndex)
		}
		if r.Kind != "fail" && r.Level != "none" { // SARIF 2.1.0 §3.27.10
			t.Errorf("%s is of kind %s and level %s", r.RuleID, r.Kind, r.Level)
		}
	}
}

func TestAnInterruptedExamLeavesNothingArmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	log := &output{}
	p := startProcess(t, log, w.dir, sandboxBin, nil, w.examArgs("--faults", "H02,H01")...) // both make the portal wait
	armed := func() bool {
		var list []any
		w.api(t, http.StatusOK, "GET", "/clients/thanhhoa-portal/faults", nil, &list)
		return len(list) > 0
	}
	for end := time.Now().Add(20 * time.Second); !armed(); time.Sleep(5 * time.Millisecond) {
		if p.ended() || time.Now().After(end) {
			t.Fatalf("the exam armed nothing:\n%s", log)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.kill()
		t.Fatal("the exam still runs 10 s after SIGINT")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("an interrupted exam ends with %d, want 2:\n%s", code, log)
	}
	w.wantNothingArmed(t)
}

func TestWhatIsNoExamSaysWhyAndEndsWithTwo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"no flags", "--login-url is needed", []string{"exam"}},
		{"an unknown fault", `no fault, name or section is called "Z99"`, w.examArgs("--faults", "Z99")},
		{"a report of no format", "a report ends in", w.examArgs("--report", "report.pdf")},
		{"a needle that stands nowhere", "does not stand on", w.examArgs("--needle", "Trần Thị Không Có")},
		{"a page without sign-in", "does not lead to an authorization request", w.examArgs("--login-url", w.Portal+"/linking-rules")},
		{"another client", "it signs in as client", w.examArgs("--client-id", "my-portal")},
		{"a government host", "may not be examined", w.examArgs("--login-url", "https://dichvucong.gov.vn/login")},
		{"a link-local address", "may not be examined", w.examArgs("--whoami-url", "http://169.254.169.254/latest")},
		{"no sandbox there", "does not answer", w.examArgs("--api", fmt.Sprintf("http://localhost:%d/api/v1", freePort(t)))},
	} {
		if code, said := w.run(t, c.args...); code != 2 || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit code %d, want 2 and %q:\n%s", c.name, code, c.says, said)
		}
	}
	w.wantNothingArmed(t)
}
