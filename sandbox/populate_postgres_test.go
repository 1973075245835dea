//go:build postgres

package sandbox_test

import (
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

func TestOnPostgreSQLManyMayWriteTheFirstThingAboutSomebodyAtOnce(t *testing.T) {
	raw, err := storage.Open(t.Context(), pgtest.New(t, "fsync=off").Database(t), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	manyWriteTheFirstThing(t, townIn(t, raw, "default"))
}
