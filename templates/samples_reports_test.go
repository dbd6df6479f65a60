package templates_test

import (
	"time"

	"chalkcast/templates"
)

// reportSamples are the pages around registers: their rule, counting again.
func reportSamples() map[string]any {
	school := policyEditor()
	course, refused := policyEditor(), policyEditor()
	course.Page, course.CourseID, course.Code, course.Course = page("teacher"), "5c4d3e2f1g0hj", "BIO-7B", "Biology, year 7"
	for i := range course.Fields {
		course.Fields[i].Inherited = course.Fields[i].Value
		if i > 1 {
			course.Fields[i].Value = ""
		}
	}
	refused.Fields[2].Value, refused.Fields[2].Error = "five", "Minutes and seconds like 5:00, at most 1440:00."
	refused.Refused = "Somebody else has just changed the rules. Please look again."
	broken := correctionImport()
	broken.Problems = []templates.ImportProblem{{Line: 3, Text: "No student of this register has the number 0999."}, {Line: 17, Text: "“here” is not a status that can be set."}}
	return map[string]any{
		"import":         templates.CorrectionImport{Page: page("teacher"), LessonID: "1", Title: "Cells", CourseCode: "BIO-7B", Day: now, Reasons: reasons},
		"import-changes": correctionImport(),
		"import-broken":  broken,
		"import-nothing": templates.CorrectionImport{Page: page("teacher"), LessonID: "1", Title: "Cells", Day: now, Reasons: reasons, Read: true, Unchanged: 304},
		"import-no-csv":  templates.CorrectionImport{Page: page("teacher"), LessonID: "1", Title: "Cells", Day: now, Reasons: reasons, Error: "This cannot be read as a CSV file."},
		"policy":         school,
		"policy-course":  course,
		"policy-refused": refused,
		"policy-new":     templates.PolicyEditor{Page: page("admin"), Policy: policy, Fields: policyFields()},
		"recount":        recount(),
		"recount-same":   templates.Recount{Page: page("admin"), Lesson: lesson(templates.Closed), Version: 1, ClosedAt: now, Then: policy, Today: policy, SamePolicy: true, Students: 304},
	}
}

func policyFields() []templates.PolicyField {
	var fields []templates.PolicyField
	for _, f := range [][3]string{
		{"present_at_pct", "percent", "75"},
		{"absent_below_pct", "percent", "25"},
		{"late_after_s", "length", "5:00"},
		{"early_before_s", "length", "5:00"},
		{"bridge_s", "length", "1:00"},
		{"outage_merge_s", "length", "2:00"},
		{"makeup_pct", "percent", "80"},
		{"makeup_days", "days", "7"},
		{"weights.present", "percent", "100"},
		{"weights.late", "percent", "100"},
		{"weights.left_early", "percent", "100"},
		{"weights.partial", "percent", "50"},
		{"weights.made_up", "percent", "100"},
		{"weights.absent", "percent", "0"},
	} {
		fields = append(fields, templates.PolicyField{Name: f[0], Unit: f[1], Value: f[2]})
	}
	return fields
}

func policyEditor() templates.PolicyEditor {
	strict := policy
	strict.PresentAt, strict.LateAfter, strict.MakeupDays = 90, 2*time.Minute+30*time.Second, 0
	p := templates.PolicyEditor{Page: page("admin"), Version: 7, Policy: policy, Fields: policyFields()}
	p.Here = "registers"
	p.History = []templates.PolicyVersion{
		{Version: 7, Policy: policy, At: now.Add(-2 * time.Hour), By: "Rosalind Adeyemi-Clarke"},
		{Version: 4, Policy: strict, At: now.AddDate(0, -1, 0), By: "田中 美咲"},
		{Version: 1, Policy: policy},
	}
	return p
}

func recount() templates.Recount {
	today := policy
	today.PresentAt, today.LateAfter = 60, 10*time.Minute
	r := templates.Recount{Page: page("admin"), Lesson: lesson(templates.Closed), Version: 2, ClosedAt: now.AddDate(0, 0, -3), Then: policy, Today: today, Students: 304}
	for i := range 9 {
		_, _, name := person(i)
		row := templates.RecountRow{Name: name, StudentID: "020413", Before: "late", After: "present", CountedBefore: 38 * time.Minute, CountedAfter: 38 * time.Minute}
		if i%3 == 1 {
			row.Before, row.After, row.CountedAfter = "", "partial", 21*time.Minute
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

var reasons = []string{"illness", "family", "school", "technical", "mistake", "other"}

func correctionImport() templates.CorrectionImport {
	p := templates.CorrectionImport{
		Page: page("teacher"), LessonID: "7h3k9m2p4q6rs", Title: lesson("").Title, CourseCode: "BIO-7B", Day: now, Reasons: reasons, Reason: "illness",
		Read: true, Text: "student_id,status\r\n020413,excused\r\n", Unchanged: 280,
	}
	for i := range 16 {
		_, _, name := person(i)
		p.Changes = append(p.Changes, templates.ImportChange{Name: name, StudentID: "020413", From: "absent", To: "excused", Note: "Called in at 08:10"})
	}
	return p
}
