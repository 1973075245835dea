-- Which browser signed in: signing out ends all sessions of it that are open.
-- Ended ones are not in the index, so that a browser may have had thousands.
ALTER TABLE sessions ADD COLUMN browser_hash TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_by_browser ON sessions (world, browser_hash) WHERE ended_ms = 0 AND browser_hash <> '';
