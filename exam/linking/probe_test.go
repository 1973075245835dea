package linking

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func TestProbe(t *testing.T) {
	if os.Getenv("API") == "" {
		t.Skip()
	}
	raw, _ := os.ReadFile("../../docs/linking-portal.yaml")
	f, err := Read("x", raw)
	if err != nil {
		t.Fatal(err)
	}
	f.Portal = os.Getenv("RP")
	e := Exam{File: f, API: os.Getenv("API"), Clock: vneid.SystemClock{}, Say: func(f Finding) {
		fmt.Println(f.Verdict, f.ID, f.Variant, f.Reason.En, f.Took.Round(time.Millisecond))
		if f.Verdict != Pass || os.Getenv("V") != "" {
			for _, s := range f.Evidence {
				fmt.Println("      ", s)
			}
		}
	}}
	b := time.Now()
	_, err = e.Run(context.Background())
	fmt.Println(err, time.Since(b))
}
