package storage

import (
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type loginRow struct {
	World         string      `gorm:"column:world;primaryKey"`
	ID            string      `gorm:"column:id;primaryKey"`
	Version       int         `gorm:"column:version"`
	State         string      `gorm:"column:state"`
	Issuer        string      `gorm:"column:issuer"`
	BrowserHash   string      `gorm:"column:browser_hash"`
	Request       string      `gorm:"column:request"`
	ClientID      string      `gorm:"column:client_id"` // of the request, to join with
	CCCD          string      `gorm:"column:cccd"`
	Origin        string      `gorm:"column:origin"`
	OTPChannel    string      `gorm:"column:otp_channel"`
	OTPHash       string      `gorm:"column:otp_hash"`
	OTPSentMS     int64       `gorm:"column:otp_sent_ms"`
	OTPExpiresMS  int64       `gorm:"column:otp_expires_ms"`
	OTPTries      int         `gorm:"column:otp_tries"`
	QRShort       string      `gorm:"column:qr_short"`
	QR            string      `gorm:"column:qr"`
	Auth          authColumns `gorm:"embedded"`
	SessionID     string      `gorm:"column:session_id"`
	Refusal       string      `gorm:"column:refusal"`
	CodeHash      string      `gorm:"column:code_hash"`
	CodeExpiresMS int64       `gorm:"column:code_expires_ms"`
	CreatedMS     int64       `gorm:"column:created_ms"`
	ExpiresMS     int64       `gorm:"column:expires_ms"`
	EndMS         int64       `gorm:"column:end_ms"` // see endOf and collectLogins
}

func (loginRow) TableName() string { return "logins" }

// loginByCode repeats the condition of the partial index, or SQLite would not use
// it.
var (
	logins      = newTable(&loginRow{})
	loginByID   = logins.by("id = ?")
	loginByCode = logins.by("code_hash = ? AND code_hash <> ''")

	loginByShort = logins.by("qr_short = ? AND qr_short <> '' ORDER BY created_ms DESC LIMIT 1")
)

// qrColumn is the JSON of a vneid.QR, but for what is searched.
type qrColumn struct {
	State       vneid.QRState `json:"s,omitempty"`
	Generation  int           `json:"g,omitempty"`
	BrowserHash string        `json:"b,omitempty"`
	ExpiresMS   int64         `json:"e,omitempty"`
	DeviceID    string        `json:"d,omitempty"`
	CCCD        vneid.CCCD    `json:"c,omitempty"`
	ScannedMS   int64         `json:"t,omitempty"`
	Match       int           `json:"m,omitempty"`
}

func qrJSON(q *vneid.QR) string {
	return toJSON(qrColumn{q.State, q.Generation, q.BrowserHash, ms(q.ExpiresAt), q.DeviceID, q.CCCD, ms(q.ScannedAt), q.Match})
}

func qrValue(short, column string) (vneid.QR, error) {
	c, err := qrColumns.parse(column)
	return vneid.QR{State: c.State, Generation: c.Generation, ShortHash: short, BrowserHash: c.BrowserHash, ExpiresAt: fromMS(c.ExpiresMS),
		DeviceID: c.DeviceID, CCCD: c.CCCD, ScannedAt: fromMS(c.ScannedMS), Match: c.Match}, err
}

func newLoginRow(world string, l *vneid.Login) *loginRow {
	return &loginRow{
		World: world, ID: l.ID, Version: l.Version, State: string(l.State), Issuer: l.Issuer, BrowserHash: l.BrowserHash,
		Request: toJSON(l.Request), ClientID: l.Request.ClientID, CCCD: string(l.CCCD),
		Origin: toJSON(l.Origin), QRShort: l.QR.ShortHash, QR: qrJSON(&l.QR),
		OTPChannel: l.OTP.Channel, OTPHash: l.OTP.Hash, OTPSentMS: ms(l.OTP.SentAt), OTPExpiresMS: ms(l.OTP.ExpiresAt), OTPTries: l.OTP.Tries,
		Auth: authRow(l.Auth), SessionID: l.SessionID, Refusal: l.Refusal, CodeHash: l.CodeHash, CodeExpiresMS: ms(l.CodeExpires),
		CreatedMS: ms(l.CreatedAt), ExpiresMS: ms(l.ExpiresAt), EndMS: endOf(l),
	}
}

// endOf is from when a login is kept for keptFor. One in which nobody proved
// anything leaves sooner: anybody can begin them, as fast as they can ask.
func endOf(l *vneid.Login) int64 {
	if l.CCCD == "" {
		return ms(l.ExpiresAt.Add(nobodyKeptFor - keptFor))
	}
	return max(ms(l.ExpiresAt), ms(l.CodeExpires))
}

func (t *tx) login(what string, by query, key string) (*vneid.Login, error) {
	var r loginRow
	if err := t.take(what, logins, by, &r, key); err != nil {
		return nil, err
	}
	t.keep(logins, &r)
	return r.value()
}

func (r *loginRow) value() (*vneid.Login, error) {
	l := &vneid.Login{
		ID: r.ID, Version: r.Version, State: vneid.LoginState(r.State), Issuer: r.Issuer, BrowserHash: r.BrowserHash,
		CCCD: vneid.CCCD(r.CCCD),
		OTP: vneid.OTP{Channel: r.OTPChannel, Hash: r.OTPHash, SentAt: fromMS(r.OTPSentMS), ExpiresAt: fromMS(r.OTPExpiresMS),
			Tries: r.OTPTries},
		SessionID: r.SessionID, Refusal: r.Refusal, CodeHash: r.CodeHash, CodeExpires: fromMS(r.CodeExpiresMS),
		CreatedAt: fromMS(r.CreatedMS), ExpiresAt: fromMS(r.ExpiresMS),
	}
	var err error
	if l.Auth, err = r.Auth.value(); err != nil {
		return nil, err
	}
	if l.QR, err = qrValue(r.QRShort, r.QR); err != nil {
		return nil, err
	}
	if l.Origin, err = origins.parse(r.Origin); err != nil {
		return nil, err
	}
	l.Request, err = authRequests.parse(r.Request)
	return l, err
}

func (t *tx) Login(id string) (*vneid.Login, error) {
	r, err := find[loginRow](t, "login", logins, &loginByID, id)
	if err != nil {
		return nil, err
	}
	return r.value()
}

func (t *tx) LoginByCode(codeHash string) (*vneid.Login, error) {
	return t.login("login by code", loginByCode, codeHash)
}

// LoginByQRShort takes the newest: forty bits may meet again, in a million
// logins or so.
func (t *tx) LoginByQRShort(shortHash string) (*vneid.Login, error) {
	return t.login("login by short code", loginByShort, shortHash)
}

func (t *tx) LoginsOf(c vneid.CCCD, since time.Time, limit int) ([]vneid.Login, error) {
	if limit < 1 || c == "" || !storable(string(c)) {
		return nil, nil
	}
	var rows []loginRow
	err := t.read("logins of a person", func() error {
		return t.orm().Where("world = ? AND cccd = ? AND cccd <> '' AND created_ms >= ?", t.world, string(c), ms(since)).
			Order("created_ms DESC").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	list := make([]vneid.Login, 0, len(rows))
	for i := range rows {
		l, err := rows[i].value()
		if err != nil {
			return nil, err
		}
		list = append(list, *l)
	}
	return list, nil
}

// LoginVersions asks in runs of one length and a rest, so that few statements
// have to be prepared.
func (t *tx) LoginVersions(ids []string) (map[string]int, error) {
	found := make(map[string]int, len(ids))
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !storable(id) })
	err := t.read("versions of logins", func() error {
		for some := range slices.Chunk(ids, 250) {
			var rows []struct {
				ID      string
				Version int
			}
			err := t.orm().Table("logins").Select("id", "version").Where("world = ? AND id IN ?", t.world, some).Find(&rows).Error
			if err != nil {
				return err
			}
			for _, r := range rows {
				found[r.ID] = r.Version
			}
		}
		return nil
	})
	return found, err
}

func (t *tx) InsertLogin(l *vneid.Login) error {
	return t.insert("insert login", logins, l, newLoginRow(t.world, l))
}

func (t *tx) SaveLogin(l *vneid.Login) error {
	row := newLoginRow(t.world, l)
	row.Version++
	return t.save("save login", logins, l, row, l.ID, &l.Version)
}

type sessionRow struct {
	World       string      `gorm:"column:world;primaryKey"`
	ID          string      `gorm:"column:id;primaryKey"`
	SecretHash  string      `gorm:"column:secret_hash"`
	BrowserHash string      `gorm:"column:browser_hash"`
	Version     int         `gorm:"column:version"`
	CCCD        string      `gorm:"column:cccd"`
	Auth        authColumns `gorm:"embedded"`
	CreatedMS   int64       `gorm:"column:created_ms"`
	ExpiresMS   int64       `gorm:"column:expires_ms"`
	EndedMS     int64       `gorm:"column:ended_ms"`
}

func (sessionRow) TableName() string { return "sessions" }

var (
	sessions        = newTable(&sessionRow{})
	sessionByID     = sessions.by("id = ?")
	sessionBySecret = sessions.by("secret_hash = ? AND secret_hash <> ''")
)

func newSessionRow(world string, s *vneid.Session) *sessionRow {
	return &sessionRow{World: world, ID: s.ID, SecretHash: s.SecretHash, BrowserHash: s.BrowserHash, Version: s.Version, CCCD: string(s.CCCD),
		Auth: authRow(s.Auth), CreatedMS: ms(s.CreatedAt), ExpiresMS: ms(s.ExpiresAt), EndedMS: ms(s.EndedAt)}
}

func (r *sessionRow) value() (*vneid.Session, error) {
	auth, err := r.Auth.value()
	return &vneid.Session{ID: r.ID, SecretHash: r.SecretHash, BrowserHash: r.BrowserHash, Version: r.Version, CCCD: vneid.CCCD(r.CCCD), Auth: auth,
		CreatedAt: fromMS(r.CreatedMS), ExpiresAt: fromMS(r.ExpiresMS), EndedAt: fromMS(r.EndedMS)}, err
}

func (t *tx) session(what string, by query, key string) (*vneid.Session, error) {
	var r sessionRow
	if err := t.take(what, sessions, by, &r, key); err != nil {
		return nil, err
	}
	t.keep(sessions, &r)
	return r.value()
}

// sessionsOfBrowser repeats the condition of the partial index. SQLite would
// rather read all sessions of the world by their key: it takes a world to have
// ten rows, as long as nobody has analysed the table.
var sessionsOfBrowser = query{
	dialectSQLite:   "SELECT " + sessions.list + " FROM sessions INDEXED BY sessions_by_browser" + ofBrowser,
	dialectPostgres: newQuery("SELECT " + sessions.list + " FROM sessions" + ofBrowser)[dialectPostgres],
}

const ofBrowser = " WHERE world = ? AND browser_hash = ? AND browser_hash <> '' AND ended_ms = 0"

func (t *tx) SessionsOfBrowser(browserHash string) (open []vneid.Session, err error) {
	if !storable(t.world, []any{browserHash}) {
		return nil, nil
	}
	rows, err := list[sessionRow](t, "sessions of browser", sessions, sessionsOfBrowser, t.world, browserHash)
	for i := range rows {
		s, err := rows[i].value()
		if err != nil {
			return nil, err
		}
		open = append(open, *s)
	}
	return open, err
}

// Sessions may read every session of the world: it is for testers, and they
// look at small worlds.
func (t *tx) Sessions(c vneid.CCCD, limit int) (list []vneid.Session, err error) {
	if limit < 1 || !storable(string(c)) {
		return nil, nil
	}
	var rows []sessionRow
	err = t.read("sessions", func() error {
		q := t.orm().Where("world = ? AND ended_ms = 0", t.world)
		if c != "" {
			q = q.Where("cccd = ?", string(c))
		}
		return q.Order("created_ms DESC, id").Limit(limit).Find(&rows).Error
	})
	for i := range rows {
		s, err := rows[i].value()
		if err != nil {
			return nil, err
		}
		list = append(list, *s)
	}
	return list, err
}

func (t *tx) Session(secretHash string) (*vneid.Session, error) {
	return t.session("session", sessionBySecret, secretHash)
}

func (t *tx) SessionByID(sid string) (*vneid.Session, error) {
	r, err := find[sessionRow](t, "session by id", sessions, &sessionByID, sid)
	if err != nil {
		return nil, err
	}
	return r.value()
}

func (t *tx) InsertSession(s *vneid.Session) error {
	return t.insert("insert session", sessions, s, newSessionRow(t.world, s))
}

func (t *tx) SaveSession(s *vneid.Session) error {
	row := newSessionRow(t.world, s)
	row.Version++
	return t.save("save session", sessions, s, row, s.ID, &s.Version)
}
