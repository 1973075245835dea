-- Everything a login with password and one-time password leaves behind.
--
-- Times are Unix milliseconds, 0 = none. Lists and nested values are JSON;
-- whatever is searched or compared is a column. Every row carries its world,
-- first in every key. WITHOUT ROWID where rows are small and found by key:
-- one tree instead of two.

CREATE TABLE worlds (
  world           TEXT    NOT NULL PRIMARY KEY,
  salt            BLOB,
  clock_offset_ms INTEGER NOT NULL,
  seed_version    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  world         TEXT    NOT NULL,
  cccd          TEXT    NOT NULL,
  id            TEXT    NOT NULL,
  cmnd          TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  birthdate     TEXT    NOT NULL,
  gender        TEXT    NOT NULL,
  phone         TEXT    NOT NULL,
  email         TEXT    NOT NULL,
  address       TEXT    NOT NULL, -- JSON
  account_level INTEGER NOT NULL,
  account_type  TEXT    NOT NULL,
  status        TEXT    NOT NULL,
  web_login     INTEGER NOT NULL,
  sms           TEXT    NOT NULL,
  note          TEXT    NOT NULL,
  password_hash TEXT    NOT NULL,
  updated_ms    INTEGER NOT NULL,
  PRIMARY KEY (world, cccd)
) STRICT;

-- What an account is found by: its number, its phone, and its name folded
-- (lower case, no diacritics) from each of its words on.
CREATE TABLE account_terms (
  world TEXT NOT NULL,
  term  TEXT NOT NULL,
  cccd  TEXT NOT NULL,
  PRIMARY KEY (world, term, cccd)
) STRICT, WITHOUT ROWID;

CREATE TABLE clients (
  world             TEXT    NOT NULL,
  id                TEXT    NOT NULL,
  metadata          TEXT    NOT NULL, -- JSON, RFC 7591 and ours
  secret_hash       TEXT    NOT NULL,
  loopback_any_port INTEGER NOT NULL,
  created_ms        INTEGER NOT NULL,
  updated_ms        INTEGER NOT NULL,
  PRIMARY KEY (world, id)
) STRICT;

CREATE TABLE logins (
  world           TEXT    NOT NULL,
  id              TEXT    NOT NULL,
  version         INTEGER NOT NULL,
  state           TEXT    NOT NULL,
  issuer          TEXT    NOT NULL,
  browser_hash    TEXT    NOT NULL,
  request         TEXT    NOT NULL, -- JSON
  cccd            TEXT    NOT NULL,
  otp_hash        TEXT    NOT NULL,
  otp_sent_ms     INTEGER NOT NULL,
  otp_expires_ms  INTEGER NOT NULL,
  otp_tries       INTEGER NOT NULL,
  auth_ms         INTEGER NOT NULL,
  acr             TEXT    NOT NULL,
  amr             TEXT    NOT NULL, -- JSON
  session_id      TEXT    NOT NULL,
  code_hash       TEXT    NOT NULL,
  code_expires_ms INTEGER NOT NULL,
  created_ms      INTEGER NOT NULL,
  expires_ms      INTEGER NOT NULL,
  PRIMARY KEY (world, id)
) STRICT;
CREATE UNIQUE INDEX logins_by_code ON logins (world, code_hash) WHERE code_hash <> '';
CREATE INDEX logins_by_expiry ON logins (world, expires_ms);

CREATE TABLE sessions (
  world       TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  secret_hash TEXT    NOT NULL,
  version     INTEGER NOT NULL,
  cccd        TEXT    NOT NULL,
  auth_ms     INTEGER NOT NULL,
  acr         TEXT    NOT NULL,
  amr         TEXT    NOT NULL, -- JSON
  created_ms  INTEGER NOT NULL,
  expires_ms  INTEGER NOT NULL,
  ended_ms    INTEGER NOT NULL,
  PRIMARY KEY (world, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_by_secret ON sessions (world, secret_hash) WHERE secret_hash <> '';
CREATE INDEX sessions_by_expiry ON sessions (world, expires_ms);

CREATE TABLE consents (
  world        TEXT    NOT NULL,
  cccd         TEXT    NOT NULL,
  client_id    TEXT    NOT NULL,
  scopes       TEXT    NOT NULL, -- JSON
  text_version TEXT    NOT NULL,
  given_ms     INTEGER NOT NULL,
  withdrawn_ms INTEGER NOT NULL,
  PRIMARY KEY (world, cccd, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  world      TEXT    NOT NULL,
  hash       TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  grant_id   TEXT    NOT NULL,
  client_id  TEXT    NOT NULL,
  cccd       TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  scopes     TEXT    NOT NULL, -- JSON
  session_id TEXT    NOT NULL,
  auth_ms    INTEGER NOT NULL,
  acr        TEXT    NOT NULL,
  amr        TEXT    NOT NULL, -- JSON
  nonce      TEXT    NOT NULL,
  issued_ms  INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms    INTEGER NOT NULL,
  revoked_ms INTEGER NOT NULL,
  PRIMARY KEY (world, hash)
) STRICT;
CREATE INDEX tokens_by_grant ON tokens (world, grant_id);
CREATE INDEX tokens_by_session ON tokens (world, session_id, kind);
CREATE INDEX tokens_by_expiry ON tokens (world, expires_ms);

CREATE TABLE throttles (
  world     TEXT    NOT NULL,
  name      TEXT    NOT NULL,
  times     TEXT    NOT NULL, -- JSON, milliseconds
  locked_ms INTEGER NOT NULL,
  PRIMARY KEY (world, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
  world      TEXT    NOT NULL,
  kid        TEXT    NOT NULL,
  alg        TEXT    NOT NULL,
  state      TEXT    NOT NULL,
  pkcs8      BLOB,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (world, kid)
) STRICT;

-- seq is the order of arrival, which tells messages of one millisecond apart;
-- so here the key of the world is the unique one.
CREATE TABLE sms (
  seq        INTEGER PRIMARY KEY,
  world      TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  to_number  TEXT    NOT NULL,
  text       TEXT    NOT NULL,
  otp        TEXT    NOT NULL,
  login      TEXT    NOT NULL,
  sent_ms    INTEGER NOT NULL,
  visible_ms INTEGER NOT NULL,
  UNIQUE (world, id)
) STRICT;
CREATE INDEX sms_by_number ON sms (world, to_number, visible_ms);
CREATE INDEX sms_by_time ON sms (world, visible_ms);
