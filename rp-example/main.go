// Command rp-example is a sample relying party: "Cổng Dịch vụ công tỉnh Thanh
// Hóa (bản mẫu)", an invented provincial portal where citizens sign in with
// VNeID over OpenID Connect or with an account of the portal's own.
//
// It talks to one OpenID provider over HTTP and to its own SQLite file, and to
// nothing else. It imports no other package of this module, so the folder can
// be copied out and used as a starting point; README.md says which line does
// what right. It never joins people by a number and never trusts anything
// about a person that came through the browser.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code: 0 fine, 1 it ran and
// failed, 2 bad usage.
func run(ctx context.Context, args []string, env lookup, stdout, stderr io.Writer) int {
	now := time.Now // the only call of it
	cfg, err := readConfig(args, env, stdout)
	if err == nil {
		cfg.edition, err = cfg.edition.read(cfg, env)
	}
	if err == nil {
		err = cfg.loadTLS(now())
	}
	switch {
	case errors.Is(err, errHelp):
		fmt.Fprint(stdout, cfg.edition.help())
		return 0
	case errors.Is(err, errVersion):
		fmt.Fprintln(stdout, "rp-example", version()+cfg.edition.String())
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "rp-example: bad settings:\n%v\nTry --help.\n", err)
		return 2
	}
	if err := serve(ctx, cfg, stdout, slog.New(slog.NewTextHandler(stderr, nil)), now); err != nil {
		fmt.Fprintln(stderr, "rp-example:", err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, cfg config, stdout io.Writer, log *slog.Logger, now func() time.Time) error {
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	defer ln.Close()
	cfg = cfg.listeningOn(ln.Addr())

	tlsConfig, err := cfg.listenerTLS(now, log)
	if err != nil {
		return err
	}
	p, err := newPortal(ctx, cfg, log, now)
	if err != nil {
		return err
	}
	defer p.close()

	srv := &http.Server{
		Handler:           p.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      45 * time.Second, // longer than the slowest sign-in, see signInTime
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		TLSConfig:         tlsConfig,
	}
	done := make(chan error, 1)
	go func() {
		if tlsConfig != nil {
			done <- srv.ServeTLS(ln, "", "")
		} else {
			done <- srv.Serve(ln)
		}
	}()
	fmt.Fprintf(stdout, "Cổng Dịch vụ công tỉnh Thanh Hóa (bản mẫu)%s: %s\n", cfg.edition, cfg.URL)

	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		srv.Close()
		log.Warn("requests were cut off at the stop", "err", err)
	}
	return nil
}

// version names the module version and the commit the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit := "no commit"
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return info.Main.Version + " (" + commit + ")"
}
