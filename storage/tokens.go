package storage

import (
	"errors"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type tokenRow struct {
	World     string      `gorm:"column:world;primaryKey"`
	Hash      string      `gorm:"column:hash;primaryKey"`
	Kind      string      `gorm:"column:kind"`
	GrantID   string      `gorm:"column:grant_id"`
	ClientID  string      `gorm:"column:client_id"`
	CCCD      string      `gorm:"column:cccd"`
	Subject   string      `gorm:"column:subject"`
	Scopes    string      `gorm:"column:scopes"`
	SessionID string      `gorm:"column:session_id"`
	Auth      authColumns `gorm:"embedded"`
	Nonce     string      `gorm:"column:nonce"`
	Claims    string      `gorm:"column:claims"` // JSON, "" = none
	Userinfo  string      `gorm:"column:userinfo_alg"`
	IssuedMS  int64       `gorm:"column:issued_ms"`
	ExpiresMS int64       `gorm:"column:expires_ms"`
	UsedMS    int64       `gorm:"column:used_ms"`
	RevokedMS int64       `gorm:"column:revoked_ms"`
}

func (tokenRow) TableName() string { return "tokens" }

var (
	tokens      = newTable(&tokenRow{})
	tokenByHash = tokens.by("hash = ?")
)

// InsertTokens inserts all or, when a hash is taken, none.
func (t *tx) InsertTokens(list ...*vneid.Token) error {
	for i, k := range list {
		row := &tokenRow{World: t.world, Hash: k.Hash, Kind: string(k.Kind), GrantID: k.GrantID, ClientID: k.ClientID,
			CCCD: string(k.CCCD), Subject: k.Subject, Scopes: toJSON(k.Scopes), SessionID: k.SessionID, Auth: authRow(k.Auth),
			Nonce: k.Nonce, Claims: claimsJSON(k.Claims), Userinfo: k.Userinfo, IssuedMS: ms(k.IssuedAt), ExpiresMS: ms(k.ExpiresAt), UsedMS: ms(k.UsedAt), RevokedMS: ms(k.RevokedAt)}
		if err := t.insert("insert token", tokens, k, row); err != nil {
			if errors.Is(err, errTaken) || vneid.IsCode(err, vneid.CodeInvalid) {
				err = errors.Join(err, t.removeTokens(list[:i]))
			}
			return err
		}
	}
	return nil
}

func (t *tx) removeTokens(list []*vneid.Token) error {
	return t.write("take inserted tokens back", func() error {
		for _, k := range list {
			if err := t.orm().Where("world = ? AND hash = ?", t.world, k.Hash).Delete(&tokenRow{}).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) Token(hash string) (*vneid.Token, error) {
	r, err := find[tokenRow](t, "token", tokens, &tokenByHash, hash)
	if err != nil {
		return nil, err
	}
	return r.value()
}

func (r *tokenRow) value() (*vneid.Token, error) {
	k := &vneid.Token{Hash: r.Hash, Kind: vneid.TokenKind(r.Kind), GrantID: r.GrantID, ClientID: r.ClientID,
		CCCD: vneid.CCCD(r.CCCD), Subject: r.Subject, SessionID: r.SessionID, Nonce: r.Nonce, Userinfo: r.Userinfo,
		IssuedAt: fromMS(r.IssuedMS), ExpiresAt: fromMS(r.ExpiresMS), UsedAt: fromMS(r.UsedMS), RevokedAt: fromMS(r.RevokedMS)}
	var err error
	if k.Auth, err = r.Auth.value(); err != nil {
		return nil, err
	}
	if r.Claims != "" {
		if err := fromJSON(r.Claims, &k.Claims); err != nil {
			return nil, err
		}
	}
	k.Scopes, err = listFromJSON(r.Scopes)
	return k, err
}

func claimsJSON(c *vneid.ClaimsRequest) string {
	if c == nil {
		return ""
	}
	return toJSON(c)
}

// mark sets a time column of tokens where it and revoked_ms are still 0, and
// returns how many it marked. The time 0 would not mark anything.
func (t *tx) mark(what string, q query, at time.Time, keys ...any) (marked int64, err error) {
	err = t.write(what, func() (err error) {
		if ms(at) == 0 {
			return errors.New("needs a time")
		}
		if !storable(t.world, keys) {
			return nil
		}
		t.forget(tokens)
		marked, err = t.exec(q, append([]any{ms(at), t.world}, keys...)...)
		return err
	})
	return marked, err
}

var (
	useToken            = newQuery("UPDATE tokens SET used_ms = ? WHERE world = ? AND hash = ? AND revoked_ms = 0 AND used_ms = 0")
	revokeToken         = newQuery("UPDATE tokens SET revoked_ms = ? WHERE world = ? AND hash = ? AND revoked_ms = 0")
	revokeGrant         = newQuery("UPDATE tokens SET revoked_ms = ? WHERE world = ? AND grant_id = ? AND revoked_ms = 0")
	revokeSessionTokens = newQuery("UPDATE tokens SET revoked_ms = ? WHERE world = ? AND session_id = ? AND kind = ? AND revoked_ms = 0")
)

// UseToken is one statement, so that of many callers exactly one finds the
// token unused. Where this transaction has seen it unused, the statement may be
// put off: whoever changes the token meanwhile makes it a conflict.
func (t *tx) UseToken(hash string, at time.Time) (bool, error) {
	put := false
	err := t.write("use token", func() error {
		r, _ := t.recall(tokens, hash).(*tokenRow)
		if r != nil && r.UsedMS == 0 && r.RevokedMS == 0 && ms(at) != 0 {
			if put = t.conn.later(useToken[t.db.dialect()], []any{ms(at), t.world, hash}); put {
				t.forget(tokens)
			}
		}
		return nil
	})
	if put || err != nil {
		return put, err
	}
	n, err := t.mark("use token", useToken, at, hash)
	return n == 1, err
}

// RevokeToken keeps the time of the first revocation; an unknown token is as
// good as revoked (RFC 7009 §2.2).
func (t *tx) RevokeToken(hash string, at time.Time) error {
	_, err := t.mark("revoke token", revokeToken, at, hash)
	return err
}

func (t *tx) RevokeGrant(grantID string, at time.Time) error {
	_, err := t.mark("revoke grant", revokeGrant, at, grantID)
	return err
}

// A removal is rare and may read every token of the world; an index by person
// would cost each token that is issued.
var (
	revokeTokensOfPerson = newQuery("UPDATE tokens SET revoked_ms = ? WHERE world = ? AND cccd = ? AND revoked_ms = 0")
	revokeTokensOfClient = newQuery("UPDATE tokens SET revoked_ms = ? WHERE world = ? AND client_id = ? AND revoked_ms = 0")
)

func (t *tx) RevokeTokensOf(c vneid.CCCD, clientID string, at time.Time) (err error) {
	if c != "" {
		_, err = t.mark("revoke tokens of a person", revokeTokensOfPerson, at, string(c))
	}
	if err == nil && clientID != "" {
		_, err = t.mark("revoke tokens of a client", revokeTokensOfClient, at, clientID)
	}
	return err
}

func (t *tx) RevokeSessionTokens(sid string, at time.Time) error {
	if sid == "" {
		return nil // tokens without a session are nobody's in common
	}
	_, err := t.mark("revoke session tokens", revokeSessionTokens, at, sid, string(vneid.AccessToken))
	return err
}
