package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// tx is one transaction in one world. Who began it, and who will commit it,
// is none of its business.
type tx struct {
	ctx      context.Context
	world    string
	writable bool

	mu       sync.Mutex // fn may have started goroutines
	db       *gorm.DB   // bound to the transaction
	over     bool       // fn has returned
	failed   error      // see do
	versions []versionStep
}

var _ vneid.Tx = (*tx)(nil)

func newTx(ctx context.Context, stmts *gorm.DB, conn gorm.ConnPool, world string, writable bool) *tx {
	db := stmts.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = conn
	return &tx{ctx: ctx, db: db, world: world, writable: writable}
}

// run lets fn work and says whether the transaction may be committed.
func (t *tx) run(fn func(vneid.Tx) error) error {
	defer func() {
		t.mu.Lock()
		t.over = true
		t.mu.Unlock()
	}()
	err := fn(t)

	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil || errors.Is(t.failed, errConflict) {
		return t.failed
	}
	return err
}

func (t *tx) read(what string, f func(db *gorm.DB) error) error { return t.do(what, f) }

func (t *tx) write(what string, f func(db *gorm.DB) error) error {
	if !t.writable {
		return fmt.Errorf("storage: %s: View only reads", what)
	}
	return t.do(what, f)
}

// do runs the statements of one method. After an error that is more than an
// answer the transaction is spent, even when fn goes on: SQLite has rolled
// back by itself for some of them (a full disk, an interrupt), and whatever
// followed would be written outside the transaction.
func (t *tx) do(what string, f func(db *gorm.DB) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return fmt.Errorf("storage: %s: the transaction is over", what)
	}
	if t.failed != nil {
		return t.failed
	}
	err := describe(t.ctx, what, f(t.db))
	if err != nil && !errors.Is(err, vneid.ErrNotFound) && !errors.Is(err, vneid.ErrExists) && !vneid.IsCode(err, vneid.CodeInvalid) {
		t.failed = err
	}
	return err
}

// take reads the one row that matches.
func (t *tx) take(what string, row any, where string, args ...any) error {
	return t.read(what, func(db *gorm.DB) error {
		return db.Where("world = ? AND "+where, append([]any{t.world}, args...)...).Take(row).Error
	})
}

// insert adds rows made from value, a vneid value or a slice of them.
func (t *tx) insert(what string, value, row any) error {
	return t.write(what, func(db *gorm.DB) error {
		if err := checkText(value); err != nil {
			return err
		}
		return db.Create(row).Error
	})
}

// put inserts or replaces the row made from value.
func (t *tx) put(what string, value, row any) error {
	return t.write(what, func(db *gorm.DB) error {
		if err := checkText(value); err != nil {
			return err
		}
		return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(row).Error
	})
}

// save writes a row whose stored version is still *version, and lets both
// grow. row carries the new version.
func (t *tx) save(what string, value, row any, id string, version *int) error {
	return t.write(what, func(db *gorm.DB) error {
		if err := checkText(value); err != nil {
			return err
		}
		res := db.Model(row).Where("version = ?", *version).Select("*").Omit("world", "id").Updates(row)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 1 {
			t.versions = append(t.versions, versionStep{version, *version})
			*version++
			return nil
		}
		var stored int
		err := db.Model(row).Select("version").Where("world = ? AND id = ?", t.world, id).Take(&stored).Error
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: version %d is stored, %d was read", errConflict, stored, *version)
	})
}

// versionStep remembers the Version of a value that save let grow.
type versionStep struct {
	version *int
	was     int
}

// undoVersions takes back what save did to values that were never committed,
// so that fn can save them again in its next run.
func (t *tx) undoVersions() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.versions) - 1; i >= 0; i-- {
		*t.versions[i].version = t.versions[i].was
	}
	t.versions = nil
}

type worldRow struct {
	World         string `gorm:"column:world;primaryKey"`
	Salt          []byte `gorm:"column:salt"`
	ClockOffsetMS int64  `gorm:"column:clock_offset_ms"`
	SeedVersion   string `gorm:"column:seed_version"`
}

func (worldRow) TableName() string { return "worlds" }

func (t *tx) worlds() (list []vneid.WorldRecord, err error) {
	var rows []worldRow
	err = t.read("worlds", func(db *gorm.DB) error { return db.Order("world").Find(&rows).Error })
	for _, r := range rows {
		list = append(list, vneid.WorldRecord{ID: r.World, Salt: r.Salt, ClockOffsetMS: r.ClockOffsetMS, SeedVersion: r.SeedVersion})
	}
	return list, err
}

func (t *tx) putWorld(w vneid.WorldRecord) error {
	return t.put("put world", w, &worldRow{World: w.ID, Salt: w.Salt, ClockOffsetMS: w.ClockOffsetMS, SeedVersion: w.SeedVersion})
}

// clearedTables are all that a reset empties: every table with rows of a
// world but its record and its signing keys.
var clearedTables = []string{"accounts", "account_terms", "clients", "logins", "sessions", "consents", "tokens", "throttles", "sms"}

func (t *tx) clear() error {
	return t.write("clear world", func(db *gorm.DB) error {
		for _, table := range clearedTables {
			if err := db.Exec("DELETE FROM "+table+" WHERE world = ?", t.world).Error; err != nil {
				return err
			}
		}
		return nil
	})
}
