-- +goose Up

-- A beat may begin two stretches: one that stalled and one that played.
ALTER TABLE intervals DROP CONSTRAINT intervals_pkey;
ALTER TABLE intervals ADD PRIMARY KEY (view_id, n, state);
