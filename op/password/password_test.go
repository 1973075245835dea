package password_test

import (
	"context"
	"strings"
	"testing"

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
