package storage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// cpu is what this process has used, of all its threads.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs f b.N times from so many goroutines and reports CPU, because
// waiting for a disk is not work, and how long the slowest hundredth took.
func measure(b *testing.B, goroutines int, f func() error) {
	b.ReportAllocs()
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	before := cpu(b)
	for range goroutines {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				start := b.Elapsed()
				if err := f(); err != nil {
					b.Error(err)
					return
				}
				took[i] = b.Elapsed() - start
			}
		})
	}
	all.Wait()
	used := cpu(b) - before
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(used.Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}

func benchStore(b *testing.B, query string) *Store {
	s := open(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db")+query)
	err := s.Update(context.Background(), "w", func(tx vneid.Tx) error {
		l := &vneid.Login{ID: "l", CodeHash: "c", Request: vneid.AuthRequest{ClientID: "portal", Scopes: []string{"openid", "profile"}}}
		return tx.InsertLogin(l)
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// eachWriters runs a benchmark of writers, alone and in crowds.
func eachWriters(b *testing.B, f func(b *testing.B, s *Store, writers int)) {
	for _, query := range []string{"full", "normal"} {
		for _, writers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/writers=%d", query, writers), func(b *testing.B) {
				f(b, benchStore(b, "?synchronous="+query), writers)
			})
		}
	}
}

// BenchmarkUpdate reads a login and saves it: the step of a sign-in.
func BenchmarkUpdate(b *testing.B) {
	eachWriters(b, func(b *testing.B, s *Store, writers int) {
		measure(b, writers, func() error {
			return s.Update(context.Background(), "w", func(tx vneid.Tx) error {
				l, err := tx.Login("l")
				if err != nil {
					return err
				}
				l.OTP.Tries++
				return tx.SaveLogin(l)
			})
		})
	})
}

// BenchmarkInsert writes one small row, the least an Update can do.
func BenchmarkInsert(b *testing.B) {
	eachWriters(b, func(b *testing.B, s *Store, writers int) {
		var n atomic.Int64
		measure(b, writers, func() error {
			id := n.Add(1)
			return s.Update(context.Background(), "w", func(tx vneid.Tx) error {
				at := time.UnixMilli(id)
				return tx.InsertSMS(&vneid.SMS{ID: fmt.Sprint(id), To: "0950000001", SentAt: at, VisibleAt: at})
			})
		})
	})
}

// BenchmarkView reads one login on a snapshot.
func BenchmarkView(b *testing.B) {
	s := benchStore(b, "")
	measure(b, 16, func() error {
		return s.View(context.Background(), "w", func(tx vneid.Tx) error {
			_, err := tx.LoginByCode("c")
			return err
		})
	})
}

// BenchmarkRead reads one row by its key, or a token with its person: each time
// from the database, since a transaction remembers what it has read.
func BenchmarkRead(b *testing.B) {
	s := benchStore(b, "")
	err := s.Update(context.Background(), "w", func(tx vneid.Tx) error {
		return errors.Join(tx.InsertTokens(&vneid.Token{Hash: "t", CCCD: "038198000001", Scopes: []string{"openid", "profile"}}),
			tx.PutAccount(&vneid.Account{Persona: vneid.Persona{CCCD: "038198000001", Name: "Nguyễn Văn An"}}),
			tx.PutClient(&vneid.Client{ClientMetadata: vneid.ClientMetadata{ClientID: "portal", RedirectURIs: []string{"http://127.0.0.1:1/callback"}, GrantTypes: []string{"authorization_code", "refresh_token"}}}))
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, read := range map[string]func(vneid.Tx) error{
		"token":             func(tx vneid.Tx) error { _, _, err := tx.TokenWith("t"); return err },
		"account":           func(tx vneid.Tx) error { _, err := tx.Account("038198000001"); return err },
		"login":             func(tx vneid.Tx) error { _, err := tx.LoginByCode("c"); return err },
		"login with client": func(tx vneid.Tx) error { _, _, _, err := tx.LoginWith("l"); return err },
		"client":            func(tx vneid.Tx) error { _, err := tx.Client("portal"); return err },
		"nothing":           func(tx vneid.Tx) error { _, err := tx.Consent("038198000001", "c"); return err },
	} {
		b.Run(name, func(b *testing.B) {
			measure(b, 1, func() error {
				err := s.Peek(context.Background(), "w", read)
				if errors.Is(err, vneid.ErrNotFound) {
					err = nil
				}
				return err
			})
		})
	}
}

// BenchmarkSize does what a sign-in does with the store, in small and large
// worlds.
func BenchmarkSize(b *testing.B) {
	for _, people := range []int{100, 1_000_000} {
		s := benchStore(b, "")
		writerExec(b, s, fmt.Sprintf(`INSERT INTO accounts
			WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT 'w', format('%%012d', i), 'id' || i, '', 'Nguyễn Văn An', '1990-01-01', 'male', '095' || i, '', 'null', 2, 'citizen',
				'active', 1, 'instant', '', hex(randomblob(40)), 0 FROM n`, people-1))
		writerExec(b, s, `INSERT INTO account_terms SELECT world, cccd, cccd FROM accounts UNION ALL
			SELECT world, phone, cccd FROM accounts UNION ALL SELECT world, 'nguyen van an', cccd FROM accounts UNION ALL
			SELECT world, 'van an', cccd FROM accounts UNION ALL SELECT world, 'an', cccd FROM accounts`)
		b.Run(fmt.Sprintf("accounts=%d", people), func(b *testing.B) {
			var n atomic.Int64
			measure(b, 16, func() error {
				i := n.Add(1)
				id, person := fmt.Sprint(b.N, " ", i), vneid.CCCD(fmt.Sprintf("%012d", i*7919%int64(people)))
				return s.Update(context.Background(), "w", func(tx vneid.Tx) error {
					a, err := tx.Account(person)
					if err != nil {
						return err
					}
					th, err := tx.Throttle(fmt.Sprint(i % 100)) // as many in each world
					if err != nil {
						return err
					}
					th.Times = append(th.Times[:0], time.UnixMilli(i))
					return errors.Join(tx.PutThrottle(th), tx.InsertLogin(&vneid.Login{ID: id, CCCD: a.CCCD, CodeHash: id}),
						tx.InsertTokens(&vneid.Token{Hash: id, GrantID: id, CCCD: a.CCCD}))
				})
			})
		})
	}
}

// BenchmarkSearch looks for people among a hundred thousand.
func BenchmarkSearch(b *testing.B) {
	s := open(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db")+"?synchronous=normal")
	family := []string{"Nguyễn", "Trần", "Lê", "Phạm", "Đặng"}
	given := []string{"An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khánh"}
	const people = 100_000
	for from := 0; from < people; from += 5000 {
		err := s.Update(context.Background(), "w", func(tx vneid.Tx) error {
			for i := from; i < from+5000; i++ {
				p := vneid.Persona{CCCD: vneid.CCCD(fmt.Sprintf("%012d", i)), Phone: vneid.PhoneNumber(fmt.Sprintf("095%07d", i)),
					Name: fmt.Sprintf("%s Văn %s%d", family[i%len(family)], given[i%len(given)], i/35)}
				if err := tx.PutAccount(&vneid.Account{Persona: p}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, query := range []string{"000000050001", "0950050001", "Nguyễn Văn An1000", "Nguyễn", ""} {
		b.Run("q="+query, func(b *testing.B) {
			measure(b, 1, func() error {
				return s.View(context.Background(), "w", func(tx vneid.Tx) error {
					found, err := tx.Accounts(query, 20)
					if err == nil && len(found) == 0 {
						b.Errorf("nobody found")
					}
					return err
				})
			})
		})
	}
}
