-- +goose Up

CREATE TABLE lessons (
	id               BIGINT NOT NULL PRIMARY KEY,
	course_id        BIGINT NOT NULL REFERENCES courses (id),
	series_id        BIGINT NOT NULL,             -- lessons of one weekly series share it, 0 is none
	title            TEXT   NOT NULL,
	local_date       TEXT   NOT NULL,             -- 2026-10-26; of an unplanned lesson the day it was begun
	local_start      TEXT   NOT NULL,             -- 09:00
	local_end        TEXT   NOT NULL,             -- 09:45, '' when unplanned
	zone             TEXT   NOT NULL,             -- IANA
	planned_start_at BIGINT NOT NULL,             -- 0 when unplanned
	planned_end_at   BIGINT NOT NULL,
	extended_min     BIGINT NOT NULL,             -- more time given while it ran; not part of the plan
	state            TEXT   NOT NULL CHECK (state IN ('planned', 'open', 'live', 'interrupted', 'ended', 'closed', 'cancelled')),
	publisher_id     BIGINT NOT NULL,             -- whose encoder students see or saw last, 0 before the first
	live_at          BIGINT NOT NULL,             -- first Go live
	ended_at         BIGINT NOT NULL,
	closed_at        BIGINT NOT NULL,
	created_at       BIGINT NOT NULL,
	created_by       BIGINT NOT NULL
);
CREATE INDEX lessons_course ON lessons (course_id, planned_start_at);
CREATE INDEX lessons_ended ON lessons (ended_at);
CREATE INDEX lessons_start ON lessons (planned_start_at);
-- What the ticker asks each second: few rows, whatever the school has taught before.
CREATE INDEX lessons_unfinished ON lessons (state, planned_start_at) WHERE state NOT IN ('closed', 'cancelled');

CREATE TABLE broadcasts (
	id           BIGINT  NOT NULL PRIMARY KEY,
	lesson_id    BIGINT  NOT NULL,                -- 0 for a rehearsal
	publisher_id BIGINT  NOT NULL REFERENCES users (id),
	key_id       TEXT    NOT NULL,
	encoder      TEXT    NOT NULL,                -- as it names itself
	video        TEXT    NOT NULL,                -- in words, '' without picture
	audio        TEXT    NOT NULL,
	started_at   BIGINT  NOT NULL,
	seen_at      BIGINT  NOT NULL,                -- the last packet known of
	ended_at     BIGINT  NOT NULL,
	stopped      BOOLEAN NOT NULL,                -- Stop was pressed; false: lost
	end_code     TEXT    NOT NULL
);
CREATE INDEX broadcasts_lesson ON broadcasts (lesson_id, started_at);
CREATE INDEX broadcasts_publisher ON broadcasts (publisher_id, started_at);

-- [from_at, until_at): students could see the lesson.
CREATE TABLE air_intervals (
	id           BIGINT NOT NULL PRIMARY KEY,
	lesson_id    BIGINT NOT NULL REFERENCES lessons (id),
	broadcast_id BIGINT NOT NULL,
	from_at      BIGINT NOT NULL,
	until_at     BIGINT NOT NULL,                 -- 0 while it goes on
	seen_at      BIGINT NOT NULL                  -- the last packet known of
);
CREATE INDEX air_intervals_lesson ON air_intervals (lesson_id, from_at);
-- A lesson has one open interval at most, whoever writes.
CREATE UNIQUE INDEX air_intervals_open ON air_intervals (lesson_id) WHERE until_at = 0;

-- The last ten of each teacher.
CREATE TABLE publish_attempts (
	id       BIGINT  NOT NULL PRIMARY KEY,
	user_id  BIGINT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	key_id   TEXT    NOT NULL,
	at       BIGINT  NOT NULL,
	protocol TEXT    NOT NULL,
	admitted BOOLEAN NOT NULL,
	code     TEXT    NOT NULL,                    -- '' when there is nothing to say
	detail   TEXT    NOT NULL
);
CREATE INDEX publish_attempts_user ON publish_attempts (user_id, at);
