package main

import (
	"fmt"
	"strings"
)

// report prints the table: milliseconds of the server's CPU per operation and
// how often the floor fits into it.
func report(columns []column) {
	fmt.Print("CPU ms per operation (× floor; p99 of the answer)\n\n")
	fmt.Printf("%-28s", "")
	for _, c := range columns {
		fmt.Printf("%34s", c.name)
	}
	fmt.Println()
	row := func(name string, value func(c column) (cost, bool)) {
		fmt.Printf("%-28s", name)
		floor, _ := value(columns[0])
		for i, c := range columns {
			v, ok := value(c)
			switch {
			case !ok:
				fmt.Printf("%34s", "–")
			case i == 0:
				fmt.Printf("%34s", fmt.Sprintf("%.3f", v.server))
			default:
				text := fmt.Sprintf("%.3f (%.2f×, p99 %.1f ms)", v.server, v.server/floor.server, float64(v.p99.Microseconds())/1000)
				if v.database > 0 {
					text = fmt.Sprintf("%.3f + db %.3f (%.2f×)", v.server, v.database, v.server/floor.server)
				}
				fmt.Printf("%34s", text)
			}
		}
		fmt.Println()
	}
	row("login without hash, inbox", func(c column) (cost, bool) {
		v := c.cost["login, whole"]
		v.server -= c.cost["  its look into the inbox"].server
		v.database -= c.cost["  its look into the inbox"].database
		if c.name != "floor" {
			v.server -= c.cost[hashOnly].server
		}
		return v, true
	})
	for _, name := range operations {
		row(name, func(c column) (cost, bool) { v, ok := c.cost[name]; return v, ok })
	}
	row(hashOnly, func(c column) (cost, bool) { v, ok := c.cost[hashOnly]; return v, ok })
	floorLogin := columns[0].cost["login, whole"].server
	fmt.Println()
	for _, c := range columns[1:] {
		s := c.server
		fmt.Printf("%s: whole login %.2f × (hash + floor); ready in %d ms on an existing database; RSS idle %.1f MiB, peak of a burst %.1f MiB\n",
			c.name, c.cost["login, whole"].server/(c.cost[hashOnly].server+floorLogin), s.ready.Milliseconds(), s.idleRSS, s.peakRSS)
		if len(s.soakRSS) > 0 {
			var list []string
			for _, m := range s.soakRSS {
				list = append(list, fmt.Sprintf("%.1f", m))
			}
			fmt.Printf("  RSS over the soak, MiB: %s\n", strings.Join(list, " "))
		}
	}
}
