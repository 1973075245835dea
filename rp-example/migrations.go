package main

// Migrations are appended, never edited; PRAGMA user_version counts them.
var migrations = []string{firstTables, linkingTables}

const firstTables = `
CREATE TABLE accounts (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	created_ms INTEGER NOT NULL
) STRICT;

-- A person from the provider is (iss, sub) and nothing else (OIDC Core 5.7).
-- The number in claims is an attribute: no index, no uniqueness, no join.
CREATE TABLE identities (
	iss        TEXT NOT NULL,
	sub        TEXT NOT NULL,
	account_id TEXT NOT NULL REFERENCES accounts(id),
	claims     TEXT NOT NULL,
	claims_ms  INTEGER NOT NULL,
	PRIMARY KEY (iss, sub)
) STRICT;

CREATE TABLE local_logins (
	username   TEXT PRIMARY KEY,
	account_id TEXT NOT NULL REFERENCES accounts(id),
	password   TEXT NOT NULL,
	role       TEXT NOT NULL,
	cccd       TEXT NOT NULL,
	cmnd       TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
	id         TEXT PRIMARY KEY,
	account_id TEXT REFERENCES accounts(id), -- NULL before sign-in
	method     TEXT NOT NULL,                -- '', 'vneid', 'local'
	iss        TEXT NOT NULL,
	sub        TEXT NOT NULL,
	sid        TEXT NOT NULL,
	id_token   TEXT NOT NULL,                -- for id_token_hint at sign-out
	username   TEXT NOT NULL,
	acr        TEXT NOT NULL,
	amr        TEXT NOT NULL,
	auth_ms    INTEGER NOT NULL,
	signed_ms  INTEGER NOT NULL,
	seen_ms    INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_expiry ON sessions(expires_ms);

CREATE TABLE attempts (
	state      TEXT PRIMARY KEY,
	session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
	issuer     TEXT NOT NULL,
	nonce      TEXT NOT NULL,
	verifier   TEXT NOT NULL,
	wanted     TEXT NOT NULL,
	started_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	used_ms    INTEGER
) STRICT;
CREATE INDEX attempts_by_session ON attempts(session_id);
CREATE INDEX attempts_by_expiry ON attempts(expires_ms);

CREATE TABLE password_tries (
	username   TEXT PRIMARY KEY, -- SHA-256: unknown names are counted too
	tries      INTEGER NOT NULL,
	until_ms   INTEGER NOT NULL
) STRICT;
`

// linkingTables came with the linking of accounts. identities.cccd has an index
// to find questions and conflicts by; who somebody is stays (iss, sub).
const linkingTables = `
ALTER TABLE identities ADD COLUMN cccd      TEXT NOT NULL DEFAULT '';    -- the last one VNeID verified; kept when a later sign-in tells none
ALTER TABLE identities ADD COLUMN number_ms INTEGER NOT NULL DEFAULT 0;  -- since when the pair has had it
ALTER TABLE identities ADD COLUMN name      TEXT NOT NULL DEFAULT '';    -- the last ones that were told, to notice another person
ALTER TABLE identities ADD COLUMN birthdate TEXT NOT NULL DEFAULT '';
UPDATE identities SET cccd = coalesce(json_extract(claims, '$.cccd'), ''), name = coalesce(json_extract(claims, '$.name'), ''),
	birthdate = coalesce(json_extract(claims, '$.birthdate'), ''), number_ms = claims_ms;
CREATE INDEX identities_by_cccd ON identities(cccd);
CREATE UNIQUE INDEX identities_by_account ON identities(account_id);     -- an account is one pair's, whatever races

ALTER TABLE local_logins ADD COLUMN birthdate     TEXT NOT NULL DEFAULT '';
ALTER TABLE local_logins ADD COLUMN declared_ms   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE local_logins ADD COLUMN wish          TEXT NOT NULL DEFAULT ''; -- a CCCD typed while CSDL Dân cư was silent
ALTER TABLE local_logins ADD COLUMN linked_ms     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE local_logins ADD COLUMN released_iss  TEXT NOT NULL DEFAULT '';
ALTER TABLE local_logins ADD COLUMN released_sub  TEXT NOT NULL DEFAULT '';
ALTER TABLE local_logins ADD COLUMN released_ms   INTEGER NOT NULL DEFAULT 0;
CREATE INDEX local_logins_by_cccd ON local_logins(cccd);
CREATE INDEX local_logins_by_cmnd ON local_logins(cmnd);
CREATE INDEX local_logins_by_account ON local_logins(account_id);

CREATE TABLE refusals (     -- Bỏ qua on the question of linking: it is not asked again
	iss      TEXT NOT NULL,
	sub      TEXT NOT NULL,
	username TEXT NOT NULL,
	at_ms    INTEGER NOT NULL,
	PRIMARY KEY (iss, sub, username)
) STRICT;

CREATE TABLE officer_links (
	iss      TEXT NOT NULL,
	sub      TEXT NOT NULL,
	username TEXT NOT NULL REFERENCES local_logins(username),
	at_ms    INTEGER NOT NULL,
	PRIMARY KEY (iss, sub, username)
) STRICT;

ALTER TABLE sessions ADD COLUMN wanted    TEXT NOT NULL DEFAULT '/';  -- the page behind a detour (CCCD, linking)
ALTER TABLE sessions ADD COLUMN notice    TEXT NOT NULL DEFAULT '';   -- told once, on the next page
ALTER TABLE sessions ADD COLUMN officer   TEXT NOT NULL DEFAULT '';   -- the officer's account whose role was taken up
ALTER TABLE sessions ADD COLUMN proved_ms INTEGER NOT NULL DEFAULT 0; -- when the person last proved to VNeID who they are
ALTER TABLE sessions ADD COLUMN fresh_ms  INTEGER NOT NULL DEFAULT 0; -- VNeID asked for the password anew, to unlink
CREATE INDEX sessions_by_pair ON sessions(iss, sub);
CREATE INDEX sessions_by_account ON sessions(account_id);

ALTER TABLE attempts ADD COLUMN purpose TEXT NOT NULL DEFAULT 'sign-in';
ALTER TABLE attempts ADD COLUMN acr     TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN max_age INTEGER NOT NULL DEFAULT -1;

CREATE TABLE arrivals (     -- a VNeID sign-in that waits for "who do you want to be"
	session_id TEXT PRIMARY KEY REFERENCES sessions(id) ON DELETE CASCADE,
	proof      TEXT NOT NULL,
	wanted     TEXT NOT NULL,
	at_ms      INTEGER NOT NULL
) STRICT;

CREATE TABLE drafts (       -- what was typed into a form, across every detour
	session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
	procedure  TEXT NOT NULL,
	fields     TEXT NOT NULL,
	at_ms      INTEGER NOT NULL,
	PRIMARY KEY (session_id, procedure)
) STRICT;

CREATE TABLE dossiers (
	id         TEXT PRIMARY KEY,
	account_id TEXT NOT NULL REFERENCES accounts(id),
	procedure  TEXT NOT NULL,
	applicant  TEXT NOT NULL,
	fields     TEXT NOT NULL,
	status     TEXT NOT NULL,
	verified   INTEGER NOT NULL, -- 1: filed by somebody VNeID had verified
	once       TEXT NOT NULL UNIQUE, -- one form, one dossier, however often the button is pressed
	filed_ms   INTEGER NOT NULL,
	changed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX dossiers_by_account ON dossiers(account_id, filed_ms);
CREATE INDEX dossiers_by_status ON dossiers(status, filed_ms);

CREATE TABLE dossier_steps (
	dossier_id TEXT NOT NULL REFERENCES dossiers(id),
	at_ms      INTEGER NOT NULL,
	status     TEXT NOT NULL,
	actor      TEXT NOT NULL,
	note       TEXT NOT NULL
) STRICT;
CREATE INDEX dossier_steps_by_dossier ON dossier_steps(dossier_id, at_ms);

CREATE TABLE sign_ins (
	account_id TEXT NOT NULL,
	at_ms      INTEGER NOT NULL,
	method     TEXT NOT NULL,
	acr        TEXT NOT NULL,
	browser    TEXT NOT NULL,
	address    TEXT NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_account ON sign_ins(account_id, at_ms);

CREATE TABLE audit (        -- only ever appended to; numbers are masked before they get here
	id         INTEGER PRIMARY KEY,
	at_ms      INTEGER NOT NULL,
	account_id TEXT NOT NULL,   -- whose business it is
	who        TEXT NOT NULL,
	what       TEXT NOT NULL,
	matched    TEXT NOT NULL,   -- which key matched
	why        TEXT NOT NULL,
	number     TEXT NOT NULL,
	attention  INTEGER NOT NULL -- 1: an officer should look
) STRICT;
CREATE INDEX audit_by_account ON audit(account_id, at_ms);

CREATE TABLE logout_tokens (
	jti        TEXT PRIMARY KEY,
	expires_ms INTEGER NOT NULL
) STRICT;
`
