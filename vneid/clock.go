package vneid

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"math/big"
	"sync/atomic"
	"time"
)

// Clock tells the time. Everything the product decides asks the clock of the
// world it decides for, so that a test can move it.
type Clock interface{ Now() time.Time }

// SystemClock is the machine's clock.
type SystemClock struct{}

// Now is the only call of time.Now in the program.
func (SystemClock) Now() time.Time { return time.Now() }

// OffsetClock is a clock that a test moves: its base plus an offset.
type OffsetClock struct {
	Base   Clock
	offset atomic.Int64
}

// Now is the base's time moved by the offset.
func (c *OffsetClock) Now() time.Time { return c.Base.Now().Add(time.Duration(c.offset.Load())) }

// Offset is how far this clock stands from its base.
func (c *OffsetClock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset moves the clock to that distance from its base.
func (c *OffsetClock) SetOffset(d time.Duration) { c.offset.Store(int64(d)) }

// Rand is the source of every secret; crypto/rand.Reader in production.
type Rand = io.Reader

// NewSecret makes 256 random bits, in base64url: a cookie, a code, a token.
// A failing Rand would mean predictable secrets, so it stops the program.
func NewSecret(r Rand) string { return base64.RawURLEncoding.EncodeToString(randomBytes(r, 32)) }

// NewID makes 128 random bits, in base64url: a name that nobody guesses, but
// no secret by itself.
func NewID(r Rand) string { return base64.RawURLEncoding.EncodeToString(randomBytes(r, 16)) }

// newIDAt is NewID for rows that come by thousands: its first twelve bits are the
// time in steps of 64 ms, every four minutes anew. What is written in one moment
// then stands in the same pages of an index, which are written to the disk, and
// found outdated by readers, once for all.
func newIDAt(r Rand, now time.Time) string {
	b := randomBytes(r, 16)
	at := now.UnixMilli() >> 6
	b[0], b[1] = byte(at>>4), byte(at<<4)|b[1]&0x0f
	return base64.RawURLEncoding.EncodeToString(b)
}

func randomBytes(r Rand, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		panic("vneid: no randomness: " + err.Error())
	}
	return b
}

// newOTPDigits makes a one-time password, every number equally likely.
func newOTPDigits(r Rand, digits int) string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	n, err := rand.Int(r, limit)
	if err != nil {
		panic("vneid: no randomness: " + err.Error())
	}
	s := n.String()
	for len(s) < digits {
		s = "0" + s
	}
	return s
}

// randomBelow is a number from 0 to limit-1, every one equally likely.
func randomBelow(r Rand, limit int64) int64 {
	n, err := rand.Int(r, big.NewInt(limit))
	if err != nil {
		panic("vneid: no randomness: " + err.Error())
	}
	return n.Int64()
}

// SecretHash is how a random secret rests in the store: SHA-256, base64url.
// Fast is right here: 256 random bits cannot be guessed. People's passwords
// go through [Hasher].
func SecretHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
