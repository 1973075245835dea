// Package sms is the telephone network of the sandbox: it takes messages from
// the provider (vneid.SMSGateway), decides when they reach a phone, and shows
// them in the inbox.
//
// Nothing ever leaves the machine. The rows in the store are the truth; the
// wake-ups between waiting requests are only that.
package sms

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Limit is how many messages a list holds, newest first.
const Limit = 100

// MaxWait is the longest a request may wait for a message.
const MaxWait = 60 * time.Second

// Network carries messages to phones. Its methods take the world from the
// context.
type Network struct {
	store vneid.Store

	mu      sync.Mutex
	changed map[string]chan struct{} // world -> closed when something there may be new
	stopped bool
	stop    chan struct{}
}

// New makes the network over a store.
func New(store vneid.Store) *Network {
	return &Network{store: store, changed: map[string]chan struct{}{}, stop: make(chan struct{})}
}

// Take takes a message. Whose phone it goes to decides when it is seen: at
// once, after vneid.SMSLateBy, or never. A number that belongs to nobody gets
// its messages at once.
func (n *Network) Take(_ context.Context, tx vneid.Tx, c vneid.CCCD, m vneid.SMS) error {
	delivery, err := deliveryTo(tx, c, m.To)
	if err != nil {
		return err
	}
	switch delivery {
	case vneid.SMSNever:
		m.VisibleAt = time.Time{}
	case vneid.SMSLate:
		m.VisibleAt = m.SentAt.Add(vneid.SMSLateBy)
	default:
		m.VisibleAt = m.SentAt
	}
	return tx.InsertSMS(&m)
}

// Taken wakes whoever waits for a message.
func (n *Network) Taken(ctx context.Context, _ vneid.SMS) { n.Wake(vneid.WorldFrom(ctx).ID) }

// deliveryTo is how the phone of a person gets messages; without one, that of
// whoever has the number.
func deliveryTo(tx vneid.Tx, of vneid.CCCD, to vneid.PhoneNumber) (vneid.SMSDelivery, error) {
	if of != "" {
		if a, err := tx.Account(of); err == nil && a.Phone == to {
			return a.SMS, nil
		} else if err != nil && !errors.Is(err, vneid.ErrNotFound) {
			return "", err
		}
	}
	owners, err := tx.Accounts(string(to), Limit)
	if err != nil {
		return "", err
	}
	for _, a := range owners {
		if a.Phone == to { // the query finds parts of numbers and names too
			return a.SMS, nil
		}
	}
	return vneid.SMSInstant, nil
}

// Wake makes whoever waits in a world look again: after a message, and after
// its clock was moved or its people were reset.
func (n *Network) Wake(world string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ch, ok := n.changed[world]; ok {
		close(ch)
		delete(n.changed, world)
	}
}

// Stop ends every wait with what there is; later waits end at once.
func (n *Network) Stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stopped {
		n.stopped = true
		close(n.stop)
	}
}

func (n *Network) next(world string) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	ch, ok := n.changed[world]
	if !ok {
		ch = make(chan struct{})
		n.changed[world] = ch
	}
	return ch
}

// Query says which messages are meant.
type Query struct {
	To    vneid.PhoneNumber // "" = all phones
	Login string            // "" = any; the login whose one-time password it is
	After string            // id of a message: only what was seen later; "" = all
}

// ErrUnknown says that no message of the query has the id of After.
var ErrUnknown = errors.New("sms: no such message")

// List returns what the phones show now, newest first; to "" = all phones.
func (n *Network) List(ctx context.Context, to vneid.PhoneNumber) ([]vneid.SMS, error) {
	messages, _, err := n.look(ctx, Query{To: to})
	return messages, err
}

// lookAgain is how long a message of another process stays unseen at most.
const lookAgain = 500 * time.Millisecond

// Wait lists what the phones show, newest first, and waits for the first
// message when there is none: real time, while visibility goes by the world's
// clock. It ends early, without an error, when the network stops.
func (n *Network) Wait(ctx context.Context, q Query, wait time.Duration) ([]vneid.SMS, error) {
	deadline := time.NewTimer(min(wait, MaxWait))
	defer deadline.Stop()
	for {
		changed := n.next(vneid.WorldFrom(ctx).ID) // before looking: nothing slips between
		messages, next, err := n.look(ctx, q)
		if err != nil || len(messages) > 0 {
			return messages, err
		}
		due := MaxWait
		if next != nil {
			due = next.VisibleAt.Sub(vneid.WorldFrom(ctx).Clock.Now())
		}
		// Another process on the same database wakes nobody here: look again
		// now and then.
		late := time.NewTimer(min(due, lookAgain))
		select {
		case <-changed:
		case <-late.C:
		case <-deadline.C:
			wait = 0
		case <-n.stop:
			wait = 0
		case <-ctx.Done():
			late.Stop()
			return nil, ctx.Err()
		}
		late.Stop()
		if wait == 0 {
			return messages, nil
		}
	}
}

// Next is the message that will be seen next and is on its way now, nil = none.
// One that is lost is on no way.
func (n *Network) Next(ctx context.Context, q Query) (*vneid.SMS, error) {
	_, next, err := n.look(ctx, q)
	return next, err
}

// look reads the visible messages, and which late one is due next.
func (n *Network) look(ctx context.Context, q Query) (visible []vneid.SMS, next *vneid.SMS, err error) {
	w := vneid.WorldFrom(ctx)
	now := w.Clock.Now()
	var all []vneid.SMS
	err = n.store.Peek(ctx, w.ID, func(tx vneid.Tx) error {
		var err error
		all, err = tx.SMSTo(q.To, now.Add(vneid.SMSLateBy), 2*Limit)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	seen := 0
	for i := range all {
		m := &all[i]
		late := m.VisibleAt.After(now)
		if !late {
			if seen++; seen > Limit {
				break
			}
			if m.ID == q.After {
				return visible, next, nil
			}
		}
		switch {
		case q.Login != "" && m.Login != q.Login:
		case !late:
			visible = append(visible, *m)
		default:
			next = m // the last of them is the first that comes
		}
	}
	if q.After != "" && seen <= Limit {
		return nil, nil, ErrUnknown // beyond the limit it may have been
	}
	return visible, next, nil
}

// View is the inbox page: the messages to a number as it was typed, "" = all.
func (n *Network) View(ctx context.Context, f templates.Frame, to string) (templates.SMSView, error) {
	v := templates.SMSView{Frame: f, To: to, Refresh: true}
	number := vneid.PhoneNumber("")
	if to != "" {
		var err error
		if number, err = vneid.ParsePhone(to); err != nil {
			return v, nil // no phone has this number, so nothing arrives there
		}
		v.To = string(number)
	}
	messages, err := n.List(ctx, number)
	for _, m := range messages {
		v.Messages = append(v.Messages, templates.SMSRow{
			ID: m.ID, To: string(m.To), Text: m.Text, OTP: m.OTP, Login: m.Login,
			SentAt: m.SentAt.In(hanoi).Format(time.RFC3339),
		})
	}
	return v, err
}

// hanoi has had no summer time since 1975, so no zone database is needed.
var hanoi = time.FixedZone("+07", 7*60*60)
