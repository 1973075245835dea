-- In tables that nobody analysed yet PostgreSQL takes any index that begins
-- with the world to be as good as the key: it read by logins_by_end to find one
-- login by its id, through all rows of the world, until the first ANALYZE a
-- minute later. An index with a condition is only taken for what implies it, and
-- "column = $1" or "column < $1" implies IS NOT NULL. No column is NULL, so the
-- condition leaves no row out.

DROP INDEX logins_by_end;
CREATE INDEX logins_by_end ON logins (world, end_ms) WHERE end_ms IS NOT NULL;
DROP INDEX sessions_by_expiry;
CREATE INDEX sessions_by_expiry ON sessions (world, expires_ms) WHERE expires_ms IS NOT NULL;
DROP INDEX tokens_by_grant;
CREATE INDEX tokens_by_grant ON tokens (world, grant_id) WHERE grant_id IS NOT NULL;
DROP INDEX tokens_by_session;
CREATE INDEX tokens_by_session ON tokens (world, session_id, kind) WHERE session_id IS NOT NULL;
DROP INDEX tokens_by_expiry;
CREATE INDEX tokens_by_expiry ON tokens (world, expires_ms) WHERE expires_ms IS NOT NULL;
DROP INDEX throttles_by_last;
CREATE INDEX throttles_by_last ON throttles (world, last_ms) WHERE last_ms IS NOT NULL;
DROP INDEX activations_by_expiry;
CREATE INDEX activations_by_expiry ON activations (world, expires_ms) WHERE expires_ms IS NOT NULL;
DROP INDEX assertions_by_expiry;
CREATE INDEX assertions_by_expiry ON assertions (world, expires_ms) WHERE expires_ms IS NOT NULL;
DROP INDEX devices_by_id;
CREATE UNIQUE INDEX devices_by_id ON devices (world, id) WHERE id IS NOT NULL;
DROP INDEX logout_notices_by_due;
CREATE INDEX logout_notices_by_due ON logout_notices (world, due_ms) WHERE due_ms IS NOT NULL;
DROP INDEX sms_by_number;
CREATE INDEX sms_by_number ON sms (world, to_number, visible_ms) WHERE to_number IS NOT NULL;
-- Messages to one number are asked for by their time too, but not by when they
-- were sent.
DROP INDEX sms_by_time;
CREATE INDEX sms_by_time ON sms (world, visible_ms) WHERE sent_ms IS NOT NULL;
