-- +goose Up

-- Links that sign somebody in once, without a password.
CREATE TABLE sign_in_links (
	hash       BLOB   NOT NULL PRIMARY KEY,       -- SHA-256 of the token in the link
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	purpose    TEXT   NOT NULL,                   -- sign_in
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL                    -- 0 until its button is pressed
) WITHOUT ROWID;
CREATE INDEX sign_in_links_user ON sign_in_links (user_id);
CREATE INDEX sign_in_links_expiry ON sign_in_links (expires_at);

-- Browser and system in two words, by which its owner knows a session again; never the whole User-Agent.
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
