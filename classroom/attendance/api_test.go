package attendance_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
	"chalkcast/templates"
)

const oneBeat = `{"view":"v","n":0,"state":"playing","d_ms":0,"pos":0}`

// held is a lesson that took place as planned, with students who watched as the vectors' spans say.
func held(t testing.TB, db *database.DB, students int) *door {
	t.Helper()
	s := newSchool(t, db, students, "live")
	s.air(t, between(0, 45))
	return openDoor(t, s)
}

// watch sends the beats of a page that plays from one minute after nine to another.
func (d *door) watch(t testing.TB, student int, view string, from, to int) {
	t.Helper()
	n := int64(0)
	for at := from * 60; at <= to*60; at += 60 {
		pos := time.Duration(at-from*60) * time.Second
		d.set(nine(0).Add(sec(at)))
		held := 0
		if at > from*60 {
			held = 60_000
		}
		body := fmt.Sprintf(`{"view":%q,"n":%d,"state":"playing","d_ms":%d,"pos":%d}`, view, n, held, pos.Milliseconds())
		if status, b := d.do(t, d.students[student], "POST", d.path("/beats"), body); status != http.StatusOK {
			t.Fatalf("%s: %d %s", body, status, b)
		}
		n++
	}
}

// closeAt ends the lesson at a quarter to ten and lets the clock close its register.
func (d *door) close(t testing.TB) {
	t.Helper()
	d.end(t, nine(45))
	d.set(nine(61))
	if err := d.att.CloseDue(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestBeatAnswers(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		student := d.students[0]
		got := d.beat(t, student, nine(1), "v", 0, attendance.Playing, 0)
		if diff := cmp.Diff(beatAnswer{0, 0, 15000}, got); diff != "" {
			t.Errorf("first beat: %s", diff)
		}
		d.beat(t, student, nine(1).Add(sec(15)), "v", 1, attendance.Playing, sec(15))
		got = d.beat(t, student, nine(1).Add(sec(16)), "v", 1, attendance.Playing, sec(15))
		if diff := cmp.Diff(beatAnswer{1, 15, 15000}, got); diff != "" {
			t.Errorf("the same beat again: %s", diff)
		}
		// The teacher's own page is no student's.
		got = d.beat(t, d.teacher, nine(2), "v", 7, attendance.Playing, 0)
		if diff := cmp.Diff(beatAnswer{7, 0, 30000}, got); diff != "" {
			t.Errorf("a teacher's beat: %s", diff)
		}
		if views := d.stored(t, d.teacher); len(views) != 0 {
			t.Errorf("a teacher's view was recorded: %+v", views)
		}
	})
}

func TestBeatRefusals(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		stranger := media.NewID()
		d.exec(t, `INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at)
		VALUES (?, 'x@y.example', 'X', 'X', 'Y', '', '', ?, '', 1, 0)`, stranger, false)
		student, path := d.students[0], d.path("/beats")
		for name, c := range map[string]struct {
			who    media.ID
			path   string
			body   string
			status int
		}{
			"nobody":           {0, path, oneBeat, 401},
			"other course":     {stranger, path, oneBeat, 404},
			"no such lesson":   {student, "/api/v1/lessons/" + media.NewID().String() + "/beats", oneBeat, 404},
			"no id":            {student, "/api/v1/lessons/1/beats", oneBeat, 404},
			"empty":            {student, path, "", 400},
			"not JSON":         {student, path, "view=1", 400},
			"an array":         {student, path, "[" + oneBeat + "]", 400},
			"cut":              {student, path, oneBeat[:20], 400},
			"a name twice":     {student, path, strings.Replace(oneBeat, `"n":0`, `"n":0,"n":1`, 1), 400},
			"deep":             {student, path, strings.Repeat("[", 500), 400},
			"too large number": {student, path, strings.Replace(oneBeat, `"n":0`, `"n":1e400`, 1), 400},
			"bad state":        {student, path, strings.Replace(oneBeat, "playing", "dancing", 1), 400},
			"too long":         {student, path, oneBeat + strings.Repeat(" ", 1025-len(oneBeat)), 413},
			"1 MiB":            {student, path, strings.Repeat(" ", 1<<20), 413},
		} {
			if status, b := d.do(t, c.who, "POST", c.path, c.body); status != c.status {
				t.Errorf("%s: %d %s, want %d", name, status, b, c.status)
			} else if status == 400 && !json.Valid(b) {
				t.Errorf("%s: the answer is no JSON: %s", name, b)
			}
		}
		if status, b := d.do(t, student, "POST", path, oneBeat+strings.Repeat(" ", 1024-len(oneBeat))); status != 200 {
			t.Errorf("a beat of exactly 1 KiB: %d %s", status, b)
		}
		for state, want := range map[string]int{"planned": 200, "cancelled": 409, "closed": 200, "interrupted": 200} {
			d.exec(t, `UPDATE lessons SET state = ? WHERE id = ?`, state, d.lesson)
			d.set(d.after(2 * time.Second)) // what is known of the lesson is at most a second old
			if status, b := d.do(t, student, "POST", path, oneBeat); status != want {
				t.Errorf("%s lesson at its start: %d %s, want %d", state, status, b, want)
			}
		}
		d.exec(t, `UPDATE lessons SET state = 'planned' WHERE id = ?`, d.lesson)
		d.set(nine(-31))
		if status, b := d.do(t, student, "POST", path, oneBeat); status != 409 || !strings.Contains(string(b), "lesson.too_early") {
			t.Errorf("31 min before the start: %d %s, want 409", status, b)
		}
	})
}

func (d *door) after(by time.Duration) database.Instant { return database.At(d.now()).Add(by) }

func TestWhoSeesTheRegister(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		admin := media.NewID()
		d.admins[admin] = true
		for who, want := range map[media.ID]int{d.teacher: 200, admin: 200, d.students[0]: 403, media.NewID(): 404, 0: 401} {
			if status, b := d.do(t, who, "GET", d.path("/register"), ""); status != want {
				t.Errorf("%v: %d %s, want %d", who, status, b, want)
			}
		}
		for who, want := range map[media.ID]int{d.teacher: 404, admin: 409, d.students[0]: 404} {
			if status, b := d.do(t, who, "POST", d.path("/register/recompute"), ""); status != want {
				t.Errorf("recompute by %v: %d %s, want %d", who, status, b, want)
			}
		}
	})
}

func TestLifeOfARegister(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 3)
		d.watch(t, 0, "a", -3, 45)
		d.watch(t, 1, "b", 10, 20)

		r := d.register(t, d.teacher)
		if r.Closed || len(r.Rows) != 3 || r.Rows[0].Status != "pending" || r.Rows[0].LiveStatus != "present" || r.Rows[0].AttendingS != 2700 {
			t.Fatalf("while it is provisional: %+v", r)
		}
		d.close(t)
		if err := d.att.CloseDue(t.Context()); err != nil { // again
			t.Fatal(err)
		}
		r = d.register(t, d.teacher)
		got := []string{}
		for _, row := range r.Rows {
			got = append(got, row.FamilyName+" "+row.Status)
		}
		want := []string{"Family000 present", "Family001 absent", "Family002 absent"}
		if !r.Closed || r.Version != 1 || len(r.Hash) != 64 || cmp.Diff(want, got) != "" {
			t.Fatalf("closed: version %d, hash %q, rows %v, want %v", r.Version, r.Hash, got, want)
		}
		if lines := d.audited(t, "register.close"); lines != 1 {
			t.Errorf("%d audit lines about closing, want 1", lines)
		}

		// A policy of tomorrow does not decide the register of today; recompute does, as a new version.
		d.exec(t, `UPDATE courses SET policy = '{"absent_below_pct":0}' WHERE id = ?`, d.course)
		d.set(nine(120))
		if again := d.register(t, d.teacher); cmp.Diff(r, again) != "" {
			t.Errorf("a new policy changed a closed register: %s", cmp.Diff(r, again))
		}
		admin := media.NewID()
		d.admins[admin] = true
		if status, b := d.do(t, admin, "POST", d.path("/register/recompute"), ""); status != 200 {
			t.Fatalf("recompute: %d %s", status, b)
		}
		r = d.register(t, d.teacher)
		if r.Version != 2 || r.Rows[1].Status != "partial" || d.audited(t, "register.recompute") != 1 {
			t.Errorf("recomputed: version %d, second row %s", r.Version, r.Rows[1].Status)
		}
	})
}

func (s *school) audited(t testing.TB, action string) (lines int) {
	t.Helper()
	err := s.db.Reader().WithContext(t.Context()).
		Raw("SELECT COUNT(*) FROM audit WHERE action = ? AND object = ?", action, "lesson:"+s.lesson.String()).Scan(&lines).Error
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestReplayAfterClosing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 2)
		d.watch(t, 0, "a", 0, 10)
		d.close(t)
		const nextDay = 24 * 60
		d.watch(t, 0, "replay", nextDay, nextDay+36)
		r := d.register(t, d.teacher)
		row := r.Rows[0]
		if row.Status != "made_up" || row.LiveStatus != "absent" || row.ReplayS != 36*60 || row.AttendingS != 600 || row.CoveredPct != "80.0" {
			t.Errorf("made up: %+v", row)
		}
		// On the eighth day the figures settle; what is watched later changes nothing.
		d.set(nine(8 * nextDay))
		if err := d.att.CloseDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.watch(t, 1, "late", 9*nextDay, 9*nextDay+45)
		later := d.register(t, d.teacher)
		if diff := cmp.Diff(r, later); diff != "" {
			t.Errorf("after it settled (−), later (+):\n%s", diff)
		}
	})
}

func TestCorrections(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 2)
		d.watch(t, 0, "a", 0, 45)
		d.close(t)
		correct := func(who media.ID, want int, body string, students ...int) []answeredRow {
			t.Helper()
			var ids []string
			for _, i := range students {
				ids = append(ids, `"`+d.students[i].String()+`"`)
			}
			body = `{"students":[` + strings.Join(ids, ",") + `],` + body + `}`
			status, b := d.do(t, who, "POST", d.path("/register/corrections"), body)
			if status != want {
				t.Fatalf("%s: %d %s, want %d", body, status, b, want)
			}
			var r answeredRegister
			if err := json.Unmarshal(b, &r); status == 200 && err != nil {
				t.Fatal(err)
			}
			return r.Rows
		}
		rows := correct(d.teacher, 200, `"status":"excused","reason":"illness","note":"Fever","minutes":0`, 1)
		if len(rows) != 1 || rows[0].Status != "excused" || rows[0].LiveStatus != "absent" || rows[0].Correction.Previous != "absent" ||
			rows[0].Correction.By != "Ada Teacher" || *rows[0].Correction.Minutes != 0 {
			t.Errorf("excused: %+v", rows)
		}
		rows = correct(d.teacher, 200, `"status":"late","reason":"mistake"`, 0, 1, 1)
		if len(rows) != 2 || rows[0].Status != "late" || rows[1].Status != "late" || rows[1].Correction.Previous != "excused" {
			t.Errorf("both late: %+v", rows)
		}
		rows = correct(d.teacher, 200, `"status":""`, 0, 1)
		if rows[0].Status != "present" || rows[1].Status != "absent" || rows[0].Correction != nil {
			t.Errorf("undone: %+v", rows)
		}
		if n := d.audited(t, "register.correct"); n != 5 {
			t.Errorf("%d audit lines, want 5", n)
		}
		correct(d.students[0], 403, `"status":"present","reason":"other"`, 0)
		correct(d.teacher, 400, `"status":"made_up","reason":"other"`, 0)
		correct(d.teacher, 400, `"status":"present","reason":"because"`, 0)
		correct(d.teacher, 400, `"status":"present"`, 0)
		correct(d.teacher, 400, `"status":"present","reason":"other","minutes":-1`, 0)
		correct(d.teacher, 400, `"status":"present","reason":"other","note":"`+strings.Repeat("x", 281)+`"`, 0)
		correct(d.teacher, 400, `"status":"present","reason":"other"`)
		status, b := d.do(t, d.teacher, "POST", d.path("/register/corrections"), `{"students":["`+d.teacher.String()+`"],"status":"present","reason":"other"}`)
		if status != 400 {
			t.Errorf("a teacher's row: %d %s", status, b)
		}
	})
}

func TestAttempts(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		for range 3 { // the same try
			if status, b := d.do(t, d.students[0], "POST", d.path("/attempts"), `{"reason":"player_unsupported"}`); status != 204 {
				t.Fatalf("%d %s", status, b)
			}
		}
		for range 30 {
			d.set(d.after(2 * time.Minute))
			d.do(t, d.students[0], "POST", d.path("/attempts"), `{"reason":"server_busy"}`)
		}
		if status, _ := d.do(t, d.students[0], "POST", d.path("/attempts"), `{"reason":"boredom"}`); status != 400 {
			t.Errorf("an unknown reason: %d, want 400", status)
		}
		got := d.register(t, d.teacher).Rows[0].Attempts
		if len(got) != 20 || got[0].Reason != "player_unsupported" || got[1].Reason != "server_busy" {
			t.Errorf("%d attempts kept, want 20: %v", len(got), got)
		}
	})
}

func TestRosterOfTheLesson(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 5)
		left, came, moved, helps := d.students[1], d.students[2], d.students[3], d.students[4]
		d.exec(t, `UPDATE enrollments SET until_at = ? WHERE user_id = ?`, nine(0), left)   // before it began
		d.exec(t, `UPDATE enrollments SET from_at = ? WHERE user_id = ?`, nine(45), came)   // after it ended
		d.exec(t, `UPDATE enrollments SET until_at = ? WHERE user_id = ?`, nine(10), moved) // to another group
		d.exec(t, `INSERT INTO enrollments (id, course_id, user_id, role, section, from_at, until_at) VALUES (?, ?, ?, 'student', 'B', ?, 0)`,
			media.NewID(), d.course, moved, nine(10))
		d.exec(t, `UPDATE enrollments SET until_at = ? WHERE user_id = ?`, nine(20), helps) // became an assistant
		d.exec(t, `INSERT INTO enrollments (id, course_id, user_id, role, section, from_at, until_at) VALUES (?, ?, ?, 'assistant', '', ?, 0)`,
			media.NewID(), d.course, helps, nine(20))
		d.close(t)
		var got []string
		for _, row := range d.register(t, d.teacher).Rows {
			got = append(got, row.FamilyName)
		}
		if diff := cmp.Diff([]string{"Family000", "Family003"}, got); diff != "" {
			t.Errorf("rows, want (−), got (+):\n%s", diff)
		}
	})
}

func TestRegisterPage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 3)
		d.watch(t, 0, "a", 0, 45)
		for _, closed := range []bool{false, true} {
			if closed {
				d.close(t)
			}
			status, b := d.do(t, d.teacher, "GET", "/lessons/"+d.lesson.String()+"/register", "")
			if status != 200 || strings.Count(string(b), "Family00") < 3 {
				t.Errorf("closed %t: %d %.200s", closed, status, b)
			}
		}
		if status, _ := d.do(t, d.students[0], "GET", "/lessons/"+d.lesson.String()+"/register", ""); status != 403 {
			t.Errorf("a student sees the register: %d", status)
		}
	})
}

func TestOwnResult(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 2)
		d.watch(t, 0, "a", 5, 44)
		d.close(t)
		l, err := d.find(t)
		if err != nil {
			t.Fatal(err)
		}
		own, ok, err := d.att.Own(t.Context(), l, d.students[0], time.UTC)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		want := templates.Result{
			Status: "present", Counted: 39 * minute, Window: 45 * minute, PctTenth: 866,
			Joined: nine(5).Time(), Left: nine(44).Time(), Late: 5 * minute, Early: minute,
		}
		if diff := cmp.Diff(want, own.Result); diff != "" || len(own.Visits) != 1 {
			t.Errorf("own result, want (−), got (+):\n%s", diff)
		}
		if _, ok, err := d.att.Own(t.Context(), l, d.teacher, time.UTC); ok || err != nil {
			t.Errorf("a teacher has a result: %t, %v", ok, err)
		}
	})
}

func TestHere(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 3)
		d.beat(t, d.students[0], nine(5), "a", 0, attendance.Playing, 0)
		d.beat(t, d.students[0], nine(5), "b", 0, attendance.Playing, 0)
		d.beat(t, d.students[1], nine(5).Add(sec(30)), "a", 0, attendance.Playing, 0)
		d.set(nine(5).Add(sec(39)))
		here, err := d.att.Here(t.Context(), d.lesson)
		if err != nil || len(here) != 2 {
			t.Errorf("here are %v, %v; want two", here, err)
		}
		d.set(nine(5).Add(sec(41)))
		if here, _ := d.att.Here(t.Context(), d.lesson); len(here) != 1 || here[0] != d.students[1] {
			t.Errorf("41 s after the first one's last beat here are %v", here)
		}
	})
}

// What the studio says of the viewers' side: pages that play and that wait, and how far behind half of them are at most.
func TestWatching(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 4)
		at := nine(5)
		for i, p := range []struct {
			state  attendance.State
			behind time.Duration
		}{{attendance.Playing, 2 * time.Second}, {attendance.Playing, 3100 * time.Millisecond}, {attendance.Playing, 20 * time.Minute}, {attendance.Stalled, 0}} {
			d.set(at)
			body := fmt.Sprintf(`{"view":"same","n":0,"state":%q,"d_ms":0,"pos":%d}`, p.state, max(0, 5*time.Minute-p.behind).Milliseconds())
			if status, b := d.do(t, d.students[i], "POST", d.path("/beats"), body); status != http.StatusOK {
				t.Fatalf("%s: %d %s", body, status, b)
			}
		}
		d.beat(t, d.students[0], at, "other", 0, attendance.Paused, 0)
		if status, b := d.do(t, d.students[1], "POST", d.path("/beats"), `{"view":"same","n":1,"state":"playing","d_ms":0,"pos":null}`); status != http.StatusOK {
			t.Fatalf("a beat without a position: %d %s", status, b)
		}
		if playing, stalled, behind := d.att.Watching(d.lesson); playing != 3 || stalled != 1 || behind != 3100*time.Millisecond {
			t.Errorf("%d play, %d wait, half within %v; want 3, 1, 3.1s", playing, stalled, behind)
		}
		d.set(at.Add(41 * time.Second))
		if playing, stalled, behind := d.att.Watching(d.lesson); playing+stalled != 0 || behind != 0 {
			t.Errorf("after all of them left: %d play, %d wait, %v", playing, stalled, behind)
		}
	})
}

// A replay's seek line shows what was seen live and again.
func TestSeenOfProgramme(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 2)
		d.watch(t, 0, "a", 0, 10)
		d.close(t)
		d.watch(t, 0, "replay", 120, 121)
		seen, err := d.att.Seen(t.Context(), d.lesson, d.students[0])
		if want := [][2]time.Duration{{0, 10 * time.Minute}}; err != nil || !cmp.Equal(seen, want) {
			t.Errorf("seen %v, %v; want %v", seen, err, want)
		}
		if seen, err := d.att.Seen(t.Context(), d.lesson, d.students[1]); err != nil || len(seen) != 0 {
			t.Errorf("who was not there has seen %v, %v", seen, err)
		}
	})
}

// TestChipAgreesWithRegister compares what the last beat told the student with what the register says.
func TestChipAgreesWithRegister(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		rnd := rand.New(rand.NewPCG(7, 7))
		var last beatAnswer
		at, n := nine(-2), int64(0)
		for at < nine(50) {
			held := sec(1 + rnd.IntN(80))
			if rnd.IntN(8) == 0 {
				at = at.Add(2 * time.Minute) // away
			}
			at = at.Add(held)
			state := []attendance.State{attendance.Playing, attendance.Stalled, attendance.Paused}[rnd.IntN(3)]
			last = d.beat(t, d.students[0], at, "v", n, state, held)
			n++
		}
		d.close(t)
		if row := d.register(t, d.teacher).Rows[0]; row.AttendingS != last.CountedS || row.AttendingS == 0 {
			t.Errorf("the chip said %d s, the register says %d s", last.CountedS, row.AttendingS)
		}
	})
}

// TestKilledServer opens a second server on what the first one left, without letting it finish, and sends the
// last beat again.
func TestKilledServer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		first := held(t, db, 1)
		first.watch(t, 0, "a", 0, 20)
		second := openDoor(t, first.school) // the first one is never told to stop
		got := second.beat(t, first.students[0], nine(20).Add(sec(10)), "a", 20, attendance.Playing, minute)
		if got.N != 20 || got.CountedS != 20*60 {
			t.Errorf("the last beat again: %+v, want 20 and 1200 s", got)
		}
		got = second.beat(t, first.students[0], nine(21), "a", 21, attendance.Playing, minute)
		if got.N != 21 || got.CountedS != 21*60 {
			t.Errorf("the next beat: %+v, want 21 and 1260 s", got)
		}
	})
}

func TestMyAttendance(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 2)
		if _, b := d.do(t, d.students[0], "GET", "/me/attendance", ""); !strings.Contains(string(b), `<span class="stat-value">–</span>`) {
			t.Errorf("a rate before any lesson is decided: %s", b)
		}
		d.watch(t, 0, "a", 0, 45)
		d.close(t)
		status, b := d.do(t, d.students[0], "GET", "/me/attendance", "")
		if page := string(b); status != 200 || !strings.Contains(page, "Biology 7b") || !strings.Contains(page, "Cells") || !strings.Contains(page, "100%") {
			t.Errorf("%d %s", status, b)
		}
		if status, b := d.do(t, d.teacher, "GET", "/me/attendance", ""); status != 200 || strings.Contains(string(b), "Cells") {
			t.Errorf("a teacher, who is in no register: %d %s", status, b)
		}
	})
}

func TestBeatWhileDatabaseIsAway(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		d.exec(t, `ALTER TABLE lessons RENAME TO away`)
		if status, b := d.do(t, d.students[0], "POST", d.path("/beats"), oneBeat); status != 503 {
			t.Errorf("the first beat: %d %s, want 503", status, b)
		}
		d.exec(t, `ALTER TABLE away RENAME TO lessons`)
		d.beat(t, d.students[0], nine(1), "v", 0, attendance.Playing, 0)
		d.exec(t, `ALTER TABLE lessons RENAME TO away`)
		got := d.beat(t, d.students[0], nine(2), "v", 1, attendance.Playing, minute)
		if got.CountedS != 60 {
			t.Errorf("a lesson known from before: %+v, want 60 s", got)
		}
	})
}

// form posts a form as a page without script does, and returns where it leads.
func (d *door) form(t testing.TB, who media.ID, path, body string) (status int, location string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "cc", Value: who.String()})
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

func TestCorrectionForm(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 3)
		d.close(t)
		page := "/lessons/" + d.lesson.String() + "/register"
		statuses := func() (all []string) {
			for _, row := range d.register(t, d.teacher).Rows {
				all = append(all, row.Status)
			}
			return all
		}
		two := "student=" + d.students[0].String() + "&student=" + d.students[1].String()
		for _, c := range []struct {
			body string
			want []string
			done bool // the page offers to take it back
		}{
			{two + "&status=excused&reason=illness&note=Both+ill", []string{"excused", "excused", "absent"}, true},
			{two + "&status=late&reason=", []string{"excused", "excused", "absent"}, false},
			{two + "&status=&reason=illness", []string{"excused", "excused", "absent"}, false},
			{"status=late&reason=illness", []string{"excused", "excused", "absent"}, false},
			{"student=x&status=late&reason=illness", []string{"excused", "excused", "absent"}, false},
			{two + "&status=late&reason=mistake&minutes=many", []string{"excused", "excused", "absent"}, false},
			{two + "&undo=" + d.students[0].String() + "&status=late", []string{"absent", "excused", "absent"}, false},
			{two + "&do=undo", []string{"absent", "absent", "absent"}, false},
		} {
			status, to := d.form(t, d.teacher, page, c.body)
			if status != 303 || strings.Contains(to, "?done=") != c.done {
				t.Errorf("%s: %d to %s, undo offered should be %t", c.body, status, to, c.done)
			}
			if diff := cmp.Diff(c.want, statuses()); diff != "" {
				t.Errorf("%s, want (−), got (+):\n%s", c.body, diff)
			}
			_, b := d.do(t, d.teacher, "GET", strings.TrimSuffix(to, "#table"), "")
			if got := strings.Count(string(b), `<input type="hidden" name="student"`); c.done != (got == 2) {
				t.Errorf("%s: the page offers to undo %d corrections", c.body, got)
			}
		}
		_, b := d.do(t, d.teacher, "GET", page+"?show=present", "")
		if strings.Contains(string(b), "Family000") || !strings.Contains(string(b), "?show=absent") {
			t.Error("the page does not show the chosen status alone")
		}
	})
}

func TestAwaited(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 2)
		d.beat(t, d.students[0], nine(1), "v", 0, attendance.Playing, 0)
		_, b := d.do(t, d.teacher, "GET", "/lessons/"+d.lesson.String()+"/register", "")
		_, awaited, found := strings.Cut(string(b), `<section class="awaited">`)
		awaited, _, _ = strings.Cut(awaited, "</section>")
		if !found || !strings.Contains(awaited, "Family001") || strings.Contains(awaited, "Family000") {
			t.Errorf("not here yet: %s", awaited)
		}
	})
}
