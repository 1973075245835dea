-- The pretend population database: what differs from the accounts, and who may
-- ask.

CREATE INDEX accounts_by_cmnd ON accounts (world, cmnd, cccd) WHERE cmnd <> '';

CREATE TABLE register_entries (
  world     TEXT    NOT NULL,
  cccd      TEXT    NOT NULL,
  name      TEXT    NOT NULL,
  birthdate TEXT    NOT NULL,
  absent    INTEGER NOT NULL,
  deceased  INTEGER NOT NULL,
  PRIMARY KEY (world, cccd)
) STRICT, WITHOUT ROWID;

CREATE TABLE register_consumers (
  world      TEXT    NOT NULL,
  key_hash   TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  per_minute INTEGER NOT NULL,
  PRIMARY KEY (world, key_hash)
) STRICT, WITHOUT ROWID;
