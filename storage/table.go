package storage

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"gorm.io/gorm/schema"
)

// dialect chooses the text of a statement.
type dialect int

const (
	dialectSQLite dialect = iota
	dialectPostgres
)

// query is one statement in the words of each dialect.
type query [2]string

// newQuery takes a text with ? where a value goes.
func newQuery(text string) query {
	var numbered strings.Builder
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			numbered.WriteString("$" + strconv.Itoa(i))
		}
		numbered.WriteString(part)
	}
	return query{dialectSQLite: text, dialectPostgres: numbered.String()}
}

// table reads and writes rows of one kind by their keys. gorm says once which
// columns the struct of a row has; from then on the same few texts go to
// database/sql, which finds them prepared. Composing each statement anew costs
// several times what running it does (docs/adr/0002-storage.md has figures).
type table struct {
	name              string
	list              string // of all columns but those the database numbers itself
	names             []string
	fields            [][]int // of the struct, in the order of list
	kinds             []reflect.Kind
	keys, others      []int // into fields
	insert, put, save query
	insertNew         query // fails when the key is taken
	version           int   // into fields, -1 = it has none

	some  sync.Map // by which columns: *query, see saveSome
	saves atomic.Int32
}

func newTable(row any) *table {
	s, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic(fmt.Sprintf("storage: %T is no row: %v", row, err))
	}
	t := &table{name: s.Table, version: -1}
	var columns, keys, setPut, setSave []string
	for _, f := range s.Fields {
		if f.AutoIncrement {
			continue
		}
		i := len(columns)
		columns = append(columns, f.DBName)
		t.fields = append(t.fields, f.StructField.Index)
		t.kinds = append(t.kinds, f.FieldType.Kind())
		if f.DBName == "version" {
			t.version = i
		}
		if f.PrimaryKey {
			keys, t.keys = append(keys, f.DBName), append(t.keys, i)
			continue
		}
		t.others = append(t.others, i)
		setPut = append(setPut, f.DBName+" = excluded."+f.DBName)
		setSave = append(setSave, f.DBName+" = ?")
	}
	t.names, t.list = columns, strings.Join(columns, ", ")
	insert := "INSERT INTO " + t.name + " (" + t.list + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
	t.insertNew = newQuery(insert)
	insert += " ON CONFLICT "
	t.insert = newQuery(insert + "DO NOTHING")
	t.put = newQuery(insert + "(" + strings.Join(keys, ", ") + ") DO UPDATE SET " + strings.Join(setPut, ", "))
	t.save = newQuery("UPDATE " + t.name + " SET " + strings.Join(setSave, ", ") + " WHERE " + strings.Join(keys, " = ? AND ") + " = ? AND version = ?")
	return t
}

// by finds the rows of a world that match. From SQLite each comes as one text.
func (t *table) by(where string) query {
	from := " FROM " + t.name + " WHERE world = ? AND " + where
	q := newQuery("SELECT " + t.list + from)
	q[dialectSQLite] = "SELECT " + t.asText("") + from
	return q
}

// asText is a row of SQLite as one text, its columns parted by NUL, which no text
// of ours holds (checkText); bytes are in hexadecimal, and no other column is NULL.
// For every column of a row the driver takes the connection's lock five times, to
// ask for its name, declared type, type, bytes and length, which is half of what
// reading a row costs. An expression has no declared type to ask for, and an empty
// name costs nothing. A row that is not there is an empty text.
func (t *table) asText(alias string) string {
	columns := make([]string, len(t.names))
	for i, name := range t.names {
		columns[i] = alias + name
		if t.kinds[i] == reflect.Slice {
			columns[i] = "hex(" + alias + name + ")"
		}
	}
	return "concat_ws(char(0), " + strings.Join(columns, ", ") + `) AS ""`
}

// values are those of the columns, for INSERT.
func (t *table) values(row any) []any {
	v := reflect.ValueOf(row).Elem()
	list := make([]any, len(t.fields))
	for i, f := range t.fields {
		list[i] = v.FieldByIndex(f).Interface()
	}
	return list
}

// savedValues are those of the statement save: what is set, then the key, then
// the version that is replaced.
func (t *table) savedValues(row any, version int) []any {
	v := reflect.ValueOf(row).Elem()
	list := make([]any, 0, len(t.fields)+1)
	for _, some := range [][]int{t.others, t.keys} {
		for _, i := range some {
			list = append(list, v.FieldByIndex(t.fields[i]).Interface())
		}
	}
	return append(list, version)
}

// mostSaves is how many texts saveSome makes of a table: the program has some
// dozen ways to change a row.
const mostSaves = 64

// saveSome writes the columns in which two rows of one key differ; nil when old
// is not of that version, where rows have one, when nothing differs, or when there
// are texts enough. An index is only touched when its columns are written.
func (t *table) saveSome(old, row any, version int) (*query, []any) {
	a, b := t.values(old), t.values(row)
	if t.version >= 0 && a[t.version] != any(version) {
		return nil, nil
	}
	var which uint64
	args := make([]any, 0, len(a)+1)
	for _, i := range t.others {
		if !same(a[i], b[i]) {
			which |= 1 << i
			args = append(args, b[i])
		}
	}
	for _, i := range t.keys {
		args = append(args, b[i])
	}
	if t.version >= 0 {
		args = append(args, version)
	}
	if which == 0 {
		return nil, nil
	}
	if q, ok := t.some.Load(which); ok {
		return q.(*query), args
	}
	if t.saves.Load() >= mostSaves {
		return nil, nil
	}
	t.saves.Add(1)
	var set, keys []string
	for _, i := range t.others {
		if which&(1<<i) != 0 {
			set = append(set, t.names[i]+" = ?")
		}
	}
	for _, i := range t.keys {
		keys = append(keys, t.names[i]+" = ?")
	}
	if t.version >= 0 {
		keys = append(keys, "version = ?")
	}
	q := newQuery("UPDATE " + t.name + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(keys, " AND "))
	t.some.Store(which, &q)
	return &q, args
}

// same compares what a column holds.
func same(a, b any) bool {
	if blob, ok := a.([]byte); ok {
		return bytes.Equal(blob, b.([]byte))
	}
	return a == b
}

// targets are the places that a row is read into.
func (t *table) targets(row any) []any {
	v := reflect.ValueOf(row).Elem()
	list := make([]any, len(t.fields))
	for i, f := range t.fields {
		list[i] = v.FieldByIndex(f).Addr().Interface()
	}
	return list
}
