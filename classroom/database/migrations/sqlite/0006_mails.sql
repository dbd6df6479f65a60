-- +goose Up

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
