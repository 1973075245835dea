package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSettingsComeFromFlagThenEnvironmentThenDefault(t *testing.T) {
	read := func(env map[string]string, args ...string) (config, error) {
		return readConfig(args, func(k string) (string, bool) { v, ok := env[k]; return v, ok }, io.Discard)
	}
	cfg, err := read(nil)
	if err != nil || cfg.Listen != "127.0.0.1:9999" || cfg.Issuer != "http://localhost:9998" || cfg.ClientID != "thanhhoa-portal" || cfg.ClientSecret != "thanhhoa-portal-secret" || cfg.Database != "var/portal.db" {
		t.Errorf("defaults: %+v, %v", cfg, err)
	}
	env := map[string]string{"PORTAL_ISSUER": "http://env.test", "PORTAL_CLIENT_ID": "from-env", "PORTAL_CLIENT_SECRET": ""}
	cfg, err = read(env, "--portal-issuer", "http://flag.test")
	if err != nil || cfg.Issuer != "http://flag.test" || cfg.ClientID != "from-env" || cfg.ClientSecret != "thanhhoa-portal-secret" {
		t.Errorf("precedence: %+v, %v", cfg, err)
	}
	for listen, want := range map[string]string{"127.0.0.1:9999": "http://127.0.0.1:9999", "localhost:80": "http://localhost", ":81": "http://127.0.0.1:81", "0.0.0.0:82": "http://127.0.0.1:82", "[::1]:83": "http://[::1]:83"} {
		_, port, _ := net.SplitHostPort(listen)
		addr, _ := net.ResolveTCPAddr("tcp", "127.0.0.1:"+port)
		if got := (config{Listen: listen}).listeningOn(addr).URL; got != want {
			t.Errorf("%s gives %s, want %s", listen, got, want)
		}
	}
	for _, args := range [][]string{
		{"--portal-issuer", "https://sso.dancuquocgia.gov.vn"}, {"--portal-issuer", "https://GOV.VN."}, {"--portal-url", "https://dichvucong.thanhhoa.gov.vn"},
		{"--portal-url", "http://x.test/path"}, {"--portal-url", "ftp://x.test"}, {"--portal-issuer", "localhost:9998"}, {"--portal-issuer", "http://u:p@x.test"}, {"--portal-issuer", "http://x.test?y"},
		{"--portal-listen", "nonsense"}, {"--portal-database", "postgres://x"}, {"--nonsense"}, {"extra"},
	} {
		if _, err := read(nil, args...); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	_, err = read(map[string]string{"PORTAL_LISTEN": "x", "PORTAL_ISSUER": "y", "PORTAL_DATABASE": "z"})
	for _, name := range []string{"PORTAL_LISTEN", "PORTAL_ISSUER", "PORTAL_DATABASE"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("not all mistakes at once: %v", err)
		}
	}
}

func TestTheProgramStartsSaysWhereAndStops(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	var out, errs syncBuffer
	if code := run(t.Context(), []string{"--portal-issuer", "https://x.gov.vn"}, none, &out, &errs); code != 2 || !strings.Contains(errs.String(), "PORTAL_ISSUER") {
		t.Errorf("bad settings: exit %d, %s", code, &errs)
	}
	if code := run(t.Context(), []string{"--version"}, none, &out, &errs); code != 0 || !strings.Contains(out.String(), "rp-example") {
		t.Errorf("--version: exit %d, %s", code, &out)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	db := "sqlite:" + filepath.Join(t.TempDir(), "deep", "portal.db")
	if code := run(t.Context(), []string{"--portal-listen", taken.Addr().String(), "--portal-database", db}, none, &out, &errs); code != 1 {
		t.Errorf("port taken: exit %d", code)
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	pr, pw := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"--portal-listen", "127.0.0.1:0", "--portal-database", db}, none, pw, io.Discard)
	}()
	var addr string
	if _, err := fmt.Fscanf(newLine(t, pr), "%s", &addr); err != nil || !strings.HasPrefix(addr, "http://127.0.0.1:") {
		t.Fatalf("the line at the start has %q, %v", addr, err)
	}
	resp, err := http.Get(addr + "/healthz")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("healthz: %v", err)
	}
	resp.Body.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	stop()
	select {
	case code := <-ended:
		if code != 0 {
			t.Errorf("exit %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Error("did not stop within 10 s")
	}
}

// newLine returns what follows the last ": " of the first line.
func newLine(t *testing.T, r io.Reader) io.Reader {
	t.Helper()
	buf := make([]byte, 500)
	n, err := r.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(buf[:n]), "): ")
	return bytes.NewReader([]byte(after))
}
