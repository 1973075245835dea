package storage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type logoutRow struct {
	World     string `gorm:"column:world;primaryKey"`
	ClientID  string `gorm:"column:client_id;primaryKey"`
	SessionID string `gorm:"column:session_id;primaryKey"`
	Subject   string `gorm:"column:subject"`
	Issuer    string `gorm:"column:issuer"`
	CreatedMS int64  `gorm:"column:created_ms"`
	DueMS     int64  `gorm:"column:due_ms"`
	Tries     int    `gorm:"column:tries"`
}

func (logoutRow) TableName() string { return "logout_notices" }

var (
	logouts          = newTable(&logoutRow{})
	clientsOfSession = newQuery("SELECT tokens.client_id, tokens.subject, COALESCE(logins.issuer, '') FROM tokens " +
		"LEFT JOIN logins ON logins.world = tokens.world AND logins.id = tokens.grant_id WHERE tokens.world = ? AND tokens.session_id = ?")
	deleteLogout = newQuery("DELETE FROM logout_notices WHERE world = ? AND client_id = ? AND session_id = ?")
)

func (t *tx) ClientsOfSession(sid string) (list []vneid.SessionClient, err error) {
	if sid == "" || !storable(sid) {
		return nil, nil // tokens without a session are nobody's in common
	}
	err = t.read("clients of session", func() error {
		list = nil
		return t.conn.each(t.ctx, clientsOfSession[t.db.dialect()], []any{t.world, sid}, func() []any {
			list = append(list, vneid.SessionClient{})
			c := &list[len(list)-1]
			return []any{&c.ClientID, &c.Subject, &c.Issuer}
		})
	})
	slices.SortFunc(list, func(a, b vneid.SessionClient) int {
		return cmp.Or(strings.Compare(a.ClientID, b.ClientID), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Issuer, b.Issuer))
	})
	return slices.Compact(list), err
}

func (t *tx) LogoutNotices(limit int) (list []vneid.LogoutNotice, err error) {
	if limit < 1 {
		return nil, nil
	}
	var rows []logoutRow
	err = t.read("logout notices", func() error {
		return t.orm().Where("world = ?", t.world).Order("due_ms").Limit(limit).Find(&rows).Error
	})
	for _, r := range rows {
		list = append(list, vneid.LogoutNotice{ClientID: r.ClientID, SessionID: r.SessionID, Subject: r.Subject, Issuer: r.Issuer,
			CreatedAt: fromMS(r.CreatedMS), DueAt: fromMS(r.DueMS), Tries: r.Tries})
	}
	return list, err
}

func (t *tx) PutLogoutNotice(n *vneid.LogoutNotice) error {
	return t.put("put logout notice", logouts, n, &logoutRow{World: t.world, ClientID: n.ClientID, SessionID: n.SessionID,
		Subject: n.Subject, Issuer: n.Issuer, CreatedMS: ms(n.CreatedAt), DueMS: ms(n.DueAt), Tries: n.Tries})
}

func (t *tx) DeleteLogoutNotice(clientID, sid string) error {
	return t.write("delete logout notice", func() error {
		if !storable(clientID, sid) {
			return nil
		}
		_, err := t.exec(deleteLogout, t.world, clientID, sid)
		return err
	})
}
