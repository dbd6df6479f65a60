-- What a school has, a row or more in every table of the newest schema: the upgrade test keeps it with each release.
-- hex'…' is a blob, written as each kind of database wants it.

UPDATE school SET name = 'Queenstown Lakes School', zone = 'Pacific/Auckland', lang = 'en', policy = '{"present_at":80}', policy_version = 3, created_at = 1767225600000, retention = '{"chat":30}', second_factor = TRUE WHERE id = 1;

INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at, invited_at, erased_at) VALUES
	(11, 'rosalind@school.example', 'Rosalind Adeyemi-Clarke', 'Rosalind', 'Adeyemi-Clarke', '', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA', TRUE, '', 1767225600000, 0, 0, 0),
	(12, 'tanaka@school.example', '田中 美咲', '美咲', '田中', '', '', FALSE, 'ja', 1767225600000, 0, 1767225600000, 0),
	(13, '', 'Łukasz O''Brien', 'Łukasz', 'O''Brien', '007', '', FALSE, 'en', 1767225600000, 1767312000000, 0, 0),
	(14, '', 'Removed student 7F3A', '', '', '', '', FALSE, '', 1767225600000, 1767312000000, 0, 1767398400000);

INSERT INTO second_factors (user_id, secret, confirmed_at, last_step) VALUES
	(11, hex'0606060606060606060606060606060606060606', 1767225600000, 58907520);
INSERT INTO recovery_codes (user_id, hash) VALUES
	(11, hex'0707070707070707070707070707070707070707070707070707070707070707');
INSERT INTO api_tokens (hash, user_id, name, scope, created_at, used_at, expires_at, revoked_at) VALUES
	(hex'0808080808080808080808080808080808080808080808080808080808080808', 11, 'timetable', 'read', 1767225600000, 0, 1775001600000, 0);
INSERT INTO mails (id, user_id, kind, created_at, expires_at, due_at, tries) VALUES
	(15, 12, 'invite', 1767225600000, 1767830400000, 1767225660000, 3);
INSERT INTO calendar_links (user_id, turn, made_at) VALUES
	(12, 2, 1767225600000);

INSERT INTO sessions (hash, user_id, created_at, seen_at, expires_at, device) VALUES
	(hex'0101010101010101010101010101010101010101010101010101010101010101', 11, 1767225600000, 1767225660000, 1775001600000, 'Firefox · Windows');

INSERT INTO sign_in_links (hash, user_id, purpose, created_at, expires_at, used_at) VALUES
	(hex'0202020202020202020202020202020202020202020202020202020202020202', 12, 'sign_in', 1767225600000, 1767226500000, 0);

INSERT INTO stream_keys (id, user_id, name, hash, created_at, used_at, revoked_at) VALUES
	('abcdefgh', 12, 'laptop', hex'0303030303030303030303030303030303030303030303030303030303030303', 1767225600000, 1767229200000, 0),
	('hgfedcba', 12, 'room 4', hex'0404040404040404040404040404040404040404040404040404040404040404', 1767225600000, 0, 1767229200000);

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
	(33, 21, 12, '7b.csv', 'utf-8', hex'6e616d650a', TRUE, 'preview', '{}', 1767225600000);

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
	(41, 1, 1767229200000, 0, '{"present_at":80}', 3, '[[1767225660000,1767228300000]]', FALSE, 2640, hex'0505050505050505050505050505050505050505050505050505050505050505', 1767834000000, FALSE);

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
	(1, 1767225600000, 11, 'course.create', 'course:0000000000000', '{}', hex'0000000000000000000000000000000000000000000000000000000000000000', hex'7c98a345b1044266dcf9127208d55102037a145654ec52572b36a53ef3e2d364');
UPDATE audit_head SET seq = 1, hash = hex'7c98a345b1044266dcf9127208d55102037a145654ec52572b36a53ef3e2d364' WHERE id = 1;
