package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/vneid-sandbox/vneid-sandbox/op"
	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/attacker"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/console"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/dancu"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/headless"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/localca"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/phone"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Running is a sandbox that runs.
type Running struct {
	Issuer     string
	SandboxURL string
	AttackURL  string         // of the attacker; "" = it does not listen
	Example    *vneid.Persona // somebody to sign in as, with Password; nil in an empty world
	Password   string
	// Portal is the client that anybody's portal may use, nil without one.
	Portal *people.Client
	// IssuerNames are the names besides loopback by which requests may name
	// their issuer; nil when there is one issuer.
	IssuerNames []string

	log     *slog.Logger
	tls     *tls.Config // nil = off
	ca      *localca.Authority
	store   vneid.Store
	records *record.Recorder // nil = off
	book    *record.Book
	inbox   *sms.Network
	idp     *op.Provider
	servers []*http.Server
	work    sync.WaitGroup // what runs beside the listeners
	endWork context.CancelFunc
	worlds  *worlds
	faults  *fault.Engine
	rest    context.CancelFunc // ends what works beside the servers
	unused  unused
	closing sync.Once
	closed  chan struct{}
	err     error // of the listener that failed, or of closing
}

// stopWithin is how long requests that run get to finish.
const stopWithin = 10 * time.Second

// Start opens the store, makes or loads the world and listens. When it
// returns, everything answers. The sandbox stops by itself, as by
// [Running.Close], when ctx ends.
func Start(ctx context.Context, c Config) (*Running, error) {
	check := &reading{Config: c, source: map[string]string{}}
	check.check()
	if err := check.mistakes.Err(); err != nil {
		return nil, err
	}
	c = check.Config
	r := &Running{log: newLogger(&c, slog.LevelInfo), closed: make(chan struct{})}
	var listeners []net.Listener
	fail := func(err error) (*Running, error) {
		for _, l := range listeners {
			l.Close()
		}
		if r.idp != nil {
			r.idp.Close()
		}
		if r.store != nil {
			err = errors.Join(err, r.store.Close())
		}
		return nil, err
	}

	// Listen first: a taken port is the most likely failure, and the port is
	// part of the issuer when any will do.
	provider, err := listen(ctx, settings[0], c.Listen)
	if err != nil {
		return fail(err)
	}
	listeners = append(listeners, provider...)
	world, err := listen(ctx, settings[2], c.SandboxListen)
	if err != nil {
		return fail(err)
	}
	listeners = append(listeners, world...)
	attack, err := listenAttack(ctx, &c)
	if err != nil {
		return fail(err)
	}
	listeners = append(listeners, attack...)
	if c.issuerFromRequest && isEveryAddress(c.Listen) {
		c.Issuer = orDefault(c.Issuer, urlOf(c.scheme(), "localhost:0", provider[0]))
	}
	c.Issuer = orDefault(c.Issuer, urlOf(c.scheme(), c.Listen, provider[0]))
	c.SandboxURL = orDefault(c.SandboxURL, urlOf(c.scheme(), c.SandboxListen, world[0]))
	r.Issuer, r.SandboxURL = c.Issuer, c.SandboxURL
	if len(attack) > 0 {
		r.AttackURL = attackURL(&c, attack[0])
	}
	if c.issuerFromRequest {
		r.IssuerNames = append([]string{}, c.AllowHosts...)
	}
	if err := r.openTLS(&c); err != nil {
		return fail(err)
	}

	store, err := storage.Open(ctx, c.Database, storage.Options{Logger: r.log})
	if err != nil {
		return fail(err) // names the database, without its password
	}
	r.store = store
	r.faults = fault.New(fault.Config{Store: r.store, Logger: r.log, Attacker: c.attackerOf(r.AttackURL)})
	providerHandler, sandboxHandler, attackHandler, err := r.build(ctx, &c, provider[0].Addr())
	if err != nil {
		return fail(err)
	}
	idp, pretend := r.server(providerHandler, 30*time.Second), r.server(sandboxHandler, sms.MaxWait+15*time.Second)
	r.servers = []*http.Server{idp, pretend}
	attacking := r.server(attackHandler, 30*time.Second)
	r.servers = append(r.servers, attacking)
	if r.ca != nil {
		idp.TLSConfig.GetCertificate = r.faults.Certificates(idp.TLSConfig.GetCertificate, r.ca.Wrong)
	}
	places, otherPlaces := c.connectionsFor()
	beside, rest := context.WithCancel(ctx)
	r.rest = rest
	door := newGate(idp, places)
	door.plain = r.faults.Plain
	r.serve(door, provider)
	r.serve(newGate(pretend, otherPlaces), world)
	r.serve(newGate(attacking, attackPlaces), attack)
	go r.worlds.run(beside)
	context.AfterFunc(ctx, func() { r.Close(context.Background()) })
	return r, nil
}

// build makes what the two listeners serve. at is where the provider's listens.
func (r *Running) build(ctx context.Context, c *Config, at net.Addr) (provider, sandbox, attack http.Handler, err error) {
	cost := password.Default()
	if c.CheapHashes {
		cost = password.Cheap()
	}
	hasher := password.New(cost, runtime.GOMAXPROCS(0))
	passwordHash := people.PasswordHash
	if c.CheapHashes {
		if passwordHash, err = hasher.Hash(ctx, people.Password); err != nil {
			return nil, nil, nil, fmt.Errorf("hash the personas' password: %w", err)
		}
	}
	r.store = people.Populate(r.store, passwordHash)
	set := metrics.NewSet()
	r.inbox = sms.New(r.store)
	if c.Record == recordOn {
		r.records = record.New(r.store, r.log, set)
	}
	r.book = record.NewBook(r.store, r.records)

	seed, err := c.loadSeed(vneid.SystemClock{})
	if err != nil {
		return nil, nil, nil, err
	}
	faults, canaries := r.faults, &attacker.Book{}
	r.worlds = &worlds{faults: faults, attack: r.AttackURL, config: c, store: r.store, passwordHash: passwordHash, inbox: r.inbox, log: r.log, rand: rand.Reader,
		real: vneid.SystemClock{}, seed: seed, known: map[string]*keeper{}}
	if err := r.worlds.openDefault(ctx); err != nil {
		return nil, nil, nil, err
	}
	ctx = vneid.WithWorld(ctx, r.worlds.defaultWorld.world)
	stop := saySlow(r.log, sayEvery, "filling the database", "people", len(seed.Personas), "clients", len(seed.Clients)+len(c.Clients))
	err = r.worlds.defaultWorld.fill(ctx)
	stop()
	if err != nil {
		return nil, nil, nil, err
	}
	if len(seed.Personas) > 0 {
		r.Example, r.Password = &seed.Personas[0], people.Password
	}
	for i := range seed.Clients {
		if seed.Clients[i].AnyPort {
			r.Portal = &seed.Clients[i]
		}
	}

	providerConfig := op.Config{Store: r.store, Hasher: hasher, SMS: faults.Messages(r.inbox), Rand: rand.Reader, Logger: r.log,
		HelpURL: c.SandboxURL, ScanPath: phone.Prefix + "/scan", CodePath: phone.CodePath, MaxWaiting: c.waiting(), Metrics: set, Outward: faults.Outward}
	var ownCA []byte
	if r.ca != nil {
		ownCA = r.ca.PEM()
	}
	if providerConfig.TrustedCAs, err = c.trusted(ownCA); err != nil {
		return nil, nil, nil, fmt.Errorf("--trust-ca: %w", err)
	}
	if r.records != nil {
		providerConfig.Recorder = r.records
		providerConfig.RecordPath = console.Prefix + "/logins/"
	}
	if err := c.setKeys(&providerConfig); err != nil {
		return nil, nil, nil, err
	}
	idp, err := op.New(ctx, providerConfig)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("build the provider: %w", err)
	}
	r.idp = idp
	faults.Join(idp)
	r.worlds.keys, r.worlds.records = idp.PrepareKeys, r.records
	r.worlds.forget = func(world string) { idp.ForgetWorld(world); faults.Forget(world); canaries.Forget(world) }
	if err := idp.OpenKeys(ctx); err != nil {
		return nil, nil, nil, fmt.Errorf("open the signing keys: %w", err)
	}
	p := &pages{log: r.log, store: r.store, inbox: r.inbox, issuer: c.Issuer, sandboxURL: c.SandboxURL, version: c.Version, ca: r.ca}
	if c.Seed == "default" {
		p.portal = "http://127.0.0.1:9999" // where the seeded client thanhhoa-portal lives
	}
	var d *door
	if c.Token != "" {
		d = newDoor(c.Token, p)
	}
	g := newGuard(c, d, p)
	names := newIssuers(c, g)

	client, err := r.providerClient(c, at)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("build the phones: %w", err)
	}
	phones := phone.New(phone.Config{Store: r.store, Hasher: hasher, Rand: rand.Reader, Logger: r.log, Client: client, Secure: p.secure()})

	sandboxMux := http.NewServeMux()
	p.routes(sandboxMux)
	phones.Routes(sandboxMux)
	editor := &people.Editor{Store: r.store, Hasher: hasher, PasswordHash: passwordHash, SetPasscode: phones.SetPasscode}
	r.console(c, p, phones, hasher, editor).Routes(sandboxMux)
	// For `make bench`: where the CPU goes. It tells nothing about people.
	sandboxMux.HandleFunc("GET "+profilePath, pprof.Profile)
	sandboxMux.Handle(dancu.Prefix, faults.Around((&dancu.Register{Store: r.store, Logger: r.log}).Handler()))
	sandboxMux.Handle(api.Prefix+"/", api.New(api.Config{Store: r.store, Inbox: r.inbox, Phones: phones, Records: r.book, Rand: rand.Reader,
		Logins:     headless.New(headless.Config{Store: r.store, Inbox: r.inbox, Phones: phones, Rand: rand.Reader, Client: client}),
		People:     editor,
		AllowHosts: c.AllowHosts, Logger: r.log, Worlds: r.worlds, MoveClock: r.worlds.moveClock, Reset: r.worlds.reset, RotateKey: idp.RotateKey,
		Canaries: canaries, Faults: faults, ChangeFaults: r.worlds.changeFaults}))

	wrap := func(listener string, h http.Handler, maxBody int64) http.Handler {
		o := &observer{listener: listener, log: r.log, metrics: set, rand: rand.Reader, clock: vneid.SystemClock{}, pages: p}
		h = r.worlds.around(p, names, maxBody, h)
		if listener == "provider" {
			h = names.around(h)
		}
		return r.worlds.inDefault(o.around(g.knownHosts(h)))
	}
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	r.endWork = endWork
	r.work.Go(func() { idp.RunKeys(work) })
	if c.SealingKey != "" {
		r.work.Go(func() { r.worlds.sealKeys(work, idp.SealKeys) })
	}
	r.work.Go(func() { idp.RunLogouts(work, r.worlds.world) })
	if r.records != nil {
		r.work.Go(func() { r.records.Run(work) })
	}
	provider = health(r.store, set, r.records.Around(faults.Around(idp), op.Fetched))
	attack = attacker.New(attacker.Config{Scheme: c.scheme(), Store: r.store, Logger: r.log, Rand: rand.Reader, Book: canaries, Key: attacker.Key{
		KID: fault.AttackerKID, Set: fault.AttackerKeys, PEM: fault.AttackerPEM, Sign: fault.SignAsAttacker}})
	return wrap("provider", provider, maxFormBody), wrap("sandbox", g.callers(cleanPaths(sandboxMux)), 0), wrap("attacker", attack, maxFormBody), nil
}

// maxHead bounds the request line and headers of a request, in bytes. Ours and
// those of browsers stay far below.
const maxHead = 32 << 10

const profilePath = "/debug/pprof/profile"

// maxFormBody bounds what browsers and clients post to the provider, in bytes.
const maxFormBody = 256 << 10

// server serves h. longest is how long a request may take.
func (r *Running) server(h http.Handler, longest time.Duration) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 4 * maxHead, // beyond, net/http answers by itself, in plain text
		// The read timeout runs on while a handler waits, and ends its context.
		ReadTimeout: longest, WriteTimeout: longest + 15*time.Second,
		ConnState: r.unused.track,
		ErrorLog:  slog.NewLogLogger(r.log.Handler(), r.handshakeLevel()),
		TLSConfig: r.tls.Clone(),
	}
}

func (r *Running) serve(g *gate, listeners []net.Listener) {
	config := g.server.TLSConfig.Clone()
	for _, l := range listeners {
		go func() {
			if err := r.serveOn(g, g.on(l), config); !errors.Is(err, http.ErrServerClosed) {
				r.log.Error("listener failed", "address", l.Addr().String(), "error", err)
				r.stop(context.Background(), fmt.Errorf("listen on %s: %w", l.Addr(), err))
			}
		}()
	}
}

// Close stops the sandbox: requests that wait for something end at once,
// others get ten seconds (or what ctx leaves them). Further calls wait for the
// first.
func (r *Running) Close(ctx context.Context) error {
	r.stop(ctx, nil)
	return r.Wait()
}

// Wait returns when the sandbox has stopped, with the error of a listener that
// failed or of the closing.
func (r *Running) Wait() error {
	<-r.closed
	return r.err
}

func (r *Running) stop(ctx context.Context, cause error) {
	r.closing.Do(func() {
		defer close(r.closed)
		ctx, cancel := context.WithTimeout(ctx, stopWithin)
		defer cancel()
		r.rest()
		r.book.Stop()
		r.inbox.Stop() // Shutdown waits for whoever waits for a message
		r.idp.Close()  // … or for a phone
		defer time.AfterFunc(time.Second, r.unused.close).Stop()
		var all sync.WaitGroup
		for _, s := range r.servers {
			all.Go(func() {
				if s.Shutdown(ctx) != nil {
					s.Close() // cut off what is still running
				}
			})
		}
		all.Wait()
		r.endWork()
		r.work.Wait()
		r.err = errors.Join(cause, r.store.Close())
	})
}

// unused are connections that never carried a request. Browsers open some ahead
// of time, and Shutdown would wait five seconds for each of them.
type unused struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (u *unused) track(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state != http.StateNew {
		delete(u.conns, c)
		return
	}
	if u.conns == nil {
		u.conns = map[net.Conn]struct{}{}
	}
	u.conns[c] = struct{}{}
}

func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		c.Close()
	}
}
