package attendance_test

import (
	"net/url"
	"strings"
	"testing"

	"chalkcast/classroom/audit"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// schoolRule is the form of the school's rule as it is at first.
func schoolRule(changes ...string) url.Values {
	v := url.Values{
		"version": {"1"}, "present_at_pct": {"75"}, "absent_below_pct": {"25"}, "late_after_s": {"5:00"}, "early_before_s": {"5"}, "bridge_s": {"1:00"},
		"outage_merge_s": {"2:00"}, "makeup_pct": {"80"}, "makeup_days": {"7"}, "weights.present": {"100"}, "weights.late": {"100"},
		"weights.left_early": {"100"}, "weights.partial": {"50"}, "weights.made_up": {"100"}, "weights.absent": {"0"},
	}
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return v
}

// admin is somebody who runs the school and is in no course.
func (d *door) admin(t testing.TB) media.ID {
	t.Helper()
	id := media.NewID()
	d.exec(t, `INSERT INTO users (id, email, display_name, given_name, family_name, student_id, password, admin, lang, created_at, disabled_at)
		VALUES (?, ?, 'Ida Admin', 'Ida', 'Admin', '', '', ?, '', 1, 0)`, id, id.String()+"@school.example", true)
	d.admins[id] = true
	return id
}

func (d *door) page(t testing.TB, who media.ID, path string, want int, words ...string) string {
	t.Helper()
	status, b := d.do(t, who, "GET", path, "")
	if status != want {
		t.Fatalf("GET %s: %d, want %d\n%.400s", path, status, want, b)
	}
	for _, w := range words {
		if !strings.Contains(string(b), w) {
			t.Errorf("%s does not say %q", path, w)
		}
	}
	return string(b)
}

// TestPolicyChangeLeavesClosedRegisters changes the rule after a register has closed: it stays as it was until an admin
// counts it again, and the rule can be taken back.
func TestPolicyChangeLeavesClosedRegisters(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 2)
		admin := d.admin(t)
		d.watch(t, 0, "a", 10, 45) // 35 of 45 minutes, ten late
		d.close(t)
		again := "/lessons/" + d.lesson.String() + "/register/recompute"
		d.page(t, admin, again, 200, "Counting again would change nothing", "The rule is the same as then")
		status := func() string { return d.register(t, d.teacher).Rows[0].Status }
		if got := status(); got != "late" {
			t.Fatalf("by the rule of then: %s, want late", got)
		}

		if code, to := d.form(t, admin, "/policy", schoolRule("late_after_s", "10:00").Encode()); code != 303 || to != "/policy" {
			t.Fatalf("change of the rule: %d to %q", code, to)
		}
		d.page(t, admin, "/policy", 200, "late is more than 10\u00a0min after", "Version 2", "Version 1", "Ida Admin")
		if lines, err := audit.Of(t.Context(), db.Reader(), "school", 10); err != nil || len(lines) != 1 || lines[0].Action != "policy.change" || lines[0].Actor != admin {
			t.Errorf("audit lines about the rule: %+v, %v", lines, err)
		}
		if got := status(); got != "late" {
			t.Errorf("a closed register after the rule changed: %s, want late", got)
		}
		d.page(t, admin, again, 200, "Counting again would change 1 of 2 students", "Late", "Present")
		if code, to := d.form(t, admin, again, ""); code != 303 || !strings.HasSuffix(to, "/register") {
			t.Fatalf("count again: %d to %q", code, to)
		}
		if r := d.register(t, d.teacher); r.Version != 2 || r.Rows[0].Status != "present" {
			t.Errorf("counted again: version %d, %s; want 2, present", r.Version, r.Rows[0].Status)
		}

		// Two at once: who has seen an older rule is told so, and nothing is lost.
		if code, _ := d.form(t, admin, "/policy", schoolRule("present_at_pct", "90").Encode()); code != 409 {
			t.Errorf("a change of a rule that is not there any more: %d, want 409", code)
		}
		if code, _ := d.form(t, admin, "/policy", "version=2&restore=1"); code != 303 {
			t.Errorf("back to the first rule: %d", code)
		}
		d.page(t, admin, "/policy", 200, "late is more than 5\u00a0min after", "Version 3")
		if code, _ := d.form(t, admin, "/policy", "version=3&restore=9"); code != 404 {
			t.Errorf("back to a rule that never was: %d, want 404", code)
		}
	})
}

// TestPolicyOfCourse has a course put two numbers in the place of the school's; the others follow the school.
func TestPolicyOfCourse(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := held(t, db, 1)
		admin, path := d.admin(t), "/courses/"+d.course.String()+"/policy"
		if code, _ := d.form(t, d.teacher, path, "version=1&present_at_pct=60&weights.partial=40"); code != 303 {
			t.Fatalf("the course's own rule: %d", code)
		}
		if code, _ := d.form(t, admin, "/policy", schoolRule("version", "2", "late_after_s", "3:30").Encode()); code != 303 {
			t.Fatal("the school's rule was not taken")
		}
		d.page(t, d.teacher, path, 200, "Present is from 60%", "more than 3\u00a0min 30\u00a0s", `name="present_at_pct" type="text" inputmode="numeric" size="6" maxlength="8" autocomplete="off" value="60"`, `value="" placeholder="3:30"`)
		d.page(t, d.students[0], "/me/attendance", 200, "Present is from 60%")
		if got := d.register(t, d.teacher); got.Rows[0].Status != "pending" {
			t.Errorf("status %s", got.Rows[0].Status)
		}
		for what, c := range map[string]struct{ path, body string }{
			"above hundred":          {path, "version=3&present_at_pct=101"},
			"no clock":               {path, "version=3&late_after_s=5:70"},
			"too long":               {path, "version=3&bridge_s=61:00"},
			"a percent with minutes": {path, "version=3&present_at_pct=60:00"},
			"absent above present":   {path, "version=3&absent_below_pct=61&present_at_pct=60"},
			"an empty number":        {"/policy", schoolRule("version", "3", "bridge_s", "").Encode()},
			"against the course":     {"/policy", schoolRule("version", "3", "absent_below_pct", "70").Encode()},
			"no version":             {path, "present_at_pct=60"},
		} {
			if code, _ := d.form(t, admin, c.path, c.body); code != 400 {
				t.Errorf("%s: %d, want 400", what, code)
			}
		}
	})
}
