package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/record"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// worlds are the worlds of this store, as this process knows them: the default
// one always, another once somebody asks for it. The store is the truth;
// other processes make, move and delete worlds too.
type worlds struct {
	config       *Config
	store        vneid.Store
	passwordHash string // of the personas: copied, never computed for a world
	inbox        *sms.Network
	log          *slog.Logger
	rand         vneid.Rand
	real         vneid.Clock
	seed         people.Data
	forget       func(world string)
	records      *record.Recorder // nil = nothing is recorded
	keys         func()           // worlds will be made: prepare keys
	faults       *fault.Engine
	attack       string // URL of the attacker, "" = it does not listen

	defaultWorld *keeper

	mu    sync.Mutex
	known map[string]*keeper
}

const (
	// mostWorlds bounds how many there may be.
	mostWorlds = 10_000
	// mostKnown bounds those in memory, some 70 KB each with its keys.
	mostKnown = 200
	// unusedFor is how long an unused world stays.
	unusedFor = 24 * time.Hour
	// usedEvery is how exactly the use of a world is kept.
	usedEvery = 10 * time.Minute
	// followedFor is how long after its last request a world's record is read
	// again and again; then the next request reads it.
	followedFor = sms.MaxWait + time.Minute
)

// find is the keeper of a world, or ErrNotFound.
func (ws *worlds) find(ctx context.Context, id string) (*keeper, error) {
	if id == vneid.DefaultWorld {
		return ws.defaultWorld, nil
	}
	if !vneid.ValidWorldID(id) {
		return nil, vneid.ErrNotFound
	}
	now := ws.real.Now()
	ws.mu.Lock()
	k := ws.known[id]
	ws.mu.Unlock()
	if k != nil && now.Sub(k.lastUse()) < followedFor {
		k.use(now)
		return k, ws.noteUse(ctx, k, now)
	}
	moves := int64(-1)
	if k != nil {
		moves = k.moves.Load()
	}
	record, err := ws.store.World(ctx, id)
	if err != nil {
		if errors.Is(err, vneid.ErrNotFound) {
			ws.drop(k)
		}
		return nil, err
	}
	if k, err = ws.remember(record, now, moves); err != nil {
		return nil, err
	}
	return k, ws.noteUse(ctx, k, now)
}

// remember makes the keeper of a record, or brings the known one up to date;
// moves as of keeper.follow.
func (ws *worlds) remember(record vneid.WorldRecord, now time.Time, moves int64) (*keeper, error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	k := ws.known[record.ID]
	if k != nil && string(k.world.Salt) != string(record.Salt) { // deleted, and made again
		delete(ws.known, record.ID)
		ws.forget(record.ID)
		k = nil
	}
	if k == nil {
		policy, err := ws.policyOf(record)
		if err != nil {
			return nil, err
		}
		for len(ws.known) >= mostKnown && ws.forgetOldest() {
		}
		k = ws.keeper(record, policy)
		ws.known[record.ID], moves = k, 0
	}
	k.follow(record, moves)
	k.use(now)
	return k, nil
}

// forgetOldest spares worlds with somebody inside: their clock is followed, and
// a deletion waits for them.
func (ws *worlds) forgetOldest() bool {
	var oldest *keeper
	for _, k := range ws.known {
		if k.occupied() {
			continue
		}
		if oldest == nil || k.lastUse().Before(oldest.lastUse()) {
			oldest = k
		}
	}
	if oldest == nil {
		return false
	}
	delete(ws.known, oldest.world.ID)
	ws.forget(oldest.world.ID)
	return true
}

// drop forgets a world that is gone.
func (ws *worlds) drop(k *keeper) {
	if k == nil {
		return
	}
	ws.mu.Lock()
	if ws.known[k.world.ID] == k {
		delete(ws.known, k.world.ID)
		ws.forget(k.world.ID)
	}
	ws.mu.Unlock()
	ws.inbox.Wake(k.world.ID)
}

func (ws *worlds) keeper(record vneid.WorldRecord, policy vneid.Policy) *keeper {
	clock := &vneid.OffsetClock{Base: ws.real}
	path := vneid.WorldPath(record.ID)
	world := &vneid.World{ID: record.ID, Path: path, Issuer: ws.config.Issuer + path, Clock: clock, Policy: policy, Salt: record.Salt}
	return &keeper{world: world, clock: clock, store: ws.store, passwordHash: ws.passwordHash, inbox: ws.inbox,
		seed: ws.seed, clients: ws.config.Clients, carried: ws.config.Faults, tokenHash: record.TokenHash,
		faults: ws.faults, log: ws.log}
}

// policyOf is the configuration's policy with what the world has of its own.
func (ws *worlds) policyOf(record vneid.WorldRecord) (vneid.Policy, error) {
	if record.Policy == "" {
		return ws.config.Policy, nil
	}
	policy, mistakes := readPolicy(ws.config.Policy, []byte(record.Policy))
	if len(mistakes) > 0 {
		return policy, fmt.Errorf("the policy of world %s: %w", record.ID, mistakes.Err())
	}
	return policy, nil
}

// noteUse keeps that a world is used, now and then.
func (ws *worlds) noteUse(ctx context.Context, k *keeper, now time.Time) error {
	if !k.noteUse(now) {
		return nil
	}
	return ws.store.UseWorld(ctx, k.world.ID, now)
}

// Create makes a world from the seed. The token of its API is shown here and
// nowhere else.
func (ws *worlds) Create(ctx context.Context, id string, policy []byte) (made api.NewWorld, err error) {
	ws.keys() // for this one and those that follow
	if id == "" {
		id = randomWorldID(ws.rand)
	}
	var bad []api.FieldError
	if !vneid.ValidWorldID(id) || id == vneid.DefaultWorld {
		bad = append(bad, api.FieldError{Field: "id", Detail: "1 to 32 of a-z 0-9 -, and not default"})
	}
	own, mistakes := readPolicy(ws.config.Policy, policy)
	for _, m := range mistakes {
		bad = append(bad, api.FieldError{Field: strings.TrimSuffix("policy."+m.Key, "."), Detail: strings.TrimSuffix(m.What+"; "+m.Hint, "; ")})
	}
	if len(bad) > 0 {
		return made, api.InvalidFields("", bad)
	}
	// Half a world would be worse than one nobody waits for.
	ctx = context.WithoutCancel(ctx)
	n, err := ws.store.CountWorlds(ctx)
	if err != nil {
		return made, err
	}
	if n > mostWorlds { // with the default one, which does not count
		return made, api.Refuse(http.StatusConflict, fmt.Sprintf("there are %d worlds already; DELETE %s/worlds/{id} removes one", mostWorlds, api.Prefix))
	}
	token := vneid.NewSecret(ws.rand)
	now := ws.real.Now()
	record := vneid.WorldRecord{ID: id, Salt: make([]byte, 32), TokenHash: vneid.SecretHash(token), CreatedAt: now, UsedAt: now}
	if compact := strings.TrimSpace(string(policy)); compact != "" && compact != "{}" && compact != "null" {
		record.Policy = compact
	}
	if _, err := io.ReadFull(ws.rand, record.Salt); err != nil {
		return made, fmt.Errorf("make the world's salt: %w", err)
	}
	if err := ws.store.CreateWorld(ctx, record); errors.Is(err, vneid.ErrExists) {
		p := api.Refuse(http.StatusConflict, "there is a world "+id+"; choose another id, or DELETE "+api.Prefix+"/worlds/"+id+" first")
		p.Errors = []api.FieldError{{Field: "id", Detail: "is taken"}}
		return made, p
	} else if err != nil {
		return made, fmt.Errorf("keep the new world: %w", err)
	}
	k := ws.keeper(record, own)
	if err := k.fill(vneid.WithWorld(ctx, k.world)); err != nil {
		return made, errors.Join(err, ws.store.DeleteWorld(ctx, id, record.Salt)) // nobody knows its token
	}
	if _, err := ws.remember(record, now, -1); err != nil {
		return made, err
	}
	return api.NewWorld{World: ws.describe(record), Token: token}, nil
}

func (ws *worlds) describe(r vneid.WorldRecord) api.World {
	path := vneid.WorldPath(r.ID)
	w := api.World{ID: r.ID, Issuer: ws.config.Issuer + path, Sandbox: ws.config.SandboxURL + path, API: ws.config.SandboxURL + api.Prefix + path}
	if ws.attack != "" {
		w.Attacker = ws.attack + path
	}
	if !r.CreatedAt.IsZero() {
		w.CreatedAt, w.ExpiresAt = r.CreatedAt.UTC().Format(time.RFC3339), r.UsedAt.Add(unusedFor).UTC().Format(time.RFC3339)
	}
	return w
}

// List describes every world.
func (ws *worlds) List(ctx context.Context) ([]api.World, error) {
	records, err := ws.store.Worlds(ctx)
	list := []api.World{}
	for _, r := range records {
		list = append(list, ws.describe(r))
	}
	return list, err
}

// Delete removes a world with everything in it.
func (ws *worlds) Delete(ctx context.Context, id string) error {
	if id == vneid.DefaultWorld {
		return api.Refuse(http.StatusConflict, "the default world stays; POST "+api.Prefix+"/reset takes it back to its seed")
	}
	if !vneid.ValidWorldID(id) {
		return noWorld(id)
	}
	record, err := ws.store.World(ctx, id)
	if errors.Is(err, vneid.ErrNotFound) {
		return noWorld(id)
	}
	if err != nil {
		return err
	}
	return ws.remove(context.WithoutCancel(ctx), record)
}

// remove deletes a world. Requests that are in it come to their end first, so
// that none writes behind the deletion.
func (ws *worlds) remove(ctx context.Context, record vneid.WorldRecord) error {
	ws.mu.Lock()
	k := ws.known[record.ID]
	ws.mu.Unlock()
	if k != nil {
		k.end(ctx)
	}
	ws.records.Flush(ctx) // of those requests, or it would come after the end
	err := ws.store.DeleteWorld(ctx, record.ID, record.Salt)
	ws.drop(k)
	return err
}

// bury removes what was still written here for a world that another process
// deleted.
func (ws *worlds) bury(ctx context.Context, k *keeper) {
	k.end(ctx)
	ws.records.Flush(ctx)
	if err := ws.store.DeleteWorld(ctx, k.world.ID, k.world.Salt); err != nil && ctx.Err() == nil {
		ws.log.WarnContext(ctx, "what is left of a deleted world was not removed", "world", k.world.ID, "error", err)
	}
}

func noWorld(id string) *api.Problem {
	return api.Refuse(http.StatusNotFound, "there is no world "+clipASCII(id)+"; GET "+api.Prefix+"/worlds lists them, POST makes one")
}

// sealKeys encrypts the signing keys of every world: the old sealing key may be
// there for this one start. The default world's are, before anybody is served.
func (ws *worlds) sealKeys(ctx context.Context, seal func(context.Context) error) {
	records, err := ws.store.Worlds(ctx)
	for _, r := range records {
		if r.ID == vneid.DefaultWorld || ctx.Err() != nil {
			continue
		}
		if e := seal(vneid.WithWorld(ctx, &vneid.World{ID: r.ID})); e != nil {
			err = errors.Join(err, fmt.Errorf("world %s: %w", r.ID, e))
		}
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		ws.log.ErrorContext(ctx, "signing keys of worlds not encrypted", "error", err)
	default:
		ws.log.InfoContext(ctx, "the signing keys of every world are encrypted", "worlds", len(records))
	}
}

// run follows the records of worlds in use and removes those that nobody uses,
// until ctx ends.
func (ws *worlds) run(ctx context.Context) {
	tick, sweep := time.NewTicker(followEvery), time.NewTicker(time.Minute)
	defer tick.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			ws.follow(ctx)
		case <-sweep.C:
			ws.sweep(ctx)
		}
	}
}

// inUse are the worlds that somebody asked for lately.
func (ws *worlds) inUse() []*keeper {
	list := []*keeper{ws.defaultWorld}
	since := ws.real.Now().Add(-followedFor)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, k := range ws.known {
		if k.lastUse().After(since) {
			list = append(list, k)
		}
	}
	return list
}

// follow brings the worlds in use to where the store has them, by one question
// for all. While the store does not answer they stay as they are.
func (ws *worlds) follow(ctx context.Context) {
	used := ws.inUse()
	ids, moves := make([]string, len(used)), make([]int64, len(used))
	for i, k := range used {
		ids[i], moves[i] = k.world.ID, k.moves.Load()
	}
	records, err := ws.store.WorldsNamed(ctx, ids)
	if err != nil {
		return
	}
	found := make(map[string]vneid.WorldRecord, len(records))
	for _, r := range records {
		found[r.ID] = r
	}
	for i, k := range used {
		record, ok := found[k.world.ID]
		switch {
		case ok && bytes.Equal(record.Salt, k.world.Salt):
			k.follow(record, moves[i])
		case k != ws.defaultWorld: // deleted, and maybe made again
			ws.drop(k)
			go ws.bury(ctx, k)
		}
	}
}

// sweep removes what expired in the worlds in use, and the worlds that nobody
// used for a day.
func (ws *worlds) sweep(ctx context.Context) {
	for _, k := range ws.inUse() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		removed, err := ws.store.Collect(ctx, k.world)
		ws.log.DebugContext(ctx, "expired rows collected", "world", k.world.ID, "removed", removed, "error", err)
		cancel()
	}
	records, err := ws.store.Worlds(ctx)
	if err != nil {
		return // the next round tries again
	}
	before := ws.real.Now().Add(-unusedFor)
	for _, r := range records {
		if r.ID == vneid.DefaultWorld || r.UsedAt.After(before) {
			continue
		}
		if err := ws.remove(ctx, r); err != nil {
			ws.log.WarnContext(ctx, "an unused world was not removed", "world", r.ID, "error", err)
			return
		}
		ws.log.InfoContext(ctx, "a world that nobody used for a day was removed", "world", r.ID)
	}
}

// readPolicy reads JSON that says where a policy differs from another, by the
// keys of the configuration file.
func readPolicy(base vneid.Policy, differs []byte) (vneid.Policy, strictyaml.Mistakes) {
	if len(differs) == 0 {
		return base, nil
	}
	if !json.Valid(differs) {
		return base, strictyaml.Mistakes{{What: "not JSON"}}
	}
	p := policyFile(base)
	f := strictyaml.Read("", append([]byte(`{"policy": `), append(differs, '}')...), &struct {
		Policy *policyFile `yaml:"policy"`
	}{&p})
	checkPolicy(f, &p)
	for i := range f.Mistakes {
		f.Mistakes[i].Key = strings.TrimPrefix(strings.TrimPrefix(f.Mistakes[i].Key, "policy"), ".")
	}
	return vneid.Policy(p), f.Mistakes
}

// randomWorldID names a world that nobody named.
func randomWorldID(r vneid.Rand) string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789"
	b := make([]byte, 12)
	if _, err := io.ReadFull(r, b); err != nil {
		panic("sandbox: no randomness: " + err.Error())
	}
	for i := range b {
		b[i] = letters[b[i]&31]
	}
	return string(b)
}

type keeperKey struct{}

// in is the context of a request in the keeper's world, as the request names it.
func (k *keeper) in(ctx context.Context, seen *vneid.World) context.Context {
	return vneid.WithWorld(context.WithValue(ctx, keeperKey{}, k), seen)
}

// worldOf is the keeper of a request.
func worldOf(r *http.Request) *keeper { return keeperOf(r.Context()) }

func keeperOf(ctx context.Context) *keeper {
	k, ok := ctx.Value(keeperKey{}).(*keeper)
	if !ok {
		panic("sandbox: no world in this context")
	}
	return k
}

func (ws *worlds) world(ctx context.Context, id string) (*vneid.World, error) {
	k, err := ws.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return k.world, nil
}

// moveClock and reset are those of the request's world.
func (ws *worlds) moveClock(ctx context.Context, change func(offset time.Duration, real time.Time) (time.Duration, error)) error {
	return keeperOf(ctx).moveClock(ctx, change)
}

func (ws *worlds) changeFaults(ctx context.Context, change func([]fault.Armed) []fault.Armed) error {
	return keeperOf(ctx).changeFaults(ctx, change)
}

func (ws *worlds) reset(ctx context.Context) error { return keeperOf(ctx).reset(ctx) }
