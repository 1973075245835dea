-- What a collection of expired rows needs: when each row may go, indexed.

-- end_ms is when a login ended. A redeemed code must be remembered longer, as
-- long as a token that its replay would revoke: the collection moves end_ms.
ALTER TABLE logins ADD COLUMN end_ms INTEGER NOT NULL DEFAULT 0;
UPDATE logins SET end_ms = max(expires_ms, code_expires_ms);
DROP INDEX logins_by_expiry;
CREATE INDEX logins_by_end ON logins (world, end_ms);

-- last_ms is the last event that a throttle counts, or the end of its lock.
ALTER TABLE throttles ADD COLUMN last_ms INTEGER NOT NULL DEFAULT 0;
UPDATE throttles SET last_ms = max(locked_ms, coalesce((SELECT max(value) FROM json_each(times)), 0));
CREATE INDEX throttles_by_last ON throttles (world, last_ms);
