package storage

import (
	"context"
	"fmt"
	"path/filepath"
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

// measure reports CPU beside wall time: waiting for a disk is not work.
func measure(b *testing.B, parallel int, f func() error) {
	b.ReportAllocs()
	b.SetParallelism(parallel)
	b.ResetTimer()
	before := cpu(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := f(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
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

// BenchmarkUpdate reads a login and saves it: the step of a sign-in.
func BenchmarkUpdate(b *testing.B) {
	for _, c := range []struct {
		name, query string
		parallel    int
	}{{"full", "", 1}, {"normal", "?synchronous=normal", 1}, {"full/32 writers", "", 16}} {
		b.Run(c.name, func(b *testing.B) {
			s := benchStore(b, c.query)
			measure(b, c.parallel, func() error {
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
}

// BenchmarkInsert writes one small row, the least an Update can do.
func BenchmarkInsert(b *testing.B) {
	for name, query := range map[string]string{"full": "", "normal": "?synchronous=normal"} {
		b.Run(name, func(b *testing.B) {
			s := benchStore(b, query)
			n := 0
			measure(b, 1, func() error {
				return s.Update(context.Background(), "w", func(tx vneid.Tx) error {
					n++ // inside Update: one writer at a time
					return tx.InsertSMS(&vneid.SMS{ID: fmt.Sprint(n), To: "0950000001", SentAt: time.UnixMilli(int64(n)), VisibleAt: time.UnixMilli(int64(n))})
				})
			})
		})
	}
}

// BenchmarkView reads one login on a snapshot.
func BenchmarkView(b *testing.B) {
	s := benchStore(b, "")
	measure(b, 4, func() error {
		return s.View(context.Background(), "w", func(tx vneid.Tx) error {
			_, err := tx.LoginByCode("c")
			return err
		})
	})
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
