//go:build postgres

package storage

import (
	"context"
	"sync"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest"
	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestPostgreSQLKeepsThePromises(t *testing.T) {
	server := pgtest.New(t, "fsync=off", "deadlock_timeout=20ms")
	storagetest.Run(t, func(t *testing.T) vneid.Store { return open(t, server.Database(t)) })
}

func TestPostgreSQLIsSharedByProcesses(t *testing.T) {
	server := pgtest.New(t, "fsync=off", "deadlock_timeout=20ms")
	var mu sync.Mutex
	urls := map[string]string{}
	storagetest.RunShared(t, func(t *testing.T) vneid.Store {
		mu.Lock()
		if urls[t.Name()] == "" {
			urls[t.Name()], _ = server.Create(context.Background())
		}
		url := urls[t.Name()]
		mu.Unlock()
		s, err := Open(context.Background(), url, Options{})
		if err != nil {
			t.Error(err)
			return nil
		}
		return s
	})
}
