-- Everything the provider remembers, with the same meaning as in SQLite.
--
-- Times are Unix milliseconds, 0 = none. Lists and nested values are JSON in
-- TEXT: nobody searches them, and they come back as they went in. Whatever is
-- searched or compared is a column. Every row carries its world, first in
-- every key. Texts compare by their bytes (COLLATE "C"), as in SQLite and in
-- Go, whatever the locale of the database is. Tables whose rows change often
-- leave room for it in their pages (fillfactor), so that no index changes too.

CREATE TABLE worlds (
  world           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  salt            BYTEA,
  clock_offset_ms BIGINT NOT NULL,
  seed_version    TEXT COLLATE "C" NOT NULL
);

CREATE TABLE accounts (
  world           TEXT COLLATE "C" NOT NULL,
  cccd            TEXT COLLATE "C" NOT NULL,
  id              TEXT COLLATE "C" NOT NULL,
  cmnd            TEXT COLLATE "C" NOT NULL,
  name            TEXT COLLATE "C" NOT NULL,
  birthdate       TEXT COLLATE "C" NOT NULL,
  gender          TEXT COLLATE "C" NOT NULL,
  phone           TEXT COLLATE "C" NOT NULL,
  email           TEXT COLLATE "C" NOT NULL,
  address         TEXT COLLATE "C" NOT NULL, -- JSON
  account_level   BIGINT NOT NULL,
  account_type    TEXT COLLATE "C" NOT NULL,
  status          TEXT COLLATE "C" NOT NULL,
  web_login       BOOLEAN NOT NULL,
  sms             TEXT COLLATE "C" NOT NULL,
  note            TEXT COLLATE "C" NOT NULL,
  password_hash   TEXT COLLATE "C" NOT NULL,
  updated_ms      BIGINT NOT NULL,
  PRIMARY KEY (world, cccd)
);

-- What an account is found by: its number, its phone, and its name folded
-- (lower case, no diacritics) from each of its words on.
CREATE TABLE account_terms (
  world           TEXT COLLATE "C" NOT NULL,
  term            TEXT COLLATE "C" NOT NULL,
  cccd            TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (world, term, cccd)
);

CREATE TABLE clients (
  world           TEXT COLLATE "C" NOT NULL,
  id              TEXT COLLATE "C" NOT NULL,
  metadata        TEXT COLLATE "C" NOT NULL, -- JSON, RFC 7591 and ours
  secret_hash     TEXT COLLATE "C" NOT NULL,
  loopback_any_port BOOLEAN NOT NULL,
  created_ms      BIGINT NOT NULL,
  updated_ms      BIGINT NOT NULL,
  PRIMARY KEY (world, id)
);

CREATE TABLE logins (
  world           TEXT COLLATE "C" NOT NULL,
  id              TEXT COLLATE "C" NOT NULL,
  version         BIGINT NOT NULL,
  state           TEXT COLLATE "C" NOT NULL,
  issuer          TEXT COLLATE "C" NOT NULL,
  browser_hash    TEXT COLLATE "C" NOT NULL,
  request         TEXT COLLATE "C" NOT NULL, -- JSON
  cccd            TEXT COLLATE "C" NOT NULL,
  otp_hash        TEXT COLLATE "C" NOT NULL,
  otp_sent_ms     BIGINT NOT NULL,
  otp_expires_ms  BIGINT NOT NULL,
  otp_tries       BIGINT NOT NULL,
  auth_ms         BIGINT NOT NULL,
  acr             TEXT COLLATE "C" NOT NULL,
  amr             TEXT COLLATE "C" NOT NULL, -- JSON
  session_id      TEXT COLLATE "C" NOT NULL,
  code_hash       TEXT COLLATE "C" NOT NULL,
  code_expires_ms BIGINT NOT NULL,
  created_ms      BIGINT NOT NULL,
  expires_ms      BIGINT NOT NULL,
  end_ms          BIGINT NOT NULL, -- when it ended; moved while tokens live that a replay of its code would revoke
  PRIMARY KEY (world, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX logins_by_code ON logins (world, code_hash) WHERE code_hash <> '';
CREATE INDEX logins_by_end ON logins (world, end_ms);

CREATE TABLE sessions (
  world           TEXT COLLATE "C" NOT NULL,
  id              TEXT COLLATE "C" NOT NULL,
  secret_hash     TEXT COLLATE "C" NOT NULL,
  version         BIGINT NOT NULL,
  cccd            TEXT COLLATE "C" NOT NULL,
  auth_ms         BIGINT NOT NULL,
  acr             TEXT COLLATE "C" NOT NULL,
  amr             TEXT COLLATE "C" NOT NULL, -- JSON
  created_ms      BIGINT NOT NULL,
  expires_ms      BIGINT NOT NULL,
  ended_ms        BIGINT NOT NULL,
  PRIMARY KEY (world, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX sessions_by_secret ON sessions (world, secret_hash) WHERE secret_hash <> '';
CREATE INDEX sessions_by_expiry ON sessions (world, expires_ms);

CREATE TABLE consents (
  world           TEXT COLLATE "C" NOT NULL,
  cccd            TEXT COLLATE "C" NOT NULL,
  client_id       TEXT COLLATE "C" NOT NULL,
  scopes          TEXT COLLATE "C" NOT NULL, -- JSON
  text_version    TEXT COLLATE "C" NOT NULL,
  given_ms        BIGINT NOT NULL,
  withdrawn_ms    BIGINT NOT NULL,
  PRIMARY KEY (world, cccd, client_id)
);

CREATE TABLE tokens (
  world           TEXT COLLATE "C" NOT NULL,
  hash            TEXT COLLATE "C" NOT NULL,
  kind            TEXT COLLATE "C" NOT NULL,
  grant_id        TEXT COLLATE "C" NOT NULL,
  client_id       TEXT COLLATE "C" NOT NULL,
  cccd            TEXT COLLATE "C" NOT NULL,
  subject         TEXT COLLATE "C" NOT NULL,
  scopes          TEXT COLLATE "C" NOT NULL, -- JSON
  session_id      TEXT COLLATE "C" NOT NULL,
  auth_ms         BIGINT NOT NULL,
  acr             TEXT COLLATE "C" NOT NULL,
  amr             TEXT COLLATE "C" NOT NULL, -- JSON
  nonce           TEXT COLLATE "C" NOT NULL,
  issued_ms       BIGINT NOT NULL,
  expires_ms      BIGINT NOT NULL,
  used_ms         BIGINT NOT NULL,
  revoked_ms      BIGINT NOT NULL,
  PRIMARY KEY (world, hash)
) WITH (fillfactor = 70);
CREATE INDEX tokens_by_grant ON tokens (world, grant_id);
CREATE INDEX tokens_by_session ON tokens (world, session_id, kind);
CREATE INDEX tokens_by_expiry ON tokens (world, expires_ms);

CREATE TABLE throttles (
  world           TEXT COLLATE "C" NOT NULL,
  name            TEXT COLLATE "C" NOT NULL,
  times           TEXT COLLATE "C" NOT NULL, -- JSON, milliseconds
  locked_ms       BIGINT NOT NULL,
  last_ms         BIGINT NOT NULL, -- the last event it counts, or the end of its lock
  PRIMARY KEY (world, name)
) WITH (fillfactor = 70);
CREATE INDEX throttles_by_last ON throttles (world, last_ms);

CREATE TABLE signing_keys (
  world           TEXT COLLATE "C" NOT NULL,
  kid             TEXT COLLATE "C" NOT NULL,
  alg             TEXT COLLATE "C" NOT NULL,
  state           TEXT COLLATE "C" NOT NULL,
  pkcs8           BYTEA,
  created_ms      BIGINT NOT NULL,
  PRIMARY KEY (world, kid)
);

-- seq is the order of arrival, which tells messages of one millisecond apart;
-- so here the key of the world is the unique one.
CREATE TABLE sms (
  seq             BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  world           TEXT COLLATE "C" NOT NULL,
  id              TEXT COLLATE "C" NOT NULL,
  to_number       TEXT COLLATE "C" NOT NULL,
  text            TEXT COLLATE "C" NOT NULL,
  otp             TEXT COLLATE "C" NOT NULL,
  login           TEXT COLLATE "C" NOT NULL,
  sent_ms         BIGINT NOT NULL,
  visible_ms      BIGINT NOT NULL,
  UNIQUE (world, id)
);
CREATE INDEX sms_by_number ON sms (world, to_number, visible_ms);
CREATE INDEX sms_by_time ON sms (world, visible_ms);
