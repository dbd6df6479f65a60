package lessons_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"chalkcast/classroom/lessons"
)

func TestResolveLocalVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/local_time.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Schedule []struct{ Local, Zone, UTC, Note string }
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Schedule) < 6 {
		t.Fatalf("%d vectors, want at least 6", len(file.Schedule))
	}
	for _, v := range file.Schedule {
		t.Run(v.Local+" "+v.Zone, func(t *testing.T) {
			got, err := lessons.ResolveLocal(v.Local[:10], v.Local[11:], v.Zone)
			if err != nil {
				t.Fatal(err)
			}
			if text := got.UTC().Format(time.RFC3339); text != v.UTC {
				t.Errorf("%s in %s is %s, want %s (%s)", v.Local, v.Zone, text, v.UTC, v.Note)
			}
		})
	}
}

func TestResolveLocal(t *testing.T) {
	tests := []struct{ date, clock, zone, want string }{
		{"2026-06-01", "09:00", "UTC", "2026-06-01T09:00:00Z"},
		{"2026-06-01", "09:00", "Asia/Kolkata", "2026-06-01T03:30:00Z"},
		{"2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"}, // a gap of half an hour
		{"2026-04-05", "01:45", "Australia/Lord_Howe", "2026-04-04T14:45:00Z"}, // twice: the first
		{"2011-12-30", "12:00", "Pacific/Apia", "2011-12-30T22:00:00Z"},        // the whole day was skipped
		{"2026-01-15", "08:00", "Pacific/Kiritimati", "2026-01-14T18:00:00Z"},  // +14
		{"2026-03-28", "23:30", "Africa/Casablanca", "2026-03-28T22:30:00Z"},   // after Ramadan
		{"2026-03-29", "03:00", "Europe/Berlin", "2026-03-29T01:00:00Z"},       // the first minute after a gap
		{"2026-10-25", "03:00", "Europe/Berlin", "2026-10-25T02:00:00Z"},       // the first minute after a fold
		{"1900-01-01", "00:00", "Europe/Berlin", "1899-12-31T23:00:00Z"},       // before all changes
		{"2199-07-01", "12:00", "America/New_York", "2199-07-01T16:00:00Z"},    // by rule, long after the table
	}
	for _, tt := range tests {
		got, err := lessons.ResolveLocal(tt.date, tt.clock, tt.zone)
		if err != nil {
			t.Errorf("%s %s %s: %v", tt.date, tt.clock, tt.zone, err)
			continue
		}
		if text := got.UTC().Format(time.RFC3339); text != tt.want {
			t.Errorf("%s %s in %s is %s, want %s", tt.date, tt.clock, tt.zone, text, tt.want)
		}
	}
}

// Every minute around a change must come out as one of the instants that show it, the first of them, whatever
// the time package itself thinks.
func TestResolveLocalAgainstEveryMinute(t *testing.T) {
	for zone, day := range map[string]string{
		"America/New_York": "2026-11-01", "Europe/Berlin": "2026-10-25", "Australia/Lord_Howe": "2026-04-05",
	} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		noon, err := time.ParseInLocation("2006-01-02 15:04", day+" 12:00", loc)
		if err != nil {
			t.Fatal(err)
		}
		first := map[string]time.Time{}
		for m := noon.Add(-20 * time.Hour); m.Before(noon); m = m.Add(time.Minute) {
			if text := m.Format("2006-01-02 15:04"); first[text].IsZero() {
				first[text] = m
			}
		}
		for text, want := range first {
			got, err := lessons.ResolveLocal(text[:10], text[11:], zone)
			if err != nil || !got.Equal(want) {
				t.Fatalf("%s in %s is %v (%v), want %v", text, zone, got.UTC(), err, want.UTC())
			}
		}
	}
}

func plan(date, start, end, zone string) lessons.Plan {
	return lessons.Plan{Date: date, Start: start, End: end, Zone: zone}
}

func TestPlanResolve(t *testing.T) {
	tests := []struct {
		name       string
		plan       lessons.Plan
		start, end string
		wantErr    bool
	}{
		{name: "a morning", plan: plan("2026-10-26", "09:00", "09:45", "Europe/Berlin"), start: "2026-10-26T08:00:00Z", end: "2026-10-26T08:45:00Z"},
		{name: "past midnight", plan: plan("2026-12-31", "23:30", "00:30", "Asia/Tokyo"), start: "2026-12-31T14:30:00Z", end: "2026-12-31T15:30:00Z"},
		{name: "across the spring change", plan: plan("2026-03-29", "01:30", "04:30", "Europe/Berlin"), start: "2026-03-29T00:30:00Z", end: "2026-03-29T03:30:00Z"},
		{name: "across the autumn change", plan: plan("2026-10-25", "01:30", "04:30", "Europe/Berlin"), start: "2026-10-24T23:30:00Z", end: "2026-10-25T02:30:00Z"},
		{name: "from within the gap", plan: plan("2026-03-29", "02:45", "03:30", "Europe/Berlin"), start: "2026-03-29T01:45:00Z", end: "2026-03-29T02:30:00Z"},
		{name: "a whole day", plan: plan("2026-10-26", "09:00", "09:00", "UTC"), wantErr: true},
		{name: "twelve hours", plan: plan("2026-10-26", "08:00", "20:00", "UTC"), start: "2026-10-26T08:00:00Z", end: "2026-10-26T20:00:00Z"},
		{name: "more than twelve hours", plan: plan("2026-10-26", "08:00", "20:01", "UTC"), wantErr: true},
		{name: "no zone", plan: plan("2026-10-26", "09:00", "09:45", ""), wantErr: true},
		{name: "zone of the machine", plan: plan("2026-10-26", "09:00", "09:45", "Local"), wantErr: true},
		{name: "unknown zone", plan: plan("2026-10-26", "09:00", "09:45", "Mars/Olympus"), wantErr: true},
		{name: "zone as a path", plan: plan("2026-10-26", "09:00", "09:45", "../../etc/passwd"), wantErr: true},
		{name: "no such day", plan: plan("2026-02-30", "09:00", "09:45", "UTC"), wantErr: true},
		{name: "loose digits", plan: plan("2026-02-03", "9:00", "09:45", "UTC"), wantErr: true},
		{name: "24:00", plan: plan("2026-02-03", "23:00", "24:00", "UTC"), wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start, end, err := tt.plan.Resolve()
			if tt.wantErr {
				if !errors.Is(err, lessons.ErrPlan) {
					t.Fatalf("Resolve of %+v: error %v, want ErrPlan", tt.plan, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := start.UTC().Format(time.RFC3339); got != tt.start {
				t.Errorf("start %s, want %s", got, tt.start)
			}
			if got := end.UTC().Format(time.RFC3339); got != tt.end {
				t.Errorf("end %s, want %s", got, tt.end)
			}
		})
	}
}
