package attendance

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"chalkcast/classroom/courses"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// Register is the attendance record of one lesson as it stands: provisional while Version is 0, frozen after.
type Register struct {
	Lesson        lessons.Lesson
	Course        courses.Course
	Air           Set
	Window        Set // what counts; empty when the lesson was not held
	Outside       bool
	Programme     time.Duration
	Policy        Policy
	PolicyVersion int64
	ClosesAt      database.Instant // 0 while the lesson has not ended
	Version       int              // 0 until it is closed
	ClosedAt      database.Instant
	Hash          []byte // SHA-256 of the intervals that a closed register was counted from
	Rows          []Row  // by family name, then given name
}

// Student is somebody whose enrollment covers the lesson.
type Student struct {
	ID                  media.ID
	Number              string // the school's own
	Family, Given, Name string
	Email               string
	Section             string // the group inside the course
}

// Row is one student.
type Row struct {
	Student
	Figures
	Live       Status // by the live figures alone
	Computed   Status // after catching up or making up
	Status     Status // what is shown: Computed, a correction, or pending
	Correction *Correction
	Attempts   []Attempt
}

// Correction is what somebody put in the place of the computed status.
type Correction struct {
	Status   Status
	Minutes  *int   // instead of those counted; nil leaves them
	Reason   string // one of Reasons
	Note     string
	Previous Status // what was shown before
	At       database.Instant
	By       media.ID
	ByName   string
}

// Attempt is a try to join that did not work.
type Attempt struct {
	At     database.Instant
	Reason string // a code of the message table
}

// Closed reports whether the register is frozen.
func (r *Register) Closed() bool { return r.Version > 0 }

// Held reports whether anything of the lesson counts.
func (r *Register) Held() bool { return len(r.Window) > 0 }

// Counted is the length of the window in whole seconds.
func (r *Register) Counted() time.Duration { return wholeSeconds(r.Window.Length()) }

// Minutes is the time in class in whole minutes, as corrected or as counted.
func (r *Row) Minutes() int {
	if r.Correction != nil && r.Correction.Minutes != nil {
		return *r.Correction.Minutes
	}
	return int(r.Attending / time.Minute)
}

// class is what the lesson's rows say at now.
func class(l lessons.Lesson, air []lessons.Air, now time.Time) Class {
	c := Class{EndedAt: l.EndedAt}
	if l.HasPlan() {
		c.Planned = Interval{l.PlannedStartAt, l.PlannedEndAt}
	}
	for _, a := range air {
		iv := Interval{database.At(a.From), database.At(a.Until)}
		if a.Open {
			iv.To = max(iv.To, database.At(now))
		}
		c.Air = append(c.Air, iv)
	}
	return c
}

// show decides what is seen of a row. The order is that of docs/attendance.md.
func (r *Row) show(closed bool) {
	r.Computed = r.Lift(r.Live)
	switch {
	case r.Live == NotHeld:
		r.Status = NotHeld
	case !closed:
		r.Status = Pending
	case r.Correction != nil:
		r.Status = r.Correction.Status
	default:
		r.Status = r.Computed
	}
}

func byName(a, b Row) int { return byStudent(a.Student, b.Student) }

func byStudent(a, b Student) int {
	return cmp.Or(
		strings.Compare(strings.ToLower(a.Family), strings.ToLower(b.Family)),
		strings.Compare(strings.ToLower(a.Given), strings.ToLower(b.Given)),
		strings.Compare(a.Name, b.Name),
		cmp.Compare(a.ID, b.ID),
	)
}

// watchedBy sorts rows of views and intervals by student.
func watchedBy(views []viewRow, intervals []intervalRow) map[media.ID][]Watched {
	stretches := make(map[media.ID][]Stretch, len(views))
	for _, r := range intervals {
		stretches[r.ViewID] = append(stretches[r.ViewID], r.stretch())
	}
	by := make(map[media.ID][]Watched)
	for _, v := range views {
		by[v.UserID] = append(by[v.UserID], Watched{OpenedAt: v.OpenedAt, Device: v.Device, Stretches: stretches[v.ID]})
	}
	return by
}

// hashIntervals is the fingerprint of everything a register was counted from, whatever order it was read in.
func hashIntervals(views []viewRow, intervals []intervalRow) []byte {
	owner := make(map[media.ID]viewRow, len(views))
	for _, v := range views {
		owner[v.ID] = v
	}
	lines := make([]string, 0, len(intervals))
	for _, r := range intervals {
		v := owner[r.ViewID]
		lines = append(lines, fmt.Sprintf("%s %s %d %d %s %d %d %d %d\n", v.UserID, r.ViewID, v.OpenedAt, r.N, r.State,
			r.FromAt, r.ToAt, r.SeenFromMS, r.SeenToMS))
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		h.Write([]byte(line))
	}
	return h.Sum(nil)
}

// setJSON writes a set as [[from,to],…] in Unix milliseconds.
func setJSON(s Set) string {
	pairs := make([][2]database.Instant, len(s))
	for i, iv := range s {
		pairs[i] = [2]database.Instant{iv.From, iv.To}
	}
	b, _ := json.Marshal(pairs) // integers only: it cannot fail
	return string(b)
}

func parseSet(text string) (Set, error) {
	var pairs [][2]database.Instant
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return nil, fmt.Errorf("read intervals: %w", err)
	}
	s := make(Set, len(pairs))
	for i, p := range pairs {
		s[i] = Interval{p[0], p[1]}
	}
	return s, nil
}

// freeze turns a row into what the database keeps of it.
func (r *Row) freeze(lesson media.ID, version int) studentRow {
	return studentRow{
		LessonID: lesson, Version: version, UserID: r.ID, Section: r.Section,
		LiveStatus: r.Live, Status: r.Lift(r.Live), Visits: setJSON(r.Visits), Devices: r.Devices, Attended: r.Here,
		AttendingS: wholeS(r.Attending), PlayedS: wholeS(r.Played), LateS: wholeS(r.Late), EarlyS: wholeS(r.Early),
		ReplayS: wholeS(r.Replay), CoveredS: wholeS(r.Covered),
	}
}

// thaw is the other direction. What was lifted then is lifted now.
func (s studentRow) thaw() (Row, error) {
	visits, err := parseSet(s.Visits)
	if err != nil {
		return Row{}, err
	}
	return Row{
		Student: Student{ID: s.UserID, Section: s.Section},
		Live:    s.LiveStatus,
		Figures: Figures{
			Visits: visits, Joined: visits.Hull().From, Left: visits.Hull().To, Devices: s.Devices, Here: s.Attended,
			Attending: seconds(int(s.AttendingS)), Played: seconds(int(s.PlayedS)), Late: seconds(int(s.LateS)), Early: seconds(int(s.EarlyS)),
			Replay: seconds(int(s.ReplayS)), Covered: seconds(int(s.CoveredS)),
			CaughtUp: s.Status == Present && s.LiveStatus != Present, Recovered: s.Status == MadeUp,
		},
	}, nil
}

// later takes from fresh figures what may still grow after the register has closed. It never shrinks: the intervals of
// somebody who was erased are gone, what was counted of them is not.
func (r *Row) later(f Figures) {
	r.Replay, r.Covered = max(r.Replay, f.Replay), max(r.Covered, f.Covered)
	r.CaughtUp, r.Recovered = r.CaughtUp || f.CaughtUp, r.Recovered || f.Recovered
}

func wholeS(d time.Duration) int64 { return int64(d / time.Second) }
