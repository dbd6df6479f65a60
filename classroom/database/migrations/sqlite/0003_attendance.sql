-- +goose Up

-- One open class page on one device.
CREATE TABLE views (
	id        BIGINT NOT NULL PRIMARY KEY,
	lesson_id BIGINT NOT NULL REFERENCES lessons (id),
	user_id   BIGINT NOT NULL REFERENCES users (id),
	token     TEXT   NOT NULL,                    -- the name the page gave itself
	device    BIGINT NOT NULL,                    -- the same for all pages of one signed-in browser
	device_class TEXT NOT NULL,                   -- phone, tablet, computer or ''
	n         BIGINT NOT NULL,                    -- of the last beat taken
	pos_ms    BIGINT NOT NULL,                    -- where in the programme its player stood then
	opened_at BIGINT NOT NULL,                    -- first heard of
	last_at   BIGINT NOT NULL                     -- when beat n arrived
);
CREATE UNIQUE INDEX views_token ON views (lesson_id, user_id, token);
CREATE INDEX views_user ON views (user_id);

-- [from_at, to_at) of a view in one state; grows while the state lasts. n is the beat that began it.
CREATE TABLE intervals (
	view_id      BIGINT NOT NULL REFERENCES views (id) ON DELETE CASCADE,
	n            BIGINT NOT NULL,
	state        TEXT   NOT NULL CHECK (state IN ('playing', 'stalled', 'paused')),
	from_at      BIGINT NOT NULL,
	to_at        BIGINT NOT NULL,
	seen_from_ms BIGINT NOT NULL,                 -- of the programme; empty unless playing
	seen_to_ms   BIGINT NOT NULL,
	PRIMARY KEY (view_id, n)
) WITHOUT ROWID;

-- A closed register. The newest version counts; the others say what was before a recompute.
CREATE TABLE registers (
	lesson_id      BIGINT  NOT NULL REFERENCES lessons (id),
	version        BIGINT  NOT NULL,              -- 1, 2, …
	closed_at      BIGINT  NOT NULL,
	closed_by      BIGINT  NOT NULL,              -- 0: the clock
	policy         TEXT    NOT NULL,              -- JSON, all numbers
	policy_version BIGINT  NOT NULL,
	counted        TEXT    NOT NULL,              -- JSON: the counted window, [[from,to],…] in Unix ms
	outside        BOOLEAN NOT NULL,              -- held outside its schedule
	programme_s    BIGINT  NOT NULL,              -- length of the programme
	intervals_hash BLOB    NOT NULL,              -- SHA-256 of the intervals it was counted from
	settles_at     BIGINT  NOT NULL,              -- until then catching up and making up may still change the rows
	settled        BOOLEAN NOT NULL,              -- the rows hold their last figures
	PRIMARY KEY (lesson_id, version)
) WITHOUT ROWID;
CREATE INDEX registers_unsettled ON registers (settles_at) WHERE NOT settled;

CREATE TABLE register_rows (
	lesson_id   BIGINT NOT NULL,
	version     BIGINT NOT NULL,
	user_id     BIGINT NOT NULL REFERENCES users (id),
	section     TEXT   NOT NULL,                  -- the group inside the course, as it was then
	live_status TEXT   NOT NULL,                  -- by the live figures alone
	status      TEXT   NOT NULL,                  -- after catching up or making up; corrections lie on top
	visits      TEXT   NOT NULL,                  -- JSON: [[from,to],…] in Unix ms
	devices     BIGINT NOT NULL,
	attended    BOOLEAN NOT NULL,                 -- was there in the window: late_s and early_s mean something
	attending_s BIGINT NOT NULL,
	played_s    BIGINT NOT NULL,
	late_s      BIGINT NOT NULL,
	early_s     BIGINT NOT NULL,
	replay_s    BIGINT NOT NULL,
	covered_s   BIGINT NOT NULL,
	PRIMARY KEY (lesson_id, version, user_id),
	FOREIGN KEY (lesson_id, version) REFERENCES registers (lesson_id, version)
) WITHOUT ROWID;
CREATE INDEX register_rows_user ON register_rows (user_id);

-- What somebody put in the place of the computed status. The newest of a student counts; an empty status gives
-- the computed one back. Rows are never changed.
CREATE TABLE corrections (
	id        BIGINT NOT NULL PRIMARY KEY,
	lesson_id BIGINT NOT NULL REFERENCES lessons (id),
	user_id   BIGINT NOT NULL REFERENCES users (id),
	seq       BIGINT NOT NULL,                    -- 1, 2, … of this student in this lesson
	status    TEXT   NOT NULL,
	minutes   BIGINT,                             -- NULL: as computed
	reason    TEXT   NOT NULL,
	note      TEXT   NOT NULL,
	previous  TEXT   NOT NULL,                    -- the status shown before
	at        BIGINT NOT NULL,
	by_id     BIGINT NOT NULL REFERENCES users (id)
);
CREATE UNIQUE INDEX corrections_seq ON corrections (lesson_id, user_id, seq);
CREATE INDEX corrections_user ON corrections (user_id);

-- Attempts to join that did not work.
CREATE TABLE join_failures (
	id        BIGINT NOT NULL PRIMARY KEY,
	lesson_id BIGINT NOT NULL REFERENCES lessons (id),
	user_id   BIGINT NOT NULL REFERENCES users (id),
	at        BIGINT NOT NULL,
	reason    TEXT   NOT NULL                     -- a code of the message table
);
CREATE INDEX join_failures_lesson ON join_failures (lesson_id, user_id);
