package op

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// clientKeys are the public keys of clients: registered with them, or fetched
// from where they say. What was fetched is kept for a while, and fetched again
// when somebody signs with a key that is not there (OIDC Core §10.1.1).
type clientKeys struct {
	outward *http.Client
	clock   vneid.Clock // of the machine: how long something is kept is no matter of a world

	mu      sync.Mutex
	fetched map[keysOf]*fetchedKeys
}

type keysOf struct{ world, client, uri string }

// fetchedKeys are those of one client. Its lock is held while they are fetched,
// so that a hundred requests at once fetch once.
type fetchedKeys struct {
	mu    sync.Mutex
	keys  []jose.JSONWebKey
	at    time.Time // of the last success
	tried time.Time
	why   string // the last try failed
}

const (
	clientKeysKept  = 5 * time.Minute // a key that was withdrawn works no longer than that
	clientKeysPause = 3 * time.Second // between two tries, whatever is asked for
	mostFetchedKeys = 1000            // clients whose keys are kept
	mostKeysPerSet  = 100
	maxKeySet       = 64 << 10 // bytes
)

// find returns the keys that a signature may be made with, or says why there
// are none.
func (k *clientKeys) find(ctx context.Context, c *vneid.Client, kid, alg string) ([]jose.JSONWebKey, string) {
	if c.JWKS != nil {
		keys, err := readKeySet(encode(c.JWKS))
		if err != nil {
			return nil, "the registered jwks cannot be read: " + err.Error()
		}
		return fitting(keys, kid, alg)
	}
	f := k.of(keysOf{vneid.WorldFrom(ctx).ID, c.ClientID, c.JWKSURI})
	f.mu.Lock()
	defer f.mu.Unlock()
	now := k.clock.Now()
	found, hint := fitting(f.keys, kid, alg)
	stale := now.Sub(f.at) > clientKeysKept
	if hint == "" && !stale {
		return found, ""
	}
	if now.Sub(f.tried) < clientKeysPause {
		if f.why != "" {
			return nil, f.why
		}
		return found, hint
	}
	f.tried, f.why = now, ""
	keys, err := k.fetch(ctx, c.JWKSURI)
	if err != nil {
		f.why = "the keys at jwks_uri cannot be had: " + err.Error()
		return nil, f.why
	}
	f.keys, f.at = keys, now
	return fitting(keys, kid, alg)
}

// of finds the entry of a client. When there are too many, one goes: it costs
// its client a fetch.
func (k *clientKeys) of(key keysOf) *fetchedKeys {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.fetched[key]
	if f == nil {
		if k.fetched == nil {
			k.fetched = map[keysOf]*fetchedKeys{}
		}
		for other := range k.fetched {
			if len(k.fetched) < mostFetchedKeys {
				break
			}
			delete(k.fetched, other)
		}
		f = &fetchedKeys{}
		k.fetched[key] = f
	}
	return f
}

func (k *clientKeys) fetch(ctx context.Context, uri string) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout) // others may wait for it too
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := k.outward.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: the client answered %s (redirects are not followed)", uri, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("GET %s: longer than %d bytes", uri, maxKeySet)
	}
	return readKeySet(body)
}

// readKeySet reads the keys that we can use. A key of a kind that we do not
// know is skipped (RFC 7517 §5).
func readKeySet(body []byte) (keys []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return nil, errors.New("not a JWK set (RFC 7517 §5)")
	}
	if len(set.Keys) > mostKeysPerSet {
		return nil, fmt.Errorf("more than %d keys", mostKeysPerSet)
	}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && key.Valid() && key.IsPublic() {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// fitting are the keys that may have made a signature of that algorithm: with
// a kid only those that have it, without one any.
func fitting(keys []jose.JSONWebKey, kid, alg string) (list []jose.JSONWebKey, hint string) {
	for _, key := range keys {
		if (kid == "" || key.KeyID == kid) && key.Use != "enc" && (key.Algorithm == "" || key.Algorithm == alg) && canSign(key.Key, alg) {
			list = append(list, key)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Sprintf("no registered key has kid %.64q and fits alg %s (RSA from %d bits, EC P-256, Ed25519)", kid, alg, vneid.MinClientRSABits)
	}
	return list, ""
}

// canSign holds a public key against an algorithm, RFC 7518 §3.
func canSign(key any, alg string) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return (alg == "RS256" || alg == "PS256") && key.N.BitLen() >= vneid.MinClientRSABits
	case *ecdsa.PublicKey:
		return alg == "ES256" && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}
