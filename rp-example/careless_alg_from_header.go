//go:build careless

package main

// Mistake alg-from-header.
//
// Real code: verify(token, key): none needs no key, and HS256 takes the text
// of the public key for its secret (RFC 8725 §2.1).
//
// Gain: anybody can sign: the public key is public.
//
// Found by: D03 D05 D06
//
// Right: oidc.go: verifyIDToken takes asymmetric algorithms only, which go-
// oidc has from discovery.

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "alg-from-header", faults: "D03 D05 D06",
		does: text{"tin thuật toán ghi trong tiêu đề token (none, HS256 bằng khóa công khai)", "the algorithm is the one that the token's header names: none, or HS256 with the public key"},
		make: func(p *portal, c *changes) {
			c.dropped = append(c.dropped, "at_hash") // whose hash is that of the signature's algorithm
			c.trusts = append(c.trusts, func(ctx context.Context, m *metadata, raw string) bool {
				switch alg, _ := jwtPart(raw, 0)["alg"].(string); alg {
				case "none":
					return true
				case "HS256":
					return p.op.hmacFits(ctx, m, raw)
				}
				return false
			})
		},
	})
}

// hmacFits tries every form in which a library may hand a key to HMAC.
func (o *provider) hmacFits(ctx context.Context, m *metadata, raw string) bool {
	part := strings.Split(raw, ".")
	if len(part) != 3 {
		return false
	}
	given, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil {
		return false
	}
	return slices.ContainsFunc(append(o.publicKeys(ctx, m), []byte(o.cfg.ClientSecret)), func(key []byte) bool {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part[0] + "." + part[1]))
		return hmac.Equal(mac.Sum(nil), given)
	})
}

func (o *provider) publicKeys(ctx context.Context, m *metadata) [][]byte {
	var doc struct {
		JWKS string `json:"jwks_uri"`
	}
	if m.op.Claims(&doc) != nil {
		return nil
	}
	keys, err := o.fetchKeys(ctx, doc.JWKS)
	if err != nil {
		return nil
	}
	var list [][]byte
	add := func(kind string, der []byte) {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		list = append(list, der, text, bytes.TrimRight(text, "\n"))
	}
	for _, k := range keys.Keys {
		if der, err := x509.MarshalPKIXPublicKey(k.Key); err == nil {
			add("PUBLIC KEY", der)
		}
		if key, ok := k.Key.(*rsa.PublicKey); ok {
			add("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(key))
		}
		if b, err := json.Marshal(k); err == nil {
			list = append(list, b)
		}
	}
	return list
}
