package keyring

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// snapshot is the keys of a world as they were at a moment, ready for use. It
// never changes.
type snapshot struct {
	world   *vneid.World
	at      time.Time // real time; the store held this then or later
	rows    []vneid.SigningKey
	keys    []key           // as rows, without the keys retired long ago
	signers map[kind]signer // of the active keys
	jwks    []byte
}

// kind is what a signer signs.
type kind struct{ alg, typ string }

// signer is an active key with the header of what it signs, encoded.
type signer struct {
	key  key
	head string
}

// key is a row, read.
type key struct {
	vneid.SigningKey
	since   time.Time // on the world's clock: when it came to its state
	seen    time.Time // real time: since when this process knows it there
	private crypto.Signer
	public  jose.JSONWebKey
}

// snapshot makes one of rows. What the previous one knows is not read again:
// keys do not change, and mostly nothing did.
func (r *Ring) snapshot(world *vneid.World, previous *snapshot, rows []vneid.SigningKey, at time.Time) (*snapshot, error) {
	if previous != nil && slices.EqualFunc(previous.rows, rows, sameRow) {
		same := *previous
		same.world, same.at = world, at
		return &same, nil
	}
	s := &snapshot{world: world, at: at, rows: rows, signers: map[kind]signer{}}
	var set jose.JSONWebKeySet
	for _, row := range rows {
		k, err := r.key(world, previous, row, at)
		if err != nil {
			return nil, rowError(world.ID, &row, err)
		}
		if k.State == vneid.KeyRetired && !hintable(&k, world) {
			continue
		}
		s.keys = append(s.keys, k)
		if k.State != vneid.KeyRetired {
			set.Keys = append(set.Keys, k.public)
		}
		if k.State != vneid.KeyActive {
			continue
		}
		for _, typ := range []string{TypeJWT, TypeLogout, TypeAccess} {
			head, err := json.Marshal(map[string]string{"alg": k.Alg, "kid": k.KID, "typ": typ})
			if err != nil {
				return nil, rowError(world.ID, &row, err)
			}
			s.signers[kind{k.Alg, typ}] = signer{k, base64.RawURLEncoding.EncodeToString(head)}
		}
	}
	var err error
	s.jwks, err = json.Marshal(set)
	return s, err
}

func sameRow(a, b vneid.SigningKey) bool {
	return a.KID == b.KID && a.Alg == b.Alg && a.State == b.State && bytes.Equal(a.PKCS8, b.PKCS8)
}

func (r *Ring) key(world *vneid.World, previous *snapshot, row vneid.SigningKey, at time.Time) (key, error) {
	rest, err := unpack(&row)
	if err != nil {
		return key{}, err
	}
	k := key{SigningKey: row, since: rest.since, seen: at}
	if known := previous.find(row.KID); known != nil && known.Alg == row.Alg {
		k.public = known.public
		if row.State == known.State {
			k.seen = known.seen
		}
		if row.State == vneid.KeyRetired {
			return k, nil // the public part is all that is left
		}
		if known.private != nil {
			k.private = known.private
			return k, nil
		}
	}
	var public crypto.PublicKey
	if rest.kind == kindPublic {
		if public, err = x509.ParsePKIXPublicKey(rest.rest); err != nil {
			return key{}, err
		}
		if row.State != vneid.KeyRetired {
			return key{}, errors.New("it has no private part, though it is not retired")
		}
	} else {
		der, _, err := r.sealer.open(world.ID, &row, rest)
		if err != nil {
			return key{}, err
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return key{}, err
		}
		signer, ok := private.(crypto.Signer)
		if !ok {
			return key{}, errors.New("it is no key that signs")
		}
		k.private = signer
		public = k.private.Public()
	}
	if !fits(row.Alg, public) {
		return key{}, errors.New("it is no key for its algorithm")
	}
	k.public = jose.JSONWebKey{Key: public, KeyID: row.KID, Algorithm: row.Alg, Use: "sig"}
	return k, nil
}

// fits reports whether a key is of the kind that an algorithm signs with.
func fits(alg string, public crypto.PublicKey) bool {
	switch public.(type) {
	case *rsa.PublicKey:
		return alg == "RS256" || alg == "PS256"
	case *ecdsa.PublicKey:
		return alg == "ES256"
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

func (s *snapshot) find(kid string) *key {
	if s == nil {
		return nil
	}
	for i := range s.keys {
		if s.keys[i].KID == kid {
			return &s.keys[i]
		}
	}
	return nil
}

// inState lists the keys of an algorithm in a state.
func (s *snapshot) inState(alg string, state vneid.KeyState) (list []*key) {
	for i := range s.keys {
		if s.keys[i].Alg == alg && s.keys[i].State == state {
			list = append(list, &s.keys[i])
		}
	}
	return list
}

func (s *snapshot) withoutActive() (algs []string) {
	for _, alg := range vneid.SigningAlgs() {
		if index(s.rows, alg, vneid.KeyActive) < 0 {
			algs = append(algs, alg)
		}
	}
	return algs
}

// index finds the first row of an algorithm in a state, -1 for none.
func index(rows []vneid.SigningKey, alg string, state vneid.KeyState) int {
	return slices.IndexFunc(rows, func(row vneid.SigningKey) bool { return row.Alg == alg && row.State == state })
}

// count counts the rows of an algorithm that the JWKS lists.
func count(rows []vneid.SigningKey, alg string) (n int) {
	for _, row := range rows {
		if row.Alg == alg && row.State != vneid.KeyRetired {
			n++
		}
	}
	return n
}
