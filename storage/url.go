package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// location is a database URL taken apart.
type location struct {
	path        string
	memory      bool
	synchronous string

	postgres *pgx.ConnConfig // nil for SQLite
	conns    int
}

const supported = "supported are sqlite:PATH (sqlite:var/sandbox.db), optionally with ?synchronous=full or ?synchronous=normal, " +
	"sqlite::memory:, and postgres://USER:PASSWORD@HOST/DATABASE, optionally with ?pool_max_conns=8 and the parameters of libpq"

func parseURL(raw string) (location, error) {
	bad := func(format string, args ...any) (location, error) {
		return location{}, fmt.Errorf("storage: database %q: %s; %s", WithoutPassword(raw), fmt.Sprintf(format, args...), supported)
	}
	scheme, rest, ok := strings.Cut(raw, ":")
	var loc location
	var err error
	switch {
	case !ok:
		return bad("not a database URL")
	case scheme == "sqlite":
		loc, err = parseSQLite(rest)
	case scheme == "postgres" || scheme == "postgresql":
		loc, err = parsePostgres(raw)
	default:
		return bad("no backend for %s:", scheme)
	}
	if err != nil {
		return bad("%v", err)
	}
	return loc, nil
}

func parseSQLite(rest string) (location, error) {
	path, rawQuery, _ := strings.Cut(rest, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return location{}, errors.New("the part after ? is malformed")
	}
	loc := location{path: path, memory: path == ":memory:", synchronous: "full"}
	for key, values := range query {
		value := strings.ToLower(values[len(values)-1])
		if key != "synchronous" || value != "full" && value != "normal" {
			return location{}, fmt.Errorf("unknown option %s=%s", key, value)
		}
		loc.synchronous = value
	}
	if loc.memory {
		return loc, nil
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return location{}, errors.New("// would name a host")
		}
		path = rest // sqlite:///var/lib/sandbox.db, as other programs write it
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return location{}, errors.New("no path")
	}
	loc.path = filepath.Clean(path)
	return loc, nil
}

// defaultConns is how many connections one process opens when the URL does
// not say. A connection is a process of the server; more than a few for each
// of our cores only wait for each other.
const defaultConns = 8

// sessionDefaults are parameters of the server that a URL may replace. A
// process that hangs or dies silently must not keep its rows locked.
var sessionDefaults = map[string]string{
	"application_name":                    "vneid-sandbox",
	"lock_timeout":                        "10s",
	"idle_in_transaction_session_timeout": "60s",
}

func parsePostgres(raw string) (location, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return location{}, errors.New("malformed") // the error would show all of it
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return location{}, errors.New("the part after ? is malformed")
	}
	loc := location{conns: defaultConns}
	if text := query.Get("pool_max_conns"); text != "" {
		if loc.conns, err = strconv.Atoi(text); err != nil || loc.conns < 1 || loc.conns > 1000 {
			return location{}, errors.New("pool_max_conns is a number from 1 to 1000")
		}
		query.Del("pool_max_conns")
		u.RawQuery = query.Encode()
	}
	if loc.postgres, err = pgx.ParseConfig(u.String()); err != nil {
		return location{}, errors.New("malformed, or an unknown value of a parameter")
	}
	if loc.postgres.ConnectTimeout == 0 {
		loc.postgres.ConnectTimeout = 5 * time.Second
	}
	for name, value := range sessionDefaults {
		if _, given := loc.postgres.RuntimeParams[name]; !given {
			loc.postgres.RuntimeParams[name] = value
		}
	}
	return loc, nil
}

// WithoutPassword keeps what a message may show of a URL.
func WithoutPassword(raw string) string {
	scheme, _, _ := strings.Cut(raw, ":")
	u, err := url.Parse(raw)
	if err != nil {
		return scheme + ":…"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return scheme + ":…"
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		if strings.Contains(strings.ToLower(key), "password") {
			query.Set(key, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}

// createFile makes an empty file before SQLite would, because SQLite would
// let others read it. The WAL and the shared memory inherit its mode.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the database file: %w", err)
	}
	return f.Close()
}
