-- What happened in each login, for developers. seq is the order of beginning:
-- the oldest leave first. A row of record_steps holds the steps that one flush
-- of a server added, as JSON.

CREATE TABLE records (
  seq        INTEGER PRIMARY KEY,
  world      TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  client_id  TEXT    NOT NULL,
  cccd       TEXT    NOT NULL, -- masked
  cccd_hash  TEXT    NOT NULL,
  session_id TEXT    NOT NULL,
  result     TEXT    NOT NULL,
  result_rank INTEGER NOT NULL,
  error      TEXT    NOT NULL,
  started_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  ends_ms    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_id ON records (world, id);
CREATE INDEX records_by_age ON records (world, seq);
CREATE INDEX records_by_session ON records (world, session_id) WHERE session_id <> '';

CREATE TABLE record_steps (
  seq       INTEGER PRIMARY KEY,
  world     TEXT NOT NULL,
  record_id TEXT NOT NULL,
  steps     TEXT NOT NULL
) STRICT;
CREATE INDEX record_steps_by_record ON record_steps (world, record_id, seq);

-- Fetches that belong to no login: the key set, the discovery document.
CREATE TABLE traffic (
  seq     INTEGER PRIMARY KEY,
  world   TEXT    NOT NULL,
  kind    TEXT    NOT NULL,
  peer    TEXT    NOT NULL,
  agent   TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  count   INTEGER NOT NULL
) STRICT;
CREATE INDEX traffic_by_age ON traffic (world, seq);
