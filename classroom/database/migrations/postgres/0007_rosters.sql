-- +goose Up

-- By which students come into a course by themselves. A course has one code at most.
CREATE TABLE join_codes (
	course_id BIGINT  NOT NULL PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
	code      TEXT    NOT NULL,
	open      BOOLEAN NOT NULL,
	approve   BOOLEAN NOT NULL,                   -- who comes waits until the staff lets them in
	max_uses  BIGINT  NOT NULL,                   -- 0: no limit
	uses      BIGINT  NOT NULL,                   -- of this code
	made_at   BIGINT  NOT NULL
);
CREATE UNIQUE INDEX join_codes_code ON join_codes (code);

-- Who asked to join and is not in the course yet.
CREATE TABLE waiting (
	course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
	user_id   BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	asked_at  BIGINT NOT NULL,
	PRIMARY KEY (course_id, user_id)
);
CREATE INDEX waiting_user ON waiting (user_id);

-- Who made their account themselves, with a class code: nobody has checked that the address is theirs.
CREATE TABLE sign_ups (
	user_id   BIGINT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	course_id BIGINT NOT NULL,                    -- whose code it was
	at        BIGINT NOT NULL
);

-- Rosters that were uploaded: the file until it is applied or a day old, and then what became of it.
CREATE TABLE roster_imports (
	id          BIGINT  NOT NULL PRIMARY KEY,
	course_id   BIGINT  NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
	by_id       BIGINT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name        TEXT    NOT NULL,                 -- of the file
	encoding    TEXT    NOT NULL,                 -- '' finds out
	content     BYTEA   NOT NULL,
	end_missing BOOLEAN NOT NULL,
	state       TEXT    NOT NULL CHECK (state IN ('preview', 'queued', 'done', 'failed')),
	outcome     TEXT    NOT NULL,                 -- JSON: what changed
	made_at     BIGINT  NOT NULL
);
CREATE INDEX roster_imports_course ON roster_imports (course_id, by_id);
CREATE INDEX roster_imports_made ON roster_imports (made_at);
CREATE INDEX roster_imports_queued ON roster_imports (made_at) WHERE state = 'queued';

-- A school takes one roster at a time. Whose turn it is updates this row first; the next waits for its commit.
CREATE TABLE roster_turn (
	id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	at BIGINT NOT NULL
);
INSERT INTO roster_turn (id, at) VALUES (1, 0);
