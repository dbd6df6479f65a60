package attendance

import (
	"cmp"
	"slices"
	"time"

	"chalkcast/classroom/database"
)

// Interval is [From, To): To is the first instant that is no longer inside. One that ends where it begins, or
// before, is empty and counts as not there.
//
// The same arithmetic serves the programme of a lesson: there an instant is milliseconds since its first frame.
type Interval struct{ From, To database.Instant }

// Length is 0 for an empty interval.
func (iv Interval) Length() time.Duration { return max(0, iv.To.Sub(iv.From)) }

func (iv Interval) empty() bool { return iv.To <= iv.From }

// Set is any number of instants, as intervals in order that neither touch nor overlap, none of them empty. All
// functions return new sets and leave their arguments alone.
type Set []Interval

// Union returns every instant that lies in at least one interval, whatever their order and overlap.
func Union(intervals ...Interval) Set {
	s := make(Set, 0, len(intervals))
	for _, iv := range intervals {
		if !iv.empty() {
			s = append(s, iv)
		}
	}
	slices.SortFunc(s, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	return s.join(0)
}

// CloseGaps returns s with the gaps of at most longest filled.
func (s Set) CloseGaps(longest time.Duration) Set { return slices.Clone(s).join(longest) }

// join merges in place what is at most gap apart; s is sorted by From.
func (s Set) join(gap time.Duration) Set {
	if len(s) == 0 {
		return nil
	}
	out := s[:1]
	for _, iv := range s[1:] {
		last := &out[len(out)-1]
		if iv.From.Sub(last.To) <= gap {
			last.To = max(last.To, iv.To)
		} else {
			out = append(out, iv)
		}
	}
	return out
}

// Intersect returns the instants that lie in both.
func (s Set) Intersect(other Set) Set {
	var out Set
	for i, j := 0, 0; i < len(s) && j < len(other); {
		both := Interval{max(s[i].From, other[j].From), min(s[i].To, other[j].To)}
		if !both.empty() {
			out = append(out, both)
		}
		if s[i].To < other[j].To {
			i++
		} else {
			j++
		}
	}
	return out
}

// Length is the sum of the lengths.
func (s Set) Length() time.Duration {
	var sum time.Duration
	for _, iv := range s {
		sum += iv.Length()
	}
	return sum
}

// Hull is the interval from the first instant to the last; the zero Interval when s is empty.
func (s Set) Hull() Interval {
	if len(s) == 0 {
		return Interval{}
	}
	return Interval{s[0].From, s[len(s)-1].To}
}
