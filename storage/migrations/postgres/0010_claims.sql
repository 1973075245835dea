-- Claims asked for one by one (OIDC Core §5.5), and why a login was refused.

ALTER TABLE tokens ADD COLUMN claims TEXT NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN refusal TEXT NOT NULL DEFAULT '';
