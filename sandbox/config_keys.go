package sandbox

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op"
)

const rotationOff = "off"

// maxRotation is the longest schedule of the signing keys.
const maxRotation = 10 * 365 * 24 * time.Hour

// readSealingKeys reads the keys that encrypt the signing keys. They come from
// the environment only, as the token does.
func (r *reading) readSealingKeys(env func(string) string) {
	r.SealingKey, r.OldSealingKey = env(envPrefix+"KEY"), env(envPrefix+"KEY_OLD")
}

// checkKeys checks what is set of the signing keys. No message repeats a key.
func (r *reading) checkKeys() {
	if d, err := parseRotation(r.KeyRotation); err != nil || d != 0 && (d < op.MinKeyRotation || d > maxRotation) {
		r.wrong("key_rotation", fmt.Sprintf("%q is no time between rotations", r.KeyRotation),
			fmt.Sprintf("write off, or a duration from %s to %s, such as 2160h for 90 days", op.MinKeyRotation, maxRotation))
	}
	for name, value := range map[string]string{"KEY": r.SealingKey, "KEY_OLD": r.OldSealingKey} {
		if _, err := parseSealingKey(value); err != nil {
			r.add(envPrefix+name, "", err.Error(), "make one with: openssl rand -base64 32")
		}
	}
	if r.OldSealingKey != "" && r.SealingKey == "" {
		r.add(envPrefix+"KEY_OLD", "", "is set without "+envPrefix+"KEY", "the old key only opens what the new one then encrypts; to go on with it, set it as "+envPrefix+"KEY")
	}
}

// setKeys tells a provider what is set of its keys.
func (c *Config) setKeys(into *op.Config) (err error) {
	if into.KeyRotation, err = parseRotation(c.KeyRotation); err != nil {
		return err
	}
	if into.SealingKey, err = parseSealingKey(c.SealingKey); err != nil {
		return err
	}
	into.OldSealingKey, err = parseSealingKey(c.OldSealingKey)
	return err
}

func parseRotation(s string) (time.Duration, error) {
	if s == rotationOff {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%s is not positive", d)
	}
	return d, err
}

// sealingKeyLen is that of AES-256, in bytes.
const sealingKeyLen = 32

// parseSealingKey reads 32 bytes in hex, or in base64 with any alphabet and
// padding; "" is no key.
func parseSealingKey(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	plain := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "=")
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.RawURLEncoding.DecodeString} {
		if key, err := decode(plain); err == nil && len(key) == sealingKeyLen {
			return key, nil
		}
	}
	return nil, fmt.Errorf("is not %d bytes in base64 or hex", sealingKeyLen)
}
