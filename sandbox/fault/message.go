package fault

import (
	"context"
	"errors"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Messages stands before the telephone network.
func (e *Engine) Messages(next vneid.SMSGateway) vneid.SMSGateway { return messages{e, next} }

type messages struct {
	engine *Engine
	vneid.SMSGateway
}

// Take lets a message be late, by its time of sending, or loses it. It counts
// when it is called again for a transaction that runs again: "once" may then be
// over before the message was lost once.
func (m messages) Take(ctx context.Context, tx vneid.Tx, c vneid.CCCD, sms vneid.SMS) error {
	b := m.engine.board(vneid.WorldFrom(ctx).ID)
	if b == nil {
		return m.SMSGateway.Take(ctx, tx, c, sms)
	}
	x := &Exchange{Kind: Message, Request: (&http.Request{}).WithContext(ctx), CCCD: c, engine: m.engine}
	l, err := tx.Login(sms.Login)
	if err == nil {
		x.Login, x.ClientID, x.LoginHint = l, l.Request.ClientID, l.Request.LoginHint
	} else if !errors.Is(err, vneid.ErrNotFound) {
		return err
	}
	for _, s := range b.candidates(x) {
		if s.fault.hooks.message == nil || !b.draw(s, x) {
			continue
		}
		x.at, x.Variant, x.Armed = s, s.variant(), s.Armed
		late, lost := s.fault.hooks.message(x)
		vneid.TrailFrom(ctx).Check("fault", false, s.title())
		if lost {
			return nil
		}
		sms.SentAt = sms.SentAt.Add(late)
	}
	return m.SMSGateway.Take(ctx, tx, c, sms)
}
