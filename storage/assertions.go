package storage

import "time"

type assertionRow struct {
	World     string `gorm:"column:world;primaryKey"`
	Hash      string `gorm:"column:hash;primaryKey"`
	ExpiresMS int64  `gorm:"column:expires_ms"`
}

func (assertionRow) TableName() string { return "assertions" }

var assertions = newTable(&assertionRow{})

func (t *tx) InsertAssertion(hash string, until time.Time) error {
	return t.insert("insert assertion", assertions, hash, &assertionRow{World: t.world, Hash: hash, ExpiresMS: ms(until)})
}
