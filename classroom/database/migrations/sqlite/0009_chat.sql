-- +goose Up

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
