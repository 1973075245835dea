-- Clients that have to hear that a session ended: OIDC Back-Channel Logout.

CREATE TABLE logout_notices (
  world      TEXT    NOT NULL,
  client_id  TEXT    NOT NULL,
  session_id TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  created_ms INTEGER NOT NULL,
  due_ms     INTEGER NOT NULL,
  tries      INTEGER NOT NULL,
  PRIMARY KEY (world, client_id, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX logout_notices_by_due ON logout_notices (world, due_ms);
