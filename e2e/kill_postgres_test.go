//go:build e2e && postgres

package e2e_test

import (
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

func TestFiftyPowerCutsDuringLoginsOnPostgreSQL(t *testing.T) {
	t.Parallel()
	fiftyKills(t, withDatabase(pgtest.New(t).Database(t)))
}
