//go:build e2e

package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// linkingReport is what the linking exam wrote, as far as these stories look.
type linkingReport struct {
	Grade    string
	Findings []struct {
		ID, Name, Variant, Section, Verdict string
		Reason                              struct{ Vi, En string }
		Evidence                            []string
	}
}

// linkingExam examines the portal of a world by the file that is shipped for it, with more lines at its end.
func (w *world) linkingExam(t *testing.T, more string) (code int, r linkingReport) {
	t.Helper()
	raw, err := os.ReadFile("../docs/linking-portal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, report := filepath.Join(dir, "portal.yaml"), filepath.Join(dir, "report.json")
	if err := os.WriteFile(file, []byte(strings.Replace(string(raw), "http://127.0.0.1:9999", w.Portal, 1)+more), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &output{}
	p := startProcess(t, log, dir, sandboxBin, nil, "exam", "--linking", file, "--api", w.Sandbox+"/api/v1", "--report", report)
	select {
	case <-p.done:
	case <-time.After(3 * time.Minute):
		p.kill()
		t.Fatalf("the exam did not end:\n%s", log)
	}
	if raw, err = os.ReadFile(report); err != nil {
		t.Fatalf("no report: %v\n%s", err, log)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if whole := regexp.MustCompile(`\b038[0-9]{9}\b`).Find(raw); whole != nil {
		t.Errorf("the report tells a whole CCCD: %s", whole)
	}
	if strings.Contains(string(raw), "code=") || strings.Contains(string(raw), "Portal@2024") {
		t.Error("the report tells a code or a password")
	}
	return p.cmd.ProcessState.ExitCode(), r
}

func TestTheLinkingExamFindsNothingAtTheSamplePortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	code, r := w.linkingExam(t, "")
	if code != 0 || r.Grade != "A" || len(r.Findings) < 50 {
		t.Errorf("exit code %d, grade %s, %d findings", code, r.Grade, len(r.Findings))
	}
	for _, f := range r.Findings {
		if f.Verdict != "PASS" || f.Section != "linking" || len(f.Evidence) == 0 {
			t.Errorf("%s %s %s: %s: %s %q", f.ID, f.Name, f.Variant, f.Verdict, f.Reason.En, f.Evidence)
		}
	}
	// It leaves the world as it was: nothing armed, and nobody of those it made.
	var armed []any
	var people []persona
	w.api(t, 200, "GET", "/clients/thanhhoa-portal/faults", nil, &armed)
	w.api(t, 200, "GET", "/personas", nil, &people)
	if len(armed) != 0 || len(people) != 13 {
		t.Errorf("%d faults armed, %d people", len(armed), len(people))
	}
}

// The careless portal shows what it does: each of its mistakes of linking fails in its own scenarios, and in no other.
// What a wrong link spoils afterwards is INCONCLUSIVE and names the scenario that saw it.
func TestTheLinkingExamFailsTheCarelessPortalWhereItIsCareless(t *testing.T) {
	t.Parallel()
	careless := filepath.Join(t.TempDir(), "rp-careless")
	build := exec.Command("go", "build", "-C", "..", "-tags", "careless", "-o", careless, "./rp-example")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct{ mistakes, fails string }{
		{"none", ""},
		{"cccd-loose,level-unchecked,name-markup,role-from-claims,identity-from-browser,no-state", "A03 J23 J10 J15:markup J31 J01 J02:missing J02:unknown J02:word"},
		{"link-by-cccd", "J19 J06 J07"},
		{"link-without-proof", "I10 J20"},
		{"link-by-phone", "J17"},
		{"link-by-email", "J18:false"}, // the first of three: the account is gone then
		{"name-as-key", "J13"},
		{"key-by-cccd", "J08"},
	} {
		t.Run(c.mistakes, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withBuild(careless, "PORTAL_MISTAKES="+c.mistakes))
			// Where the careless build takes an identity from the browser; the good one has no such address.
			code, r := w.linkingExam(t, "carried:\n  page: /sso/userinfo\n  fields: {user: \"{userinfo}\"}\n")
			var failed []string
			for _, f := range r.Findings {
				name := strings.TrimSuffix(f.ID+":"+f.Variant, ":")
				switch {
				case f.Verdict == "FAIL":
					failed = append(failed, name)
				case f.Verdict == "INCONCLUSIVE" && !strings.Contains(f.Reason.En, " was joined "):
					t.Errorf("%s cannot be told: %s %q", name, f.Reason.En, f.Evidence)
				}
			}
			if got := strings.Join(failed, " "); got != c.fails || (code == 1) != (c.fails != "") {
				t.Errorf("exit code %d; it fails in %q, want %q", code, got, c.fails)
			}
		})
	}
}
