//go:build e2e && browser

package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A portal that signs in by script (interop/spa) can only be examined by a browser that has script.

func TestAPortalThatNeedsScriptIsExaminedWithABrowser(t *testing.T) {
	t.Parallel()
	w, args := spaWorld(t)
	if code, said := w.run(t, args...); code != 2 || !strings.Contains(said, "--browser") {
		t.Errorf("without a browser the exam ends with %d and no hint:\n%s", code, said)
	}
	faults := "A01,A02,A03,A04,A11,A23,A24,C01,C24,F04,I04,J15,K07"
	code, found, said := w.examined(t, append(args, "--browser", "--faults", faults)...)
	if code != 0 {
		t.Fatalf("the exam ends with %d:\n%s", code, said)
	}
	for _, id := range append(strings.Split(faults, ","), "G15", "G16", "I08", "I12", "I14") {
		if f := found[id]; f.Verdict != "PASS" {
			t.Errorf("%s: %q %s\n\t%s", id, f.Verdict, f.Reason.En, strings.Join(f.Evidence, "\n\t"))
		}
	}
	if t.Failed() {
		t.Log(said)
	}
}

// That the script compares state is seen, and so it is when it does not.
func TestAScriptThatDoesNotCompareStateFails(t *testing.T) {
	t.Parallel()
	w, args := spaWorld(t, "CARELESS=1")
	code, found, said := w.examined(t, append(args, "--browser", "--faults", "A01,A02,A06,A11,C01")...)
	var failed []string
	for id, f := range found {
		if f.Verdict == "FAIL" {
			failed = append(failed, id)
		}
	}
	slices.Sort(failed)
	if got := strings.Join(failed, " "); code != 1 || got != "A01 A02 A06" {
		t.Errorf("exit code %d, failed %q:\n%s", code, got, said)
	}
}

// Over https, Chromium believes the portal's key, which the exam was shown with a certificate that it was told to trust.
func TestTheSamplePortalIsExaminedWithABrowserOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal, withTLS)
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	var both []byte
	for _, name := range []string{"ca.pem", "portal-cert.pem"} {
		text, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	if err := os.WriteFile(trusted, both, 0o600); err != nil {
		t.Fatal(err)
	}
	code, found, said := w.examined(t, w.examArgs("--browser", "--ca", trusted, "--faults", "A02,A18,C01")...)
	for _, id := range []string{"A02", "A18", "C01", "G15", "G16", "I12", "I13"} {
		if found[id].Verdict != "PASS" {
			t.Errorf("%s does not pass", id)
		}
	}
	if code != 0 || t.Failed() {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

// spaWorld is a world with such a portal, and how it is examined.
func spaWorld(t *testing.T, env ...string) (w *world, args []string) {
	t.Helper()
	w = newWorld(t)
	spa := stranger{name: "spa", callback: "/callback", bin: interopBin(t, "spa"), prepare: func(_ *testing.T, _ string, given map[string]string) {
		for _, one := range env {
			name, value, _ := strings.Cut(one, "=")
			given[name] = value
		}
	}}
	base := spa.run(t, w)
	return w, []string{"exam", "--api", w.Sandbox + "/api/v1", "--login-url", base + "/login", "--whoami-url", base + "/", "--needle", an.Name}
}
