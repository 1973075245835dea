//go:build browser

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The thin clients of clients/ drive the built program, each in the tests of its own language.

func TestNodeClient(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("node is missing (%v); %s", err, installHint)
	}
	const dir = "../clients/node"
	for _, needed := range []string{chromium(), dir + "/node_modules/playwright-core", dir + "/node_modules/typescript"} {
		if _, err := os.Stat(needed); err != nil {
			t.Fatalf("%s is missing (%v); %s", needed, err, installHint)
		}
	}
	runClient(t, dir, node, "node_modules/typescript/bin/tsc", "-p", "test")
	runClient(t, dir, node, "--test", "--test-reporter=spec", "test/client.test.mjs", "test/playwright.test.mjs")
}

func TestPythonClient(t *testing.T) {
	t.Parallel()
	for _, python := range []string{"python3", "/usr/bin/python3"} { // that of the PATH, that of Debian
		if exec.Command(python, "-c", "import pytest").Run() == nil {
			runClient(t, "../clients/python", python, "-W", "error", "-m", "unittest", "-v", "tests/test_client.py")
			return
		}
	}
	t.Fatal("no python3 with pytest; " + installHint)
}

func runClient(t *testing.T, dir, bin string, args ...string) {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	cmd.Env = append(cleanEnv("CHROMIUM="+chromium(), "PYTHONDONTWRITEBYTECODE=1"), "VNEID_SANDBOX_BIN="+sandboxBin)
	out, err := cmd.CombinedOutput()
	fmt.Printf("%s", out)
	if err != nil {
		t.Errorf("%s %v in %s: %v", bin, args, dir, err)
	}
}
