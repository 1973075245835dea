//go:build e2e

package e2e_test

import (
	"encoding/json"
	"os"
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

// linkingExam examines the portal of a world by the file that is shipped for it.
func (w *world) linkingExam(t *testing.T, args ...string) (code int, r linkingReport) {
	t.Helper()
	raw, err := os.ReadFile("../docs/linking-portal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, report := filepath.Join(dir, "portal.yaml"), filepath.Join(dir, "report.json")
	if err := os.WriteFile(file, []byte(strings.Replace(string(raw), "http://127.0.0.1:9999", w.Portal, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &output{}
	p := startProcess(t, log, dir, sandboxBin, nil, append([]string{"exam", "--linking", file, "--api", w.Sandbox + "/api/v1", "--report", report}, args...)...)
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
	code, r := w.linkingExam(t)
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
