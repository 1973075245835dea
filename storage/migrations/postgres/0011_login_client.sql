-- A login is read together with its client.

ALTER TABLE logins ADD COLUMN client_id TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE logins SET client_id = coalesce(request::json->>'client_id', '');
