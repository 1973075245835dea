//go:build postgres

package op_test

import (
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

func TestWhatWorksOnceWorksOnceOfAHundredOnPostgreSQL(t *testing.T) {
	worksOnce(t, newWorldOn(t, pgtest.New(t, "fsync=off").Database(t)))
}
