package storage

import (
	"crypto/ed25519"
	"errors"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// deviceRow is found by its person, who has one device, or by its id.
type deviceRow struct {
	World        string `gorm:"column:world;primaryKey"`
	CCCD         string `gorm:"column:cccd;primaryKey"`
	ID           string `gorm:"column:id"`
	PublicKey    []byte `gorm:"column:public_key"`
	PasscodeHash string `gorm:"column:passcode_hash"`
	Name         string `gorm:"column:name"`
	ActivatedMS  int64  `gorm:"column:activated_ms"`
	SessionHash  string `gorm:"column:session_hash"`
	SessionMS    int64  `gorm:"column:session_expires_ms"`
	UnlockedMS   int64  `gorm:"column:unlocked_ms"`
	Calls        string `gorm:"column:calls"`
}

func (deviceRow) TableName() string { return "devices" }

var (
	devices      = newTable(&deviceRow{})
	deviceByID   = devices.by("id = ?")
	deviceByCCCD = devices.by("cccd = ?")
	devicesAfter = devices.by("cccd > ? ORDER BY cccd LIMIT ?")
)

func (t *tx) device(what string, by query, key string) (*vneid.Device, error) {
	var r deviceRow
	if err := t.take(what, devices, by, &r, key); err != nil {
		return nil, err
	}
	return r.value()
}

func (r *deviceRow) value() (*vneid.Device, error) {
	d := &vneid.Device{CCCD: vneid.CCCD(r.CCCD), ID: r.ID, PublicKey: ed25519.PublicKey(r.PublicKey), PasscodeHash: r.PasscodeHash,
		Name: r.Name, ActivatedAt: fromMS(r.ActivatedMS), SessionHash: r.SessionHash, SessionExpires: fromMS(r.SessionMS), UnlockedAt: fromMS(r.UnlockedMS)}
	return d, fromJSON(r.Calls, &d.Calls)
}

func (t *tx) Device(id string) (*vneid.Device, error) { return t.device("device", deviceByID, id) }

func (t *tx) DeviceOf(c vneid.CCCD) (*vneid.Device, error) {
	return t.device("device of a person", deviceByCCCD, string(c))
}

func (t *tx) Devices(after vneid.CCCD, limit int) ([]vneid.Device, error) {
	if limit < 1 || !storable(string(after)) {
		return nil, nil
	}
	rows, err := list[deviceRow](t, "devices", devices, devicesAfter, t.world, string(after), limit)
	if err != nil {
		return nil, err
	}
	found := make([]vneid.Device, len(rows))
	for i := range rows {
		d, err := rows[i].value()
		if err != nil {
			return nil, err
		}
		found[i] = *d
	}
	return found, nil
}

func (t *tx) PutDevice(d *vneid.Device) error {
	return t.put("put device", devices, d, &deviceRow{World: t.world, CCCD: string(d.CCCD), ID: d.ID, PublicKey: d.PublicKey,
		PasscodeHash: d.PasscodeHash, Name: d.Name, ActivatedMS: ms(d.ActivatedAt), SessionHash: d.SessionHash,
		SessionMS: ms(d.SessionExpires), UnlockedMS: ms(d.UnlockedAt), Calls: toJSON(d.Calls)})
}

type activationRow struct {
	World        string `gorm:"column:world;primaryKey"`
	ID           string `gorm:"column:id;primaryKey"`
	CCCD         string `gorm:"column:cccd"`
	PublicKey    []byte `gorm:"column:public_key"`
	Name         string `gorm:"column:name"`
	OTPChannel   string `gorm:"column:otp_channel"`
	OTPHash      string `gorm:"column:otp_hash"`
	OTPSentMS    int64  `gorm:"column:otp_sent_ms"`
	OTPExpiresMS int64  `gorm:"column:otp_expires_ms"`
	OTPTries     int    `gorm:"column:otp_tries"`
	Proved       bool   `gorm:"column:proved"`
	ExpiresMS    int64  `gorm:"column:expires_ms"`
}

func (activationRow) TableName() string { return "activations" }

var (
	activations    = newTable(&activationRow{})
	activationByID = activations.by("id = ?")
)

func (t *tx) Activation(id string) (*vneid.Activation, error) {
	var r activationRow
	if err := t.take("activation", activations, activationByID, &r, id); err != nil {
		return nil, err
	}
	return &vneid.Activation{ID: r.ID, CCCD: vneid.CCCD(r.CCCD), PublicKey: ed25519.PublicKey(r.PublicKey), Name: r.Name,
		OTP: vneid.OTP{Channel: r.OTPChannel, Hash: r.OTPHash, SentAt: fromMS(r.OTPSentMS), ExpiresAt: fromMS(r.OTPExpiresMS),
			Tries: r.OTPTries},
		Proved: r.Proved, ExpiresAt: fromMS(r.ExpiresMS)}, nil
}

func (t *tx) PutActivation(a *vneid.Activation) error {
	return t.put("put activation", activations, a, &activationRow{World: t.world, ID: a.ID, CCCD: string(a.CCCD), PublicKey: a.PublicKey,
		Name: a.Name, OTPChannel: a.OTP.Channel, OTPHash: a.OTP.Hash, OTPSentMS: ms(a.OTP.SentAt), OTPExpiresMS: ms(a.OTP.ExpiresAt),
		OTPTries: a.OTP.Tries, Proved: a.Proved, ExpiresMS: ms(a.ExpiresAt)})
}

var deleteActivation = newQuery("DELETE FROM activations WHERE world = ? AND id = ?")

// DeleteActivation answers ErrNotFound when there is nothing: of two that
// delete at once, one learns that it was late.
func (t *tx) DeleteActivation(id string) error {
	return t.write("delete activation", func() error {
		if !storable(id) {
			return vneid.ErrNotFound
		}
		n, err := t.exec(deleteActivation, t.world, id)
		if err == nil && n == 0 {
			return vneid.ErrNotFound
		}
		return err
	})
}

type handsetRow struct {
	World    string `gorm:"column:world;primaryKey"`
	ID       string `gorm:"column:id;primaryKey"`
	CCCD     string `gorm:"column:cccd"`
	DeviceID string `gorm:"column:device_id"`
	Data     []byte `gorm:"column:data"`
	SeenMS   int64  `gorm:"column:seen_ms"`
}

func (handsetRow) TableName() string { return "handsets" }

var (
	handsets        = newTable(&handsetRow{})
	handsetByID     = handsets.by("id = ?")
	handsetByDevice = handsets.by("device_id = ? AND device_id <> ''")
)

func (t *tx) handset(what string, by query, key string) (*vneid.Handset, error) {
	var r handsetRow
	if err := t.take(what, handsets, by, &r, key); err != nil {
		return nil, err
	}
	return &vneid.Handset{ID: r.ID, CCCD: vneid.CCCD(r.CCCD), DeviceID: r.DeviceID, Data: r.Data, SeenAt: fromMS(r.SeenMS)}, nil
}

func (t *tx) Handset(id string) (*vneid.Handset, error) { return t.handset("handset", handsetByID, id) }

func (t *tx) HandsetOf(deviceID string) (*vneid.Handset, error) {
	return t.handset("handset of a device", handsetByDevice, deviceID)
}

func (t *tx) PutHandset(h *vneid.Handset) error {
	if h.ID == "" {
		return errors.New("storage: put handset: it has no id")
	}
	return t.put("put handset", handsets, h, &handsetRow{World: t.world, ID: h.ID, CCCD: string(h.CCCD), DeviceID: h.DeviceID, Data: h.Data, SeenMS: ms(h.SeenAt)})
}
