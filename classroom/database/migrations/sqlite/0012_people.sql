-- +goose Up

ALTER TABLE users ADD COLUMN invited_at BIGINT NOT NULL DEFAULT 0; -- 0: never, or they have come
ALTER TABLE users ADD COLUMN erased_at BIGINT NOT NULL DEFAULT 0;

-- A time-based one-time password (RFC 6238).
CREATE TABLE second_factors (
	user_id      BIGINT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	secret       BLOB   NOT NULL,
	confirmed_at BIGINT NOT NULL,                 -- 0 until its first code was right
	last_step    BIGINT NOT NULL                  -- of the last code taken: none works twice
) WITHOUT ROWID;
CREATE TABLE recovery_codes (
	user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash    BLOB   NOT NULL,                       -- SHA-256
	PRIMARY KEY (user_id, hash)
) WITHOUT ROWID;

-- Whether admins need a second factor for what cannot be taken back.
ALTER TABLE school ADD COLUMN second_factor BOOLEAN NOT NULL DEFAULT FALSE;
