package keyring

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

var kek, otherKEK = bytes.Repeat([]byte("k"), SealingKeyLen), bytes.Repeat([]byte("o"), SealingKeyLen)

func sealed(key []byte) func(*Config) { return func(c *Config) { c.SealingKey = key } }

// secrets are the private numbers of every key in a ring.
func secrets(t *testing.T, r *Ring) (list [][]byte) {
	t.Helper()
	for _, k := range r.ringOf(vneid.DefaultWorld).current.Load().keys {
		switch private := k.private.(type) {
		case *rsa.PrivateKey:
			list = append(list, private.D.Bytes(), private.Primes[0].Bytes(), private.Primes[1].Bytes())
		case *ecdsa.PrivateKey:
			d, err := private.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, d)
		case ed25519.PrivateKey:
			list = append(list, private.Seed())
		}
	}
	if len(list) < 8 {
		t.Fatalf("only %d private numbers", len(list))
	}
	return list
}

// shows reports whether a text holds a secret in any of the usual forms.
func shows(text []byte, secret []byte) bool {
	for _, form := range []string{string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret)[:len(secret)],
		base64.RawURLEncoding.EncodeToString(secret), fmt.Sprint(secret)} {
		if bytes.Contains(text, []byte(form)) {
			return true
		}
	}
	return false
}

func (h *house) raw(t *testing.T) (all []byte) {
	t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(h.file + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func TestWithASealingKeyNoPrivateKeyLiesInTheDatabaseFile(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, sealed(kek))
	for _, stage := range []string{StagePublish, StageUse} {
		if err := r.Rotate(h.ctx, "RS256", stage); err != nil {
			t.Fatal(err)
		}
	}
	before := secrets(t, r)
	if err := r.Rotate(h.ctx, "RS256", StageRetire); err != nil {
		t.Fatal(err)
	}
	file := h.raw(t)
	for _, secret := range append(before, kek) {
		if shows(file, secret) {
			t.Errorf("a secret of %d bytes lies in the database file", len(secret))
		}
	}
	plain := newHouse(t) // so that the search finds what is there
	r = plain.opened(t, nil)
	if !shows(plain.raw(t), secrets(t, r)[0]) {
		t.Error("without a sealing key nothing is found either: the search is blind")
	}
}

func TestSealedKeysComeBackAfterARestart(t *testing.T) {
	h := newHouse(t)
	_, kid := mustSign(t, h.ctx, h.opened(t, sealed(kek)), "EdDSA")
	again := h.opened(t, sealed(kek))
	if _, same := mustSign(t, h.ctx, again, "EdDSA"); same != kid || again.pool.made.Load() != 0 {
		t.Errorf("signs with %s, not %s; %d keys were made", same, kid, again.pool.made.Load())
	}
}

func TestWithoutTheRightSealingKeyNothingStartsAndNothingIsMade(t *testing.T) {
	h := newHouse(t)
	h.opened(t, sealed(kek))
	before := h.rows(t)
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"missing": {nil, "VNEID_SANDBOX_KEY is not set"},
		"wrong":   {sealed(otherKEK), "VNEID_SANDBOX_KEY_OLD"},
	} {
		r := h.ring(t, c.change)
		if err := r.Open(h.ctx); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := sign(h.ctx, r, "RS256"); err == nil {
			t.Errorf("%s: it signs", name)
		}
		if err := r.Rotate(h.ctx, "RS256", StagePublish); err == nil {
			t.Errorf("%s: it rotates", name)
		}
	}
	after := h.rows(t)
	if len(after) != len(before) {
		t.Fatalf("%d keys, %d before", len(after), len(before))
	}
	for i := range after {
		if !sameRow(before[i], after[i]) {
			t.Errorf("%s changed", after[i].KID)
		}
	}
}

func TestPlainKeysAreSealedAtTheNextStartAndASealingKeyCanBeChanged(t *testing.T) {
	h := newHouse(t)
	_, kid := mustSign(t, h.ctx, h.opened(t, nil), "RS256")
	kinds := func() (kinds string) {
		for _, row := range h.rows(t) {
			kinds += string(row.PKCS8[len(magic)])
		}
		return kinds
	}
	if got := kinds(); got != "pppp" {
		t.Fatalf("at rest %q", got)
	}
	both := func(c *Config) { c.SealingKey, c.OldSealingKey = otherKEK, kek }
	for _, change := range []func(*Config){sealed(kek), both, sealed(otherKEK)} {
		r := h.opened(t, change)
		if _, same := mustSign(t, h.ctx, r, "RS256"); same != kid {
			t.Errorf("signs with %s, not %s", same, kid)
		}
		if got := kinds(); got != "ssss" {
			t.Errorf("at rest %q", got)
		}
	}
	if err := h.ring(t, sealed(kek)).Open(h.ctx); err == nil {
		t.Error("the former sealing key still opens the keys")
	}
}

func TestASealedKeyOpensInItsOwnRowOnly(t *testing.T) {
	edit := map[string]func(rows []vneid.SigningKey){
		"a bit flipped":            func(rows []vneid.SigningKey) { rows[0].PKCS8[len(rows[0].PKCS8)-1] ^= 1 },
		"the nonce changed":        func(rows []vneid.SigningKey) { rows[0].PKCS8[headLen] ^= 1 },
		"cut":                      func(rows []vneid.SigningKey) { rows[0].PKCS8 = rows[0].PKCS8[:headLen+5] },
		"cut to nearly nothing":    func(rows []vneid.SigningKey) { rows[0].PKCS8 = rows[0].PKCS8[:headLen-1] },
		"of an unknown kind":       func(rows []vneid.SigningKey) { rows[0].PKCS8[len(magic)] = 'x' },
		"under another kid":        func(rows []vneid.SigningKey) { rows[0].PKCS8, rows[1].PKCS8 = rows[1].PKCS8, rows[0].PKCS8 },
		"for another algorithm":    func(rows []vneid.SigningKey) { rows[0].Alg, rows[1].Alg = rows[1].Alg, rows[0].Alg },
		"public, though it signs":  func(rows []vneid.SigningKey) { rows[0].PKCS8[len(magic)] = kindPublic },
		"declared plain by itself": func(rows []vneid.SigningKey) { rows[0].PKCS8[len(magic)] = kindPlain },
	}
	for name, edit := range edit {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.opened(t, sealed(kek))
			rows := h.rows(t)
			edit(rows)
			err := h.store.Update(h.ctx, h.world.ID, func(tx vneid.Tx) error {
				for i := range rows {
					if err := tx.PutSigningKey(&rows[i]); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			r := h.ring(t, sealed(kek))
			err = r.Open(h.ctx)
			if err == nil || !strings.Contains(err.Error(), rows[0].KID) && !strings.Contains(err.Error(), rows[1].KID) {
				t.Errorf("opened: %v", err)
			}
			if r.pool.made.Load() != 0 {
				t.Error("it made new keys")
			}
		})
	}
}

func TestAKeyOfAnotherWorldDoesNotOpen(t *testing.T) {
	h := newHouse(t)
	h.opened(t, sealed(kek))
	other := *h.world
	other.ID = "other"
	rows, ctx := h.rows(t), vneid.WithWorld(h.ctx, &other)
	if err := h.store.Update(ctx, other.ID, func(tx vneid.Tx) error { return tx.PutSigningKey(&rows[0]) }); err != nil {
		t.Fatal(err)
	}
	if err := h.ring(t, sealed(kek)).Open(ctx); err == nil {
		t.Error("a row copied from another world opens")
	}
}

func TestKeysThatNobodyOpenedAtTheStartAreEncryptedAtTheirFirstUse(t *testing.T) {
	h := newHouse(t)
	_, kid := mustSign(t, h.ctx, h.opened(t, nil), "RS256")
	r := h.ring(t, sealed(kek))
	if _, err := r.JWKS(h.ctx); err != nil {
		t.Fatal(err)
	}
	for _, row := range h.rows(t) {
		if rest, err := unpack(&row); err != nil || rest.kind != kindSealed {
			t.Errorf("%s rests as %c: %v", row.Alg, rest.kind, err)
		}
	}
	if _, same := mustSign(t, h.ctx, r, "RS256"); same != kid {
		t.Errorf("signs with %s, not %s", same, kid)
	}
}

func TestKeysOfTheFirstVersionAreRead(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, nil)
	_, kid := mustSign(t, h.ctx, r, "ES256")
	rows := h.rows(t)
	err := h.store.Update(h.ctx, h.world.ID, func(tx vneid.Tx) error {
		for i := range rows {
			rows[i].PKCS8 = rows[i].PKCS8[headLen:] // bare PKCS#8
			if err := tx.PutSigningKey(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r = h.opened(t, sealed(kek))
	if _, same := mustSign(t, h.ctx, r, "ES256"); same != kid {
		t.Errorf("signs with %s, not %s", same, kid)
	}
	for _, stage := range []string{StagePublish, StageUse, StageRetire} {
		if err := r.Rotate(h.ctx, "ES256", stage); err != nil {
			t.Error(err)
		}
	}
}

func TestNoSecretIsLoggedOrPublished(t *testing.T) {
	h := newHouse(t)
	r := h.opened(t, func(c *Config) { c.SealingKey, c.OldSealingKey = kek, otherKEK })
	for _, alg := range vneid.SigningAlgs() {
		for _, stage := range []string{StagePublish, StageUse, StagePublish, StageRetire, StageRetire} {
			r.Rotate(h.ctx, alg, stage)
		}
	}
	if err := h.ring(t, nil).Open(h.ctx); err == nil {
		t.Error("opened without the key")
	} else {
		fmt.Fprintln(h.log, err)
	}
	jwks, err := r.JWKS(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := append([]byte(h.log.String()), jwks...)
	seen = fmt.Appendf(seen, "%v %+v", r.Config, r.sealer)
	if !bytes.Contains(seen, []byte("stage=retire")) {
		t.Fatalf("hardly anything was logged: %s", h.log.String())
	}
	for _, secret := range append(secrets(t, r), kek, otherKEK) {
		if shows(seen, secret) {
			t.Errorf("a secret of %d bytes shows", len(secret))
		}
	}
	for _, member := range []string{`"d":`, `"p":`, `"q":`, `"dp":`, `"k":`} {
		if bytes.Contains(jwks, []byte(member)) {
			t.Errorf("the JWKS has %s", member)
		}
	}
}

func TestASealingKeyHasItsLength(t *testing.T) {
	for _, c := range []Config{{SealingKey: kek[1:]}, {SealingKey: kek, OldSealingKey: []byte("short")}} {
		if _, err := New(c); err == nil {
			t.Error("taken")
		}
	}
}
