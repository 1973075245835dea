//go:build careless

package main

// Mistake key-from-header.
//
// Real code: the JWT library takes the key from the header when there is one.
//
// Gain: the attacker signs with a key of his own and sends it along; jku makes
// the server fetch any address besides.
//
// Found by: D14 D15 D16 D17
//
// Right: oidc.go: verifyIDToken has its keys from jwks_uri of the issuer's
// discovery document and nowhere else.

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "key-from-header", faults: "D14 D15 D16 D17",
		does: text{"dùng khóa mà chính token đưa (jwk, jku, x5c)", "the key is the one that the token brings: jwk, jku or x5c"},
		make: func(p *portal, c *changes) {
			c.dropped = append(c.dropped, "header", "at_hash") // whose hash is that of the signature's algorithm
			c.trusts = append(c.trusts, func(ctx context.Context, _ *metadata, raw string) bool {
				return p.op.bringsItsKey(ctx, raw)
			})
		},
	})
}

func (o *provider) bringsItsKey(ctx context.Context, raw string) bool {
	header := jwtPart(raw, 0)
	var keys jose.JSONWebKeySet
	if b, err := json.Marshal(header["jwk"]); err == nil {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(b) == nil {
			keys.Keys = append(keys.Keys, k)
		}
	}
	if list, _ := header["x5c"].([]any); len(list) > 0 {
		text, _ := list[0].(string)
		if der, err := base64.StdEncoding.DecodeString(text); err == nil {
			if cert, err := x509.ParseCertificate(der); err == nil {
				keys.Keys = append(keys.Keys, jose.JSONWebKey{Key: cert.PublicKey})
			}
		}
	}
	for _, name := range []string{"jku", "jwk"} { // some take an address for a key
		if there, _ := header[name].(string); there != "" {
			if set, err := o.fetchKeys(ctx, there); err == nil {
				keys.Keys = append(keys.Keys, set.Keys...)
			}
		}
	}
	if there, _ := header["x5u"].(string); there != "" {
		text, _ := o.fetch(ctx, there)
		if block, _ := pem.Decode(text); block != nil {
			if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
				keys.Keys = append(keys.Keys, jose.JSONWebKey{Key: cert.PublicKey})
			}
		}
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA})
	if err != nil {
		return false
	}
	for _, k := range keys.Keys {
		if _, err := jws.Verify(k.Key); err == nil {
			return true
		}
	}
	return false
}

func (o *provider) fetchKeys(ctx context.Context, there string) (*jose.JSONWebKeySet, error) {
	b, err := o.fetch(ctx, there)
	if err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	return &set, json.Unmarshal(b, &set)
}

func (o *provider) fetch(ctx context.Context, there string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, there, nil)
	if err != nil {
		return nil, err
	}
	resp, err := o.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	return io.ReadAll(resp.Body)
}
