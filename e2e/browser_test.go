//go:build browser

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Each story of browser/ gets a world of its own and runs in node's test runner with a real Chromium.

func TestBrowserWalksSeed003(t *testing.T)           { runInNode(t, "seed003.test.mjs") }
func TestBrowserWalksSeed000(t *testing.T)           { runInNode(t, "seed000.test.mjs") }
func TestBrowserWithAPhoneBeside(t *testing.T)       { runInNode(t, "qr-phone.test.mjs") }
func TestBrowserByKeyboardAndBackwards(t *testing.T) { runInNode(t, "manners.test.mjs") }
func TestBrowserSignsInToForeignRPs(t *testing.T)    { runInNode(t, "foreign-rp.test.mjs") }
func TestBrowserSignsInWithEveryAlg(t *testing.T)    { runInNode(t, "matrix.test.mjs") }
func TestBrowserFindsNoBarrier(t *testing.T)         { runInNode(t, "axe-walk.test.mjs") }
func TestBrowserSignsOutInFrames(t *testing.T)       { runInNode(t, "signout.test.mjs") }
func TestBrowserAtTheConsole(t *testing.T)           { runInNode(t, "console.test.mjs") }

// The portal with a provider that is not ours; the world lends its ports and the built portal.
func TestBrowserPortalWithAForeignProvider(t *testing.T) {
	t.Parallel()
	runStory(t, newWorld(t, withPortal), []string{"PORTAL_BIN=" + portalBin}, "foreign-op.test.mjs")
}

const installHint = "install what the browser tests need with: make test-tools"

func runInNode(t *testing.T, file string) {
	t.Parallel()
	runStory(t, newWorld(t, withPortal), nil, file)
}

// runStory runs a file of browser/ in a world, with more of an environment and arguments of node's test runner.
func runStory(t *testing.T, w *world, env []string, file string, args ...string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("node is missing (%v); %s", err, installHint)
	}
	chromium := chromium()
	for _, needed := range []string{chromium, "browser/node_modules/playwright-core", "browser/node_modules/openid-client", "browser/node_modules/oidc-provider", "browser/node_modules/axe-core"} {
		if _, err := os.Stat(needed); err != nil {
			t.Fatalf("%s is missing (%v); %s", needed, err, installHint)
		}
	}
	screenshots, err := filepath.Abs("../build/screenshots")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"--test", "--test-reporter=spec"}, args...)
	if nodeMajor(t, node) < 20 {
		args = append(args, "--experimental-global-webcrypto") // openid-client wants globalThis.crypto
	}
	cmd := exec.Command(node, append(args, file)...)
	cmd.Dir = "browser"
	cmd.Env = append(cleanEnv("ISSUER="+w.Issuer, "SANDBOX="+w.Sandbox, "PORTAL="+w.Portal, "CHROMIUM="+chromium, "SCREENSHOTS="+screenshots), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("node --test %s: %v", file, err)
	}
}

// chromium is the browser of this machine.
func chromium() string {
	if c := os.Getenv("CHROMIUM"); c != "" {
		return c
	}
	return "/usr/bin/chromium"
}

func nodeMajor(t *testing.T, node string) int {
	t.Helper()
	out, err := exec.Command(node, "--version").Output()
	if err != nil {
		t.Fatalf("node --version: %v", err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		t.Fatalf("node --version says %q", out)
	}
	return n
}
