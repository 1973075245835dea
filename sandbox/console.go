package sandbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/console"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// console puts the console together, and what it shows of the program itself.
func (r *Running) console(c *Config, p *pages, phones *phone.Phones, hasher *password.Hasher, editor *people.Editor) *console.Console {
	real := vneid.SystemClock{}
	h := &healthPage{r: r, database: storage.WithoutPassword(c.Database), version: c.Version, hasher: hasher, real: real, started: real.Now(),
		listeners: map[string]string{"provider": c.Listen, "sandbox": c.SandboxListen}}
	return console.New(console.Config{Store: r.store, Records: r.book, Hasher: hasher, Inbox: r.inbox, Phones: phones, People: editor,
		Registrar: &people.Registrar{Store: r.store, Rand: rand.Reader, AllowHosts: c.AllowHosts}, Portal: p.portal, Version: c.Version, Frame: p.frame, Show: p.show, Fail: p.fail,
		Worlds: r.worlds, Reset: r.worlds.reset, MoveClock: r.worlds.moveClock, RotateKey: r.idp.RotateKey, Faults: r.worlds.faults, ChangeFaults: r.worlds.changeFaults, Settings: c.inForce, Health: h.look, Real: real})
}

// inForce is the configuration as it holds in the world of the request. What is
// secret is only told to be set or not.
func (c *Config) inForce(ctx context.Context, lang templates.Lang) []templates.ConsoleSettings {
	program := templates.ConsoleSettings{Name: "settings"}
	for _, s := range settings {
		value := *s.field(c)
		switch s.key {
		case "database":
			value = storage.WithoutPassword(value)
		case "allow_hosts":
			value = strings.Join(c.AllowHosts, ", ")
		}
		program.Settings = append(program.Settings, templates.ConsoleSetting{Key: s.key, Value: value, Source: c.sources[s.key]})
	}
	rules, values := templates.ConsoleSettings{Name: "policy"}, policyFile(vneid.WorldFrom(ctx).Policy)
	all := values.values()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		rules.Settings = append(rules.Settings, templates.ConsoleSetting{Key: key, Value: all[key], Source: c.sources["policy."+key]})
	}
	secrets := templates.ConsoleSettings{Name: "secrets"}
	for _, s := range []struct{ name, value string }{{"TOKEN", c.Token}, {"KEY", c.SealingKey}, {"KEY_OLD", c.OldSealingKey}} {
		secret := templates.ConsoleSetting{Key: envPrefix + s.name, Value: templates.Text(lang, "console.secret.unset")}
		if s.value != "" {
			secret.Value, secret.Source = templates.Text(lang, "console.secret.set"), secret.Key
		}
		secrets.Settings = append(secrets.Settings, secret)
	}
	if vneid.WorldFrom(ctx).ID != vneid.DefaultWorld {
		return []templates.ConsoleSettings{rules} // the rest is the whole server's: no world's token shows it
	}
	return []templates.ConsoleSettings{program, rules, secrets}
}

// healthPage looks at the parts of the program.
type healthPage struct {
	r                 *Running
	database, version string
	listeners         map[string]string
	hasher            *password.Hasher
	real              vneid.Clock
	started           time.Time
}

// pingWithin is how long a database may take that is well.
const pingWithin = 2 * time.Second

// tooManyLogouts notices wait only when their receivers do not answer.
const tooManyLogouts = 20

func (h *healthPage) look(ctx context.Context) (checks []templates.ConsoleCheck, facts []templates.ConsoleFact) {
	check := func(name string, bad bool, format string, args ...any) {
		checks = append(checks, templates.ConsoleCheck{Name: name, Bad: bad, Value: fmt.Sprintf(format, args...)})
	}
	fact := func(name, value string) { facts = append(facts, templates.ConsoleFact{Name: name, Value: value}) }

	ping, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	began := h.real.Now()
	err := h.r.store.Ping(ping)
	took := h.real.Now().Sub(began)
	world := vneid.WorldFrom(ctx)
	where := h.database + " · "
	if world.ID != vneid.DefaultWorld { // the program's addresses are no matter of a world
		where = ""
	}
	check("database", err != nil, "%s%.1f ms", where, float64(took.Microseconds())/1000)
	for _, name := range []string{"provider", "sandbox"} {
		if where != "" {
			check(name, false, "%s", h.listeners[name])
		}
	}
	now, most := h.hasher.Busy()
	check("hashes", now > most/2, "%d / %d", now, most)
	waiting := 0
	err = h.r.store.View(ping, world.ID, func(tx vneid.Tx) error {
		notices, err := tx.LogoutNotices(tooManyLogouts + 1)
		waiting = len(notices)
		return err
	})
	check("logouts", err != nil || waiting > tooManyLogouts, "%d", waiting)

	fact("world", world.ID)
	fact("issuer", world.Issuer)
	fact("version", h.version)
	fact("go", runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH)
	fact("started", h.started.Format(time.RFC3339))
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fact("memory", fmt.Sprintf("%.1f MB (GOMEMLIMIT %s)", float64(memory.HeapAlloc)/(1<<20), memoryLimit()))
	fact("goroutines", fmt.Sprint(runtime.NumGoroutine()))
	return checks, facts
}

// memoryLimit is the soft limit of the Go runtime.
func memoryLimit() string {
	if limit := debug.SetMemoryLimit(-1); limit < 1<<50 { // -1 only reads
		return fmt.Sprintf("%d MB", limit>>20)
	}
	return "—"
}
