package keyring

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"
	"sync/atomic"
)

// generate makes a private key for an algorithm. RSA takes 40 to 90 ms of a
// core, the others microseconds.
func generate(alg string) (crypto.Signer, error) {
	switch alg {
	case "RS256", "PS256":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return nil, fmt.Errorf("no such signing algorithm %q", alg)
}

// How many RSA keys lie ready: once somebody took one, and once somebody makes
// worlds, which need two each.
const (
	aheadRSA       = 2
	aheadForWorlds = 32
)

// pool makes private keys. It starts empty, because a server that finds its
// keys in the database needs none; after the first key was taken it makes
// RSA keys ahead, one at a time.
type pool struct {
	mu      sync.Mutex
	rsa     []crypto.Signer
	filling bool
	ahead   int // 0 = aheadRSA
	made    atomic.Int64
}

func (p *pool) generate(alg string) (crypto.Signer, error) {
	p.made.Add(1)
	return generate(alg)
}

// ready returns a key that was made ahead, nil when there is none.
func (p *pool) ready(alg string) (key crypto.Signer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.rsa); n > 0 && (alg == "RS256" || alg == "PS256") {
		key, p.rsa = p.rsa[n-1], p.rsa[:n-1]
	}
	return key
}

// take returns a fresh key. It stops waiting when ctx ends.
func (p *pool) take(ctx context.Context, alg string) (crypto.Signer, error) {
	if alg != "RS256" && alg != "PS256" {
		return p.generate(alg)
	}
	ready := p.ready(alg)
	p.refill(0)
	if ready != nil {
		return ready, nil
	}
	type result struct {
		key crypto.Signer
		err error
	}
	done := make(chan result, 1)
	go func() {
		key, err := p.generate(alg)
		done <- result{key, err}
	}()
	select {
	case r := <-done:
		return r.key, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refill makes keys ahead, of which ahead or more shall lie ready from now on.
func (p *pool) refill(ahead int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead = max(p.ahead, ahead, aheadRSA)
	if !p.filling {
		p.filling = true
		go p.fill()
	}
}

// fill ends when enough keys lie ready.
func (p *pool) fill() {
	for {
		p.mu.Lock()
		if len(p.rsa) >= p.ahead {
			p.filling = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		key, err := p.generate("RS256")
		p.mu.Lock()
		if err != nil { // the next take tries again, and says why
			p.filling = false
			p.mu.Unlock()
			return
		}
		p.rsa = append(p.rsa, key)
		p.mu.Unlock()
	}
}

// all returns a fresh key for each algorithm, made in parallel.
func (p *pool) all(algs []string) ([]crypto.Signer, error) {
	keys, errs := make([]crypto.Signer, len(algs)), make([]error, len(algs))
	var wait sync.WaitGroup
	for i, alg := range algs {
		if keys[i] = p.ready(alg); keys[i] == nil {
			wait.Go(func() { keys[i], errs[i] = p.generate(alg) })
		}
	}
	wait.Wait()
	p.mu.Lock()
	ahead := p.ahead
	p.mu.Unlock()
	if ahead > 0 {
		p.refill(0)
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Prepare makes keys ahead for worlds that will be made.
func (r *Ring) Prepare() { r.pool.refill(aheadForWorlds) }
