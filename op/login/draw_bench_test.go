//go:build unix

package login

import (
	"crypto/rand"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What one picture costs, garbage included; the clock on the wall belongs to
// the neighbours.
func BenchmarkDrawQR(b *testing.B) {
	l := &vneid.Login{ID: vneid.NewID(rand.Reader)}
	code := l.QRCode("HTTP://LOCALHOST:9997/Q", []byte("salt"))
	from := cpu(b)
	for b.Loop() {
		if _, err := drawQR(code); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-from).Microseconds())/float64(b.N), "cpu-µs/op")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
