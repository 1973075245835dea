package storagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func addToRecord(t *testing.T, s vneid.Store, parts ...vneid.Record) {
	t.Helper()
	update(t, s, func(tx vneid.Tx) error {
		for i := range parts {
			if err := tx.AddToRecord(&parts[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func record(t *testing.T, s vneid.Store, id string) *vneid.Record {
	t.Helper()
	return get(t, s, world, func(tx vneid.Tx) (*vneid.Record, error) { return tx.Record(id) })
}

func idsOf(t *testing.T, s vneid.Store, f vneid.RecordFilter) (ids []string) {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 99
	}
	for _, r := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Record, error) { return tx.Records(f) }) {
		ids = append(ids, r.ID)
	}
	return ids
}

func recordsGrow(t *testing.T, s vneid.Store) {
	step := func(kind vneid.StepKind) []vneid.RecordStep { return []vneid.RecordStep{{At: noon, Kind: kind}} }
	addToRecord(t, s,
		vneid.Record{ID: "a", ClientID: "c", Result: vneid.ResultPending, StartedAt: noon, UpdatedAt: noon, EndsAt: noon.Add(time.Minute), Error: "wrong", Steps: step("1")},
		vneid.Record{ID: "a", CCCD: "038******001", CCCDHash: "h", SessionID: "s", Result: vneid.ResultSignedIn, UpdatedAt: noon.Add(2 * time.Second), Steps: step("2")},
		vneid.Record{ID: "a", ClientID: "c", Result: vneid.ResultCodeIssued, UpdatedAt: noon.Add(time.Second), EndsAt: noon, Error: "late news", Steps: step("3")},
		vneid.Record{SessionID: "s", UpdatedAt: noon.Add(3 * time.Second), Error: "of the session", Steps: step("4")},
		vneid.Record{SessionID: "nobody's", UpdatedAt: noon, Steps: step("5")})
	equal(t, "Record", record(t, s, "a"), &vneid.Record{ID: "a", ClientID: "c", CCCD: "038******001", CCCDHash: "h", SessionID: "s",
		Result: vneid.ResultSignedIn, StartedAt: noon, UpdatedAt: noon.Add(3 * time.Second),
		Steps: slices.Concat(step("1"), step("2"), step("3"), step("4"))})

	// Of several clients in one session each has a record of its own.
	addToRecord(t, s, vneid.Record{ID: "b", ClientID: "other", SessionID: "s", StartedAt: noon, UpdatedAt: noon},
		vneid.Record{SessionID: "s", ClientID: "c", UpdatedAt: noon, Steps: step("6")}, vneid.Record{SessionID: "s", ClientID: "third", UpdatedAt: noon, Steps: step("7")})
	equal(t, "StepsOfRecords", get(t, s, world, func(tx vneid.Tx) (map[string][]vneid.RecordStep, error) {
		return tx.StepsOfRecords([]string{"b", "nothing", "a", "\x00"})
	}), map[string][]vneid.RecordStep{"a": record(t, s, "a").Steps, "b": step("7")})
	if n := len(record(t, s, "a").Steps); n != 5 {
		t.Errorf("%d steps in the record of the client that was named", n)
	}
	equal(t, "steps of the newest", record(t, s, "b").Steps, step("7"))
}

func recordsAreFound(t *testing.T, s vneid.Store) {
	for i, r := range []vneid.Record{
		{ID: "a", ClientID: "c", CCCDHash: "h", Result: vneid.ResultSignedIn},
		{ID: "b", ClientID: "c", Result: vneid.ResultPending, EndsAt: noon.Add(time.Minute)},
		{ID: "c", ClientID: "d", CCCDHash: "h", Result: vneid.ResultPending, EndsAt: noon.Add(-time.Minute)},
		{ID: "d", Result: vneid.ResultExpired},
	} {
		r.StartedAt, r.UpdatedAt = noon.Add(time.Duration(-i)*time.Hour), noon // the order is that of writing, whatever the clock says
		addToRecord(t, s, r)
	}
	for _, c := range []struct {
		f    vneid.RecordFilter
		want string
	}{
		{vneid.RecordFilter{}, "[d c b a]"},
		{vneid.RecordFilter{Limit: 2}, "[d c]"},
		{vneid.RecordFilter{Limit: -1}, "[]"},
		{vneid.RecordFilter{ClientID: "c"}, "[b a]"},
		{vneid.RecordFilter{CCCDHash: "h"}, "[c a]"},
		{vneid.RecordFilter{CCCDHash: "h", ClientID: "d"}, "[c]"},
		{vneid.RecordFilter{Result: vneid.ResultPending}, "[b]"},
		{vneid.RecordFilter{Result: vneid.ResultExpired}, "[d c]"},
		{vneid.RecordFilter{Result: vneid.ResultSignedIn}, "[a]"},
		{vneid.RecordFilter{After: "b"}, "[d c]"},
		{vneid.RecordFilter{After: "unknown"}, "[d c b a]"},
		{vneid.RecordFilter{ClientID: "\x00"}, "[]"},
	} {
		c.f.Now = noon
		if got := fmt.Sprint(idsOf(t, s, c.f)); got != c.want {
			t.Errorf("%+v finds %s, want %s", c.f, got, c.want)
		}
	}
}

func oldRecordsLeave(t *testing.T, s vneid.Store) {
	for i := range 10 {
		addToRecord(t, s, vneid.Record{ID: fmt.Sprint(i), StartedAt: noon, UpdatedAt: noon, Steps: []vneid.RecordStep{{At: noon}}})
		update(t, s, func(tx vneid.Tx) error {
			return tx.AddTraffic(&vneid.Traffic{Kind: vneid.StepJWKS, Peer: fmt.Sprint(i), At: noon, LastAt: noon.Add(time.Duration(i) * time.Second), Count: 1})
		})
	}
	addToRecord(t, s, vneid.Record{ID: "0", UpdatedAt: noon.Add(time.Hour)}) // it was begun first all the same
	for range 2 {
		update(t, s, func(tx vneid.Tx) error { return tx.PruneRecords(3, 4) })
		if got := fmt.Sprint(idsOf(t, s, vneid.RecordFilter{})); got != "[9 8 7]" {
			t.Errorf("left are %s", got)
		}
	}
	if n := len(record(t, s, "7").Steps); n != 1 {
		t.Errorf("a record that stayed has %d steps", n)
	}
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.Record("6")
		is(t, "Record", err, vneid.ErrNotFound)
		return nil
	})
	traffic := func(since time.Time, limit int) (peers []string) {
		for _, v := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Traffic, error) { return tx.Traffic(since, limit) }) {
			peers = append(peers, v.Peer)
		}
		return peers
	}
	if got := fmt.Sprint(traffic(time.Time{}, 9), traffic(noon.Add(7*time.Second), 9), traffic(time.Time{}, 1), traffic(time.Time{}, 0)); got != "[6 7 8 9] [8 9] [6] []" {
		t.Errorf("traffic %s", got)
	}
	// What left is really gone: a record of the same id begins anew.
	addToRecord(t, s, vneid.Record{ID: "1", StartedAt: noon, UpdatedAt: noon})
	equal(t, "steps", record(t, s, "1").Steps, []vneid.RecordStep(nil))
}
