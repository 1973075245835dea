package keyring

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// house is a world in a database file, with a clock that moves.
type house struct {
	ctx   context.Context
	file  string
	world *vneid.World
	clock *vneid.OffsetClock
	store *countingStore
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// countingStore counts what is read.
type countingStore struct {
	vneid.Store
	reads atomic.Int64
}

func (s *countingStore) View(ctx context.Context, world string, fn func(vneid.Tx) error) error {
	s.reads.Add(1)
	return s.Store.View(ctx, world, fn)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{file: filepath.Join(t.TempDir(), "keys.db"), clock: &vneid.OffsetClock{Base: vneid.SystemClock{}}, log: &lockedBuffer{}}
	h.world = &vneid.World{ID: vneid.DefaultWorld, Issuer: "http://localhost", Clock: h.clock, Policy: vneid.DefaultPolicy()}
	h.ctx = vneid.WithWorld(t.Context(), h.world)
	store, err := storage.Open(t.Context(), "sqlite:"+h.file, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h.store = &countingStore{Store: store}
	return h
}

// another opens the house's database once more, as another process would.
func (h *house) another(t *testing.T) func(*Config) {
	t.Helper()
	store, err := storage.Open(t.Context(), "sqlite:"+h.file, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return func(c *Config) { c.Store = store }
}

// ring is one process on the house's database.
func (h *house) ring(t *testing.T, change func(*Config)) *Ring {
	t.Helper()
	c := Config{Store: h.store, Logger: slog.New(slog.NewTextHandler(h.log, nil)), Rand: rand.Reader, Pace: 20 * time.Millisecond}
	if change != nil {
		change(&c)
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.pool.rsa = slices.Clone(premade())
	return r
}

// premade spares each house 100 ms of a core.
var premade = sync.OnceValue(func() []crypto.Signer {
	keys, err := new(pool).all([]string{"RS256", "PS256"})
	if err != nil {
		panic(err)
	}
	return keys
})

func (h *house) opened(t *testing.T, change func(*Config)) *Ring {
	t.Helper()
	r := h.ring(t, change)
	if err := r.Open(h.ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(ctx context.Context, r *Ring, alg string) (token, kid string, err error) {
	place, err := r.Enter()
	if err != nil {
		return "", "", err
	}
	defer place.Leave()
	if token, err = r.Sign(ctx, place, TypeJWT, alg, map[string]any{"sub": "an"}); err != nil {
		return "", "", err
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		return "", "", err
	}
	return token, parsed.Headers[0].KeyID, nil
}

func mustSign(t *testing.T, ctx context.Context, r *Ring, alg string) (token, kid string) {
	t.Helper()
	token, kid, err := sign(ctx, r, alg)
	if err != nil {
		t.Fatal(err)
	}
	return token, kid
}

func listed(t *testing.T, ctx context.Context, r *Ring) (set jose.JSONWebKeySet) {
	t.Helper()
	raw, err := r.JWKS(ctx)
	if err == nil {
		err = json.Unmarshal(raw, &set)
	}
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (h *house) rows(t *testing.T) (rows []vneid.SigningKey) {
	t.Helper()
	err := h.store.View(h.ctx, h.world.ID, func(tx vneid.Tx) (err error) {
		rows, err = tx.SigningKeys()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (h *house) states(t *testing.T, alg string) (states []string) {
	t.Helper()
	for _, row := range h.rows(t) {
		if row.Alg == alg {
			states = append(states, string(row.State))
		}
	}
	return states
}

func TestARotationKeepsEveryKeyListedFromPublishToRetire(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	for _, alg := range vneid.SigningAlgs() {
		_, old := mustSign(t, h.ctx, r, alg)
		if err := r.Rotate(h.ctx, alg, StagePublish); err != nil {
			t.Fatal(err)
		}
		if n := len(listed(t, h.ctx, r).Keys); n != 5 {
			t.Errorf("%s: %d keys listed after publish", alg, n)
		}
		if _, kid := mustSign(t, h.ctx, r, alg); kid != old {
			t.Errorf("%s: the next key signs before it is used", alg)
		}
		if err := r.Rotate(h.ctx, alg, StageUse); err != nil {
			t.Fatal(err)
		}
		token, kid := mustSign(t, h.ctx, r, alg)
		set := listed(t, h.ctx, r)
		if kid == old || len(set.Keys) != 5 || len(set.Key(old)) != 1 || len(set.Key(kid)) != 1 {
			t.Errorf("%s: after use %s signs and %d keys are listed", alg, kid, len(set.Keys))
		}
		var claims struct {
			Sub string `json:"sub"`
		}
		if err := r.Verify(h.ctx, token, TypeJWT, &claims); err != nil || claims.Sub != "an" {
			t.Errorf("%s: %v %+v", alg, err, claims)
		}
		if err := r.Rotate(h.ctx, alg, StageRetire); err != nil {
			t.Fatal(err)
		}
		if set := listed(t, h.ctx, r); len(set.Keys) != 4 || len(set.Key(old)) != 0 {
			t.Errorf("%s: the former key is still listed after retire", alg)
		}
	}
}

func TestAStageInTheWrongOrderSaysWhatToDo(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	refused := func(stage, says string) {
		t.Helper()
		err := r.Rotate(h.ctx, "ES256", stage)
		if !vneid.IsCode(err, vneid.CodeConflict) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", stage, err)
		}
	}
	refused(StageUse, `"publish"`)
	refused(StageRetire, `"publish"`)
	for range maxListed - 1 {
		if err := r.Rotate(h.ctx, "ES256", StagePublish); err != nil {
			t.Fatal(err)
		}
		refused(StagePublish, `"use"`)
		if err := r.Rotate(h.ctx, "ES256", StageUse); err != nil {
			t.Fatal(err)
		}
	}
	refused(StagePublish, `"retire"`)
	if err := r.Rotate(h.ctx, "ES256", StageRetire); err != nil {
		t.Fatal(err)
	}
	if states := h.states(t, "ES256"); slices.Contains(states, "former") || !slices.Contains(states, "active") {
		t.Errorf("states %v", states)
	}
	for _, bad := range [][2]string{{"HS256", StagePublish}, {"ES256", "reuse"}} {
		if err := r.Rotate(h.ctx, bad[0], bad[1]); !vneid.IsCode(err, vneid.CodeInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestAServerThatFindsItsKeysMakesNone(t *testing.T) {
	h := newHouse(t)
	first := h.ring(t, nil)
	first.pool.rsa = nil
	if err := first.Open(h.ctx); err != nil {
		t.Fatal(err)
	}
	if n := first.pool.made.Load(); n != 4 {
		t.Errorf("the first start made %d keys", n)
	}
	second := h.opened(t, nil)
	_, a := mustSign(t, h.ctx, first, "RS256")
	_, b := mustSign(t, h.ctx, second, "RS256")
	if n := second.pool.made.Load(); n != 0 || a != b {
		t.Errorf("the second start made %d keys and signs with %s, not %s", n, b, a)
	}
}

// slowClock is that of a machine so busy that a millisecond passes between any
// two looks.
type slowClock struct {
	vneid.Clock
	looks atomic.Int64
}

func (c *slowClock) Now() time.Time {
	return c.Clock.Now().Add(time.Duration(c.looks.Add(1)) * time.Millisecond)
}

func TestTheKeySetKeepsItsBytesAfterARestart(t *testing.T) {
	h := newHouse(t)
	h.world.Clock = &slowClock{Clock: h.clock}
	var sets [2]string
	for i := range sets {
		set, err := h.ring(t, nil).JWKS(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		sets[i] = string(set)
	}
	if sets[0] != sets[1] {
		t.Errorf("%s\nbecame\n%s", sets[0], sets[1])
	}
}

func TestKeysAreMadeAheadOnceSomebodyRotates(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	for range 2 {
		if err := r.Rotate(h.ctx, "PS256", StagePublish); err != nil {
			t.Fatal(err)
		}
		if err := r.Rotate(h.ctx, "PS256", StageUse); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		r.pool.mu.Lock()
		n, filling := len(r.pool.rsa), r.pool.filling
		r.pool.mu.Unlock()
		if n == aheadRSA && !filling {
			break
		}
		if n > aheadRSA || time.Now().After(deadline) {
			t.Fatalf("%d keys lie ready", n)
		}
	}
}

func TestSigningReadsTheStoreOncePerPace(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, func(c *Config) { c.Pace = time.Hour })
	before := h.store.reads.Load()
	for range 200 {
		mustSign(t, h.ctx, r, "EdDSA")
		listed(t, h.ctx, r)
	}
	if n := h.store.reads.Load() - before; n != 0 {
		t.Errorf("%d reads of the store", n)
	}
}

func TestARetiredKeyHasNoPrivatePartButStillReadsHintsOfLivingSessions(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	token, kid := mustSign(t, h.ctx, r, "RS256")
	for _, stage := range []string{StagePublish, StageUse, StageRetire} {
		if err := r.Rotate(h.ctx, "RS256", stage); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range h.rows(t) {
		if row.KID == kid && (row.State != vneid.KeyRetired || row.PKCS8[len(magic)] != kindPublic) {
			t.Errorf("the retired key rests as %q in state %s", row.PKCS8[:len(magic)+1], row.State)
		}
	}
	restarted := h.opened(t, nil)
	for _, r := range []*Ring{r, restarted} {
		if err := r.Verify(h.ctx, token, TypeJWT, &map[string]any{}); err != nil {
			t.Errorf("a hint by a key that was just retired: %v", err)
		}
	}
	h.clock.SetOffset(h.world.Policy.SessionLifetime)
	for _, r := range []*Ring{r, restarted, h.opened(t, nil)} {
		if err := r.Verify(h.ctx, token, TypeJWT, &map[string]any{}); !errors.Is(err, ErrToken) {
			t.Errorf("a hint by a key retired longer ago than sessions last: %v", err)
		}
	}
}

func TestTokensOfOthersAreNoHints(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	good, kid := mustSign(t, h.ctx, r, "RS256")
	foreign, _ := rsa.GenerateKey(rand.Reader, 2048)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: foreign, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	forged, _ := jwt.Signed(signer).Claims(map[string]any{"sub": "an"}).Serialize()
	for name, token := range map[string]string{"forged": forged, "empty": "", "dots": "..", "cut": good[:len(good)-4], "JWE": good + ".x.y",
		"long": strings.Repeat("x", maxToken) + good} {
		if err := r.Verify(h.ctx, token, TypeJWT, &map[string]any{}); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutTheStoreTheJWKSStaysAndNobodySigns(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	before := listed(t, h.ctx, r)
	h.store.Store.Close()
	time.Sleep(2 * r.Pace)
	if after := listed(t, h.ctx, r); len(after.Keys) != len(before.Keys) {
		t.Errorf("%d keys listed, %d before", len(after.Keys), len(before.Keys))
	}
	if _, _, err := sign(h.ctx, r, "RS256"); !errors.Is(err, vneid.ErrUnavailable) {
		t.Errorf("signed on old knowledge: %v", err)
	}
}

func TestAFullQueueOfSignaturesSaysSo(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	var places []interface{ Leave() }
	for {
		p, err := r.Enter()
		if err != nil {
			if !vneid.IsCode(err, vneid.CodeUnavailable) {
				t.Error(err)
			}
			break
		}
		places = append(places, p)
	}
	if len(places) <= maxWaiting {
		t.Errorf("full with %d", len(places))
	}
	for _, p := range places {
		p.Leave()
	}
	mustSign(t, h.ctx, r, "RS256")
}
