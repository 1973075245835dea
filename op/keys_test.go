package op_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/vneid-sandbox/vneid-sandbox/op"
	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// twoProcesses puts two providers on the world's store behind a round robin,
// each rotating its keys daily.
func twoProcesses(t *testing.T, w *testWorld) {
	t.Helper()
	ctx, stop := context.WithCancel(vneid.WithWorld(t.Context(), w.world))
	var providers []*op.Provider
	var all sync.WaitGroup
	for range 2 {
		p, err := op.New(ctx, op.Config{Store: w.store, Hasher: password.New(password.Cheap(), 2), SMS: w.phones, Rand: rand.Reader,
			Logger: slog.New(slog.NewJSONHandler(w.log, nil)), KeyRotation: 24 * time.Hour, KeyPace: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		providers = append(providers, p)
	}
	var turn atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		providers[turn.Add(1)%2].ServeHTTP(rw, r.WithContext(vneid.WithWorld(r.Context(), w.world)))
	}))
	t.Cleanup(func() { server.Close(); stop(); all.Wait() })
	w.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	w.world.Issuer = w.url
	for _, p := range providers {
		if err := p.OpenKeys(ctx); err != nil {
			t.Fatal(err)
		}
		all.Go(func() { p.RunKeys(ctx) })
	}
}

// keyStates counts the keys of all algorithms by state.
func (w *testWorld) keyStates() map[vneid.KeyState]int {
	w.t.Helper()
	states := map[vneid.KeyState]int{}
	err := w.store.View(context.Background(), w.world.ID, func(tx vneid.Tx) error {
		keys, err := tx.SigningKeys()
		clear(states)
		for _, k := range keys {
			states[k.State]++
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return states
}

func TestRotationsByScheduleFailNoVerificationUnderLoad(t *testing.T) {
	w := newWorld(t)
	twoProcesses(t, w)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var verified atomic.Int64
	var load sync.WaitGroup
	kids := sync.Map{}
	b := w.browser() // one session: a number gets five messages only
	for _, alg := range vneid.SigningAlgs() {
		id := "alg-" + alg
		w.client(vneid.ClientMetadata{ClientID: id, Consent: "never", IDTokenSignedAlg: alg})
		// A relying party with one JWKS cache, which it reads again when it
		// meets an unknown key.
		verifier := oidc.NewVerifier(w.url, oidc.NewRemoteKeySet(t.Context(), w.url+"/keys"),
			&oidc.Config{ClientID: id, SupportedSigningAlgs: []string{alg}, SkipExpiryCheck: true}) // the clock leaps
		for range 2 {
			done := b.signIn(request(id, "scope", "openid offline_access"), an)
			refresh, _ := w.token(id, codeForm(done.param("code"))).json(t)["refresh_token"].(string)
			load.Go(func() {
				for ctx.Err() == nil {
					a := w.token(id, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
					tokens := a.json(t)
					raw, _ := tokens["id_token"].(string)
					if _, err := verifier.Verify(t.Context(), raw); err != nil {
						t.Errorf("%s: %s: %v", alg, a.body, err)
						return
					}
					refresh, _ = tokens["refresh_token"].(string)
					kids.Store(strings.SplitN(raw, ".", 2)[0], true)
					verified.Add(1)
				}
			})
		}
	}
	// wait until four keys, one of each algorithm, are in a state.
	wait := func(state vneid.KeyState, n int) {
		t.Helper()
		var states map[vneid.KeyState]int
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if states = w.keyStates(); states[state] == n {
				return
			}
		}
		stop()
		load.Wait()
		t.Fatalf("keys %v, want %d %s", states, n, state)
	}
	// signed is how many keys signed so far.
	signed := func() (n int) {
		kids.Range(func(any, any) bool { n++; return true })
		return n
	}
	// used waits until each active key signed something, which on a busy machine
	// may be later than the next rotation.
	used := func(n int) {
		for deadline := time.Now().Add(30 * time.Second); signed() < n && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	used(4)
	pass := func(d time.Duration) { w.clock.SetOffset(w.clock.Offset() + d) }
	for rotation := 1; rotation <= 3; rotation++ {
		pass(24 * time.Hour)
		wait(vneid.KeyNext, 4)
		pass(5 * time.Minute)
		wait(vneid.KeyFormer, 4)
		used(4 + 4*rotation)
		pass(w.world.Policy.IDTokenLifetime + 5*time.Minute)
		wait(vneid.KeyRetired, 4*rotation)
	}
	stop()
	load.Wait()
	if verified.Load() < 100 || signed() != 16 {
		t.Errorf("%d tokens by %d keys were verified, want many by 16", verified.Load(), signed())
	}
	if states := w.keyStates(); states[vneid.KeyActive] != 4 || len(states) != 2 {
		t.Errorf("keys %v", states)
	}
}

func TestAFullQueueOfSignaturesCostsNoCodeAndNoRefreshToken(t *testing.T) {
	w := newWorld(t)
	code := w.browser().signIn(request("basic", "scope", "openid offline_access"), an).param("code")
	busy := func(form url.Values) {
		t.Helper()
		leave := w.provider.FillSignatures()
		defer leave()
		a := w.token("basic", form)
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.json(t)["error"] != "temporarily_unavailable" {
			t.Fatalf("with a full queue: %s %v %s", a.Status, a.Header, a.body)
		}
	}
	busy(codeForm(code))
	tokens := w.token("basic", codeForm(code)).json(t)
	refresh, _ := tokens["refresh_token"].(string)
	if tokens["id_token"] == nil || refresh == "" {
		t.Fatalf("the code is lost: %v", tokens)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	busy(form)
	if again := w.token("basic", form); again.json(t)["id_token"] == nil {
		t.Errorf("the refresh token is lost: %s", again.body)
	}
}

func TestAHintByARotatedKeyStillSignsOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	raw, _ := w.token("basic", codeForm(b.signIn(request("basic"), an).param("code"))).json(t)["id_token"].(string)
	ctx := vneid.WithWorld(t.Context(), w.world)
	for _, stage := range []string{"publish", "use", "retire"} {
		if err := w.provider.RotateKey(ctx, "RS256", stage); err != nil {
			t.Fatal(err)
		}
		silent := b.authorize(request("basic", "prompt", "none", "id_token_hint", raw))
		if silent.param("code") == "" {
			t.Errorf("after %s a hint with prompt=none gets %s", stage, silent.Header.Get("Location"))
		}
	}
	w.clock.SetOffset(w.world.Policy.SessionLifetime)
	late := b.authorize(request("basic", "prompt", "none", "id_token_hint", raw))
	if late.param("error") != "invalid_request" {
		t.Errorf("a hint by a key retired longer ago than sessions last: %s", late.Header.Get("Location"))
	}
}

// fullHasher is a queue of hashes without a free place.
type fullHasher struct{ vneid.Hasher }

func (fullHasher) Verify(context.Context, string, string) (bool, error) {
	return false, vneid.Errorf(vneid.CodeUnavailable, "overloaded", "password hashes: 2 run and 500 wait already")
}

func TestAFullQueueOfHashesIsAPageThatAsksToTryAgain(t *testing.T) {
	w := newWorld(t)
	p, err := op.New(t.Context(), op.Config{Store: w.store, Hasher: fullHasher{password.New(password.Cheap(), 1)}, SMS: w.phones, Rand: rand.Reader,
		Logger: slog.New(slog.NewJSONHandler(w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		p.ServeHTTP(rw, r.WithContext(vneid.WithWorld(r.Context(), w.world)))
	}))
	defer server.Close()
	w.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	w.world.Issuer = w.url
	a := w.browser().signIn(request("basic"), an)
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "Hệ thống đang bận") {
		t.Errorf("%s, Retry-After %q:\n%s", a.Status, a.Header.Get("Retry-After"), a.body)
	}
}
