-- The pretend population database: what differs from the accounts, and who may
-- ask.

CREATE INDEX accounts_by_cmnd ON accounts (world, cmnd, cccd) WHERE cmnd <> '';

CREATE TABLE register_entries (
  world     TEXT COLLATE "C" NOT NULL,
  cccd      TEXT COLLATE "C" NOT NULL,
  name      TEXT COLLATE "C" NOT NULL,
  birthdate TEXT COLLATE "C" NOT NULL,
  absent    BOOLEAN NOT NULL,
  deceased  BOOLEAN NOT NULL,
  PRIMARY KEY (world, cccd)
);

CREATE TABLE register_consumers (
  world      TEXT COLLATE "C" NOT NULL,
  key_hash   TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  per_minute BIGINT NOT NULL,
  PRIMARY KEY (world, key_hash)
);
