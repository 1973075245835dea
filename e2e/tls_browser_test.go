//go:build browser

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Over https with no flag that forgives anything: Chromium trusts the CA because it stands in its user's certificate
// database, node because NODE_EXTRA_CA_CERTS names it.

func TestBrowserWalksSeed003OverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal, withTLS)
	runStory(t, w, append(trusting(t, w), "ONCE=1"), "seed003.test.mjs")
}

func TestBrowserSignsInToAForeignRPOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal, withTLS)
	runStory(t, w, trusting(t, w), "foreign-rp.test.mjs", "--test-name-pattern=^my-portal")
}

// trusting is the environment of somebody who trusts the parties of this world: a home with a certificate database.
func trusting(t *testing.T, w *world) []string {
	t.Helper()
	home := t.TempDir()
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-N", "--empty-password"},
		{"-A", "-n", "the sandbox's CA", "-t", "C,,", "-i", w.ca},
		{"-A", "-n", "the portal's own", "-t", "P,,", "-i", filepath.Join(w.dir, "portal-cert.pem")}, // P: this very certificate
	} {
		if out, err := exec.Command("certutil", append([]string{"-d", "sql:" + db}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %v: %v\n%s%s", args, err, out, installHint)
		}
	}
	return []string{"HOME=" + home, "NODE_EXTRA_CA_CERTS=" + w.ca}
}
