// Package password makes and checks the slow hashes of people's passwords:
// argon2id in its PHC text form. It bounds how many run at a time, because each
// takes 19 MiB and a core (op/queue), and lets each hash use the memory of one
// before it (ADR 10). It knows nothing of accounts.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/minio/argon2"

	"github.com/vneid-sandbox/vneid-sandbox/op/queue"
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
	hash   keyFunc // at these params, in memory that is cleared and used again
	queue  *queue.Queue
}

// keyFunc is argon2id with its parameters: secret and data stay empty.
type keyFunc func(password, salt, secret, data []byte, keyLen uint32) []byte

func (p Params) keyFunc() keyFunc { return argon2.NewIDKey(p.Passes, p.MemoryKiB, p.Threads) }

// maxWaiting is how many may wait for their hash. With the default cost and two
// cores the last of them waits six seconds, about as long as people do.
const maxWaiting = 500

// New makes a Hasher that runs at most so many hashes at a time.
func New(p Params, workers int) *Hasher {
	return &Hasher{params: p, hash: p.keyFunc(), queue: queue.New("password hashes", workers, maxWaiting)}
}

// Busy is how many hashes run or wait now, and how many may.
func (h *Hasher) Busy() (now, most int) { return h.queue.Len() }

const saltLen, keyLen = 16, 32

// Hash makes a hash in PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (h *Hasher) Hash(ctx context.Context, pw string) (string, error) {
	salt := make([]byte, saltLen)
	rand.Read(salt) // never fails: crypto/rand stops the program instead
	key, err := h.derive(ctx, pw, salt, h.params, keyLen)
	if err != nil {
		return "", err
	}
	return h.phc(salt, key), nil
}

// Verify reports whether the password belongs to the hash; false for a hash it
// cannot read. The error is that of ctx, or of CodeUnavailable when too many
// wait already.
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
	place, err := h.queue.Enter()
	if err != nil {
		return nil, err
	}
	defer place.Leave()
	if err := place.Wait(ctx); err != nil {
		return nil, err
	}
	hash := h.hash
	if p != h.params {
		hash = p.keyFunc()
	}
	return hash([]byte(pw), salt, nil, nil, uint32(n)), nil
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
