-- +goose Up

-- JSON: how many days each kind of data is kept, where the school changed it; {} is the defaults.
ALTER TABLE school ADD COLUMN retention TEXT NOT NULL DEFAULT '{}';

-- Where the audit log begins: the last line that its retention removed. Whoever removes older lines moves it.
CREATE TABLE audit_anchor (
	id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	seq  BIGINT NOT NULL,
	hash BLOB NOT NULL
);
INSERT INTO audit_anchor (id, seq, hash) VALUES (1, 0, zeroblob(32));
CREATE INDEX audit_at ON audit (at);

-- What programs sign in with.
CREATE TABLE api_tokens (
	hash       BLOB   NOT NULL PRIMARY KEY,          -- SHA-256 of the token
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- who made it, and as whom it acts
	name       TEXT   NOT NULL,
	scope      TEXT   NOT NULL CHECK (scope IN ('read', 'write')),
	created_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX api_tokens_user ON api_tokens (user_id);
