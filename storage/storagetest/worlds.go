package storagetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func worldsAreApart(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	mine, theirs := filled("k"), filled("other values")
	theirs.rename("k")
	if err := errors.Join(s.Update(ctx, world, mine.write), s.Update(ctx, other, theirs.write)); err != nil {
		t.Fatalf("the same keys in two worlds: %v", err)
	}
	mine.check(t, s, world, "k")
	theirs.check(t, s, other, "k")

	// Nothing that changes rows in one world touches the other.
	theirs.login.CodeHash = "code k"
	err := s.Update(ctx, world, func(tx vneid.Tx) error {
		_, err := tx.UseToken("k 0", noon)
		return errors.Join(err, tx.SaveLogin(&mine.login), tx.SaveSession(&mine.session), tx.RevokeToken("k 0", noon),
			tx.RevokeGrant(mine.tokens[0].GrantID, noon), tx.RevokeGrant(theirs.tokens[1].GrantID, noon),
			tx.RevokeSessionTokens(theirs.tokens[1].SessionID, noon), tx.PutAccount(&mine.account), tx.PutClient(&mine.client),
			tx.PutConsent(&mine.consent), tx.PutThrottle(&mine.hits), tx.PutSigningKey(&mine.key))
	})
	if err != nil {
		t.Fatal(err)
	}
	theirs.check(t, s, other, "k")
	is(t, "account of a third world", s.View(ctx, "third", func(tx vneid.Tx) error { _, err := tx.Account("k"); return err }), vneid.ErrNotFound)
}

func clearKeepsRecordAndKeys(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	mine, theirs := filled("k"), filled("other values")
	theirs.rename("k")
	records := []vneid.WorldRecord{{ID: world, Salt: []byte("salt"), SeedVersion: "1"}, {ID: other, Salt: []byte("grain")}}
	err := errors.Join(s.PutWorld(ctx, records[0]), s.PutWorld(ctx, records[1]),
		s.Update(ctx, world, mine.write), s.Update(ctx, other, theirs.write), s.ClearWorld(ctx, world))
	if err != nil {
		t.Fatal(err)
	}
	theirs.check(t, s, other, "k")
	got, err := s.Worlds(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Worlds", got, records)
	equal(t, "SigningKeys", get(t, s, world, func(tx vneid.Tx) ([]vneid.SigningKey, error) { return tx.SigningKeys() }), []vneid.SigningKey{mine.key})
	// All the rest is gone: the same keys are free, and no search finds a trace.
	for _, query := range []string{"", "k", "Đặng"} {
		if found := search(t, s, query, 9); found != nil {
			t.Errorf("Accounts(%q) still finds %v", query, found)
		}
	}
	equal(t, "Throttle", get(t, s, world, func(tx vneid.Tx) (*vneid.Throttle, error) { return tx.Throttle("k") }), &vneid.Throttle{Key: "k"})
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.Client("k")
		is(t, "Client", err, vneid.ErrNotFound)
		_, err = tx.Consent("k", "k")
		is(t, "Consent", err, vneid.ErrNotFound)
		return nil
	})
	again := filled("k")
	update(t, s, again.write)
	again.check(t, s, world, "k")
	if err := s.ClearWorld(ctx, "never existed"); err != nil {
		t.Errorf("clearing a world that never existed: %v", err)
	}
}

func worldRecords(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	if list, err := s.Worlds(ctx); err != nil || len(list) != 0 {
		t.Errorf("Worlds of an empty store: %v, %v", list, err)
	}
	var a, b vneid.WorldRecord
	fill(&a, "a")
	fill(&b, "b")
	a.ID, b.ID = "a", "b"
	b.ClockOffsetMS = -1 << 40
	changed := a
	changed.ClockOffsetMS, changed.SeedVersion, changed.Salt = 0, "", []byte{0, 255}
	for _, w := range []vneid.WorldRecord{b, a, changed} {
		if err := s.PutWorld(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Worlds(ctx)
	if err != nil {
		t.Fatal(err)
	}
	changed.Salt = a.Salt // once there it stays: subjects hang on it
	equal(t, "Worlds", list, []vneid.WorldRecord{changed, b})
	if err := s.UseWorld(ctx, "b", noon); err != nil {
		t.Fatal(err)
	}
	b.UsedAt = noon
	got, err := s.World(ctx, "b")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "World", got, b)
	named, err := s.WorldsNamed(ctx, []string{"c", "b"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "WorldsNamed", named, []vneid.WorldRecord{b})
	_, err = s.World(ctx, "c")
	is(t, "World that is not there", err, vneid.ErrNotFound)
	if err := s.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
}

func deletedWorldLeavesNothing(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	mine, theirs := filled("k"), filled("other values")
	theirs.rename("k")
	err := errors.Join(s.CreateWorld(ctx, vneid.WorldRecord{ID: world, Salt: []byte("salt")}), s.CreateWorld(ctx, vneid.WorldRecord{ID: other}),
		s.Update(ctx, world, mine.write), s.Update(ctx, other, theirs.write))
	if err != nil {
		t.Fatal(err)
	}
	is(t, "creating it again", s.CreateWorld(ctx, vneid.WorldRecord{ID: world, Salt: []byte("pepper")}), vneid.ErrExists)
	mine.check(t, s, world, "k")
	if n, err := s.CountWorlds(ctx); n != 2 || err != nil {
		t.Errorf("CountWorlds: %d, %v", n, err)
	}
	if err := s.DeleteWorld(ctx, world, []byte("of a former world")); err != nil {
		t.Error(err)
	}
	mine.check(t, s, world, "k")
	for _, id := range []string{world, "never existed"} {
		if err := s.DeleteWorld(ctx, id, []byte("salt")); err != nil {
			t.Errorf("deleting world %s: %v", id, err)
		}
	}
	theirs.check(t, s, other, "k")
	list, err := s.Worlds(ctx)
	if err != nil || len(list) != 1 || list[0].ID != other {
		t.Errorf("Worlds: %v, %v", list, err)
	}
	// What somebody still wrote for the former world goes with it, also later.
	late := filled("k")
	if err := errors.Join(s.Update(ctx, world, late.write), s.DeleteWorld(ctx, world, []byte("salt"))); err != nil {
		t.Fatal(err)
	}
	is(t, "what was written late", s.View(ctx, world, func(tx vneid.Tx) error { _, err := tx.Account("k"); return err }), vneid.ErrNotFound)
	// Nor is it the new one's.
	again := filled("k")
	if err := errors.Join(s.Update(ctx, world, again.write), s.CreateWorld(ctx, vneid.WorldRecord{ID: world, Salt: []byte("new")})); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx vneid.Tx) error {
		_, err := tx.Account("k")
		is(t, "Account", err, vneid.ErrNotFound)
		keys, err := tx.SigningKeys()
		if len(keys) > 0 {
			t.Errorf("keys of the former world: %v", keys)
		}
		return err
	})
}

func worldsWithLogoutNotices(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	for i, id := range []string{world, world, other} {
		err := s.Update(ctx, id, func(tx vneid.Tx) error {
			return tx.PutLogoutNotice(&vneid.LogoutNotice{ClientID: "c", SessionID: string(rune('a' + i)), DueAt: noon})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ids, err := s.LogoutWorlds(ctx)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	equal(t, "LogoutWorlds", ids, []string{world, other})
}

func closedIsUnavailable(t *testing.T, s vneid.Store) {
	ctx := context.Background()
	insertLogin(t, s, "l")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	nothing := func(vneid.Tx) error { return nil }
	_, err := s.Worlds(ctx)
	_, collecting := s.Collect(ctx, &vneid.World{ID: world, Clock: frozen(noon)})
	for name, err := range map[string]error{"Ping": s.Ping(ctx), "View": s.View(ctx, world, nothing), "Update": s.Update(ctx, world, nothing),
		"Worlds": err, "Collect": collecting, "PutWorld": s.PutWorld(ctx, vneid.WorldRecord{ID: "w"}), "ClearWorld": s.ClearWorld(ctx, world)} {
		is(t, name, err, vneid.ErrUnavailable)
	}
}

// RunShared checks a backend whose database several processes may open. open
// returns a store on one and the same database each time it is called with
// the same t; RunShared closes it.
func RunShared(t *testing.T, open func(t *testing.T) vneid.Store) {
	t.Run("opening again finds everything", func(t *testing.T) {
		e := filled("k")
		s := open(t)
		update(t, s, e.write)
		if err := errors.Join(s.PutWorld(context.Background(), vneid.WorldRecord{ID: world}), s.Close()); err != nil {
			t.Fatal(err)
		}
		s = open(t)
		defer s.Close()
		e.check(t, s, world, "k")
		if list, err := s.Worlds(context.Background()); err != nil || len(list) != 1 {
			t.Errorf("Worlds: %v, %v", list, err)
		}
	})
	for name, test := range map[string]func(t *testing.T, a, b vneid.Store){
		"one sees what the other committed": func(t *testing.T, a, b vneid.Store) {
			e := filled("k")
			update(t, a, e.write)
			e.check(t, b, world, "k")
		},
		"concurrent changes through both are all recorded": countTogether,
		"of 64 racers through both one wins":               raceTogether,
	} {
		t.Run(name, func(t *testing.T) {
			stores := make([]vneid.Store, 2)
			together(2, func(i int) error { stores[i] = open(t); return nil }) // both meet the empty database
			if stores[0] == nil || stores[1] == nil {
				t.Fatal("not both could be opened")
			}
			defer stores[0].Close()
			defer stores[1].Close()
			test(t, stores[0], stores[1])
		})
	}
}
