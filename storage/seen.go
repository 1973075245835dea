package storage

import (
	"errors"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// seenRow is a row that a transaction read: to a second look it shows the same,
// and whoever saves it knows what changed. Or it is one that was announced, alone
// or with those that are joined to it.
type seenRow struct {
	table *table // nil = joined rows
	by    *query // with key: how it was announced; nil = it was read, and key is its own
	key   string
	row   any // as the struct of the table, never changed; of joined ones []any
	err   error
	due   bool // not yet answered
}

// recall finds a row by its own key.
func (t *tx) recall(from *table, key string) any {
	for _, s := range t.seen {
		if s.table == from && s.by == nil && s.key == key {
			return s.row
		}
	}
	return nil
}

// remember keeps a row, which nobody may change any more.
func (t *tx) remember(from *table, key string, row any) {
	for _, s := range t.seen {
		if s.table == from && s.by == nil && s.key == key {
			s.row = row
			return
		}
	}
	t.seen = append(t.seen, &seenRow{table: from, key: key, row: row})
}

// keep remembers a row that was found by something else than its key.
func (t *tx) keep(from *table, row interface{ key() string }) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remember(from, row.key(), row)
}

// forget is for rows of a table that change otherwise than by save.
func (t *tx) forget(from *table) {
	kept := t.seen[:0]
	for _, s := range t.seen {
		if s.table != from && s.table != nil {
			kept = append(kept, s)
		}
	}
	t.seen = kept
}

// find reads a row by its key: the one that was seen, or the one that was
// announced, or from the database.
func find[R any](t *tx, what string, from *table, q *query, key string) (*R, error) {
	var found *R
	err := t.read(what, func() error {
		if row, ok := t.recall(from, key).(*R); ok {
			found = row
			return nil
		}
		if !storable(t.world, key) {
			return vneid.ErrNotFound
		}
		row, err := t.fetch(q, key, func() (any, []any) { r := new(R); return r, from.targets(r) })
		if err == nil {
			found = row.(*R)
			t.remember(from, key, found)
		}
		return err
	})
	return found, err
}

// fetch takes what was announced, or asks.
func (t *tx) fetch(q *query, key string, fresh func() (row any, into []any)) (any, error) {
	for _, s := range t.seen {
		if s.by == q && s.key == key {
			return t.arrive(s)
		}
	}
	row, into := fresh()
	return row, t.conn.scan(t.ctx, (*q)[t.db.dialect()], []any{t.world, key}, into)
}

// announce asks for rows that will be read soon; from is nil for joined ones.
func (t *tx) announce(from *table, q *query, key string, row any, into []any) {
	if !storable(t.world, key) || from != nil && t.recall(from, key) != nil {
		return
	}
	s := &seenRow{table: from, by: q, key: key, row: row, due: true}
	if t.conn.ahead((*q)[t.db.dialect()], []any{t.world, key}, into, func(err error) { s.due, s.err = false, err }) {
		t.seen = append(t.seen, s)
	}
}

var errNoAnswer = errors.New("storage: an announced row was not answered")

// arrive waits for an announced row. The answer counts once: whoever asks later
// asks anew, or finds the row that was remembered.
func (t *tx) arrive(s *seenRow) (any, error) {
	if s.due {
		if err := t.conn.flush(t.ctx); err != nil {
			return nil, err
		}
	}
	for i := range t.seen {
		if t.seen[i] == s {
			t.seen = append(t.seen[:i], t.seen[i+1:]...)
			break
		}
	}
	if s.due {
		return nil, errNoAnswer
	}
	return s.row, s.err
}
