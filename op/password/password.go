// Package password makes and checks the slow hashes of people's passwords:
// argon2id in its PHC text form. It bounds how many run at a time, because each
// takes 19 MiB and a core, and serves the waiting first come, first served. It
// knows nothing of accounts.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params is the cost of one hash.
type Params struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// Default is OWASP's first recommendation for argon2id: 19 MiB, two passes.
func Default() Params { return Params{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1} }

// Cheap is for tests that check behaviour, not strength.
func Cheap() Params { return Params{MemoryKiB: 64, Passes: 1, Threads: 1} }

// Hasher implements vneid.Hasher.
type Hasher struct {
	params Params
	slots  chan struct{}
}

// New makes a Hasher that runs at most so many hashes at a time.
func New(p Params, workers int) *Hasher {
	return &Hasher{params: p, slots: make(chan struct{}, max(1, workers))}
}

const saltLen, keyLen = 16, 32

// Hash makes a hash in PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (h *Hasher) Hash(ctx context.Context, pw string) (string, error) {
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails: crypto/rand stops the program instead
	key, err := h.derive(ctx, pw, salt, h.params, keyLen)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.params.MemoryKiB, h.params.Passes, h.params.Threads, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Verify reports whether the password belongs to the hash; false for a hash it
// cannot read. The error is only ever that of ctx.
func (h *Hasher) Verify(ctx context.Context, pw, hash string) (bool, error) {
	p, salt, want, ok := parse(hash)
	if !ok {
		return false, nil
	}
	got, err := h.derive(ctx, pw, salt, p, len(want))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (h *Hasher) derive(ctx context.Context, pw string, salt []byte, p Params, n int) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err // select alone might still pick a free slot
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(pw), salt, p.Passes, p.MemoryKiB, p.Threads, uint32(n)), nil
}

func parse(hash string) (p Params, salt, key []byte, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Passes, &p.Threads); err != nil {
		return p, nil, nil, false
	}
	// A damaged row must not make us allocate gigabytes.
	if p.MemoryKiB > 1<<20 || p.Passes == 0 || p.Passes > 16 || p.Threads == 0 {
		return p, nil, nil, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	return p, salt, key, err1 == nil && err2 == nil && len(salt) >= 8 && len(key) >= 16
}
