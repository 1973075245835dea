// Command bench measures what the provider costs: it starts the real binary,
// drives it over HTTP with 16 users, and reads the server's own CPU time and
// memory from the kernel. Beside it, in the same run and by turns, stands the
// floor: a bare server that answers the same requests from memory and only
// signs. The figure to trust is CPU per operation; throughput moves with the
// neighbours.
//
// It measures from outside and knows the program by its flags and its HTTP
// interface. Only what must be in the database before the program starts, many
// people and tokens, it writes through package storage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

type options struct {
	binary    string
	databases []string
	users     int
	rounds    int
	soak      time.Duration
	accounts  int
	tokens    int
	burst     int
	profile   string
	only      string
}

// variant is a database and how full it is.
type variant struct {
	kind             string
	accounts, tokens int
	silent           bool // logins are not recorded
}

func (v variant) name() string {
	name := v.kind
	if v.accounts > 0 {
		name += fmt.Sprintf(", %d accounts", v.accounts)
	}
	if v.tokens > 0 {
		name += fmt.Sprintf(", %d tokens", v.tokens)
	}
	if v.silent {
		name += ", not recording"
	}
	return name
}

// variants are the columns of the table. Full databases stand beside the empty
// one of the same kind: what fullness costs is the difference within one run,
// and so is what recording costs.
func (o options) variants() (list []variant) {
	for i, kind := range o.databases {
		list = append(list, variant{kind: kind})
		if i == 0 {
			list = append(list, variant{kind: kind, silent: true})
		}
		if i == 0 && o.accounts > 0 {
			list = append(list, variant{kind: kind, accounts: o.accounts})
		}
		if i == 0 && o.tokens > 0 {
			list = append(list, variant{kind: kind, tokens: o.tokens})
		}
	}
	return list
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		if err := serveFloor(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench floor:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	var databases string
	flag.StringVar(&o.binary, "binary", "bin/vneid-sandbox", "the program to measure")
	flag.StringVar(&databases, "databases", "sqlite,postgres", "comma-separated: sqlite, sqlite-normal, postgres")
	flag.IntVar(&o.users, "users", 16, "users at a time")
	flag.IntVar(&o.rounds, "rounds", 40, "logins of each user; of what costs less, more")
	flag.DurationVar(&o.soak, "soak", 0, "in the end logins for so long, watching memory (try 10m)")
	flag.IntVar(&o.accounts, "accounts", 0, "besides, a database with so many accounts (try 1000000)")
	flag.IntVar(&o.tokens, "tokens", 0, "besides, a database with so many live tokens (try 100000)")
	flag.IntVar(&o.burst, "burst", 200, "logins at once, for the peak of memory")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the first database's server, one for each operation, to files in this folder")
	flag.StringVar(&o.only, "only", "", "only operations whose names contain this")
	waiting := flag.Int("waiting", 0, "measure nothing but so many browsers that wait for a phone (try 10000)")
	worlds := flag.Int("worlds", 0, "measure nothing but so many worlds (try 2000)")
	flag.Parse()
	o.databases = strings.Split(databases, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	measured := func() error { return run(ctx, o) }
	if *waiting > 0 {
		measured = func() error { return measureWaiting(ctx, o.binary, o.databases[0], *waiting) }
	}
	if *worlds > 0 {
		measured = func() error { return measureWorlds(ctx, o.binary, o.databases[0], *worlds) }
	}
	if err := measured(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	size, err := os.Stat(o.binary)
	if err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	o.users = max(1, o.users)
	mib := float64(size.Size()) / (1 << 20)
	fmt.Printf("%d users, %d cores, %s\n\n", o.users, runtime.NumCPU(), runtime.Version())
	floor, err := startFloor(ctx)
	if err != nil {
		return err
	}
	columns := []*column{newColumn("floor", floor, o)}
	// All are up from the beginning, so that they are measured by turns.
	defer func() {
		for _, c := range columns {
			err = errors.Join(err, c.server.end())
		}
	}()
	for _, v := range o.variants() {
		s, err := startServer(ctx, o, v)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name(), err)
		}
		c := newColumn(v.name(), s, o)
		c.variant = v
		columns = append(columns, c)
	}
	if err := measure(ctx, columns, o); err != nil {
		return err
	}
	for _, c := range columns[1:] {
		if err := burst(ctx, c.server, o); err != nil {
			return fmt.Errorf("%s: %w\n%s", c.name, err, c.server.log.tail())
		}
	}
	report(columns, mib)
	if o.soak > 0 {
		return soak(ctx, columns[1], o)
	}
	return nil
}
