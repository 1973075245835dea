package fault

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// What several faults do to signatures and keys.

func unsigned([]byte) []byte { return nil }

func hs256(secret []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

// byForeignKey lets the attacker's key sign, under any name.
func byForeignKey(t *JWT, kid string) {
	t.Header.Set("alg", "RS256")
	t.Header.Set("kid", kid)
	if kid == "" {
		t.Header.Delete("kid")
	}
	t.Sign = signForeign
}

// algNone says that there is no signature, as there is none.
func algNone(t *JWT) {
	t.Header.Set("alg", "none")
	t.Header.Delete("kid")
	t.Sign = unsigned
}

// byPublicKey signs by HS256 with what everybody knows.
func (x *Exchange) byPublicKey(t *JWT, form string) {
	secret := x.publicKeyAs(t.kid, form)
	if secret == nil {
		x.Untouched()
		return
	}
	t.Header.Set("alg", "HS256")
	t.Sign = hs256(secret)
}

// keysIn are the keys of a JWKS, taken apart.
func keysIn(set *Object) (list []*Object) {
	for _, raw := range keysOf(set) {
		if k, err := ParseObject(raw); err == nil {
			list = append(list, k)
		}
	}
	return list
}

func keysOf(set *Object) (list [][]byte) {
	var raws []json.RawMessage
	if json.Unmarshal(set.Raw("keys"), &raws) != nil {
		return nil
	}
	for _, raw := range raws {
		list = append(list, raw)
	}
	return list
}

func setKeys(set *Object, keys [][]byte) {
	b := []byte{'['}
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, k...)
	}
	set.SetRaw("keys", append(b, ']'))
}

func rsaJWK(key *rsa.PublicKey, kid string) *Object {
	o := &Object{}
	o.Set("kty", "RSA")
	if kid != "" {
		o.Set("kid", kid)
	}
	o.Set("use", "sig")
	o.Set("alg", "RS256")
	o.Set("n", b64.EncodeToString(key.N.Bytes()))
	o.Set("e", b64.EncodeToString(big.NewInt(int64(key.E)).Bytes()))
	return o
}

// foreignJWK is the public part of the attacker's key.
func foreignJWK(kid string) *Object { return rsaJWK(&foreignKey().PublicKey, kid) }

// kidOf is the id of the provider's key for an algorithm, "" when there is none.
// Of several the last one listed: which one is active only the provider knows.
func (x *Exchange) kidOf(alg string) (kid string) {
	set, err := x.PublicKeys()
	if x.engine.must(x, err); err != nil {
		return ""
	}
	for _, k := range keysIn(set) {
		if k.String("alg") == alg {
			kid = k.String("kid")
		}
	}
	return kid
}

// publicKeyAs is a public key of the provider in a form that somebody may have
// used as HMAC secret, nil for a key that has no such form.
func (x *Exchange) publicKeyAs(kid, form string) []byte {
	set, err := x.PublicKeys()
	if x.engine.must(x, err); err != nil {
		return nil
	}
	for _, k := range keysIn(set) {
		if k.String("kid") != kid {
			continue
		}
		switch form {
		case "jwk":
			return k.Bytes()
		case "n", "e", "kty", "alg":
			if v := k.String(form); v != "" {
				return []byte(v)
			}
			return nil
		}
		var key jose.JSONWebKey
		if key.UnmarshalJSON(k.Bytes()) != nil {
			return nil
		}
		return encodedKey(key.Key, form)
	}
	return nil
}

func encodedKey(key any, form string) []byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	kind := "PUBLIC KEY"
	if form == "pkcs1-pem" || form == "pkcs1-pem-no-newline" || form == "pkcs1-der" {
		public, ok := key.(*rsa.PublicKey)
		if !ok {
			return nil
		}
		der, kind = x509.MarshalPKCS1PublicKey(public), "RSA PUBLIC KEY"
	} else if err != nil {
		return nil
	}
	switch form {
	case "pkix-der", "pkcs1-der":
		return der
	}
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if form == "pkix-pem-no-newline" || form == "pkcs1-pem-no-newline" {
		text = text[:len(text)-1]
	}
	return text
}

// shownSecret is the secret that the client showed with this very request.
func (x *Exchange) shownSecret() string {
	if _, secret, ok := x.Request.BasicAuth(); ok {
		if plain, err := url.QueryUnescape(secret); err == nil {
			return plain
		}
	}
	return x.Form.Get("client_secret")
}

const weakKID = "a-weak-key"

// weakKey has half the bits that one may use.
var weakKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic("fault: a key of 1024 bits: " + err.Error())
	}
	return k
})

// weakJWK is the public part; with exponent 1 anybody can sign.
func weakJWK(variant string) *Object {
	if variant == "exponent-1" {
		key := foreignKey().PublicKey
		key.E = 1
		return rsaJWK(&key, weakKID)
	}
	return rsaJWK(&weakKey().PublicKey, weakKID)
}

func signWeak(variant string) func([]byte) []byte {
	return func(input []byte) []byte {
		digest := sha256.Sum256(input)
		if variant == "exponent-1" {
			// s^1 mod n is s: the padded digest is the signature (RFC 8017 §9.2).
			prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
			info := append(prefix, digest[:]...)
			padded := make([]byte, foreignKey().Size())
			for i := range padded {
				padded[i] = 0xff
			}
			padded[0], padded[1], padded[len(padded)-len(info)-1] = 0, 1, 0
			copy(padded[len(padded)-len(info):], info)
			return padded
		}
		signature, err := rsa.SignPKCS1v15(rand.Reader, weakKey(), crypto.SHA256, digest[:])
		if err != nil {
			panic("fault: RS256: " + err.Error())
		}
		return signature
	}
}

// derOf is a raw ECDSA signature as ASN.1 writes it.
func derOf(raw []byte) []byte {
	if len(raw) != 64 {
		return raw
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
	if err != nil {
		return raw
	}
	return der
}

// rotate takes the client's signing key stages on. What is not possible now
// (a next key is there already, too many are listed) is put right first.
func (x *Exchange) rotate(stages ...string) {
	alg := x.engine.algOf(x)
	for _, stage := range stages {
		err := x.engine.rotator(x.Ctx(), alg, stage)
		if err != nil && stage == "publish" {
			if x.engine.rotator(x.Ctx(), alg, "use") == nil || x.engine.rotator(x.Ctx(), alg, "retire") == nil {
				err = x.engine.rotator(x.Ctx(), alg, stage)
			}
		}
		x.engine.must(x, err)
	}
}
