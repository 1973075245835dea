package keyring

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// How a key rests in the store: in vneid.SigningKey.PKCS8 stands
//
//	"vk1"  which format this is
//	kind   one byte, below
//	since  int64, big-endian Unix milliseconds: when the key came to its state
//	rest   depends on the kind
//
// The state and its time are no secrets and change without the sealing key.
const magic = "vk1"

const (
	kindPlain  = 'p' // PKCS#8
	kindSealed = 's' // nonce, then PKCS#8 under AES-256-GCM; world, kid and algorithm are associated data
	kindPublic = 'u' // PKIX: the private key was destroyed
)

const headLen = len(magic) + 1 + 8

// rested is a row taken apart. Rows of the first version, bare PKCS#8, came to
// their state when they were made.
type rested struct {
	kind  byte
	since time.Time
	rest  []byte
}

func unpack(row *vneid.SigningKey) (rested, error) {
	b := row.PKCS8
	if !bytes.HasPrefix(b, []byte(magic)) {
		return rested{kind: kindPlain, since: row.CreatedAt, rest: b}, nil
	}
	if len(b) < headLen {
		return rested{}, fmt.Errorf("signing key %s: the row is damaged", row.KID)
	}
	return rested{kind: b[len(magic)], since: time.UnixMilli(int64(binary.BigEndian.Uint64(b[len(magic)+1:]))).UTC(), rest: b[headLen:]}, nil
}

func (r rested) pack() []byte {
	b := append([]byte(magic), r.kind)
	b = binary.BigEndian.AppendUint64(b, uint64(r.since.UnixMilli()))
	return append(b, r.rest...)
}

// moved is a row in another state since then.
func moved(row vneid.SigningKey, to vneid.KeyState, at time.Time) (vneid.SigningKey, error) {
	r, err := unpack(&row)
	if err != nil {
		return row, err
	}
	r.since = at
	row.State, row.PKCS8 = to, r.pack()
	return row, nil
}

// sealer encrypts and decrypts private keys for the store. The zero sealer
// leaves them in plain.
type sealer struct {
	current cipher.AEAD
	old     cipher.AEAD // what rows may still be sealed with
}

// SealingKeyLen is the length of a key that seals, in bytes.
const SealingKeyLen = 32

func newSealer(current, old []byte) (s sealer, err error) {
	for _, k := range []struct {
		key  []byte
		into *cipher.AEAD
	}{{current, &s.current}, {old, &s.old}} {
		if len(k.key) == 0 {
			continue
		}
		if len(k.key) != SealingKeyLen {
			return s, fmt.Errorf("a key that seals has %d bytes, not %d", SealingKeyLen, len(k.key))
		}
		block, err := aes.NewCipher(k.key)
		if err != nil {
			return s, err
		}
		if *k.into, err = cipher.NewGCM(block); err != nil {
			return s, err
		}
	}
	return s, nil
}

// seal puts a private key to rest.
func (s sealer) seal(world string, row *vneid.SigningKey, pkcs8 []byte, since time.Time) {
	r := rested{kind: kindPlain, since: since, rest: pkcs8}
	if s.current != nil {
		nonce := make([]byte, s.current.NonceSize())
		rand.Read(nonce) // never fails: crypto/rand stops the program instead
		r.kind, r.rest = kindSealed, s.current.Seal(nonce, nonce, pkcs8, associated(world, row))
	}
	row.PKCS8 = r.pack()
}

var (
	errNoSealingKey = errors.New("it is encrypted, and VNEID_SANDBOX_KEY is not set: set the key it was encrypted with")
	errSealingKey   = errors.New("it cannot be decrypted: VNEID_SANDBOX_KEY is not the key it was encrypted with (after a change, set the former one as VNEID_SANDBOX_KEY_OLD), or the row was damaged")
)

// open returns the PKCS#8 of a row, and whether it rests as it should: sealed
// with the current key when there is one.
func (s sealer) open(world string, row *vneid.SigningKey, r rested) (pkcs8 []byte, settled bool, err error) {
	switch r.kind {
	case kindPlain:
		return r.rest, s.current == nil, nil
	case kindSealed:
		if s.current == nil {
			return nil, false, errNoSealingKey
		}
		for _, with := range []cipher.AEAD{s.current, s.old} {
			if with == nil || len(r.rest) < with.NonceSize() {
				continue
			}
			n := with.NonceSize()
			if pkcs8, err := with.Open(nil, r.rest[:n], r.rest[n:], associated(world, row)); err == nil {
				return pkcs8, with == s.current, nil
			}
		}
		return nil, false, errSealingKey
	}
	return nil, false, fmt.Errorf("rests in a form this version does not know (%q)", r.kind)
}

// settled reports whether every private key rests as it should. It is not when
// one cannot be read.
func (s sealer) settled(world string, rows []vneid.SigningKey) bool {
	for i := range rows {
		rest, err := unpack(&rows[i])
		if err != nil {
			return false
		}
		if rest.kind == kindPublic {
			continue
		}
		if _, asItShould, err := s.open(world, &rows[i], rest); err != nil || !asItShould {
			return false
		}
	}
	return true
}

// readable fails when a row cannot be opened. Who cannot read the keys must not
// add one: it would lie in plain among sealed ones, or nobody else could read it.
func (s sealer) readable(world string, rows []vneid.SigningKey) error {
	for i := range rows {
		rest, err := unpack(&rows[i])
		if err != nil {
			return err
		}
		if rest.kind == kindPublic {
			continue
		}
		if _, _, err := s.open(world, &rows[i], rest); err != nil {
			return rowError(world, &rows[i], err)
		}
	}
	return nil
}

// associated binds a sealed key to its row: moved into another row, it does
// not open. No part can hold a NUL.
func associated(world string, row *vneid.SigningKey) []byte {
	return []byte("vneid-sandbox signing key v1\x00" + world + "\x00" + row.KID + "\x00" + row.Alg)
}

// destroyed is the public half of a key at rest.
func destroyed(row vneid.SigningKey, public crypto.PublicKey, at time.Time) (vneid.SigningKey, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return row, fmt.Errorf("signing key %s: %w", row.KID, err)
	}
	row.State = vneid.KeyRetired
	row.PKCS8 = rested{kind: kindPublic, since: at, rest: der}.pack()
	return row, nil
}
