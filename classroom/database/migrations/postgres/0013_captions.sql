-- +goose Up

-- Captions of recordings: WebVTT files, one for each language of a lesson.
CREATE TABLE captions (
	lesson_id BIGINT NOT NULL REFERENCES lessons (id),
	lang      TEXT   NOT NULL,                    -- RFC 5646
	cues      BIGINT NOT NULL,
	bytes     BIGINT NOT NULL,
	at        BIGINT NOT NULL,
	body      TEXT   NOT NULL,
	PRIMARY KEY (lesson_id, lang)
);
