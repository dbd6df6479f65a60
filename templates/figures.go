package templates

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Figures are drawn as SVG with positions in percent, computed here: the content security policy forbids style
// attributes, and without script a page must still show them.

// box is an interval on a horizontal axis.
type box struct{ X, W string }

// tick is a labeled instant on a horizontal axis.
type tick struct {
	X  string
	At time.Time
}

// axis maps instants to percent of a width.
type axis struct{ from, to time.Time }

func (a axis) percent(t time.Time) float64 {
	if !a.to.After(a.from) {
		return 0
	}
	p := 100 * float64(t.Sub(a.from)) / float64(a.to.Sub(a.from))
	return min(max(p, 0), 100)
}

func (a axis) at(t time.Time) string { return fmt.Sprintf("%.2f%%", a.percent(t)) }

// box returns where s lies; what is too short to see is drawn just wide enough to be.
func (a axis) box(s Span) box {
	from, to := a.percent(s.From), a.percent(s.To)
	return box{fmt.Sprintf("%.2f%%", from), fmt.Sprintf("%.2f%%", max(to-from, 0.15))}
}

func (a axis) boxes(spans []Span) []box {
	var out []box
	for _, s := range spans {
		if s.To.After(a.from) && s.From.Before(a.to) {
			out = append(out, a.box(s))
		}
	}
	return out
}

// ticks labels the axis at round times, at most ten of them.
func (a axis) ticks() []tick {
	step := 5 * time.Minute
	for _, s := range []time.Duration{5, 10, 15, 30, 60, 120, 240} {
		step = s * time.Minute
		if a.to.Sub(a.from) <= 10*step {
			break
		}
	}
	var out []tick
	for t := a.from.Truncate(step); t.Before(a.to); t = t.Add(step) {
		// The last label needs room to the right of its tick.
		if !t.Before(a.from) && a.percent(t) <= 95 {
			out = append(out, tick{a.at(t), t})
		}
	}
	return out
}

func (a *axis) cover(s Span) {
	if s.From.IsZero() || s.To.IsZero() {
		return
	}
	if a.from.IsZero() || s.From.Before(a.from) {
		a.from = s.From
	}
	if a.to.IsZero() || s.To.After(a.to) {
		a.to = s.To
	}
}

// presenceBar is one student's own time on the time of the lesson.
type presenceBar struct {
	Air, Visits []box
	Label       string
}

func newBar(window Span, air, visits []Span) presenceBar {
	var a axis
	a.cover(window)
	for _, s := range air {
		a.cover(s)
	}
	var words []string
	for _, v := range visits {
		words = append(words, v.From.Format("15:04")+"–"+v.To.Format("15:04"))
	}
	label := strings.Join(words, ", ")
	if label == "" {
		label = "–"
	}
	return presenceBar{a.boxes(air), a.boxes(visits), label}
}

// registerPicture is a whole class at one glance: every student a bar, all on one axis.
type registerPicture struct {
	Ticks  []tick
	Window *box
	Air    []box
	Rows   []pictureRow
	Height string
	Crowd  *crowd
}

// crowd is how many students were in class at once, over the time of the lesson.
type crowd struct {
	Line, Area string // points in a box of 1000 × 100
	Peak       int
	PeakAt     time.Time
	Counts     []crowdCount
}

type crowdCount struct {
	At time.Time
	N  int
}

// crowdColumns is how finely the curve is drawn; each shows the most of its time.
const crowdColumns = 250

// newCrowd returns nil when nobody was there.
func newCrowd(a axis, rows []RegisterRow, ticks []tick) *crowd {
	type edge struct {
		at time.Time
		by int
	}
	var edges []edge
	for _, r := range rows {
		for _, v := range r.Visits {
			if v.To.After(a.from) && v.From.Before(a.to) {
				edges = append(edges, edge{v.From, 1}, edge{v.To, -1})
			}
		}
	}
	if len(edges) == 0 {
		return nil
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.by, y.by)) })
	c := &crowd{}
	columns := make([]int, crowdColumns)
	there, last := 0, 0
	for _, e := range edges {
		column := min(int(a.percent(e.at)*crowdColumns/100), crowdColumns-1)
		for ; last < column; last++ {
			columns[last] = max(columns[last], there)
		}
		there += e.by
		columns[column] = max(columns[column], there)
		if there > c.Peak {
			c.Peak, c.PeakAt = there, e.at
		}
	}
	for ; last < crowdColumns; last++ {
		columns[last] = max(columns[last], there)
	}
	var line strings.Builder
	for i, n := range columns {
		y := 100 - 92*float64(n)/float64(c.Peak)
		fmt.Fprintf(&line, "%d,%.1f %d,%.1f ", i*1000/crowdColumns, y, (i+1)*1000/crowdColumns, y)
	}
	c.Line = strings.TrimSpace(line.String())
	c.Area = "0,100 " + c.Line + " 1000,100"
	for _, t := range ticks {
		n := 0
		for _, e := range edges {
			if e.at.After(t.At) {
				break
			}
			n += e.by
		}
		c.Counts = append(c.Counts, crowdCount{t.At, n})
	}
	if c.PeakAt.Before(a.from) {
		c.PeakAt = a.from
	}
	return c
}

// weeksPicture is a school's attendance as a bar for each week.
type weeksPicture struct {
	Bars              []weekBar
	Limit             string // where the limit crosses them
	Lowest, Highest   weekBar
	Compared, Crowded bool // there are two weeks to compare; more of them than numbers fit on bars
}

type weekBar struct {
	X, W, Middle, Y, H string
	Monday             time.Time
	PctTenth, Pct      int
	Low                bool
	Dated              string // how much room there must be for its date: any, wide, or none
}

// The bars stand on a line at weeksBase and reach up to weeksTop, in pixels.
const (
	weeksTop, weeksBase = 22, 142
	weekNumbers         = 20 // numbers that fit beside each other on a telephone
)

// newWeeks returns nil when no week has a rate.
func newWeeks(r Registers) *weeksPicture {
	n := len(r.Together)
	height := func(tenths int) float64 { return float64(tenths) * (weeksBase - weeksTop) / 1000 }
	p := &weeksPicture{Limit: fmt.Sprintf("%.1f", weeksBase-height(10*r.Limit)), Crowded: n > weekNumbers}
	wide := 1 + (n-1)/16
	narrow := wide * (1 + (n-1)/(5*wide))
	for i, w := range r.Together {
		if !w.Rated {
			continue
		}
		x := 100 * float64(i) / float64(n)
		b := weekBar{
			X: fmt.Sprintf("%.2f%%", x+8/float64(n)), W: fmt.Sprintf("%.2f%%", 84/float64(n)), Middle: fmt.Sprintf("%.2f%%", x+50/float64(n)),
			Y: fmt.Sprintf("%.1f", weeksBase-height(w.PctTenth)), H: fmt.Sprintf("%.1f", height(w.PctTenth)),
			Monday: r.Weeks[i], PctTenth: w.PctTenth, Pct: w.PctTenth / 10, Low: w.PctTenth < 10*r.Limit,
		}
		switch { // a date needs room to the right of where its bar begins
		case x > 92 || i%wide != 0:
			b.Dated = "none"
		case x > 78 || i%narrow != 0:
			b.Dated = "wide"
		}
		if len(p.Bars) == 0 || b.PctTenth < p.Lowest.PctTenth {
			p.Lowest = b
		}
		if len(p.Bars) == 0 || b.PctTenth > p.Highest.PctTenth {
			p.Highest = b
		}
		p.Bars = append(p.Bars, b)
	}
	if len(p.Bars) == 0 {
		return nil
	}
	p.Compared = p.Lowest.PctTenth < p.Highest.PctTenth
	return p
}

type pictureRow struct {
	Status string
	Y, H   string
	Visits []box
}

// statusOrder is the order of the picture: who was there on top.
var statusOrder = []string{"present", "late", "left_early", "partial", "excused", "absent", "pending"}

// newPicture returns nil when there is nothing to draw. The bars shrink as the class grows, so that a class of
// any size fits a screen.
func newPicture(r Register) *registerPicture {
	var a axis
	a.cover(r.Window)
	a.cover(Span{r.Lesson.Start, r.Lesson.End})
	for _, s := range r.Air {
		a.cover(s)
	}
	if len(r.Rows) == 0 || a.from.IsZero() {
		return nil
	}
	rows := slices.Clone(r.Rows)
	slices.SortStableFunc(rows, func(x, y RegisterRow) int {
		return cmp.Or(
			cmp.Compare(slices.Index(statusOrder, x.Status), slices.Index(statusOrder, y.Status)),
			x.Joined.Compare(y.Joined),
		)
	})
	pitch := min(max(280/float64(len(rows)), 1), 12)
	thickness := pitch * 0.7
	if pitch < 4 {
		thickness = pitch // gaps thinner than a pixel would flicker into a pattern
	}
	p := &registerPicture{Ticks: a.ticks(), Air: a.boxes(r.Air), Height: fmt.Sprintf("%.0f", pitch*float64(len(rows))+8)}
	if r.Window.To.After(r.Window.From) {
		b := a.box(r.Window)
		p.Window = &b
	}
	p.Crowd = newCrowd(a, r.Rows, p.Ticks)
	for i, row := range rows {
		y := 4 + pitch*float64(i)
		p.Rows = append(p.Rows, pictureRow{
			Status: row.Status,
			Y:      fmt.Sprintf("%.2f", y),
			H:      fmt.Sprintf("%.2f", thickness),
			Visits: a.boxes(row.Visits),
		})
	}
	return p
}

// dayLine is the day's lessons on one time line, those in trouble first.
type dayLine struct {
	Ticks    []tick
	Rows     []dayRow
	Now      string // empty outside the line
	OnAir    int
	Troubles int
}

type dayRow struct {
	TodayLesson
	Plan  box
	Aired *airedBox
}

type airedBox struct {
	box
	State string
}

func newTimeline(page Today) dayLine {
	var a axis
	for _, l := range page.Lessons {
		a.cover(Span{l.Start.Truncate(time.Hour), l.End})
		if l.State == Live || l.State == Interrupted {
			a.cover(Span{l.LiveSince, page.Now})
		}
	}
	line := dayLine{Ticks: a.ticks()}
	if page.Now.After(a.from) && page.Now.Before(a.to) {
		line.Now = a.at(page.Now)
	}
	for _, l := range page.Lessons {
		line.Rows = append(line.Rows, dayRow{l, a.box(Span{l.Start, l.End}), aired(a, l, page.Now)})
		if l.State == Live {
			line.OnAir++
		}
		if l.Trouble != "" {
			line.Troubles++
		}
	}
	slices.SortStableFunc(line.Rows, func(x, y dayRow) int {
		return cmp.Compare(trouble(x), trouble(y))
	})
	return line
}

func trouble(r dayRow) int {
	if r.Trouble != "" {
		return 0
	}
	return 1
}

func aired(a axis, l TodayLesson, now time.Time) *airedBox {
	if l.LiveSince.IsZero() {
		return nil
	}
	to := now
	if l.State == Ended || l.State == Closed {
		to = l.End
	}
	return &airedBox{a.box(Span{l.LiveSince, to}), l.State}
}

// spark returns the points of a line over the last 60 values in a box of 60 × 20, newest at the right.
func spark(values []int) string {
	if len(values) > 60 {
		values = values[len(values)-60:]
	}
	top := 1
	for _, v := range values {
		top = max(top, v)
	}
	var points []string
	for i, v := range values {
		points = append(points, fmt.Sprintf("%d,%.1f", 60-len(values)+i+1, 19-18*float64(v)/float64(top)))
	}
	return strings.Join(points, " ")
}
