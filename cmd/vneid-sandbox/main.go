// Command vneid-sandbox is the test provider and the world around it. It reads
// flags, starts package sandbox, and says on standard output what to do next;
// the log goes to standard error. Exit codes: 0 fine, 1 it ran and failed, 2
// bad usage or configuration.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// commit is set by -ldflags "-X main.commit=…" where the build has no git.
var commit string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func usage() string {
	return `vneid-sandbox imitates VNeID for tests.

  vneid-sandbox serve [flags]        start the provider and the sandbox
  vneid-sandbox config check FILE    report every mistake of a configuration file
  vneid-sandbox doctor [flags]       look at a running sandbox as a portal would, and say what does not fit
  vneid-sandbox faults [ID …]        what the provider can do wrong on purpose
  vneid-sandbox exam [flags]         try them all on a portal, and grade it
  vneid-sandbox version
  vneid-sandbox help

Flags of serve:
` + sandbox.Usage() + doctorUsage + examUsage
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch {
	case command == "help", len(args) == 0 && isHelp(command), len(args) == 1 && isHelp(args[0]):
		fmt.Fprint(stdout, usage())
		return 0
	case command == "version":
		fmt.Fprintln(stdout, "vneid-sandbox "+version()+" "+runtime.Version())
		return 0
	case command == "serve":
		return serve(ctx, args, stdout, stderr)
	case command == "doctor":
		return examine(ctx, args, stdout, stderr)
	case command == "exam":
		return takeExam(ctx, args, stdout, stderr)
	case command == "faults":
		return faults(args, stdout, stderr)
	case command == "config" && len(args) == 2 && args[0] == "check":
		if err := sandbox.CheckFile(args[1], os.Getenv); err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
		fmt.Fprintln(stdout, "ok")
		return 0
	}
	fmt.Fprintf(stderr, "vneid-sandbox: no command %q with %d arguments\n\n%s", command, len(args), usage())
	return 2
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// version is the module's version and the commit it was built from.
func version() string {
	info, _ := debug.ReadBuildInfo() // always there in a module build
	revision, dirty := commit, ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && revision == "":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if revision == "" {
		revision = "(no commit known)"
	}
	return info.Main.Version + " " + revision + dirty
}
