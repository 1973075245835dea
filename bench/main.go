// Command bench measures what the provider costs: it starts the real binary,
// drives it over HTTP with 16 users, and reads the server's own CPU time and
// memory from the kernel. Beside it, in the same run, stands the floor: a bare
// server that answers the same requests from memory and only signs. The figure
// to trust is CPU per operation; throughput moves with the neighbours.
//
// It measures from outside and knows the program only by its flags and its
// HTTP interface.
package main

import (
	"context"
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
	burst     int
	profile   string
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
	flag.IntVar(&o.rounds, "rounds", 40, "logins of each user")
	flag.DurationVar(&o.soak, "soak", 0, "in the end logins for so long, watching memory (try 10m)")
	flag.IntVar(&o.accounts, "accounts", 0, "besides, log in with so many accounts in the database (try 1000000)")
	flag.IntVar(&o.burst, "burst", 200, "logins at once, for the peak of memory")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the server's logins to this file")
	waiting := flag.Int("waiting", 0, "measure nothing but so many browsers that wait for a phone (try 10000)")
	flag.Parse()
	o.databases = strings.Split(databases, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	measured := func() error { return run(ctx, o) }
	if *waiting > 0 {
		measured = func() error { return measureWaiting(ctx, o.binary, o.databases[0], *waiting) }
	}
	if err := measured(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	size, err := os.Stat(o.binary)
	if err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	fmt.Printf("%d users, %d cores, %s, binary %.1f MiB\n\n", o.users, runtime.NumCPU(), runtime.Version(), float64(size.Size())/(1<<20))
	floor, err := startFloor(ctx)
	if err != nil {
		return err
	}
	base, err := measure(ctx, floor, o)
	floor.stop()
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	tables := []column{{name: "floor", cost: base, server: floor}}
	for _, kind := range o.databases {
		s, err := startServer(ctx, o, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		cost, err := measure(ctx, s, o)
		if err == nil {
			err = burst(ctx, s, o)
		}
		if err == nil && o.soak > 0 {
			err = soak(ctx, s, o)
		}
		s.stop()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", kind, err, s.log.tail())
		}
		tables = append(tables, column{name: kind, cost: cost, server: s})
		if err := restart(ctx, s, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	report(tables)
	return nil
}
