package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// keptFor is how long a row stays after its end: whoever asks why something
// expired can still be told, and a test that moves the clock an hour on and
// back finds everything again.
const keptFor = 24 * time.Hour

// nobodyKeptFor is the same for a login in which no password and no session was
// accepted: somebody who comes back from lunch still reads that it expired.
const nobodyKeptFor = time.Hour

// rowsAtOnce is how many rows one transaction of a collection looks at: other
// writers wait no longer than that takes.
const rowsAtOnce = 200

// batchesAtOnce ends a collection that would never end, since rows expire as
// fast as it works; the next one goes on.
const batchesAtOnce = 1000

// Collect removes what ended more than a day ago, and logins of nobody that
// ended more than an hour ago. Tokens go before the logins
// that wait for them.
func (s *Store) Collect(ctx context.Context, w *vneid.World) (removed int, err error) {
	now := w.Clock.Now()
	end := ms(now.Add(-keptFor))
	counted := max(keptFor, w.Policy.SMSWindow, w.Policy.PasswordLock, w.Policy.PasscodeLock, w.Policy.CodeWindow)
	batches := 0
	for _, step := range []func(*tx) (looked, removed int, err error){
		func(t *tx) (int, int, error) { return t.collect("tokens", "hash", "expires_ms < ?", end) },
		func(t *tx) (int, int, error) { return t.collectLogins(end) },
		func(t *tx) (int, int, error) { return t.collect("assertions", "hash", "expires_ms < ?", ms(now)) },
		func(t *tx) (int, int, error) { return t.collect("sessions", "id", "expires_ms < ?", end) },
		func(t *tx) (int, int, error) { return t.collect("activations", "id", "expires_ms < ?", end) },
		func(t *tx) (int, int, error) {
			return t.collect("handsets", "id", "device_id = '' AND seen_ms < ?", end) // nobody's phone: a page that was opened
		},
		func(t *tx) (int, int, error) {
			return t.collect("throttles", "name", "last_ms < ?", ms(now.Add(-counted)))
		},
		func(t *tx) (int, int, error) {
			return t.collect("sms", "id", "visible_ms < ? AND sent_ms < ?", end, end)
		},
	} {
		for more := true; more; batches++ {
			if batches == batchesAtOnce {
				return removed, nil
			}
			var looked, gone int
			err := s.Update(ctx, w.ID, func(t vneid.Tx) (err error) {
				looked, gone, err = step(t.(*tx))
				return err
			})
			if err != nil {
				return removed, fmt.Errorf("collect expired rows of world %s: %w", w.ID, err)
			}
			removed += gone
			more = looked == rowsAtOnce
		}
	}
	return removed, nil
}

// collect removes some of the rows that match.
func (t *tx) collect(table, key, where string, args ...any) (looked, removed int, err error) {
	err = t.write("collect "+table, func() error {
		var keys []string
		err := t.orm().Table(table).Where("world = ?", t.world).Where(where, args...).Limit(rowsAtOnce).Pluck(key, &keys).Error
		if err != nil {
			return err
		}
		looked = len(keys)
		removed, err = t.deleteRows(table, key, keys)
		return err
	})
	return looked, removed, err
}

// collectLogins removes some of the logins that ended before end. One whose
// tokens are still there stays as long as they do, since a replay of its code
// revokes them; its end moves to theirs, so that no collection looks at it
// before.
func (t *tx) collectLogins(end int64) (looked, removed int, err error) {
	err = t.write("collect logins", func() error {
		var found []struct {
			ID    string
			Until *int64 // of its last token
		}
		err := t.orm().Raw(`SELECT id, (SELECT max(expires_ms) FROM tokens WHERE tokens.world = logins.world AND grant_id = logins.id) AS until
			FROM logins WHERE world = ? AND end_ms < ? LIMIT ?`, t.world, end, rowsAtOnce).Scan(&found).Error
		if err != nil {
			return err
		}
		looked = len(found)
		var gone []string
		for _, l := range found {
			if l.Until == nil || *l.Until < end {
				gone = append(gone, l.ID)
				continue
			}
			if err := t.orm().Exec("UPDATE logins SET end_ms = ? WHERE world = ? AND id = ?", *l.Until, t.world, l.ID).Error; err != nil {
				return err
			}
		}
		removed, err = t.deleteRows("logins", "id", gone)
		return err
	})
	return looked, removed, err
}

// deleteRows deletes in runs of one length and a rest, so that few statements
// have to be prepared.
func (t *tx) deleteRows(table, key string, keys []string) (removed int, err error) {
	for some := range slices.Chunk(keys, 20) {
		res := t.orm().Exec("DELETE FROM "+table+" WHERE world = ? AND "+key+" IN ?", t.world, some)
		if res.Error != nil {
			return removed, res.Error
		}
		removed += int(res.RowsAffected)
	}
	return removed, nil
}
