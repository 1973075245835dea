-- What happened in each login, for developers. seq is the order of beginning:
-- the oldest leave first. A row of record_steps holds the steps that one flush
-- of a server added, as JSON.

CREATE TABLE records (
  seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  world      TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  client_id  TEXT COLLATE "C" NOT NULL,
  cccd       TEXT COLLATE "C" NOT NULL, -- masked
  cccd_hash  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  result     TEXT COLLATE "C" NOT NULL,
  result_rank BIGINT NOT NULL,
  error      TEXT COLLATE "C" NOT NULL,
  started_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL,
  ends_ms    BIGINT NOT NULL
);
CREATE UNIQUE INDEX records_by_id ON records (world, id);
CREATE INDEX records_by_age ON records (world, seq) WHERE seq IS NOT NULL; -- see 0007
CREATE INDEX records_by_session ON records (world, session_id) WHERE session_id <> '';

CREATE TABLE record_steps (
  seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  world     TEXT COLLATE "C" NOT NULL,
  record_id TEXT COLLATE "C" NOT NULL,
  steps     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX record_steps_by_record ON record_steps (world, record_id, seq);

-- Fetches that belong to no login: the key set, the discovery document.
CREATE TABLE traffic (
  seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  world   TEXT COLLATE "C" NOT NULL,
  kind    TEXT COLLATE "C" NOT NULL,
  peer    TEXT COLLATE "C" NOT NULL,
  agent   TEXT COLLATE "C" NOT NULL,
  at_ms   BIGINT NOT NULL,
  last_ms BIGINT NOT NULL,
  count   BIGINT NOT NULL
);
CREATE INDEX traffic_by_age ON traffic (world, seq);
