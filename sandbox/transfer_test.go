package sandbox_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func fileOf(t testing.TB, format people.Format, d people.Data) string {
	t.Helper()
	var out bytes.Buffer
	if err := people.Write(&out, format, d); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAFileGoesIntoAWorldAndComesOut(t *testing.T) {
	o := newTown(t)
	w := vneid.WorldFrom(o.ctx)
	d := people.Default("http")
	many := 1234
	for i := range many {
		p, _ := people.Somebody(vneid.CCCD(fmt.Sprintf("038890%06d", i)))
		p.CCCD = vneid.CCCD(fmt.Sprintf("038690%06d", i))
		d.Personas = append(d.Personas, p.Persona)
	}
	var told []int
	if err := people.Put(o.ctx, o.store, w, "the hash", d, func(done int) { told = append(told, done) }); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(told, []int{500, 1000, 1247}) {
		t.Errorf("told %v", told)
	}
	if a, err := o.account("038690000007"); err != nil || a.PasswordHash != "the hash" || a.ID != vneid.AccountID(w.Salt, a.CCCD) {
		t.Errorf("%+v, %v", a, err)
	}
	out, err := people.Take(o.ctx, o.store, o.world)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Personas) != len(d.Personas) || len(out.Register) != 3 {
		t.Errorf("%d people and %d entries came out", len(out.Personas), len(out.Register))
	}
	other := townIn(t, o.raw, "other")
	if err := people.Put(other.ctx, other.store, vneid.WorldFrom(other.ctx), "the hash", out, nil); err != nil {
		t.Fatal(err)
	}
	again, err := people.Take(other.ctx, other.store, other.world)
	if err != nil || fileOf(t, people.CSV, again) != fileOf(t, people.CSV, out) || fileOf(t, people.YAML, again) != fileOf(t, people.YAML, out) {
		t.Errorf("what was put into another world came out differently: %v", err)
	}
}

// BenchmarkPut measures an import of ten thousand people.
func BenchmarkPut(b *testing.B) {
	d := people.Data{}
	for i := range 10_000 {
		p, _ := people.Somebody(vneid.CCCD(fmt.Sprintf("038890%06d", i)))
		d.Personas = append(d.Personas, p.Persona)
	}
	file := []byte(fileOf(b, people.CSV, d))
	for b.Loop() {
		o := newTown(b)
		d, err := people.ReadPeople("line", people.CSV, file, 2026)
		if err == nil {
			err = people.Put(o.ctx, o.store, vneid.WorldFrom(o.ctx), "the hash", d, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
