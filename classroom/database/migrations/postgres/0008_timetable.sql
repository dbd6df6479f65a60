-- +goose Up

-- The rule of a weekly series. Its lessons are rows of lessons, made a term ahead.
CREATE TABLE series (
	id          BIGINT  NOT NULL PRIMARY KEY,
	course_id   BIGINT  NOT NULL REFERENCES courses (id),
	title       TEXT    NOT NULL,
	weekdays    TEXT    NOT NULL,                 -- 135: Monday, Wednesday, Friday
	first_date  TEXT    NOT NULL,
	last_date   TEXT    NOT NULL,                 -- the last day on which there can be one
	local_start TEXT    NOT NULL,
	local_end   TEXT    NOT NULL,
	zone        TEXT    NOT NULL,                 -- IANA
	second      BOOLEAN NOT NULL,                 -- of a time that clocks show twice the second is meant
	made_until  TEXT    NOT NULL,                 -- every day up to this one has its lesson
	stop_id     BIGINT  NOT NULL,                 -- the cancellation that ended it, 0 while it goes on
	created_at  BIGINT  NOT NULL,
	created_by  BIGINT  NOT NULL
);
CREATE INDEX series_course ON series (course_id);

ALTER TABLE lessons ADD COLUMN series_date   TEXT    NOT NULL DEFAULT '';    -- the day of the rule that it stands for, also when it was moved
ALTER TABLE lessons ADD COLUMN second        BOOLEAN NOT NULL DEFAULT FALSE; -- of a time that clocks show twice the second is meant
ALTER TABLE lessons ADD COLUMN own           BOOLEAN NOT NULL DEFAULT FALSE; -- changed by itself: what is done to its series leaves it alone
ALTER TABLE lessons ADD COLUMN moved_from_at BIGINT  NOT NULL DEFAULT 0;     -- the start that students knew first
ALTER TABLE lessons ADD COLUMN note          TEXT    NOT NULL DEFAULT '';    -- why it is cancelled
ALTER TABLE lessons ADD COLUMN cancel_id     BIGINT  NOT NULL DEFAULT 0;     -- those cancelled together share it
ALTER TABLE lessons ADD COLUMN revision      BIGINT  NOT NULL DEFAULT 0;     -- how often calendars had to learn it anew
ALTER TABLE lessons ADD COLUMN changed_at    BIGINT  NOT NULL DEFAULT 0;     -- when they had to last
UPDATE lessons SET changed_at = created_at;

-- Series were lessons with one id in common, a week apart.
UPDATE lessons SET series_date = local_date WHERE series_id <> 0;
INSERT INTO series (id, course_id, title, weekdays, first_date, last_date, local_start, local_end, zone, second, made_until, stop_id, created_at, created_by)
SELECT series_id, MIN(course_id), MIN(title), EXTRACT(ISODOW FROM MIN(local_date)::date)::int::text,
	MIN(local_date), MAX(local_date), MIN(local_start), MIN(local_end), MIN(zone), FALSE, MAX(local_date), 0, MIN(created_at), MIN(created_by)
FROM lessons WHERE series_id <> 0 GROUP BY series_id;

-- A day of a series has one lesson at most, whoever makes it.
CREATE UNIQUE INDEX lessons_series ON lessons (series_id, series_date) WHERE series_id <> 0;
CREATE INDEX lessons_moved ON lessons (moved_from_at) WHERE moved_from_at > 0;

-- Who has an address for their calendar. It is computed from the turn and the school's secret.
CREATE TABLE calendar_links (
	user_id BIGINT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	turn    BIGINT NOT NULL,                      -- a new address is a new turn, and the old one is dead
	made_at BIGINT NOT NULL
);
