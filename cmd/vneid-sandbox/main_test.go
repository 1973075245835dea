package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tell runs the program in an empty folder.
func tell(t *testing.T, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var out, err bytes.Buffer
	code = run(ctx, args, &out, &err)
	return code, out.String(), err.String()
}

func TestExitCodesAndWhereTextsGo(t *testing.T) {
	good, bad := filepath.Join(t.TempDir(), "good.yaml"), filepath.Join(t.TempDir(), "bad.yaml")
	for name, text := range map[string]string{good: "listen: localhost:1\n", bad: "listen: x\nlisen: y\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for name, c := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"no command":             {nil, 2, "", "config check FILE"},
		"an unknown command":     {[]string{"sevre"}, 2, "", "vneid-sandbox serve"},
		"help":                   {[]string{"help"}, 0, "--sandbox-listen", ""},
		"help of serve":          {[]string{"serve", "--help"}, 0, "--sandbox-listen", ""},
		"version":                {[]string{"version"}, 0, "vneid-sandbox ", ""},
		"a good file":            {[]string{"config", "check", good}, 0, "ok\n", ""},
		"a bad file":             {[]string{"config", "check", bad}, 2, "", bad + `:2: lisen: unknown; did you mean "listen"?`},
		"a file that is missing": {[]string{"config", "check", "nowhere.yaml"}, 2, "", "nowhere.yaml"},
		"a wrong flag":           {[]string{"serve", "--port", "1"}, 2, "", "--port: unknown"},
		"an issuer of the state": {[]string{"serve", "--issuer", "https://vneid.gov.vn"}, 2, "", ".gov.vn"},
		"a taken port":           {[]string{"serve", "--listen", busy.Addr().String()}, 1, "", "--listen " + busy.Addr().String() + ": another program"},
		"a database nowhere":     {[]string{"serve", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0", "--database", "sqlite:/proc/x/y.db"}, 1, "", "sqlite:/proc/x/y.db"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := tell(t, t.Context(), c.args...)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
			}
			if code == 0 && stderr != "" || code != 0 && stdout != "" {
				t.Errorf("exit %d, but stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

// stopper ends the program once it has said everything.
type stopper struct {
	bytes.Buffer
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("Ctrl+C")) {
		s.stop()
	}
	return s.Buffer.Write(p)
}

func TestServeSaysWhatToDoNextAndStopsWithItsContext(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	stdout, stderr := stopper{stop: stop}, bytes.Buffer{}
	if code := run(ctx, []string{"serve", "--listen", "localhost:0", "--sandbox-listen", "localhost:0"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	for _, want := range []string{"http://localhost:", "/sms", "038090000001", "Sandbox@2024", "my-portal"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("stdout lacks %q:\n%s", want, &stdout)
		}
	}
	if _, err := os.Stat("var/sandbox.db"); err != nil {
		t.Error(err)
	}
	if strings.Contains(stderr.String(), "Sandbox@2024") {
		t.Errorf("the log says what belongs on standard output:\n%s", &stderr)
	}
}
