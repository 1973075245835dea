package password_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/vneid-sandbox/vneid-sandbox/op/password"
)

func TestAHashVerifiesItsPasswordAndNoOther(t *testing.T) {
	h := password.New(password.Cheap(), 2)
	ctx := context.Background()
	hash, err := h.Hash(ctx, "Sandbox@2024")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := h.Hash(ctx, "Sandbox@2024")
	if hash == again {
		t.Error("two hashes of one password are equal: the salt is missing")
	}
	for pw, want := range map[string]bool{"Sandbox@2024": true, "sandbox@2024": false, "": false, "Sandbox@2024 ": false} {
		if got, err := h.Verify(ctx, pw, hash); got != want || err != nil {
			t.Errorf("Verify(%q) = %v, %v; want %v", pw, got, err, want)
		}
	}
}

// The library that uses its memory again is a copy of the one that does not.
// Whatever a hash finds in the memory of another, the result is the same.
func TestAHashIsThatOfArgon2idWhateverWasHashedBefore(t *testing.T) {
	for _, p := range []password.Params{password.Cheap(), password.Default(),
		{MemoryKiB: 0, Passes: 1, Threads: 1}, {MemoryKiB: 8, Passes: 1, Threads: 1}, {MemoryKiB: 77, Passes: 3, Threads: 1}, {MemoryKiB: 1024, Passes: 2, Threads: 4}} {
		h := password.New(p, 2)
		for i := range 4 {
			pw, salt := strings.Repeat("mật khẩu ", i), []byte(fmt.Sprintf("salt of number %d", i))
			key := argon2.IDKey([]byte(pw), salt, p.Passes, p.MemoryKiB, p.Threads, uint32(16+16*i))
			b64 := base64.RawStdEncoding
			hash := fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.MemoryKiB, p.Passes, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
			for name, hasher := range map[string]*password.Hasher{"of this cost": h, "of another": password.New(password.Params{MemoryKiB: 16, Passes: 1, Threads: 1}, 1)} {
				if ok, err := hasher.Verify(t.Context(), pw, hash); !ok || err != nil {
					t.Errorf("%+v, password %d, a hasher %s: %v, %v", p, i, name, ok, err)
				}
				if ok, _ := hasher.Verify(t.Context(), pw+"x", hash); ok {
					t.Errorf("%+v, password %d, a hasher %s: another password verifies", p, i, name)
				}
			}
		}
	}
}

func TestADamagedHashIsFalseAndCostsNothing(t *testing.T) {
	h := password.New(password.Cheap(), 1)
	good, _ := h.Hash(context.Background(), "x")
	for _, hash := range []string{"", "$", "plain", strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "m=64", "m=4294967295", 1), strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-20]} {
		if ok, err := h.Verify(context.Background(), "x", hash); ok || err != nil {
			t.Errorf("Verify against %q = %v, %v", hash, ok, err)
		}
	}
}

func TestARequestThatEndedDoesNotHash(t *testing.T) {
	h := password.New(password.Cheap(), 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.Hash(ctx, "x"); err != context.Canceled {
		t.Errorf("Hash with an ended request: %v", err)
	}
}
