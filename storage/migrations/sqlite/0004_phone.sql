-- What signing in by QR code and the phone app leave behind.

ALTER TABLE logins ADD COLUMN origin      TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE logins ADD COLUMN otp_channel TEXT NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN qr_short    TEXT NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN qr          TEXT NOT NULL DEFAULT '{}'; -- JSON
CREATE INDEX logins_by_qr_short ON logins (world, qr_short, created_ms) WHERE qr_short <> '';
CREATE INDEX logins_by_person ON logins (world, cccd, created_ms) WHERE cccd <> '';

-- One phone for each person: activating another one replaces the row.
CREATE TABLE devices (
  world              TEXT    NOT NULL,
  cccd               TEXT    NOT NULL,
  id                 TEXT    NOT NULL,
  public_key         BLOB,
  passcode_hash      TEXT    NOT NULL,
  name               TEXT    NOT NULL,
  activated_ms       INTEGER NOT NULL,
  session_hash       TEXT    NOT NULL,
  session_expires_ms INTEGER NOT NULL,
  unlocked_ms        INTEGER NOT NULL,
  calls              TEXT    NOT NULL, -- JSON
  PRIMARY KEY (world, cccd)
) STRICT;
CREATE UNIQUE INDEX devices_by_id ON devices (world, id);

CREATE TABLE activations (
  world          TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  cccd           TEXT    NOT NULL,
  public_key     BLOB,
  name           TEXT    NOT NULL,
  otp_channel    TEXT    NOT NULL,
  otp_hash       TEXT    NOT NULL,
  otp_sent_ms    INTEGER NOT NULL,
  otp_expires_ms INTEGER NOT NULL,
  otp_tries      INTEGER NOT NULL,
  proved         INTEGER NOT NULL,
  expires_ms     INTEGER NOT NULL,
  PRIMARY KEY (world, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activations_by_expiry ON activations (world, expires_ms);

-- The pretend phones of the sandbox. The provider never reads them.
CREATE TABLE handsets (
  world     TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  cccd      TEXT    NOT NULL,
  device_id TEXT    NOT NULL,
  data      BLOB,
  seen_ms   INTEGER NOT NULL,
  PRIMARY KEY (world, id)
) STRICT;
CREATE INDEX handsets_by_device ON handsets (world, device_id) WHERE device_id <> '';
CREATE INDEX handsets_unused ON handsets (world, seen_ms) WHERE device_id = '';
