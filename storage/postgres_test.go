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

// sharedServer is for tests that leave the server as it is. It forgets with the
// power, and sees circles of waiting soon.
var sharedServer = sync.OnceValues(func() (*pgtest.Server, error) {
	s, err := pgtest.Run(context.Background(), "", "fsync=off", "deadlock_timeout=20ms")
	if err == nil {
		atEnd = append(atEnd, func() { s.Close() })
	}
	return s, err
})

func shared(t testing.TB) *pgtest.Server {
	t.Helper()
	s, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPostgreSQLKeepsThePromises(t *testing.T) {
	server := shared(t)
	storagetest.Run(t, func(t *testing.T) vneid.Store { return open(t, server.Database(t)) })
}

func TestPostgreSQLIsSharedByProcesses(t *testing.T) {
	server := shared(t)
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
