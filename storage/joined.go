package storage

import (
	"reflect"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// join reads a row with those that it names in one statement. Of one that is not
// there all columns are empty, its world too. In SQLite each row is one text.
type join struct {
	q     query
	parts []joinPart
}

type joinPart struct {
	table *table
	on    string // column of the first part = column of this one, "" for the first
	fresh func() any
}

func newJoin(where string, parts ...joinPart) *join {
	j := &join{parts: parts}
	for d := range j.q {
		var columns []string
		from := ""
		for i, p := range parts {
			alias := string(rune('a' + i))
			if d == int(dialectSQLite) {
				columns = append(columns, p.table.asText(alias+"."))
			} else {
				columns = append(columns, p.columns(alias+".", i > 0)...)
			}
			if i == 0 {
				from = p.table.name + " a"
				continue
			}
			mine, theirs, _ := strings.Cut(p.on, " = ")
			on := alias + ".world = a.world AND " + alias + "." + theirs + " = a." + mine
			if d == int(dialectPostgres) {
				// LIMIT keeps this lookup one: in a new table PostgreSQL would as soon
				// read all rows of the world and compare them.
				from += " LEFT JOIN LATERAL (SELECT * FROM " + p.table.name + " " + alias + " WHERE " + on + " LIMIT 1) " + alias + " ON true"
				continue
			}
			from += " LEFT JOIN " + p.table.name + " " + alias + " ON " + on
		}
		j.q[d] = newQuery("SELECT " + strings.Join(columns, ", ") + " FROM " + from + " WHERE a.world = ? AND " + where)[d]
	}
	return j
}

// columns are those of a row in PostgreSQL; of one that may be missing none is NULL.
func (p *joinPart) columns(alias string, missing bool) []string {
	list := make([]string, len(p.table.names))
	for i, name := range p.table.names {
		if list[i] = alias + name; missing {
			list[i] = "COALESCE(" + list[i] + ", " + emptyOf(p.table.kinds[i]) + ")"
		}
	}
	return list
}

// emptyOf is what a column of PostgreSQL holds of a row that is not there.
func emptyOf(kind reflect.Kind) string {
	switch kind {
	case reflect.String, reflect.Slice:
		return "''"
	case reflect.Bool:
		return "false"
	}
	return "0"
}

// fresh makes the rows and says where their columns go.
func (j *join) fresh() (any, []any) {
	rows := make([]any, len(j.parts))
	var into []any
	for i, p := range j.parts {
		rows[i] = p.fresh()
		into = append(into, p.table.targets(rows[i])...)
	}
	return rows, into
}

// joined reads rows that belong together.
func (t *tx) joined(what string, j *join, key string) (rows []any, err error) {
	err = t.read(what, func() error {
		if !storable(t.world, key) {
			return vneid.ErrNotFound
		}
		if t.db.dialect() == dialectSQLite {
			rows, err = t.texts(j, key)
			return err
		}
		found, err := t.fetch(&j.q, key, j.fresh)
		if err != nil {
			return err
		}
		rows = found.([]any)
		for i, row := range rows {
			if own := row.(interface{ key() string }).key(); own != "" {
				t.remember(j.parts[i].table, own, row)
			}
		}
		return nil
	})
	return rows, err
}

// texts reads what joined does in SQLite.
func (t *tx) texts(j *join, key string) ([]any, error) {
	texts, into := make([]string, len(j.parts)), make([]any, len(j.parts))
	for i := range texts {
		into[i] = &texts[i]
	}
	if err := t.conn.scan(t.ctx, j.q[dialectSQLite], []any{t.world, key}, into); err != nil {
		return nil, err
	}
	rows := make([]any, len(j.parts))
	for i, p := range j.parts {
		rows[i] = p.fresh()
		if texts[i] == "" {
			continue
		}
		if err := assignText(p.table.targets(rows[i]), texts[i]); err != nil {
			return nil, err
		}
		t.remember(p.table, rows[i].(interface{ key() string }).key(), rows[i])
	}
	return rows, nil
}

func (r *loginRow) key() string   { return r.ID }
func (r *clientRow) key() string  { return r.ID }
func (r *accountRow) key() string { return r.CCCD }
func (r *sessionRow) key() string { return r.ID }
func (r *tokenRow) key() string   { return r.Hash }
func (r *deviceRow) key() string  { return r.CCCD }

func clientOf(on string) joinPart {
	return joinPart{clients, on, func() any { return new(clientRow) }}
}

func personOf(on string) joinPart {
	return joinPart{accounts, on, func() any { return new(accountRow) }}
}

func sessionOf(on string) joinPart {
	return joinPart{sessions, on, func() any { return new(sessionRow) }}
}

func newLogin() any { return new(loginRow) }

var (
	loginWith       = newJoin("a.id = ?", joinPart{logins, "", newLogin}, clientOf("client_id = id"), personOf("cccd = cccd"))
	loginStarting   = newJoin("a.id >= ? ORDER BY a.id LIMIT 1", joinPart{logins, "", newLogin}, clientOf("client_id = id"))
	loginByCodeWith = newJoin("a.code_hash = ? AND a.code_hash <> ''", joinPart{logins, "", newLogin}, personOf("cccd = cccd"), sessionOf("session_id = id"))
	tokenWith       = newJoin("a.hash = ?", joinPart{tokens, "", func() any { return new(tokenRow) }}, personOf("cccd = cccd"))
	deviceWith      = newJoin("a.id = ?", joinPart{devices, "", func() any { return new(deviceRow) }}, personOf("cccd = cccd"))
)

// person is nil for the row of nobody.
func (r *accountRow) person() (*vneid.Account, error) {
	if r.World == "" {
		return nil, nil
	}
	a, err := r.value()
	return &a, err
}

// client is nil for the row of none.
func (r *clientRow) client() (*vneid.Client, error) {
	if r.World == "" {
		return nil, nil
	}
	c, err := r.value()
	return &c, err
}

func (t *tx) LoginWith(id string) (l *vneid.Login, c *vneid.Client, a *vneid.Account, err error) {
	rows, err := t.joined("login with client and person", loginWith, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if l, err = rows[0].(*loginRow).value(); err != nil {
		return nil, nil, nil, err
	}
	if c, err = rows[1].(*clientRow).client(); err != nil {
		return nil, nil, nil, err
	}
	a, err = rows[2].(*accountRow).person()
	return l, c, a, err
}

func (t *tx) LoginStarting(start string) (l *vneid.Login, c *vneid.Client, err error) {
	rows, err := t.joined("login by the start of its id, with client", loginStarting, start)
	if err != nil {
		return nil, nil, err
	}
	row := rows[0].(*loginRow)
	if !strings.HasPrefix(row.ID, start) {
		return nil, nil, vneid.ErrNotFound
	}
	if l, err = row.value(); err != nil {
		return nil, nil, err
	}
	c, err = rows[1].(*clientRow).client()
	return l, c, err
}

func (t *tx) LoginByCodeWith(codeHash string) (l *vneid.Login, a *vneid.Account, s *vneid.Session, err error) {
	rows, err := t.joined("login by code with person and session", loginByCodeWith, codeHash)
	if err != nil {
		return nil, nil, nil, err
	}
	if l, err = rows[0].(*loginRow).value(); err != nil {
		return nil, nil, nil, err
	}
	if a, err = rows[1].(*accountRow).person(); err != nil {
		return nil, nil, nil, err
	}
	if row := rows[2].(*sessionRow); row.World != "" {
		s, err = row.value()
	}
	return l, a, s, err
}

func (t *tx) TokenWith(hash string) (k *vneid.Token, a *vneid.Account, err error) {
	rows, err := t.joined("token with person", tokenWith, hash)
	if err != nil {
		return nil, nil, err
	}
	if k, err = rows[0].(*tokenRow).value(); err != nil {
		return nil, nil, err
	}
	a, err = rows[1].(*accountRow).person()
	return k, a, err
}

func (t *tx) DeviceWith(id string) (d *vneid.Device, a *vneid.Account, err error) {
	rows, err := t.joined("device with person", deviceWith, id)
	if err != nil {
		return nil, nil, err
	}
	if d, err = rows[0].(*deviceRow).value(); err != nil {
		return nil, nil, err
	}
	a, err = rows[1].(*accountRow).person()
	return d, a, err
}

func (t *tx) Ahead(next vneid.Ahead) {
	_ = t.read("ask ahead", func() error {
		for _, a := range []struct {
			key string
			j   *join
		}{{next.Device, deviceWith}, {next.Login, loginWith}, {next.LoginStart, loginStarting}} {
			if a.key != "" {
				row, into := a.j.fresh()
				t.announce(nil, &a.j.q, a.key, row, into)
			}
		}
		if next.Account != "" {
			row := new(accountRow)
			t.announce(accounts, &accountByCCCD, string(next.Account), row, accounts.targets(row))
		}
		for _, key := range next.Throttles {
			row := new(throttleRow)
			t.announce(throttles, &throttleByName, key, row, throttles.targets(row))
		}
		return nil
	}) // whoever reads them hears of the failure
}
