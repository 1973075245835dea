package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/doctor"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const doctorUsage = `Flags of doctor:
  --issuer URL            as your portal is configured (http://localhost:9998)
  --sandbox-url URL       where API and SMS inbox are (http://localhost:9997)
  --ca FILE               PEM to trust besides the system's authorities, such as var/ca.pem
  --from-container NAME   by which a container calls the provider: host.docker.internal, the service's name; may be repeated
  --log-format FORMAT     text, or json: one finding a line
The environment variables of serve count here too; VNEID_SANDBOX_TOKEN is sent to the API.
Exit code 1 when something is wrong.
`

// names is a flag that may be repeated.
type names []string

func (n *names) String() string     { return strings.Join(*n, " ") }
func (n *names) Set(s string) error { *n = append(*n, s); return nil }

func examine(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	env := func(name, otherwise string) string {
		if v := os.Getenv("VNEID_SANDBOX_" + name); v != "" {
			return v
		}
		return otherwise
	}
	issuer := env("ISSUER", "http://localhost:9998")
	if issuer == "request" {
		issuer = env("BROWSER_URL", "http://localhost:9998")
	}
	o := doctor.Options{Token: env("TOKEN", ""), Env: os.Getenv, Clock: vneid.SystemClock{}}
	var ca, format string
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.Issuer, "issuer", issuer, "")
	flags.StringVar(&o.SandboxURL, "sandbox-url", env("SANDBOX_URL", "http://localhost:9997"), "")
	flags.StringVar(&ca, "ca", "", "")
	flags.StringVar(&format, "log-format", env("LOG_FORMAT", "text"), "")
	flags.Var((*names)(&o.FromContainers), "from-container", "")
	err := flags.Parse(args)
	switch {
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("an argument that nobody asked for: %s", flags.Arg(0))
	case err == nil && format != "text" && format != "json":
		err = fmt.Errorf("--log-format: %q is neither text nor json", format)
	case err == nil && ca != "":
		o.CA, err = os.ReadFile(ca)
	}
	if err != nil {
		fmt.Fprintf(stderr, "vneid-sandbox doctor: %v\n\n%s", err, doctorUsage)
		return 2
	}
	o.SandboxURL = strings.TrimRight(o.SandboxURL, "/")
	print := doctor.Print
	if format == "json" {
		print = doctor.PrintJSON
	}
	found := doctor.Run(ctx, o, func(f doctor.Finding) { print(stdout, f) })
	if format == "text" {
		doctor.PrintSummary(stdout, found)
	}
	if doctor.Failed(found) {
		return 1
	}
	return 0
}
