package password

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/minio/argon2"
)

// Decoy is a hash that belongs to no password: its key is random, not derived.
// Checking a password against it costs as much as against any other.
func (h *Hasher) Decoy() string {
	salt, key := make([]byte, saltLen), make([]byte, keyLen)
	rand.Read(salt)
	rand.Read(key)
	return h.phc(salt, key)
}

// phc writes a hash in its text form, which names its own cost.
func (h *Hasher) phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.params.MemoryKiB, h.params.Passes, h.params.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}
