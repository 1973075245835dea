package fault

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
)

// JWT is a signed token taken apart. Unless a fault says otherwise it is signed
// again by the provider's own key, so that only what the fault describes is
// wrong.
type JWT struct {
	Header *Object
	Claims *Object

	// Sign makes the signature of "header.payload"; nil = the provider's key of
	// the token as it came. One that returns nothing leaves the part empty.
	Sign func(input []byte) []byte
	// Whole, when it is set, is sent instead of the compact form.
	Whole string
	// Alter changes the compact form last of all; nil = nothing.
	Alter func(compact string) string

	kid    string // of the key that had signed it
	signer func(ctx context.Context, kid string, input []byte) ([]byte, error)
	asCame string
}

var b64 = base64.RawURLEncoding

// parseJWT takes a compact JWS apart.
func (e *Engine) parseJWT(compact string) (*JWT, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, errors.New("no compact JWS")
	}
	t := &JWT{asCame: compact, signer: e.signer}
	for i, into := range []**Object{&t.Header, &t.Claims} {
		raw, err := b64.DecodeString(parts[i])
		if err != nil {
			return nil, err
		}
		if *into, err = ParseObject(raw); err != nil {
			return nil, err
		}
	}
	t.kid = t.Header.String("kid")
	return t, nil
}

func (t *JWT) touched() bool {
	return t.Whole != "" || t.Sign != nil || t.Alter != nil || t.Header.changed || t.Claims.changed
}

// compact puts the token together again.
func (t *JWT) compact(ctx context.Context) (string, error) {
	if t.Whole != "" {
		return t.Whole, nil
	}
	text := t.asCame
	if t.Header.changed || t.Claims.changed || t.Sign != nil {
		input := b64.EncodeToString(t.Header.Bytes()) + "." + b64.EncodeToString(t.Claims.Bytes())
		var signature []byte
		if t.Sign != nil {
			signature = t.Sign([]byte(input))
		} else {
			var err error
			if signature, err = t.signer(ctx, t.kid, []byte(input)); err != nil {
				return "", err
			}
		}
		text = input + "." + b64.EncodeToString(signature)
	}
	if t.Alter != nil {
		text = t.Alter(text)
	}
	return text, nil
}

// foreignKey is an RSA key that the provider never published: the attacker's.
var foreignKey = sync.OnceValue(newRSAKey)

// listedKey is the one that faults put into the JWKS. A relying party remembers
// such a list: what the attacker's key signs afterwards has to stay foreign to it.
var listedKey = sync.OnceValue(newRSAKey)

func newRSAKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("fault: no randomness: " + err.Error())
	}
	return k
}

// signForeign signs by RS256 with the attacker's key.
func signForeign(input []byte) []byte {
	digest := sha256.Sum256(input)
	signature, err := rsa.SignPKCS1v15(rand.Reader, foreignKey(), crypto.SHA256, digest[:])
	if err != nil {
		panic("fault: RS256: " + err.Error())
	}
	return signature
}
