package attendance_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
)

// The model below says the rules of docs/attendance.md again, second by second and without an interval, as
// somebody with a stopwatch and squared paper would.

const modelSeconds = 900

type seconds [modelSeconds]bool

func (s *seconds) mark(from, to int) {
	for i := from; i < to; i++ {
		s[i] = true
	}
}

// closeGaps marks what lies between two marked seconds that are at most gap apart.
func (s *seconds) closeGaps(gap int) {
	last := -1
	for i, on := range s {
		if !on {
			continue
		}
		if last >= 0 && i-last-1 <= gap {
			s.mark(last, i)
		}
		last = i
	}
}

func (s *seconds) and(other seconds) (both seconds) {
	for i := range s {
		both[i] = s[i] && other[i]
	}
	return both
}

func (s *seconds) count() (n int) {
	for _, on := range s {
		if on {
			n++
		}
	}
	return n
}

func (s *seconds) firstLast() (first, last int) {
	first = -1
	for i, on := range s {
		if on && first < 0 {
			first = i
		}
		if on {
			last = i
		}
	}
	return first, last
}

func modelMeasure(planned *seconds, air, attending, played seconds, p attendance.Policy) (f attendance.Figures, status attendance.Status, outside bool) {
	w := air
	w.closeGaps(p.OutageMergeS)
	if planned != nil {
		if in := w.and(*planned); in.count() > 0 {
			w = in
		} else {
			outside = w.count() > 0
		}
	}
	visits := attending
	visits.closeGaps(p.BridgeS)
	in, seen := visits.and(w), played.and(w)
	f.Attending = time.Duration(in.count()) * time.Second
	total := w.count()
	if n := in.count(); n > 0 {
		f.Here = true
		f.Played = time.Duration(seen.count()) * time.Second
		w0, w1 := w.firstLast()
		if there := attending.and(w); there.count() > 0 {
			in = there
		}
		a0, a1 := in.firstLast()
		f.Late, f.Early = time.Duration(a0-w0)*time.Second, time.Duration(w1-a1)*time.Second
	}
	n := int(f.Attending/time.Second) * 100
	switch {
	case total == 0:
		status = attendance.NotHeld
	case n == 0 || n < p.AbsentBelowPct*total:
		status = attendance.Absent
	case n < p.PresentAtPct*total:
		status = attendance.Partial
	case int(f.Late/time.Second) > p.LateAfterS:
		status = attendance.Late
	case int(f.Early/time.Second) > p.EarlyBeforeS:
		status = attendance.LeftEarly
	default:
		status = attendance.Present
	}
	return f, status, outside
}

func at(second int) database.Instant {
	return database.At(day).Add(time.Duration(second) * time.Second)
}

func TestMeasureAgainstModel(t *testing.T) {
	p := attendance.DefaultPolicy()
	p.BridgeS, p.OutageMergeS, p.LateAfterS, p.EarlyBeforeS = 20, 40, 60, 60
	statuses := map[attendance.Status]int{}
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		random := func() (attendance.Interval, int, int) {
			from := rnd.IntN(modelSeconds)
			to := min(modelSeconds, from+rnd.IntN(rnd.IntN(modelSeconds)+1))
			return attendance.Interval{From: at(from), To: at(to)}, from, to
		}
		var c attendance.Class
		var planned *seconds
		var air, attending, played seconds
		if rnd.IntN(4) > 0 {
			iv, from, to := random()
			if from < to {
				c.Planned, planned = iv, new(seconds)
				planned.mark(from, to)
			}
		}
		for range rnd.IntN(4) {
			iv, from, to := random()
			c.Air = append(c.Air, iv)
			air.mark(from, to)
		}
		views := make([]attendance.Watched, rnd.IntN(4))
		for i := range views {
			for range rnd.IntN(5) {
				iv, from, to := random()
				s := attendance.Stretch{Time: iv, State: attendance.Paused}
				switch rnd.IntN(3) {
				case 0:
					s.State = attendance.Playing
					played.mark(from, to)
					attending.mark(from, to)
				case 1:
					s.State = attendance.Stalled
					attending.mark(from, to)
				}
				views[i].Stretches = append(views[i].Stretches, s)
			}
		}
		want, wantStatus, wantOutside := modelMeasure(planned, air, attending, played, p)
		w, outside := c.Window(p)
		f := c.Measure(views, p)
		got := attendance.Figures{Here: f.Here, Attending: f.Attending, Played: f.Played, Late: f.Late, Early: f.Early}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: model (−), measured (+):\n%s", seed, diff)
		}
		if status := f.LiveStatus(w, p); status != wantStatus || outside != wantOutside {
			t.Fatalf("seed %d: %s, outside %t; model says %s, %t", seed, status, outside, wantStatus, wantOutside)
		}
		statuses[wantStatus]++
	}
	if len(statuses) != 6 {
		t.Errorf("the random lessons do not reach every status: %v", statuses)
	}
}

// page is the client side of a view: it counts time since the last acknowledged beat.
type page struct {
	n     int64
	acked int // the second of the last beat that was acknowledged
}

func (p *page) beat(second int, state attendance.State) attendance.Beat {
	b := attendance.Beat{View: "p", N: p.n, State: state, Held: time.Duration(second-p.acked) * time.Second}
	p.n++
	return b
}

// TestLossyNetwork plays the same hour of a student twice: once over a perfect network, once over one that loses
// beats, loses answers, and delivers late and again. As long as no silence is longer than 90 s, both record the
// same.
func TestLossyNetwork(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		perfect, lossy := attendance.NewView(at(0)), attendance.NewView(at(0))
		var a, b recording
		pa, pb := page{}, page{}
		var late []attendance.Beat
		a.take(&perfect, 0, pa.beat(0, attendance.Playing))
		b.take(&lossy, 0, pb.beat(0, attendance.Playing))
		second, lost := 0, 0
		for second < 3600 {
			second += 1 + rnd.IntN(15)
			a.take(&perfect, second, pa.beat(second, attendance.Playing))
			pa.acked = second

			beat := pb.beat(second, attendance.Playing)
			switch fate := rnd.IntN(4); {
			case fate == 0 && lost < 4: // never arrives, or after others
				lost++
				late = append(late, beat)
				continue
			case fate == 1 && lost < 4: // arrives; the answer is lost
				lost++
			default:
				lost = 0
				pb.acked = second
			}
			b.take(&lossy, second, beat)
			for len(late) > 0 && rnd.IntN(2) == 0 { // old ones in any order, and again
				i := rnd.IntN(len(late))
				b.take(&lossy, second, late[i])
				if rnd.IntN(2) == 0 {
					late = append(late[:i], late[i+1:]...)
				}
			}
			b.take(&lossy, second, beat)
		}
		a.take(&perfect, second+15, pa.beat(second+15, attendance.Playing))
		b.take(&lossy, second+15, pb.beat(second+15, attendance.Playing))
		if diff := cmp.Diff(a.set(), b.set()); diff != "" {
			t.Fatalf("seed %d: perfect network (−), lossy one (+):\n%s", seed, diff)
		}
	}
}

// recording keeps what a view grew to.
type recording map[stretchName]attendance.Stretch

type stretchName struct {
	n     int64
	state attendance.State
}

func (r *recording) take(v *attendance.View, second int, b attendance.Beat) {
	if *r == nil {
		*r = recording{}
	}
	_, changed := v.Take(at(second), b)
	for _, s := range changed {
		(*r)[stretchName{s.N, s.State}] = s
	}
}

func (r recording) set() attendance.Set {
	var ivs []attendance.Interval
	for _, s := range r {
		ivs = append(ivs, s.Time)
	}
	return attendance.Union(ivs...)
}

// TestNobodyEarnsMoreThanWallTime lets a page claim whatever it likes.
func TestNobodyEarnsMoreThanWallTime(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		v := attendance.NewView(at(0))
		var r recording
		now := 0
		for i := range int64(100) {
			now += rnd.IntN(120)
			r.take(&v, now, attendance.Beat{
				N: i + rnd.Int64N(10), State: attendance.Playing, Held: time.Duration(rnd.IntN(100)) * time.Second,
			})
		}
		var sum time.Duration
		for _, s := range r {
			sum += s.Time.Length()
		}
		set := r.set()
		if sum == 0 || set.Hull().From < at(0) || set.Hull().To > at(now) || sum != set.Length() {
			t.Fatalf("seed %d: in %d s of wall time it earned %v, as %v", seed, now, sum, set)
		}
	}
}
