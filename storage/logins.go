package storage

import "github.com/vneid-sandbox/vneid-sandbox/vneid"

type loginRow struct {
	World         string      `gorm:"column:world;primaryKey"`
	ID            string      `gorm:"column:id;primaryKey"`
	Version       int         `gorm:"column:version"`
	State         string      `gorm:"column:state"`
	Issuer        string      `gorm:"column:issuer"`
	BrowserHash   string      `gorm:"column:browser_hash"`
	Request       string      `gorm:"column:request"`
	CCCD          string      `gorm:"column:cccd"`
	OTPHash       string      `gorm:"column:otp_hash"`
	OTPSentMS     int64       `gorm:"column:otp_sent_ms"`
	OTPExpiresMS  int64       `gorm:"column:otp_expires_ms"`
	OTPTries      int         `gorm:"column:otp_tries"`
	Auth          authColumns `gorm:"embedded"`
	SessionID     string      `gorm:"column:session_id"`
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
)

func newLoginRow(world string, l *vneid.Login) *loginRow {
	return &loginRow{
		World: world, ID: l.ID, Version: l.Version, State: string(l.State), Issuer: l.Issuer, BrowserHash: l.BrowserHash,
		Request: toJSON(l.Request), CCCD: string(l.CCCD),
		OTPHash: l.OTP.Hash, OTPSentMS: ms(l.OTP.SentAt), OTPExpiresMS: ms(l.OTP.ExpiresAt), OTPTries: l.OTP.Tries,
		Auth: authRow(l.Auth), SessionID: l.SessionID, CodeHash: l.CodeHash, CodeExpiresMS: ms(l.CodeExpires),
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
	l := &vneid.Login{
		ID: r.ID, Version: r.Version, State: vneid.LoginState(r.State), Issuer: r.Issuer, BrowserHash: r.BrowserHash,
		CCCD:      vneid.CCCD(r.CCCD),
		OTP:       vneid.OTP{Hash: r.OTPHash, SentAt: fromMS(r.OTPSentMS), ExpiresAt: fromMS(r.OTPExpiresMS), Tries: r.OTPTries},
		SessionID: r.SessionID, CodeHash: r.CodeHash, CodeExpires: fromMS(r.CodeExpiresMS),
		CreatedAt: fromMS(r.CreatedMS), ExpiresAt: fromMS(r.ExpiresMS),
	}
	var err error
	if l.Auth, err = r.Auth.value(); err != nil {
		return nil, err
	}
	return l, fromJSON(r.Request, &l.Request)
}

func (t *tx) Login(id string) (*vneid.Login, error) { return t.login("login", loginByID, id) }

func (t *tx) LoginByCode(codeHash string) (*vneid.Login, error) {
	return t.login("login by code", loginByCode, codeHash)
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
	return r.value()
}

// sessionsOfBrowser repeats the condition of the partial index. SQLite would
// rather read all sessions of the world by their key: it takes a world to have
// ten rows, as long as nobody has analysed the table.
var sessionsOfBrowser = query{
	dialectSQLite:   "SELECT " + sessions.list + " FROM sessions INDEXED BY sessions_by_browser" + ofBrowser,
	dialectPostgres: "SELECT " + sessions.list + " FROM sessions" + ofBrowser,
}

const ofBrowser = " WHERE world = ? AND browser_hash = ? AND browser_hash <> '' AND ended_ms = 0"

func (t *tx) SessionsOfBrowser(browserHash string) (list []vneid.Session, err error) {
	var rows []sessionRow
	err = t.read("sessions of browser", func() error {
		if !storable(t.world, []any{browserHash}) {
			return nil
		}
		return t.orm().Raw(sessionsOfBrowser[t.db.dialect()], t.world, browserHash).Scan(&rows).Error
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
	return t.session("session by id", sessionByID, sid)
}

func (t *tx) InsertSession(s *vneid.Session) error {
	return t.insert("insert session", sessions, s, newSessionRow(t.world, s))
}

func (t *tx) SaveSession(s *vneid.Session) error {
	row := newSessionRow(t.world, s)
	row.Version++
	return t.save("save session", sessions, s, row, s.ID, &s.Version)
}
