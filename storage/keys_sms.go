package storage

import (
	"errors"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type throttleRow struct {
	World    string `gorm:"column:world;primaryKey"`
	Name     string `gorm:"column:name;primaryKey"`
	Times    string `gorm:"column:times"`
	LockedMS int64  `gorm:"column:locked_ms"`
	LastMS   int64  `gorm:"column:last_ms"` // the last event, or the end of the lock
}

func (throttleRow) TableName() string { return "throttles" }

var (
	throttles      = newTable(&throttleRow{})
	throttleByName = throttles.by("name = ?")
)

func (t *tx) Throttle(key string) (*vneid.Throttle, error) {
	row, err := find[throttleRow](t, "throttle", throttles, &throttleByName, key)
	if errors.Is(err, vneid.ErrNotFound) {
		return &vneid.Throttle{Key: key}, nil
	}
	if err != nil {
		return nil, err
	}
	var times []int64
	if err := fromJSON(row.Times, &times); err != nil {
		return nil, err
	}
	v := &vneid.Throttle{Key: row.Name, LockedUntil: fromMS(row.LockedMS)}
	for _, n := range times {
		v.Times = append(v.Times, fromMS(n))
	}
	return v, nil
}

func (t *tx) PutThrottle(v *vneid.Throttle) error {
	times, last := make([]int64, len(v.Times)), ms(v.LockedUntil)
	for i, at := range v.Times {
		times[i] = ms(at)
		last = max(last, times[i])
	}
	return t.put("put throttle", throttles, v, &throttleRow{World: t.world, Name: v.Key, Times: toJSON(times),
		LockedMS: ms(v.LockedUntil), LastMS: last})
}

type keyRow struct {
	World     string `gorm:"column:world;primaryKey"`
	KID       string `gorm:"column:kid;primaryKey"`
	Alg       string `gorm:"column:alg"`
	State     string `gorm:"column:state"`
	PKCS8     []byte `gorm:"column:pkcs8"`
	CreatedMS int64  `gorm:"column:created_ms"`
}

func (keyRow) TableName() string { return "signing_keys" }

var (
	signingKeys = newTable(&keyRow{})
	keysByAge   = signingKeys.by("1 = 1 ORDER BY created_ms, kid")
)

// SigningKeys lists all keys of the world, oldest first.
func (t *tx) SigningKeys() (found []vneid.SigningKey, err error) {
	rows, err := list[keyRow](t, "signing keys", signingKeys, keysByAge, t.world)
	for _, r := range rows {
		found = append(found, vneid.SigningKey{KID: r.KID, Alg: r.Alg, State: vneid.KeyState(r.State), PKCS8: r.PKCS8, CreatedAt: fromMS(r.CreatedMS)})
	}
	return found, err
}

func (t *tx) PutSigningKey(k *vneid.SigningKey) error {
	return t.put("put signing key", signingKeys, k, &keyRow{World: t.world, KID: k.KID, Alg: k.Alg, State: string(k.State),
		PKCS8: k.PKCS8, CreatedMS: ms(k.CreatedAt)})
}

type smsRow struct {
	Seq       int64  `gorm:"column:seq;primaryKey;autoIncrement"`
	World     string `gorm:"column:world"`
	ID        string `gorm:"column:id"`
	ToNumber  string `gorm:"column:to_number"`
	Text      string `gorm:"column:text"`
	OTP       string `gorm:"column:otp"`
	Login     string `gorm:"column:login"`
	SentMS    int64  `gorm:"column:sent_ms"`
	VisibleMS int64  `gorm:"column:visible_ms"`
}

func (smsRow) TableName() string { return "sms" }

const messagesVisible = "visible_ms > 0 AND visible_ms <= ? ORDER BY visible_ms DESC, seq DESC LIMIT ?"

var (
	messages      = newTable(&smsRow{})
	messagesTo    = messages.by("to_number = ? AND " + messagesVisible)
	messagesToAll = messages.by("sent_ms >= 0 AND " + messagesVisible) // repeats the condition of PostgreSQL's index
)

func (t *tx) InsertSMS(m *vneid.SMS) error {
	return t.insert("insert sms", messages, m, &smsRow{World: t.world, ID: m.ID, ToNumber: string(m.To), Text: m.Text, OTP: m.OTP,
		Login: m.Login, SentMS: ms(m.SentAt), VisibleMS: ms(m.VisibleAt)})
}

// SMSTo orders by arrival on the phone, then by arrival here. A limit below 1
// finds none.
func (t *tx) SMSTo(to vneid.PhoneNumber, at time.Time, limit int) (found []vneid.SMS, err error) {
	if limit < 1 || !storable(to) {
		return nil, nil
	}
	q, args := messagesToAll, []any{t.world, ms(at), limit}
	if to != "" {
		q, args = messagesTo, []any{t.world, string(to), ms(at), limit}
	}
	rows, err := list[smsRow](t, "sms to", messages, q, args...)
	for _, r := range rows {
		found = append(found, vneid.SMS{ID: r.ID, To: vneid.PhoneNumber(r.ToNumber), Text: r.Text, OTP: r.OTP, Login: r.Login,
			SentAt: fromMS(r.SentMS), VisibleAt: fromMS(r.VisibleMS)})
	}
	return found, err
}
