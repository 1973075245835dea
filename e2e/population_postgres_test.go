//go:build e2e && postgres

package e2e_test

import (
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

func TestSomebodyOfThePopulationUsesThePortalOnPostgreSQL(t *testing.T) {
	t.Parallel()
	portalStoryOfThePopulation(t, newWorld(t, withPortal, withDatabase(pgtest.New(t, "fsync=off").Database(t))))
}
