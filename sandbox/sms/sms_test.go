package sms_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

const (
	an    = vneid.PhoneNumber("0950000001") // instant
	em    = vneid.PhoneNumber("0950000005") // never
	giang = vneid.PhoneNumber("0950000006") // late
)

// network is a network in a world with the default people.
func network(t *testing.T) (context.Context, *sms.Network, *vneid.OffsetClock) {
	t.Helper()
	store, err := storage.Open(t.Context(), "sqlite::memory:", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	clock := &vneid.OffsetClock{Base: vneid.SystemClock{}}
	w := &vneid.World{ID: vneid.DefaultWorld, Clock: clock, Policy: vneid.DefaultPolicy(), Salt: []byte("salt")}
	err = store.Update(t.Context(), w.ID, func(tx vneid.Tx) error {
		for _, p := range people.Default("http").Personas {
			if err := tx.PutAccount(&vneid.Account{Persona: p, ID: string(p.CCCD)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return context.WithValue(vneid.WithWorld(t.Context(), w), storeKey{}, store), sms.New(store), clock
}

type storeKey struct{} // of the context: the store under the network

var sent int

func send(t *testing.T, ctx context.Context, n *sms.Network, to vneid.PhoneNumber) string {
	t.Helper()
	sent++
	id := strconv.Itoa(sent)
	m := vneid.SMS{ID: id, To: to, Text: "mã " + id, OTP: "000123", Login: "l", SentAt: vneid.WorldFrom(ctx).Clock.Now()}
	err := ctx.Value(storeKey{}).(vneid.Store).Update(ctx, vneid.WorldFrom(ctx).ID, func(tx vneid.Tx) error { return n.Take(ctx, tx, "", m) })
	if err != nil {
		t.Fatal(err)
	}
	n.Taken(ctx, m)
	return id
}

func ids(t *testing.T, ctx context.Context, n *sms.Network, to vneid.PhoneNumber) string {
	t.Helper()
	list, err := n.List(ctx, to)
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, m := range list {
		all += m.ID + " "
	}
	return all
}

func TestWhosePhoneItIsDecidesWhenAMessageIsSeen(t *testing.T) {
	ctx, n, clock := network(t)
	first, never, late := send(t, ctx, n, an), send(t, ctx, n, em), send(t, ctx, n, giang)
	stranger := send(t, ctx, n, "0959999999")
	if got, want := ids(t, ctx, n, ""), stranger+" "+first+" "; got != want {
		t.Errorf("at once: %q, want %q", got, want)
	}
	clock.SetOffset(vneid.SMSLateBy - 2*time.Second)
	if got := ids(t, ctx, n, giang); got != "" {
		t.Errorf("two seconds early: %q", got)
	}
	clock.SetOffset(vneid.SMSLateBy + time.Second)
	if got := ids(t, ctx, n, giang); got != late+" " {
		t.Errorf("after 90 s: %q, want %q", got, late)
	}
	clock.SetOffset(1000 * time.Hour)
	if got := ids(t, ctx, n, em); got != "" {
		t.Errorf("message %s arrived: %q", never, got)
	}
}

func TestAWaitEndsWith(t *testing.T) {
	type step func(*testing.T, context.Context, *sms.Network, *vneid.OffsetClock)
	nothing := func(*testing.T, context.Context, *sms.Network, *vneid.OffsetClock) {}
	sendLate := func(t *testing.T, ctx context.Context, n *sms.Network, _ *vneid.OffsetClock) { send(t, ctx, n, giang) }
	for name, c := range map[string]struct {
		to             vneid.PhoneNumber
		before, during step
	}{
		"a message": {an, nothing, func(t *testing.T, ctx context.Context, n *sms.Network, _ *vneid.OffsetClock) { send(t, ctx, n, an) }},
		"a clock that moves past the delay of a late one": {giang, sendLate, func(_ *testing.T, ctx context.Context, n *sms.Network, clock *vneid.OffsetClock) {
			clock.SetOffset(2 * vneid.SMSLateBy)
			n.Wake(vneid.WorldFrom(ctx).ID)
		}},
		"a late one that falls due": {giang, func(t *testing.T, ctx context.Context, n *sms.Network, clock *vneid.OffsetClock) {
			send(t, ctx, n, giang)
			clock.SetOffset(vneid.SMSLateBy - 300*time.Millisecond)
		}, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, n, clock := network(t)
			c.before(t, ctx, n, clock)
			got := make(chan []vneid.SMS, 1)
			go func() {
				list, err := n.Wait(ctx, sms.Query{To: c.to}, 20*time.Second)
				if err != nil {
					t.Error(err)
				}
				got <- list
			}()
			time.Sleep(50 * time.Millisecond) // until it waits
			c.during(t, ctx, n, clock)
			select {
			case list := <-got:
				if len(list) != 1 || list[0].To != c.to {
					t.Errorf("got %v", list)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("still waiting")
			}
		})
	}
}

func TestAWaitForNothingEndsEmpty(t *testing.T) {
	ctx, n, _ := network(t)
	send(t, ctx, n, an)
	for _, c := range []struct {
		name string
		wait func() ([]vneid.SMS, error)
	}{
		{"when its time is over", func() ([]vneid.SMS, error) { return n.Wait(ctx, sms.Query{To: em}, 50*time.Millisecond) }},
		{"at once without time", func() ([]vneid.SMS, error) { return n.Wait(ctx, sms.Query{To: em}, 0) }},
		{"when the network stops", func() ([]vneid.SMS, error) {
			time.AfterFunc(50*time.Millisecond, n.Stop)
			return n.Wait(ctx, sms.Query{To: em}, 20*time.Second)
		}},
		{"after it stopped", func() ([]vneid.SMS, error) { n.Stop(); return n.Wait(ctx, sms.Query{To: em}, 20*time.Second) }},
	} {
		begin := time.Now()
		list, err := c.wait()
		if took := time.Since(begin); err != nil || len(list) != 0 || took > 5*time.Second {
			t.Errorf("%s: %v, %v after %s", c.name, list, err, took)
		}
	}
}

func TestAWaitForSomethingNewLeavesOutWhatWasSeen(t *testing.T) {
	ctx, n, clock := network(t)
	old := send(t, ctx, n, an)
	send(t, ctx, n, giang)
	late, err := n.Next(ctx, sms.Query{To: giang})
	if err != nil || late == nil || !late.VisibleAt.After(clock.Now()) {
		t.Fatalf("on its way: %v %v", late, err)
	}
	if next, err := n.Next(ctx, sms.Query{To: an}); next != nil || err != nil {
		t.Errorf("what has arrived is on its way: %v %v", next, err)
	}
	got := make(chan []vneid.SMS, 1)
	go func() {
		list, err := n.Wait(ctx, sms.Query{To: an, After: old}, 20*time.Second)
		if err != nil {
			t.Error(err)
		}
		got <- list
	}()
	fresh := send(t, ctx, n, an)
	if list := <-got; len(list) != 1 || list[0].ID != fresh {
		t.Errorf("after %s: %v", old, list)
	}
	for _, q := range []sms.Query{{After: "none"}, {To: giang, After: old}} {
		if list, err := n.Wait(ctx, q, 20*time.Second); err != sms.ErrUnknown || list != nil {
			t.Errorf("%+v: %v %v", q, list, err)
		}
	}
	if list, err := n.Wait(ctx, sms.Query{To: an, Login: "another"}, 10*time.Millisecond); len(list) != 0 || err != nil {
		t.Errorf("of another login: %v %v", list, err)
	}
	if list, err := n.Wait(ctx, sms.Query{To: an, Login: "l"}, 0); len(list) != 2 || err != nil {
		t.Errorf("of the login: %v %v", list, err)
	}
}

func TestAnIdBeyondTheListIsNoMistake(t *testing.T) {
	ctx, n, _ := network(t)
	first := send(t, ctx, n, an)
	for range sms.Limit + 5 {
		send(t, ctx, n, an)
	}
	if list, err := n.Wait(ctx, sms.Query{To: an, After: first}, 0); len(list) != sms.Limit || err != nil {
		t.Errorf("%d messages, %v", len(list), err)
	}
}

func TestWorldsDoNotSeeEachOthersMessages(t *testing.T) {
	ctx, n, clock := network(t)
	send(t, ctx, n, an)
	other := vneid.WithWorld(ctx, &vneid.World{ID: "other", Clock: clock})
	if got := ids(t, other, n, ""); got != "" {
		t.Errorf("the other world sees %q", got)
	}
}

func TestTheInboxPageShowsWhatArrived(t *testing.T) {
	ctx, n, _ := network(t)
	id := send(t, ctx, n, an)
	for to, want := range map[string]int{"": 1, "0950000001": 1, "+84 950 000 001": 1, "0950000005": 0, "nonsense": 0} {
		v, err := n.View(ctx, templates.Frame{}, to)
		if err != nil || len(v.Messages) != want {
			t.Errorf("to %q: %d messages, want %d (%v)", to, len(v.Messages), want, err)
		}
		if want == 1 && (v.Messages[0].ID != id || v.Messages[0].OTP != "000123" || !v.Refresh) {
			t.Errorf("to %q: %+v", to, v)
		}
	}
}
