CREATE TABLE goose_db_version (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version_id INTEGER NOT NULL,
	is_applied INTEGER NOT NULL,
	tstamp TIMESTAMP DEFAULT (datetime('now'))
);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1);



-- One deployment is one school: the row always has id 1.
CREATE TABLE school (
	id               INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	name             TEXT    NOT NULL,
	zone             TEXT    NOT NULL,            -- IANA
	lang             TEXT    NOT NULL,
	policy           TEXT    NOT NULL,            -- JSON: what the attendance feature overrides, {} is its defaults
	policy_version   BIGINT  NOT NULL,
	setup_hash       BLOB    NOT NULL,            -- SHA-256 of the set-up token while there is no admin
	setup_expires_at BIGINT  NOT NULL,
	created_at       BIGINT  NOT NULL
);
INSERT INTO school (id, name, zone, lang, policy, policy_version, setup_hash, setup_expires_at, created_at)
VALUES (1, '', 'UTC', 'en', '{}', 1, zeroblob(32), 0, 0);

CREATE TABLE users (
	id           INTEGER NOT NULL PRIMARY KEY,
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
	hash       BLOB   NOT NULL PRIMARY KEY,       -- SHA-256 of the token in the cookie
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL                    -- the absolute end
) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE stream_keys (
	id         TEXT   NOT NULL PRIMARY KEY,       -- the public eight letters
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name       TEXT   NOT NULL,
	hash       BLOB   NOT NULL,                   -- SHA-256 of the secret
	created_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL
);
CREATE INDEX stream_keys_user ON stream_keys (user_id);

CREATE TABLE courses (
	id          INTEGER NOT NULL PRIMARY KEY,
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
	id         INTEGER NOT NULL PRIMARY KEY,
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
	seq      INTEGER NOT NULL PRIMARY KEY,
	at       BIGINT NOT NULL,
	actor_id BIGINT NOT NULL,                     -- 0: the program, or nobody who is known
	action   TEXT   NOT NULL,
	object   TEXT   NOT NULL,                     -- course:0abc…
	detail   TEXT   NOT NULL,                     -- JSON
	prev     BLOB   NOT NULL,
	hash     BLOB   NOT NULL
);
CREATE INDEX audit_object ON audit (object, seq);
CREATE INDEX audit_actor ON audit (actor_id, seq);
-- The end of the chain. Who writes a line updates this row first, so writers queue here.
CREATE TABLE audit_head (
	id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	seq  BIGINT NOT NULL,
	hash BLOB   NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, zeroblob(32));
INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1);



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
INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, 1);



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
INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, 1);



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
INSERT INTO goose_db_version (version_id, is_applied) VALUES (4, 1);



-- A beat may begin two stretches: one that stalled and one that played.
CREATE TABLE intervals_by_state (
	view_id      BIGINT NOT NULL REFERENCES views (id) ON DELETE CASCADE,
	n            BIGINT NOT NULL,
	state        TEXT   NOT NULL CHECK (state IN ('playing', 'stalled', 'paused')),
	from_at      BIGINT NOT NULL,
	to_at        BIGINT NOT NULL,
	seen_from_ms BIGINT NOT NULL,                 -- of the programme; empty unless playing
	seen_to_ms   BIGINT NOT NULL,
	PRIMARY KEY (view_id, n, state)
) WITHOUT ROWID;
INSERT INTO intervals_by_state (view_id, n, state, from_at, to_at, seen_from_ms, seen_to_ms)
SELECT view_id, n, state, from_at, to_at, seen_from_ms, seen_to_ms FROM intervals;
DROP TABLE intervals;
ALTER TABLE intervals_by_state RENAME TO intervals;
INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, 1);



-- Mails that wait for the mail server. A row goes when its mail has gone: what a letter says, and the link in it,
-- is made at that moment and stands nowhere.
CREATE TABLE mails (
	id         BIGINT NOT NULL PRIMARY KEY,
	user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind       TEXT   NOT NULL,                   -- what it is about
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,                   -- nobody wants it any more
	due_at     BIGINT NOT NULL,                   -- of the next try
	tries      BIGINT NOT NULL
);
-- Whoever asks ten times gets one mail.
CREATE UNIQUE INDEX mails_once ON mails (user_id, kind);
CREATE INDEX mails_due ON mails (due_at);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (6, 1);



-- By which students come into a course by themselves. A course has one code at most.
CREATE TABLE join_codes (
	course_id BIGINT  NOT NULL PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
	code      TEXT    NOT NULL,
	open      BOOLEAN NOT NULL,
	approve   BOOLEAN NOT NULL,                   -- who comes waits until the staff lets them in
	max_uses  BIGINT  NOT NULL,                   -- 0: no limit
	uses      BIGINT  NOT NULL,                   -- of this code
	made_at   BIGINT  NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX join_codes_code ON join_codes (code);

-- Who asked to join and is not in the course yet.
CREATE TABLE waiting (
	course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
	user_id   BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	asked_at  BIGINT NOT NULL,
	PRIMARY KEY (course_id, user_id)
) WITHOUT ROWID;
CREATE INDEX waiting_user ON waiting (user_id);

-- Who made their account themselves, with a class code: nobody has checked that the address is theirs.
CREATE TABLE sign_ups (
	user_id   BIGINT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	course_id BIGINT NOT NULL,                    -- whose code it was
	at        BIGINT NOT NULL
) WITHOUT ROWID;

-- Rosters that were uploaded: the file until it is applied or a day old, and then what became of it.
CREATE TABLE roster_imports (
	id          BIGINT  NOT NULL PRIMARY KEY,
	course_id   BIGINT  NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
	by_id       BIGINT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name        TEXT    NOT NULL,                 -- of the file
	encoding    TEXT    NOT NULL,                 -- '' finds out
	content     BLOB    NOT NULL,
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
	id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	at BIGINT  NOT NULL
);
INSERT INTO roster_turn (id, at) VALUES (1, 0);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, 1);



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
SELECT series_id, MIN(course_id), MIN(title), CASE strftime('%w', MIN(local_date)) WHEN '0' THEN '7' ELSE strftime('%w', MIN(local_date)) END,
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
INSERT INTO goose_db_version (version_id, is_applied) VALUES (8, 1);



-- The room of a lesson: its chat, questions, hands and polls. Every change takes the next number of the room, and
-- each row holds the number of its own last change; what a page missed is what has a higher one than it saw.
CREATE TABLE rooms (
	lesson_id BIGINT NOT NULL PRIMARY KEY REFERENCES lessons (id),
	rev       BIGINT NOT NULL,                    -- the last number that was taken
	mode      TEXT   NOT NULL CHECK (mode IN ('all', 'teacher', 'off')), -- who reads what students write
	slow_s    BIGINT NOT NULL,                    -- seconds between two messages of a student; 0: as they like
	set_rev   BIGINT NOT NULL                     -- when mode or slow_s changed
) WITHOUT ROWID;

CREATE TABLE messages (
	id         BIGINT  NOT NULL PRIMARY KEY,
	lesson_id  BIGINT  NOT NULL REFERENCES lessons (id),
	user_id    BIGINT  NOT NULL REFERENCES users (id),
	rev        BIGINT  NOT NULL,
	role       TEXT    NOT NULL,                  -- what they were in the course then
	private    BOOLEAN NOT NULL,                  -- for staff and its author only
	body       TEXT    NOT NULL,                  -- '' once it is removed
	nonce      TEXT    NOT NULL,                  -- of the page: the same message sent twice is one
	at         BIGINT  NOT NULL,
	pos_ms     BIGINT  NOT NULL,                  -- where the programme was then
	removed_at BIGINT  NOT NULL,
	removed_by BIGINT  NOT NULL
);
CREATE INDEX messages_rev ON messages (lesson_id, rev);
CREATE UNIQUE INDEX messages_nonce ON messages (lesson_id, user_id, nonce);
CREATE INDEX messages_user ON messages (user_id, lesson_id, at);
CREATE INDEX messages_at ON messages (at);

CREATE TABLE questions (
	id          BIGINT  NOT NULL PRIMARY KEY,
	lesson_id   BIGINT  NOT NULL REFERENCES lessons (id),
	user_id     BIGINT  NOT NULL REFERENCES users (id),
	rev         BIGINT  NOT NULL,
	shown_rev   BIGINT  NOT NULL,                 -- the last change that everybody sees; 0 while it was never pinned
	body        TEXT    NOT NULL,
	nonce       TEXT    NOT NULL,
	at          BIGINT  NOT NULL,
	pos_ms      BIGINT  NOT NULL,
	answer      TEXT    NOT NULL,                 -- '' when it was answered aloud
	answered_at BIGINT  NOT NULL,
	answered_by BIGINT  NOT NULL,
	pinned      BOOLEAN NOT NULL
);
CREATE INDEX questions_rev ON questions (lesson_id, rev);
CREATE UNIQUE INDEX questions_nonce ON questions (lesson_id, user_id, nonce);
CREATE INDEX questions_user ON questions (user_id);
CREATE INDEX questions_at ON questions (at);

-- A raised hand; its place in line is by raised_rev.
CREATE TABLE hands (
	id         BIGINT NOT NULL PRIMARY KEY,
	lesson_id  BIGINT NOT NULL REFERENCES lessons (id),
	user_id    BIGINT NOT NULL REFERENCES users (id),
	rev        BIGINT NOT NULL,
	raised_rev BIGINT NOT NULL,
	raised_at  BIGINT NOT NULL,
	called_at  BIGINT NOT NULL,
	lowered_at BIGINT NOT NULL,                   -- 0 while it is up
	lowered_by BIGINT NOT NULL
);
CREATE INDEX hands_rev ON hands (lesson_id, rev);
-- Nobody has two hands up, whoever writes.
CREATE UNIQUE INDEX hands_up ON hands (lesson_id, user_id) WHERE lowered_at = 0;
CREATE INDEX hands_user ON hands (user_id);
CREATE INDEX hands_raised ON hands (raised_at);

CREATE TABLE polls (
	id        BIGINT  NOT NULL PRIMARY KEY,
	lesson_id BIGINT  NOT NULL REFERENCES lessons (id),
	rev       BIGINT  NOT NULL,                   -- grows with every vote
	shown_rev BIGINT  NOT NULL,                   -- the last change that everybody sees
	body      TEXT    NOT NULL,
	multiple  BOOLEAN NOT NULL,
	pos_ms    BIGINT  NOT NULL,
	opened_at BIGINT  NOT NULL,
	opened_by BIGINT  NOT NULL REFERENCES users (id),
	closed_at BIGINT  NOT NULL,                   -- 0 while people vote
	voters    BIGINT  NOT NULL                    -- counted when it closes
);
CREATE INDEX polls_rev ON polls (lesson_id, rev);
-- A lesson has one open poll at most.
CREATE UNIQUE INDEX polls_open ON polls (lesson_id) WHERE closed_at = 0;
CREATE INDEX polls_opened ON polls (opened_at);

CREATE TABLE poll_options (
	poll_id BIGINT NOT NULL REFERENCES polls (id) ON DELETE CASCADE,
	n       BIGINT NOT NULL,                      -- 0, 1, …
	body    TEXT   NOT NULL,
	votes   BIGINT NOT NULL,                      -- counted when the poll closes
	PRIMARY KEY (poll_id, n)
) WITHOUT ROWID;

CREATE TABLE votes (
	poll_id BIGINT NOT NULL REFERENCES polls (id) ON DELETE CASCADE,
	user_id BIGINT NOT NULL REFERENCES users (id),
	choices BIGINT NOT NULL,                      -- bit n is set for option n
	at      BIGINT NOT NULL,
	PRIMARY KEY (poll_id, user_id)
) WITHOUT ROWID;
CREATE INDEX votes_user ON votes (user_id);

-- Who may not write in a lesson's room.
CREATE TABLE mutes (
	lesson_id BIGINT  NOT NULL REFERENCES lessons (id),
	user_id   BIGINT  NOT NULL REFERENCES users (id),
	rev       BIGINT  NOT NULL,
	muted     BOOLEAN NOT NULL,                   -- false: they may write again
	at        BIGINT  NOT NULL,
	by_id     BIGINT  NOT NULL,
	PRIMARY KEY (lesson_id, user_id)
) WITHOUT ROWID;
CREATE INDEX mutes_user ON mutes (user_id);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (9, 1);



-- What the attendance policies said, change by change. The newest of a course counts and stands in courses.policy, the
-- newest of the school (course 0) in school.policy; rows are never changed. Versions count the changes of all of them
-- together: school.policy_version is the last.
CREATE TABLE policies (
	course_id BIGINT NOT NULL,                    -- 0: the school's
	version   BIGINT NOT NULL,                    -- 1 is what held before the first change
	policy    TEXT   NOT NULL,                    -- JSON: what differs from the defaults, or from the school's
	at        BIGINT NOT NULL,                    -- 0: from the beginning
	by_id     BIGINT NOT NULL,                    -- 0: nobody
	PRIMARY KEY (course_id, version)
);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (10, 1);



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
INSERT INTO goose_db_version (version_id, is_applied) VALUES (11, 1);



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
INSERT INTO goose_db_version (version_id, is_applied) VALUES (12, 1);

-- What a school has, a row or more in every table of the newest schema: the upgrade test keeps it with each release.
-- hex'…' is a blob, written as each kind of database wants it.

UPDATE school SET name = 'Queenstown Lakes School', zone = 'Pacific/Auckland', lang = 'en', policy = '{"present_at":80}', policy_version = 3, created_at = 1767225600000, retention = '{"chat":30}', second_factor = TRUE WHERE id = 1;

INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at, invited_at, erased_at) VALUES
	(11, 'rosalind@school.example', 'Rosalind Adeyemi-Clarke', 'Rosalind', 'Adeyemi-Clarke', '', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA', TRUE, '', 1767225600000, 0, 0, 0),
	(12, 'tanaka@school.example', '田中 美咲', '美咲', '田中', '', '', FALSE, 'ja', 1767225600000, 0, 1767225600000, 0),
	(13, '', 'Łukasz O''Brien', 'Łukasz', 'O''Brien', '007', '', FALSE, 'en', 1767225600000, 1767312000000, 0, 0),
	(14, '', 'Removed student 7F3A', '', '', '', '', FALSE, '', 1767225600000, 1767312000000, 0, 1767398400000);

INSERT INTO second_factors (user_id, secret, confirmed_at, last_step) VALUES
	(11, X'0606060606060606060606060606060606060606', 1767225600000, 58907520);
INSERT INTO recovery_codes (user_id, hash) VALUES
	(11, X'0707070707070707070707070707070707070707070707070707070707070707');
INSERT INTO api_tokens (hash, user_id, name, scope, created_at, used_at, expires_at, revoked_at) VALUES
	(X'0808080808080808080808080808080808080808080808080808080808080808', 11, 'timetable', 'read', 1767225600000, 0, 1775001600000, 0);
INSERT INTO mails (id, user_id, kind, created_at, expires_at, due_at, tries) VALUES
	(15, 12, 'invite', 1767225600000, 1767830400000, 1767225660000, 3);
INSERT INTO calendar_links (user_id, turn, made_at) VALUES
	(12, 2, 1767225600000);

INSERT INTO sessions (hash, user_id, created_at, seen_at, expires_at, device) VALUES
	(X'0101010101010101010101010101010101010101010101010101010101010101', 11, 1767225600000, 1767225660000, 1775001600000, 'Firefox · Windows');

INSERT INTO sign_in_links (hash, user_id, purpose, created_at, expires_at, used_at) VALUES
	(X'0202020202020202020202020202020202020202020202020202020202020202', 12, 'sign_in', 1767225600000, 1767226500000, 0);

INSERT INTO stream_keys (id, user_id, name, hash, created_at, used_at, revoked_at) VALUES
	('abcdefgh', 12, 'laptop', X'0303030303030303030303030303030303030303030303030303030303030303', 1767225600000, 1767229200000, 0),
	('hgfedcba', 12, 'room 4', X'0404040404040404040404040404040404040404040404040404040404040404', 1767225600000, 0, 1767229200000);

INSERT INTO courses (id, code, title, term, zone, policy, auto_live, created_at, archived_at) VALUES
	(21, 'BIO-7B', 'Biology, year 7', '2026', 'Pacific/Auckland', '{}', TRUE, 1767225600000, 0);

INSERT INTO enrollments (id, course_id, user_id, role, section, from_at, until_at) VALUES
	(31, 21, 12, 'teacher', '', 1767225600000, 0),
	(32, 21, 13, 'student', 'A', 1767225600000, 1767312000000);

INSERT INTO join_codes (course_id, code, open, approve, max_uses, uses, made_at) VALUES
	(21, 'K7MQ2PXR', TRUE, TRUE, 40, 1, 1767225600000);
INSERT INTO waiting (course_id, user_id, asked_at) VALUES
	(21, 11, 1767225600000);
INSERT INTO sign_ups (user_id, course_id, at) VALUES
	(13, 21, 1767225600000);
INSERT INTO roster_imports (id, course_id, by_id, name, encoding, content, end_missing, state, outcome, made_at) VALUES
	(33, 21, 12, '7b.csv', 'utf-8', X'6e616d650a', TRUE, 'preview', '{}', 1767225600000);

INSERT INTO policies (course_id, version, policy, at, by_id) VALUES
	(0, 1, '{}', 0, 0),
	(0, 3, '{"present_at":80}', 1767225600000, 11);

INSERT INTO series (id, course_id, title, weekdays, first_date, last_date, local_start, local_end, zone, second, made_until, stop_id, created_at, created_by) VALUES
	(7, 21, 'Tissue', '4', '2026-01-08', '2026-01-22', '13:00', '13:45', 'Pacific/Auckland', FALSE, '2026-01-22', 0, 1767139200000, 12);

INSERT INTO lessons (id, course_id, series_id, title, local_date, local_start, local_end, zone, planned_start_at, planned_end_at, extended_min, state, publisher_id, live_at, ended_at, closed_at, created_at, created_by,
	series_date, second, own, moved_from_at, note, cancel_id, revision, changed_at) VALUES
	(41, 21, 0, 'Cells', '2026-01-01', '13:00', '13:45', 'Pacific/Auckland', 1767225600000, 1767228300000, 10, 'closed', 12, 1767225660000, 1767228300000, 1767229200000, 1767139200000, 12,
		'', FALSE, FALSE, 0, '', 0, 0, 1767139200000),
	(42, 21, 7, 'Tissue', '2026-01-08', '13:00', '13:45', 'Pacific/Auckland', 1767830400000, 1767833100000, 0, 'planned', 0, 0, 0, 0, 1767139200000, 12,
		'2026-01-08', FALSE, FALSE, 0, '', 0, 0, 1767139200000),
	(43, 21, 7, 'Tissue', '2026-01-16', '13:00', '13:45', 'Pacific/Auckland', 1768521600000, 1768524300000, 0, 'cancelled', 0, 0, 0, 0, 1767139200000, 12,
		'2026-01-15', FALSE, TRUE, 1768435200000, 'trip to the lake', 44, 2, 1767225600000);

INSERT INTO broadcasts (id, lesson_id, publisher_id, key_id, encoder, video, audio, started_at, seen_at, ended_at, stopped, end_code) VALUES
	(51, 41, 12, 'abcdefgh', 'OBS 32', '1280×720, H.264', 'AAC', 1767225600000, 1767228300000, 1767228300000, TRUE, '');

INSERT INTO air_intervals (id, lesson_id, broadcast_id, from_at, until_at, seen_at) VALUES
	(61, 41, 51, 1767225660000, 1767228300000, 1767228300000);

INSERT INTO publish_attempts (id, user_id, key_id, at, protocol, admitted, code, detail) VALUES
	(71, 12, 'abcdefgh', 1767225600000, 'rtmp', TRUE, '', '');

INSERT INTO views (id, lesson_id, user_id, token, device, device_class, n, pos_ms, opened_at, last_at) VALUES
	(81, 41, 13, 'abcdefghijklmnop', -9223372036854775808, 'phone', 12, 60000, 1767225660000, 1767228300000);

INSERT INTO intervals (view_id, n, state, from_at, to_at, seen_from_ms, seen_to_ms) VALUES
	(81, 1, 'playing', 1767225660000, 1767228300000, 0, 2640000);

INSERT INTO registers (lesson_id, version, closed_at, closed_by, policy, policy_version, counted, outside, programme_s, intervals_hash, settles_at, settled) VALUES
	(41, 1, 1767229200000, 0, '{"present_at":80}', 3, '[[1767225660000,1767228300000]]', FALSE, 2640, X'0505050505050505050505050505050505050505050505050505050505050505', 1767834000000, FALSE);

INSERT INTO register_rows (lesson_id, version, user_id, section, live_status, status, visits, devices, attended, attending_s, played_s, late_s, early_s, replay_s, covered_s) VALUES
	(41, 1, 13, 'A', 'present', 'present', '[[1767225660000,1767228300000]]', 1, TRUE, 2640, 2600, 0, 0, 0, 2640);

INSERT INTO corrections (id, lesson_id, user_id, seq, status, minutes, reason, note, previous, at, by_id) VALUES
	(91, 41, 13, 1, 'excused', NULL, 'illness', 'a note', 'absent', 1767229200000, 12),
	(92, 41, 13, 2, 'late', 40, 'other', '', 'excused', 1767229300000, 11);

INSERT INTO join_failures (id, lesson_id, user_id, at, reason) VALUES
	(95, 41, 13, 1767225600000, 'server_busy');

INSERT INTO rooms (lesson_id, rev, mode, slow_s, set_rev) VALUES
	(41, 7, 'all', 10, 1);
INSERT INTO messages (id, lesson_id, user_id, rev, role, private, body, nonce, at, pos_ms, removed_at, removed_by) VALUES
	(101, 41, 13, 2, 'student', FALSE, 'Is a cell alive?', 'abcdefgh', 1767226000000, 340000, 0, 0);
INSERT INTO questions (id, lesson_id, user_id, rev, shown_rev, body, nonce, at, pos_ms, answer, answered_at, answered_by, pinned) VALUES
	(102, 41, 13, 3, 0, 'What is it made of?', 'abcdefgi', 1767226000000, 340000, 'Mostly water.', 1767226100000, 12, FALSE);
INSERT INTO hands (id, lesson_id, user_id, rev, raised_rev, raised_at, called_at, lowered_at, lowered_by) VALUES
	(103, 41, 13, 5, 4, 1767226000000, 1767226050000, 1767226060000, 12);
INSERT INTO polls (id, lesson_id, rev, shown_rev, body, multiple, pos_ms, opened_at, opened_by, closed_at, voters) VALUES
	(104, 41, 6, 6, 'Which is larger?', FALSE, 400000, 1767226060000, 12, 1767226120000, 1);
INSERT INTO poll_options (poll_id, n, body, votes) VALUES
	(104, 0, 'A cell', 1),
	(104, 1, 'A nucleus', 0);
INSERT INTO votes (poll_id, user_id, choices, at) VALUES
	(104, 13, 1, 1767226070000);
INSERT INTO mutes (lesson_id, user_id, rev, muted, at, by_id) VALUES
	(41, 13, 7, FALSE, 1767226200000, 12);

-- The hashes are real: audit verify accepts the line after every upgrade.
INSERT INTO audit (seq, at, actor_id, action, object, detail, prev, hash) VALUES
	(1, 1767225600000, 11, 'course.create', 'course:0000000000000', '{}', X'0000000000000000000000000000000000000000000000000000000000000000', X'7c98a345b1044266dcf9127208d55102037a145654ec52572b36a53ef3e2d364');
UPDATE audit_head SET seq = 1, hash = X'7c98a345b1044266dcf9127208d55102037a145654ec52572b36a53ef3e2d364' WHERE id = 1;
