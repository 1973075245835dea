-- What signing in by QR code and the phone app leave behind.

ALTER TABLE logins ADD COLUMN origin      TEXT COLLATE "C" NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE logins ADD COLUMN otp_channel TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN qr_short    TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN qr          TEXT COLLATE "C" NOT NULL DEFAULT '{}'; -- JSON
CREATE INDEX logins_by_qr_short ON logins (world, qr_short, created_ms) WHERE qr_short <> '';
CREATE INDEX logins_by_person ON logins (world, cccd, created_ms) WHERE cccd <> '';

-- One phone for each person: activating another one replaces the row.
CREATE TABLE devices (
  world              TEXT COLLATE "C" NOT NULL,
  cccd               TEXT COLLATE "C" NOT NULL,
  id                 TEXT COLLATE "C" NOT NULL,
  public_key         BYTEA,
  passcode_hash      TEXT COLLATE "C" NOT NULL,
  name               TEXT COLLATE "C" NOT NULL,
  activated_ms       BIGINT NOT NULL,
  session_hash       TEXT COLLATE "C" NOT NULL,
  session_expires_ms BIGINT NOT NULL,
  unlocked_ms        BIGINT NOT NULL,
  calls              TEXT COLLATE "C" NOT NULL, -- JSON
  PRIMARY KEY (world, cccd)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX devices_by_id ON devices (world, id);

CREATE TABLE activations (
  world          TEXT COLLATE "C" NOT NULL,
  id             TEXT COLLATE "C" NOT NULL,
  cccd           TEXT COLLATE "C" NOT NULL,
  public_key     BYTEA,
  name           TEXT COLLATE "C" NOT NULL,
  otp_channel    TEXT COLLATE "C" NOT NULL,
  otp_hash       TEXT COLLATE "C" NOT NULL,
  otp_sent_ms    BIGINT NOT NULL,
  otp_expires_ms BIGINT NOT NULL,
  otp_tries      BIGINT NOT NULL,
  proved         BOOLEAN NOT NULL,
  expires_ms     BIGINT NOT NULL,
  PRIMARY KEY (world, id)
);
CREATE INDEX activations_by_expiry ON activations (world, expires_ms);

-- The pretend phones of the sandbox. The provider never reads them.
CREATE TABLE handsets (
  world     TEXT COLLATE "C" NOT NULL,
  id        TEXT COLLATE "C" NOT NULL,
  cccd      TEXT COLLATE "C" NOT NULL,
  device_id TEXT COLLATE "C" NOT NULL,
  data      BYTEA,
  seen_ms   BIGINT NOT NULL,
  PRIMARY KEY (world, id)
) WITH (fillfactor = 70);
CREATE INDEX handsets_by_device ON handsets (world, device_id) WHERE device_id <> '';
CREATE INDEX handsets_unused ON handsets (world, seen_ms) WHERE device_id = '';
