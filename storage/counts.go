package storage

import (
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Counts stops at the first row beyond most: counting a million costs what
// reading them does.
func (t *tx) Counts(most int, now time.Time) (n vneid.Counts, err error) {
	err = t.read("count rows", func() error {
		n = vneid.Counts{}
		for _, c := range []struct {
			from string
			into *int
			args []any
		}{
			{"accounts WHERE world = ?", &n.Accounts, nil},
			{"devices WHERE world = ?", &n.Devices, nil},
			{"clients WHERE world = ?", &n.Clients, nil},
			{"sessions WHERE world = ? AND expires_ms > ? AND ended_ms = 0", &n.Sessions, []any{ms(now)}},
		} {
			args := append(append([]any{t.world}, c.args...), most+1)
			if err := t.orm().Raw("SELECT COUNT(*) FROM (SELECT 1 FROM "+c.from+" LIMIT ?) AS few", args...).Scan(c.into).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
