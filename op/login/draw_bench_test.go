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
	code := "http://localhost:9997/phone/scan?code=" + vneid.NewID(rand.Reader) + vneid.NewID(rand.Reader)
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
