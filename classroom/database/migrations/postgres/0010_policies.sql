-- +goose Up

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
