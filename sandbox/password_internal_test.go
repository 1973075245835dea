package sandbox

import (
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
)

func TestTheHashOfThePersonasIsOfTheirPasswordAndOfTheRealCost(t *testing.T) {
	h := password.New(password.Default(), 1)
	if ok, err := h.Verify(t.Context(), people.Password, people.PasswordHash); err != nil || !ok {
		t.Errorf("it does not belong to the password: %v", err)
	}
	cost := func(hash string) string { return strings.Join(strings.Split(hash, "$")[:4], "$") }
	if got, want := cost(people.PasswordHash), cost(h.Decoy()); got != want {
		t.Errorf("its cost is %s, a new hash has %s", got, want)
	}
}
