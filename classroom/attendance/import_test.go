package attendance_test

import (
	"testing"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// What is imported of a lesson that is over is counted as if its beats had come here.
func TestImport(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := openDoor(t, newSchool(t, db, 3, "planned"))
		d.set(nine(47)) // before the register is due to be closed
		past := lessons.Past{
			Course: d.course, Title: "Tissue", By: d.teacher,
			Plan: lessons.Plan{Date: "2026-09-07", Start: "11:00", End: "11:45", Zone: "Europe/Berlin"},
			Air:  []lessons.Air{{From: nine(1).Time(), Until: nine(20).Time()}, {From: nine(21).Time(), Until: nine(46).Time()}},
		}
		cancelled := past
		cancelled.Cancelled, cancelled.Air = true, nil
		made, err := d.taught.Import(t.Context(), []lessons.Past{past, cancelled})
		if err != nil {
			t.Fatal(err)
		}
		if made[0].State != lessons.Ended || made[0].EndedAt != nine(46) || made[1].State != lessons.Cancelled {
			t.Errorf("imported: %+v", made)
		}
		d.lesson = made[0].ID
		err = d.att.Import(t.Context(), d.lesson, map[media.ID][]attendance.Watched{
			d.students[0]: {{OpenedAt: nine(0), Device: 1, Stretches: []attendance.Stretch{
				{N: 1, State: attendance.Playing, Time: between(1, 46), Seen: attendance.Interval{From: 0, To: 45 * 60_000}},
			}}},
			d.students[1]: {
				{OpenedAt: nine(10), Device: 2, Stretches: []attendance.Stretch{{N: 1, State: attendance.Playing, Time: between(10, 30)}}},
				{OpenedAt: nine(25), Device: 3, Stretches: []attendance.Stretch{{N: 1, State: attendance.Stalled, Time: between(25, 40)}}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		d.set(nine(120))
		if err := d.att.CloseDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := map[media.ID]answeredRow{
			d.students[0]: {Status: "present", AttendingS: 44 * 60, PlayedS: 44 * 60, Devices: 1},
			d.students[1]: {Status: "partial", AttendingS: 30 * 60, PlayedS: 20 * 60, Devices: 2},
			d.students[2]: {Status: "absent"},
		}
		for _, row := range d.register(t, d.teacher).Rows {
			w := want[row.UserID]
			if row.Status != w.Status || row.AttendingS != w.AttendingS || row.PlayedS != w.PlayedS || row.Devices != w.Devices {
				t.Errorf("%s: %+v, want %+v", row.FamilyName, row, w)
			}
		}
	})
}
