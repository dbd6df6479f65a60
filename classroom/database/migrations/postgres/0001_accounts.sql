-- +goose Up

-- One deployment is one school: the row always has id 1.
CREATE TABLE school (
	id               BIGINT  NOT NULL PRIMARY KEY CHECK (id = 1),
	name             TEXT    NOT NULL,
	zone             TEXT    NOT NULL,            -- IANA
	lang             TEXT    NOT NULL,
	policy           TEXT    NOT NULL,            -- JSON: what the attendance feature overrides, {} is its defaults
	policy_version   BIGINT  NOT NULL,
	setup_hash       BYTEA   NOT NULL,            -- SHA-256 of the set-up token while there is no admin
	setup_expires_at BIGINT  NOT NULL,
	created_at       BIGINT  NOT NULL
);
INSERT INTO school (id, name, zone, lang, policy, policy_version, setup_hash, setup_expires_at, created_at)
VALUES (1, '', 'UTC', 'en', '{}', 1, decode(repeat('00', 32), 'hex'), 0, 0);

CREATE TABLE users (
	id           BIGINT  NOT NULL PRIMARY KEY,
	email        TEXT    NOT NULL,                -- folded; '' for those who have none
	display_name TEXT    NOT NULL,
	given_name   TEXT    NOT NULL,
	family_name  TEXT    NOT NULL,
	student_id   TEXT    NOT NULL,
	password     TEXT    NOT NULL,                -- PHC string; '' when none was set
	admin        BOOLEAN NOT NULL,
	lang         TEXT    NOT NULL,                -- '' follows the browser
	created_at   BIGINT  NOT NULL,
	disabled_at  BIGINT  NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email) WHERE email <> '';
CREATE UNIQUE INDEX users_student_id ON users (student_id) WHERE student_id <> '';

CREATE TABLE sessions (
	hash       BYTEA  NOT NULL PRIMARY KEY,      -- SHA-256 of the token in the cookie
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL                    -- the absolute end
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE stream_keys (
	id         TEXT   NOT NULL PRIMARY KEY,       -- the public eight letters
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name       TEXT   NOT NULL,
	hash       BYTEA  NOT NULL,                  -- SHA-256 of the secret
	created_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL
);
CREATE INDEX stream_keys_user ON stream_keys (user_id);

CREATE TABLE courses (
	id          BIGINT  NOT NULL PRIMARY KEY,
	code        TEXT    NOT NULL,
	title       TEXT    NOT NULL,
	term        TEXT    NOT NULL,
	zone        TEXT    NOT NULL,                 -- IANA
	policy      TEXT    NOT NULL,                 -- JSON: what differs from the school's, {} is nothing
	auto_live   BOOLEAN NOT NULL,
	created_at  BIGINT  NOT NULL,
	archived_at BIGINT  NOT NULL
);
CREATE UNIQUE INDEX courses_code ON courses (term, code);

CREATE TABLE enrollments (
	id         BIGINT NOT NULL PRIMARY KEY,
	course_id  BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
	user_id    BIGINT NOT NULL REFERENCES users (id),
	role       TEXT   NOT NULL CHECK (role IN ('teacher', 'assistant', 'student')),
	section    TEXT   NOT NULL,                   -- the group inside the course
	from_at    BIGINT NOT NULL,
	until_at   BIGINT NOT NULL                    -- 0 while it lasts
);
-- A person has one running enrollment in a course; those that ended stay for the registers.
CREATE UNIQUE INDEX enrollments_running ON enrollments (course_id, user_id) WHERE until_at = 0;
CREATE INDEX enrollments_course ON enrollments (course_id);
CREATE INDEX enrollments_user ON enrollments (user_id);

-- What was done, in order and never changed. Each line holds the hash of the line before it.
CREATE TABLE audit (
	seq      BIGINT NOT NULL PRIMARY KEY,
	at       BIGINT NOT NULL,
	actor_id BIGINT NOT NULL,                     -- 0: the program, or nobody who is known
	action   TEXT   NOT NULL,
	object   TEXT   NOT NULL,                     -- course:0abc…
	detail   TEXT   NOT NULL,                     -- JSON
	prev     BYTEA  NOT NULL,
	hash     BYTEA  NOT NULL
);
CREATE INDEX audit_object ON audit (object, seq);
CREATE INDEX audit_actor ON audit (actor_id, seq);
-- The end of the chain. Who writes a line updates this row first, so writers queue here.
CREATE TABLE audit_head (
	id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	seq  BIGINT NOT NULL,
	hash BYTEA  NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
