package storage

import "github.com/vneid-sandbox/vneid-sandbox/vneid"

type registerRow struct {
	World     string `gorm:"column:world;primaryKey"`
	CCCD      string `gorm:"column:cccd;primaryKey"`
	Name      string `gorm:"column:name"`
	Birthdate string `gorm:"column:birthdate"`
	Absent    bool   `gorm:"column:absent"`
	Deceased  bool   `gorm:"column:deceased"`
}

func (registerRow) TableName() string { return "register_entries" }

var (
	registerEntries = newTable(&registerRow{})
	registerByCCCD  = registerEntries.by("cccd = ?")
)

func (t *tx) RegisterEntry(c vneid.CCCD) (*vneid.RegisterEntry, error) {
	var r registerRow
	if err := t.take("register entry", registerEntries, registerByCCCD, &r, string(c)); err != nil {
		return nil, err
	}
	return &vneid.RegisterEntry{CCCD: vneid.CCCD(r.CCCD), Name: r.Name, Birthdate: r.Birthdate, Absent: r.Absent, Deceased: r.Deceased}, nil
}

func (t *tx) PutRegisterEntry(e *vneid.RegisterEntry) error {
	return t.put("put register entry", registerEntries, e, &registerRow{World: t.world, CCCD: string(e.CCCD), Name: e.Name,
		Birthdate: e.Birthdate, Absent: e.Absent, Deceased: e.Deceased})
}

type consumerRow struct {
	World     string `gorm:"column:world;primaryKey"`
	KeyHash   string `gorm:"column:key_hash;primaryKey"`
	Name      string `gorm:"column:name"`
	PerMinute int    `gorm:"column:per_minute"`
}

func (consumerRow) TableName() string { return "register_consumers" }

var (
	registerConsumers = newTable(&consumerRow{})
	consumerByKey     = registerConsumers.by("key_hash = ?")
)

func (t *tx) RegisterConsumer(keyHash string) (*vneid.RegisterConsumer, error) {
	var r consumerRow
	if err := t.take("register consumer", registerConsumers, consumerByKey, &r, keyHash); err != nil {
		return nil, err
	}
	return &vneid.RegisterConsumer{KeyHash: r.KeyHash, Name: r.Name, PerMinute: r.PerMinute}, nil
}

func (t *tx) PutRegisterConsumer(c *vneid.RegisterConsumer) error {
	return t.put("put register consumer", registerConsumers, c, &consumerRow{World: t.world, KeyHash: c.KeyHash, Name: c.Name, PerMinute: c.PerMinute})
}
