package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
)

// faults lists what the provider can do wrong on purpose, or explains one.
func faults(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		for _, f := range sandbox.Faults() {
			fmt.Fprintf(stdout, "%s  %-7s %-32s %s\n", f.ID, f.Grade, f.Name, f.Title.Vi)
		}
		return 0
	}
	for _, id := range args {
		f := sandbox.FindFault(id)
		if f == nil {
			fmt.Fprintf(stderr, "vneid-sandbox faults: no fault is called %q; without an argument the command lists them\n", id)
			return 2
		}
		fmt.Fprintf(stdout, "%s %s (%s, %s)\n  %s\n  %s\n\n  %s\n  %s\n\n  Đúng: %s\n  Right: %s\n\n  %s\n", f.ID, f.Name, f.Grade, f.Seam,
			f.Title.Vi, f.Title.En, f.What.Vi, f.What.En, f.Right.Vi, f.Right.En, strings.Join(f.Spec, "; "))
		if f.Attacker {
			fmt.Fprintln(stdout, "  Cần / needs: serve --attack-listen localhost:9996")
		}
		for _, v := range f.Variants {
			fmt.Fprintf(stdout, "  %-18s %s / %s\n", v.Name, v.About.Vi, v.About.En)
		}
		fmt.Fprintln(stdout)
	}
	return 0
}
