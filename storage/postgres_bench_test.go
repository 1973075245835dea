//go:build postgres

package storage

import (
	"context"
	"fmt"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// BenchmarkPostgreSQL does what BenchmarkUpdate and BenchmarkView do, and
// reports the server's CPU too.
func BenchmarkPostgreSQL(b *testing.B) {
	server := pgtest.New(b)
	s := open(b, server.Database(b))
	err := s.Update(context.Background(), "w", func(tx vneid.Tx) error {
		for i := range 64 {
			if err := insertLogin(fmt.Sprint("l", i))(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	logins := make(chan string, 64) // each writer has its own, as each browser has
	for i := range cap(logins) {
		logins <- fmt.Sprint("l", i)
	}
	read := func(tx vneid.Tx, id string) (*vneid.Login, error) { return tx.Login(id) }
	for _, c := range []struct {
		name string
		f    func(id string) error
	}{
		{"update", func(id string) error {
			return s.Update(context.Background(), "w", func(tx vneid.Tx) error {
				l, err := read(tx, id)
				if err != nil {
					return err
				}
				l.OTP.Tries++
				return tx.SaveLogin(l)
			})
		}},
		{"view", func(id string) error {
			return s.View(context.Background(), "w", func(tx vneid.Tx) error { _, err := read(tx, id); return err })
		}},
	} {
		for _, users := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/users=%d", c.name, users), func(b *testing.B) {
				before, err := server.CPU()
				if err != nil {
					b.Fatal(err)
				}
				measure(b, users, func() error {
					id := <-logins
					defer func() { logins <- id }()
					return c.f(id)
				})
				after, err := server.CPU()
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64((after-before).Microseconds())/float64(b.N), "server-cpu-µs/op")
			})
		}
	}
}
