-- Clients that have to hear that a session ended: OIDC Back-Channel Logout.

CREATE TABLE logout_notices (
  world      TEXT COLLATE "C" NOT NULL,
  client_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  subject    TEXT COLLATE "C" NOT NULL,
  created_ms BIGINT NOT NULL,
  due_ms     BIGINT NOT NULL,
  tries      BIGINT NOT NULL,
  PRIMARY KEY (world, client_id, session_id)
);
CREATE INDEX logout_notices_by_due ON logout_notices (world, due_ms);
