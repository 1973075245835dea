-- Clients with keys: assertions that authenticated one, each works once
-- (RFC 7523 §3), and tokens for which userinfo is signed.

CREATE TABLE assertions (
  world      TEXT    NOT NULL,
  hash       TEXT    NOT NULL,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (world, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX assertions_by_expiry ON assertions (world, expires_ms);
ALTER TABLE tokens ADD COLUMN userinfo_alg TEXT NOT NULL DEFAULT '';
