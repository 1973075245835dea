//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func serveArgs(t *testing.T, more ...string) []string {
	listen, sandbox := fmt.Sprintf("localhost:%d", freePort(t)), fmt.Sprintf("localhost:%d", freePort(t))
	dir := t.TempDir()
	return append([]string{"serve", "--listen", listen, "--issuer", "http://" + listen, "--sandbox-listen", sandbox,
		"--sandbox-url", "http://" + sandbox, "--database", "sqlite:" + filepath.Join(dir, "x.db"), "--data", dir}, more...)
}

func TestBadUsageAndConfigurationExitWith2(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		env  []string
		says string
	}{
		"no command":                        {nil, nil, "serve"},
		"an unknown command":                {[]string{"fly"}, nil, "serve"},
		"an unknown flag":                   {[]string{"serve", "--lissten", "x"}, nil, "lissten"},
		"an issuer under .gov.vn":           {serveArgs(t, "--issuer", "https://vneid.gov.vn"), nil, ".gov.vn"},
		"an issuer under .GOV.VN.":          {serveArgs(t, "--issuer", "https://sso.VNEID.GOV.VN."), nil, ""},
		"an issuer that is no URL":          {serveArgs(t, "--issuer", "hello"), nil, "issuer"},
		"an issuer with a query":            {serveArgs(t, "--issuer", "http://localhost:1/?x"), nil, "issuer"},
		"all interfaces without a token":    {serveArgs(t, "--listen", fmt.Sprintf("0.0.0.0:%d", freePort(t))), nil, "VNEID_SANDBOX_TOKEN"},
		"sandbox on all interfaces, no one": {serveArgs(t, "--sandbox-listen", fmt.Sprintf(":%d", freePort(t))), nil, "VNEID_SANDBOX_TOKEN"},
		"an unknown database":               {serveArgs(t, "--database", "oracle://x"), nil, "database"},
		"an unknown log format":             {serveArgs(t, "--log-format", "xml"), nil, "log"},
		"a seed that is not there":          {serveArgs(t, "--seed", "/nonexistent.yaml"), nil, "nonexistent"},
		"a bad environment variable":        {[]string{"serve"}, []string{"VNEID_SANDBOX_ISSUER=https://x.gov.vn"}, ".gov.vn"},
		"a configuration that is not there": {serveArgs(t, "--config", "/nonexistent.yaml"), nil, "nonexistent"},
		"config check without a file":       {[]string{"config", "check"}, nil, ""},
		"config check of a missing file":    {[]string{"config", "check", "/nonexistent.yaml"}, nil, "nonexistent"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := runToEnd(t, c.env, c.args...)
			if code != 2 || !strings.Contains(out, c.says) || strings.TrimSpace(out) == "" {
				t.Errorf("exit code %d, want 2 and %q in:\n%s", code, c.says, out)
			}
			if strings.Contains(out, "goroutine ") {
				t.Errorf("it panicked:\n%s", out)
			}
		})
	}
}

func TestAPortInUseExitsWith1(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	args := serveArgs(t, "--listen", strings.TrimPrefix(w.Issuer, "http://"))
	if code, out := runToEnd(t, nil, args...); code != 1 || !strings.Contains(out, "in use") {
		t.Errorf("exit code %d, want 1 and the reason in:\n%s", code, out)
	}
}

func TestConfigCheckTellsEveryMistakeAtOnce(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, text string) string {
		file := filepath.Join(t.TempDir(), "sandbox.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}

	t.Run("with line and hint", func(t *testing.T) {
		file := write(t, strings.Join([]string{
			"# a file with mistakes",
			"issuer: https://vneid.gov.vn",
			"listen: nowhere",
			"lissten: localhost:9998",
			"database: oracle://x",
			"clients:",
			"  - client_id: shop",
			"    redirect_uris: [\"https://shop.gov.vn/callback\"]",
			"    token_endpoint_auth_method: telepathy",
			"    consent: sometimes",
			"",
		}, "\n"))
		code, out := runToEnd(t, nil, "config", "check", file)
		if code != 2 {
			t.Errorf("exit code %d, want 2", code)
		}
		for line, word := range map[int]string{2: ".gov.vn", 3: "listen", 4: "lissten", 5: "database", 8: ".gov.vn", 9: "telepathy", 10: "consent"} {
			found := false
			for _, said := range strings.Split(out, "\n") {
				if regexp.MustCompile(fmt.Sprintf(`(^|\D)%d(\D|$)`, line)).MatchString(strings.ReplaceAll(said, file, "FILE")) && strings.Contains(said, word) {
					found = true
				}
			}
			if !found {
				t.Errorf("no complaint about line %d with %q", line, word)
			}
		}
		if t.Failed() {
			t.Logf("it said:\n%s", out)
		}
	})

	t.Run("a good file is fine, and works", func(t *testing.T) {
		file := write(t, strings.Join([]string{
			"clients:",
			"  - client_id: from-file",
			"    client_name: Cổng trong tệp",
			"    token_endpoint_auth_method: none",
			"    consent: never",
			"    redirect_uris:",
			"      - http://rp.example:7777/callback",
			"",
		}, "\n"))
		if code, out := runToEnd(t, nil, "config", "check", file); code != 0 {
			t.Fatalf("exit code %d: %s", code, out)
		}
		w := newWorld(t, withArgs("--config", file))
		v := w.visitor(t)
		r := w.request(rp{ID: "from-file", Redirect: "http://rp.example:7777/callback"})
		v.SignIn(r, an)
		r.Redeem(t, v.wantCode(r))
		var seeded map[string]any
		w.api(t, http.StatusOK, "GET", "/clients/my-portal", nil, &seeded)
	})

	t.Run("what is no YAML is said with its line", func(t *testing.T) {
		code, out := runToEnd(t, nil, "config", "check", write(t, "issuer: http://localhost:1\n\tlisten: x\n"))
		if code != 2 || !strings.Contains(out, "2") || strings.Contains(out, "goroutine ") {
			t.Errorf("exit code %d: %s", code, out)
		}
	})
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sandbox.yaml")
	if err := os.WriteFile(file, []byte("issuer: https://from-file.gov.vn\nlisten: from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Flags for everything: the file's bad values do not count, except that they may be complained about.
	env := []string{"VNEID_SANDBOX_CONFIG=" + file, "VNEID_SANDBOX_ISSUER=https://from-env.gov.vn"}
	code, out := runToEnd(t, env, "serve", "--listen", "localhost:0", "--sandbox-listen", "localhost:0")
	if code != 2 || !strings.Contains(out, "VNEID_SANDBOX_ISSUER") {
		t.Errorf("exit code %d, want 2 and the environment's issuer in:\n%s", code, out)
	}
}

func TestVersionNamesItself(t *testing.T) {
	t.Parallel()
	code, out := runToEnd(t, nil, "version")
	if code != 0 || !strings.Contains(out, "vneid-sandbox") || !strings.Contains(out, "go1.") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestLogsAreOneLineOfJSONPerRequestWhenAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withArgs("--log-format", "json"))
	v := w.visitor(t)
	r := w.request(seededPortal, "scope", allScopes)
	v.SignIn(r, an)
	r.Redeem(t, v.wantCode(r))
	w.visitor(t).Open(w.Issuer + "/authorize?client_id=nobody&code=canary-code-in-a-query")
	w.secret("a code in a query", "canary-code-in-a-query")
	req, _ := http.NewRequest("GET", w.Issuer+"/userinfo?access_token=canary-token-in-a-query", nil)
	w.do(t, req)
	w.secret("a token in a query", "canary-token-in-a-query")
	req, _ = http.NewRequest("GET", w.Issuer+"/metrics", nil)
	if _, raw := w.do(t, req); strings.Contains(string(raw), an.CCCD) || strings.Contains(string(raw), "canary") {
		t.Error("the metrics hold secrets")
	}
	requests := 0
	for end := time.Now().Add(5 * time.Second); requests == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // lines are written together, a moment later
		for _, line := range strings.Split(strings.TrimSpace(w.log.Log()), "\n") {
			if strings.HasPrefix(line, "{") && strings.Contains(line, "/oauth/token") {
				requests++
			}
		}
	}
	if requests != 1 {
		t.Errorf("%d JSON lines about /oauth/token, want 1", requests)
	}
}
