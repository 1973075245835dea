-- One world may answer under several issuers; a logout token names the one the
-- client knows. '' = that of the world, of notices written before.

ALTER TABLE logout_notices ADD COLUMN issuer TEXT COLLATE "C" NOT NULL DEFAULT '';
