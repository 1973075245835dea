package storage

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type worldRow struct {
	World         string `gorm:"column:world;primaryKey"`
	Salt          []byte `gorm:"column:salt"`
	ClockOffsetMS int64  `gorm:"column:clock_offset_ms"`
	SeedVersion   string `gorm:"column:seed_version"`
	Policy        string `gorm:"column:policy"`
	Faults        string `gorm:"column:faults"`
	TokenHash     string `gorm:"column:token_hash"`
	CreatedMS     int64  `gorm:"column:created_ms"`
	UsedMS        int64  `gorm:"column:used_ms"`
}

func (worldRow) TableName() string { return "worlds" }

func newWorldRow(w vneid.WorldRecord) *worldRow {
	return &worldRow{World: w.ID, Salt: w.Salt, ClockOffsetMS: w.ClockOffsetMS, SeedVersion: w.SeedVersion,
		Policy: w.Policy, Faults: w.Faults, TokenHash: w.TokenHash, CreatedMS: ms(w.CreatedAt), UsedMS: ms(w.UsedAt)}
}

func (r *worldRow) value() vneid.WorldRecord {
	return vneid.WorldRecord{ID: r.World, Salt: r.Salt, ClockOffsetMS: r.ClockOffsetMS, SeedVersion: r.SeedVersion,
		Policy: r.Policy, Faults: r.Faults, TokenHash: r.TokenHash, CreatedAt: fromMS(r.CreatedMS), UsedAt: fromMS(r.UsedMS)}
}

var (
	worlds = newTable(&worldRow{})
	// anyWorld finds the record of the transaction's world.
	anyWorld = worlds.by("1 = 1")
	useWorld = newQuery("UPDATE worlds SET used_ms = ? WHERE world = ?")
)

func (t *tx) worlds() (list []vneid.WorldRecord, err error) {
	var rows []worldRow
	err = t.read("worlds", func() error { return t.orm().Order("world").Find(&rows).Error })
	for i := range rows {
		list = append(list, rows[i].value())
	}
	return list, err
}

// worldsNamed asks in runs, as LoginVersions does.
func (t *tx) worldsNamed(ids []string) (list []vneid.WorldRecord, err error) {
	err = t.read("worlds by name", func() error {
		for some := range slices.Chunk(ids, 250) {
			var rows []worldRow
			if err := t.orm().Where("world IN ?", some).Find(&rows).Error; err != nil {
				return err
			}
			for i := range rows {
				list = append(list, rows[i].value())
			}
		}
		return nil
	})
	return list, err
}

func (t *tx) worldRecord() (vneid.WorldRecord, error) {
	var row worldRow
	err := t.take("world", worlds, anyWorld, &row)
	return row.value(), err
}

func (t *tx) createWorld(w vneid.WorldRecord) error {
	row := newWorldRow(w)
	if err := t.insert("create world", worlds, w, row); err != nil {
		return err
	}
	// Another process may still have written for a world that was deleted.
	return t.clear("signing_keys")
}

func (t *tx) countWorlds() (int, error) {
	var n int64
	err := t.read("count the worlds", func() error { return t.orm().Table("worlds").Count(&n).Error })
	return int(n), err
}

func (t *tx) deleteWorld(salt []byte) error {
	kept, err := t.worldRecord()
	if errors.Is(err, vneid.ErrNotFound) || err == nil && bytes.Equal(kept.Salt, salt) {
		return t.clear("signing_keys", "worlds")
	}
	return err
}

func (t *tx) useWorld(at time.Time) error {
	return t.write("use world", func() error {
		_, err := t.exec(useWorld, ms(at), t.world)
		return err
	})
}

func (t *tx) putWorld(w vneid.WorldRecord) error {
	kept, err := t.worldRecord()
	if err != nil && !errors.Is(err, vneid.ErrNotFound) {
		return err
	}
	if len(kept.Salt) > 0 {
		w.Salt = kept.Salt // two processes may begin a world at once: the first one's counts
	}
	return t.put("put world", worlds, w, newWorldRow(w))
}

func (t *tx) logoutWorlds() (list []string, err error) {
	err = t.read("worlds with logout notices", func() error {
		return t.orm().Table("logout_notices").Distinct("world").Pluck("world", &list).Error
	})
	return list, err
}

// clearedTables are all that a reset empties: every table with rows of a
// world but its record and its signing keys.
var clearedTables = []string{"accounts", "account_terms", "clients", "logins", "sessions", "consents", "tokens", "throttles", "sms", "devices", "activations", "handsets",
	"register_entries", "register_consumers", "logout_notices", "assertions", "records", "record_steps", "traffic"}

func (t *tx) clear(more ...string) error {
	return t.write("clear world", func() error {
		for _, table := range slices.Concat(clearedTables, more) {
			if _, err := t.exec(newQuery("DELETE FROM "+table+" WHERE world = ?"), t.world); err != nil {
				return err
			}
		}
		return nil
	})
}
