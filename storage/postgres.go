package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// patience is how long a transaction may take before its database counts as
// gone. Emptying a large world takes some seconds.
const patience = 30 * time.Second

// postgresDB is a database in PostgreSQL.
//
// Update runs at REPEATABLE READ: a row that somebody else changed since the
// transaction began cannot be written, the server says so, and Update runs
// again with what is there now. That is what version columns do for two kinds
// of rows, here for all of them. SERIALIZABLE would add conflicts about rows
// that were only read, by the page: in a small database everybody's.
type postgresDB struct {
	db     *sql.DB
	conns  int // at most
	gormDB *gorm.DB
	// again lets an Update that met a conflict run while no other of this
	// process does, or fifty that want one row would chase each other.
	again sync.RWMutex
	reads reads

	config       *pgx.ConnConfig // for a connection besides the pool
	self         atomic.Uint32   // the server's process that listens for us: names us to the others
	endListening func()
}

func openPostgres(ctx context.Context, loc location, log *slog.Logger) (*postgresDB, error) {
	db := stdlib.OpenDB(*loc.postgres)
	db.SetMaxOpenConns(loc.conns)
	db.SetMaxIdleConns(loc.conns)
	p := &postgresDB{db: db, conns: loc.conns, config: loc.postgres, endListening: func() {}}
	p.reads.db = p
	if err := p.connect(ctx, log); err != nil {
		db.Close()
		return nil, err
	}
	return p, nil
}

func (p *postgresDB) connect(ctx context.Context, log *slog.Logger) (err error) {
	var encoding string
	if err := p.db.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return describe(ctx, "connect", err)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database has the encoding %s; make one with ENCODING 'UTF8'", encoding)
	}
	if err := migrate(ctx, postgresSchema{p.db}, migrationSteps("postgres"), log); err != nil {
		return err
	}
	p.gormDB, err = gorm.Open(postgres.New(postgres.Config{Conn: p.db}), gormConfig())
	return err
}

func (p *postgresDB) dialect() dialect { return dialectPostgres }
func (p *postgresDB) orm() *gorm.DB    { return p.gormDB }

func (p *postgresDB) close() error {
	p.endListening()
	return p.db.Close()
}

func (p *postgresDB) view(ctx context.Context, fn txFunc) error {
	return p.transact(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, fn)
}

// peek needs no transaction, and mostly no connection of its own.
func (p *postgresDB) peek(ctx context.Context, fn txFunc) error {
	if err := ctx.Err(); err != nil {
		return describe(ctx, "begin", err)
	}
	within, cancel := context.WithTimeoutCause(ctx, patience, errHangs)
	defer cancel()
	c := &peekConn{db: p}
	err := fn(within, c)
	if c.gorm {
		err = p.transact(ctx, "", 0, fn)
	}
	return err
}

func (p *postgresDB) update(ctx context.Context, run int, fn txFunc) error {
	if run == 1 {
		p.again.RLock()
		defer p.again.RUnlock()
	} else {
		p.again.Lock()
		defer p.again.Unlock()
	}
	return p.transact(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ", run, fn)
}

// transact runs fn again when a connection of the pool turns out to be dead
// before it answered anything, as all of them do after the server was
// restarted. Who cannot connect is told at once. run counts those of an Update
// from 1 and is 0 for what only reads.
func (p *postgresDB) transact(ctx context.Context, begin string, run int, fn txFunc) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errHangs)
	defer cancel()
	for tries := p.conns; ; tries-- {
		dead, err := p.try(ctx, begin, run, fn)
		if !dead || tries == 0 || ctx.Err() != nil {
			return err
		}
	}
}

func (p *postgresDB) try(ctx context.Context, begin string, run int, fn txFunc) (dead bool, err error) {
	raw, err := p.db.Conn(ctx)
	if err != nil {
		return errors.Is(err, driver.ErrBadConn), describe(ctx, "begin", err)
	}
	c := newPostgresConn(raw, begin)
	c.patient = run > 1
	defer c.end() // also when fn panics
	err = c.Conn.Raw(func(driver any) error {
		c.pgx = driver.(*stdlib.Conn).Conn()
		return nil
	})
	if err != nil {
		return true, describe(ctx, "begin", err)
	}
	if err = fn(ctx, c); err == nil && run > 0 {
		err = describe(ctx, "commit", c.commit(ctx))
	}
	return err != nil && c.dead(), err
}

func (p *postgresDB) ping(ctx context.Context) error {
	return p.transact(ctx, "", 0, func(ctx context.Context, c conn) error {
		var version int
		return describe(ctx, "ping", c.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version))
	})
}

// postgresSchema is where migrations run in PostgreSQL: the first schema of
// the search path.
type postgresSchema struct{ db *sql.DB }

// migrationLock is the advisory lock of whoever migrates ("VNeI").
const migrationLock = 0x564e6549

// begin lets one process migrate at a time. READ COMMITTED sees what the
// others did while this one waited.
func (s postgresSchema) begin(ctx context.Context) (*sql.Tx, error) {
	sqlTx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	// lock_timeout is for rows; a migration may take longer.
	_, err = sqlTx.ExecContext(ctx, "SET LOCAL lock_timeout = 0")
	if err == nil {
		_, err = sqlTx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLock)
	}
	if err != nil {
		sqlTx.Rollback()
		return nil, err
	}
	return sqlTx, nil
}

func (s postgresSchema) version(ctx context.Context, sqlTx *sql.Tx) (version int, err error) {
	var schema sql.NullString
	var tables, ours int
	err = sqlTx.QueryRowContext(ctx, `SELECT current_schema(),
		(SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()),
		(SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema()
			AND table_name = 'schema_version' AND column_name = 'vneid_sandbox')`).Scan(&schema, &tables, &ours)
	switch {
	case err != nil:
		return 0, describe(ctx, "read schema", err)
	case !schema.Valid:
		return 0, errors.New("no schema of the search path exists; make one, or name another by search_path")
	case ours > 0:
		err := sqlTx.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version)
		return version, describe(ctx, "read schema version", err)
	case tables > 0:
		return 0, fmt.Errorf("the schema %s holds tables of another program; name another database, or another schema by search_path", schema.String)
	}
	err = s.exec(ctx, sqlTx, `CREATE TABLE schema_version (vneid_sandbox BOOLEAN PRIMARY KEY CHECK (vneid_sandbox), version BIGINT NOT NULL);
		INSERT INTO schema_version VALUES (true, 0)`)
	return 0, describe(ctx, "begin schema", err)
}

// exec uses the simple protocol, which takes several statements at once.
func (s postgresSchema) exec(ctx context.Context, sqlTx *sql.Tx, script string) error {
	_, err := sqlTx.ExecContext(ctx, script, pgx.QueryExecModeSimpleProtocol)
	return err
}
