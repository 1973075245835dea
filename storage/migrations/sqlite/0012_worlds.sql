-- Worlds beside the default one: each with a policy and an API token of its own,
-- removed when nobody uses it any more.

ALTER TABLE worlds ADD COLUMN policy TEXT NOT NULL DEFAULT '';
ALTER TABLE worlds ADD COLUMN token_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE worlds ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worlds ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
