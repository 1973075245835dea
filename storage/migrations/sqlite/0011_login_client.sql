-- A login is read together with its client.

ALTER TABLE logins ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
UPDATE logins SET client_id = coalesce(json_extract(request, '$.client_id'), '');
