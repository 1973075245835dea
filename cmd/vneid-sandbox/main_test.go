package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := gone.Addr().String()
	gone.Close()
	for name, c := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"no command":                   {nil, 2, "", "config check FILE"},
		"an unknown command":           {[]string{"sevre"}, 2, "", "vneid-sandbox serve"},
		"help":                         {[]string{"help"}, 0, "--sandbox-listen", ""},
		"help of serve":                {[]string{"serve", "--help"}, 0, "--sandbox-listen", ""},
		"version":                      {[]string{"version"}, 0, "vneid-sandbox ", ""},
		"a good file":                  {[]string{"config", "check", good}, 0, "ok\n", ""},
		"a bad file":                   {[]string{"config", "check", bad}, 2, "", bad + `:2: lisen: unknown; did you mean "listen"?`},
		"a file that is missing":       {[]string{"config", "check", "nowhere.yaml"}, 2, "", "nowhere.yaml"},
		"a doctor without a sandbox":   {[]string{"doctor", "--issuer", "http://" + quiet}, 1, "No sandbox runs here", ""},
		"a doctor with a wrong flag":   {[]string{"doctor", "--port", "1"}, 2, "", "--from-container NAME"},
		"a doctor with a wrong format": {[]string{"doctor", "--log-format", "xml"}, 2, "", "neither text nor json"},
		"a doctor for machines":        {[]string{"doctor", "--issuer", "http://" + quiet, "--log-format", "json"}, 1, `{"check":"running"`, ""},
		"a wrong flag":                 {[]string{"serve", "--port", "1"}, 2, "", "--port: unknown"},
		"an issuer of the state":       {[]string{"serve", "--issuer", "https://vneid.gov.vn"}, 2, "", ".gov.vn"},
		"a taken port":                 {[]string{"serve", "--listen", busy.Addr().String()}, 1, "", "--listen " + busy.Addr().String() + ": another program"},
		"a database nowhere":           {[]string{"serve", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0", "--database", "sqlite:/proc/x/y.db"}, 1, "", "sqlite:/proc/x/y.db"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := tell(t, t.Context(), c.args...)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
			}
			if code == 0 && stderr != "" || code != 0 && stdout != "" && c.args[0] != "doctor" {
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
	if bytes.Contains(p, []byte("Ctrl+C")) || bytes.Contains(p, []byte(`"event":"ready"`)) {
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
	for _, want := range []string{"http://localhost:", "/console", "/sms", "/phone", "038090000001", "Sandbox@2024", "my-portal / my-portal-secret", "Tiếp theo / next", "vneid-sandbox doctor --issuer http://localhost:"} {
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

func TestWithJSONStandardOutputIsForMachines(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	stdout, stderr := stopper{stop: stop}, bytes.Buffer{}
	args := []string{"serve", "--log-format", "json", "--listen", "localhost:0", "--sandbox-listen", "localhost:0", "--database", "sqlite::memory:", "--tls", "auto"}
	if code := run(ctx, args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	var said struct {
		Event, Issuer, API, CA string
		SandboxURL             string `json:"sandbox_url"`
		Persona                struct{ CCCD, Password string }
		Client                 struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
	}
	d := json.NewDecoder(&stdout)
	if err := d.Decode(&said); err != nil || d.More() {
		t.Fatalf("standard output is not one line of JSON: %v\n%s", err, &stdout)
	}
	if said.Event != "ready" || !strings.HasPrefix(said.Issuer, "https://localhost:") || said.API != said.SandboxURL+"/api/v1" || said.Persona.CCCD != "038090000001" ||
		said.Persona.Password == "" || said.Client.ID != "my-portal" || said.Client.Secret == "" {
		t.Errorf("%+v", said)
	}
	if _, err := os.Stat(said.CA); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a log line that is no JSON: %s", line)
		}
	}
}
