-- Clients with keys: assertions that authenticated one, each works once
-- (RFC 7523 §3), and tokens for which userinfo is signed.

CREATE TABLE assertions (
  world      TEXT COLLATE "C" NOT NULL,
  hash       TEXT COLLATE "C" NOT NULL,
  expires_ms BIGINT NOT NULL,
  PRIMARY KEY (world, hash)
);
CREATE INDEX assertions_by_expiry ON assertions (world, expires_ms);
ALTER TABLE tokens ADD COLUMN userinfo_alg TEXT COLLATE "C" NOT NULL DEFAULT '';
