package classroom_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chalkcast/media"
)

// rights is what everybody gets from every address, in the order of roles: nobody, a student of the course, a
// student of another, the teacher, a teacher of another, the assistant, an admin, a student whose account was
// closed. The lesson is open, nobody streams. 303 to a page means "sign in"; a form of the studio answers 303 too.
// 409 means "yes, but not now".
var rights = []struct {
	route string
	body  string
	want  [8]int
}{
	// what anybody may see
	{"GET /healthz", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET /readyz", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET /manifest.webmanifest", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET /sign-in", "", [8]int{200, 303, 303, 303, 303, 303, 303, 200}},
	{"POST /sign-in", "email=x{n}%40school.example&password=wrong", [8]int{401, 401, 401, 401, 401, 401, 401, 401}},
	{"GET /sign-in/link", "", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"POST /sign-in/link", "token=x", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"POST /sign-in/code", "token=x&code=000000", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"GET /sign-in/mail", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"POST /sign-in/mail", "email=x%40school.example&what=reset", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET /sign-in/reset", "", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"POST /sign-in/reset", "token=x&password=correct+horse+battery", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"GET /sign-in/invitation", "", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"POST /sign-in/invitation", "token=x&name=Ann&password=correct+horse+battery", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"GET /setup", "", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"POST /setup", "token=x&school=Grove&zone=UTC&name=Ann&email=a%40school.example&password=correct+horse+battery", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"POST /settings/language", "lang=ja", [8]int{303, 303, 303, 303, 303, 303, 303, 303}},
	{"POST /api/v1/session", `{"email":"y{n}@school.example","password":"wrong"}`, [8]int{401, 401, 401, 401, 401, 401, 401, 401}},

	{"GET /join", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"POST /join", "code=x", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"GET /join/:code", "", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"POST /join/:code", "", [8]int{404, 404, 404, 404, 404, 404, 404, 404}},
	{"GET /calendar/:token", "", [8]int{404, 404, 404, 404, 404, 404, 404, 404}}, // the token is forged

	// one's own
	{"GET /", "", [8]int{303, 200, 200, 200, 200, 200, 200, 303}},
	{"GET /settings", "", [8]int{303, 200, 200, 200, 200, 200, 200, 303}},
	{"POST /settings/keys", "name=laptop", [8]int{303, 403, 403, 200, 200, 200, 200, 303}},
	{"POST /settings/keys/:key/revoke", "", [8]int{303, 404, 404, 404, 404, 404, 404, 303}},
	{"GET /settings/stream", "", [8]int{303, 403, 403, 200, 200, 200, 200, 303}},
	{"GET /settings/stream/profile.zip", "", [8]int{303, 403, 403, 200, 200, 200, 200, 303}},
	{"POST /settings/stream/profile.zip", "", [8]int{303, 403, 403, 200, 200, 200, 200, 303}},
	{"GET /settings/obs", "", [8]int{303, 403, 403, 200, 200, 200, 200, 303}},
	{"GET /api/v1/me/encoder", "", [8]int{401, 403, 403, 200, 200, 200, 200, 401}},
	{"GET /api/v1/me/encoder/events", "", [8]int{401, 403, 403, 200, 200, 200, 200, 401}},
	{"GET /settings/calendar", "", [8]int{303, 200, 200, 200, 200, 200, 200, 303}},
	{"POST /settings/calendar", "", [8]int{303, 303, 303, 303, 303, 303, 303, 303}},
	{"GET /settings/second-factor", "", [8]int{303, 200, 200, 200, 200, 200, 200, 303}},
	{"POST /settings/second-factor/begin", "", [8]int{303, 303, 303, 303, 303, 303, 303, 303}},
	{"POST /settings/second-factor/confirm", "code=0", [8]int{303, 400, 400, 400, 400, 400, 400, 303}},
	{"POST /settings/second-factor/recovery", "code=0", [8]int{303, 400, 400, 400, 400, 400, 400, 303}},
	{"POST /settings/second-factor/remove", "code=0", [8]int{303, 400, 400, 400, 400, 400, 400, 303}},
	{"GET /me/attendance", "", [8]int{303, 200, 200, 200, 200, 200, 200, 303}},
	{"GET /api/v1/me/attendance", "", [8]int{401, 200, 200, 200, 200, 200, 200, 401}},
	{"GET /api/v1/me/attendance.csv", "", [8]int{401, 200, 200, 200, 200, 200, 200, 401}},
	{"POST /settings/sessions/:session/end", "", [8]int{303, 404, 404, 404, 404, 404, 404, 303}},
	{"POST /settings/sessions/end-others", "", [8]int{303, 303, 303, 303, 303, 303, 303, 303}},
	{"GET /api/v1/me", "", [8]int{401, 200, 200, 200, 200, 200, 200, 401}},

	// the school's
	{"GET /privacy", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET /school", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /school", "name=Grove&zone=Europe/Berlin&lang=en&chat=90&attendance=400&audit=400&access=30", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"GET /audit", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"GET /api/v1/audit.csv", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"GET /tokens", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /tokens", "name=sync&scope=read&days=30", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /tokens/:token/revoke", "", [8]int{303, 404, 404, 404, 404, 404, 404, 303}},
	{"GET /health", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /health", "", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"GET /api/v1/openapi.json", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET /api/v1/docs", "", [8]int{200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET /today", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},

	// people: a guest, who is in no course
	{"GET /people", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /people", "name=Ann", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /people/sheet", "user={student}", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /people/invitations", "user={student}", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"POST /people/second-factor", "needed=0", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"GET /people/:user", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /people/:user/edit", "name=", [8]int{303, 404, 404, 404, 404, 404, 400, 303}},
	{"POST /people/:user/link", "for=sign_in&by=copy", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /people/:user/uninvite", "", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"POST /people/:user/sign-out", "", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"POST /people/:user/admin", "admin=0", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"POST /people/:user/disable", "", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"POST /people/:user/enable", "", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"POST /people/:user/no-second-factor", "", [8]int{303, 404, 404, 404, 404, 404, 303, 303}},
	{"POST /people/:user/erase", "", [8]int{303, 404, 404, 404, 404, 404, 400, 303}},
	{"GET /api/v1/users", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users", `{"display_name":"Ann"}`, [8]int{401, 404, 404, 404, 404, 404, 201, 401}},
	{"GET /api/v1/users/:user", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users/:user", `{"display_name":"Ann","email":"ann@school.example"}`, [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users/:user/links", `{"for":"reset"}`, [8]int{401, 404, 404, 404, 404, 404, 201, 401}},
	{"POST /api/v1/users/:user/uninvite", "{}", [8]int{401, 404, 404, 404, 404, 404, 409, 401}},
	{"POST /api/v1/users/:user/sign-out", "{}", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users/:user/admin", `{"admin":false}`, [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users/:user/disable", "{}", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users/:user/enable", "{}", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users/:user/no-second-factor", "{}", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"GET /api/v1/users/:user/export.json", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"GET /api/v1/users/:user/export.zip", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/users/:user/erase", "{}", [8]int{401, 404, 404, 404, 404, 404, 409, 401}},

	// a course
	{"GET /courses", "", [8]int{303, 200, 200, 200, 200, 200, 200, 303}},
	{"POST /courses", "code=PAGE-{n}&title=New&term=2026&zone=UTC", [8]int{303, 403, 403, 303, 303, 403, 303, 303}},
	{"GET /courses/new", "", [8]int{303, 403, 403, 200, 200, 403, 200, 303}},
	{"GET /courses/:id", "", [8]int{303, 200, 404, 200, 404, 200, 200, 303}},
	{"GET /courses/:id/edit", "", [8]int{303, 403, 404, 200, 404, 403, 200, 303}},
	{"POST /courses/:id/edit", "code=BIO-7B&title=Biology&term=2026&zone=Europe/Berlin", [8]int{303, 403, 404, 303, 404, 403, 303, 303}},
	{"POST /courses/:id/archive", "", [8]int{303, 403, 404, 303, 404, 403, 303, 303}},
	{"POST /courses/:id/unarchive", "", [8]int{303, 403, 404, 303, 404, 403, 303, 303}},
	{"POST /courses/:id/code", "do=open", [8]int{303, 403, 404, 303, 404, 403, 303, 303}},
	{"GET /courses/:id/code.svg", "", [8]int{303, 403, 404, 200, 404, 403, 200, 303}},
	{"GET /courses/:id/people", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"POST /courses/:id/people", "user={student}&do=group&group=b", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"POST /courses/:id/people/add", "who=student@school.example&role=student", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"POST /courses/:id/waiting", "user={student}&do=decline", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"GET /courses/:id/import", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"POST /courses/:id/import", "", [8]int{303, 403, 404, 400, 404, 400, 400, 303}},
	{"GET /courses/:id/import/:import", "", [8]int{303, 403, 404, 404, 404, 404, 404, 303}},
	{"POST /courses/:id/import/:import", "", [8]int{303, 403, 404, 404, 404, 404, 404, 303}},
	{"POST /courses/:id/import/:import/discard", "", [8]int{303, 403, 404, 404, 404, 404, 404, 303}},
	{"GET /api/v1/courses/:id", "", [8]int{401, 200, 404, 200, 404, 200, 200, 401}},
	{"PATCH /api/v1/courses/:id", `{"archived":false}`, [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"GET /api/v1/courses/:id/code", "", [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"POST /api/v1/courses/:id/code", `{"approve":true}`, [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"GET /api/v1/courses/:id/waiting", "", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/courses/:id/waiting", "{}", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"DELETE /api/v1/courses/:id/enrollments/:user", "", [8]int{401, 403, 404, 404, 404, 404, 404, 401}},
	{"POST /api/v1/courses/:id/enrollments/import", "id,name\n", [8]int{401, 403, 404, 400, 404, 400, 400, 401}},
	{"GET /api/v1/courses", "", [8]int{401, 200, 200, 200, 200, 200, 200, 401}},
	{"POST /api/v1/courses", `{"code":"NEW-{n}","title":"New","term":"2026"}`, [8]int{401, 403, 403, 201, 201, 403, 201, 401}},
	{"GET /api/v1/courses/:id/enrollments", "", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/courses/:id/enrollments", `{"enrollments":[{"user_id":"{student}","role":"student"}]}`, [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"GET /api/v1/courses/:id/lessons", "", [8]int{401, 200, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/lessons", `{"course_id":"{course}","title":"Questions"}`, [8]int{401, 403, 404, 201, 404, 201, 201, 401}},

	// the timetable
	{"GET /courses/:id/timetable", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"GET /courses/:id/timetable/new", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"POST /courses/:id/timetable", "title=Cells&date=2031-11-03&start=09:00&end=09:45", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"POST /courses/:id/begin", "title=Questions", [8]int{303, 403, 404, 303, 404, 303, 403, 303}},
	{"POST /series/:id/prolong", "until=2032-{n}1-01", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"GET /lessons/:id/edit", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"POST /lessons/:id/edit", "title=Cells&date=2031-11-03&start=09:00&end=09:45", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"POST /lessons/:id/cancel", "note=Ill", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"POST /lessons/:id/restore", "together=1", [8]int{303, 403, 404, 303, 404, 303, 303, 303}},
	{"PATCH /api/v1/lessons/:id", `{"title":"Atoms"}`, [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/lessons/:id/cancel", "{}", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/lessons/:id/restore", "{}", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"GET /api/v1/courses/:id/series", "", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/series", `{"course_id":"{course}","title":"Cells","date":"2031-11-03","start":"09:00","end":"09:45","weeks":3}`, [8]int{401, 403, 404, 201, 404, 201, 201, 401}},
	{"PATCH /api/v1/series/:id", `{"title":"Atoms {n}"}`, [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/series/:id/cancel", "{}", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},

	// a lesson, as those see it who learn
	{"GET /lessons/:id", "", [8]int{303, 200, 404, 200, 404, 200, 200, 303}},
	{"GET /api/v1/lessons/:id", "", [8]int{401, 200, 404, 200, 404, 200, 200, 401}},
	{"GET /lessons/:id/captions", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"POST /lessons/:id/captions", "", [8]int{303, 403, 404, 400, 404, 400, 400, 303}}, // without a file
	{"POST /api/v1/lessons/:id/captions/:lang", "WEBVTT\n\n00:01.000 --> 00:02.000\nCells\n", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"GET /api/v1/lessons/:id/captions/:lang", "", [8]int{401, 404, 404, 404, 404, 404, 404, 401}},   // there are none: TestCaptions
	{"POST /lessons/:id/captions/remove", "lang=xx", [8]int{303, 403, 404, 404, 404, 404, 404, 303}}, // there are none in it
	{"DELETE /api/v1/lessons/:id/captions/:lang", "", [8]int{401, 403, 404, 404, 404, 404, 404, 401}},
	{"GET /lessons/:id/calendar.ics", "", [8]int{303, 200, 404, 200, 404, 200, 200, 303}},
	{"GET /api/v1/lessons/:id/playback", "", [8]int{401, 200, 404, 200, 404, 200, 200, 401}},
	{"GET /api/v1/lessons/:id/events", "", [8]int{401, 200, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/lessons/:id/beats", `{"view":"abcdefghijklmnop","n":0,"state":"playing","d_ms":0,"pos":0}`, [8]int{401, 200, 404, 200, 404, 200, 403, 401}},
	{"POST /api/v1/lessons/:id/attempts", `{"reason":"server_busy"}`, [8]int{401, 204, 404, 204, 404, 204, 403, 401}},

	// the lesson's room: chat, questions, hands, polls. An admin reads; 404 is "not there" for who may
	{"GET /api/v1/lessons/:id/chat", "", [8]int{401, 200, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/lessons/:id/chat", `{"text":"Good morning"}`, [8]int{401, 201, 404, 201, 404, 201, 403, 401}},
	{"POST /api/v1/lessons/:id/questions", `{"text":"Why?"}`, [8]int{401, 201, 404, 201, 404, 201, 403, 401}},
	{"POST /api/v1/lessons/:id/hand", `{"up":true}`, [8]int{401, 204, 404, 204, 404, 204, 403, 401}},
	{"POST /api/v1/lessons/:id/polls/:thing/vote", `{"choices":[0]}`, [8]int{401, 404, 404, 404, 404, 404, 403, 401}},
	{"POST /api/v1/lessons/:id/chat/settings", `{"mode":"all"}`, [8]int{401, 403, 404, 204, 404, 204, 403, 401}},
	{"POST /api/v1/lessons/:id/chat/:thing/remove", "{}", [8]int{401, 403, 404, 404, 404, 404, 403, 401}},
	{"POST /api/v1/lessons/:id/mutes", `{"user_id":"{student}","muted":true}`, [8]int{401, 403, 404, 204, 404, 204, 403, 401}},
	{"POST /api/v1/lessons/:id/questions/:thing/answer", `{"text":"Because."}`, [8]int{401, 403, 404, 404, 404, 404, 403, 401}},
	{"POST /api/v1/lessons/:id/questions/:thing/pin", `{"pinned":true}`, [8]int{401, 403, 404, 404, 404, 404, 403, 401}},
	{"POST /api/v1/lessons/:id/hands/lower", "{}", [8]int{401, 403, 404, 204, 404, 204, 403, 401}},
	{"POST /api/v1/lessons/:id/hands/:thing/call", "{}", [8]int{401, 403, 404, 204, 404, 204, 403, 401}},
	{"POST /api/v1/lessons/:id/hands/:thing/lower", "{}", [8]int{401, 403, 404, 204, 404, 204, 403, 401}},
	{"POST /api/v1/lessons/:id/polls", `{"text":"Plant or animal?","options":["Plant","Animal"]}`, [8]int{401, 403, 404, 201, 404, 201, 403, 401}},
	{"POST /api/v1/lessons/:id/polls/:thing/close", "{}", [8]int{401, 403, 404, 404, 404, 404, 403, 401}},

	// a lesson, as those see it who teach
	{"GET /lessons/:id/studio", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"POST /lessons/:id/live", "", [8]int{303, 403, 404, 303, 404, 303, 403, 303}},
	{"POST /lessons/:id/end", "", [8]int{303, 403, 404, 303, 404, 303, 403, 303}},
	{"POST /lessons/:id/extend", "", [8]int{303, 403, 404, 303, 404, 303, 403, 303}},
	{"POST /lessons/:id/take-over", "", [8]int{303, 403, 404, 303, 404, 303, 403, 303}},
	{"GET /api/v1/lessons/:id/preview", "", [8]int{401, 403, 404, 200, 404, 200, 403, 401}},
	{"GET /api/v1/lessons/:id/health", "", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"POST /api/v1/lessons/:id/live", "{}", [8]int{401, 403, 404, 409, 404, 409, 403, 401}},
	{"POST /api/v1/lessons/:id/end", "{}", [8]int{401, 403, 404, 200, 404, 200, 403, 401}},
	{"POST /api/v1/lessons/:id/extend", "{}", [8]int{401, 403, 404, 200, 404, 200, 403, 401}},
	{"POST /api/v1/lessons/:id/take-over", "{}", [8]int{401, 403, 404, 200, 404, 200, 403, 401}},

	// the register
	{"GET /lessons/:id/register", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"POST /lessons/:id/register", "student={student}&status=excused&reason=illness", [8]int{303, 403, 404, 303, 404, 403, 303, 303}},
	{"GET /api/v1/lessons/:id/register", "", [8]int{401, 403, 404, 200, 404, 200, 200, 401}},
	{"GET /api/v1/lessons/:id/register.csv", "", [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"GET /api/v1/lessons/:id/register.xlsx", "", [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"GET /api/v1/lessons/:id/intervals.csv", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"GET /api/v1/lessons/:id/intervals.xlsx", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"POST /api/v1/lessons/:id/register/corrections", `{"students":["{student}"],"status":"excused","reason":"illness"}`, [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"POST /api/v1/lessons/:id/register/recompute", "{}", [8]int{401, 404, 404, 404, 404, 404, 409, 401}},

	{"GET /lessons/:id/register/import", "", [8]int{303, 403, 404, 409, 404, 403, 409, 303}},
	{"POST /lessons/:id/register/import", "text=student_id%2Cstatus&reason=other", [8]int{303, 403, 404, 409, 404, 403, 409, 303}},
	{"POST /api/v1/lessons/:id/register/import", "", [8]int{401, 403, 404, 409, 404, 403, 409, 401}},
	{"GET /lessons/:id/register/recompute", "", [8]int{303, 404, 404, 404, 404, 404, 409, 303}},
	{"POST /lessons/:id/register/recompute", "", [8]int{303, 404, 404, 404, 404, 404, 409, 303}},

	// the rule
	{"GET /policy", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"POST /policy", "version=0", [8]int{303, 404, 404, 404, 404, 404, 400, 303}},
	{"GET /courses/:id/policy", "", [8]int{303, 403, 404, 200, 404, 403, 200, 303}},
	{"POST /courses/:id/policy", "version=0", [8]int{303, 403, 404, 409, 404, 403, 409, 303}},

	// registers of many lessons
	{"GET /courses/:id/matrix", "", [8]int{303, 403, 404, 200, 404, 200, 200, 303}},
	{"GET /api/v1/courses/:id/matrix.csv", "", [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"GET /api/v1/courses/:id/matrix.xlsx", "", [8]int{401, 403, 404, 200, 404, 403, 200, 401}},
	{"GET /registers", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"GET /registers/students/:user", "", [8]int{303, 404, 404, 404, 404, 404, 200, 303}},
	{"GET /api/v1/registers.csv", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"GET /api/v1/registers.xlsx", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"GET /api/v1/summary.csv", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},
	{"GET /api/v1/summary.xlsx", "", [8]int{401, 404, 404, 404, 404, 404, 200, 401}},

	// last, because it ends the sign-ins that the others use
	{"POST /sign-out", "", [8]int{303, 303, 303, 303, 303, 303, 303, 303}},
	{"DELETE /api/v1/session", "", [8]int{204, 204, 204, 204, 204, 204, 204, 204}},
}

func TestPermissions(t *testing.T) {
	s := newSchool(t)
	listed := map[string]bool{}
	for _, r := range rights {
		listed[r.route] = true
		method, pattern, _ := strings.Cut(r.route, " ")
		for i, who := range roles {
			var id media.ID
			if strings.Contains(pattern, "/lessons/:id") {
				id = s.lesson(10 * time.Minute) // of its own: orders change it
			} else if strings.Contains(pattern, "/series/:id") {
				id = s.weekly()
			}
			a := s.ask(who, method, s.fill(pattern, id), s.fillBody(r.body, i))
			if a.status != r.want[i] {
				t.Errorf("%s as %s: %d, want %d\n%.300s", r.route, who, a.status, r.want[i], a.body)
			}
			if a.status == 303 && (who == "nobody" || who == "disabled") && strings.HasPrefix(pattern, "/lessons") && !strings.HasPrefix(a.location, "/sign-in") {
				t.Errorf("%s as %s leads to %s, want the sign-in page", r.route, who, a.location)
			}
		}
	}
	var there []string
	for _, r := range s.k.Web.Routes() {
		there = append(there, r.Method+" "+r.Pattern)
		if !listed[r.Method+" "+r.Pattern] {
			t.Errorf("%s %s (%s) is in no line of the table: say who may do it", r.Method, r.Pattern, r.Need)
		}
	}
	for route := range listed {
		if !slices.Contains(there, route) {
			t.Errorf("%s is in the table and not among the routes", route)
		}
	}
}

func (s *school) fill(pattern string, lesson media.ID) string {
	id := lesson.String()
	if strings.Contains(pattern, "/courses/") {
		id = s.course.String()
	}
	user := s.people["student"].id
	if strings.HasSuffix(pattern, "/enrollments/:user") {
		user = media.NewID() // nobody: the others need the student
	}
	if strings.Contains(pattern, "/people/:user") || strings.Contains(pattern, "/users/") {
		user = s.guest // whose account may be closed and opened
	}
	return strings.NewReplacer(":id", id, ":import", media.NewID().String(), ":code", "346789CD", ":user", user.String(), ":key", "aaaaaaaa",
		":lang", "en", ":session", "00000000000000a1", ":token", "00000000000000a1", ":thing", media.NewID().String()).Replace(pattern)
}

func (s *school) fillBody(body string, n int) string {
	return strings.NewReplacer(
		"{n}", fmt.Sprint(n), "{course}", s.course.String(), "{student}", s.people["student"].id.String(),
	).Replace(body)
}

// Whatever stands in the place of an id, an address that names nothing is not there, for everybody alike.
func TestHostileIDs(t *testing.T) {
	s := newSchool(t)
	ids := []string{
		"0", "-1", "1", "9223372036854775808", "0000000000000", "zzzzzzzzzzzzz", "UUUUUUUUUUUUU",
		"0b9f8e1c-7a6d-4c3b-9a8e-1f2d3c4b5a69", "..%2f..%2fetc%2fpasswd", "%00", "'%20OR%201=1", strings.Repeat("a", 4000),
		strings.ToUpper(s.lesson(time.Minute).String()), s.lesson(time.Minute).String() + "%20", media.NewID().String(), s.course.String(),
	}
	for _, r := range rights {
		method, pattern, _ := strings.Cut(r.route, " ")
		if !strings.Contains(pattern, "/lessons/:id") && !strings.Contains(pattern, "/series/:id") {
			continue
		}
		for _, id := range ids {
			a := s.ask("teacher", method, strings.Replace(pattern, ":id", id, 1), s.fillBody(r.body, 0))
			if a.status != 404 {
				t.Errorf("%s with id %.40s: %d, want 404\n%.200s", r.route, id, a.status, a.body)
			}
		}
	}
}
