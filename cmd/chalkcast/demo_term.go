package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/lessons"
	"chalkcast/media"
)

// demoWeeks is how long the demo's term has been going on: long enough for registers, rates and a heat map to look at.
const demoWeeks = 8

// demoTermStart is the Monday on which everybody was enrolled.
func demoTermStart(now time.Time) time.Time {
	sinceMonday := (int(now.Weekday()) + 6) % 7
	return now.AddDate(0, 0, -7*demoWeeks-sinceMonday).Truncate(24 * time.Hour)
}

// demoTerm makes up the lessons of the term so far, one a week in each course, and who was there: most were, some came
// late or left early, a few have stopped coming. It is the same for each new demo school, but for the dates.
func (sc *school) demoTerm(ctx context.Context, cast *demoCast, biology media.ID) error {
	random := rand.New(rand.NewPCG(7, 2))
	diligence := make([]float64, len(cast.Students))
	for i := range diligence {
		diligence[i] = 0.99
		if random.IntN(12) == 0 {
			diligence[i] = 0.65
		}
	}
	monday := demoTermStart(time.Now())
	var past []lessons.Past
	for week := range demoWeeks {
		for _, l := range []struct {
			course       media.ID
			title        string
			day          int
			start, until string
		}{
			{cast.CourseID, demoPhysics[week], 1, "09:00", "09:45"},
			{biology, demoBiology[week], 2, "10:00", "10:45"},
		} {
			past = append(past, lessons.Past{
				Course: l.course, Title: l.title, By: cast.Teacher.ID,
				Plan: lessons.Plan{Date: monday.AddDate(0, 0, 7*week+l.day).Format(time.DateOnly), Start: l.start, End: l.until, Zone: demoZone},
			})
		}
	}
	for i := range past {
		if err := demoAir(&past[i], i); err != nil {
			return err
		}
	}
	made, err := sc.classroom.Lessons.Import(ctx, past)
	if err != nil {
		return fmt.Errorf("make up the term: %w", err)
	}
	for i, l := range made {
		watched := map[media.ID][]attendance.Watched{}
		for n, s := range cast.Students {
			if w, came := demoVisit(random, past[i].Air, diligence[n]); came {
				watched[s.ID] = []attendance.Watched{w}
			}
		}
		if err := sc.classroom.Attendance.Import(ctx, l.ID, watched); err != nil {
			return fmt.Errorf("make up who was there: %w", err)
		}
	}
	return nil
}

// demoAir puts a lesson on air the way lessons are: a minute late, once with OBS gone for three, and once not at all.
func demoAir(p *lessons.Past, n int) error {
	start, end, err := p.Plan.Resolve()
	if err != nil {
		return err
	}
	start = start.Add(time.Duration(n%4) * 20 * time.Second)
	switch n {
	case 5:
		p.Cancelled = true
	case 6:
		p.Air = []lessons.Air{{From: start, Until: start.Add(20 * time.Minute)}, {From: start.Add(23 * time.Minute), Until: end}}
	default:
		p.Air = []lessons.Air{{From: start, Until: end}}
	}
	return nil
}

// demoVisit is how one student took part in a lesson.
func demoVisit(random *rand.Rand, air []lessons.Air, diligence float64) (w attendance.Watched, came bool) {
	chance, late, early := random.Float64(), time.Duration(0), time.Duration(0)
	minutes := func(from, to int) time.Duration {
		return time.Duration(60*from+random.IntN(60*(to-from))) * time.Second
	}
	switch {
	case len(air) == 0 || chance > diligence:
		return w, false
	case chance > 0.94*diligence:
		late = minutes(6, 14)
	case chance > 0.9*diligence:
		early = minutes(6, 12)
	case chance > 0.87*diligence:
		late, early = minutes(10, 15), minutes(8, 15)
	default:
		late, early = minutes(0, 2), minutes(0, 1)
	}
	opened, gone := air[0].From.Add(late), air[len(air)-1].Until.Add(-early)
	w.OpenedAt, w.Device = database.At(opened), random.Int64()
	shown := time.Duration(0) // of the programme, before this part of it
	for n, a := range air {
		from, until := a.From, a.Until
		if opened.After(from) {
			from = opened
		}
		if gone.Before(until) {
			until = gone
		}
		if from.Before(until) {
			seen := func(t time.Time) database.Instant { return database.Instant((shown + t.Sub(a.From)).Milliseconds()) }
			w.Stretches = append(w.Stretches, attendance.Stretch{
				N: int64(n + 1), State: attendance.Playing,
				Time: attendance.Interval{From: database.At(from), To: database.At(until)},
				Seen: attendance.Interval{From: seen(from), To: seen(until)},
			})
		}
		shown += a.Until.Sub(a.From)
	}
	return w, true
}

var (
	demoPhysics = [demoWeeks]string{
		"What is a force?", "Weight and mass", "Levers", "Pulleys and ramps", "Work and power", "Kinds of energy", "Heat is motion", "Falling",
	}
	demoBiology = [demoWeeks]string{
		"Cells under the microscope", "What cells are made of", "Tissue and organs", "How plants drink", "Roots, stems, leaves", "Seeds that travel",
		"Bees at work", "The forest in autumn",
	}
)
