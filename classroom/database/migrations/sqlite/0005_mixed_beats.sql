-- +goose Up

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
